//! The table of records: writing them, and where the log ends.

use netqoe_model::{LogTime, Partition, Position};
use rusqlite::{Connection, Row, Transaction, TransactionBehavior, params};

use super::queue::Lines;
use super::stored_record::{StoredRecord, Verdict, checksum};

/// What a record takes beside its text, in bytes: its row and its entry in the index. Counted so that ticks, which
/// have no text, do not grow a log beyond its limit.
const RECORD_OVERHEAD_BYTES: i64 = 48;

/// Where the log ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Tail {
    /// The newest position that was ever given, 0 if there is none.
    pub position: Position,
    /// The log time of the newest record that is intact.
    pub log_time: LogTime,
    /// Size of all records ever appended, in bytes.
    pub end_byte: i64,
}

impl Tail {
    /// As the file has it.
    pub(super) fn load(connection: &Connection) -> rusqlite::Result<Self> {
        let mut tail = Self { position: last_ever(connection)?, ..Self::default() };
        let mut damaged_bytes = 0;
        // A log time that a changed bit has put far ahead would make all that follows late.
        each_until_intact(connection, "DESC", |record, verdict| {
            tail.position = tail.position.max(record.position);
            if verdict == Verdict::Damaged {
                damaged_bytes += size_bytes(record.lines);
            } else {
                tail.log_time = LogTime::from_ms(record.log_time_ms.unwrap_or_default());
                tail.end_byte = record.end_byte.unwrap_or_default().saturating_add(damaged_bytes);
            }
        })?;
        Ok(tail)
    }
}

/// What a record takes, in bytes.
fn size_bytes(lines: &[u8]) -> i64 {
    lines.len() as i64 + RECORD_OVERHEAD_BYTES
}

/// The last position that the log ever gave, whether or not the record is still there.
pub(super) fn last_ever(connection: &Connection) -> rusqlite::Result<Position> {
    let last = "SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'log_records'";
    connection.query_row(last, [], |row| position(row, 0))
}

/// The first position that was written with a checksum.
pub(super) fn first_checked(connection: &Connection) -> rusqlite::Result<Position> {
    connection.query_row("SELECT min(first_seq) FROM log_checksums", [], |row| position(row, 0))
}

/// Looks at records from one end of the log, up to the first that is not damaged.
fn each_until_intact(
    connection: &Connection,
    order: &str,
    mut look: impl FnMut(&StoredRecord<'_>, Verdict),
) -> rusqlite::Result<()> {
    let first_checked = first_checked(connection)?;
    let mut select = connection.prepare(&format!(
        "SELECT seq, log_time, end_byte, lines, checksum, partition FROM log_records ORDER BY seq {order}"
    ))?;
    let mut rows = select.query([])?;
    while let Some(row) = rows.next()? {
        let record = StoredRecord::read(row, partition(row, 5)?)?;
        let verdict = record.verdict(first_checked);
        look(&record, verdict);
        if verdict != Verdict::Damaged {
            break;
        }
    }
    Ok(())
}

/// A record's partition in a column; one that there can't be is that of no record.
pub(super) fn partition(row: &Row<'_>, column: usize) -> rusqlite::Result<Partition> {
    let number = row.get_ref(column)?.as_i64().ok().and_then(|number| u16::try_from(number).ok());
    Ok(Partition(number.unwrap_or(u16::MAX)))
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
    // The position is given here, since the checksum covers it.
    let mut insert = transaction.prepare_cached(
        "INSERT INTO log_records (seq, partition, log_time, end_byte, lines, checksum) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?;
    let mut written = Vec::new();
    for (log_time, lines_by_partition) in groups {
        for (partition, lines) in lines_by_partition {
            let position = Position(tail.position.0.saturating_add(1));
            let end_byte = tail.end_byte.saturating_add(size_bytes(lines));
            let checksum = checksum(*partition, position, *log_time, end_byte, lines);
            insert.execute(params![seq(position), partition.0, log_time.ms(), end_byte, lines, checksum])?;
            *tail = Tail { position, log_time: *log_time, end_byte };
            written.push((*partition, tail.position));
        }
    }
    Ok(written)
}

/// Where the oldest record begins, counted as `end_byte` is.
pub(super) fn first_byte(connection: &Connection) -> rusqlite::Result<i64> {
    let mut first_byte = 0;
    let mut before_bytes = 0;
    each_until_intact(connection, "ASC", |record, _| {
        before_bytes += size_bytes(record.lines);
        first_byte = record.end_byte.unwrap_or_default().saturating_sub(before_bytes);
    })?;
    Ok(first_byte)
}

/// The newest record of a partition, 0 if it has none.
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
