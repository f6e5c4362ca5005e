//! Corrections in a PostgreSQL database.

use std::sync::{Arc, LazyLock};
use std::time::SystemTime;

use netqoe_model::{
    DiagnosisRules, Generation, Look, PairPast, Partition, PartitionCommit, Position, WaitingCorrection, WindowStart,
};
use postgres::Transaction;
use postgres::fallible_iterator::FallibleIterator;
use postgres::types::Type;

use super::window::{WINDOW_COLUMNS, narrow, timestamptz, unix_ms, window};
use super::write::{Parameter, ROWS_PER_STATEMENT, each};
use super::{Failure, PostgresStore, fleet, read_back, write};
use crate::correction::{Correction, CorrectionEnd, CorrectionNote, PairBefore, WaitingPartition};
use crate::fleet::read_look;
use crate::history::{PastInReading, Reach};
use crate::{CorrectionStore, StoreError};

/// Pairs whose past one statement reads.
const PAIRS_PER_STATEMENT: usize = 1_000;

/// The final rows of pairs before a window each, newest first, as many as a past may want.
static BEFORE: LazyLock<String> = LazyLock::new(|| {
    format!(
        "SELECT nth - 1, usable, {WINDOW_COLUMNS}
         FROM unnest($1, $2, $3) WITH ORDINALITY AS pair (client_id, target, before, nth) CROSS JOIN LATERAL (
             SELECT {WINDOW_COLUMNS},
                    CASE WHEN substring(pair_state FROM 1 FOR octet_length($5)) = $5 THEN pair_state END AS usable
             FROM agg_1m
             WHERE agg_1m.client_id = pair.client_id AND agg_1m.target = pair.target AND is_final
               AND window_start_ts < pair.before
             ORDER BY window_start_ts DESC LIMIT $4
         ) AS earlier
         ORDER BY nth, window_start_ts DESC"
    )
});

impl CorrectionStore for PostgresStore {
    fn waiting_partitions(&mut self) -> Result<Vec<WaitingPartition>, StoreError> {
        let read = self.transact(|transaction| {
            let rows = transaction.query_typed(
                "SELECT partition, count(*), sum(events)::bigint, min(since) FROM waiting_corrections
                 GROUP BY partition ORDER BY partition",
                &[],
            )?;
            let partition = |row: &postgres::Row| {
                Ok(WaitingPartition {
                    partition: Partition(narrow::<i32, u16>(row, 0)?),
                    pairs: narrow::<i64, u64>(row, 1)?,
                    events: narrow::<i64, u64>(row, 2)?,
                    since: Position(row.try_get::<_, i64>(3)?.cast_unsigned()),
                })
            };
            rows.iter().map(partition).collect::<Result<Vec<_>, Failure>>()
        });
        read.map_err(|failure| self.link.error("count its waiting corrections", failure))
    }

    fn waiting_of(&mut self, partition: Partition, most: usize) -> Result<Vec<WaitingCorrection>, StoreError> {
        let read = self.transact(|transaction| {
            let rows = transaction.query_typed(
                "SELECT client_id, target, from_window, since, events FROM waiting_corrections WHERE partition = $1
                 ORDER BY from_window DESC, client_id, target LIMIT $2",
                &[(&i32::from(partition.0), Type::INT4), (&(most as i64), Type::INT8)],
            )?;
            let waiting = |row: &postgres::Row| {
                Ok(WaitingCorrection {
                    client_id: row.try_get::<_, &str>(0)?.into(),
                    target: row.try_get::<_, &str>(1)?.into(),
                    from: WindowStart::from_ms(unix_ms(row.try_get(2)?)),
                    since: Position(row.try_get::<_, i64>(3)?.cast_unsigned()),
                    events: narrow::<i64, u64>(row, 4)?,
                })
            };
            rows.iter().map(waiting).collect::<Result<Vec<_>, Failure>>()
        });
        read.map_err(|failure| self.link.error("read its waiting corrections", failure))
    }

    fn pasts_before(&mut self, pairs: &[PairBefore], rules: &DiagnosisRules) -> Result<Vec<PairPast>, StoreError> {
        let read = self.transact(|transaction| {
            let mut pasts = Vec::new();
            for pairs in pairs.chunks(PAIRS_PER_STATEMENT) {
                pasts.extend(some_pasts_before(transaction, pairs, rules)?);
            }
            Ok(pasts)
        });
        read.map_err(|failure: Failure| self.link.error("read what pairs were judged by", failure))
    }

    fn looks_of(
        &mut self,
        partition: Partition,
        after: WindowStart,
        through: WindowStart,
    ) -> Result<Vec<Look>, StoreError> {
        let store = self.link.name().to_owned();
        let read = self.transact(|transaction| {
            let rows = transaction.query_typed(
                "SELECT at, sightings FROM looks WHERE at > $1 AND at <= $2 AND partition = $3 ORDER BY at",
                &[
                    (&timestamptz(after.ms()), Type::TIMESTAMPTZ),
                    (&timestamptz(through.ms()), Type::TIMESTAMPTZ),
                    (&i32::from(partition.0), Type::INT4),
                ],
            )?;
            let look = |row: &postgres::Row| {
                let at = WindowStart::from_ms(unix_ms(row.try_get(0)?));
                Ok(read_look(&store, at, partition.0, row.try_get(1)?)?)
            };
            rows.iter().map(look).collect()
        });
        read.map_err(|failure: Failure| self.link.error("read its looks", failure))
    }

    fn give_up(
        &mut self,
        generation: Generation,
        partition: Partition,
        pairs: &[(Arc<str>, Arc<str>)],
    ) -> Result<(), StoreError> {
        let store = self.link.name().to_owned();
        let given_up = self.transact(|transaction| {
            read_back::current_until_end(transaction, &store, generation)?;
            delete_waiting(transaction, partition, pairs)
        });
        given_up.map(|_| ()).map_err(|failure| self.link.error("give up corrections", failure))
    }

    fn correct(&mut self, generation: Generation, correction: &Correction) -> Result<u64, StoreError> {
        let corrected = self.try_correct(generation, correction);
        corrected.map_err(|failure| self.link.error("correct rows", failure))
    }
}

impl PostgresStore {
    fn try_correct(&mut self, generation: Generation, correction: &Correction) -> Result<u64, Failure> {
        let written_at = (self.clock)();
        let store = self.link.name().to_owned();
        let starts = correction.rows.iter().map(|row| row.window.start);
        self.months.prepare(&store, self.link.client()?, &self.settings, starts)?;
        self.transact(|transaction| {
            let log_id = read_back::current_until_end(transaction, &store, generation)?;
            let rows_written = write::correct_rows(transaction, &correction.rows, timestamptz(written_at))?;
            write::clients(transaction, correction.clients.iter())?;
            fleet::put_looks(transaction, correction.looks.iter())?;
            let is_new = match &correction.end {
                Some(end) => finish(transaction, &log_id, correction.partition, end)?,
                None => true,
            };
            if let Some(note) = correction.note(rows_written).filter(|_| is_new) {
                put_note(transaction, correction.partition, &note, timestamptz(written_at))?;
            }
            Ok(rows_written)
        })
    }
}

fn some_pasts_before(
    transaction: &mut Transaction<'_>,
    pairs: &[PairBefore],
    rules: &DiagnosisRules,
) -> Result<Vec<PairPast>, Failure> {
    let reach = Reach::new(rules);
    let client_ids = each(pairs, |pair| &*pair.client_id);
    let targets = each(pairs, |pair| &*pair.target);
    let before = each(pairs, |pair| timestamptz(pair.before.ms()));
    let (limit, tag) = (reach.most_rows() as i64, reach.state_tag());
    let parameters: [Parameter<'_>; 5] = [
        (&client_ids, Type::TEXT_ARRAY),
        (&targets, Type::TEXT_ARRAY),
        (&before, Type::TIMESTAMPTZ_ARRAY),
        (&limit, Type::INT8),
        (&tag, Type::BYTEA),
    ];
    let mut pasts: Vec<_> = pairs.iter().map(|_| PastInReading::new(reach)).collect();
    let mut rows = transaction.query_typed_raw(&BEFORE, parameters)?;
    while let Some(row) = rows.next()? {
        let nth = narrow::<i64, usize>(&row, 0)?;
        if let Some(past) = pasts.get_mut(nth).filter(|past| past.wants_older()) {
            past.take(window(&row, 2)?, row.try_get(1)?);
        }
    }
    let finished = pairs.iter().zip(pasts).filter_map(|(pair, past)| past.finish(&pair.client_id, &pair.target));
    Ok(finished.collect())
}

/// Adds pairs to those that wait, in the transaction of the checkpoint that passes their events.
pub(super) fn add_waiting(transaction: &mut Transaction<'_>, partitions: &[PartitionCommit]) -> Result<(), Failure> {
    for commit in partitions {
        put_waiting(transaction, commit.checkpoint.partition, &commit.waiting)?;
    }
    Ok(())
}

fn put_waiting(
    transaction: &mut Transaction<'_>,
    partition: Partition,
    waiting: &[WaitingCorrection],
) -> Result<(), Failure> {
    for waiting in waiting.chunks(ROWS_PER_STATEMENT) {
        let client_ids = each(waiting, |pair| &*pair.client_id);
        let targets = each(waiting, |pair| &*pair.target);
        let from = each(waiting, |pair| timestamptz(pair.from.ms()));
        let since = each(waiting, |pair| pair.since.0.cast_signed());
        let events = each(waiting, |pair| pair.events.cast_signed());
        // Outputs that are committed together may name a pair more than once, and a statement may not touch a row twice.
        transaction.execute_typed(
            "INSERT INTO waiting_corrections AS stored (partition, client_id, target, from_window, since, events)
             SELECT $1, client_id, target, min(from_window), min(since), sum(events)
             FROM unnest($2, $3, $4, $5, $6) AS batch (client_id, target, from_window, since, events)
             GROUP BY client_id, target
             ON CONFLICT (partition, client_id, target) DO UPDATE SET
                 from_window = least(excluded.from_window, stored.from_window),
                 since = least(excluded.since, stored.since), events = stored.events + excluded.events",
            &[
                (&i32::from(partition.0), Type::INT4),
                (&client_ids, Type::TEXT_ARRAY),
                (&targets, Type::TEXT_ARRAY),
                (&from, Type::TIMESTAMPTZ_ARRAY),
                (&since, Type::INT8_ARRAY),
                (&events, Type::INT8_ARRAY),
            ],
        )?;
    }
    Ok(())
}

/// Returns how many of them waited.
fn delete_waiting(
    transaction: &mut Transaction<'_>,
    partition: Partition,
    pairs: &[(Arc<str>, Arc<str>)],
) -> Result<u64, Failure> {
    let client_ids = each(pairs, |(client_id, _)| &**client_id);
    let targets = each(pairs, |(_, target)| &**target);
    Ok(transaction.execute_typed(
        "DELETE FROM waiting_corrections USING unnest($2, $3) AS pair (client_id, target)
         WHERE partition = $1 AND waiting_corrections.client_id = pair.client_id
           AND waiting_corrections.target = pair.target",
        &[(&i32::from(partition.0), Type::INT4), (&client_ids, Type::TEXT_ARRAY), (&targets, Type::TEXT_ARRAY)],
    )?)
}

/// Whether it is written for the first time.
fn finish(
    transaction: &mut Transaction<'_>,
    log_id: &str,
    partition: Partition,
    end: &CorrectionEnd,
) -> Result<bool, Failure> {
    let waited = delete_waiting(transaction, partition, &end.pairs)?;
    put_waiting(transaction, partition, &end.still_waiting)?;
    let counts = [end.ledger.accepted, end.ledger.duplicate, end.ledger.late].map(u64::cast_signed);
    transaction.execute_typed(
        "UPDATE checkpoint SET accepted = $3, duplicate = $4, late = $5 WHERE log_id = $1 AND partition = $2",
        &[
            (&log_id, Type::TEXT),
            (&i32::from(partition.0), Type::INT4),
            (&counts[0], Type::INT8),
            (&counts[1], Type::INT8),
            (&counts[2], Type::INT8),
        ],
    )?;
    // Where nobody waited, this was done before, and the answer was lost.
    Ok(waited > 0)
}

/// The last that a transaction does: others wait until it has ended, so that who sees a number has seen all smaller ones.
fn put_note(
    transaction: &mut Transaction<'_>,
    partition: Partition,
    note: &CorrectionNote,
    written_at: SystemTime,
) -> Result<(), Failure> {
    let CorrectionNote { at, from, pairs, reclassified, rows_written } = *note;
    transaction.batch_execute("LOCK TABLE corrections IN SHARE ROW EXCLUSIVE MODE")?;
    transaction.execute_typed(
        "INSERT INTO corrections (partition, at, from_window, pairs, accepted, duplicate, rows_written, written_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        &[
            (&i32::from(partition.0), Type::INT4),
            (&timestamptz(at.ms()), Type::TIMESTAMPTZ),
            (&timestamptz(from.ms()), Type::TIMESTAMPTZ),
            (&pairs.cast_signed(), Type::INT8),
            (&reclassified.accepted.cast_signed(), Type::INT8),
            (&reclassified.duplicate.cast_signed(), Type::INT8),
            (&rows_written.cast_signed(), Type::INT8),
            (&written_at, Type::TIMESTAMPTZ),
        ],
    )?;
    Ok(())
}
