//! What the evening does to a network, every day.

const HOUR_MS: f64 = 3_600_000.0;
const DAY_HOURS: f64 = 24.0;
/// When most people are at home ...
const PEAK_HOUR: f64 = 20.5;
/// ... and for how long, as the standard deviation of a bell.
const WIDTH_HOURS: f64 = 2.5;

/// How much of the evening's rise there is at a time, from 0 to 1. It takes hours to rise and to fall.
pub(super) fn evening(ts_ms: i64) -> f64 {
    let hour = (ts_ms as f64 / HOUR_MS).rem_euclid(DAY_HOURS);
    let away = (hour - PEAK_HOUR).abs();
    let away = away.min(DAY_HOURS - away) / WIDTH_HOURS;
    (-0.5 * away * away).exp()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rises_over_hours_and_is_gone_by_day() {
        let at = |hour: f64| evening((hour * HOUR_MS) as i64);
        assert!(at(20.5) > 0.999 && at(44.5) > 0.999);
        assert!(at(11.0) < 0.01, "{}", at(11.0));
        let steepest = (0..24 * 60).map(|minute| at(f64::from(minute + 30) / 60.0) - at(f64::from(minute) / 60.0));
        let steepest = steepest.fold(0.0, f64::max);
        assert!((0.1..0.13).contains(&steepest), "{steepest} in half an hour");
    }
}
