//! Finding the keys of a page, each way along an index: the rows themselves are read only for the keys of the page.

use rusqlite::types::Value;

use super::statement::Statement;
use super::{Query, RowPosition};

/// A table with the key (client_id, target, window_start_ts) and an index on window_start_ts.
#[derive(Clone, Copy)]
pub(super) enum KeyedTable {
    /// `agg_1m`.
    Aggregates,
    /// `diagnoses`.
    Diagnoses,
}

impl KeyedTable {
    const fn name(self) -> &'static str {
        match self {
            Self::Aggregates => "agg_1m",
            Self::Diagnoses => "diagnoses",
        }
    }

    const fn label_condition(self) -> &'static str {
        match self {
            Self::Aggregates => "AND diagnosis_label = ?",
            Self::Diagnoses => "AND label = ?",
        }
    }
}

/// Newest window first. All three descend, so that the indexes give this order without sorting.
pub(super) const NEWEST_FIRST: &str = "ORDER BY window_start_ts DESC, client_id DESC, target DESC";

/// Selects `columns` of `rows`, for the keys that the query finds in `keys`.
pub(super) fn page(rows: KeyedTable, columns: &str, keys: KeyedTable, query: &Query<RowPosition>) -> Statement {
    Statement::new(&format!("SELECT {columns} FROM ("))
        .nest(match (&query.filter.client_id, &query.filter.target) {
            (Some(client_id), None) => of_one_client(keys, client_id, query),
            _ => along_one_index(keys, query),
        })
        .add(&format!(") CROSS JOIN {} USING (client_id, target, window_start_ts) {NEWEST_FIRST}", rows.name()), [])
}

/// One walk backwards: of the primary key where client and target are known, else of the index on time.
fn along_one_index(table: KeyedTable, query: &Query<RowPosition>) -> Statement {
    Statement::new(&format!("SELECT client_id, target, window_start_ts FROM {} WHERE", table.name()))
        .nest(in_time_and_order(table, query))
        .add_some("AND client_id = ?", query.filter.client_id.clone())
        .add_some("AND target = ?", query.filter.target.clone())
        .add(&format!("{NEWEST_FIRST} LIMIT ?"), [query.fetch_limit().into()])
}

/// A page of each of the client's targets, and of these the newest. Walking its whole history, or that of all
/// clients, would take ever longer as the store grows.
fn of_one_client(table: KeyedTable, client_id: &str, query: &Query<RowPosition>) -> Statement {
    let name = table.name();
    let client = || Value::from(client_id.to_owned());
    Statement::new("WITH RECURSIVE")
        .nest(targets_of_client(name, client_id))
        .add(
            &format!(
                "SELECT client_id, target, window_start_ts FROM measured CROSS JOIN {name} USING (target)
                 WHERE client_id = ? AND window_start_ts IN (
                     SELECT window_start_ts FROM {name} WHERE client_id = ? AND target = measured.target AND"
            ),
            [client(), client()],
        )
        .nest(in_time_and_order(table, query))
        .add("ORDER BY window_start_ts DESC LIMIT ?)", [query.fetch_limit().into()])
        .add(&format!("{NEWEST_FIRST} LIMIT ?"), [query.fetch_limit().into()])
}

/// The table expression `measured(target)`: each target of the client by one seek from the one before.
fn targets_of_client(table: &str, client_id: &str) -> Statement {
    let client = || Value::from(client_id.to_owned());
    Statement::new("measured(target) AS (").add(
        &format!(
            "SELECT min(target) FROM {table} WHERE client_id = ?
             UNION ALL
             SELECT (SELECT min(target) FROM {table} WHERE client_id = ? AND target > measured.target)
             FROM measured WHERE measured.target IS NOT NULL)"
        ),
        [client(), client()],
    )
}

/// The conditions on time, label and position.
fn in_time_and_order(table: KeyedTable, query: &Query<RowPosition>) -> Statement {
    let (from_ms, to_ms) = query.filter.range_ms();
    let conditions = Statement::new("")
        .add("window_start_ts >= ? AND window_start_ts < ?", [from_ms.into(), to_ms.into()])
        .add_some(table.label_condition(), query.filter.label_text());
    match query.after.clone() {
        None => conditions,
        Some(RowPosition { window_start, client_id, target }) => conditions.add(
            "AND (window_start_ts, client_id, target) < (?, ?, ?)",
            [window_start.ms().into(), client_id.into(), target.into()],
        ),
    }
}
