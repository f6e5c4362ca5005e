//! What is read of many pairs at once.

use std::collections::HashSet;
use std::sync::Arc;

use netqoe_model::{Label, LogTime, WindowStart};

use super::{FindingRecord, Pair};

/// The newest row of a pair, as far as it says how the pair is.
#[derive(Clone, Debug, PartialEq)]
pub struct CurrentRecord {
    /// Whose row.
    pub pair: Pair,
    /// First millisecond of its window.
    pub window_start: WindowStart,
    /// `None` where there is no baseline to say anything.
    pub label: Option<Label>,
    /// What hurts, where something does. Boxed, as most pairs are healthy, and pairs may be many.
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

/// Some neighbouring windows of a pair as one. Latencies are the maximum of theirs, throughput is the minimum.
#[derive(Clone, Debug, PartialEq)]
pub struct PointRecord {
    /// Whose windows.
    pub pair: Pair,
    /// Where the point begins, in Unix milliseconds: a whole multiple of its length.
    pub start_ms: i64,
    /// How many windows there are; never 0.
    pub windows: u64,
    /// How many of them are degraded.
    pub degraded_windows: u64,
    /// Events that they count.
    pub count_total: u64,
    /// Failed events among these.
    pub count_error: u64,
    /// p95 of the time to first byte, ms.
    pub ttfb_p95_max: Option<f64>,
    /// Sum of the p95 of all phases, ms, as a baseline takes it: a phase without samples counts as 0.
    pub total_p95_max: Option<f64>,
    /// p50 of the throughput, Mbit/s.
    pub throughput_p50_min: Option<f64>,
}

impl PointRecord {
    /// Takes another one in that begins where it does.
    pub fn absorb(&mut self, other: &Self) {
        self.windows += other.windows;
        self.degraded_windows += other.degraded_windows;
        self.count_total += other.count_total;
        self.count_error += other.count_error;
        for (maximum, value) in
            [(&mut self.ttfb_p95_max, other.ttfb_p95_max), (&mut self.total_p95_max, other.total_p95_max)]
        {
            *maximum = maximum.map_or(value, |maximum| Some(value.map_or(maximum, |value| maximum.max(value))));
        }
        let minimum = &mut self.throughput_p50_min;
        *minimum = minimum.map_or(other.throughput_p50_min, |minimum| {
            Some(other.throughput_p50_min.map_or(minimum, |value| minimum.min(value)))
        });
    }
}

/// How many windows of a pair match, inside a range of time and outside of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SplitRecord {
    /// Whose windows.
    pub pair: Pair,
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

/// Names that many rows share, each kept once.
#[derive(Default)]
pub(super) struct Names(HashSet<Arc<str>>);

impl Names {
    pub(super) fn pair(&mut self, client_id: &str, target: &str) -> Pair {
        Pair { client_id: self.shared(client_id), target: self.shared(target) }
    }

    fn shared(&mut self, name: &str) -> Arc<str> {
        if let Some(known) = self.0.get(name) {
            return Arc::clone(known);
        }
        let new: Arc<str> = name.into();
        self.0.insert(Arc::clone(&new));
        new
    }
}
