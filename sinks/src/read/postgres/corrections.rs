//! What was corrected, and what waits.

use std::time::SystemTime;

use netqoe_model::WindowStart;
use postgres::Row;

use crate::postgres::window::{Unreadable, narrow, unix_ms};
use crate::read::statement::{Statement, Value};
use crate::read::{CorrectedHour, CorrectedSince, WaitingEvents};

/// Both by the primary key.
pub(super) fn since(known: i64) -> Statement {
    Statement::new("SELECT (SELECT max(id) FROM corrections),")
        .add("(SELECT min(from_window) FROM corrections WHERE id > ?)", [Value::Count(known)])
}

pub(super) fn since_record(row: &Row) -> Result<CorrectedSince, Unreadable> {
    Ok(CorrectedSince {
        newest: row.try_get::<_, Option<i64>>(0)?.unwrap_or(0),
        from: row.try_get::<_, Option<SystemTime>>(1)?.map(|from| WindowStart::from_ms(unix_ms(from))),
    })
}

pub(super) fn hours([from_ms, to_ms]: [i64; 2], limit: u32) -> Statement {
    Statement::new(
        "SELECT date_bin('1 hour', at, 'epoch') AS hour, count(*), sum(pairs)::bigint, sum(accepted)::bigint,
             sum(duplicate)::bigint, sum(rows_written)::bigint
         FROM corrections",
    )
    .add("WHERE at >= ? AND at < ?", [Value::Time(from_ms), Value::Time(to_ms)])
    .add("AND pairs > 0 GROUP BY hour ORDER BY hour LIMIT ?", [Value::Count(limit.into())])
}

pub(super) fn hour(row: &Row) -> Result<CorrectedHour, Unreadable> {
    Ok(CorrectedHour {
        hour_ms: unix_ms(row.try_get(0)?),
        corrections: narrow::<i64, u64>(row, 1)?,
        pairs: narrow::<i64, u64>(row, 2)?,
        accepted: narrow::<i64, u64>(row, 3)?,
        duplicate: narrow::<i64, u64>(row, 4)?,
        rows_written: narrow::<i64, u64>(row, 5)?,
    })
}

pub(super) fn waiting() -> Statement {
    Statement::new("SELECT count(*), coalesce(sum(events), 0)::bigint FROM waiting_corrections")
}

pub(super) fn waiting_record(row: &Row) -> Result<WaitingEvents, Unreadable> {
    Ok(WaitingEvents { pairs: narrow::<i64, u64>(row, 0)?, events: narrow::<i64, u64>(row, 1)? })
}
