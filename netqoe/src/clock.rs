//! The machine's clock, in Unix milliseconds.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use netqoe_model::LogTime;

/// The present.
pub(crate) fn now_ms() -> i64 {
    // A clock set before 1970 stands still at its beginning.
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX)
}

/// How long ago this log time was, in milliseconds; 0 where the log's clock is ahead.
pub(crate) fn age_ms(log_time: LogTime, now_ms: i64) -> u64 {
    u64::try_from(now_ms - log_time.ms()).unwrap_or(0)
}

/// What gives `updated_at` to a store.
pub(crate) fn store_clock() -> netqoe_sinks::Clock {
    Arc::new(now_ms)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_younger_than_now() {
        for (log_time_ms, age) in [(1_000, 500), (1_500, 0), (1_501, 0)] {
            assert_eq!(age_ms(LogTime::from_ms(log_time_ms), 1_500), age);
        }
    }
}
