//! Which windows a question over many pairs is about, and which of them match.

use std::sync::Arc;

use netqoe_model::{Label, MAX_TIME_MS, Metric, TagValue};

use super::labelled::{self, Dialect};
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
    /// With each of these labels of their client and target only.
    pub tags: Vec<TagValue>,
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

    /// The conditions on labels, each after an AND, for a row of `agg_1m` that the statement calls `row`.
    pub(super) fn tagged(&self, dialect: Dialect, row: &str) -> Statement {
        labelled::conditions(&self.tags, dialect, row)
    }

    /// The same for a row of `diagnoses` that the statement calls so.
    pub(super) fn tagged_diagnosis(&self, dialect: Dialect) -> Statement {
        labelled::of_window_between(&self.tags, dialect, "diagnoses", "window_start_ts", self.times_ms())
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

/// A column of `agg_1m` that says how a window was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Measure {
    /// The median of a metric.
    P50(Metric),
    /// Its 95th percentile.
    P95(Metric),
    /// How many events failed.
    CountError,
}

impl Measure {
    /// All of them.
    pub const ALL: [Self; 11] = [
        Self::P50(Metric::Dns),
        Self::P95(Metric::Dns),
        Self::P50(Metric::Tcp),
        Self::P95(Metric::Tcp),
        Self::P50(Metric::Tls),
        Self::P95(Metric::Tls),
        Self::P50(Metric::Ttfb),
        Self::P95(Metric::Ttfb),
        Self::P50(Metric::Throughput),
        Self::P95(Metric::Throughput),
        Self::CountError,
    ];

    /// The name of the column.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::P50(Metric::Dns) => "dns_p50",
            Self::P95(Metric::Dns) => "dns_p95",
            Self::P50(Metric::Tcp) => "tcp_p50",
            Self::P95(Metric::Tcp) => "tcp_p95",
            Self::P50(Metric::Tls) => "tls_p50",
            Self::P95(Metric::Tls) => "tls_p95",
            Self::P50(Metric::Ttfb) => "ttfb_p50",
            Self::P95(Metric::Ttfb) => "ttfb_p95",
            Self::P50(Metric::Throughput) => "throughput_p50",
            Self::P95(Metric::Throughput) => "throughput_p95",
            Self::CountError => "count_error",
        }
    }

    /// The measure of this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|measure| measure.as_str() == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn measures_are_the_columns_of_all_metrics_and_are_found_by_name() {
        let percentiles = Metric::ALL.map(|metric| ["p50", "p95"].map(|which| format!("{}_{which}", metric.as_str())));
        let expected: Vec<_> = percentiles.into_iter().flatten().chain(["count_error".to_owned()]).collect();
        assert_eq!(Measure::ALL.map(Measure::as_str).to_vec(), expected);
        assert!(Measure::ALL.into_iter().all(|measure| Measure::parse(measure.as_str()) == Some(measure)));
    }
}
