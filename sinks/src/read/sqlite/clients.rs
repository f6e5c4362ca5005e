//! Pages of `clients`.

use netqoe_model::EventTime;
use rusqlite::{Connection, Row};

use super::LABELLED;
use super::execute::rows;
use crate::read::keyed_table::KeyedTable;
use crate::read::statement::Statement;
use crate::read::{ClientRecord, Page, Query};

pub(super) fn page(connection: &Connection, query: &Query<String>) -> rusqlite::Result<Page<ClientRecord>> {
    Ok(query.page(rows(&statement(query), connection, record)?))
}

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
                "AND EXISTS (SELECT 1 FROM agg_1m WHERE agg_1m.client_id = clients.client_id AND target = ?",
                [target.clone().into()],
            )
            .add("AND window_start_ts >= ? AND window_start_ts < ?)", filter.range()),
    };
    let keys = KeyedTable::with_label_of(filter);
    let windows = keys.name();
    let statement = match filter.has_labels() {
        false => statement,
        true => statement
            .add(&format!("AND EXISTS (SELECT 1 FROM {windows} WHERE {windows}.client_id = clients.client_id"), [])
            .add_some(keys.label_condition(), filter.label_text())
            .nest(keys.tagged(filter, LABELLED, windows, filter.times_ms()))
            .add_some("AND target = ?", filter.target.clone())
            .add("AND window_start_ts >= ? AND window_start_ts < ?)", filter.range()),
    };
    statement.add("ORDER BY client_id LIMIT ?", [query.fetch_limit()])
}

fn record(row: &Row<'_>) -> rusqlite::Result<ClientRecord> {
    Ok(ClientRecord {
        client_id: row.get("client_id")?,
        network_type: row.get("network_type")?,
        isp: row.get("isp")?,
        context: row.get("context")?,
        first_seen: EventTime::from_ms(row.get("first_seen")?),
        last_seen: EventTime::from_ms(row.get("last_seen")?),
    })
}
