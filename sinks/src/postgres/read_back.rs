//! What a new generation reads.

use std::sync::LazyLock;

use netqoe_model::{AggregateRow, Checkpoint, DiagnosisRules, Generation, Ledger, LogTime, Partition, Position};
use postgres::fallible_iterator::FallibleIterator;
use postgres::types::{ToSql, Type};
use postgres::{Row, Transaction};

use super::Failure;
use super::window::{Unreadable, WINDOW_COLUMNS, narrow, unix_ms, window};
use crate::StoreError;
use crate::fence::Fence;
use crate::history::History;

/// The log that the store follows, or `None` where it is new. Commits wait until the transaction has ended.
pub(super) fn fence(transaction: &mut Transaction<'_>) -> Result<Option<Fence>, Failure> {
    let row = transaction.query_typed_opt(
        "SELECT log_id, partitions, generation, EXISTS (SELECT FROM checkpoint) OR EXISTS (SELECT FROM agg_1m)
         FROM fence FOR UPDATE OF fence",
        &[],
    )?;
    let Some(row) = row else { return Ok(None) };
    Ok(Some(Fence {
        log_id: row.try_get(0)?,
        partitions: narrow::<i32, u16>(&row, 1)?,
        generation: row.try_get(2)?,
        has_results: row.try_get(3)?,
    }))
}

/// The log that the store follows, where this is the generation that may write to it, now and until the transaction
/// has ended: taking another generation waits for that.
pub(super) fn current_until_end(
    transaction: &mut Transaction<'_>,
    store: &str,
    generation: Generation,
) -> Result<String, Failure> {
    admitted(
        transaction.query_typed_opt("SELECT log_id, generation, opened_by FROM fence FOR SHARE", &[])?,
        store,
        generation,
    )
}

/// The log that the store follows, where this is the generation that may write to it as the transaction sees it.
pub(super) fn current(
    transaction: &mut Transaction<'_>,
    store: &str,
    generation: Generation,
) -> Result<String, Failure> {
    admitted(transaction.query_typed_opt("SELECT log_id, generation, opened_by FROM fence", &[])?, store, generation)
}

fn admitted(fence: Option<Row>, store: &str, generation: Generation) -> Result<String, Failure> {
    let fenced =
        |current, opened_by| Failure::from(StoreError::fenced(store.to_owned(), generation, current, opened_by));
    let row = fence.ok_or_else(|| fenced(0, None))?;
    let current = row.try_get(1)?;
    #[cfg(feature = "planted-faults")]
    let current = if super::planted::lets_everybody_write() { generation.0 } else { current };
    if current == generation.0 { Ok(row.try_get(0)?) } else { Err(fenced(current, row.try_get(2)?)) }
}

/// How far each partition has come.
pub(super) fn checkpoints(transaction: &mut Transaction<'_>) -> Result<Vec<Checkpoint>, Failure> {
    let rows = transaction.query_typed(CHECKPOINTS, &[])?;
    Ok(rows.iter().map(checkpoint).collect::<Result<_, _>>()?)
}

/// What [`checkpoint`] reads.
pub(crate) const CHECKPOINTS: &str = "SELECT partition, resume_from, processed, log_time,
    read, accepted, duplicate, late, invalid FROM checkpoint ORDER BY partition";

pub(crate) fn checkpoint(row: &Row) -> Result<Checkpoint, Unreadable> {
    let count = |column| row.try_get(column).map(i64::cast_unsigned);
    Ok(Checkpoint {
        partition: Partition(narrow::<i32, u16>(row, 0)?),
        resume_from: Position(count(1)?),
        processed: Position(count(2)?),
        log_time: LogTime::from_ms(unix_ms(row.try_get(3)?)),
        ledger: Ledger {
            read: count(4)?,
            accepted: count(5)?,
            duplicate: count(6)?,
            late: count(7)?,
            invalid: count(8)?,
        },
    })
}

/// Goes from key to key along the primary key and reads a few rows of each: a store holds thousands of rows of a
/// key, so that a scan, even of the last day, would read a hundred times as much.
static HISTORY: LazyLock<String> = LazyLock::new(|| {
    format!(
        "
    WITH RECURSIVE keys AS (
        (SELECT client_id, target FROM agg_1m ORDER BY client_id, target LIMIT 1)
        UNION ALL
        SELECT next.client_id, next.target
        FROM keys CROSS JOIN LATERAL (
            SELECT client_id, target FROM agg_1m
            WHERE (agg_1m.client_id, agg_1m.target) > (keys.client_id, keys.target)
            ORDER BY client_id, target LIMIT 1
        ) AS next
    )
    SELECT client_id, target, latest.*
    FROM keys CROSS JOIN LATERAL (
        SELECT {WINDOW_COLUMNS}
        FROM agg_1m
        WHERE agg_1m.client_id = keys.client_id AND agg_1m.target = keys.target AND is_final AND count_success > 0
        ORDER BY window_start_ts DESC LIMIT $1
    ) AS latest
    ORDER BY client_id, target, window_start_ts DESC"
    )
});

/// The latest final rows with a success of each key.
pub(super) fn history(transaction: &mut Transaction<'_>, rules: &DiagnosisRules) -> Result<Vec<AggregateRow>, Failure> {
    let limit = i64::try_from(rules.baseline_windows).unwrap_or(i64::MAX);
    let parameter: (&(dyn ToSql + Sync), Type) = (&limit, Type::INT8);
    let mut rows = transaction.query_typed_raw(&HISTORY, [parameter])?;
    let mut history = History::new(rules.baseline_max_age_ms);
    while let Some(row) = rows.next()? {
        history.push(row.try_get(0)?, row.try_get(1)?, window(&row, 2)?);
    }
    Ok(history.finish())
}
