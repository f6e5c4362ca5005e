//! What a diagnosis says. The dataflow decides how it is reached.

use std::cmp::Ordering;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::WindowStart;

/// The kind of degradation, or healthy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Label {
    /// Too many measurements fail.
    ErrorBound,
    /// Name resolution takes longer than usual, and much of the time.
    DnsBound,
    /// Connecting (TCP and TLS) takes longer than usual.
    HandshakeBound,
    /// The first byte takes longer than usual while connecting does not.
    ServerBound,
    /// The transfer is slower than usual while the latency is not.
    ThroughputBound,
    /// Nothing is out of the ordinary.
    Healthy,
}

impl Label {
    /// All labels, in the order in which they are tried.
    pub const ALL: [Self; 6] = [
        Self::ErrorBound,
        Self::DnsBound,
        Self::HandshakeBound,
        Self::ServerBound,
        Self::ThroughputBound,
        Self::Healthy,
    ];

    /// As stores, the API and the documents write it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ErrorBound => "error-bound",
            Self::DnsBound => "dns-bound",
            Self::HandshakeBound => "handshake-bound",
            Self::ServerBound => "server-bound",
            Self::ThroughputBound => "throughput-bound",
            Self::Healthy => "healthy",
        }
    }

    /// The label with this name.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|label| label.as_str() == text)
    }
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How bad it is for a person: see the rules' levels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Measurably worse.
    Minor,
    /// A person notices.
    Major,
    /// A person is interrupted.
    Critical,
}

impl Severity {
    /// As stores, the API and the documents write it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Minor => "minor",
            Self::Major => "major",
            Self::Critical => "critical",
        }
    }

    /// The severity with this name.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Minor, Self::Major, Self::Critical].into_iter().find(|severity| severity.as_str() == text)
    }
}

/// What is usual for a phase of a pair: ms, Mbit/s for throughput.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct UsualRange {
    /// The centre of the history.
    pub centre: f64,
    /// One spread below it.
    pub low: f64,
    /// One spread above it.
    pub high: f64,
}

/// The figures behind a diagnosis.
#[derive(Clone, Debug, PartialEq)]
pub struct Evidence {
    /// What was compared: `dns`, `handshake`, `ttfb` or `throughput`; for `error-bound` the stage at which most
    /// events failed.
    pub stage: &'static str,
    /// What the newest window with samples shows: ms, Mbit/s for throughput; for `error-bound` the failed share (0 to 1).
    pub observed: f64,
    /// What is usual, same unit; none for `error-bound`.
    pub usual: Option<UsualRange>,
    /// How many standard deviations `observed` lies above the mean (below it: negative), where the rules measure by these.
    pub sigmas: Option<f64>,
    /// Share of the total that the phase takes (0 to 1); none for throughput and `error-bound`.
    pub share_of_total: Option<f64>,
    /// Measurements in the windows that were looked at.
    pub samples: u32,
    /// Of these, how many failed, or at least how many were slow.
    pub bad_samples: u32,
    /// How many windows were looked at.
    pub windows: u32,
    /// Start of the first window of the run that this window belongs to.
    pub since: WindowStart,
}

/// A run of windows of one pair with the same label.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Run {
    /// Its label.
    pub label: Label,
    /// Start of its first window.
    pub since: WindowStart,
    /// End of its last window.
    pub until: WindowStart,
}

/// A window's label; with severity and evidence if the window is degraded.
#[derive(Clone, Debug, PartialEq)]
pub struct Diagnosis {
    /// The label.
    pub label: Label,
    /// How bad it is, and the figures; `None` if the label is [`Label::Healthy`]. Boxed, as most windows
    /// are healthy, and rows are many.
    pub finding: Option<Box<(Severity, Evidence)>>,
}

/// Figures are never NaN, and are ordered by their bits: any order will do, as long as it is always the same.
impl Eq for Evidence {}

impl Ord for Evidence {
    fn cmp(&self, other: &Self) -> Ordering {
        let bits = |figure: Option<f64>| figure.map(f64::to_bits);
        let key = |evidence: &Self| {
            let Self { observed, usual, sigmas, share_of_total, .. } = evidence;
            let usual = usual.map(|usual| [usual.centre, usual.low, usual.high].map(f64::to_bits));
            (observed.to_bits(), usual, bits(*sigmas), bits(*share_of_total))
        };
        let counts = |evidence: &Self| (evidence.since, evidence.samples, evidence.bad_samples, evidence.windows);
        self.stage
            .cmp(other.stage)
            .then_with(|| key(self).cmp(&key(other)))
            .then_with(|| counts(self).cmp(&counts(other)))
    }
}

impl PartialOrd for Evidence {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Eq for Diagnosis {}

impl Ord for Diagnosis {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.label, &self.finding).cmp(&(other.label, &other.finding))
    }
}

impl PartialOrd for Diagnosis {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
