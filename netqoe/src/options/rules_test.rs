//! What history new rules are tried on, and how far they may differ.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::Args;
use netqoe_model::{LogTime, Rules, RulesFile, WindowStart};

use super::history::{check_order, time};
use super::nats::NatsArguments;
use super::rules::rules_file;
use super::{RuleOptions, positive};
use crate::exit::WrongUsage;

#[derive(Args, Debug)]
pub(crate) struct RulesTestOptions {
    /// The new rules: `steady`, `classic`, or a rules file
    #[arg(value_name = "NAME|FILE", value_parser = |text: &str| rules_file(text).map(Box::new))]
    pub(crate) new: Box<RulesFile>,

    /// Compare windows that start, and incidents that open, at this time or later: Unix milliseconds or RFC 3339. The time
    /// before is read too, to learn what was usual
    #[arg(long, env = "NETQOE_FROM", value_name = "TIME", value_parser = time)]
    from: Option<i64>,

    /// Compare windows that start, and incidents that open, before this time
    #[arg(long, env = "NETQOE_TO", value_name = "TIME", value_parser = time)]
    to: Option<i64>,

    /// Folder of the data file whose log is read, unless --input or --nats-url is given
    #[arg(long, env = "NETQOE_DATA", value_name = "DIR", default_value = "netqoe-data")]
    pub(crate) data: PathBuf,

    /// Read this NDJSON file instead, plain, gzip or zstd; `-` is standard input
    #[arg(long, env = "NETQOE_INPUT", value_name = "FILE")]
    pub(crate) input: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) nats: NatsArguments,

    /// Print JSON, with all incidents that differ
    #[arg(long, env = "NETQOE_JSON")]
    pub(crate) json: bool,

    /// Worker threads of each of the two replays
    #[arg(short = 'w', long, env = "NETQOE_WORKERS", default_value = "1", value_parser = positive::<NonZeroUsize>)]
    pub(crate) workers: NonZeroUsize,

    #[command(flatten)]
    pub(crate) limits: LimitOptions,

    #[command(flatten)]
    pub(crate) rules: RuleOptions,
}

/// What is known of the faults, and limits: where one is exceeded, the exit code is 3.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Truth, and limits")]
pub(crate) struct LimitOptions {
    /// Faults that are known to have been there: a JSON list as of `netqoe incidents --json`, or one object a line. Precision
    /// and recall are printed
    #[arg(long, env = "NETQOE_TRUTH", value_name = "FILE")]
    pub(crate) truth: Option<PathBuf>,

    /// Most incidents that only the new rules may find
    #[arg(long, env = "NETQOE_MAX_GAINED", value_name = "N")]
    pub(crate) max_gained: Option<usize>,

    /// Most incidents that only the present rules may find
    #[arg(long, env = "NETQOE_MAX_LOST", value_name = "N")]
    pub(crate) max_lost: Option<usize>,

    /// Most incidents that may have another label, cause or time
    #[arg(long, env = "NETQOE_MAX_MOVED", value_name = "N")]
    pub(crate) max_moved: Option<usize>,

    /// Least share of the new rules' incidents that must be of a known fault, from 0 to 1
    #[arg(long, env = "NETQOE_MIN_PRECISION", value_name = "SHARE", value_parser = share, requires = "truth")]
    pub(crate) min_precision: Option<f64>,

    /// Least share of the known faults of which the new rules must find an incident, from 0 to 1
    #[arg(long, env = "NETQOE_MIN_RECALL", value_name = "SHARE", value_parser = share, requires = "truth")]
    pub(crate) min_recall: Option<f64>,
}

impl RulesTestOptions {
    /// Checks that there is something between `--from` and `--to`.
    pub(crate) fn check(&self) -> Result<(), WrongUsage> {
        check_order(self.from, self.to)
    }

    /// The present rules, and the new ones. They differ in what a rules file says; windows are the same.
    pub(crate) fn both(&self) -> [Rules; 2] {
        let (diagnosis, fleet) = (self.new.diagnosis.clone(), self.new.fleet.clone());
        let present = self.rules.rules();
        [present.clone(), Rules { diagnosis, fleet, ..present }]
    }

    /// The starts of the windows that are compared.
    pub(crate) fn range(&self) -> std::ops::Range<WindowStart> {
        WindowStart::from_ms(self.from.unwrap_or(i64::MIN))..WindowStart::from_ms(self.to.unwrap_or(i64::MAX))
    }

    /// The starts of the windows in which incidents are looked for.
    pub(crate) fn windows_of_incidents(&self, rules: &[Rules; 2]) -> std::ops::Range<WindowStart> {
        let margin_ms = longest(rules, incidents_margin_ms);
        let from_ms = self.from.map_or(i64::MIN, |from| from.saturating_sub(margin_ms));
        WindowStart::from_ms(from_ms)..WindowStart::from_ms(self.to.map_or(i64::MAX, |to| to.saturating_add(margin_ms)))
    }

    /// The log times that must be read for them.
    pub(crate) fn log_times(&self, rules: &[Rules; 2]) -> std::ops::Range<LogTime> {
        let windows = self.windows_of_incidents(rules);
        let warm_up_ms =
            longest(rules, |rules| rules.diagnosis.usual.reach_ms() + rules.window_ms + rules.max_future_ms);
        let closed_after_ms = longest(rules, |rules| rules.window_ms + rules.lateness_ms);
        let from_ms = windows.start.ms().saturating_sub(warm_up_ms).max(0);
        LogTime::from_ms(from_ms)..LogTime::from_ms(windows.end.ms().saturating_add(closed_after_ms))
    }
}

/// What the longer of both takes.
fn longest(rules: &[Rules; 2], of: impl Fn(&Rules) -> i64) -> i64 {
    rules.iter().map(of).max().unwrap_or_default()
}

/// How long before and after the range incidents are looked for. Whether one that opens within it is new, merged with another, or only a
/// later return of one from before, is decided in this time: it takes as long as the longest that an incident stays young or
/// goes on without evidence. Twice that, since one may follow the other.
fn incidents_margin_ms(rules: &Rules) -> i64 {
    let fleet = &rules.fleet;
    let windows = [
        fleet.young_windows,
        fleet.unobserved_windows,
        fleet.gap_windows,
        fleet.flapping_gap_windows,
        fleet.kin_windows,
        fleet.together_windows,
    ];
    2 * i64::from(windows.into_iter().max().unwrap_or_default()) * rules.window_ms
}

fn share(text: &str) -> Result<f64, &'static str> {
    let share = text.parse().ok().filter(|share| (0.0..=1.0).contains(share));
    share.ok_or("a share is a number from 0 to 1")
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        options: RulesTestOptions,
    }

    fn options(words: &[&str]) -> RulesTestOptions {
        Line::try_parse_from([&["test", "classic"], words].concat()).unwrap().options
    }

    #[test]
    fn what_is_read_reaches_over_what_is_compared() {
        let options = options(&["--from", "1000000000", "--to", "1000060000"]);
        let rules = options.both();
        assert_eq!(rules[1].diagnosis.name, "classic");
        let windows = options.windows_of_incidents(&rules);
        assert_eq!((windows.start.ms(), windows.end.ms()), (1_000_000_000 - 3_600_000, 1_000_060_000 + 3_600_000));
        let times = options.log_times(&rules);
        assert_eq!(times.start.ms(), windows.start.ms() - 86_400_000 - 60_000 - 300_000);
        assert_eq!(times.end.ms(), windows.end.ms() + 180_000);
    }

    #[test]
    fn all_of_history_is_read_where_no_range_is_given() {
        let options = options(&[]);
        assert_eq!(options.log_times(&options.both()), LogTime::from_ms(0)..LogTime::from_ms(i64::MAX));
    }

    #[test]
    fn a_share_is_a_number_from_0_to_1() {
        assert_eq!((share("0"), share("0.99"), share("1")), (Ok(0.0), Ok(0.99), Ok(1.0)));
        for text in ["", "-0.1", "1.01", "99 %", "NaN", "inf"] {
            assert!(share(text).is_err(), "{text}");
        }
    }
}
