//! What rows mean, as options.

use std::time::Duration;

use clap::Args;
use netqoe_model::{DiagnosisRules, Rules};

/// Shortest and longest window: a window is a whole number of milliseconds that divides time from the Unix epoch on.
const WINDOW_MS: std::ops::RangeInclusive<i64> = 1_000..=3_600_000;

#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "What rows mean")]
pub(crate) struct RuleOptions {
    /// Length of a window
    #[arg(long, env = "NETQOE_WINDOW", default_value = "60s", value_parser = window)]
    window: Duration,
    /// How long after its end, in log time, a window still takes events
    #[arg(long, env = "NETQOE_LATENESS", default_value = "120s", value_parser = humantime::parse_duration)]
    lateness: Duration,
    /// How far ahead of the log time an event may be
    #[arg(long, env = "NETQOE_MAX_FUTURE", default_value = "300s", value_parser = humantime::parse_duration)]
    max_future: Duration,
    /// Earlier windows with a success that make a baseline
    #[arg(long, env = "NETQOE_BASELINE_WINDOWS", default_value_t = 10, value_parser = clap::value_parser!(u16).range(1..=1000))]
    baseline_windows: u16,
    /// How far back those windows may start
    #[arg(long, env = "NETQOE_BASELINE_MAX_AGE", default_value = "24h", value_parser = humantime::parse_duration)]
    baseline_max_age: Duration,
    /// Fewer baseline windows than this give no diagnosis
    #[arg(long, env = "NETQOE_MIN_BASELINE_WINDOWS", default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..=1000))]
    min_baseline_windows: u16,
    /// Failed share from which a window is error-bound
    #[arg(long, env = "NETQOE_ERROR_RATIO", default_value_t = 0.5, value_parser = threshold)]
    error_ratio: f64,
    /// Share of the total that DNS must take for dns-bound
    #[arg(long, env = "NETQOE_DNS_SHARE", default_value_t = 0.6, value_parser = threshold)]
    dns_share: f64,
    /// Times its mean that DNS must reach for dns-bound
    #[arg(long, env = "NETQOE_DNS_INCREASE", default_value_t = 1.5, value_parser = threshold)]
    dns_increase: f64,
    /// σ above its mean beyond which the handshake makes a window handshake-bound
    #[arg(long, env = "NETQOE_HANDSHAKE_SIGMAS", default_value_t = 2.0, value_parser = threshold)]
    handshake_sigmas: f64,
    /// Times its mean from which the handshake makes a window handshake-bound
    #[arg(long, env = "NETQOE_HANDSHAKE_INCREASE", default_value_t = 2.0, value_parser = threshold)]
    handshake_increase: f64,
    /// σ above its mean beyond which the first byte makes a window server-bound
    #[arg(long, env = "NETQOE_SERVER_SIGMAS", default_value_t = 2.0, value_parser = threshold)]
    server_sigmas: f64,
    /// σ above its mean that the handshake may have in a server-bound window
    #[arg(long, env = "NETQOE_CONNECTION_SIGMAS", default_value_t = 1.0, value_parser = threshold)]
    connection_sigmas: f64,
    /// Share of its mean to which throughput must fall for throughput-bound
    #[arg(long, env = "NETQOE_THROUGHPUT_DROP", default_value_t = 0.7, value_parser = threshold)]
    throughput_drop: f64,
    /// σ above its mean that the total may have in a throughput-bound window
    #[arg(long, env = "NETQOE_LATENCY_SIGMAS", default_value_t = 2.0, value_parser = threshold)]
    latency_sigmas: f64,
}

impl RuleOptions {
    pub(crate) fn rules(&self) -> Rules {
        Rules {
            window_ms: ms(self.window),
            lateness_ms: ms(self.lateness),
            max_future_ms: ms(self.max_future),
            diagnosis: DiagnosisRules {
                baseline_windows: usize::from(self.baseline_windows),
                baseline_max_age_ms: ms(self.baseline_max_age),
                min_baseline_windows: usize::from(self.min_baseline_windows),
                error_ratio: self.error_ratio,
                dns_share: self.dns_share,
                dns_increase: self.dns_increase,
                handshake_sigmas: self.handshake_sigmas,
                handshake_increase: self.handshake_increase,
                server_sigmas: self.server_sigmas,
                connection_sigmas: self.connection_sigmas,
                throughput_drop: self.throughput_drop,
                latency_sigmas: self.latency_sigmas,
                ..DiagnosisRules::default()
            },
            ..Rules::default()
        }
    }
}

/// Whole milliseconds; a duration too long for them is as good as for ever.
pub(crate) fn ms(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

fn window(text: &str) -> Result<Duration, String> {
    let window = humantime::parse_duration(text).map_err(|error| error.to_string())?;
    let whole = window.subsec_nanos() % 1_000_000 == 0;
    if whole && WINDOW_MS.contains(&ms(window)) { Ok(window) } else { Err("a window lasts from 1s to 1h".to_owned()) }
}

fn threshold(text: &str) -> Result<f64, String> {
    let value: f64 = text.parse().map_err(|_| "is no number".to_owned())?;
    if (0.0..=1e6).contains(&value) { Ok(value) } else { Err("a threshold is a number from 0 to 1000000".to_owned()) }
}
