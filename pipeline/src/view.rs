//! What the page shows of this process's pipeline.

use std::time::Instant;

use netqoe_model::metrics::PAIR_LIMITS;
use netqoe_query::{Part, PartitionProgress, PipelineState, PipelineView};

use crate::age::age_ms;
use crate::health::{Check, DataflowHealth};
use crate::observed::Sight;
use crate::{Assignment, Backlog, Observed, Pulse, StoreHealth};

/// A pipeline, as its parts show it.
pub struct View {
    pub(crate) observed: Observed,
    pub(crate) assignment: Assignment,
    /// What the page calls the log.
    pub(crate) log_kind: &'static str,
    pub(crate) log_health: Check,
    /// What the page calls the store.
    pub(crate) store_kind: &'static str,
    pub(crate) store_health: StoreHealth,
    pub(crate) dataflow_health: DataflowHealth,
    pub(crate) backlog: Backlog,
}

impl View {
    /// What was seen of it.
    pub fn observed(&self) -> &Observed {
        &self.observed
    }

    /// Which workers own which partitions.
    pub fn assignment(&self) -> Assignment {
        self.assignment
    }

    /// How the store is, of which others may take in more.
    pub fn store_health(&self) -> &StoreHealth {
        &self.store_health
    }

    /// Whether the log takes events.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn check_log(&self) -> Result<(), String> {
        (self.log_health)()
    }

    /// Whether the store can be written and read.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn check_store(&self) -> Result<(), String> {
        self.store_health.check(Instant::now())
    }

    /// How the pipeline stands now, to be compared with how it stands later.
    pub fn pulse(&self) -> Pulse {
        let Self { backlog, store_health, .. } = self;
        Pulse {
            waiting: backlog.records(),
            can_go_on: self.check_log().is_ok(),
            moves: backlog.moves() + store_health.failures(),
        }
    }

    /// Whether what the log takes becomes rows.
    ///
    /// # Errors
    /// What is wrong.
    pub fn check_dataflow(&self) -> Result<(), String> {
        self.dataflow_health.check(&self.observed, &self.backlog)
    }
}

impl PipelineView for View {
    fn look(&self) -> PipelineState {
        let Self { observed, assignment, backlog, .. } = self;
        let Sight { uptime, events, events_per_s, rows_per_s, delays, checkpoints } = observed.look();
        let lag_records = backlog.records();
        let oldest_waiting = backlog.oldest().flatten().min();
        let partitions = checkpoints.iter().map(|checkpoint| {
            let partition = checkpoint.partition;
            PartitionProgress::new(checkpoint, assignment.owner(partition), backlog.records_of(partition))
        });
        let states = observed.states.lock();
        PipelineState {
            version: env!("CARGO_PKG_VERSION"),
            uptime_s: uptime.as_secs(),
            process: assignment.process(),
            processes: assignment.processes(),
            log: Part::new(self.log_kind, self.check_log()),
            store: Part::new(self.store_kind, self.check_store()),
            pipeline: Part::new("dataflow", self.check_dataflow()),
            events: events.into(),
            events_per_s,
            rows_per_s,
            processing_delay: delays,
            open_windows: states.values().map(|state| state.open_windows).sum(),
            tracked_pairs: states.values().map(|state| state.tracked_pairs).sum(),
            refused_pair_events: PAIR_LIMITS
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
