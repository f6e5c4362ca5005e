//! What is known of corrections: which rows may have changed, what was corrected when, and what waits.
//!
//! Decision: D-108.

use netqoe_model::WindowStart;

/// Which rows were written again after a correction that the reader knows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CorrectedSince {
    /// The number of the newest correction in the snapshot; 0 where there is none. It is less than the known one where the snapshot is
    /// older, or the store is another one.
    pub newest: i64,
    /// The first window that a later one than the known may have changed; `None` where there is none.
    pub from: Option<WindowStart>,
}

/// The corrections of one hour of log time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CorrectedHour {
    /// Where the hour begins, in Unix milliseconds.
    pub hour_ms: i64,
    /// How many there were.
    pub corrections: u64,
    /// Pairs that were computed again, each as often as it was.
    pub pairs: u64,
    /// Events that came late and count since then.
    pub accepted: u64,
    /// Copies of events that were counted.
    pub duplicate: u64,
    /// Rows that were written.
    pub rows_written: u64,
}

/// What came late and is not counted yet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WaitingEvents {
    /// Pairs whose rows do not reflect it.
    pub pairs: u64,
    /// Events, copies included.
    pub events: u64,
}
