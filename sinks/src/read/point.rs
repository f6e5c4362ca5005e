//! Several neighbouring windows as one point of a chart: the same in every store, and wherever rows are summed up.

use super::Pair;

/// Some neighbouring windows of a pair as one. Latencies are the maximum of theirs, throughput is the minimum.
#[derive(Clone, Debug, PartialEq)]
pub struct PointRecord {
    /// The pair of the windows.
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
    /// p95 of name resolution, ms.
    pub dns_p95_max: Option<f64>,
    /// p95 of TCP plus p95 of TLS, ms; a missing one counts as 0.
    pub handshake_p95_max: Option<f64>,
    /// p95 of the time to first byte, ms.
    pub ttfb_p95_max: Option<f64>,
    /// Sum of the p95 of all phases, ms, as a baseline takes it: a phase without samples counts as 0.
    pub total_p95_max: Option<f64>,
    /// p50 of the throughput, Mbit/s.
    pub throughput_p50_min: Option<f64>,
}

impl PointRecord {
    /// Adds the windows of another point.
    pub fn absorb(&mut self, other: &Self) {
        self.windows += other.windows;
        self.degraded_windows += other.degraded_windows;
        self.count_total += other.count_total;
        self.count_error += other.count_error;
        self.dns_p95_max = maximum(self.dns_p95_max, other.dns_p95_max);
        self.handshake_p95_max = maximum(self.handshake_p95_max, other.handshake_p95_max);
        self.ttfb_p95_max = maximum(self.ttfb_p95_max, other.ttfb_p95_max);
        self.total_p95_max = maximum(self.total_p95_max, other.total_p95_max);
        self.throughput_p50_min = minimum(self.throughput_p50_min, other.throughput_p50_min);
    }
}

/// The beginning of the point that contains a window with this start.
pub fn start_ms(window_start_ms: i64, point_ms: i64) -> i64 {
    window_start_ms.div_euclid(point_ms) * point_ms
}

/// The greater of two values, of which each may be missing.
pub fn maximum(a: Option<f64>, b: Option<f64>) -> Option<f64> {
    [a, b].into_iter().flatten().reduce(f64::max)
}

/// The smaller of two values, of which each may be missing.
pub fn minimum(a: Option<f64>, b: Option<f64>) -> Option<f64> {
    [a, b].into_iter().flatten().reduce(f64::min)
}
