//! The result for one window of one key.

use std::sync::Arc;

use crate::{ErrorStage, LogTime, Metric, Network, PairTags, WindowStart};

/// The p50 and p95 of a metric that has samples: whole microseconds, or whole kbit/s for throughput.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Percentiles {
    /// The sample at rank ⌈0.50·n⌉.
    pub p50: u64,
    /// The sample at rank ⌈0.95·n⌉.
    pub p95: u64,
}

/// One window of one (client, target): everything in a row of `agg_1m` except its names and its diagnosis.
/// Ordered by start first.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct WindowRow {
    /// First millisecond of the window.
    pub start: WindowStart,
    /// Whether the log has passed the window's end plus lateness, after which the row never changes.
    pub is_final: bool,
    /// The log time that the row reflects. A store never replaces a row by one that reflects less.
    pub as_of: LogTime,
    /// Events without an error stage.
    pub count_success: u32,
    /// Failed events by stage, in the order of [`ErrorStage::ALL`].
    pub errors: [u32; 5],
    /// By metric, in the order of [`Metric::ALL`]; `None` if a metric has no samples.
    pub percentiles: [Option<Percentiles>; 5],
    /// The network of the client, as the newest of its counted events says that names one: by its time, and of those
    /// with the same time the last in the log. `None` where none of them does, and in rows of a netqoe that did not
    /// keep it. Shared, as a fleet has few networks.
    pub network: Option<Arc<Network>>,
    /// The labels of the client and the target, as the newest of its counted events says that carries any, by the same order. `None`
    /// where none of them does, and in rows of a netqoe that did not keep them.
    pub tags: Option<Arc<PairTags>>,
}

impl WindowRow {
    /// Events with an error stage.
    pub fn count_error(&self) -> u32 {
        self.errors.iter().sum()
    }

    /// All events that the window counts.
    pub fn count_total(&self) -> u32 {
        self.count_success + self.count_error()
    }

    /// Failed events of one stage.
    pub fn errors_at(&self, stage: ErrorStage) -> u32 {
        self.errors[stage as usize]
    }

    /// The percentiles of one metric.
    pub fn of(&self, metric: Metric) -> Option<Percentiles> {
        self.percentiles[metric as usize]
    }
}
