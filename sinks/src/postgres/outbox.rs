//! The messages to receivers, in a PostgreSQL database.

use std::time::SystemTime;

use netqoe_model::{Cause, Generation, Incident, IncidentRevision, WindowStart};
use postgres::types::Type;
use postgres::{IsolationLevel, Row, Transaction};

use super::window::{narrow, timestamptz, unix_ms};
use super::{Failure, PostgresStore, read_back};
use crate::incident_columns::{Columns, INCIDENT_COLUMNS, REVISION_COLUMNS, incident, revision};
use crate::outbox::{
    Attempted, Enqueued, Filling, MAX_OPEN_INCIDENTS, News, Outbox, OutboxCounts, QueuedMessage, ROWS_PER_DELETION,
    WaitingMessage, assemble, message_id, next_step,
};
use crate::{StoreError, batch};

impl Outbox for PostgresStore {
    fn news(&mut self) -> Result<Option<News>, StoreError> {
        self.look("read incidents", |snapshot, _| {
            let through = one_time(snapshot, "SELECT through FROM fleet")?;
            let told = one_time(snapshot, "SELECT through FROM told")?;
            let Some((after, until)) = next_step(told, through) else { return Ok(None) };
            let incidents = incidents(snapshot, after, until)?;
            let ids: Vec<&str> = incidents.iter().map(|incident| &*incident.id.0).collect();
            let revisions = revisions(snapshot, &ids)?;
            let told = told_of(snapshot, &ids)?;
            Ok(Some(News {
                until: WindowStart::from_ms(until),
                maintained: maintained(snapshot, until)?,
                incidents: assemble(incidents, revisions, told),
            }))
        })
    }

    fn enqueue(
        &mut self,
        generation: Generation,
        until: WindowStart,
        messages: &[QueuedMessage],
        now_ms: i64,
    ) -> Result<Enqueued, StoreError> {
        let store = self.link.name().to_owned();
        let enqueued = self.transact(|transaction| {
            read_back::current_until_end(transaction, &store, generation)?;
            let mut filling = Filling::default();
            for message in messages {
                filling.add(transaction, message, waiting, |on, message| put_in(on, message, now_ms))?;
            }
            transaction.execute_typed(
                "INSERT INTO told AS stored (only_row, through) VALUES (1, $1)
                 ON CONFLICT (only_row) DO UPDATE SET through = greatest(stored.through, excluded.through)",
                &[(&timestamptz(until.ms()), Type::TIMESTAMPTZ)],
            )?;
            Ok(filling.done)
        });
        enqueued.map_err(|failure| self.link.error("put in messages", failure))
    }

    fn due(
        &mut self,
        generation: Generation,
        receiver: &str,
        now_ms: i64,
        limit: usize,
    ) -> Result<Vec<WaitingMessage>, StoreError> {
        self.look("read messages", |snapshot, store| {
            read_back::current(snapshot, store, generation)?;
            let rows = snapshot.query_typed(
                "SELECT id, body, created_at, attempts FROM outbox AS one
                 WHERE receiver = $1 AND due_at <= $2 AND delivered_at IS NULL AND given_up_at IS NULL
                     AND NOT EXISTS (
                         SELECT FROM outbox AS earlier
                         WHERE earlier.receiver = $1 AND earlier.due_at > $2
                             AND earlier.delivered_at IS NULL AND earlier.given_up_at IS NULL
                             AND earlier.incident = one.incident
                             AND (length(earlier.id), earlier.id) < (length(one.id), one.id))
                 ORDER BY created_at, incident, length(id), id LIMIT $3",
                &[(&receiver, Type::TEXT), (&timestamptz(now_ms), Type::TIMESTAMPTZ), (&bounded(limit), Type::INT8)],
            )?;
            rows.iter().map(message).collect()
        })
    }

    fn standing(&mut self, generation: Generation, receiver: &str) -> Result<Vec<WaitingMessage>, StoreError> {
        self.look("read messages", |snapshot, store| {
            read_back::current(snapshot, store, generation)?;
            let rows = snapshot.query_typed(
                "SELECT one.id, one.body, one.created_at, one.attempts FROM incidents
                 JOIN outbox AS one
                     ON one.receiver = $1 AND one.id >= incidents.id || '-' AND one.id < incidents.id || '.'
                 WHERE incidents.state = 'open' AND one.delivered_at IS NOT NULL
                     AND NOT EXISTS (
                         SELECT FROM outbox AS later
                         WHERE later.receiver = $1 AND later.given_up_at IS NULL
                             AND later.id >= incidents.id || '-' AND later.id < incidents.id || '.'
                             AND (length(later.id), later.id) > (length(one.id), one.id))
                 ORDER BY one.created_at, incidents.id LIMIT $2",
                &[(&receiver, Type::TEXT), (&bounded(MAX_OPEN_INCIDENTS), Type::INT8)],
            )?;
            rows.iter().map(message).collect()
        })
    }

    fn settle(&mut self, receiver: &str, ids: &[String], outcome: &Attempted) -> Result<(), StoreError> {
        let settled = self.transact(|transaction| {
            match outcome {
                Attempted::Delivered { at_ms } => transaction.execute_typed(
                    "UPDATE outbox SET delivered_at = $3, attempts = attempts + 1 WHERE receiver = $1 AND id = ANY ($2)",
                    &[
                        (&receiver, Type::TEXT),
                        (&ids, Type::TEXT_ARRAY),
                        (&timestamptz(*at_ms), Type::TIMESTAMPTZ),
                    ],
                )?,
                Attempted::Failed { due_ms, error } => transaction.execute_typed(
                    "UPDATE outbox SET due_at = $3, last_error = $4, attempts = attempts + 1
                     WHERE receiver = $1 AND id = ANY ($2)",
                    &[
                        (&receiver, Type::TEXT),
                        (&ids, Type::TEXT_ARRAY),
                        (&timestamptz(*due_ms), Type::TIMESTAMPTZ),
                        (&batch::storable(error), Type::TEXT),
                    ],
                )?,
            };
            Ok(())
        });
        settled.map_err(|failure| self.link.error("note what became of messages", failure))
    }

    fn give_up(&mut self, receiver: &str, created_before_ms: i64, now_ms: i64) -> Result<u64, StoreError> {
        let given_up = self.transact(|transaction| {
            Ok(transaction.execute_typed(
                "UPDATE outbox SET given_up_at = $3
                 WHERE receiver = $1 AND created_at < $2 AND delivered_at IS NULL AND given_up_at IS NULL",
                &[
                    (&receiver, Type::TEXT),
                    (&timestamptz(created_before_ms), Type::TIMESTAMPTZ),
                    (&timestamptz(now_ms), Type::TIMESTAMPTZ),
                ],
            )?)
        });
        given_up.map_err(|failure| self.link.error("give up messages", failure))
    }

    fn counts(&mut self) -> Result<Vec<OutboxCounts>, StoreError> {
        self.look("count messages", |snapshot, _| {
            let rows = snapshot.query_typed(
                "SELECT receiver,
                     count(*) FILTER (WHERE delivered_at IS NULL AND given_up_at IS NULL),
                     min(created_at) FILTER (WHERE delivered_at IS NULL AND given_up_at IS NULL),
                     count(delivered_at), count(given_up_at),
                     (SELECT last_error FROM outbox AS failed
                      WHERE failed.receiver = every.receiver AND delivered_at IS NULL AND last_error IS NOT NULL
                      ORDER BY due_at DESC, id LIMIT 1)
                 FROM outbox AS every GROUP BY receiver ORDER BY receiver",
                &[],
            )?;
            let of_receiver = |row: &Row| {
                Ok(OutboxCounts {
                    receiver: row.try_get(0)?,
                    waiting: narrow::<i64, u64>(row, 1)?,
                    oldest_waiting_ms: row.try_get::<_, Option<SystemTime>>(2)?.map(unix_ms),
                    delivered: narrow::<i64, u64>(row, 3)?,
                    given_up: narrow::<i64, u64>(row, 4)?,
                    last_error: row.try_get(5)?,
                })
            };
            rows.iter().map(of_receiver).collect()
        })
    }

    fn forget(&mut self, before_ms: i64) -> Result<u64, StoreError> {
        let mut forgotten = 0;
        loop {
            let batch = self.transact(|transaction| {
                Ok(transaction.execute_typed(
                    "DELETE FROM outbox WHERE ctid = ANY (ARRAY(
                         SELECT ctid FROM outbox
                         WHERE coalesce(delivered_at, given_up_at) < $1
                             AND NOT EXISTS (SELECT FROM incidents WHERE incidents.id = incident AND state = 'open')
                         LIMIT $2))",
                    &[(&timestamptz(before_ms), Type::TIMESTAMPTZ), (&bounded(ROWS_PER_DELETION), Type::INT8)],
                )?)
            });
            let batch = batch.map_err(|failure| self.link.error("delete old messages", failure))?;
            forgotten += batch;
            if batch < ROWS_PER_DELETION as u64 {
                return Ok(forgotten);
            }
        }
    }
}

impl PostgresStore {
    /// Reads one snapshot, without a lock.
    fn look<T>(
        &mut self,
        doing: &'static str,
        work: impl FnOnce(&mut Transaction<'_>, &str) -> Result<T, Failure>,
    ) -> Result<T, StoreError> {
        let store = self.link.name().to_owned();
        let read = || {
            let snapshot = self.link.client()?.build_transaction().read_only(true);
            let mut snapshot = snapshot.isolation_level(IsolationLevel::RepeatableRead).start()?;
            snapshot.batch_execute(&self.settings)?;
            work(&mut snapshot, &store)
        };
        read().map_err(|failure| self.link.error(doing, failure))
    }
}

fn bounded(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

/// `id`, `body`, `created_at` and `attempts`.
fn message(row: &Row) -> Result<WaitingMessage, Failure> {
    Ok(WaitingMessage {
        id: row.try_get(0)?,
        body: row.try_get(1)?,
        created_ms: unix_ms(row.try_get(2)?),
        attempts: narrow::<i64, u32>(row, 3)?,
    })
}

fn one_time(snapshot: &mut Transaction<'_>, sql: &str) -> Result<Option<i64>, Failure> {
    let row = snapshot.query_typed_opt(sql, &[])?;
    Ok(row.map(|row| row.try_get(0)).transpose()?.map(unix_ms))
}

/// Those that are open, and those that have changed within these looks.
fn incidents(snapshot: &mut Transaction<'_>, after: i64, until: i64) -> Result<Vec<Incident>, Failure> {
    let rows = snapshot.query_typed(
        &format!(
            "SELECT {INCIDENT_COLUMNS} FROM incidents
             WHERE id IN (SELECT id FROM incidents WHERE state = 'open' ORDER BY opened, id LIMIT $3)
                 OR state <> 'open' AND id IN (SELECT incident FROM incident_revisions WHERE at > $1 AND at <= $2)"
        ),
        &[
            (&timestamptz(after), Type::TIMESTAMPTZ),
            (&timestamptz(until), Type::TIMESTAMPTZ),
            (&bounded(MAX_OPEN_INCIDENTS), Type::INT8),
        ],
    )?;
    rows.iter().map(|row| Ok(incident(row)?)).collect()
}

fn revisions(snapshot: &mut Transaction<'_>, ids: &[&str]) -> Result<Vec<IncidentRevision>, Failure> {
    let rows = snapshot.query_typed(
        &format!(
            "SELECT {REVISION_COLUMNS} FROM incident_revisions WHERE incident = ANY ($1) ORDER BY incident, revision"
        ),
        &[(&ids, Type::TEXT_ARRAY)],
    )?;
    rows.iter().map(|row| Ok(revision(row)?)).collect()
}

/// Receiver, incident and id of messages that count as told.
fn told_of(snapshot: &mut Transaction<'_>, ids: &[&str]) -> Result<Vec<(String, String, String)>, Failure> {
    let rows = snapshot.query_typed(
        "SELECT receiver, incident, id FROM outbox WHERE given_up_at IS NULL AND incident = ANY ($1)",
        &[(&ids, Type::TEXT_ARRAY)],
    )?;
    rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?, row.try_get(2)?))).collect()
}

fn maintained(snapshot: &mut Transaction<'_>, at: i64) -> Result<Vec<Cause>, Failure> {
    let rows = snapshot.query_typed(
        "SELECT cause_dimension, cause_value FROM maintenance_windows WHERE from_ts <= $1 AND to_ts > $1 ORDER BY id",
        &[(&timestamptz(at), Type::TIMESTAMPTZ)],
    )?;
    rows.iter().map(|row| Ok(row.cause(0)?)).collect()
}

fn waiting(transaction: &mut Transaction<'_>, receiver: &str) -> Result<usize, Failure> {
    let rows = transaction.query_typed(
        "SELECT count(*) FROM outbox WHERE receiver = $1 AND delivered_at IS NULL AND given_up_at IS NULL",
        &[(&receiver, Type::TEXT)],
    )?;
    rows.first().map_or(Ok(0), |row| Ok(narrow::<i64, usize>(row, 0)?))
}

/// Puts in one message, never as older than an earlier one of its incident, wherever the clock has been set meanwhile.
fn put_in(transaction: &mut Transaction<'_>, message: &QueuedMessage, now_ms: i64) -> Result<usize, Failure> {
    let put_in = transaction.execute_typed(
        "INSERT INTO outbox (id, receiver, incident, body, created_at, due_at, attempts)
         SELECT $1, $2, $3, $4, greatest($5, max(created_at)), $5, 0 FROM outbox
         WHERE receiver = $2 AND id >= $3 || '-' AND id < $3 || '.'
         ON CONFLICT (receiver, id) DO NOTHING",
        &[
            (&message_id(&message.incident, message.revision), Type::TEXT),
            (&message.receiver, Type::TEXT),
            (&&*message.incident.0, Type::TEXT),
            (&batch::storable(&message.body), Type::TEXT),
            (&timestamptz(now_ms), Type::TIMESTAMPTZ),
        ],
    )?;
    Ok(usize::try_from(put_in).unwrap_or(usize::MAX))
}
