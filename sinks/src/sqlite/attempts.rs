//! What may have made processing fail, within the transaction that the caller has begun.

use netqoe_model::{Generation, LogIdentity, MAX_ATTEMPTS, Partition, Position};
use rusqlite::{Connection, Row, params};

/// A new start of each partition of the log.
pub(super) fn count_starts(transaction: &Connection, log: &LogIdentity) -> rusqlite::Result<()> {
    transaction.execute(
        "WITH RECURSIVE numbers (number) AS (
             SELECT 0 UNION ALL SELECT number + 1 FROM numbers WHERE number + 1 < ?2
         )
         INSERT INTO starts (log_id, partition, processed, starts)
         SELECT ?1, number, coalesce(checkpoint.processed, 0), 1
         FROM numbers LEFT JOIN checkpoint ON log_id = ?1 AND partition = number
         WHERE true
         ON CONFLICT DO UPDATE SET
             starts = iif(processed = excluded.processed, starts + 1, 1),
             processed = excluded.processed",
        params![log.id, log.partitions.get()],
    )?;
    Ok(())
}

/// Nothing led nowhere until now.
pub(super) fn forgive_starts(transaction: &Connection) -> rusqlite::Result<()> {
    transaction.execute("UPDATE starts SET starts = 0 WHERE starts <> 0", [])?;
    Ok(())
}

/// Counts an attempt, unless another record is being tried; returns how many there were before.
pub(super) fn begin(
    transaction: &Connection,
    log_id: &str,
    generation: Generation,
    partition: Partition,
    position: Position,
) -> rusqlite::Result<Option<u32>> {
    let another = transaction.query_row(
        "SELECT EXISTS (
             SELECT 1 FROM attempts LEFT JOIN checkpoint USING (log_id, partition)
             WHERE attempts.log_id = ?1 AND partition <> ?2 AND attempts.generation = ?3
                 AND position > coalesce(processed, 0))",
        params![log_id, partition.0, generation.0],
        |row| row.get::<_, bool>(0),
    )?;
    if another {
        return Ok(None);
    }
    transaction.execute(
        "DELETE FROM attempts WHERE log_id = ?1 AND partition = ?2
             AND position < (SELECT resume_from FROM checkpoint WHERE log_id = ?1 AND partition = ?2)",
        params![log_id, partition.0],
    )?;
    let attempts: u32 = transaction.query_row(
        "INSERT INTO attempts (log_id, partition, position, attempts, generation) VALUES (?1, ?2, ?3, 1, ?4)
         ON CONFLICT DO UPDATE SET attempts = attempts + 1, generation = excluded.generation
         RETURNING attempts",
        params![log_id, partition.0, position.0.cast_signed(), generation.0],
        |row| row.get(0),
    )?;
    Ok(Some(attempts - 1))
}

/// How many starts in a row led each partition nowhere, if any did.
pub(super) fn fruitless_starts(transaction: &Connection, log_id: &str) -> rusqlite::Result<Vec<(Partition, u32)>> {
    let mut starts =
        transaction.prepare("SELECT partition, starts - 1 FROM starts WHERE log_id = ?1 AND starts > 1 ORDER BY 1")?;
    starts.query_map([log_id], |row| Ok((Partition(row.get(0)?), row.get(1)?)))?.collect()
}

/// Records that were tried more often than may be.
pub(super) fn set_aside(transaction: &Connection, log_id: &str) -> rusqlite::Result<Vec<(Partition, Position)>> {
    let mut attempts = transaction
        .prepare("SELECT partition, position FROM attempts WHERE log_id = ?1 AND attempts > ?2 ORDER BY 1, 2")?;
    let record = |row: &Row<'_>| Ok((Partition(row.get(0)?), Position(row.get::<_, i64>(1)?.cast_unsigned())));
    attempts.query_map(params![log_id, MAX_ATTEMPTS], record)?.collect()
}
