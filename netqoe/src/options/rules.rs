//! Options that decide what rows mean.

use std::io::ErrorKind;
use std::time::Duration;

use clap::{Args, Subcommand};
use netqoe_model::{DiagnosisRules, Rules, RulesFile};

use super::RulesTestOptions;

/// Shortest and longest window: a window is a whole number of milliseconds that divides time from the Unix epoch on.
const WINDOW_MS: std::ops::RangeInclusive<i64> = 1_000..=3_600_000;
/// Longer than any log is kept by default, and short enough that one line number for each window in it is little memory.
const MAX_CORRECTION_HORIZON: Duration = Duration::from_hours(31 * 24);

#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Windows and rules")]
pub(crate) struct RuleOptions {
    /// Length of a window
    #[arg(long, env = "NETQOE_WINDOW", default_value = "60s", value_parser = window)]
    window: Duration,
    /// How long after its end, in log time, a window still accepts events
    #[arg(long, env = "NETQOE_LATENESS", default_value = "120s", value_parser = humantime::parse_duration)]
    lateness: Duration,
    /// How far ahead of the log time the time of an event may be
    #[arg(long, env = "NETQOE_MAX_FUTURE", default_value = "300s", value_parser = humantime::parse_duration)]
    max_future: Duration,
    /// Rules by which windows are diagnosed: `steady`, `classic`, or a rules file. `netqoe rules show steady` prints one to
    /// start from
    #[arg(long, env = "NETQOE_RULES", value_name = "NAME|FILE", default_value = "steady", value_parser = rules_file)]
    rules: RulesFile,
}

impl RuleOptions {
    pub(crate) fn rules(&self) -> Rules {
        Rules {
            window_ms: ms(self.window),
            lateness_ms: ms(self.lateness),
            max_future_ms: ms(self.max_future),
            diagnosis: self.rules.diagnosis.clone(),
            fleet: self.rules.fleet.clone(),
            ..Rules::default()
        }
    }
}

/// What comes late and counts all the same.
#[derive(Args, Clone, Debug)]
pub(crate) struct LiveRuleOptions {
    #[command(flatten)]
    windows: RuleOptions,
    /// How long after its window's end an event that comes late still counts: its window's row is written again, and what follows from
    /// it. At most what the log keeps; `0s`: late events never count
    #[arg(
        long,
        env = "NETQOE_CORRECTION_HORIZON",
        value_name = "DURATION",
        default_value = "24h",
        value_parser = correction_horizon,
        help_heading = "Windows and rules"
    )]
    correction_horizon: Duration,
}

impl LiveRuleOptions {
    pub(crate) fn rules(&self) -> Rules {
        Rules { correction_horizon_ms: ms(self.correction_horizon), ..self.windows.rules() }
    }
}

/// Operations on rules files.
#[derive(Debug, Subcommand)]
pub(crate) enum RulesCommand {
    /// Print built-in rules as a rules file, to copy and change
    Show {
        /// `steady` or `classic`
        name: String,
    },
    /// Check a rules file
    Check {
        /// `steady`, `classic`, or a rules file
        #[arg(value_name = "NAME|FILE", value_parser = |text: &str| rules_file(text).map(Box::new))]
        rules: Box<RulesFile>,
    },
    /// Replay history with the present and with new rules, and print which incidents are gained, lost and moved. --rules and
    /// what goes with it are the present ones; exit with 3 if a limit is exceeded
    Test(Box<RulesTestOptions>),
}

/// Rules by their name, or of a file. The name of rules that are part of netqoe goes before a file of that name.
pub(crate) fn rules_file(name_or_file: &str) -> Result<RulesFile, String> {
    if let Some(text) = DiagnosisRules::text(name_or_file) {
        return RulesFile::parse(text).map_err(|error| error.to_string());
    }
    let text = std::fs::read_to_string(name_or_file).map_err(|error| match error.kind() {
        ErrorKind::NotFound => format!("it is neither a file nor one of {}", names()),
        _ => format!("can't read the file: {error}"),
    })?;
    RulesFile::parse(&text).map_err(|error| error.to_string())
}

/// The names of the rules that are part of netqoe.
pub(crate) fn names() -> String {
    DiagnosisRules::names().collect::<Vec<_>>().join(", ")
}

/// Whole milliseconds; a duration too long for them is as good as for ever.
pub(crate) fn ms(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

pub(super) fn correction_horizon(text: &str) -> Result<Duration, String> {
    let horizon = humantime::parse_duration(text).map_err(|error| error.to_string())?;
    if horizon <= MAX_CORRECTION_HORIZON {
        Ok(horizon)
    } else {
        Err("history is corrected for 31 days at most".to_owned())
    }
}

fn window(text: &str) -> Result<Duration, String> {
    let window = humantime::parse_duration(text).map_err(|error| error.to_string())?;
    let whole = window.subsec_nanos() % 1_000_000 == 0;
    if whole && WINDOW_MS.contains(&ms(window)) { Ok(window) } else { Err("a window lasts from 1s to 1h".to_owned()) }
}
