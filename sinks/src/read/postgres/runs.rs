//! Runs of pairs.

use netqoe_model::{Label, WindowStart};
use postgres::Row;

use super::execute::known;
use super::{LABELLED, pairs};
use crate::postgres::window::{Unreadable, narrow, unix_ms};
use crate::read::statement::Statement;
use crate::read::{Extent, Filter, RunRecord, runs};

pub(super) fn statement(filter: &Filter, limit: u16) -> Statement {
    let extent = runs::extent(filter);
    let windows = match (&filter.client_id, &filter.target) {
        (None, None) => Statement::new("diagnoses WHERE").nest(conditions(&extent)),
        _ => of_pairs(&extent),
    };
    runs::of(windows, filter, limit)
}

/// For each pair a walk along the primary key. The offset keeps the planner from joining whole tables.
fn of_pairs(extent: &Extent) -> Statement {
    Statement::new("(WITH RECURSIVE")
        .nest(pairs::within(extent))
        .add("SELECT windows.* FROM pair CROSS JOIN LATERAL (SELECT * FROM diagnoses", [])
        .add("WHERE diagnoses.client_id = pair.client_id AND diagnoses.target = pair.target AND", [])
        .nest(conditions(extent))
        .add("OFFSET 0) AS windows WHERE pair.target IS NOT NULL) AS degraded WHERE true", [])
}

fn conditions(extent: &Extent) -> Statement {
    extent.in_time().nest(extent.tagged_diagnosis(LABELLED))
}

pub(super) fn record(row: &Row) -> Result<RunRecord, Unreadable> {
    Ok(RunRecord {
        client_id: row.try_get(0)?,
        target: row.try_get(1)?,
        label: known(row.try_get(2)?, Label::parse)?,
        since: WindowStart::from_ms(unix_ms(row.try_get(3)?)),
        last_window: WindowStart::from_ms(unix_ms(row.try_get(4)?)),
        windows: narrow::<i64, u64>(row, 5)?,
        worst_severity: runs::severity(row.try_get::<_, i32>(6)?.into()),
        is_final: row.try_get(7)?,
    })
}
