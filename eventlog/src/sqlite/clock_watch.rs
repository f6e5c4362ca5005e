//! Whether the clock can be trusted. Log time never falls: taken from a clock that is ahead for a second, it would make
//! every event late until the clock has caught up with it.
//!
//! Decision: D-059.

use std::time::Duration;

use netqoe_model::LogTime;

/// How far the clock may step ahead at once. Well below the two minutes that windows wait for late events, so that what
/// was measured before such a step still counts; above what a clock is corrected by that is kept by NTP.
const MAX_STEP_MS: i64 = 30_000;
/// How much faster than time passes the clock may run: twice what NTP slews it by.
const MAX_DRIFT_PER_MILLE: i64 = 1;
/// How often the believed clock is taken anew, so that its drift does not add up.
const RENEW_EVERY: Duration = Duration::from_secs(3_600);

/// What the clock said when the machine had run for so long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Reading {
    /// Unix milliseconds.
    pub clock_ms: i64,
    pub uptime: Duration,
}

impl Reading {
    /// What the clock should say when the machine has run for so long.
    fn expected_ms(&self, uptime: Duration) -> i64 {
        self.clock_ms.saturating_add(ms(uptime.saturating_sub(self.uptime)))
    }

    /// How far the clock is ahead of that now; negative where it is behind.
    fn ahead_ms(&self, now: Reading) -> i64 {
        now.clock_ms.saturating_sub(self.expected_ms(now.uptime))
    }

    /// How far the two may be apart.
    fn tolerance_ms(&self, uptime: Duration) -> i64 {
        MAX_STEP_MS + self.drift_ms(uptime)
    }

    fn drift_ms(&self, uptime: Duration) -> i64 {
        ms(uptime.saturating_sub(self.uptime)) * MAX_DRIFT_PER_MILLE / 1_000
    }
}

fn ms(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX / 2)
}

/// Why log time can't be taken from the clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ahead {
    /// How far the clock has jumped.
    pub ahead_ms: i64,
    /// It is believed if it is still there after this time.
    pub believed_in: Duration,
}

/// Watches the clock of one log.
#[derive(Debug)]
pub(super) struct ClockWatch {
    believed: Reading,
    /// Where the clock was when it was first found elsewhere, for as long as it stays there.
    elsewhere: Option<Reading>,
    believe_after: Duration,
    /// Whether `believed` is to be stored.
    renewed: bool,
}

impl ClockWatch {
    /// Believes what was stored in this run of the machine, and otherwise the clock as it is `now`.
    pub(super) fn new(stored: Option<Reading>, now: Reading, believe_after: Duration) -> Self {
        // A run of the machine that is younger than it was is another one.
        let stored = stored.filter(|stored| stored.uptime <= now.uptime);
        Self { believed: stored.unwrap_or(now), elsewhere: None, believe_after, renewed: stored.is_none() }
    }

    /// The time that the log may take from the clock, where the log has reached `log_time`.
    pub(super) fn look(&mut self, now: Reading, log_time: LogTime) -> Result<LogTime, Ahead> {
        let clock = LogTime::from_ms(now.clock_ms);
        let ahead_ms = self.believed.ahead_ms(now);
        if ahead_ms.saturating_abs() <= self.believed.tolerance_ms(now.uptime) {
            self.elsewhere = None;
            self.renew(now, ahead_ms);
            return Ok(clock);
        }
        let first = *self.elsewhere.get_or_insert(now);
        let stayed = first.ahead_ms(now).saturating_abs() <= first.tolerance_ms(now.uptime);
        let since = if stayed { first } else { *self.elsewhere.insert(now) };
        let believed_in = self.believe_after.saturating_sub(now.uptime.saturating_sub(since.uptime));
        if believed_in.is_zero() {
            self.believe(now, ahead_ms);
            return Ok(clock);
        }
        // A clock that is behind can't move log time, nor can one that the log has reached before.
        let does_no_harm = ahead_ms < 0 || now.clock_ms <= log_time.ms().saturating_add(MAX_STEP_MS);
        if does_no_harm { Ok(clock) } else { Err(Ahead { ahead_ms, believed_in }) }
    }

    /// What is believed, if it was not stored yet.
    pub(super) fn to_store(&self) -> Option<Reading> {
        self.renewed.then_some(self.believed)
    }

    /// It is stored.
    pub(super) fn stored(&mut self) {
        self.renewed = false;
    }

    fn renew(&mut self, now: Reading, ahead_ms: i64) {
        if now.uptime.saturating_sub(self.believed.uptime) >= RENEW_EVERY {
            // No more than its drift is taken over: many small steps are a large one.
            let drift_ms = self.believed.drift_ms(now.uptime);
            let drift = ahead_ms.clamp(-drift_ms, drift_ms);
            let clock_ms = self.believed.expected_ms(now.uptime).saturating_add(drift);
            self.believed = Reading { clock_ms, uptime: now.uptime };
            self.renewed = true;
        }
    }

    fn believe(&mut self, now: Reading, ahead_ms: i64) {
        if ahead_ms > 0 {
            let ahead_s = ahead_ms / 1_000;
            tracing::warn!(
                "the clock jumped ahead by {ahead_s} s and has stayed there: it is believed now, and log time follows it"
            );
        }
        self.believed = now;
        self.elsewhere = None;
        self.renewed = true;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const DAY_MS: i64 = 86_400_000;
    const START_MS: i64 = 20_000 * DAY_MS;
    const BELIEVE_AFTER: Duration = Duration::from_secs(600);

    fn at(clock_ms: i64, uptime_s: u64) -> Reading {
        Reading { clock_ms: START_MS + clock_ms, uptime: Duration::from_secs(uptime_s) }
    }

    fn watch() -> ClockWatch {
        ClockWatch::new(None, at(0, 0), BELIEVE_AFTER)
    }

    /// By how much the clock is refused to be ahead, and for how long still, in seconds.
    fn look(watch: &mut ClockWatch, clock_ms: i64, uptime_s: u64) -> Result<(), (i64, u64)> {
        let looked = watch.look(at(clock_ms, uptime_s), LogTime::from_ms(START_MS));
        looked.map(drop).map_err(|ahead| (ahead.ahead_ms / 1_000, ahead.believed_in.as_secs()))
    }

    #[test]
    fn a_clock_that_goes_with_time_is_believed() {
        let mut watch = watch();
        assert_eq!(look(&mut watch, 1_000, 1), Ok(()));
        assert_eq!(look(&mut watch, 7 * DAY_MS, 7 * 86_400), Ok(()), "asleep for a week");
        assert_eq!(look(&mut watch, 7 * DAY_MS + 30_000, 7 * 86_400), Ok(()), "a step that harms nobody");
    }

    #[test]
    fn a_jump_ahead_is_refused_until_it_has_lasted() {
        let mut watch = watch();
        assert_eq!(look(&mut watch, 3_600_000, 10), Err((3_590, 600)));
        assert_eq!(look(&mut watch, 3_600_000 + 599_000, 609), Err((3_590, 1)));
        assert_eq!(look(&mut watch, 3_600_000 + 600_000, 610), Ok(()));
        assert_eq!(look(&mut watch, 3_600_000 + 601_000, 611), Ok(()));
        assert_eq!(watch.to_store(), Some(at(4_200_000, 610)));
    }

    #[test]
    fn a_clock_that_is_set_right_is_believed_at_once() {
        let mut watch = watch();
        for _ in 0..3 {
            assert_eq!(look(&mut watch, DAY_MS, 10), Err((86_390, 600)));
            assert_eq!(look(&mut watch, 12_000, 12), Ok(()));
        }
    }

    #[test]
    fn a_clock_that_goes_on_jumping_is_not_believed() {
        let mut watch = watch();
        for minute in 1..60 {
            let looked = look(&mut watch, DAY_MS * minute, 60 * minute.unsigned_abs());
            assert_eq!(looked.unwrap_err().1, 600, "each jump begins the time anew");
        }
    }

    #[test]
    fn many_small_steps_are_a_large_one() {
        let mut watch = watch();
        let refused = (1..10).find(|step| look(&mut watch, 20_000 * step + 1_000 * step, step.unsigned_abs()).is_err());
        assert_eq!(refused, Some(2));
        // Nor do they add up over hours.
        let mut watch = self::watch();
        let hourly = |hour: i64| (20_000 * hour + 3_600_000 * hour, 3_600 * hour.unsigned_abs());
        let refused = (1..10).find(|hour| {
            let (clock_ms, uptime_s) = hourly(*hour);
            look(&mut watch, clock_ms, uptime_s).is_err()
        });
        assert_eq!(refused, Some(2));
    }

    #[test]
    fn a_clock_that_falls_back_and_returns_is_never_refused() {
        let mut watch = watch();
        assert_eq!(look(&mut watch, -3_600_000, 10), Ok(()));
        assert_eq!(look(&mut watch, 11_000, 11), Ok(()));
        // Where it stays behind for long, that is where it is.
        assert_eq!(look(&mut watch, -3_600_000, 12), Ok(()));
        assert_eq!(look(&mut watch, -3_600_000 + 600_000, 612), Ok(()));
        assert_eq!(look(&mut watch, 613_000, 613), Err((3_612, 600)));
    }

    #[test]
    fn what_the_log_has_reached_is_no_jump() {
        let mut watch = watch();
        let reached = LogTime::from_ms(START_MS + 3_600_000);
        assert!(watch.look(at(3_600_000 + 30_000, 1), reached).is_ok());
        assert!(watch.look(at(3_600_000 + 30_001, 1), reached).is_err());
    }

    #[test]
    fn what_was_believed_before_a_start_holds_in_the_same_run_of_the_machine() {
        let mut watch = ClockWatch::new(Some(at(0, 100)), at(DAY_MS, 200), BELIEVE_AFTER);
        assert_eq!(look(&mut watch, DAY_MS, 200), Err((86_300, 600)));
        let mut watch = ClockWatch::new(Some(at(0, 100)), at(DAY_MS, 50), BELIEVE_AFTER);
        assert_eq!(look(&mut watch, DAY_MS, 50), Ok(()), "another run");
        let mut watch = ClockWatch::new(None, at(DAY_MS, 50), Duration::ZERO);
        assert_eq!(look(&mut watch, 9 * DAY_MS, 51), Ok(()), "with no waiting time, a jump is believed at once");
    }

    proptest! {
        #[test]
        fn nothing_overflows_and_log_time_is_moved_by_no_jump(
            looks in proptest::collection::vec((any::<i64>(), any::<u64>()), 1..50), log_time: i64
        ) {
            let mut watch = watch();
            for (clock_ms, uptime_ms) in looks {
                let now = Reading { clock_ms, uptime: Duration::from_millis(uptime_ms) };
                let before = watch.believed;
                if watch.look(now, LogTime::from_ms(log_time)).is_ok() && watch.believed == before {
                    let tolerance_ms = before.tolerance_ms(now.uptime);
                    let limit = before.expected_ms(now.uptime).saturating_add(tolerance_ms);
                    prop_assert!(clock_ms <= limit.max(log_time.saturating_add(MAX_STEP_MS)));
                }
            }
        }
    }
}
