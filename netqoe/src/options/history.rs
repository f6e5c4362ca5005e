//! Which part of history is replayed.

use clap::Args;
use netqoe_model::{LogTime, Rules, WindowStart};
use netqoe_sinks::StoreUrl;

use crate::exit::WrongUsage;

#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Part of history")]
pub(crate) struct HistoryOptions {
    /// Write windows that start at this time or later: Unix milliseconds or RFC 3339. The day before is read too, to learn
    /// what was usual
    #[arg(long, env = "NETQOE_FROM", value_name = "TIME", value_parser = time)]
    from: Option<i64>,
    /// Write windows that start before this time
    #[arg(long, env = "NETQOE_TO", value_name = "TIME", value_parser = time)]
    to: Option<i64>,
    /// Compare the final rows with those of this store, and fail if any differs
    #[arg(long, env = "NETQOE_DIFF", value_name = "URL", hide_env_values = true)]
    pub(crate) diff: Option<StoreUrl>,
}

impl HistoryOptions {
    /// Checks that there is something between `--from` and `--to`.
    pub(crate) fn check(&self) -> Result<(), WrongUsage> {
        check_order(self.from, self.to)
    }

    /// Whether only some windows are written.
    pub(crate) fn is_part(&self) -> bool {
        self.from.is_some() || self.to.is_some()
    }

    /// The starts of the windows that are written.
    pub(crate) fn windows(&self) -> std::ops::Range<WindowStart> {
        WindowStart::from_ms(self.from.unwrap_or(i64::MIN))..WindowStart::from_ms(self.to.unwrap_or(i64::MAX))
    }

    /// The log times that must be read for them: from the first that an event of a window that the first one is compared with can
    /// have, to the one at which the last is closed, or after which it is not corrected any more.
    pub(crate) fn log_times(&self, rules: &Rules, correction_horizon_ms: i64) -> std::ops::Range<LogTime> {
        let warm_up_ms = rules.diagnosis.usual.reach_ms() + rules.window_ms + rules.max_future_ms;
        let from_ms = self.from.map_or(0, |from| from.saturating_sub(warm_up_ms).max(0));
        let closed_ms = |to: i64| to.saturating_add(rules.window_ms + rules.lateness_ms.max(correction_horizon_ms));
        LogTime::from_ms(from_ms)..LogTime::from_ms(self.to.map_or(i64::MAX, closed_ms))
    }
}

/// Checks that there is something between `--from` and `--to`.
pub(super) fn check_order(from: Option<i64>, to: Option<i64>) -> Result<(), WrongUsage> {
    match (from, to) {
        (Some(from), Some(to)) if from >= to => {
            Err(WrongUsage(format!("--from {from} is not before --to {to}; give an earlier --from")))
        }
        _ => Ok(()),
    }
}

/// Unix milliseconds or RFC 3339.
pub(super) fn time(text: &str) -> Result<i64, String> {
    let parsed = text.parse().ok().or_else(|| Some(text.parse::<jiff::Timestamp>().ok()?.as_millisecond()));
    parsed.ok_or_else(|| "a time is Unix milliseconds or RFC 3339, as 2026-01-31T12:00:00Z".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_read_reaches_over_what_is_written() {
        let options = HistoryOptions { from: Some(100_000_000), to: Some(100_060_000), diff: None };
        let times = options.log_times(&Rules::default(), 0);
        assert_eq!(times.start.ms(), 100_000_000 - 86_400_000 - 60_000 - 300_000);
        assert_eq!(times.end.ms(), 100_060_000 + 180_000);
        let corrected = options.log_times(&Rules::default(), 3_600_000);
        assert_eq!((corrected.start, corrected.end.ms()), (times.start, 100_060_000 + 3_660_000));
        let all = HistoryOptions { from: None, to: None, diff: None };
        assert_eq!(all.log_times(&Rules::default(), 0), LogTime::from_ms(0)..LogTime::from_ms(i64::MAX));
    }
}
