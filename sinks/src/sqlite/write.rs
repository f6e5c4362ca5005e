//! What a commit writes beside rows, within the transaction that the caller has begun.

use netqoe_model::{ClientRow, Generation, LogIdentity, PartitionCommit};
use rusqlite::{Connection, params};

use crate::{Opening, batch};

/// Writes the clients: the earlier first time, the later last time, and the context that came with that.
pub(super) fn clients<'a>(
    transaction: &Connection,
    clients: impl Iterator<Item = &'a ClientRow>,
) -> rusqlite::Result<()> {
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
    for client in batch::clients(clients) {
        let text = |field: &'_ Option<String>| field.as_deref().map(|text| batch::storable(text).into_owned());
        upsert.execute(params![
            &*client.client_id,
            text(&client.context.network_type),
            text(&client.context.isp),
            text(&client.context.json),
            client.first_seen.ms(),
            client.last_seen.ms(),
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
