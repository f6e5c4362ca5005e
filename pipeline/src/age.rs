use netqoe_model::LogTime;

/// How long ago this log time was, in milliseconds; 0 where the log's clock is ahead.
pub(crate) fn age_ms(log_time: LogTime, now_ms: i64) -> u64 {
    u64::try_from(now_ms - log_time.ms()).unwrap_or(0)
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
