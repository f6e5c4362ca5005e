//! What a new generation reads.

use std::num::NonZeroU16;

use netqoe_model::{
    Checkpoint, DiagnosisRules, ErrorStage, Generation, Ledger, LogTime, Metric, PairPast, Partition, Percentiles,
    Position, WindowRow, WindowStart, to_thousandths,
};
use rusqlite::{Connection, OptionalExtension, Row, Rows, params};

use super::{Failure, StoreFile};
use crate::StoreError;
use crate::fence::Fence;
use crate::history::{Passed, PastInReading, Reach};

/// The log that the store follows, or `None` if it is new.
pub(super) fn fence(transaction: &Connection) -> rusqlite::Result<Option<Fence>> {
    transaction
        .query_row(
            "SELECT log_id, partitions, generation, EXISTS (SELECT 1 FROM checkpoint) OR EXISTS (SELECT 1 FROM agg_1m)
             FROM fence",
            [],
            |row| {
                Ok(Fence {
                    log_id: row.get(0)?,
                    partitions: row.get(1)?,
                    generation: row.get(2)?,
                    has_results: row.get(3)?,
                })
            },
        )
        .optional()
}

/// The log that the store follows, where this is the generation that may write to it.
pub(super) fn current(transaction: &Connection, file: &StoreFile, generation: Generation) -> Result<String, Failure> {
    let fenced = |current, opened_by| Failure::from(StoreError::fenced(file.name(), generation, current, opened_by));
    let mut statement = transaction.prepare_cached("SELECT log_id, generation, opened_by FROM fence")?;
    let fence = statement.query_row([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).optional()?;
    let (log_id, current, opened_by) = fence.ok_or_else(|| fenced(0, None))?;
    if current == generation.0 { Ok(log_id) } else { Err(fenced(current, opened_by)) }
}

/// How far each partition has come.
pub(crate) fn checkpoints(transaction: &Connection) -> rusqlite::Result<Vec<Checkpoint>> {
    let mut statement = transaction.prepare(
        "SELECT partition, resume_from, processed, log_time, read, accepted, duplicate, late, invalid
         FROM checkpoint ORDER BY partition",
    )?;
    let rows = statement.query_map([], |row| {
        let count = |column| row.get(column).map(i64::cast_unsigned);
        Ok(Checkpoint {
            partition: Partition(row.get(0)?),
            resume_from: Position(count(1)?),
            processed: Position(count(2)?),
            log_time: LogTime::from_ms(row.get(3)?),
            ledger: Ledger {
                read: count(4)?,
                accepted: count(5)?,
                duplicate: count(6)?,
                late: count(7)?,
                invalid: count(8)?,
            },
        })
    })?;
    rows.collect()
}

/// The past of each pair. Goes from key to key and reads a few rows of each: a store holds thousands of rows of a key, so
/// that a scan, even of the last day, would read a hundred times as much.
pub(super) fn history(
    transaction: &Connection,
    rules: &DiagnosisRules,
    checkpoints: &[Checkpoint],
) -> rusqlite::Result<Vec<PairPast>> {
    let partitions: NonZeroU16 = transaction.query_row("SELECT partitions FROM fence", [], |row| row.get(0))?;
    let passed = Passed::new(checkpoints, partitions);
    let mut next_key = transaction.prepare(
        "SELECT client_id, target FROM agg_1m WHERE (client_id, target) > (?1, ?2) ORDER BY client_id, target LIMIT 1",
    )?;
    let mut latest = transaction.prepare(&final_rows("as_of <= ?3"))?;
    let reach = Reach::new(rules);
    let mut history = Vec::new();
    // Both names have at least one byte, so this lies before every key.
    let mut key = (String::new(), String::new());
    while let Some(next) = next_key.query_row([&key.0, &key.1], |row| Ok((row.get(0)?, row.get(1)?))).optional()? {
        key = next;
        let through = passed.log_time(&key.0).map_or(i64::MAX, LogTime::ms);
        let rows = latest.query(params![key.0, key.1, through])?;
        history.extend(past(rows, PastInReading::new(reach))?.finish(&key.0, &key.1));
    }
    Ok(history)
}

/// The final rows of a pair that fulfil a condition, newest first.
pub(super) fn final_rows(condition: &str) -> String {
    format!(
        "SELECT window_start_ts, as_of, count_success, dns_error_count, tcp_error_count, tls_error_count,
                http_error_count, throughput_error_count, dns_p50, dns_p95, tcp_p50, tcp_p95, tls_p50, tls_p95,
                ttfb_p50, ttfb_p95, throughput_p50, throughput_p95, pair_state
         FROM agg_1m WHERE client_id = ?1 AND target = ?2 AND is_final = 1 AND {condition} ORDER BY window_start_ts DESC"
    )
}

/// Reads as many of [`final_rows`] as a past wants.
pub(super) fn past(mut rows: Rows<'_>, mut past: PastInReading) -> rusqlite::Result<PastInReading> {
    while past.wants_older() {
        let Some(row) = rows.next()? else { break };
        past.take(final_window(row)?, row.get_ref("pair_state")?.as_blob_or_null()?);
    }
    Ok(past)
}

/// Without its network and its labels: nothing is judged by those.
fn final_window(row: &Row<'_>) -> rusqlite::Result<WindowRow> {
    const FIRST_ERROR_COUNT: usize = 3;
    const FIRST_PERCENTILE: usize = FIRST_ERROR_COUNT + ErrorStage::ALL.len();
    let mut errors = [0; ErrorStage::ALL.len()];
    for (stage, count) in errors.iter_mut().enumerate() {
        *count = row.get(FIRST_ERROR_COUNT + stage)?;
    }
    let mut percentiles = [None; Metric::ALL.len()];
    for (metric, both) in percentiles.iter_mut().enumerate() {
        let p50: Option<f64> = row.get(FIRST_PERCENTILE + 2 * metric)?;
        let p95: Option<f64> = row.get(FIRST_PERCENTILE + 2 * metric + 1)?;
        *both = p50.zip(p95).map(|(p50, p95)| Percentiles { p50: to_thousandths(p50), p95: to_thousandths(p95) });
    }
    Ok(WindowRow {
        start: WindowStart::from_ms(row.get(0)?),
        is_final: true,
        as_of: LogTime::from_ms(row.get(1)?),
        count_success: row.get(2)?,
        errors,
        percentiles,
        network: None,
        tags: None,
    })
}
