//! What the page shows of this process's pipeline.

use std::collections::BTreeMap;
use std::num::NonZeroU16;
use std::sync::Arc;
use std::time::{Duration, Instant};

use netqoe_dashboard::{LiveFeed, Part, PartitionProgress, PipelineState, PipelineView};
use netqoe_dataflow::PartitionState;
use netqoe_model::metrics::Metrics;
use netqoe_model::{Checkpoint, Ledger, LogTime, Partition};
use netqoe_sinks::StoreUrl;
use parking_lot::Mutex;

use super::observation::{LogCheck, Works};
use super::recent::Recent;
use crate::age::age_ms;
use crate::measured::StoreHealth;
use crate::{Backlog, Committed, Crew};

/// Where what happens in a pipeline is seen. Clones are the same.
#[derive(Clone)]
pub struct Observed {
    pub metrics: Metrics,
    pub live: LiveFeed,
    /// What each partition holds in memory, as of its last commit.
    pub states: Arc<Mutex<BTreeMap<Partition, PartitionState>>>,
    progress: Arc<Mutex<Progress>>,
    started: Instant,
    /// The machine's clock, in Unix milliseconds.
    pub(crate) now_ms: fn() -> i64,
}

/// How far the partitions of this process have come.
#[derive(Default)]
struct Progress {
    checkpoints: BTreeMap<Partition, Checkpoint>,
    recent: Recent,
}

impl Observed {
    /// Nothing was seen yet.
    pub fn new(metrics: Metrics, now_ms: fn() -> i64) -> Self {
        let (states, progress) = Default::default();
        let live = LiveFeed::new(metrics.clone());
        Self { metrics, live, states, progress, started: Instant::now(), now_ms }
    }

    /// Takes in where this process goes on in the partitions that are its own.
    pub fn resume(&self, crew: Crew, partitions: NonZeroU16, checkpoints: &[Checkpoint]) {
        let beginning =
            (0..partitions.get()).map(|number| Checkpoint { partition: Partition(number), ..Default::default() });
        let places = beginning.chain(checkpoints.iter().copied()).filter(|place| crew.owns(place.partition));
        self.progress.lock().checkpoints.extend(places.map(|place| (place.partition, place)));
    }

    /// Of each of this process' partitions: how far the log had come at its last commit.
    pub fn log_times(&self) -> BTreeMap<Partition, LogTime> {
        let progress = self.progress.lock();
        progress.checkpoints.iter().map(|(partition, checkpoint)| (*partition, checkpoint.log_time)).collect()
    }

    /// Takes in a commit, and how long each partition took.
    pub fn committed(&self, committed: &Committed<'_>, delays_ms: &[u64]) {
        let rows = committed.partitions.iter().map(|commit| commit.rows.len() as u64).sum();
        let mut progress = self.progress.lock();
        progress.recent.add(self.started.elapsed(), committed.events.read, rows, delays_ms.iter().copied());
        let checkpoints = committed.partitions.iter().map(|commit| commit.checkpoint);
        progress.checkpoints.extend(checkpoints.map(|checkpoint| (checkpoint.partition, checkpoint)));
    }
}

/// A pipeline, as its parts tell of it.
pub struct View {
    pub observed: Observed,
    pub crew: Crew,
    /// Its kind, and whether it works.
    pub log: (&'static str, LogCheck),
    pub store: (&'static str, StoreHealth),
    pub backlog: Backlog,
    /// Whether events become rows.
    pub works: Works,
}

/// What the page calls a store.
pub fn kind(store: &StoreUrl) -> &'static str {
    match store {
        StoreUrl::Sqlite(_) => "sqlite",
        StoreUrl::Postgres(_) => "postgres",
    }
}

impl PipelineView for View {
    fn look(&self) -> PipelineState {
        let Self { observed, crew, log, store, backlog, works } = self;
        let uptime = observed.started.elapsed();
        let (events, rates, processing_delay, checkpoints) = observed.progress.lock().look(uptime);
        let lag_records = backlog.records();
        let oldest_waiting = backlog.oldest().flatten().min();
        let partitions = checkpoints.iter().map(|checkpoint| {
            let Checkpoint { partition, .. } = *checkpoint;
            PartitionProgress::new(checkpoint, crew.owner(partition), backlog.records_of(partition))
        });
        let states = observed.states.lock();
        PipelineState {
            version: env!("CARGO_PKG_VERSION"),
            uptime_s: uptime.as_secs(),
            process: crew.process(),
            processes: crew.processes(),
            log: Part::new(log.0, (log.1)()),
            store: Part::new(store.0, store.1.check(Instant::now())),
            pipeline: Part::new("dataflow", works.check()),
            events: events.into(),
            events_per_s: rates[0],
            rows_per_s: rates[1],
            processing_delay,
            open_windows: states.values().map(|state| state.open_windows).sum(),
            tracked_pairs: states.values().map(|state| state.tracked_pairs).sum(),
            refused_pair_events: ["client", "all"]
                .map(|limit| observed.metrics.ingest_pairs_refused.with_label_values(&[limit]).get())
                .iter()
                .sum(),
            forgotten_pairs: observed.metrics.ingest_pairs_forgotten.get(),
            lag_records,
            oldest_waiting_ms: oldest_waiting.map(|oldest| age_ms(oldest, (observed.now_ms)())),
            partitions: partitions.collect(),
        }
    }
}

impl Progress {
    fn look(&self, now: Duration) -> (Ledger, [f64; 2], Option<netqoe_dashboard::Delays>, Vec<Checkpoint>) {
        let mut events = Ledger::default();
        self.checkpoints.values().for_each(|checkpoint| events += checkpoint.ledger);
        let checkpoints = self.checkpoints.values().copied().collect();
        (events, self.recent.per_second(now), self.recent.delays(now), checkpoints)
    }
}
