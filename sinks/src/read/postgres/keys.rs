//! Finding a page of windows, each way along an index and in no other months than those that are asked for.

use super::LABELLED;
use crate::postgres::months::whole_months;
use crate::read::keyed_table::{KeyedTable, NEWEST_FIRST};
use crate::read::statement::{Statement, Value};
use crate::read::{Query, RowPosition};

/// Selects `columns` of `rows`, for the keys that the query finds in `keys`.
pub(super) fn page(rows: KeyedTable, columns: &str, keys: KeyedTable, query: &Query<RowPosition>) -> Statement {
    let found = match (&query.filter.client_id, &query.filter.target) {
        (Some(client_id), None) => of_one_client(keys, client_id, query),
        _ => along_one_index(keys, query),
    };
    let found = if rows == keys { found } else { rows_of(rows, found, query) };
    Statement::new(&format!("SELECT {columns} FROM (")).nest(found).add(&format!(") AS page {NEWEST_FIRST}"), [])
}

/// One walk backwards: of the primary key where client and target are known, else of the index on time.
fn along_one_index(table: KeyedTable, query: &Query<RowPosition>) -> Statement {
    Statement::new(&format!("SELECT * FROM {} WHERE", table.name()))
        .nest(table.conditions(query, LABELLED))
        .add_some("AND client_id = ?", query.filter.client_id.clone())
        .add_some("AND target = ?", query.filter.target.clone())
        .add(&format!("{NEWEST_FIRST} LIMIT ?"), [query.fetch_limit()])
}

/// A page of each of the client's targets, and of these the newest. Walking its whole history, or that of all
/// clients, would take ever longer as the store grows.
fn of_one_client(table: KeyedTable, client_id: &str, query: &Query<RowPosition>) -> Statement {
    let name = table.name();
    let client = || [client_id.to_owned().into()];
    Statement::new("WITH RECURSIVE")
        .nest(targets_of_client(table, client_id, query))
        .add(
            &format!("SELECT latest.* FROM measured CROSS JOIN LATERAL (SELECT * FROM {name} WHERE client_id = ?"),
            client(),
        )
        .add("AND target = measured.target AND", [])
        .nest(table.conditions(query, LABELLED))
        .add("ORDER BY window_start_ts DESC LIMIT ?) AS latest", [query.fetch_limit()])
        .add(&format!("{NEWEST_FIRST} LIMIT ?"), [query.fetch_limit()])
}

/// The table expression `measured(target)`: each target of the client by one seek from the one before.
fn targets_of_client(table: KeyedTable, client_id: &str, query: &Query<RowPosition>) -> Statement {
    let first = || {
        Statement::new(&format!("SELECT target FROM {} WHERE", table.name()))
            .add("client_id = ?", [client_id.to_owned().into()])
            .nest(in_months(table, query.times_ms()))
    };
    Statement::new("measured(target) AS ((")
        .nest(first())
        .add("ORDER BY target LIMIT 1) UNION ALL SELECT (", [])
        .nest(first())
        .add("AND target > measured.target ORDER BY target LIMIT 1) FROM measured WHERE target IS NOT NULL)", [])
}

/// Lets partitions be left out. Within a month a condition on time would make a seek a walk.
pub(super) fn in_months(table: KeyedTable, times_ms: [i64; 2]) -> Statement {
    match table {
        KeyedTable::Aggregates => Statement::new("AND window_start_ts >=")
            .add("? AND window_start_ts < ?", whole_months(times_ms).map(Value::Time)),
        KeyedTable::Diagnoses => Statement::new(""),
    }
}

/// The rows with the same keys in another table. The limit keeps the planner from joining whole tables.
fn rows_of(table: KeyedTable, keys: Statement, query: &Query<RowPosition>) -> Statement {
    let name = table.name();
    Statement::new("SELECT same.* FROM (").nest(keys).add(
        &format!(
            ") AS keys CROSS JOIN LATERAL (
                 SELECT * FROM {name} WHERE {name}.client_id = keys.client_id AND {name}.target = keys.target
                 AND {name}.window_start_ts = keys.window_start_ts
                 AND {name}.window_start_ts >= ? AND {name}.window_start_ts < ? LIMIT 1) AS same"
        ),
        query.range(),
    )
}
