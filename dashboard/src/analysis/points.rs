//! Points of a chart, each for one or several neighbouring windows.

use netqoe_sinks::read::Extent;

/// Whole windows, in milliseconds, that make no more points than this of an extent, which are at least two. Points begin
/// at whole multiples of their length, wherever the extent begins: a chart that moves on does not change what it has shown.
pub(crate) fn length_ms(extent: &Extent, window_ms: i64, max_points: u32) -> i64 {
    let (from_ms, last_ms) = (i128::from(extent.from_ms), i128::from(extent.to_ms) - 1);
    let (window_ms, max_points) = (i128::from(window_ms), i128::from(max_points));
    let range_ms = (last_ms - from_ms).max(0);
    let count = |point_ms: i128| last_ms.div_euclid(point_ms) - from_ms.div_euclid(point_ms) + 1;
    let shortest_ms = (range_ms / (window_ms * max_points) + 1) * window_ms;
    // Where the extent has a part of a point at each end, one point more must fit.
    let safe_ms = (range_ms / (window_ms * (max_points - 1)) + 1) * window_ms;
    let point_ms = if count(shortest_ms) <= max_points { shortest_ms } else { safe_ms };
    i64::try_from(point_ms).unwrap_or(i64::MAX)
}

/// Where the point begins that has a window with this start.
pub(crate) fn start_ms(window_start_ms: i64, point_ms: i64) -> i64 {
    window_start_ms.div_euclid(point_ms) * point_ms
}

/// The greater of two values, of which each may be missing.
pub(crate) fn maximum(a: Option<f64>, b: Option<f64>) -> Option<f64> {
    a.map_or(b, |a| Some(b.map_or(a, |b| a.max(b))))
}

/// The smaller of two values, of which each may be missing.
pub(crate) fn minimum(a: Option<f64>, b: Option<f64>) -> Option<f64> {
    a.map_or(b, |a| Some(b.map_or(a, |b| a.min(b))))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn extent(from_ms: i64, to_ms: i64) -> Extent {
        Extent { client_id: None, target: None, from_ms, to_ms }
    }

    #[test]
    fn a_point_is_a_window_as_long_as_they_are_few_enough() {
        assert_eq!(length_ms(&extent(0, 3_600_000), 60_000, 60), 60_000);
        assert_eq!(length_ms(&extent(0, 3_600_001), 60_000, 60), 120_000);
        assert_eq!(length_ms(&extent(60_000, 0), 60_000, 60), 60_000);
    }

    proptest! {
        #[test]
        fn never_more_points_than_asked_for_and_hardly_longer_ones_than_needed(
            from_ms in -1_000_000_000_000_i64..1_000_000_000_000,
            range_ms in 0_i64..1_000_000_000_000,
            window_ms in 1_i64..100_000,
            max_points in 2_u32..2_000,
        ) {
            let extent = extent(from_ms, from_ms + range_ms);
            let point_ms = length_ms(&extent, window_ms, max_points);
            let count = (start_ms(extent.to_ms - 1, point_ms) - start_ms(from_ms, point_ms)) / point_ms + 1;
            prop_assert_eq!(point_ms % window_ms, 0);
            prop_assert!(count <= i64::from(max_points));
            prop_assert!((point_ms - window_ms) * (i64::from(max_points) - 1) <= range_ms);
        }

        #[test]
        fn every_length_of_time_is_answered(from_ms: i64, to_ms: i64, max_points in 2_u32..2_000) {
            prop_assert!(length_ms(&extent(from_ms, to_ms), 60_000, max_points) >= 60_000);
        }
    }
}
