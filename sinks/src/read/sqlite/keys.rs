//! Finding the keys of a page, each way along an index: the rows themselves are read only for the keys of the page.
//!
//! Decision: D-045.

use super::LABELLED;
use crate::read::keyed_table::{KeyedTable, NEWEST_FIRST};
use crate::read::statement::Statement;
use crate::read::{Query, RowPosition};

/// Selects `columns` of `rows`, for the keys that the query finds in `keys`. The rows are looked up along the primary key,
/// which is named as SQLite names it: the index on time would only lead there, and is what SQLite takes for wide rows.
pub(super) fn page(rows: KeyedTable, columns: &str, keys: KeyedTable, query: &Query<RowPosition>) -> Statement {
    Statement::new(&format!("SELECT {columns} FROM ("))
        .nest(match (&query.filter.client_id, &query.filter.target) {
            (Some(client_id), None) => of_one_client(keys, client_id, query),
            _ => along_one_index(keys, query),
        })
        .add(&format!(") CROSS JOIN {0} INDEXED BY sqlite_autoindex_{0}_1", rows.name()), [])
        .add(&format!("USING (client_id, target, window_start_ts) {NEWEST_FIRST}"), [])
}

/// One walk backwards: of the primary key where client and target are known, else of the index on time.
fn along_one_index(table: KeyedTable, query: &Query<RowPosition>) -> Statement {
    Statement::new(&format!("SELECT client_id, target, window_start_ts FROM {} WHERE", table.name()))
        .nest(table.conditions(query, LABELLED))
        .add_some("AND client_id = ?", query.filter.client_id.clone())
        .add_some("AND target = ?", query.filter.target.clone())
        .add(&format!("{NEWEST_FIRST} LIMIT ?"), [query.fetch_limit()])
}

/// A page of each of the client's targets, and of these the newest. Walking its whole history, or that of all
/// clients, would take ever longer as the store grows.
fn of_one_client(table: KeyedTable, client_id: &str, query: &Query<RowPosition>) -> Statement {
    let name = table.name();
    let client = || client_id.to_owned().into();
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
        .nest(table.conditions(query, LABELLED))
        .add("ORDER BY window_start_ts DESC LIMIT ?)", [query.fetch_limit()])
        .add(&format!("{NEWEST_FIRST} LIMIT ?"), [query.fetch_limit()])
}

/// The table expression `measured(target)`: each target of the client by one seek from the one before.
fn targets_of_client(table: &str, client_id: &str) -> Statement {
    let client = || client_id.to_owned().into();
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
