//! Runs of pairs.

use netqoe_model::{Label, WindowStart};
use rusqlite::{Connection, Row};

use super::LABELLED;
use super::execute::{known, rows};
use super::pairs;
use crate::read::statement::Statement;
use crate::read::{Extent, Filter, RunRecord, runs};

pub(super) fn read(connection: &Connection, filter: &Filter, limit: u16) -> rusqlite::Result<Vec<RunRecord>> {
    rows(&statement(filter, limit), connection, record)
}

pub(super) fn statement(filter: &Filter, limit: u16) -> Statement {
    let extent = runs::extent(filter);
    let windows = match (&filter.client_id, &filter.target) {
        (None, None) => Statement::new("diagnoses INDEXED BY diagnoses_window"),
        _ => of_pairs(&extent),
    };
    let conditions = extent.in_time().nest(extent.tagged_diagnosis(LABELLED));
    runs::of(windows.add("WHERE", []).nest(conditions), filter, limit)
}

/// For each pair a walk along the primary key.
fn of_pairs(extent: &Extent) -> Statement {
    Statement::new("(")
        .nest(pairs::statement(extent))
        .add(") CROSS JOIN diagnoses NOT INDEXED USING (client_id, target)", [])
}

fn record(row: &Row<'_>) -> rusqlite::Result<RunRecord> {
    Ok(RunRecord {
        client_id: row.get(0)?,
        target: row.get(1)?,
        label: known(row.get_ref(2)?.as_str()?, Label::parse)?,
        since: WindowStart::from_ms(row.get(3)?),
        last_window: WindowStart::from_ms(row.get(4)?),
        windows: row.get(5)?,
        worst_severity: runs::severity(row.get(6)?),
        is_final: row.get(7)?,
    })
}
