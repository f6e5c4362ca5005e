//! How many pairs were degraded in each window.
//!
//! Decision: D-051.

use rusqlite::{Connection, Row};

use super::LABELLED;
use super::execute::rows;
use super::pairs;
use crate::read::statement::Statement;
use crate::read::{DegradedRecord, Extent, degraded};

pub(super) fn read(connection: &Connection, extent: &Extent, limit: u32) -> rusqlite::Result<Vec<DegradedRecord>> {
    rows(&statement(extent, limit), connection, record)
}

pub(super) fn statement(extent: &Extent, limit: u32) -> Statement {
    let windows = match (&extent.client_id, &extent.target) {
        // The index on time has the labels, too.
        (None, None) => Statement::new("diagnoses INDEXED BY diagnoses_window"),
        _ => of_pairs(extent),
    };
    let conditions = extent.in_time().nest(extent.tagged_diagnosis(LABELLED));
    degraded::counts(windows.add("WHERE", []).nest(conditions), limit)
}

/// For each pair a walk along the primary key.
fn of_pairs(extent: &Extent) -> Statement {
    Statement::new("(")
        .nest(pairs::statement(extent))
        .add(") CROSS JOIN diagnoses NOT INDEXED USING (client_id, target)", [])
}

fn record(row: &Row<'_>) -> rusqlite::Result<DegradedRecord> {
    degraded::record(row.get(0)?, |column| row.get(column))
}
