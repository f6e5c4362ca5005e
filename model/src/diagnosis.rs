//! What a diagnosis says; how it is reached is the dataflow's.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The name of what hurts, or that nothing does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Label {
    /// At least half of the events failed.
    ErrorBound,
    /// Name resolution takes most of the time, and more than usual.
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

    /// The label that is written so.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|label| label.as_str() == text)
    }
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How far from usual a window is, from its ratio to the usual (see the dataflow's `diagnose` for the bounds).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Measurably worse.
    Minor,
    /// At least twice as bad as usual, or three quarters of the events failed.
    Major,
    /// At least four times as bad as usual, or nine tenths of the events failed.
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

    /// The severity that is written so.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Minor, Self::Major, Self::Critical].into_iter().find(|severity| severity.as_str() == text)
    }
}

/// The figures behind a diagnosis.
#[derive(Clone, Debug, PartialEq)]
pub struct Evidence {
    /// What was compared: `dns`, `handshake`, `ttfb` or `throughput`; for `error-bound` the stage at which most
    /// events failed.
    pub stage: &'static str,
    /// What the window shows: ms, Mbit/s for throughput, the failed share (0 to 1) for `error-bound`.
    pub observed: f64,
    /// The baseline's mean, same unit; none for `error-bound`.
    pub mean: Option<f64>,
    /// The baseline's σ with its floor, same unit; none for `error-bound`.
    pub sigma: Option<f64>,
    /// How many σ `observed` lies above the mean (below it: negative); none for `error-bound`.
    pub sigmas: Option<f64>,
    /// Share of the total p95 that the stage takes (0 to 1); none for throughput and `error-bound`.
    pub share_of_total: Option<f64>,
}

/// A window's label; with severity and evidence where something hurts.
#[derive(Clone, Debug, PartialEq)]
pub struct Diagnosis {
    /// What hurts.
    pub label: Label,
    /// How much, and the figures; none where the label is [`Label::Healthy`]. Boxed, as most windows
    /// are healthy, and rows are many.
    pub finding: Option<Box<(Severity, Evidence)>>,
}
