//! What may have made processing fail, within the transaction that the caller has begun.

use netqoe_model::{Generation, LogIdentity, MAX_ATTEMPTS, Partition, Position};
use postgres::types::Type;
use postgres::{Row, Transaction};

use super::Failure;
use super::window::narrow;

/// A new start of each partition of the log.
pub(super) fn count_starts(transaction: &mut Transaction<'_>, log: &LogIdentity) -> Result<(), Failure> {
    transaction.execute_typed(
        "INSERT INTO starts AS stored (log_id, partition, processed, starts)
         SELECT $1, number, coalesce(checkpoint.processed, 0), 1
         FROM generate_series(0, $2 - 1) AS number
             LEFT JOIN checkpoint ON checkpoint.log_id = $1 AND checkpoint.partition = number
         ON CONFLICT (log_id, partition) DO UPDATE SET
             starts = CASE WHEN stored.processed = excluded.processed THEN stored.starts + 1 ELSE 1 END,
             processed = excluded.processed",
        &[(&log.id, Type::TEXT), (&i32::from(log.partitions.get()), Type::INT4)],
    )?;
    Ok(())
}

/// Nothing led nowhere until now.
pub(super) fn forgive_starts(transaction: &mut Transaction<'_>) -> Result<(), Failure> {
    transaction.execute_typed("UPDATE starts SET starts = 0 WHERE starts <> 0", &[])?;
    Ok(())
}

/// Counts an attempt, unless another record is being tried; returns how many there were before.
pub(super) fn begin(
    transaction: &mut Transaction<'_>,
    log_id: &str,
    generation: Generation,
    partition: Partition,
    position: Position,
) -> Result<Option<u32>, Failure> {
    let number = i32::from(partition.0);
    let another = transaction.query_typed(
        "SELECT FROM attempts LEFT JOIN checkpoint USING (log_id, partition)
         WHERE log_id = $1 AND partition <> $2 AND attempts.generation = $3 AND position > coalesce(processed, 0)
         LIMIT 1",
        &[(&log_id, Type::TEXT), (&number, Type::INT4), (&generation.0, Type::INT8)],
    )?;
    if !another.is_empty() {
        return Ok(None);
    }
    transaction.execute_typed(
        "DELETE FROM attempts USING checkpoint
         WHERE attempts.log_id = $1 AND attempts.partition = $2
             AND checkpoint.log_id = $1 AND checkpoint.partition = $2 AND position < resume_from",
        &[(&log_id, Type::TEXT), (&number, Type::INT4)],
    )?;
    let rows = transaction.query_typed(
        "INSERT INTO attempts AS stored (log_id, partition, position, attempts, generation) VALUES ($1, $2, $3, 1, $4)
         ON CONFLICT (log_id, partition, position) DO UPDATE SET
             attempts = stored.attempts + 1, generation = excluded.generation
         RETURNING attempts - 1",
        &[
            (&log_id, Type::TEXT),
            (&number, Type::INT4),
            (&position.0.cast_signed(), Type::INT8),
            (&generation.0, Type::INT8),
        ],
    )?;
    rows.first().map(|row| Ok(narrow::<i64, u32>(row, 0)?)).transpose()
}

/// How many starts in a row led each partition nowhere, if any did.
pub(super) fn fruitless_starts(
    transaction: &mut Transaction<'_>,
    log_id: &str,
) -> Result<Vec<(Partition, u32)>, Failure> {
    let rows = transaction.query_typed(
        "SELECT partition, starts - 1 FROM starts WHERE log_id = $1 AND starts > 1 ORDER BY 1",
        &[(&log_id, Type::TEXT)],
    )?;
    rows.iter().map(|row| Ok((partition(row)?, narrow::<i64, u32>(row, 1)?))).collect()
}

/// Records that were tried more often than may be.
pub(super) fn set_aside(
    transaction: &mut Transaction<'_>,
    log_id: &str,
) -> Result<Vec<(Partition, Position)>, Failure> {
    let rows = transaction.query_typed(
        "SELECT partition, position FROM attempts WHERE log_id = $1 AND attempts > $2 ORDER BY 1, 2",
        &[(&log_id, Type::TEXT), (&i64::from(MAX_ATTEMPTS), Type::INT8)],
    )?;
    let position = |row: &Row| row.try_get(1).map(|position: i64| Position(position.cast_unsigned()));
    rows.iter().map(|row| Ok((partition(row)?, position(row)?))).collect()
}

fn partition(row: &Row) -> Result<Partition, Failure> {
    Ok(Partition(narrow::<i32, u16>(row, 0)?))
}
