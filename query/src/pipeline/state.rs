use netqoe_model::{Checkpoint, Ledger};
use serde::Serialize;
use utoipa::ToSchema;

/// What a running pipeline shows of itself.
pub trait PipelineView: Send + Sync {
    /// How it is now. Said at once, without waiting for anything.
    fn look(&self) -> PipelineState;
}

/// How a pipeline is. In a cluster, what one process knows.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct PipelineState {
    /// Of netqoe.
    pub version: &'static str,
    /// Seconds since the process began.
    pub uptime_s: u64,
    /// The number of this process in its cluster, from 0.
    pub process: usize,
    /// How many processes the cluster has.
    pub processes: usize,
    /// Where events come from.
    pub log: Part,
    /// Where rows go.
    pub store: Part,
    /// What lies between.
    pub pipeline: Part,
    /// Where the events of this process's partitions went, since the log began.
    pub events: Events,
    /// Events that were read, over the last ten seconds.
    pub events_per_s: f64,
    /// Rows that were written, over the last ten seconds.
    pub rows_per_s: f64,
    /// From log time to durable row, over the last minute; null where nothing was committed in it.
    #[schema(required)]
    pub processing_delay: Option<Delays>,
    /// Windows that can still change.
    pub open_windows: usize,
    /// Pairs of client and target in memory.
    pub tracked_pairs: usize,
    /// Events that this process has refused because there was no place for their pair: one too many, or no memory for it.
    pub refused_pair_events: u64,
    /// Pairs that have lost their place in this process because nothing came of them for as long as their past is kept.
    pub forgotten_pairs: u64,
    /// Records of the log that rows do not reflect yet.
    pub lag_records: u64,
    /// Age of the oldest record that was read and is not reflected; null where there is none.
    #[schema(required)]
    pub oldest_waiting_ms: Option<u64>,
    /// Those of this process.
    pub partitions: Vec<PartitionProgress>,
}

/// A part of the process and how it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Part {
    /// `sqlite`, `jetstream` or `postgres`; of the pipeline `dataflow`; `none` where the process has no such part, as a server
    /// that only reads a store.
    pub kind: &'static str,
    /// Whether it works.
    pub healthy: bool,
    /// What is wrong with it, or why there is none.
    #[schema(required)]
    pub message: Option<String>,
}

impl Part {
    /// Of this kind, which works, or does not for a reason.
    pub fn new(kind: &'static str, checked: Result<(), String>) -> Self {
        Self { kind, healthy: checked.is_ok(), message: checked.err() }
    }

    /// One that this process does not have, for a reason.
    pub fn absent(why: &str) -> Self {
        Self { kind: "none", healthy: true, message: Some(why.to_owned()) }
    }
}

/// What became of events. `read` is the sum of the others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct Events {
    /// All.
    pub read: u64,
    /// Counted in a window.
    pub accepted: u64,
    /// Copies of what was counted.
    pub duplicate: u64,
    /// After their window was closed.
    pub late: u64,
    /// Unreadable, or too far ahead of the log's time.
    pub invalid: u64,
}

impl From<Ledger> for Events {
    fn from(ledger: Ledger) -> Self {
        let Ledger { read, accepted, duplicate, late, invalid } = ledger;
        Self { read, accepted, duplicate, late, invalid }
    }
}

/// Percentiles of a delay, in milliseconds, within 1 %.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[allow(missing_docs)] // their names say all
pub struct Delays {
    pub p50_ms: u64,
    pub p95_ms: u64,
    pub p99_ms: u64,
}

/// How far a partition has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct PartitionProgress {
    /// Its number.
    pub partition: u16,
    /// The worker that owns it.
    pub worker: usize,
    /// The last record that rows reflect.
    pub processed: u64,
    /// The first record that an open window needs.
    pub resume_from: u64,
    /// Of the last record that rows reflect, Unix milliseconds; null before the first.
    #[schema(required)]
    pub log_time: Option<i64>,
    /// Records that rows do not reflect; null where the log does not say how many of those unread are this partition's.
    #[schema(required)]
    pub waiting_records: Option<u64>,
}

impl PartitionProgress {
    /// Of a partition that has come to this checkpoint.
    pub fn new(checkpoint: &Checkpoint, worker: usize, waiting_records: Option<u64>) -> Self {
        let log_time = checkpoint.log_time.ms();
        Self {
            partition: checkpoint.partition.0,
            worker,
            processed: checkpoint.processed.0,
            resume_from: checkpoint.resume_from.0,
            log_time: (log_time != 0).then_some(log_time),
            waiting_records,
        }
    }
}
