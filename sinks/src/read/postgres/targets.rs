//! Pages of the targets that rows name. There is no table of them: each pair of client and target is one seek from the
//! one before it.

use netqoe_model::WindowStart;
use postgres::Row;

use super::keys::in_months;
use crate::postgres::window::{Unreadable, narrow, unix_ms};
use crate::read::keyed_table::KeyedTable;
use crate::read::statement::Statement;
use crate::read::{Query, TargetRecord};

pub(super) fn statement(query: &Query<String>) -> Statement {
    let pairs = match &query.filter.target {
        Some(target) => pairs_of_target(target, query),
        None => pairs_after(query),
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

/// The table expression `pair(client_id, target)`: every client with the one target that is asked for.
fn pairs_of_target(target: &str, query: &Query<String>) -> Statement {
    let target = || target.to_owned().into();
    Statement::new("pair(client_id, target) AS (SELECT client_id,")
        .add("?::text COLLATE \"C\" FROM clients WHERE ? > ? COLLATE \"C\"", [target(), target(), after(query).into()])
        .add_some("AND client_id = ?", query.filter.client_id.clone())
        .add(")", [])
}

/// The same, with every target after the page before, and a null behind the last of each client.
fn pairs_after(query: &Query<String>) -> Statement {
    let next = |client: &str| {
        Statement::new("(SELECT target FROM agg_1m WHERE agg_1m.client_id =")
            .add(client, [])
            .nest(in_months(KeyedTable::Aggregates, query.filter.times_ms()))
    };
    Statement::new("pair(client_id, target) AS (SELECT client_id,")
        .nest(next("clients.client_id"))
        .add("AND target > ? ORDER BY target LIMIT 1) FROM clients WHERE true", [after(query).into()])
        .add_some("AND client_id = ?", query.filter.client_id.clone())
        .add("UNION ALL SELECT client_id,", [])
        .nest(next("pair.client_id"))
        .add("AND target > pair.target ORDER BY target LIMIT 1) FROM pair WHERE pair.target IS NOT NULL)", [])
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
        .add("ORDER BY window_start_ts DESC LIMIT 1) AS last_window FROM pair WHERE target IS NOT NULL", [])
}

pub(super) fn record(row: &Row) -> Result<TargetRecord, Unreadable> {
    Ok(TargetRecord {
        target: row.try_get("target")?,
        client_count: narrow::<i64, u64>(row, 1)?,
        last_window: WindowStart::from_ms(unix_ms(row.try_get("last_window")?)),
    })
}
