//! What waits, and what became of events since the start.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use netqoe_trace::{SpanCounts, Tracer};
use prometheus::proto::MetricFamily;

use super::bounds::Excess;

/// What waits in the spool, and what became of the events that were reported since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReportCounts {
    /// Events that wait.
    pub waiting: u64,
    /// Their bytes.
    pub waiting_bytes: u64,
    /// Those of them whose time the endpoint, or a clock, does not accept yet.
    pub untimely: u64,
    /// Accepted by the endpoint.
    pub sent: u64,
    /// Refused by it for good, and set aside.
    pub set_aside: u64,
    /// Dropped, since they had waited too long.
    pub too_old: u64,
    /// Dropped, the oldest first, since the spool was full.
    pub too_many: u64,
    /// Failed attempts to send.
    pub failed_tries: u64,
}

impl ReportCounts {
    /// Events that were dropped, for whatever reason.
    pub fn dropped(&self) -> u64 {
        self.too_old + self.too_many
    }
}

/// Shows the counts of a spool that is being sent, for as long as anybody looks.
#[derive(Clone, Debug)]
pub struct ReportWatch {
    pub(super) counts: Arc<Counts>,
    pub(super) tracer: Tracer,
}

impl ReportWatch {
    /// As they are now.
    pub fn counts(&self) -> ReportCounts {
        self.counts.now()
    }

    /// What became of the spans of its batches, as metrics; nothing where they have none.
    pub fn spans(&self) -> Vec<MetricFamily> {
        self.tracer.counts().map(SpanCounts::collect).unwrap_or_default()
    }
}

#[derive(Debug, Default)]
pub(super) struct Counts {
    waiting: AtomicU64,
    waiting_bytes: AtomicU64,
    untimely: AtomicU64,
    sent: AtomicU64,
    set_aside: AtomicU64,
    too_old: AtomicU64,
    too_many: AtomicU64,
    failed_tries: AtomicU64,
}

impl Counts {
    pub(super) fn set_waiting(&self, events: u64, bytes: u64, untimely: u64) {
        self.untimely.store(untimely, Ordering::Relaxed);
        self.waiting.store(events, Ordering::Relaxed);
        self.waiting_bytes.store(bytes, Ordering::Relaxed);
    }

    pub(super) fn add_settled(&self, sent: usize, set_aside: usize) {
        self.sent.fetch_add(sent as u64, Ordering::Relaxed);
        self.set_aside.fetch_add(set_aside as u64, Ordering::Relaxed);
    }

    pub(super) fn add_dropped(&self, excess: Excess) {
        self.too_old.fetch_add(excess.too_old, Ordering::Relaxed);
        self.too_many.fetch_add(excess.events - excess.too_old, Ordering::Relaxed);
    }

    pub(super) fn add_failed_try(&self) {
        self.failed_tries.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn now(&self) -> ReportCounts {
        let now = |count: &AtomicU64| count.load(Ordering::Relaxed);
        ReportCounts {
            waiting: now(&self.waiting),
            waiting_bytes: now(&self.waiting_bytes),
            untimely: now(&self.untimely),
            sent: now(&self.sent),
            set_aside: now(&self.set_aside),
            too_old: now(&self.too_old),
            too_many: now(&self.too_many),
            failed_tries: now(&self.failed_tries),
        }
    }
}
