//! Which windows a question over many pairs is about, and which of them match.

use std::sync::Arc;

use netqoe_model::{Label, MAX_TIME_MS};

use super::statement::{Statement, Value};

/// A client and a target that it measures.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pair {
    /// The client that measures.
    pub client_id: Arc<str>,
    /// What is measured.
    pub target: Arc<str>,
}

/// The windows of some pairs in a range of time.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Extent {
    /// Of this client only.
    pub client_id: Option<String>,
    /// Of this target only.
    pub target: Option<String>,
    /// Windows that start at or after this time, in Unix milliseconds ...
    pub from_ms: i64,
    /// ... and before this one.
    pub to_ms: i64,
}

impl Extent {
    /// Its times, moved to where the times of rows begin and end.
    pub(super) fn times_ms(&self) -> [i64; 2] {
        [self.from_ms, self.to_ms].map(|ms| ms.clamp(0, MAX_TIME_MS))
    }

    /// The condition on time.
    pub(super) fn in_time(&self) -> Statement {
        Statement::new("window_start_ts >=").add("? AND window_start_ts < ?", self.times_ms().map(Value::Time))
    }

    /// The conditions on time and names.
    pub(super) fn conditions(&self) -> Statement {
        self.in_time()
            .add_some("AND client_id = ?", self.client_id.clone())
            .add_some("AND target = ?", self.target.clone())
    }
}

/// Which windows of an [`Extent`] match.
#[derive(Clone, Debug, PartialEq)]
pub enum Matching {
    /// Those with a diagnosis that is not healthy.
    Degraded,
    /// Those of which this measure is known and lies between the two, both included.
    Within(Measure, [f64; 2]),
}

impl Matching {
    /// True, false or null for a row of `agg_1m`.
    pub(super) fn condition(&self) -> Statement {
        match self {
            Self::Degraded => {
                Statement::new("diagnosis_label").add("<> ?", [Value::Text(Label::Healthy.as_str().to_owned())])
            }
            Self::Within(measure, bounds) => {
                Statement::new(measure.as_str()).add("BETWEEN ? AND ?", bounds.map(Value::Real))
            }
        }
    }
}

/// A column of `agg_1m` that says how a window was: a percentile, or how many events failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Measure(&'static str);

impl Measure {
    /// All of them.
    pub const ALL: [Self; 11] = [
        Self("dns_p50"),
        Self("dns_p95"),
        Self("tcp_p50"),
        Self("tcp_p95"),
        Self("tls_p50"),
        Self("tls_p95"),
        Self("ttfb_p50"),
        Self("ttfb_p95"),
        Self("throughput_p50"),
        Self("throughput_p95"),
        Self("count_error"),
    ];

    /// The name of the column.
    pub const fn as_str(self) -> &'static str {
        self.0
    }

    /// The measure of this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|measure| measure.0 == name)
    }
}
