//! The table of records: writing them, and where the log ends.

use netqoe_model::{LogTime, Partition, Position};
use rusqlite::{Connection, OptionalExtension, Row, Transaction, TransactionBehavior, params};

use super::queue::Lines;

/// What a record takes beside its text, in bytes: its row and its entry in the index. Counted so that ticks, which
/// have no text, do not grow a log beyond its limit.
const RECORD_OVERHEAD_BYTES: i64 = 48;

/// Where the log ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Tail {
    /// The newest record, 0 where there is none.
    pub position: Position,
    /// Its log time.
    pub log_time: LogTime,
    /// Size of all records ever appended, in bytes.
    pub end_byte: i64,
}

impl Tail {
    /// As the file has it.
    pub(super) fn load(connection: &Connection) -> rusqlite::Result<Self> {
        let newest = "SELECT seq, log_time, end_byte FROM log_records ORDER BY seq DESC LIMIT 1";
        let tail = connection.query_row(newest, [], |row| {
            Ok(Self { position: position(row, 0)?, log_time: LogTime::from_ms(row.get(1)?), end_byte: row.get(2)? })
        });
        Ok(tail.optional()?.unwrap_or_default())
    }
}

/// Writes one record for each partition at each of these times, all in one transaction, and moves `tail` there.
/// Returns the new records once they are durable; where it fails, nothing has changed.
pub(super) fn write(
    connection: &mut Connection,
    tail: &mut Tail,
    groups: &[(LogTime, Lines)],
) -> rusqlite::Result<Vec<(Partition, Position)>> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let mut new_tail = *tail;
    let written = insert(&transaction, &mut new_tail, groups)?;
    transaction.commit()?;
    *tail = new_tail;
    Ok(written)
}

fn insert(
    transaction: &Transaction<'_>,
    tail: &mut Tail,
    groups: &[(LogTime, Lines)],
) -> rusqlite::Result<Vec<(Partition, Position)>> {
    let mut insert = transaction
        .prepare_cached("INSERT INTO log_records (partition, log_time, end_byte, lines) VALUES (?1, ?2, ?3, ?4)")?;
    let mut written = Vec::new();
    for (log_time, lines_by_partition) in groups {
        for (partition, lines) in lines_by_partition {
            let end_byte = tail.end_byte.saturating_add(lines.len() as i64 + RECORD_OVERHEAD_BYTES);
            let seq = insert.insert(params![partition.0, log_time.ms(), end_byte, lines])?;
            *tail = Tail { position: Position(seq.unsigned_abs()), log_time: *log_time, end_byte };
            written.push((*partition, tail.position));
        }
    }
    Ok(written)
}

/// Where the oldest record begins, counted as `end_byte` is.
pub(super) fn first_byte(connection: &Connection) -> rusqlite::Result<i64> {
    let oldest = "SELECT end_byte - length(lines) - ?1 FROM log_records ORDER BY seq LIMIT 1";
    Ok(connection.query_row(oldest, [RECORD_OVERHEAD_BYTES], |row| row.get(0)).optional()?.unwrap_or(0))
}

/// The newest record of a partition, 0 where it has none.
pub(super) fn last_of(connection: &Connection, partition: Partition) -> rusqlite::Result<Position> {
    let mut newest = connection.prepare_cached("SELECT coalesce(max(seq), 0) FROM log_records WHERE partition = ?1")?;
    newest.query_row([partition.0], |row| position(row, 0))
}

/// A record's position in a column. A file whose positions are negative was not written by a log.
pub(super) fn position(row: &Row<'_>, column: usize) -> rusqlite::Result<Position> {
    let seq: i64 = row.get(column)?;
    u64::try_from(seq).map(Position).map_err(|_| rusqlite::Error::IntegralValueOutOfRange(column, seq))
}

/// A position as SQLite's integer. What no integer can say lies behind every record.
pub(super) fn seq(position: Position) -> i64 {
    i64::try_from(position.0).unwrap_or(i64::MAX)
}

/// Makes a write durable that changes nothing; fails where an append would.
pub(super) fn try_to_write(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute("UPDATE log_identity SET created_ms = created_ms", [])?;
    Ok(())
}
