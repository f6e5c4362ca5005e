//! What was seen of a pipeline until now.

use std::collections::BTreeMap;
use std::num::NonZeroU16;
use std::sync::Arc;
use std::time::{Duration, Instant};

use netqoe_dataflow::PartitionState;
use netqoe_model::metrics::Metrics;
use netqoe_model::{Checkpoint, Ledger, LogTime, Partition, Uncounted};
use netqoe_query::{Delays, LiveFeed};
use netqoe_trace::Tracer;
use parking_lot::Mutex;

use crate::corrections::{DUPLICATE, SUCCESS};
use crate::recent::Recent;
use crate::traced::TracedBatches;
use crate::{Assignment, Committed};

/// Where what happens in a pipeline is seen. Clones are the same.
#[derive(Clone)]
pub struct Observed {
    /// Of the whole process.
    pub metrics: Metrics,
    /// What readers are told of commits by.
    pub live: LiveFeed,
    /// Where events are noted that are not counted.
    pub uncounted: Uncounted,
    /// What each partition holds in memory, as of its last commit.
    pub(crate) states: Arc<Mutex<BTreeMap<Partition, PartitionState>>>,
    progress: Arc<Mutex<Progress>>,
    started: Instant,
    /// The machine's clock, in Unix milliseconds.
    pub(crate) now_ms: fn() -> i64,
    pub(crate) traced: TracedBatches,
}

/// How far the partitions of this process have come.
#[derive(Default)]
struct Progress {
    checkpoints: BTreeMap<Partition, Checkpoint>,
    recent: Recent,
}

/// What was seen, at one moment.
pub(crate) struct Sight {
    pub(crate) uptime: Duration,
    pub(crate) events: Ledger,
    pub(crate) events_per_s: f64,
    pub(crate) rows_per_s: f64,
    /// Of the last minute; none where nothing was committed in it.
    pub(crate) delays: Option<Delays>,
    pub(crate) checkpoints: Vec<Checkpoint>,
}

impl Observed {
    /// Nothing was seen yet. `now_ms` gives the present in Unix milliseconds; `tracer` starts the spans of batches.
    pub fn new(metrics: Metrics, now_ms: fn() -> i64, tracer: Tracer) -> Self {
        let (states, progress) = Default::default();
        let live = LiveFeed::new(metrics.clone());
        // Zero from the start on: without it, a panel of their rate is empty until the first correction, as if the metric were missing.
        for status in [SUCCESS, DUPLICATE] {
            metrics.corrected_events.with_label_values(&[status]);
        }
        let (uncounted, traced) = (Uncounted::since(now_ms()), TracedBatches::new(tracer));
        Self { metrics, live, uncounted, states, progress, started: Instant::now(), now_ms, traced }
    }

    /// Takes in where this process goes on in the partitions that are its own.
    pub(crate) fn resume(&self, assignment: Assignment, partitions: NonZeroU16, checkpoints: &[Checkpoint]) {
        let beginning =
            (0..partitions.get()).map(|number| Checkpoint { partition: Partition(number), ..Default::default() });
        let places = beginning.chain(checkpoints.iter().copied()).filter(|place| assignment.owns(place.partition));
        self.progress.lock().checkpoints.extend(places.map(|place| (place.partition, place)));
    }

    /// Calls `show` before each look at the metrics, with how far the partitions of this process have come.
    pub(crate) fn on_gather(&self, show: impl Fn(&Metrics, &[Checkpoint]) + Send + Sync + 'static) {
        let progress = Arc::clone(&self.progress);
        self.metrics.on_gather(move |metrics| {
            let checkpoints: Vec<_> = progress.lock().checkpoints.values().copied().collect();
            show(metrics, &checkpoints);
        });
    }

    /// Of each of this process' partitions: how far the log had come at its last commit.
    pub(crate) fn log_times(&self) -> BTreeMap<Partition, LogTime> {
        let progress = self.progress.lock();
        progress.checkpoints.iter().map(|(partition, checkpoint)| (*partition, checkpoint.log_time)).collect()
    }

    /// How far a partition of this process had come at its last commit.
    pub(crate) fn checkpoint(&self, partition: Partition) -> Option<Checkpoint> {
        self.progress.lock().checkpoints.get(&partition).copied()
    }

    /// Takes in a commit, and how long each partition took.
    pub(crate) fn committed(&self, committed: &Committed<'_>, delays_ms: &[u64]) {
        let rows = committed.partitions.iter().map(|commit| commit.rows.len() as u64).sum();
        let mut progress = self.progress.lock();
        progress.recent.add(self.started.elapsed(), committed.events.read, rows, delays_ms.iter().copied());
        let checkpoints = committed.partitions.iter().map(|commit| commit.checkpoint);
        progress.checkpoints.extend(checkpoints.map(|checkpoint| (checkpoint.partition, checkpoint)));
    }

    pub(crate) fn look(&self) -> Sight {
        let uptime = self.started.elapsed();
        let progress = self.progress.lock();
        let mut events = Ledger::default();
        progress.checkpoints.values().for_each(|checkpoint| events += checkpoint.ledger);
        let [events_per_s, rows_per_s] = progress.recent.per_second(uptime);
        let delays = progress.recent.delays(uptime);
        let checkpoints = progress.checkpoints.values().copied().collect();
        Sight { uptime, events, events_per_s, rows_per_s, delays, checkpoints }
    }
}
