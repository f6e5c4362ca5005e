//! The two tables whose rows are windows, and what is asked of them everywhere.

use netqoe_model::Label;

use super::labelled::{self, Dialect};
use super::statement::{Statement, Value};
use super::{Filter, Query, RowPosition};

/// A table with the key (client_id, target, window_start_ts) and an index on window_start_ts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum KeyedTable {
    /// `agg_1m`.
    Aggregates,
    /// `diagnoses`.
    Diagnoses,
}

/// Newest window first. All three descend, so that the indexes give this order without sorting.
pub(super) const NEWEST_FIRST: &str = "ORDER BY window_start_ts DESC, client_id DESC, target DESC";

impl KeyedTable {
    /// Where the windows with the filter's label are found. Labels that are findings are rare: `diagnoses` holds them
    /// all and no others.
    pub(super) const fn with_label_of(filter: &Filter) -> Self {
        match filter.label {
            None | Some(Label::Healthy) => Self::Aggregates,
            Some(_) => Self::Diagnoses,
        }
    }

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Aggregates => "agg_1m",
            Self::Diagnoses => "diagnoses",
        }
    }

    pub(super) const fn label_condition(self) -> &'static str {
        match self {
            Self::Aggregates => "AND diagnosis_label = ?",
            Self::Diagnoses => "AND label = ?",
        }
    }

    /// The conditions on the labels of clients and targets, each after an AND, for a row that the statement calls `row`.
    pub(super) fn tagged(self, filter: &Filter, dialect: Dialect, row: &str, times_ms: [i64; 2]) -> Statement {
        match self {
            Self::Aggregates => labelled::conditions(&filter.tags, dialect, row),
            Self::Diagnoses => labelled::of_window_between(&filter.tags, dialect, row, "window_start_ts", times_ms),
        }
    }

    /// The conditions on time, labels and position.
    pub(super) fn conditions(self, query: &Query<RowPosition>, dialect: Dialect) -> Statement {
        let conditions = Statement::new("window_start_ts >=")
            .add("? AND window_start_ts < ?", query.range())
            .add_some(self.label_condition(), query.filter.label_text())
            .nest(self.tagged(&query.filter, dialect, self.name(), query.times_ms()));
        match query.after.clone() {
            None => conditions,
            Some(RowPosition { window_start, client_id, target }) => conditions.add(
                "AND (window_start_ts, client_id, target) < (?, ?, ?)",
                [Value::Time(window_start.ms()), client_id.into(), target.into()],
            ),
        }
    }
}
