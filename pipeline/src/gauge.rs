//! Counts as gauges show them.

/// A count; the greatest number where a gauge has none that is so great.
pub(crate) fn gauge(count: impl TryInto<i64>) -> i64 {
    count.try_into().unwrap_or(i64::MAX)
}
