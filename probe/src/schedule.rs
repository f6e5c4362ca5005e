//! When a target's turns are: at fixed times, whatever a measurement takes.

use std::time::Duration;

use rand::{Rng, RngExt};

/// From one turn of a target to its next, where nothing else is said.
pub const DEFAULT_INTERVAL: Duration = Duration::from_secs(30);

/// The turns of one target, as time since the probe began: `phase`, `phase + interval`, `phase + 2·interval`, …
///
/// A pure value: it neither waits nor looks at a clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Schedule {
    phase: Duration,
    interval: Duration,
    next_turn: u32,
}

impl Schedule {
    /// A schedule with a random phase within the first interval, so that the targets of one probe, and the probes of
    /// one site, don't measure all at once.
    ///
    /// An interval under a millisecond is taken as one: turns without end in no time would keep a core busy.
    pub fn with_jitter(interval: Duration, rng: &mut impl Rng) -> Self {
        let interval = interval.max(Duration::from_millis(1));
        Self { phase: interval.mul_f64(rng.random::<f64>()), interval, next_turn: 0 }
    }

    /// When the next turn is.
    pub fn next_at(&self) -> Duration {
        self.phase + self.interval * self.next_turn
    }

    /// Goes on to the first turn after `now`, when the turn before it has just ended. Returns how many turns came
    /// while it was running and are skipped for that.
    pub fn finish_turn(&mut self, now: Duration) -> u32 {
        let elapsed = now.saturating_sub(self.phase).as_nanos() / self.interval.as_nanos();
        let first_after = u32::try_from(elapsed).unwrap_or(u32::MAX - 1) + 1;
        let following = self.next_turn + 1;
        self.next_turn = following.max(first_after);
        self.next_turn - following
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand::rngs::StdRng;

    use super::*;

    fn every_100_ms_from(phase_ms: u64) -> Schedule {
        Schedule { phase: Duration::from_millis(phase_ms), interval: Duration::from_millis(100), next_turn: 0 }
    }

    #[test]
    fn turns_do_not_drift_with_what_a_measurement_takes() {
        let mut schedule = every_100_ms_from(30);
        for turn in 0..200 {
            assert_eq!(schedule.next_at(), Duration::from_millis(30 + 100 * turn));
            assert_eq!(schedule.finish_turn(schedule.next_at() + Duration::from_millis(80)), 0);
        }
    }

    #[test]
    fn turns_that_come_while_one_runs_are_skipped_and_counted() {
        let mut schedule = every_100_ms_from(30);
        assert_eq!(schedule.finish_turn(Duration::from_millis(30 + 250)), 2);
        assert_eq!(schedule.next_at(), Duration::from_millis(330));
        // A turn that comes at the very moment in which its predecessor ends has come too soon.
        assert_eq!(schedule.finish_turn(Duration::from_millis(430)), 1);
        assert_eq!(schedule.next_at(), Duration::from_millis(530));
    }

    #[test]
    fn a_turn_that_ends_at_once_is_not_taken_twice() {
        let mut schedule = every_100_ms_from(30);
        assert_eq!(schedule.finish_turn(schedule.next_at()), 0);
        assert_eq!(schedule.next_at(), Duration::from_millis(130));
    }

    #[test]
    fn the_phase_is_random_and_within_the_interval() {
        let interval = Duration::from_secs(30);
        let phases: Vec<_> =
            (0..50).map(|seed| Schedule::with_jitter(interval, &mut StdRng::seed_from_u64(seed)).next_at()).collect();
        assert!(phases.iter().all(|phase| *phase < interval));
        assert!(phases.iter().any(|phase| *phase < interval / 4));
        assert!(phases.iter().any(|phase| *phase > interval * 3 / 4));
    }

    #[test]
    fn an_interval_of_zero_still_moves_on() {
        let mut schedule = Schedule::with_jitter(Duration::ZERO, &mut StdRng::seed_from_u64(1));
        let first = schedule.next_at();
        schedule.finish_turn(first);
        assert!(schedule.next_at() > first);
    }
}
