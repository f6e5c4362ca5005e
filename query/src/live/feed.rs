//! Where the pipeline says what it has committed, and readers find it.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use netqoe_model::metrics::Metrics;
use netqoe_model::{FleetChanges, Ledger, PartitionCommit};
use parking_lot::Mutex;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

use super::changed_incidents::{ChangedIncidents, MAX_TOLD};
use super::kept::{KEPT_ROWS, Kept, Rows, Totals};
use super::place::Place;
use super::shared_rows::{KeptText, SharedRows};

/// Readers at once. Each costs a connection and a copy of the text of every row that it has not filtered out.
const MAX_READERS: usize = 100;
/// How long commits are kept for readers that have left: as long as a network takes to come back.
const LATELY: Duration = Duration::from_secs(60);

/// What was committed, as it is committed. Clones are handles on the same feed.
#[derive(Clone)]
pub struct LiveFeed {
    shared: Arc<Shared>,
}

struct Shared {
    run: String,
    kept: Mutex<Kept>,
    kept_text: KeptText,
    /// The number of the newest commit.
    newest: watch::Sender<u64>,
    places: Arc<Semaphore>,
    /// Those who want to know of commits, and those among them who want rows.
    listeners: Mutex<[Listeners; 2]>,
    metrics: Metrics,
}

/// Readers of a kind.
#[derive(Clone, Copy, Default)]
struct Listeners {
    here: usize,
    last_left: Option<Instant>,
}

impl Listeners {
    fn lately(&self, now: Instant) -> bool {
        self.here > 0 || self.last_left.is_some_and(|left| now.saturating_duration_since(left) < LATELY)
    }
}

impl LiveFeed {
    /// A feed that nobody listens to yet. Readers that are too slow are counted.
    pub fn new(metrics: Metrics) -> Self {
        // Two runs of a process don't begin in the same nanosecond.
        let run = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos();
        let shared = Shared {
            run: format!("{run:x}"),
            kept: Mutex::default(),
            kept_text: KeptText::default(),
            newest: watch::Sender::new(0),
            places: Arc::new(Semaphore::new(MAX_READERS)),
            listeners: Mutex::default(),
            metrics,
        };
        Self { shared: Arc::new(shared) }
    }

    /// Readers at the moment.
    pub fn readers(&self) -> usize {
        MAX_READERS - self.shared.places.available_permits()
    }

    /// Shows what is in the store now, and became of `events`. Never waits; while nobody has listened lately it only counts.
    pub fn publish(&self, partitions: &[PartitionCommit], events: Ledger) {
        let [for_commits, for_rows] = self.listened_lately();
        let count: usize = partitions.iter().map(|commit| commit.rows.len()).sum();
        let as_of = partitions.iter().map(|commit| commit.checkpoint.log_time.ms()).max();
        let added =
            Totals { rows: count as u64, events: events.read, elsewhere: 0, as_of_ms: as_of.unwrap_or_default() };
        let rows = match for_rows && count <= KEPT_ROWS {
            true => {
                let rows = partitions.iter().flat_map(|commit| commit.rows.iter().cloned()).collect();
                Rows::Here(Arc::new(SharedRows::new(rows, &self.shared.kept_text)))
            }
            false => Rows::NotKept,
        };
        self.add(added, for_commits.then_some(rows));
    }

    /// Shows what a commit has changed of incidents. Never waits; of more than are told one by one, readers are told to ask.
    pub fn publish_incidents(&self, changes: &FleetChanges) {
        if changes.incidents.is_empty() {
            return;
        }
        let changed = self.is_listened_to().then(|| match changes.incidents.len() <= MAX_TOLD {
            true => {
                let changed = ChangedIncidents::new(changes.incidents.clone(), changes.at.ms());
                Rows::Incidents(Arc::new(changed))
            }
            false => Rows::TooManyIncidents,
        });
        self.add(Totals::default(), changed);
    }

    /// Shows that another process has committed so many events, up to this log time.
    pub(super) fn publish_elsewhere(&self, events: u64, as_of_ms: i64) {
        self.add(Totals { rows: 0, events, elsewhere: 1, as_of_ms }, Some(Rows::Elsewhere));
    }

    fn add(&self, added: Totals, rows: Option<Rows>) {
        let mut kept = self.shared.kept.lock();
        match rows {
            Some(rows) => kept.push(added, rows),
            None => kept.forget(added),
        }
        // Within the lock, so that it never falls.
        self.shared.newest.send_replace(kept.newest());
    }

    /// Whether anybody listens, or has a moment ago.
    pub(super) fn is_listened_to(&self) -> bool {
        self.listened_lately()[0]
    }

    fn listened_lately(&self) -> [bool; 2] {
        let now = Instant::now();
        self.shared.listeners.lock().map(|listeners| listeners.lately(now))
    }

    /// A seat among the readers; none where they are too many.
    pub(super) fn take_seat(&self, wants_rows: bool) -> Option<Seat> {
        let place = Arc::clone(&self.shared.places).try_acquire_owned().ok()?;
        let seat = Seat { feed: self.clone(), wants_rows, _place: place };
        seat.of_its_kinds(|listeners| listeners.here += 1);
        Some(seat)
    }
}

/// A reader's, which is free again once this is dropped.
pub(super) struct Seat {
    feed: LiveFeed,
    wants_rows: bool,
    _place: OwnedSemaphorePermit,
}

impl Seat {
    /// Looks at what is kept, for a moment: the pipeline waits meanwhile.
    pub(super) fn look<T>(&self, look: impl FnOnce(&Kept) -> T) -> T {
        look(&self.feed.shared.kept.lock())
    }

    /// Wakes whoever waits for the next commit.
    pub(super) fn newest(&self) -> watch::Receiver<u64> {
        self.feed.shared.newest.subscribe()
    }

    /// A place of this run.
    pub(super) fn place(&self, commit: u64, row: Option<usize>) -> Place {
        Place { run: self.feed.shared.run.clone(), commit, row }
    }

    /// Whether a place is of this run.
    pub(super) fn is_of_this_run(&self, place: &Place) -> bool {
        place.run == self.feed.shared.run
    }

    /// Counts a reader that was too slow.
    pub(super) fn count_dropped(&self) {
        self.feed.shared.metrics.live_readers_dropped.inc();
    }

    fn of_its_kinds(&self, change: impl Fn(&mut Listeners)) {
        let mut listeners = self.feed.shared.listeners.lock();
        let kinds = if self.wants_rows { 2 } else { 1 };
        listeners.iter_mut().take(kinds).for_each(change);
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let now = Instant::now();
        self.of_its_kinds(|listeners| *listeners = Listeners { here: listeners.here - 1, last_left: Some(now) });
    }
}
