//! The rows that a commit writes and their diagnoses, within the transaction that the caller has begun: many a statement.

use std::fmt::Write;
use std::sync::LazyLock;

use netqoe_model::{AggregateRow, Diagnosis, Network, PairTags, PartitionCommit, from_thousandths};
use rusqlite::{Connection, Statement, ToSql, params};

use crate::batch;

/// Rows that one statement inserts. With fewer, starting the statement costs more than the rows; more gain nothing.
const ROWS_PER_STATEMENT: usize = 16;

/// Diagnoses that one statement inserts. Those of a fault follow each other, so that 16 rows mostly have none, or as many.
const DIAGNOSES_PER_STATEMENT: usize = 8;

/// The columns of `agg_1m`, in the order in which they are bound.
pub(super) const COLUMNS: [&str; 31] = [
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
    "network_type",
    "isp",
    "site",
    "client_labels",
    "target_labels",
];

/// The columns of `diagnoses`, in the order in which they are bound.
pub(super) const DIAGNOSIS_COLUMNS: [&str; 19] = [
    "client_id",
    "target",
    "window_start_ts",
    "label",
    "severity",
    "stage",
    "observed",
    "usual",
    "usual_low",
    "usual_high",
    "sigmas",
    "share_of_total",
    "samples",
    "bad_samples",
    "windows",
    "since_ts",
    "is_final",
    "as_of",
    "updated_at",
];

/// Inserts as many of [`ROWS_PER_STATEMENT`] rows as the store does not have.
static INSERT_NEW: LazyLock<String> =
    LazyLock::new(|| insert("INSERT INTO agg_1m", &COLUMNS, ROWS_PER_STATEMENT) + " ON CONFLICT DO NOTHING");

/// Writes one row, unless the store has one that reflects more.
static UPSERT: LazyLock<String> = LazyLock::new(|| {
    let assignments: Vec<String> = COLUMNS[3..].iter().map(|column| format!("{column} = excluded.{column}")).collect();
    let insert = insert("INSERT INTO agg_1m", &COLUMNS, 1);
    format!("{insert} ON CONFLICT DO UPDATE SET {} WHERE excluded.as_of >= agg_1m.as_of", assignments.join(", "))
});

/// Writes one diagnosis, or as many as a statement takes, in the place of earlier ones.
static UPSERT_DIAGNOSIS: LazyLock<String> =
    LazyLock::new(|| insert("INSERT OR REPLACE INTO diagnoses", &DIAGNOSIS_COLUMNS, 1));
static UPSERT_DIAGNOSES: LazyLock<String> =
    LazyLock::new(|| insert("INSERT OR REPLACE INTO diagnoses", &DIAGNOSIS_COLUMNS, DIAGNOSES_PER_STATEMENT));

pub(super) fn insert(into: &str, columns: &[&str], rows: usize) -> String {
    let row = format!("({})", vec!["?"; columns.len()].join(", "));
    let mut sql = format!("{into} ({}) VALUES {row}", columns.join(", "));
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
pub(super) fn write(transaction: &Connection, partitions: &[PartitionCommit], updated_at: i64) -> rusqlite::Result<()> {
    let rows = batch::rows_by_key(partitions);
    let (many, rest) = rows.as_chunks::<ROWS_PER_STATEMENT>();
    let mut insert_new = transaction.prepare_cached(&INSERT_NEW)?;
    let mut writer = RowWriter::prepare(transaction, updated_at)?;
    for chunk in many {
        for (index, row) in chunk.iter().enumerate() {
            bind(&mut insert_new, index * COLUMNS.len(), row, updated_at)?;
        }
        if insert_new.raw_execute()? == chunk.len() {
            writer.insert_diagnoses(chunk)?;
        } else {
            chunk.iter().try_for_each(|row| writer.upsert(row))?;
        }
    }
    rest.iter().try_for_each(|row| writer.upsert(row))
}

/// Binds a row to the parameters after the first `bound`. Allocates nothing.
pub(super) fn bind(
    statement: &mut Statement<'_>,
    bound: usize,
    row: &AggregateRow,
    updated_at: i64,
) -> rusqlite::Result<()> {
    let window = &row.window;
    let mut next = Binding { statement, bound };
    next.bind(&*row.client_id)?;
    next.bind(&*row.target)?;
    next.bind(window.start.ms())?;
    next.bind(window.count_total())?;
    next.bind(window.count_success)?;
    next.bind(window.count_error())?;
    for count in window.errors {
        next.bind(count)?;
    }
    for both in window.percentiles {
        next.bind(both.map(|both| from_thousandths(both.p50)))?;
        next.bind(both.map(|both| from_thousandths(both.p95)))?;
    }
    next.bind(row.diagnosis.as_ref().map(|diagnosis| diagnosis.label.as_str()))?;
    next.bind(window.is_final)?;
    next.bind(window.as_of.ms())?;
    next.bind(updated_at)?;
    next.bind(row.pair_state.as_deref())?;
    for name in window.network.as_deref().map_or([None; 3], Network::names) {
        next.bind(name)?;
    }
    for json in window.tags.as_deref().map_or([None; 2], PairTags::json) {
        next.bind(json)?;
    }
    Ok(())
}

/// The statements for rows that go one by one, and for their diagnoses.
struct RowWriter<'a> {
    upsert: rusqlite::CachedStatement<'a>,
    upsert_diagnosis: rusqlite::CachedStatement<'a>,
    upsert_diagnoses: rusqlite::CachedStatement<'a>,
    delete_diagnosis: rusqlite::CachedStatement<'a>,
    updated_at: i64,
}

impl<'a> RowWriter<'a> {
    fn prepare(transaction: &'a Connection, updated_at: i64) -> rusqlite::Result<Self> {
        Ok(Self {
            upsert: transaction.prepare_cached(&UPSERT)?,
            upsert_diagnosis: transaction.prepare_cached(&UPSERT_DIAGNOSIS)?,
            upsert_diagnoses: transaction.prepare_cached(&UPSERT_DIAGNOSES)?,
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
        if hurts(row) {
            return self.insert_diagnoses(&[row]);
        }
        self.delete_diagnosis.execute(params![&*row.client_id, &*row.target, row.window.start.ms()])?;
        Ok(())
    }

    /// Writes the diagnoses of those rows that are degraded.
    fn insert_diagnoses(&mut self, rows: &[&AggregateRow]) -> rusqlite::Result<()> {
        let hurt: Vec<_> = rows.iter().copied().filter(|row| hurts(row)).collect();
        let (many, rest) = hurt.as_chunks::<DIAGNOSES_PER_STATEMENT>();
        for chunk in many {
            for (index, row) in chunk.iter().enumerate() {
                let bound = index * DIAGNOSIS_COLUMNS.len();
                bind_diagnosis(&mut self.upsert_diagnoses, bound, row, self.updated_at)?;
            }
            self.upsert_diagnoses.raw_execute()?;
        }
        for row in rest {
            bind_diagnosis(&mut self.upsert_diagnosis, 0, row, self.updated_at)?;
            self.upsert_diagnosis.raw_execute()?;
        }
        Ok(())
    }
}

pub(super) fn hurts(row: &AggregateRow) -> bool {
    row.diagnosis.as_ref().is_some_and(|diagnosis| diagnosis.finding.is_some())
}

/// Binds the diagnosis of a row that has one to the parameters after the first `bound`. Allocates nothing.
pub(super) fn bind_diagnosis(
    statement: &mut Statement<'_>,
    bound: usize,
    row: &AggregateRow,
    updated_at: i64,
) -> rusqlite::Result<()> {
    let Some(Diagnosis { label, finding: Some(finding) }) = &row.diagnosis else { return Ok(()) };
    let (severity, evidence) = &**finding;
    let mut next = Binding { statement, bound };
    next.bind(&*row.client_id)?;
    next.bind(&*row.target)?;
    next.bind(row.window.start.ms())?;
    next.bind(label.as_str())?;
    next.bind(severity.as_str())?;
    next.bind(evidence.stage)?;
    next.bind(evidence.observed)?;
    next.bind(evidence.usual.map(|usual| usual.centre))?;
    next.bind(evidence.usual.map(|usual| usual.low))?;
    next.bind(evidence.usual.map(|usual| usual.high))?;
    next.bind(evidence.sigmas)?;
    next.bind(evidence.share_of_total)?;
    next.bind(evidence.samples)?;
    next.bind(evidence.bad_samples)?;
    next.bind(evidence.windows)?;
    next.bind(evidence.since.ms())?;
    next.bind(row.window.is_final)?;
    next.bind(row.window.as_of.ms())?;
    next.bind(updated_at)
}

/// Binds values to a statement's parameters, one after the other.
struct Binding<'a, 'c> {
    statement: &'a mut Statement<'c>,
    /// How many are bound.
    bound: usize,
}

impl Binding<'_, '_> {
    fn bind(&mut self, value: impl ToSql) -> rusqlite::Result<()> {
        self.bound += 1;
        self.statement.raw_bind_parameter(self.bound, value)
    }
}
