//! Pages of the targets that rows name. There is no table of them: each pair of client and target is one seek from the
//! one before it.

use netqoe_model::WindowStart;
use rusqlite::{Connection, Row};

use super::LABELLED;
use super::execute::rows;
use super::pairs;
use crate::read::keyed_table::KeyedTable;
use crate::read::statement::Statement;
use crate::read::{Page, Query, TargetRecord};

pub(super) fn page(connection: &Connection, query: &Query<String>) -> rusqlite::Result<Page<TargetRecord>> {
    Ok(query.page(rows(&statement(query), connection, record)?))
}

pub(super) fn statement(query: &Query<String>) -> Statement {
    Statement::new("SELECT target, count(*) AS client_count, max(last_window) AS last_window FROM (")
        .nest(pairs_with_last_window(query))
        .add(") WHERE last_window IS NOT NULL GROUP BY target ORDER BY target LIMIT ?", [query.fetch_limit()])
}

/// (client_id, target, last_window): the newest window that the filter lets through; null where there is none.
fn pairs_with_last_window(query: &Query<String>) -> Statement {
    let filter = &query.filter;
    // No target is empty: all come after it.
    let after = query.after.clone().unwrap_or_default();
    let keys = KeyedTable::with_label_of(filter);
    let table = keys.name();
    pairs::after(after, filter.client_id.as_ref())
        .add("SELECT client_id, target, (SELECT max(window_start_ts)", [])
        .add(&format!("FROM {table} rows WHERE rows.client_id = pair.client_id AND rows.target = pair.target"), [])
        .add("AND window_start_ts >= ? AND window_start_ts < ?", filter.range())
        .add_some(keys.label_condition(), filter.label_text())
        .nest(keys.tagged(filter, LABELLED, "rows", filter.times_ms()))
        .add(") AS last_window FROM pair WHERE pair.target IS NOT NULL", [])
        .add_some("AND pair.target = ?", filter.target.clone())
}

fn record(row: &Row<'_>) -> rusqlite::Result<TargetRecord> {
    Ok(TargetRecord {
        target: row.get("target")?,
        client_count: row.get("client_count")?,
        last_window: WindowStart::from_ms(row.get("last_window")?),
    })
}
