//! What became of events since the start.

use std::sync::atomic::{AtomicU64, Ordering};

/// What became of the events that were reported, since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReportCounts {
    /// Taken by the endpoint.
    pub sent: u64,
    /// Refused by it for good, and set aside.
    pub set_aside: u64,
    /// Dropped, the oldest first, since the spool was full or they were too old.
    pub dropped: u64,
}

#[derive(Debug, Default)]
pub(super) struct Counts {
    sent: AtomicU64,
    set_aside: AtomicU64,
    dropped: AtomicU64,
}

impl Counts {
    pub(super) fn add_settled(&self, sent: usize, set_aside: usize) {
        self.sent.fetch_add(sent as u64, Ordering::Relaxed);
        self.set_aside.fetch_add(set_aside as u64, Ordering::Relaxed);
    }

    pub(super) fn add_dropped(&self, events: u64) {
        self.dropped.fetch_add(events, Ordering::Relaxed);
    }

    pub(super) fn now(&self) -> ReportCounts {
        ReportCounts {
            sent: self.sent.load(Ordering::Relaxed),
            set_aside: self.set_aside.load(Ordering::Relaxed),
            dropped: self.dropped.load(Ordering::Relaxed),
        }
    }
}
