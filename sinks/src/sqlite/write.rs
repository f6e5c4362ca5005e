//! What a commit writes, within the transaction that the caller has begun.

use std::fmt::Write;
use std::sync::LazyLock;

use netqoe_model::{AggregateRow, Diagnosis, Generation, LogIdentity, PartitionCommit};
use rusqlite::{Connection, Statement, params};

use crate::{Opening, batch};

/// Rows that one statement inserts. With fewer, starting the statement costs more than the rows; more gain nothing.
const ROWS_PER_STATEMENT: usize = 16;

/// The columns of `agg_1m`, in the order in which they are bound.
const COLUMNS: [&str; 26] = [
    "client_id",
    "target",
    "window_start_ts",
    "count_total",
    "count_success",
    "count_error",
    "dns_error_count",
    "tcp_error_count",
    "tls_error_count",
    "http_error_count",
    "throughput_error_count",
    "dns_p50",
    "dns_p95",
    "tcp_p50",
    "tcp_p95",
    "tls_p50",
    "tls_p95",
    "ttfb_p50",
    "ttfb_p95",
    "throughput_p50",
    "throughput_p95",
    "diagnosis_label",
    "is_final",
    "as_of",
    "updated_at",
    "pair_state",
];

/// Inserts as many of [`ROWS_PER_STATEMENT`] rows as the store does not have.
static INSERT_NEW: LazyLock<String> = LazyLock::new(|| insert(ROWS_PER_STATEMENT) + " ON CONFLICT DO NOTHING");

/// Writes one row, unless the store has one that reflects more.
static UPSERT: LazyLock<String> = LazyLock::new(|| {
    let assignments: Vec<String> = COLUMNS[3..].iter().map(|column| format!("{column} = excluded.{column}")).collect();
    format!("{} ON CONFLICT DO UPDATE SET {} WHERE excluded.as_of >= agg_1m.as_of", insert(1), assignments.join(", "))
});

fn insert(rows: usize) -> String {
    let row = format!("({})", ["?"; COLUMNS.len()].join(", "));
    let mut sql = format!("INSERT INTO agg_1m ({}) VALUES {row}", COLUMNS.join(", "));
    for _ in 1..rows {
        // Writing to a String does not fail.
        let _ = write!(sql, ", {row}");
    }
    sql
}

/// Writes the rows of all partitions and the diagnoses that follow from them.
///
/// Most rows are new. They are inserted many at a time, and as a diagnosis never stands without its row, there is no
/// earlier one to delete. Where the store has any of them, each goes the longer way.
pub(super) fn rows(transaction: &Connection, partitions: &[PartitionCommit], updated_at: i64) -> rusqlite::Result<()> {
    let rows = batch::rows_by_key(partitions);
    let (many, rest) = rows.as_chunks::<ROWS_PER_STATEMENT>();
    let mut insert_new = transaction.prepare_cached(&INSERT_NEW)?;
    let mut writer = RowWriter::prepare(transaction, updated_at)?;
    for chunk in many {
        for (index, row) in chunk.iter().enumerate() {
            bind(&mut insert_new, index * COLUMNS.len(), row, updated_at)?;
        }
        if insert_new.raw_execute()? == chunk.len() {
            chunk.iter().try_for_each(|row| writer.insert_diagnosis(row))?;
        } else {
            chunk.iter().try_for_each(|row| writer.upsert(row))?;
        }
    }
    rest.iter().try_for_each(|row| writer.upsert(row))
}

/// Binds a row to the parameters after the first `bound`. Allocates nothing.
fn bind(statement: &mut Statement<'_>, bound: usize, row: &AggregateRow, updated_at: i64) -> rusqlite::Result<()> {
    let window = &row.window;
    let mut index = bound;
    macro_rules! next {
        ($value:expr) => {{
            index += 1;
            statement.raw_bind_parameter(index, $value)?;
        }};
    }
    next!(&*row.client_id);
    next!(&*row.target);
    next!(window.start.ms());
    next!(window.count_total());
    next!(window.count_success);
    next!(window.count_error());
    for count in window.errors {
        next!(count);
    }
    for both in window.percentiles {
        next!(both.map(|both| batch::from_thousandths(both.p50)));
        next!(both.map(|both| batch::from_thousandths(both.p95)));
    }
    next!(row.diagnosis.as_ref().map(|diagnosis| diagnosis.label.as_str()));
    next!(window.is_final);
    next!(window.as_of.ms());
    next!(updated_at);
    next!(row.pair_state.as_deref());
    Ok(())
}

/// The statements for rows that go one by one, and for their diagnoses.
struct RowWriter<'a> {
    upsert: rusqlite::CachedStatement<'a>,
    upsert_diagnosis: rusqlite::CachedStatement<'a>,
    delete_diagnosis: rusqlite::CachedStatement<'a>,
    updated_at: i64,
}

impl<'a> RowWriter<'a> {
    fn prepare(transaction: &'a Connection, updated_at: i64) -> rusqlite::Result<Self> {
        Ok(Self {
            upsert: transaction.prepare_cached(&UPSERT)?,
            upsert_diagnosis: transaction.prepare_cached(
                "INSERT OR REPLACE INTO diagnoses (client_id, target, window_start_ts, label, severity, stage, observed,
                     usual, usual_low, usual_high, sigmas, share_of_total, samples, bad_samples, windows, since_ts,
                     is_final, as_of, updated_at)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19)",
            )?,
            delete_diagnosis: transaction.prepare_cached(
                "DELETE FROM diagnoses WHERE client_id = ?1 AND target = ?2 AND window_start_ts = ?3",
            )?,
            updated_at,
        })
    }

    /// Writes a row, and its diagnosis in the place of an earlier one, unless the store has one that reflects more.
    fn upsert(&mut self, row: &AggregateRow) -> rusqlite::Result<()> {
        bind(&mut self.upsert, 0, row, self.updated_at)?;
        let is_newer_in_store = self.upsert.raw_execute()? == 0;
        if is_newer_in_store {
            return Ok(());
        }
        if row.diagnosis.as_ref().is_some_and(|diagnosis| diagnosis.finding.is_some()) {
            return self.insert_diagnosis(row);
        }
        self.delete_diagnosis.execute(params![&*row.client_id, &*row.target, row.window.start.ms()])?;
        Ok(())
    }

    /// Writes a row's diagnosis where something hurts.
    fn insert_diagnosis(&mut self, row: &AggregateRow) -> rusqlite::Result<()> {
        let Some(Diagnosis { label, finding: Some(finding) }) = &row.diagnosis else { return Ok(()) };
        let (severity, evidence) = &**finding;
        self.upsert_diagnosis.execute(params![
            &*row.client_id,
            &*row.target,
            row.window.start.ms(),
            label.as_str(),
            severity.as_str(),
            evidence.stage,
            evidence.observed,
            evidence.usual.map(|usual| usual.centre),
            evidence.usual.map(|usual| usual.low),
            evidence.usual.map(|usual| usual.high),
            evidence.sigmas,
            evidence.share_of_total,
            evidence.samples,
            evidence.bad_samples,
            evidence.windows,
            evidence.since.ms(),
            row.window.is_final,
            row.window.as_of.ms(),
            self.updated_at,
        ])?;
        Ok(())
    }
}

/// Writes the clients: the earlier first time, the later last time, and the context that came with that.
pub(super) fn clients(transaction: &Connection, partitions: &[PartitionCommit]) -> rusqlite::Result<()> {
    let mut upsert = transaction.prepare_cached(
        "INSERT INTO clients (client_id, network_type, isp, context, first_seen, last_seen)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)
         ON CONFLICT DO UPDATE SET
             network_type = iif(excluded.last_seen >= last_seen, excluded.network_type, network_type),
             isp = iif(excluded.last_seen >= last_seen, excluded.isp, isp),
             context = iif(excluded.last_seen >= last_seen, excluded.context, context),
             first_seen = min(excluded.first_seen, first_seen),
             last_seen = max(excluded.last_seen, last_seen)",
    )?;
    for client in batch::clients(partitions) {
        let text = |field: &'_ Option<String>| field.as_deref().map(|text| batch::storable(text).into_owned());
        upsert.execute(params![
            client.client_id,
            text(&client.context.network_type),
            text(&client.context.isp),
            text(&client.context.json),
            client.first_seen,
            client.last_seen,
        ])?;
    }
    Ok(())
}

/// Writes the lines that could not be counted; one that is there already stays as it is.
pub(super) fn dead_letters(transaction: &Connection, partitions: &[PartitionCommit]) -> rusqlite::Result<()> {
    let mut insert = transaction.prepare_cached(
        "INSERT INTO dead_letters (partition, position, line, log_time, reason, original)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT DO NOTHING",
    )?;
    for letter in partitions.iter().flat_map(|partition| &partition.dead_letters) {
        insert.execute(params![
            letter.partition.0,
            letter.position.0.cast_signed(),
            letter.line,
            letter.log_time.ms(),
            batch::storable(&letter.reason),
            letter.original,
        ])?;
    }
    Ok(())
}

/// Writes how far each partition has come.
pub(super) fn checkpoints(
    transaction: &Connection,
    log_id: &str,
    generation: Generation,
    partitions: &[PartitionCommit],
) -> rusqlite::Result<()> {
    let mut upsert = transaction.prepare_cached(
        "INSERT OR REPLACE INTO checkpoint (log_id, partition, resume_from, processed, log_time, read, accepted,
             duplicate, late, invalid, generation)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
    )?;
    for checkpoint in partitions.iter().map(|partition| &partition.checkpoint) {
        upsert.execute(params![
            log_id,
            checkpoint.partition.0,
            checkpoint.resume_from.0.cast_signed(),
            checkpoint.processed.0.cast_signed(),
            checkpoint.log_time.ms(),
            checkpoint.ledger.read.cast_signed(),
            checkpoint.ledger.accepted.cast_signed(),
            checkpoint.ledger.duplicate.cast_signed(),
            checkpoint.ledger.late.cast_signed(),
            checkpoint.ledger.invalid.cast_signed(),
            generation.0,
        ])?;
    }
    Ok(())
}

/// Lets only this generation write, of this log.
pub(super) fn fence(
    transaction: &Connection,
    log: &LogIdentity,
    generation: Generation,
    opening: &Opening,
) -> rusqlite::Result<()> {
    transaction.execute(
        "INSERT OR REPLACE INTO fence (only_row, log_id, partitions, generation, rules, opened_by)
         VALUES (1, ?1, ?2, ?3, ?4, ?5)",
        params![log.id, log.partitions.get(), generation.0, opening.rules, opening.opened_by],
    )?;
    Ok(())
}
