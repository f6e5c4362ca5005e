//! What became of spans.

use netqoe_model::metrics::Metrics;
use prometheus::core::Collector;
use prometheus::proto::MetricFamily;
use prometheus::{IntCounter, IntCounterVec};

/// Counts spans that were delivered and that were not, in the metrics of the process.
#[derive(Clone, Debug)]
pub struct SpanCounts {
    exported: IntCounter,
    dropped: IntCounterVec,
}

impl SpanCounts {
    /// Into these metrics.
    pub fn of(metrics: &Metrics) -> Self {
        let (exported, dropped) = (metrics.trace_spans_exported.clone(), metrics.trace_spans_dropped.clone());
        Self { exported, dropped }
    }

    /// As they stand, for a process that shows no other of these metrics.
    pub fn collect(&self) -> Vec<MetricFamily> {
        [self.exported.collect(), self.dropped.collect()].concat()
    }

    pub(super) fn delivered(&self, spans: u64) {
        self.exported.inc_by(spans);
    }

    /// The queue had no room for one.
    pub(super) fn had_no_room(&self) {
        self.drop("queue_full", 1);
    }

    /// The collector did not answer, or not so that it has taken them.
    pub(super) fn undelivered(&self, spans: u64) {
        self.drop("undelivered", spans);
    }

    /// The collector has taken a batch without these.
    pub(super) fn refused(&self, spans: u64) {
        self.drop("refused", spans);
    }

    fn drop(&self, reason: &str, spans: u64) {
        self.dropped.with_label_values(&[reason]).inc_by(spans);
    }
}
