//! How far the store has come, in the place of the pipeline that this process does not have.

use std::sync::Arc;
use std::time::{Duration, Instant};

use netqoe_model::{Checkpoint, Ledger};
use netqoe_pipeline::StoreHealth;
use netqoe_query::{Part, PartitionProgress, PipelineState, PipelineView};
use netqoe_sinks::read::Reader;
use parking_lot::Mutex;
use tokio_util::sync::CancellationToken;

use super::ONLY_READS;

/// How often the store is asked: a few rows, so that `/health` and the page notice within seconds that it is away.
const EVERY: Duration = Duration::from_secs(2);

pub(super) struct Progress {
    store_kind: &'static str,
    store: StoreHealth,
    started: Instant,
    /// As of the last look.
    checkpoints: Mutex<Vec<Checkpoint>>,
}

impl Progress {
    pub(super) fn new(store_kind: &'static str, store: StoreHealth) -> Self {
        Self { store_kind, store, started: Instant::now(), checkpoints: Mutex::default() }
    }

    /// Looks at the store again and again, until `stop`.
    pub(super) async fn follow(self: Arc<Self>, reader: Arc<dyn Reader>, stop: CancellationToken) {
        let mut interval = tokio::time::interval(EVERY);
        interval.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                _ = interval.tick() => {}
            }
            let reader = Arc::clone(&reader);
            let look = move || reader.ask(|store| store.rows.checkpoints());
            match tokio::task::spawn_blocking(look).await {
                Ok(Ok(checkpoints)) => *self.checkpoints.lock() = checkpoints,
                // The reader has told the store's health.
                Ok(Err(error)) => tracing::debug!("how far the store has come is not seen: {error}"),
                Err(error) => tracing::debug!("looking at the store broke off: {error}"),
            }
        }
    }

    /// Whether the store can be read.
    pub(super) fn check_store(&self) -> Result<(), String> {
        self.store.check(Instant::now())
    }
}

impl PipelineView for Progress {
    fn look(&self) -> PipelineState {
        let checkpoints = self.checkpoints.lock();
        let mut events = Ledger::default();
        checkpoints.iter().for_each(|checkpoint| events += checkpoint.ledger);
        PipelineState {
            version: env!("CARGO_PKG_VERSION"),
            uptime_s: self.started.elapsed().as_secs(),
            process: 0,
            processes: 1,
            log: Part::absent(ONLY_READS),
            store: Part::new(self.store_kind, self.check_store()),
            pipeline: Part::absent(ONLY_READS),
            events: events.into(),
            events_per_s: 0.0,
            rows_per_s: 0.0,
            processing_delay: None,
            open_windows: 0,
            tracked_pairs: 0,
            refused_pair_events: 0,
            forgotten_pairs: 0,
            lag_records: 0,
            oldest_waiting_ms: None,
            partitions: checkpoints.iter().map(|checkpoint| PartitionProgress::new(checkpoint, 0, None)).collect(),
        }
    }
}
