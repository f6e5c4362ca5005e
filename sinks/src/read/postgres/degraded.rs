//! How many pairs were degraded in each window.
//!
//! Decision: D-051.

use postgres::Row;

use super::{LABELLED, pairs};
use crate::postgres::window::{Unreadable, narrow, unix_ms};
use crate::read::statement::Statement;
use crate::read::{DegradedRecord, Extent, degraded};

pub(super) fn statement(extent: &Extent, limit: u32) -> Statement {
    let windows = match (&extent.client_id, &extent.target) {
        // The index on time has the labels, too.
        (None, None) => Statement::new("diagnoses WHERE").nest(conditions(extent)),
        _ => of_pairs(extent),
    };
    degraded::counts(windows, limit)
}

/// For each pair a walk along the primary key. The offset keeps the planner from joining whole tables.
fn of_pairs(extent: &Extent) -> Statement {
    Statement::new("(WITH RECURSIVE")
        .nest(pairs::within(extent))
        .add("SELECT windows.* FROM pair CROSS JOIN LATERAL (SELECT window_start_ts, label FROM diagnoses", [])
        .add("WHERE diagnoses.client_id = pair.client_id AND diagnoses.target = pair.target AND", [])
        .nest(conditions(extent))
        .add("OFFSET 0) AS windows WHERE target IS NOT NULL) AS degraded", [])
}

fn conditions(extent: &Extent) -> Statement {
    extent.in_time().nest(extent.tagged_diagnosis(LABELLED))
}

pub(super) fn record(row: &Row) -> Result<DegradedRecord, Unreadable> {
    degraded::record(unix_ms(row.try_get(0)?), |column| narrow::<i64, u64>(row, column))
}
