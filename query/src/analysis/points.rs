//! Points of a chart, each for one or several neighbouring windows.

use netqoe_sinks::read::Extent;

const SECOND_MS: i128 = 1_000;
const MINUTE_MS: i128 = 60 * SECOND_MS;
const HOUR_MS: i128 = 60 * MINUTE_MS;
const DAY_MS: i128 = 24 * HOUR_MS;

/// How many seconds and minutes, and how many hours, are read off a clock. Points of seven minutes would begin at 20:51,
/// 20:58 and 21:05.
const ROUND_SIXTIETHS: [i128; 10] = [1, 2, 3, 5, 6, 10, 12, 15, 20, 30];
const ROUND_HOURS: [i128; 7] = [1, 2, 3, 4, 6, 8, 12];

/// Whole windows, in milliseconds, that make no more points than this of an extent, which are at least two. Where windows
/// divide a day, it is the shortest such length that is read off a clock. Points begin at whole multiples of their length,
/// wherever the extent begins: a chart that moves on does not change what it has shown.
pub(crate) fn length_ms(extent: &Extent, window_ms: i64, max_points: u32) -> i64 {
    let (from_ms, last_ms) = (i128::from(extent.from_ms), i128::from(extent.to_ms) - 1);
    let (window_ms, max_points) = (i128::from(window_ms), i128::from(max_points));
    let whole_ms = |points: i128| ((last_ms - from_ms).max(0) / (window_ms * points) + 1) * window_ms;
    // Where the extent has a part of a point at each end, one point more must fit.
    let [shortest_ms, safe_ms] = [whole_ms(max_points), whole_ms(max_points - 1)];
    let count = |point_ms: i128| last_ms.div_euclid(point_ms) - from_ms.div_euclid(point_ms) + 1;
    let fits =
        |point_ms: &i128| *point_ms >= shortest_ms && point_ms % window_ms == 0 && count(*point_ms) <= max_points;
    let point_ms = if DAY_MS % window_ms == 0 {
        let days = [shortest_ms, safe_ms].map(|ms| (ms + DAY_MS - 1) / DAY_MS * DAY_MS);
        within_a_day_ms().chain(days).find(fits)
    } else {
        [shortest_ms, safe_ms].into_iter().find(fits)
    };
    i64::try_from(point_ms.unwrap_or(safe_ms)).unwrap_or(i64::MAX)
}

/// Lengths that are read off a clock, in order.
fn within_a_day_ms() -> impl Iterator<Item = i128> {
    let sixtieths = [SECOND_MS, MINUTE_MS].into_iter().flat_map(|unit| ROUND_SIXTIETHS.map(|count| count * unit));
    sixtieths.chain(ROUND_HOURS.map(|hours| hours * HOUR_MS))
}

#[cfg(test)]
mod tests {
    use netqoe_sinks::read::point::start_ms;
    use proptest::prelude::*;

    use super::*;

    fn extent(from_ms: i64, to_ms: i64) -> Extent {
        Extent { client_id: None, target: None, tags: Vec::new(), from_ms, to_ms }
    }

    #[test]
    fn a_point_is_a_window_as_long_as_they_are_few_enough() {
        assert_eq!(length_ms(&extent(0, 3_600_000), 60_000, 60), 60_000);
        assert_eq!(length_ms(&extent(0, 3_600_001), 60_000, 60), 120_000);
        assert_eq!(length_ms(&extent(1, 70_001), 7_000, 11), 7_000);
        assert_eq!(length_ms(&extent(60_000, 0), 60_000, 60), 60_000);
    }

    #[test]
    fn points_begin_where_clocks_are_read() {
        let day_ms = 86_400_000;
        let minutes = |from_ms, to_ms, max_points| length_ms(&extent(from_ms, to_ms), 60_000, max_points) / 60_000;
        assert_eq!(minutes(0, day_ms, 240), 6);
        assert_eq!(minutes(60_000, day_ms + 60_000, 240), 10);
        assert_eq!(minutes(0, 7 * day_ms, 240), 60);
        assert_eq!(minutes(0, 90 * day_ms, 60), 2 * 24 * 60);
        assert_eq!(length_ms(&extent(0, 3_600_000), 10_000, 100), 60_000);
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
            // No two of the lengths are further apart than 1 and 2, but for one window that lasts longer.
            prop_assert!((point_ms / 2 - window_ms) * (i64::from(max_points) - 1) <= range_ms);
        }

        #[test]
        fn every_length_of_time_is_answered(from_ms: i64, to_ms: i64, max_points in 2_u32..2_000) {
            prop_assert!(length_ms(&extent(from_ms, to_ms), 60_000, max_points) >= 60_000);
        }
    }
}
