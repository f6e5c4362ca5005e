//! Corrections in a SQLite file.

use std::sync::{Arc, LazyLock};

use netqoe_model::{
    AggregateRow, DiagnosisRules, Generation, Ledger, Look, PairPast, Partition, PartitionCommit, Position,
    WaitingCorrection, WindowStart,
};
use rusqlite::{Connection, params};

use super::rows::{COLUMNS, DIAGNOSIS_COLUMNS, bind, bind_diagnosis, hurts, insert};
use super::{SqliteStore, fleet, read_back, write};
use crate::correction::{Correction, CorrectionEnd, CorrectionNote, PairBefore, WaitingPartition};
use crate::fleet::read_look;
use crate::history::{PastInReading, Reach};
use crate::{CorrectionStore, StoreError};

/// Columns of `agg_1m` that say when a row was made, or what later ones are judged by, and nothing of the window.
const BESIDE: [&str; 3] = ["as_of", "updated_at", "pair_state"];

/// Writes a row that is final, unless it is there. The last parameter says whether its diagnosis has changed.
static CORRECT: LazyLock<String> = LazyLock::new(|| {
    let said: Vec<&str> = COLUMNS[3..].iter().filter(|column| !BESIDE.contains(column)).copied().collect();
    let list = |of: &str| said.iter().map(|column| format!("{of}.{column}")).collect::<Vec<_>>().join(", ");
    let differs = format!("(?{} OR ({}) IS NOT ({}))", COLUMNS.len() + 1, list("agg_1m"), list("excluded"));
    let assigned: Vec<String> = said.iter().map(|column| format!("{column} = excluded.{column}")).collect();
    format!(
        "{} ON CONFLICT DO UPDATE SET {}, pair_state = excluded.pair_state, updated_at = excluded.updated_at,
             as_of = iif({differs}, excluded.as_of, agg_1m.as_of), revision = agg_1m.revision + {differs}
         WHERE {differs} OR agg_1m.pair_state IS NOT excluded.pair_state",
        insert("INSERT INTO agg_1m", &COLUMNS, 1),
        assigned.join(", "),
    )
});

/// Writes a diagnosis, unless it is there.
static CORRECT_DIAGNOSIS: LazyLock<String> = LazyLock::new(|| {
    let said: Vec<&str> = DIAGNOSIS_COLUMNS[3..].iter().filter(|column| !BESIDE.contains(column)).copied().collect();
    let list = |of: &str| said.iter().map(|column| format!("{of}.{column}")).collect::<Vec<_>>().join(", ");
    let assigned: Vec<String> =
        DIAGNOSIS_COLUMNS[3..].iter().map(|column| format!("{column} = excluded.{column}")).collect();
    format!(
        "{} ON CONFLICT DO UPDATE SET {} WHERE ({}) IS NOT ({})",
        insert("INSERT INTO diagnoses", &DIAGNOSIS_COLUMNS, 1),
        assigned.join(", "),
        list("diagnoses"),
        list("excluded"),
    )
});

impl CorrectionStore for SqliteStore {
    fn waiting_partitions(&mut self) -> Result<Vec<WaitingPartition>, StoreError> {
        self.read("count its waiting corrections", |connection, _| {
            let mut statement = connection.prepare_cached(
                "SELECT partition, count(*), sum(events), min(since) FROM waiting_corrections GROUP BY partition
                 ORDER BY partition",
            )?;
            let rows = statement.query_map([], |row| {
                Ok(WaitingPartition {
                    partition: Partition(row.get(0)?),
                    pairs: row.get(1)?,
                    events: row.get(2)?,
                    since: Position(row.get::<_, i64>(3)?.cast_unsigned()),
                })
            })?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    fn waiting_of(&mut self, partition: Partition, most: usize) -> Result<Vec<WaitingCorrection>, StoreError> {
        self.read("read its waiting corrections", |connection, _| {
            let mut statement = connection.prepare_cached(
                "SELECT client_id, target, from_window, since, events FROM waiting_corrections WHERE partition = ?1
                 ORDER BY from_window DESC, client_id, target LIMIT ?2",
            )?;
            let rows = statement.query_map(params![partition.0, most as i64], |row| {
                Ok(WaitingCorrection {
                    client_id: row.get(0)?,
                    target: row.get(1)?,
                    from: WindowStart::from_ms(row.get(2)?),
                    since: Position(row.get::<_, i64>(3)?.cast_unsigned()),
                    events: row.get(4)?,
                })
            })?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    fn pasts_before(&mut self, pairs: &[PairBefore], rules: &DiagnosisRules) -> Result<Vec<PairPast>, StoreError> {
        self.read("read what pairs were judged by", |connection, _| {
            let mut statement = connection.prepare_cached(&read_back::final_rows("window_start_ts < ?3"))?;
            let reach = Reach::new(rules);
            let mut pasts = Vec::new();
            for PairBefore { client_id, target, before } in pairs {
                let rows = statement.query(params![&**client_id, &**target, before.ms()])?;
                pasts.extend(read_back::past(rows, PastInReading::new(reach))?.finish(client_id, target));
            }
            Ok(pasts)
        })
    }

    fn looks_of(
        &mut self,
        partition: Partition,
        after: WindowStart,
        through: WindowStart,
    ) -> Result<Vec<Look>, StoreError> {
        self.read("read its looks", |connection, store| {
            let mut statement = connection.prepare_cached(
                "SELECT at, sightings FROM looks WHERE at > ?1 AND at <= ?2 AND partition = ?3 ORDER BY at",
            )?;
            let mut rows = statement.query(params![after.ms(), through.ms(), partition.0])?;
            let mut looks = Vec::new();
            while let Some(row) = rows.next()? {
                let sightings = row.get_ref(1)?.as_blob().map_err(rusqlite::Error::from)?;
                looks.push(read_look(store, WindowStart::from_ms(row.get(0)?), partition.0, sightings)?);
            }
            Ok(looks)
        })
    }

    fn give_up(
        &mut self,
        generation: Generation,
        partition: Partition,
        pairs: &[(Arc<str>, Arc<str>)],
    ) -> Result<(), StoreError> {
        self.transact("give up corrections", |transaction, file| {
            read_back::current(transaction, file, generation)?;
            delete_waiting(transaction, partition, pairs)?;
            Ok(())
        })
    }

    fn correct(&mut self, generation: Generation, correction: &Correction) -> Result<u64, StoreError> {
        let written_at = (self.clock)();
        self.transact("correct rows", |transaction, file| {
            let log_id = read_back::current(transaction, file, generation)?;
            let rows_written = correct_rows(transaction, &correction.rows, written_at)?;
            write::clients(transaction, correction.clients.iter())?;
            fleet::put_looks(transaction, &correction.looks)?;
            let is_new = match &correction.end {
                Some(end) => finish(transaction, &log_id, correction.partition, end)?,
                None => true,
            };
            if let Some(note) = correction.note(rows_written).filter(|_| is_new) {
                put_note(transaction, correction.partition, &note, written_at)?;
            }
            Ok(rows_written)
        })
    }
}

/// Adds pairs to those that wait, in the transaction of the checkpoint that passes their events.
pub(super) fn add_waiting(transaction: &Connection, partitions: &[PartitionCommit]) -> rusqlite::Result<()> {
    for commit in partitions {
        put_waiting(transaction, commit.checkpoint.partition, &commit.waiting)?;
    }
    Ok(())
}

fn put_waiting(transaction: &Connection, partition: Partition, waiting: &[WaitingCorrection]) -> rusqlite::Result<()> {
    if waiting.is_empty() {
        return Ok(());
    }
    let mut upsert = transaction.prepare_cached(
        "INSERT INTO waiting_corrections (partition, client_id, target, from_window, since, events)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)
         ON CONFLICT DO UPDATE SET from_window = min(excluded.from_window, from_window),
             since = min(excluded.since, since), events = events + excluded.events",
    )?;
    for WaitingCorrection { client_id, target, from, since, events } in waiting {
        upsert.execute(params![partition.0, client_id, target, from.ms(), since.0.cast_signed(), events])?;
    }
    Ok(())
}

/// Returns how many of them waited.
fn delete_waiting(
    transaction: &Connection,
    partition: Partition,
    pairs: &[(Arc<str>, Arc<str>)],
) -> rusqlite::Result<usize> {
    let mut delete = transaction
        .prepare_cached("DELETE FROM waiting_corrections WHERE partition = ?1 AND client_id = ?2 AND target = ?3")?;
    let mut waited = 0;
    for (client_id, target) in pairs {
        waited += delete.execute(params![partition.0, client_id, target])?;
    }
    Ok(waited)
}

fn correct_rows(transaction: &Connection, rows: &[AggregateRow], written_at: i64) -> rusqlite::Result<u64> {
    let mut correct = transaction.prepare_cached(&CORRECT)?;
    let mut correct_diagnosis = transaction.prepare_cached(&CORRECT_DIAGNOSIS)?;
    let mut delete_diagnosis = transaction
        .prepare_cached("DELETE FROM diagnoses WHERE client_id = ?1 AND target = ?2 AND window_start_ts = ?3")?;
    let mut written = 0;
    for row in rows {
        let diagnoses = if hurts(row) {
            bind_diagnosis(&mut correct_diagnosis, 0, row, written_at)?;
            correct_diagnosis.raw_execute()?
        } else {
            delete_diagnosis.execute(params![&*row.client_id, &*row.target, row.window.start.ms()])?
        };
        bind(&mut correct, 0, row, written_at)?;
        correct.raw_bind_parameter(COLUMNS.len() + 1, diagnoses > 0)?;
        written += correct.raw_execute()? as u64;
    }
    Ok(written)
}

/// Whether it is written for the first time.
fn finish(transaction: &Connection, log_id: &str, partition: Partition, end: &CorrectionEnd) -> rusqlite::Result<bool> {
    let waited = delete_waiting(transaction, partition, &end.pairs)?;
    put_waiting(transaction, partition, &end.still_waiting)?;
    let Ledger { accepted, duplicate, late, .. } = end.ledger;
    transaction
        .prepare_cached(
            "UPDATE checkpoint SET accepted = ?1, duplicate = ?2, late = ?3 WHERE log_id = ?4 AND partition = ?5",
        )?
        .execute(params![accepted, duplicate, late, log_id, partition.0])?;
    // Where nobody waited, this was done before, and the answer was lost.
    Ok(waited > 0)
}

fn put_note(
    transaction: &Connection,
    partition: Partition,
    note: &CorrectionNote,
    written_at: i64,
) -> rusqlite::Result<()> {
    let CorrectionNote { at, from, pairs, reclassified, rows_written } = *note;
    transaction
        .prepare_cached(
            "INSERT INTO corrections (partition, at, from_window, pairs, accepted, duplicate, rows_written, written_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        )?
        .execute(params![
            partition.0,
            at.ms(),
            from.ms(),
            pairs,
            reclassified.accepted,
            reclassified.duplicate,
            rows_written,
            written_at,
        ])?;
    Ok(())
}
