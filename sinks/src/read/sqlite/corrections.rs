//! What was corrected, and what waits.

use netqoe_model::WindowStart;
use rusqlite::{Connection, Row, params};

use super::execute::rows;
use crate::read::statement::{Statement, Value};
use crate::read::{CorrectedHour, CorrectedSince, WaitingEvents};

/// Both by the primary key.
const SINCE: &str =
    "SELECT (SELECT max(id) FROM corrections), (SELECT min(from_window) FROM corrections WHERE id > ?1)";

pub(super) fn since(connection: &Connection, known: i64) -> rusqlite::Result<CorrectedSince> {
    connection.prepare_cached(SINCE)?.query_row([known], |row| {
        Ok(CorrectedSince {
            newest: row.get::<_, Option<i64>>(0)?.unwrap_or(0),
            from: row.get::<_, Option<i64>>(1)?.map(WindowStart::from_ms),
        })
    })
}

pub(super) fn hours(
    connection: &Connection,
    [from_ms, to_ms]: [i64; 2],
    limit: u32,
) -> rusqlite::Result<Vec<CorrectedHour>> {
    let statement = Statement::new(
        "SELECT at / 3600000 * 3600000 AS hour, count(*), sum(pairs), sum(accepted), sum(duplicate), sum(rows_written)
         FROM corrections",
    )
    .add("WHERE at >= ? AND at < ?", [Value::Time(from_ms), Value::Time(to_ms)])
    .add("AND pairs > 0 GROUP BY hour ORDER BY hour LIMIT ?", [Value::Count(limit.into())]);
    rows(&statement, connection, hour)
}

fn hour(row: &Row<'_>) -> rusqlite::Result<CorrectedHour> {
    Ok(CorrectedHour {
        hour_ms: row.get(0)?,
        corrections: row.get(1)?,
        pairs: row.get(2)?,
        accepted: row.get(3)?,
        duplicate: row.get(4)?,
        rows_written: row.get(5)?,
    })
}

pub(super) fn waiting(connection: &Connection) -> rusqlite::Result<WaitingEvents> {
    let all = "SELECT count(*), coalesce(sum(events), 0) FROM waiting_corrections";
    let waiting = |row: &Row<'_>| Ok(WaitingEvents { pairs: row.get(0)?, events: row.get(1)? });
    connection.prepare_cached(all)?.query_row(params![], waiting)
}
