//! What is read of many pairs at once.

use std::sync::Arc;

use netqoe_model::{Label, LogTime, Network, PairTags, WindowStart};

use super::{FindingRecord, Pair};

/// The newest row of a pair, as far as it shows the pair's state.
#[derive(Clone, Debug, PartialEq)]
pub struct CurrentRecord {
    /// The pair of the row.
    pub pair: Pair,
    /// First millisecond of its window.
    pub window_start: WindowStart,
    /// `None` if there is too little to say anything.
    pub label: Option<Label>,
    /// The network that its window was measured over, as in [`netqoe_model::WindowRow::network`].
    pub network: Option<Arc<Network>>,
    /// The labels of its client and target in that window, as in [`netqoe_model::WindowRow::tags`].
    pub tags: Option<Arc<PairTags>>,
    /// The finding, if the pair is degraded. Boxed, as most pairs are healthy, and pairs may be many.
    pub finding: Option<Box<FindingRecord>>,
    /// Whether the row can't change any more.
    pub is_final: bool,
    /// The log time that the row reflects.
    pub as_of: LogTime,
    /// When the row was written, in Unix milliseconds.
    pub updated_at_ms: i64,
}

/// Whether a window of a pair was degraded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PastLabel {
    /// First millisecond of the window.
    pub window_start: WindowStart,
    /// Whether it has a label that is not healthy.
    pub is_degraded: bool,
}

/// How many windows of a pair that were measured over one network and have the same labels match, inside a range of time and outside of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SplitRecord {
    /// The pair of the windows.
    pub pair: Pair,
    /// Over which network; `None` for those of which it is unknown.
    pub network: Option<Arc<Network>>,
    /// With which labels of its client and target; `None` for those without.
    pub tags: Option<Arc<PairTags>>,
    /// All windows inside.
    pub inside_windows: u64,
    /// Those that match.
    pub inside_matching: u64,
    /// All windows outside.
    pub outside_windows: u64,
    /// Those that match.
    pub outside_matching: u64,
}

/// How many pairs were degraded in one window.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DegradedRecord {
    /// First millisecond of the window.
    pub window_start: WindowStart,
    /// Each label that a pair has, in the order of [`Label::ALL`], and how many have it.
    pub pairs: Vec<(Label, u64)>,
}

impl SplitRecord {
    /// No window yet.
    pub fn none_of(pair: Pair, network: Option<Arc<Network>>, tags: Option<Arc<PairTags>>) -> Self {
        Self { pair, network, tags, inside_windows: 0, inside_matching: 0, outside_windows: 0, outside_matching: 0 }
    }

    /// Counts a window.
    pub fn count(&mut self, is_inside: bool, is_matching: bool) {
        let (windows, matching) = match is_inside {
            true => (&mut self.inside_windows, &mut self.inside_matching),
            false => (&mut self.outside_windows, &mut self.outside_matching),
        };
        *windows += 1;
        *matching += u64::from(is_matching);
    }
}
