//! Pages of the targets that rows name. There is no table of them: each pair of client and target is one seek from the
//! one before it.

use netqoe_model::WindowStart;
use postgres::Row;

use super::{LABELLED, pairs};
use crate::postgres::window::{Unreadable, narrow, unix_ms};
use crate::read::keyed_table::KeyedTable;
use crate::read::statement::Statement;
use crate::read::{Query, TargetRecord};

pub(super) fn statement(query: &Query<String>) -> Statement {
    let pairs = match &query.filter.target {
        Some(target) => pairs::of_target(target, &after(query), query.filter.client_id.as_ref()),
        None => pairs::after(&after(query), query.filter.client_id.as_ref(), query.filter.times_ms()),
    };
    Statement::new("WITH RECURSIVE")
        .nest(pairs)
        .add("SELECT target, count(*) AS client_count, max(last_window) AS last_window FROM (", [])
        .nest(last_windows(query))
        .add(
            ") AS windows WHERE last_window IS NOT NULL GROUP BY target ORDER BY target LIMIT ?",
            [query.fetch_limit()],
        )
}

/// No target is empty: all come after it.
fn after(query: &Query<String>) -> String {
    query.after.clone().unwrap_or_default()
}

/// (target, last_window): the newest window of each pair that the filter lets through; null where there is none.
fn last_windows(query: &Query<String>) -> Statement {
    let keys = KeyedTable::with_label_of(&query.filter);
    let table = keys.name();
    Statement::new(&format!("SELECT target, (SELECT window_start_ts FROM {table} AS rows"))
        .add("WHERE rows.client_id = pair.client_id AND rows.target = pair.target", [])
        .add("AND window_start_ts >= ? AND window_start_ts < ?", query.filter.range())
        .add_some(keys.label_condition(), query.filter.label_text())
        .nest(keys.tagged(&query.filter, LABELLED, "rows", query.filter.times_ms()))
        .add("ORDER BY window_start_ts DESC LIMIT 1) AS last_window FROM pair WHERE target IS NOT NULL", [])
}

pub(super) fn record(row: &Row) -> Result<TargetRecord, Unreadable> {
    Ok(TargetRecord {
        target: row.try_get("target")?,
        client_count: narrow::<i64, u64>(row, 1)?,
        last_window: WindowStart::from_ms(unix_ms(row.try_get("last_window")?)),
    })
}
