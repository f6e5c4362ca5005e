//! What a new generation reads.

use std::num::NonZeroU16;
use std::sync::LazyLock;
use std::time::SystemTime;

use netqoe_model::{Checkpoint, DiagnosisRules, Generation, Ledger, LogTime, PairPast, Partition, Position};
use postgres::fallible_iterator::FallibleIterator;
use postgres::types::{ToSql, Type};
use postgres::{Row, Transaction};

use super::Failure;
use super::window::{Unreadable, WINDOW_COLUMNS, narrow, timestamptz, unix_ms, window};
use crate::StoreError;
use crate::fence::Fence;
use crate::history::{Passed, PastInReading, ROWS_WITH_STATE, Reach};

/// The log that the store follows, or `None` if it is new. Commits wait until the transaction has ended.
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

/// Goes from key to key along the primary key and reads the newest final rows of each: a store holds thousands of rows of
/// a key, so that a scan, even of the last day, would read a hundred times as much. What is older than the newest usable
/// state is not sent. Rows that are further than the checkpoint are left out: see [`Passed`].
static NEWEST: LazyLock<String> = LazyLock::new(|| {
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
    SELECT client_id, target, usable, {WINDOW_COLUMNS}
    FROM keys
    LEFT JOIN unnest($3, $4) AS passed (passed_by, log_time) ON passed_by = client_id
    CROSS JOIN LATERAL (
        SELECT *, count(usable) OVER (ORDER BY window_start_ts DESC
                                      ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS newer_states
        FROM (
            SELECT {WINDOW_COLUMNS},
                   CASE WHEN substring(pair_state FROM 1 FOR octet_length($1)) = $1 THEN pair_state END AS usable
            FROM agg_1m
            WHERE agg_1m.client_id = keys.client_id AND agg_1m.target = keys.target AND is_final
              AND (log_time IS NULL OR as_of <= log_time)
            ORDER BY window_start_ts DESC LIMIT $2
        ) AS newest
    ) AS latest
    WHERE newer_states = 0
    ORDER BY client_id, target, window_start_ts DESC"
    )
});

/// The final rows before these times, of pairs in their order.
static OLDER: LazyLock<String> = LazyLock::new(|| {
    format!(
        "
    SELECT nth - 1, {WINDOW_COLUMNS}
    FROM unnest($1, $2, $3) WITH ORDINALITY AS pair (client_id, target, oldest, nth) CROSS JOIN LATERAL (
        SELECT {WINDOW_COLUMNS}
        FROM agg_1m
        WHERE agg_1m.client_id = pair.client_id AND agg_1m.target = pair.target AND is_final
          AND window_start_ts < pair.oldest
        ORDER BY window_start_ts DESC LIMIT $4
    ) AS older
    ORDER BY nth, window_start_ts DESC"
    )
});

/// A pair whose rows are being read.
struct Reading {
    client_id: String,
    target: String,
    past: PastInReading,
}

/// The past of each pair: mostly by one statement, and by another one where no state was found.
pub(super) fn history(
    transaction: &mut Transaction<'_>,
    rules: &DiagnosisRules,
    checkpoints: &[Checkpoint],
) -> Result<Vec<PairPast>, Failure> {
    let reach = Reach::new(rules);
    let mut pairs = newest(transaction, reach, checkpoints)?;
    older(transaction, reach, &mut pairs)?;
    Ok(pairs.into_iter().filter_map(|pair| pair.past.finish(&pair.client_id, &pair.target)).collect())
}

fn newest(
    transaction: &mut Transaction<'_>,
    reach: Reach,
    checkpoints: &[Checkpoint],
) -> Result<Vec<Reading>, Failure> {
    let (clients, log_times) = passed(transaction, checkpoints)?;
    let (tag, limit) = (reach.state_tag(), ROWS_WITH_STATE as i64);
    let parameters: [(&(dyn ToSql + Sync), Type); 4] = [
        (&tag, Type::BYTEA),
        (&limit, Type::INT8),
        (&clients, Type::TEXT_ARRAY),
        (&log_times, Type::TIMESTAMPTZ_ARRAY),
    ];
    let mut rows = transaction.query_typed_raw(&NEWEST, parameters)?;
    let mut pairs: Vec<Reading> = Vec::new();
    while let Some(row) = rows.next()? {
        let (client_id, target): (&str, &str) = (row.try_get(0)?, row.try_get(1)?);
        if pairs.last().is_none_or(|pair| pair.client_id != client_id || pair.target != target) {
            let past = PastInReading::new(reach);
            pairs.push(Reading { client_id: client_id.to_owned(), target: target.to_owned(), past });
        }
        if let Some(pair) = pairs.last_mut().filter(|pair| pair.past.wants_older()) {
            pair.past.take(window(&row, 3)?, row.try_get(2)?);
        }
    }
    Ok(pairs)
}

/// How far the log of each client has come, where its partition has a checkpoint. All that have rows are among the clients: these
/// are committed with them.
fn passed(
    transaction: &mut Transaction<'_>,
    checkpoints: &[Checkpoint],
) -> Result<(Vec<String>, Vec<SystemTime>), Failure> {
    let fence = transaction.query_typed_opt("SELECT partitions FROM fence", &[])?;
    let partitions = fence.map(|fence| narrow::<i32, u16>(&fence, 0)).transpose()?;
    let partitions = partitions.and_then(NonZeroU16::new).unwrap_or(NonZeroU16::MIN);
    let passed = Passed::new(checkpoints, partitions);
    let (mut clients, mut log_times) = (Vec::new(), Vec::new());
    for row in transaction.query_typed("SELECT client_id FROM clients", &[])? {
        let client_id: String = row.try_get(0)?;
        if let Some(log_time) = passed.log_time(&client_id) {
            clients.push(client_id);
            log_times.push(timestamptz(log_time.ms()));
        }
    }
    Ok((clients, log_times))
}

/// Reads on where the rows that were read are no whole past.
fn older(transaction: &mut Transaction<'_>, reach: Reach, pairs: &mut [Reading]) -> Result<(), Failure> {
    let mut unfinished: Vec<&mut Reading> =
        pairs.iter_mut().filter(|pair| pair.past.wants_older() && pair.past.taken() == ROWS_WITH_STATE).collect();
    if unfinished.is_empty() {
        return Ok(());
    }
    let client_ids: Vec<String> = unfinished.iter().map(|pair| pair.client_id.clone()).collect();
    let targets: Vec<String> = unfinished.iter().map(|pair| pair.target.clone()).collect();
    let oldest: Vec<Option<SystemTime>> =
        unfinished.iter().map(|pair| pair.past.oldest().map(|start| timestamptz(start.ms()))).collect();
    let limit = (reach.most_rows() - ROWS_WITH_STATE) as i64;
    let parameters: [(&(dyn ToSql + Sync), Type); 4] = [
        (&client_ids, Type::TEXT_ARRAY),
        (&targets, Type::TEXT_ARRAY),
        (&oldest, Type::TIMESTAMPTZ_ARRAY),
        (&limit, Type::INT8),
    ];
    let mut rows = transaction.query_typed_raw(&OLDER, parameters)?;
    while let Some(row) = rows.next()? {
        let nth = narrow::<i64, usize>(&row, 0)?;
        if let Some(pair) = unfinished.get_mut(nth).filter(|pair| pair.past.wants_older()) {
            pair.past.take(window(&row, 1)?, None);
        }
    }
    Ok(())
}
