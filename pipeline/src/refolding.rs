//! Finds incidents again after corrections: looks are folded again from a kept state of the fleet, in portions, while present minutes
//! go on.
//!
//! Decision: D-109.

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use netqoe_fleet::{Because, Fleet, FoundBefore, Refold, Refolded};
use netqoe_model::{Incident, IncidentChange, LogTime, Look, MAX_TIME_MS, Rules, WindowStart};
use netqoe_sinks::{Corrections, FleetCommit, StoreError};

use crate::fleet::{Folds, Following, Found};

/// How long more corrections are waited for: those of one outage come partition by partition.
const GATHER: Duration = Duration::from_secs(1);

/// How long nothing is found again after a refold, in what it took: so refolds have half of the thread's time at most, however
/// often rows are corrected, and each takes in all corrections since the one before.
const REST: u32 = 1;

/// Bytes of looks in one portion of a refold: some thousand sightings, and one look at least. Present minutes wait for one portion at
/// most.
const BYTES_AT_ONCE: usize = 64 << 10;

/// Log time between states that are kept: a correction folds an hour of looks more than it must, at most.
const STATE_EVERY_MS: i64 = 3_600_000;

/// How long a correction may take: rows are computed again beside those of present minutes, and looks are kept for as much longer.
const CORRECTED_WITHIN_MS: i64 = 3_600_000;

/// How long the end of a pipeline waits for a refold. The next start finds again what is left.
const AT_THE_END: Duration = Duration::from_secs(10);

/// The first look that may still be corrected, once incidents reflect this one.
pub(crate) fn oldest_corrected(rules: &Rules, through: WindowStart) -> WindowStart {
    let back_ms = rules.correction_horizon_ms + rules.lateness_ms + rules.window_ms + CORRECTED_WITHIN_MS;
    WindowStart::from_ms(through.ms().saturating_sub(back_ms))
}

/// How far corrections are reflected.
pub(crate) struct Refolding {
    /// The newest correction that incidents in the store reflect.
    reflected: i64,
    /// The look of the newest state that is kept.
    kept: Option<WindowStart>,
    /// Since when there have been corrections that no refold has begun with.
    waiting_since: Option<Instant>,
    under_way: Option<(Again, Corrections)>,
    rests_until: Option<Instant>,
}

/// A refold that goes on.
struct Again {
    refold: Refold,
    /// The look of the newest state that is kept of it.
    kept: WindowStart,
    took: Duration,
}

impl Folds for Again {
    fn fleet(&self) -> &Fleet {
        self.refold.fleet()
    }

    fn advance(&mut self, at: WindowStart, looks: Vec<Look>) -> Result<(), StoreError> {
        self.refold.advance(at, looks);
        Ok(())
    }
}

impl Refolding {
    pub(crate) fn new(reflected: i64, kept: Option<WindowStart>) -> Self {
        Self { reflected, kept, waiting_since: None, under_way: None, rests_until: None }
    }

    pub(crate) fn reflected(&self) -> i64 {
        self.reflected
    }

    pub(crate) fn is_under_way(&self) -> bool {
        self.under_way.is_some()
    }

    /// Whether the state as of this look is to be kept. One that may reflect looks that were corrected since is not: the refold keeps
    /// its own.
    pub(crate) fn keeps(&self, at: WindowStart) -> bool {
        let is_due = self.kept.is_none_or(|kept| at.ms() - kept.ms() >= STATE_EVERY_MS);
        is_due && self.waiting_since.is_none() && self.under_way.is_none()
    }

    /// This is in the store.
    pub(crate) fn committed(&mut self, commit: &FleetCommit) {
        self.reflected = commit.corrected;
        let newest = commit.kept.iter().flat_map(|kept| &kept.states).map(|(at, _)| *at).max();
        self.kept = self.kept.max(newest);
    }

    fn is_due(&self, now: Instant) -> bool {
        let has_gathered = self.waiting_since.is_some_and(|since| now.duration_since(since) >= GATHER);
        has_gathered && self.rests_until.is_none_or(|until| now >= until)
    }
}

impl Following {
    /// Looks whether there are corrections that no refold has begun with.
    pub(crate) fn see_corrections(&mut self) -> Result<(), StoreError> {
        if self.plan.corrects() && self.refolding.waiting_since.is_none() && !self.refolding.is_under_way() {
            let waiting = self.corrections()?;
            self.refolding.waiting_since = waiting.map(|_| Instant::now());
        }
        Ok(())
    }

    fn corrections(&self) -> Result<Option<Corrections>, StoreError> {
        let reflected = self.refolding.reflected;
        self.plan.transact("corrections", |store| store.corrections_after(reflected))
    }

    /// An incident that corrections have withdrawn may be opened after all, by later looks. Its revisions go on from those that were
    /// told.
    pub(crate) fn follow_numbers(&mut self) -> Result<(), StoreError> {
        if !self.plan.corrects() {
            return Ok(());
        }
        let revisions = self.changes.iter().flat_map(|changes| &changes.revisions);
        let opened: BTreeSet<_> =
            revisions.filter(|it| it.change == IncidentChange::Opened).map(|it| &it.incident).collect();
        if opened.is_empty() {
            return Ok(());
        }
        let ids: Vec<_> = opened.iter().copied().collect();
        let none_since = WindowStart::from_ms(MAX_TIME_MS);
        let told = self.plan.transact("incidents_since", |store| store.incidents_since(none_since, &ids))?;
        let told: Vec<_> = told.into_iter().filter(|incident| opened.contains(&incident.id)).collect();
        for Incident { id, revision, .. } in &told {
            let by = revision + 1;
            self.fleet.renumber(id, by);
            for changes in &mut self.changes {
                let incidents = changes.incidents.iter_mut().filter(|incident| incident.id == *id);
                incidents.for_each(|incident| incident.revision += by);
                let revisions = changes.revisions.iter_mut().filter(|revision| revision.incident == *id);
                revisions.for_each(|revision| revision.revision += by);
            }
        }
        Ok(())
    }

    /// A start folds the looks after the newest state again. Some of these may have been corrected meanwhile, also by a correction that
    /// was not written to its end. What incidents in the store do not say is written first, so that what is found next goes on
    /// from what is there.
    pub(crate) fn fold_the_newest_again(&mut self) -> Result<(), StoreError> {
        let (true, Some(through)) = (self.plan.corrects(), self.committed) else { return Ok(()) };
        let Some(mut again) = self.newest_state(through)? else { return Ok(()) };
        while !self.fold_portion(&mut again, through)? {}
        let nothing = Corrections { newest: 0, at: LogTime::from_ms(through.ms()), from: through, events: 0 };
        let corrections = self.corrections()?.unwrap_or(nothing);
        let (refolded, took) = self.compare(again, corrections)?;
        if refolded.is_as_before() {
            self.go_on_with(refolded.fleet, false);
            return Ok(());
        }
        self.commit_again(refolded, self.refolding.reflected, took)
    }

    fn newest_state(&self, through: WindowStart) -> Result<Option<Again>, StoreError> {
        let generation = self.plan.link.generation;
        let state = match self.plan.transact("resume_fleet", |store| store.resume_fleet(generation))?.state {
            Some(state) => Some(state),
            None => self.plan.transact("fleet_state", |store| store.fleet_state(through))?,
        };
        Ok(state.and_then(|(at, bytes)| self.again_from(at, &bytes)))
    }

    /// A refold from this state on; `None` if that can't be read.
    fn again_from(&self, at: WindowStart, state: &[u8]) -> Option<Again> {
        let rules = &self.plan.rules;
        let fleet = Fleet::restore(state, &rules.fleet, rules.window_ms)?;
        Some(Again { refold: Refold::new(at, fleet), kept: at, took: Duration::ZERO })
    }

    /// Finds incidents again if it is time to, one portion at a time.
    pub(crate) fn find_again(&mut self, now: Instant) -> Result<(), StoreError> {
        if let Some((again, corrections)) = self.refolding.under_way.take() {
            return self.go_on(again, corrections, now);
        }
        if !self.refolding.is_due(now) {
            return Ok(());
        }
        self.refolding.waiting_since = None;
        let (Some(through), Some(corrections)) = (self.committed, self.corrections()?) else { return Ok(()) };
        if corrections.from >= through {
            // The fold has not come to what they have changed.
            let commit = self.of_nothing(through, corrections.newest);
            return self.write(&commit);
        }
        self.begin(corrections)
    }

    fn begin(&mut self, corrections: Corrections) -> Result<(), StoreError> {
        let generation = self.plan.link.generation;
        let state = self.plan.transact("fleet_state", |store| store.fleet_state(corrections.from))?;
        // None is kept before the first commit.
        let Some((at, bytes)) = state else { return Ok(()) };
        let Some(again) = self.again_from(at, &bytes) else {
            tracing::warn!("a state of the fleet is damaged: incidents are corrected from an earlier one");
            let before = WindowStart::from_ms(at.ms() - 1);
            return self.plan.transact("forget_fleet_states", |store| store.forget_fleet_states(generation, before));
        };
        if at > corrections.from {
            tracing::warn!(
                from_ms = corrections.from.ms(),
                kept_from_ms = at.ms(),
                "measurements came late of a time before that of which looks are kept: incidents of it are not corrected"
            );
            (self.plan.on_found)(Found::Beyond);
        }
        // Later ones reflect looks that were corrected.
        self.plan.transact("forget_fleet_states", |store| store.forget_fleet_states(generation, at))?;
        self.refolding.kept = Some(at);
        self.refolding.under_way = Some((again, corrections));
        Ok(())
    }

    /// One portion more. Where the refold has come to the present, it takes its place.
    fn go_on(&mut self, mut again: Again, corrections: Corrections, now: Instant) -> Result<(), StoreError> {
        let (Some(through), started) = (self.fleet.through(), Instant::now()) else { return Ok(()) };
        let is_there = self.fold_portion(&mut again, through)?;
        again.took += started.elapsed();
        if !is_there || self.committed != Some(through) {
            self.refolding.under_way = Some((again, corrections));
            return Ok(());
        }
        let (refolded, took) = self.compare(again, corrections)?;
        self.commit_again(refolded, corrections.newest, took)?;
        self.refolding.rests_until = Some(now + REST * (took + started.elapsed()));
        self.tell_open()?;
        self.see_corrections()
    }

    /// Folds some looks more. Answers whether these were all up to `through`.
    fn fold_portion(&self, again: &mut Again, through: WindowStart) -> Result<bool, StoreError> {
        let after = again.fleet().through().unwrap_or(again.refold.after());
        let looks = self.plan.transact("looks", |store| store.looks(Some(after), through, BYTES_AT_ONCE))?;
        let newest = looks.last().map_or(through, |look| look.at);
        again.fold(looks, newest, self.plan.rules.window_ms)?;
        if newest.ms() - again.kept.ms() >= STATE_EVERY_MS {
            let (generation, state) = (self.plan.link.generation, again.fleet().to_stored());
            self.plan.transact("keep_fleet_state", |store| store.keep_fleet_state(generation, newest, &state))?;
            again.kept = newest;
        }
        Ok(newest == through)
    }

    /// How what was found again differs from the store, and how long it took to find it.
    fn compare(&mut self, again: Again, corrections: Corrections) -> Result<(Refolded, Duration), StoreError> {
        let started = Instant::now();
        let Again { refold, kept, took } = again;
        let ids: Vec<_> = refold.incidents().cloned().collect();
        let ids: Vec<_> = ids.iter().collect();
        let before = FoundBefore {
            incidents: self.plan.transact("incidents_since", |store| store.incidents_since(refold.after(), &ids))?,
            unmeasured: self.plan.transact("unmeasured", |store| store.unmeasured())?,
        };
        let because = Because { at: corrections.at, events: corrections.events };
        let members = |id: &_| self.plan.transact("incident_members", |store| store.incident_members(id));
        let refolded = refold.finish(before, because, members)?;
        self.refolding.kept = self.refolding.kept.max(Some(kept));
        Ok((refolded, took + started.elapsed()))
    }

    /// Writes how what was found again differs, and goes on from it.
    fn commit_again(&mut self, refolded: Refolded, reflected: i64, took: Duration) -> Result<(), StoreError> {
        let started = Instant::now();
        let Refolded { fleet, changes, members_gone } = refolded;
        let (through, tally) = (changes.at, changes.tally);
        let commit = FleetCommit {
            tally,
            changes: vec![changes],
            state: Some((through, fleet.to_stored())),
            members_gone,
            ..self.of_nothing(through, reflected)
        };
        self.write(&commit)?;
        self.go_on_with(fleet, true);
        (self.plan.on_found)(Found::Again(&commit, took + started.elapsed()));
        Ok(())
    }

    /// A commit that changes nothing but which corrections are reflected.
    fn of_nothing(&self, through: WindowStart, reflected: i64) -> FleetCommit {
        let (tally, kept) = (self.fleet.tally(), self.plan.kept(through, Vec::new()));
        FleetCommit { through, tally, kept, corrected: reflected, ..FleetCommit::default() }
    }

    /// At the end of a pipeline: finds again what there is time for.
    pub(crate) fn find_all_again(&mut self) -> Result<(), StoreError> {
        let started = Instant::now();
        self.see_corrections()?;
        while started.elapsed() < AT_THE_END
            && (self.refolding.is_under_way() || self.refolding.waiting_since.is_some())
        {
            let waiting = self.refolding.waiting_since.map_or(started, |since| since + GATHER);
            self.find_again(self.refolding.rests_until.map_or(waiting, |until| until.max(waiting)))?;
        }
        Ok(())
    }
}
