//! What a rules file says: what is usual for a pair, what counts as evidence, and when a phase is slow.
//!
//! The shipped files `rules/classic.toml` and `rules/steady.toml` have every key, with a comment on each.

use serde::{Deserialize, Serialize};

/// Windows that per-phase histories hold at most: 60 figures of 16 bits for each of four phases are 480 bytes a pair.
pub(super) const MAX_WINDOWS_BY_PHASE: u16 = 60;

/// How a window is diagnosed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DiagnosisRules {
    /// What these rules are called.
    pub name: String,
    /// What is usual.
    pub usual: UsualRules,
    /// From which windows evidence is gathered, and how much of it is needed.
    pub evidence: EvidenceRules,
    /// When too many measurements fail.
    #[serde(rename = "error-bound")]
    pub error_bound: ErrorRule,
    /// When name resolution is slow.
    #[serde(rename = "dns-bound")]
    pub dns_bound: PhaseRule,
    /// When connecting is slow.
    #[serde(rename = "handshake-bound")]
    pub handshake_bound: PhaseRule,
    /// When the first byte is slow.
    #[serde(rename = "server-bound")]
    pub server_bound: PhaseRule,
    /// When the transfer is slow.
    #[serde(rename = "throughput-bound")]
    pub throughput_bound: PhaseRule,
    /// How bad it is.
    pub severity: SeverityRules,
}

/// The middle of the figures that a pair's history holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Centre {
    /// Arithmetic mean.
    Mean,
    /// Median; of an even number of figures the upper of the two in the middle.
    Median,
}

/// How far the figures of a history usually lie from their centre.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Spread {
    /// The population standard deviation, the same above and below.
    Deviation,
    /// From the centre to the quantile `spread_quantile`, and below it to the mirrored one.
    Quantile,
}

/// Which figures stand for a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Figure {
    /// The p95, of throughput the p50; a metric without samples counts as 0. One figure decides for all of a window's samples.
    P95,
    /// Its samples, as far as p50 and p95 tell them; a metric without samples says nothing. Each phase has a history of
    /// its own, of the samples' middles as 16-bit codes.
    Samples,
}

/// What is usual for a pair.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UsualRules {
    /// Which figures stand for a window.
    pub figure: Figure,
    /// How the middle is taken.
    pub centre: Centre,
    /// How the distance from it is measured.
    pub spread: Spread,
    /// The quantile of [`Spread::Quantile`], above 0.5 and below 1.
    pub spread_quantile: f64,
    /// A spread is at least this share of the centre ...
    pub spread_floor_ratio: f64,
    /// ... and at least this many milliseconds, or Mbit/s.
    pub spread_floor: f64,
    /// How many windows the history holds.
    pub windows: u16,
    /// Once it is full, one window in this many enters it.
    pub every_windows: u16,
    /// How far back it goes, in hours: an older window does not count, and a pair that was not measured for as long starts anew.
    pub reach_hours: u32,
    /// Windows that the history needs before anything is compared with it.
    pub warm_up_windows: u16,
    /// Whether a phase's slow windows are left out of that phase's history.
    pub leave_out_degraded: bool,
    /// After how many hours without a break a slow phase counts as the new normal, and its history starts anew.
    pub new_normal_after_hours: u32,
    /// After how many windows in a row that are clearly better than usual only these make the history; 0: never.
    pub better_windows: u16,
    /// How many times better than usual is clearly better.
    pub better_ratio: f64,
}

/// From which windows evidence is gathered, and how much of it is needed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EvidenceRules {
    /// The number of newest windows with samples that are considered; each must show the fault for it to be named.
    pub windows: u16,
    /// How far apart the first and the last of them may be, in minutes.
    pub within_minutes: u32,
    /// Least number of slow samples.
    pub least_samples: u32,
    /// Share of the samples that must be slow.
    pub share: f64,
    /// As many slow samples must lie beyond this quantile of the phase's history; 0: none must. Has no effect if one figure
    /// decides for all samples of a window.
    pub beyond_quantile: f64,
    /// If these do not show it, this many windows are considered ...
    pub more_windows: u16,
    /// ... of whose samples this share must be slow.
    pub more_share: f64,
    /// Share that is enough once the phase has been slow ...
    pub keep_share: f64,
    /// ... for this many windows.
    pub keep_after_windows: u16,
    /// Windows without the label that do not end a run of it.
    pub bridged_windows: u32,
}

/// When too many measurements fail.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ErrorRule {
    /// The number of newest windows that are considered.
    pub windows: u16,
    /// Least number of failures.
    pub least_failures: u32,
    /// Share of the measurements that must fail.
    pub share: f64,
    /// Share that is enough once failures have been named for `keep_after_windows`.
    pub keep_share: f64,
}

/// When a phase is slow: one of the conditions holds, and all other requirements do too.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PhaseRule {
    /// Any of them is enough.
    pub when: Vec<Condition>,
    /// The handshake lies at most this many spreads above its centre; without samples or a centre it does not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub handshake_spreads: Option<f64>,
    /// The total lies at most this many spreads above its centre.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total_spreads: Option<f64>,
    /// The phase has become slower by more than this many times what the handshake has: a longer way delays both.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub beyond_handshake: Option<f64>,
}

/// All that is given must hold.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Condition {
    /// At least this many times the centre; of throughput, at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ratio: Option<f64>,
    /// At least this many milliseconds more than the centre.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extra_ms: Option<f64>,
    /// More than this many spreads above the centre; of throughput, below it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spreads: Option<f64>,
    /// At least this share of the total.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub share_of_total: Option<f64>,
    /// At least this share of what the total is more than the centres of all phases.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub share_of_extra: Option<f64>,
}

/// How bad it is: the gravest level whose bounds are all reached; below them a finding is minor.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SeverityRules {
    /// Of a slow phase.
    pub latency: LatencySeverity,
    /// Of slow transfers.
    pub throughput: ThroughputSeverity,
    /// Of failures.
    pub failed: FailedSeverity,
}

/// Levels of a slow phase.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LatencySeverity {
    /// From here on.
    pub major: LatencyLevel,
    /// From here on.
    pub critical: LatencyLevel,
}

/// Bounds of a level.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LatencyLevel {
    /// Times the centre.
    pub ratio: f64,
    /// Milliseconds more than the centre.
    pub extra_ms: f64,
}

/// Levels of slow transfers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ThroughputSeverity {
    /// From here on.
    pub major: ThroughputLevel,
    /// From here on.
    pub critical: ThroughputLevel,
}

/// Bounds of a level.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ThroughputLevel {
    /// How many times less than the centre.
    pub ratio: f64,
    /// Below this many Mbit/s; none: whatever the throughput.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub below_mbps: Option<f64>,
}

/// Levels of failures.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FailedSeverity {
    /// Share of the measurements that fail from which it is major.
    pub major_share: f64,
    /// Share from which it is critical.
    pub critical_share: f64,
}

impl UsualRules {
    /// How far back a history goes, in milliseconds.
    pub fn reach_ms(&self) -> i64 {
        i64::from(self.reach_hours) * 3_600_000
    }

    /// How long a phase is slow before that is the new normal, in milliseconds.
    pub fn new_normal_after_ms(&self) -> i64 {
        i64::from(self.new_normal_after_hours) * 3_600_000
    }
}

impl EvidenceRules {
    /// How far apart the first and the last window may be, in milliseconds.
    pub fn within_ms(&self) -> i64 {
        i64::from(self.within_minutes) * 60_000
    }
}
