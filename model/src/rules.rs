//! Every number that decides what a row means, in one place.

use serde::Serialize;

use crate::{LogTime, WindowStart};

/// The rules by which events become rows. The defaults are the documented semantics. As JSON, all in one object.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Rules {
    /// Length of a window, in milliseconds.
    pub window_ms: i64,
    /// How long after its end a window still takes events, in milliseconds of log time.
    pub lateness_ms: i64,
    /// How far ahead of the log time an event may be, in milliseconds.
    pub max_future_ms: i64,
    /// Samples of a window that are kept exactly; beyond them a window is sketched.
    pub exact_samples: usize,
    /// When and how a window is diagnosed.
    #[serde(flatten)]
    pub diagnosis: DiagnosisRules,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            window_ms: 60_000,
            lateness_ms: 120_000,
            max_future_ms: 300_000,
            exact_samples: 512,
            diagnosis: DiagnosisRules::default(),
        }
    }
}

impl Rules {
    /// The log time after which the window is closed: events of it that the log took later are late.
    pub fn closes_after(&self, start: WindowStart) -> LogTime {
        LogTime::from_ms(start.ms() + self.window_ms + self.lateness_ms)
    }

    /// The earliest start that a window can have which is open at this log time.
    pub fn earliest_open(&self, log_time: LogTime) -> WindowStart {
        WindowStart::from_ms(log_time.ms() - self.lateness_ms - self.window_ms)
    }
}

/// The baseline's extent and the thresholds of each diagnosis.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DiagnosisRules {
    /// How many earlier windows with a success make a baseline.
    pub baseline_windows: usize,
    /// How far back those windows may start, in milliseconds before the diagnosed window.
    pub baseline_max_age_ms: i64,
    /// Fewer baseline windows than this give no diagnosis.
    pub min_baseline_windows: usize,
    /// σ is at least this share of the mean ...
    pub sigma_floor_ratio: f64,
    /// ... and at least this many milliseconds.
    pub sigma_floor_ms: f64,
    /// Share of failed events from which a window is `error-bound`.
    pub error_ratio: f64,
    /// Share of the total that DNS must take for `dns-bound` ...
    pub dns_share: f64,
    /// ... and how many times its mean it must reach.
    pub dns_increase: f64,
    /// σ above its mean beyond which the handshake makes a window `handshake-bound` ...
    pub handshake_sigmas: f64,
    /// ... or how many times its mean it must reach.
    pub handshake_increase: f64,
    /// σ above its mean beyond which the first byte makes a window `server-bound` ...
    pub server_sigmas: f64,
    /// ... where the handshake is at most this many σ above its own mean.
    pub connection_sigmas: f64,
    /// Share of its mean to which throughput must fall for `throughput-bound` ...
    pub throughput_drop: f64,
    /// ... where the total is at most this many σ above its own mean.
    pub latency_sigmas: f64,
}

impl Default for DiagnosisRules {
    fn default() -> Self {
        Self {
            baseline_windows: 10,
            baseline_max_age_ms: 86_400_000,
            min_baseline_windows: 5,
            sigma_floor_ratio: 0.05,
            sigma_floor_ms: 1.0,
            error_ratio: 0.5,
            dns_share: 0.60,
            dns_increase: 1.5,
            handshake_sigmas: 2.0,
            handshake_increase: 2.0,
            server_sigmas: 2.0,
            connection_sigmas: 1.0,
            throughput_drop: 0.70,
            latency_sigmas: 2.0,
        }
    }
}
