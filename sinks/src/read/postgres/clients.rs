//! Pages of `clients`.

use netqoe_model::EventTime;
use postgres::Row;

use super::LABELLED;
use crate::postgres::window::{Unreadable, unix_ms};
use crate::read::keyed_table::KeyedTable;
use crate::read::statement::Statement;
use crate::read::{ClientRecord, Query};

/// Keeps the planner from joining whole tables: each client of the page is looked up by itself. (The order of diagnoses is
/// that of their primary key: most clients have none, and it takes any other way to be sure of that.)
const BY_ITSELF: &str = "OFFSET 0)";

pub(super) fn statement(query: &Query<String>) -> Statement {
    let filter = &query.filter;
    let [from, to] = filter.range();
    // No client has an empty id: all come after it.
    let after = query.after.clone().unwrap_or_default();
    let statement =
        Statement::new("SELECT client_id, network_type, isp, context, first_seen, last_seen FROM clients WHERE")
            .add("client_id > ? AND last_seen >= ? AND first_seen < ?", [after.into(), from, to])
            .add_some("AND client_id = ?", filter.client_id.clone());
    let statement = match &filter.target {
        None => statement,
        Some(target) => statement
            .add(
                "AND EXISTS (SELECT FROM agg_1m WHERE agg_1m.client_id = clients.client_id AND target = ?",
                [target.clone().into()],
            )
            .add("AND window_start_ts >= ? AND window_start_ts < ?", filter.range())
            .add(BY_ITSELF, []),
    };
    let keys = KeyedTable::with_label_of(filter);
    let windows = keys.name();
    let statement = match filter.has_labels() {
        false => statement,
        true => statement
            .add(&format!("AND EXISTS (SELECT FROM {windows} WHERE {windows}.client_id = clients.client_id"), [])
            .add_some(keys.label_condition(), filter.label_text())
            .nest(keys.tagged(filter, LABELLED, windows, filter.times_ms()))
            .add_some("AND target = ?", filter.target.clone())
            .add("AND window_start_ts >= ? AND window_start_ts < ?", filter.range())
            .add("ORDER BY target, window_start_ts", [])
            .add(BY_ITSELF, []),
    };
    statement.add("ORDER BY client_id LIMIT ?", [query.fetch_limit()])
}

pub(super) fn record(row: &Row) -> Result<ClientRecord, Unreadable> {
    Ok(ClientRecord {
        client_id: row.try_get("client_id")?,
        network_type: row.try_get("network_type")?,
        isp: row.try_get("isp")?,
        context: row.try_get("context")?,
        first_seen: EventTime::from_ms(unix_ms(row.try_get("first_seen")?)),
        last_seen: EventTime::from_ms(unix_ms(row.try_get("last_seen")?)),
    })
}
