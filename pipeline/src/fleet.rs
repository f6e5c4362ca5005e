//! The thread that finds incidents: it folds the looks of all partitions, of this process and of others, once all have passed
//! their minute, and commits what it found. Nothing on the way of an event waits for it.
//!
//! Decisions: D-088, D-109.

use std::collections::BTreeMap;
use std::num::NonZeroU16;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};
use netqoe_fleet::Fleet;
use netqoe_model::{
    FleetChanges, Frontier, Generation, Look, PairTally, Partition, PartitionCommit, Rules, WindowStart,
};
use netqoe_sinks::{FleetCommit, FleetResume, Kept, OpenIncidents, Store, StoreError};
use parking_lot::Mutex;

use crate::refolding::Refolding;
use crate::{Failures, MeasuredStore, Patience, PipelineError};

/// Looks that show or change something after which they are committed, and the state with them. A start folds as many again
/// at most; a state of many pairs takes some tens of milliseconds, and a megabyte or two.
const LOOKS_PER_STATE: u32 = 10;

/// Bytes of looks that are read at once; in memory they take some tens of times as much.
const BYTES_AT_ONCE: usize = 1 << 20;

/// How soon commits of other processes are seen.
const OTHERS_EVERY: Duration = Duration::from_millis(500);
/// How soon it is seen that rows were corrected.
const CORRECTED_EVERY: Duration = Duration::from_secs(1);
/// How soon it is seen that somebody has acknowledged an incident.
const ACKNOWLEDGED_EVERY: Duration = Duration::from_secs(10);

/// Why incidents are withdrawn that were found by a state that can't be read.
const ANEW: &str = "netqoe was started with other rules or another version, and looks for incidents anew";

/// A store, and the generation in which incidents may be written to it.
pub struct FleetLink {
    pub(crate) store: Arc<Mutex<MeasuredStore>>,
    pub(crate) generation: Generation,
    pub(crate) patience: Patience,
}

/// What the thread is started from.
pub(crate) struct FleetPlan {
    pub(crate) link: FleetLink,
    pub(crate) rules: Rules,
    /// Of the log.
    pub(crate) partitions: NonZeroU16,
    /// Whether other processes commit, too.
    pub(crate) has_others: bool,
    /// Whether the log has an end at which all partitions take another look.
    pub(crate) is_file: bool,
    pub(crate) on_found: OnFound,
    pub(crate) failures: Failures,
}

/// Told what was found, on the thread that finds it.
pub(crate) type OnFound = Box<dyn FnMut(Found<'_>) + Send>;

/// How incidents stand.
pub(crate) enum Found<'a> {
    /// This is in the store now, so long after it was known that partitions have passed its looks.
    Committed(&'a FleetCommit, Duration),
    /// These are open.
    Open(&'a OpenIncidents),
    /// The log has passed this look, and incidents reflect this one.
    Lag { passed: WindowStart, through: WindowStart },
    /// This is in the store now: incidents were found again after corrections, in so much time of this thread.
    Again(&'a FleetCommit, Duration),
    /// Corrections reach further back than what is kept of the fleet: incidents before that are not corrected.
    Beyond,
}

enum Told {
    /// Partitions have passed a look: it was committed then.
    Passed(Instant),
    /// Nothing more will be committed.
    AllCommitted,
}

/// The thread. Where it is dropped, it ends without a last look.
pub(crate) struct FleetThread {
    tell: Sender<Told>,
    /// The newest look that each partition of this process has passed.
    passed: BTreeMap<Partition, WindowStart>,
    rules: Rules,
    thread: JoinHandle<bool>,
}

impl FleetPlan {
    pub(crate) fn start(self) -> Result<FleetThread, PipelineError> {
        let (tell, told) = bounded(1);
        let rules = self.rules.clone();
        let run = move || {
            let failures = self.failures.clone();
            self.run(&told).map_err(|error| failures.fail(PipelineError::Incidents(error))).is_ok()
        };
        let thread = std::thread::Builder::new().name("fleet".to_owned()).spawn(run).map_err(PipelineError::Thread)?;
        Ok(FleetThread { tell, passed: BTreeMap::new(), rules, thread })
    }

    fn run(self, told: &Receiver<Told>) -> Result<(), StoreError> {
        let every = match (self.has_others, self.corrects()) {
            (true, _) => OTHERS_EVERY,
            (false, true) => CORRECTED_EVERY,
            (false, false) => ACKNOWLEDGED_EVERY,
        };
        let mut following = Following::resume(self)?;
        // What another start has left.
        following.follow(Instant::now(), false)?;
        let mut followed_at = Instant::now();
        loop {
            // Present minutes go first; between portions of past ones it is looked whether there are any.
            let wait = if following.refolding.is_under_way() { Duration::ZERO } else { every };
            match told.recv_timeout(wait) {
                Ok(Told::Passed(committed_at)) => following.follow(committed_at, false)?,
                Err(RecvTimeoutError::Timeout) if wait.is_zero() && followed_at.elapsed() < every => {
                    following.find_again(Instant::now())?;
                    continue;
                }
                // Others may have passed one.
                Err(RecvTimeoutError::Timeout) => following.follow(Instant::now(), false)?,
                Ok(Told::AllCommitted) => {
                    following.follow(Instant::now(), true)?;
                    return following.find_all_again();
                }
                Err(RecvTimeoutError::Disconnected) => return Ok(()),
            }
            followed_at = Instant::now();
            following.find_again(followed_at)?;
        }
    }

    /// Whether rows and looks are corrected where events come late.
    pub(crate) fn corrects(&self) -> bool {
        self.rules.correction_horizon_ms > self.rules.lateness_ms && !self.is_file
    }
}

impl FleetThread {
    /// These are in the store now.
    pub(crate) fn committed(&mut self, partitions: &[PartitionCommit]) {
        let mut has_passed = false;
        for checkpoint in partitions.iter().map(|commit| commit.checkpoint) {
            let passed = Frontier::of([checkpoint.log_time]).map(|own| own.last_look(&self.rules));
            has_passed |= passed.is_some_and(|passed| self.passed.insert(checkpoint.partition, passed) != Some(passed));
        }
        if has_passed {
            // One that waits to be heard says the same, and a thread that is gone has said why.
            let _ = self.tell.try_send(Told::Passed(Instant::now()));
        }
    }

    /// Waits until incidents reflect all that is in the store. False where the thread has failed.
    pub(crate) fn finish(self) -> bool {
        // Where it is gone, its end says so.
        let _ = self.tell.send(Told::AllCommitted);
        self.thread.join().unwrap_or(false)
    }
}

/// The fold, and what of it is in the store.
pub(crate) struct Following {
    pub(crate) plan: FleetPlan,
    pub(crate) fleet: Fleet,
    /// The newest look that incidents in the store reflect. A start folds some again, and commits none of them again: what
    /// came after them is in the store already.
    pub(crate) committed: Option<WindowStart>,
    /// What is not committed yet, of so many looks that show or change something.
    pub(crate) changes: Vec<FleetChanges>,
    since_commit: u32,
    /// Such looks since the last stored state; none where no state is stored.
    since_state: Option<u32>,
    tally: PairTally,
    /// When what is being folded was known to be there.
    known_at: Instant,
    /// States that are to be kept for corrections with the next commit.
    to_keep: Vec<(WindowStart, Vec<u8>)>,
    pub(crate) refolding: Refolding,
}

impl Folds for Following {
    fn fleet(&self) -> &Fleet {
        &self.fleet
    }

    fn advance(&mut self, at: WindowStart, looks: Vec<Look>) -> Result<(), StoreError> {
        let is_seen = !looks.is_empty();
        if self.fleet.through().is_none() && self.plan.corrects() {
            // Corrections of the first windows are found from nothing.
            self.to_keep = vec![(WindowStart::from_ms(at.ms() - self.plan.rules.window_ms), self.fleet.to_stored())];
        }
        let changes = self.fleet.advance(at, looks);
        self.tally = changes.tally;
        let is_changed = changes != FleetChanges { at, tally: changes.tally, ..FleetChanges::default() };
        if is_seen || is_changed {
            self.since_state = self.since_state.map(|looks| looks + 1);
        }
        if self.committed.is_some_and(|committed| at <= committed) {
            return Ok(());
        }
        self.since_commit += u32::from(is_seen || is_changed);
        self.changes.extend(is_changed.then_some(changes));
        if self.since_commit >= LOOKS_PER_STATE { self.commit(false) } else { Ok(()) }
    }
}

/// A fold that goes from look to look.
pub(crate) trait Folds {
    fn fleet(&self) -> &Fleet;
    fn advance(&mut self, at: WindowStart, looks: Vec<Look>) -> Result<(), StoreError>;

    /// Folds these looks, and those up to `through` that show nothing.
    fn fold(&mut self, mut looks: Vec<Look>, through: WindowStart, window_ms: i64) -> Result<(), StoreError> {
        // Others are of a time in which windows had another length.
        looks.retain(|look| look.at.ms() % window_ms == 0);
        let next = self.fleet().through().map(|folded| folded.ms() + window_ms);
        let Some(mut at_ms) = next.or(looks.first().map(|first| first.at.ms())) else { return Ok(()) };
        let mut looks = looks.into_iter().peekable();
        while at_ms <= through.ms() {
            // A log may have been silent for years, or have begun with a wrong clock.
            if self.fleet().is_at_rest() {
                at_ms = at_ms.max(looks.peek().map_or(through.ms(), |next| next.at.ms()));
            }
            let of_minute = std::iter::from_fn(|| looks.next_if(|look| look.at.ms() <= at_ms)).collect();
            self.advance(WindowStart::from_ms(at_ms), of_minute)?;
            at_ms += window_ms;
        }
        Ok(())
    }
}

impl Following {
    pub(crate) fn resume(plan: FleetPlan) -> Result<Self, StoreError> {
        let generation = plan.link.generation;
        let FleetResume { through, state, corrected, mut kept } =
            plan.transact("resume_fleet", |store| store.resume_fleet(generation))?;
        let (rules, window_ms) = (&plan.rules.fleet, plan.rules.window_ms);
        let mut to_keep = Vec::new();
        let (fleet, committed, since_state) = match state {
            None => (Fleet::new(rules, window_ms), through, None),
            Some((at, bytes)) => match Fleet::restore(&bytes, rules, window_ms) {
                Some(fleet) => {
                    if kept.is_none() && plan.corrects() {
                        (to_keep, kept) = (vec![(at, bytes)], Some(at));
                    }
                    (fleet, through, Some(0))
                }
                None => {
                    tracing::info!("{ANEW}");
                    let at = through.unwrap_or_default();
                    plan.transact("start_fleet_anew", |store| store.start_fleet_anew(generation, at, ANEW))?;
                    kept = None;
                    (Fleet::new(rules, window_ms), None, None)
                }
            },
        };
        let (changes, tally) = Default::default();
        let (known_at, refolding) = (Instant::now(), Refolding::new(corrected, kept));
        let mut following =
            Self { plan, fleet, committed, changes, since_commit: 0, since_state, tally, known_at, to_keep, refolding };
        following.fold_the_newest_again()?;
        Ok(following)
    }

    /// Folds what all partitions have passed, and says how incidents stand.
    pub(crate) fn follow(&mut self, known_at: Instant, is_the_end: bool) -> Result<(), StoreError> {
        self.known_at = known_at;
        if let Some(passed) = self.passed(is_the_end)? {
            self.tell_lag(passed);
            self.fold_through(passed)?;
            self.commit(is_the_end)?;
            self.tell_lag(passed);
        }
        self.tell_open()?;
        self.see_corrections()
    }

    pub(crate) fn tell_open(&mut self) -> Result<(), StoreError> {
        let open = self.plan.transact("open_incidents", |store| store.open_incidents())?;
        (self.plan.on_found)(Found::Open(&open));
        Ok(())
    }

    /// The newest look that all partitions have taken.
    fn passed(&self, is_the_end: bool) -> Result<Option<WindowStart>, StoreError> {
        let checkpoints = self.plan.transact("checkpoints", |store| store.checkpoints())?;
        let log_times = checkpoints.iter().map(|checkpoint| checkpoint.log_time);
        let Some(frontier) = Frontier::of_all(log_times, self.plan.partitions) else { return Ok(None) };
        let passed = frontier.last_look(&self.plan.rules);
        let one_more_ms = if is_the_end && self.plan.is_file { self.plan.rules.window_ms } else { 0 };
        Ok(Some(WindowStart::from_ms(passed.ms() + one_more_ms)))
    }

    fn tell_lag(&mut self, passed: WindowStart) {
        if let Some(through) = self.fleet.through() {
            (self.plan.on_found)(Found::Lag { passed, through });
        }
    }

    fn fold_through(&mut self, passed: WindowStart) -> Result<(), StoreError> {
        let mut after = self.fleet.through();
        loop {
            let looks = self.plan.transact("looks", |store| store.looks(after, passed, BYTES_AT_ONCE))?;
            // Where there are no more, time goes on all the same: who is silent shows in that.
            let window_ms = self.plan.rules.window_ms;
            let Some(newest) = looks.last().map(|look| look.at) else {
                return self.fold(Vec::new(), passed, window_ms);
            };
            after = Some(newest);
            self.fold(looks, newest, window_ms)?;
        }
    }

    /// Commits what was folded since the last commit. At the end with the state, so that a start has nothing to fold again.
    fn commit(&mut self, is_the_end: bool) -> Result<(), StoreError> {
        let Some(through) = self.fleet.through() else { return Ok(()) };
        let is_due = self.since_state.is_none_or(|looks| looks >= LOOKS_PER_STATE || (is_the_end && looks > 0));
        // While a start has not come to what was committed, the state in the store is newer than this one, or as good.
        if self.committed.is_some_and(|committed| through <= committed) && !(is_the_end && is_due) {
            return Ok(());
        }
        self.follow_numbers()?;
        let state = is_due.then(|| (through, self.fleet.to_stored()));
        let mut states = std::mem::take(&mut self.to_keep);
        states.extend(state.clone().filter(|_| self.refolding.keeps(through)));
        let commit = FleetCommit {
            changes: std::mem::take(&mut self.changes),
            through: self.committed.map_or(through, |committed| committed.max(through)),
            tally: self.tally,
            state,
            corrected: self.refolding.reflected(),
            kept: self.plan.kept(through, states),
            members_gone: Vec::new(),
        };
        self.write(&commit)?;
        self.since_commit = 0;
        if is_due {
            self.since_state = Some(0);
        }
        (self.plan.on_found)(Found::Committed(&commit, self.known_at.elapsed()));
        Ok(())
    }

    /// Writes a commit, which incidents in the store reflect then.
    pub(crate) fn write(&mut self, commit: &FleetCommit) -> Result<(), StoreError> {
        let generation = self.plan.link.generation;
        self.plan.transact("commit_fleet", |store| store.commit_fleet(generation, commit))?;
        self.committed = Some(commit.through);
        self.refolding.committed(commit);
        Ok(())
    }

    /// Goes on with another fleet, which is as of the look that incidents in the store reflect; `is_stored` if its state is there.
    pub(crate) fn go_on_with(&mut self, fleet: Fleet, is_stored: bool) {
        (self.tally, self.fleet) = (fleet.tally(), fleet);
        (self.since_commit, self.since_state) = (0, Some(if is_stored { 0 } else { LOOKS_PER_STATE }));
    }
}

impl FleetPlan {
    /// What is kept for corrections with these states, as of a look.
    pub(crate) fn kept(&self, through: WindowStart, states: Vec<(WindowStart, Vec<u8>)>) -> Option<Kept> {
        self.corrects().then(|| Kept { states, since: crate::refolding::oldest_corrected(&self.rules, through) })
    }

    pub(crate) fn transact<T>(
        &self,
        operation: &'static str,
        mut work: impl FnMut(&mut dyn Store) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let FleetLink { store, patience, .. } = &self.link;
        patience.insist(|| store.lock().transact(operation, &mut work))
    }
}
