//! What stands in a store's tables, read without the store's own code.

/// A value of any column. Times are Unix milliseconds, flags are 0 or 1.
#[derive(Clone, Debug, PartialEq, PartialOrd)]
pub(crate) enum Cell {
    Null,
    Integer(i64),
    Real(f64),
    Text(String),
    Bytes(Vec<u8>),
}

/// The rows of a table, in a fixed order of their values.
pub(crate) type Rows = Vec<Vec<Cell>>;

/// What kind of value a column has.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind {
    Integer,
    Real,
    Text,
    Bytes,
    Time,
    Flag,
}

/// A table and its columns, in the order in which they are read.
pub(crate) struct Table {
    pub(crate) name: &'static str,
    pub(crate) columns: &'static [(&'static str, Kind)],
}

use Kind::{Bytes, Flag, Integer, Real, Text, Time};

pub(crate) const AGGREGATES: Table = Table {
    name: "agg_1m",
    columns: &[
        ("client_id", Text),
        ("target", Text),
        ("window_start_ts", Time),
        ("count_total", Integer),
        ("count_success", Integer),
        ("count_error", Integer),
        ("dns_error_count", Integer),
        ("tcp_error_count", Integer),
        ("tls_error_count", Integer),
        ("http_error_count", Integer),
        ("throughput_error_count", Integer),
        ("dns_p50", Real),
        ("dns_p95", Real),
        ("tcp_p50", Real),
        ("tcp_p95", Real),
        ("tls_p50", Real),
        ("tls_p95", Real),
        ("ttfb_p50", Real),
        ("ttfb_p95", Real),
        ("throughput_p50", Real),
        ("throughput_p95", Real),
        ("diagnosis_label", Text),
        ("is_final", Flag),
        ("as_of", Time),
        ("updated_at", Time),
        ("pair_state", Bytes),
        ("network_type", Text),
        ("isp", Text),
        ("site", Text),
        ("client_labels", Text),
        ("target_labels", Text),
    ],
};

pub(crate) const DIAGNOSES: Table = Table {
    name: "diagnoses",
    columns: &[
        ("client_id", Text),
        ("target", Text),
        ("window_start_ts", Time),
        ("label", Text),
        ("severity", Text),
        ("stage", Text),
        ("observed", Real),
        ("usual", Real),
        ("usual_low", Real),
        ("usual_high", Real),
        ("sigmas", Real),
        ("share_of_total", Real),
        ("samples", Integer),
        ("bad_samples", Integer),
        ("windows", Integer),
        ("since_ts", Time),
        ("is_final", Flag),
        ("as_of", Time),
        ("updated_at", Time),
    ],
};

pub(crate) const CLIENTS: Table = Table {
    name: "clients",
    columns: &[
        ("client_id", Text),
        ("network_type", Text),
        ("isp", Text),
        ("context", Text),
        ("first_seen", Time),
        ("last_seen", Time),
    ],
};

pub(crate) const CHECKPOINTS: Table = Table {
    name: "checkpoint",
    columns: &[
        ("log_id", Text),
        ("partition", Integer),
        ("resume_from", Integer),
        ("processed", Integer),
        ("log_time", Time),
        ("read", Integer),
        ("accepted", Integer),
        ("duplicate", Integer),
        ("late", Integer),
        ("invalid", Integer),
        ("generation", Integer),
    ],
};

pub(crate) const DEAD_LETTERS: Table = Table {
    name: "dead_letters",
    columns: &[
        ("partition", Integer),
        ("position", Integer),
        ("line", Integer),
        ("log_time", Time),
        ("reason", Text),
        ("original", Bytes),
    ],
};

pub(crate) const LOOKS: Table =
    Table { name: "looks", columns: &[("at", Time), ("partition", Integer), ("sightings", Bytes)] };

pub(crate) const CORRECTIONS: Table = Table { name: "corrections", columns: &[("id", Integer), ("at", Time)] };

/// Every table that a commit writes.
pub(crate) const WRITTEN: [&Table; 6] = [&AGGREGATES, &DIAGNOSES, &CLIENTS, &CHECKPOINTS, &DEAD_LETTERS, &LOOKS];

pub(crate) const FLEET: Table = Table {
    name: "fleet",
    columns: &[
        ("through", Time),
        ("state_at", Time),
        ("state", Bytes),
        ("degraded", Integer),
        ("healthy", Integer),
        ("unjudged", Integer),
        ("unmeasured", Integer),
        ("corrected", Integer),
    ],
};

pub(crate) const INCIDENTS: Table = Table {
    name: "incidents",
    columns: &[
        ("id", Text),
        ("label", Text),
        ("cause_dimension", Text),
        ("cause_value", Text),
        ("state", Text),
        ("withdrawn_because", Text),
        ("opened", Time),
        ("detected", Time),
        ("named", Time),
        ("last", Time),
        ("closed", Time),
        ("severity", Text),
        ("peak_severity", Text),
        ("degraded_at_first", Integer),
        ("healthy_at_first", Integer),
        ("degraded_now", Integer),
        ("healthy_now", Integer),
        ("pairs", Integer),
        ("clients", Integer),
        ("targets", Integer),
        ("revision", Integer),
        ("as_of", Time),
        ("updated_at", Time),
    ],
};

pub(crate) const MEMBERS: Table = Table {
    name: "incident_members",
    columns: &[
        ("incident", Text),
        ("client_id", Text),
        ("target", Text),
        ("since", Time),
        ("until", Time),
        ("severity", Text),
    ],
};

pub(crate) const REVISIONS: Table = Table {
    name: "incident_revisions",
    columns: &[
        ("incident", Text),
        ("revision", Integer),
        ("at", Time),
        ("change", Text),
        ("cause_dimension", Text),
        ("cause_value", Text),
        ("severity", Text),
        ("degraded", Integer),
        ("state", Text),
        ("because", Text),
        ("label", Text),
        ("closed", Time),
        ("incident_json", Text),
    ],
};

pub(crate) const FLEET_STATES: Table = Table { name: "fleet_states", columns: &[("at", Time), ("state", Bytes)] };

pub(crate) const UNMEASURED: Table = Table {
    name: "unmeasured",
    columns: &[
        ("client_id", Text),
        ("target", Text),
        ("last", Time),
        ("rhythm_ms", Integer),
        ("isp", Text),
        ("site", Text),
    ],
};

/// What stands in [`WRITTEN`], table by table.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Contents(pub(crate) [Rows; WRITTEN.len()]);

impl Contents {
    /// The same rows in the one order that is compared.
    pub(crate) fn sorted(mut self) -> Self {
        // No NaN is ever stored.
        self.0.iter_mut().for_each(|rows| rows.sort_by(|a, b| a.partial_cmp(b).unwrap()));
        self
    }

    /// The rows that only one of the two has, a line each; empty if they are the same.
    pub(crate) fn difference(&self, expected: &Self) -> Vec<String> {
        let tables = WRITTEN.iter().zip(self.0.iter().zip(&expected.0));
        let lines = tables.flat_map(|(table, (found, expected))| {
            let surplus = found.iter().filter(|row| !expected.contains(row)).map(|row| ("found", row));
            let missing = expected.iter().filter(|row| !found.contains(row)).map(|row| ("expected", row));
            let counts = (found.len() != expected.len()).then(|| format!("{}: {} rows", table.name, found.len()));
            let rows = surplus.chain(missing).map(|(which, row)| format!("{}: {which} {row:?}", table.name));
            rows.chain(counts).collect::<Vec<_>>()
        });
        lines.collect()
    }
}

/// Fails with what differs, and nothing else.
#[track_caller]
pub(crate) fn assert_same(found: &Contents, expected: &Contents) {
    let difference = found.difference(expected);
    assert!(difference.is_empty(), "{difference:#?}");
}
