//! The messages to receivers, in a SQLite file.

use netqoe_model::{Cause, Generation, Incident, IncidentRevision, WindowStart};
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::{Failure, SqliteStore, StoreFile, read_back};
use crate::incident_columns::{Columns, INCIDENT_COLUMNS, REVISION_COLUMNS, incident, revision};
use crate::outbox::{
    Attempted, Enqueued, Filling, MAX_OPEN_INCIDENTS, News, Outbox, OutboxCounts, QueuedMessage, ROWS_PER_DELETION,
    WaitingMessage, assemble, message_id, next_step,
};
use crate::{StoreError, batch};

impl Outbox for SqliteStore {
    fn news(&mut self) -> Result<Option<News>, StoreError> {
        self.look("read incidents", |snapshot, file| {
            let through = one_time(snapshot, "SELECT through FROM fleet")?;
            let told = one_time(snapshot, "SELECT through FROM told")?;
            let Some((after, until)) = next_step(told, through) else { return Ok(None) };
            let incidents = incidents(snapshot, file, after, until)?;
            let ids: Vec<&str> = incidents.iter().map(|incident| &*incident.id.0).collect();
            let ids = serde_json::json!(ids).to_string();
            let revisions = revisions(snapshot, file, &ids)?;
            let told = told_of(snapshot, &ids)?;
            Ok(Some(News {
                until: WindowStart::from_ms(until),
                maintained: maintained(snapshot, file, until)?,
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
        self.transact("put in messages", |transaction, file| {
            read_back::current(transaction, file, generation)?;
            let mut filling = Filling::default();
            for message in messages {
                filling.add(
                    &mut &*transaction,
                    message,
                    |on, receiver| waiting(on, receiver),
                    |on, message| put_in(on, message, now_ms),
                )?;
            }
            transaction.execute(
                "INSERT INTO told (only_row, through) VALUES (1, ?1)
                 ON CONFLICT DO UPDATE SET through = max(through, excluded.through)",
                [until.ms()],
            )?;
            Ok(filling.done)
        })
    }

    fn due(
        &mut self,
        generation: Generation,
        receiver: &str,
        now_ms: i64,
        limit: usize,
    ) -> Result<Vec<WaitingMessage>, StoreError> {
        self.look("read messages", |snapshot, file| {
            read_back::current(snapshot, file, generation)?;
            let mut due = snapshot.prepare_cached(
                "SELECT id, body, created_at, attempts FROM outbox AS one
                 WHERE receiver = ?1 AND due_at <= ?2 AND delivered_at IS NULL AND given_up_at IS NULL
                     AND NOT EXISTS (
                         SELECT 1 FROM outbox AS earlier
                         WHERE earlier.receiver = ?1 AND earlier.due_at > ?2
                             AND earlier.delivered_at IS NULL AND earlier.given_up_at IS NULL
                             AND earlier.incident = one.incident
                             AND (length(earlier.id), earlier.id) < (length(one.id), one.id))
                 ORDER BY created_at, incident, length(id), id LIMIT ?3",
            )?;
            Ok(due.query_map(params![receiver, now_ms, limit], message)?.collect::<rusqlite::Result<_>>()?)
        })
    }

    fn standing(&mut self, generation: Generation, receiver: &str) -> Result<Vec<WaitingMessage>, StoreError> {
        self.look("read messages", |snapshot, file| {
            read_back::current(snapshot, file, generation)?;
            let mut standing = snapshot.prepare_cached(
                "SELECT one.id, one.body, one.created_at, one.attempts FROM incidents
                 JOIN outbox AS one
                     ON one.receiver = ?1 AND one.id >= incidents.id || '-' AND one.id < incidents.id || '.'
                 WHERE incidents.state = 'open' AND one.delivered_at IS NOT NULL
                     AND NOT EXISTS (
                         SELECT 1 FROM outbox AS later
                         WHERE later.receiver = ?1 AND later.given_up_at IS NULL
                             AND later.id >= incidents.id || '-' AND later.id < incidents.id || '.'
                             AND (length(later.id), later.id) > (length(one.id), one.id))
                 ORDER BY one.created_at, incidents.id LIMIT ?2",
            )?;
            let rows = standing.query_map(params![receiver, MAX_OPEN_INCIDENTS], message)?;
            Ok(rows.collect::<rusqlite::Result<_>>()?)
        })
    }

    fn settle(&mut self, receiver: &str, ids: &[String], outcome: &Attempted) -> Result<(), StoreError> {
        self.transact("note what became of messages", |transaction, _| {
            for id in ids {
                match outcome {
                    Attempted::Delivered { at_ms } => transaction
                        .prepare_cached(
                            "UPDATE outbox SET delivered_at = ?3, attempts = attempts + 1
                             WHERE receiver = ?1 AND id = ?2",
                        )?
                        .execute(params![receiver, id, at_ms])?,
                    Attempted::Failed { due_ms, error } => transaction
                        .prepare_cached(
                            "UPDATE outbox SET due_at = ?3, last_error = ?4, attempts = attempts + 1
                             WHERE receiver = ?1 AND id = ?2",
                        )?
                        .execute(params![receiver, id, due_ms, batch::storable(error)])?,
                };
            }
            Ok(())
        })
    }

    fn give_up(&mut self, receiver: &str, created_before_ms: i64, now_ms: i64) -> Result<u64, StoreError> {
        self.transact("give up messages", |transaction, _| {
            let given_up = transaction.execute(
                "UPDATE outbox SET given_up_at = ?3
                 WHERE receiver = ?1 AND created_at < ?2 AND delivered_at IS NULL AND given_up_at IS NULL",
                params![receiver, created_before_ms, now_ms],
            )?;
            Ok(given_up as u64)
        })
    }

    fn counts(&mut self) -> Result<Vec<OutboxCounts>, StoreError> {
        self.look("count messages", |snapshot, _| {
            let mut counts = snapshot.prepare_cached(
                "SELECT receiver,
                     count(*) FILTER (WHERE delivered_at IS NULL AND given_up_at IS NULL),
                     min(created_at) FILTER (WHERE delivered_at IS NULL AND given_up_at IS NULL),
                     count(delivered_at), count(given_up_at),
                     (SELECT last_error FROM outbox AS failed
                      WHERE failed.receiver = every.receiver AND delivered_at IS NULL AND last_error IS NOT NULL
                      ORDER BY due_at DESC, id LIMIT 1)
                 FROM outbox AS every GROUP BY receiver ORDER BY receiver",
            )?;
            let of_receiver = |row: &Row<'_>| {
                Ok(OutboxCounts {
                    receiver: row.get(0)?,
                    waiting: row.get(1)?,
                    oldest_waiting_ms: row.get(2)?,
                    delivered: row.get(3)?,
                    given_up: row.get(4)?,
                    last_error: row.get(5)?,
                })
            };
            Ok(counts.query_map([], of_receiver)?.collect::<rusqlite::Result<_>>()?)
        })
    }

    fn forget(&mut self, before_ms: i64) -> Result<u64, StoreError> {
        let mut forgotten = 0;
        loop {
            let batch = self.transact("delete old messages", |transaction, _| {
                Ok(transaction.execute(
                    "DELETE FROM outbox WHERE (receiver, id) IN (
                         SELECT receiver, id FROM outbox
                         WHERE coalesce(delivered_at, given_up_at) < ?1
                             AND NOT EXISTS (SELECT 1 FROM incidents WHERE id = incident AND state = 'open')
                         LIMIT ?2)",
                    params![before_ms, ROWS_PER_DELETION],
                )?)
            })?;
            forgotten += batch as u64;
            if batch < ROWS_PER_DELETION {
                return Ok(forgotten);
            }
        }
    }
}

impl SqliteStore {
    /// Reads one snapshot, and keeps nobody from writing meanwhile.
    fn look<T>(
        &mut self,
        doing: &'static str,
        work: impl FnOnce(&Connection, &StoreFile) -> Result<T, Failure>,
    ) -> Result<T, StoreError> {
        let looked = match self.connection.transaction() {
            Ok(snapshot) => work(&snapshot, &self.file),
            Err(error) => Err(error.into()),
        };
        looked.map_err(|failure| self.file.failure(doing, failure))
    }
}

/// `id`, `body`, `created_at` and `attempts`.
fn message(row: &Row<'_>) -> rusqlite::Result<WaitingMessage> {
    Ok(WaitingMessage { id: row.get(0)?, body: row.get(1)?, created_ms: row.get(2)?, attempts: row.get(3)? })
}

fn one_time(snapshot: &Connection, sql: &str) -> rusqlite::Result<Option<i64>> {
    snapshot.prepare_cached(sql)?.query_row([], |row| row.get(0)).optional()
}

/// Those that are open, and those that have changed within these looks.
fn incidents(snapshot: &Connection, file: &StoreFile, after: i64, until: i64) -> Result<Vec<Incident>, Failure> {
    let mut statement = snapshot.prepare_cached(&format!(
        "SELECT {INCIDENT_COLUMNS} FROM incidents
         WHERE id IN (SELECT id FROM incidents WHERE state = 'open' ORDER BY opened, id LIMIT ?3)
             OR state <> 'open' AND id IN (SELECT incident FROM incident_revisions WHERE at > ?1 AND at <= ?2)"
    ))?;
    let found = statement.query_map(params![after, until, MAX_OPEN_INCIDENTS], |row| incident(row))?;
    found.map(|incident| incident.map_err(|error| content(file, error))).collect()
}

fn revisions(snapshot: &Connection, file: &StoreFile, ids: &str) -> Result<Vec<IncidentRevision>, Failure> {
    let mut statement = snapshot.prepare_cached(&format!(
        "SELECT {REVISION_COLUMNS} FROM incident_revisions
         WHERE incident IN (SELECT value FROM json_each(?1)) ORDER BY incident, revision"
    ))?;
    let found = statement.query_map([ids], |row| revision(row))?;
    found.map(|revision| revision.map_err(|error| content(file, error))).collect()
}

/// Receiver, incident and id of messages that count as told.
fn told_of(snapshot: &Connection, ids: &str) -> rusqlite::Result<Vec<(String, String, String)>> {
    let mut statement = snapshot.prepare_cached(
        "SELECT receiver, incident, id FROM outbox
         WHERE given_up_at IS NULL AND incident IN (SELECT value FROM json_each(?1))",
    )?;
    statement.query_map([ids], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?.collect()
}

fn maintained(snapshot: &Connection, file: &StoreFile, at: i64) -> Result<Vec<Cause>, Failure> {
    let mut statement = snapshot.prepare_cached(
        "SELECT cause_dimension, cause_value FROM maintenance_windows
         WHERE from_ts <= ?1 AND to_ts > ?1 ORDER BY id",
    )?;
    let found = statement.query_map([at], |row| row.cause(0))?;
    found.map(|cause| cause.map_err(|error| content(file, error))).collect()
}

fn waiting(transaction: &Connection, receiver: &str) -> rusqlite::Result<usize> {
    let mut statement = transaction.prepare_cached(
        "SELECT count(*) FROM outbox WHERE receiver = ?1 AND delivered_at IS NULL AND given_up_at IS NULL",
    )?;
    statement.query_row([receiver], |row| row.get(0))
}

/// Puts in one message, never as older than an earlier one of its incident, wherever the clock has been set meanwhile.
fn put_in(transaction: &Connection, message: &QueuedMessage, now_ms: i64) -> rusqlite::Result<usize> {
    let mut insert = transaction.prepare_cached(
        "INSERT INTO outbox (id, receiver, incident, body, created_at, due_at, attempts)
         SELECT ?1, ?2, ?3, ?4, max(?5, coalesce(max(created_at), ?5)), ?5, 0 FROM outbox
         WHERE receiver = ?2 AND id >= ?3 || '-' AND id < ?3 || '.'
         ON CONFLICT DO NOTHING",
    )?;
    insert.execute(params![
        message_id(&message.incident, message.revision),
        message.receiver,
        message.incident.0,
        batch::storable(&message.body),
        now_ms
    ])
}

/// A value that is none of ours is the content's fault, and everything else is the file's.
fn content(file: &StoreFile, error: rusqlite::Error) -> Failure {
    match error {
        rusqlite::Error::FromSqlConversionFailure(_, _, what) => {
            Failure::Store(StoreError::Content { store: file.name(), what: what.to_string() })
        }
        error => error.into(),
    }
}
