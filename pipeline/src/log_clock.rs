//! Whether the log's time is the clock's. Where the log is ahead by more than windows wait, every event is late until the
//! clock has caught up, and nothing else would say so.

use std::time::Duration;

use netqoe_model::LogTime;

use crate::Observed;

/// Compares the log's time with the clock.
#[derive(Clone, Copy)]
pub(crate) struct LogClockCheck {
    /// How long windows wait for late events.
    pub(crate) lateness_ms: i64,
    /// What to do where the log is ahead.
    pub(crate) advice: &'static str,
}

impl LogClockCheck {
    /// Whether events that are sent now still come in time.
    pub(crate) fn check(&self, observed: &Observed) -> Result<(), String> {
        self.compare(observed.log_times().into_values().max().unwrap_or_default(), (observed.now_ms)())
    }

    fn compare(&self, log_time: LogTime, now_ms: i64) -> Result<(), String> {
        let ahead_ms = log_time.ms().saturating_sub(now_ms);
        if ahead_ms <= self.lateness_ms {
            return Ok(());
        }
        let ahead = Duration::from_secs(ahead_ms.unsigned_abs() / 1_000);
        Err(format!(
            "the log's time is {} ahead of this machine's clock: events that come now are late, and are kept without being \
             counted, until the clock has caught up; {}",
            humantime::format_duration(ahead),
            self.advice
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_that_is_ahead_by_more_than_windows_wait_is_failing() {
        let check = LogClockCheck { lateness_ms: 120_000, advice: "do this" };
        let compare = |log_time_ms| check.compare(LogTime::from_ms(log_time_ms), 1_000_000);
        assert_eq!([0, 1_000_000, 1_120_000].map(compare), [Ok(()), Ok(()), Ok(())]);
        let message = compare(1_000_000 + 3_661_000).unwrap_err();
        assert!(message.starts_with("the log's time is 1h 1m 1s ahead of"), "{message}");
        assert!(message.ends_with("; do this"), "{message}");
    }
}
