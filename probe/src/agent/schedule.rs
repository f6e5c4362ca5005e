//! When a target's turns are: at fixed times, whatever a measurement takes.

use std::time::Duration;

use rand::{Rng, RngExt};

/// From one turn of a target to its next, where nothing else is said.
pub const DEFAULT_INTERVAL: Duration = Duration::from_secs(30);

/// Turns without end in no time would keep a core busy.
const SHORTEST_INTERVAL: Duration = Duration::from_millis(1);
/// Rarer turns would fall into windows without neighbours to compare with, and their times need not fit a clock.
const LONGEST_INTERVAL: Duration = Duration::from_hours(24);

/// The turns of one target, as time since the probe began: `phase`, `phase + interval`, `phase + 2·interval`, …; where asked
/// for, after a turn at once.
///
/// A pure value: it neither waits nor looks at a clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Schedule {
    interval: Duration,
    next_at: Duration,
    /// The second turn, where the first one comes at once.
    second_at: Option<Duration>,
}

impl Schedule {
    /// A schedule with a random phase within the first interval from `now`, so that the targets of one probe, and the
    /// probes of one site, don't measure all at once. An interval under 1 ms or over a day is taken as that.
    pub fn with_jitter(now: Duration, interval: Duration, rng: &mut impl Rng) -> Self {
        let interval = interval.clamp(SHORTEST_INTERVAL, LONGEST_INTERVAL);
        Self { interval, next_at: now + interval.mul_f64(rng.random::<f64>()), second_at: None }
    }

    /// The same with a turn `now`, before all others: somebody waits for it.
    #[must_use]
    pub fn beginning_at_once(self, now: Duration) -> Self {
        Self { next_at: now, second_at: Some(self.next_at), ..self }
    }

    /// When the next turn is.
    pub fn next_at(&self) -> Duration {
        self.next_at
    }

    /// Goes on to the first turn after `now`, when the turn at [`next_at`](Self::next_at) has just ended. Returns how
    /// many turns came while it was running and are skipped for that.
    pub fn finish_turn(&mut self, now: Duration) -> u64 {
        let mut skipped = 0;
        self.next_at = self.second_at.take().unwrap_or(self.next_at + self.interval);
        while self.next_at <= now {
            self.next_at += self.interval;
            skipped += 1;
        }
        skipped
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand::rngs::StdRng;

    use super::*;

    fn every_100_ms_from(phase_ms: u64) -> Schedule {
        Schedule { interval: Duration::from_millis(100), next_at: Duration::from_millis(phase_ms), second_at: None }
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
        let phases: Vec<_> = (0..50)
            .map(|seed| Schedule::with_jitter(Duration::ZERO, interval, &mut StdRng::seed_from_u64(seed)).next_at())
            .collect();
        assert!(phases.iter().all(|phase| *phase < interval));
        assert!(phases.iter().any(|phase| *phase < interval / 4));
        assert!(phases.iter().any(|phase| *phase > interval * 3 / 4));
    }

    #[test]
    fn a_turn_at_once_leaves_the_others_where_they_were() {
        let mut schedule = every_100_ms_from(30).beginning_at_once(Duration::from_millis(5));
        let turns: Vec<_> = (0..3)
            .map(|_| {
                let turn = schedule.next_at();
                assert_eq!(schedule.finish_turn(turn), 0);
                turn.as_millis()
            })
            .collect();
        assert_eq!(turns, [5, 30, 130]);
        let mut slow = every_100_ms_from(30).beginning_at_once(Duration::ZERO);
        assert_eq!((slow.finish_turn(Duration::from_millis(140)), slow.next_at().as_millis()), (2, 230));
    }

    #[test]
    fn any_interval_moves_on_without_overflow() {
        for interval in [Duration::ZERO, Duration::MAX] {
            let mut schedule = Schedule::with_jitter(Duration::ZERO, interval, &mut StdRng::seed_from_u64(1));
            let first = schedule.next_at();
            assert_eq!(schedule.finish_turn(first), 0);
            assert!(schedule.next_at() > first);
        }
    }
}
