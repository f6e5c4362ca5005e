//! What people write into a PostgreSQL store.

use netqoe_model::MaintenanceWindow;
use parking_lot::Mutex;
use postgres::Transaction;
use postgres::types::Type;

use super::link::Link;
use super::window::timestamptz;
use super::{Failure, PostgresOptions, settings};
use crate::annotations::{
    AnnotationError, Annotations, MAX_MAINTENANCE_WINDOWS, MAX_NOTES, NewMaintenanceWindow, NewNote,
};
use crate::read::NoteRecord;

/// Notes and planned faults of the store in a database, which has its tables. People write seldom: each call makes a connection
/// of its own, one at a time.
pub struct PostgresAnnotations {
    url: String,
    options: PostgresOptions,
    turn: Mutex<()>,
}

impl PostgresAnnotations {
    /// Those of the database at this URL, to which nothing is connected yet. Calls block, and panic inside of async code.
    pub fn new(url: &str, options: &PostgresOptions) -> Self {
        Self { url: url.to_owned(), options: options.clone(), turn: Mutex::new(()) }
    }

    fn transact<T>(
        &self,
        doing: &'static str,
        work: impl FnOnce(&mut Transaction<'_>) -> Result<Result<T, AnnotationError>, Failure>,
    ) -> Result<T, AnnotationError> {
        let _turn = self.turn.lock();
        let mut link = Link::connect(&self.url, &self.options)?;
        let done = self.attempt(&mut link, work);
        done.map_err(|failure| link.error(doing, failure))?
    }

    /// Not tried again: after a connection that is lost while it commits, nobody knows whether the text was kept.
    fn attempt<T>(
        &self,
        link: &mut Link,
        work: impl FnOnce(&mut Transaction<'_>) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let mut transaction = link.client()?.transaction()?;
        transaction.batch_execute(&settings(&self.options))?;
        let done = work(&mut transaction)?;
        transaction.commit()?;
        Ok(done)
    }
}

impl Annotations for PostgresAnnotations {
    fn add_note(&self, note: NewNote) -> Result<NoteRecord, AnnotationError> {
        // No id holds U+0000, and PostgreSQL takes none to compare with.
        if note.incident.contains('\0') {
            return Err(AnnotationError::NoSuchIncident);
        }
        self.transact("keep a note", |transaction| {
            let incident = (&note.incident as _, Type::TEXT);
            let counts = "SELECT (SELECT count(*) FROM incidents WHERE id = $1),
                                 (SELECT count(*) FROM incident_notes WHERE incident = $1)";
            let [incidents, notes] = counts_of(transaction, counts, incident.clone())?;
            if incidents == 0 {
                return Ok(Err(AnnotationError::NoSuchIncident));
            }
            if notes >= MAX_NOTES.into() {
                return Ok(Err(AnnotationError::TOO_MANY_NOTES));
            }
            let insert = "INSERT INTO incident_notes (incident, written_at, author, acknowledges, text)
                          VALUES ($1, $2, $3, $4, $5) RETURNING id";
            let written_at = timestamptz(note.at_ms);
            let parameters = [
                incident,
                (&written_at as _, Type::TIMESTAMPTZ),
                (&note.by as _, Type::TEXT),
                (&note.acknowledges as _, Type::BOOL),
                (&note.text as _, Type::TEXT),
            ];
            let id = inserted(transaction, insert, &parameters)?;
            let NewNote { at_ms, by, acknowledges, text, .. } = note;
            Ok(Ok(NoteRecord { id, at_ms, by, acknowledges, text }))
        })
    }

    fn add_maintenance(&self, planned: NewMaintenanceWindow) -> Result<MaintenanceWindow, AnnotationError> {
        self.transact("keep a maintenance window", |transaction| {
            let [from, to, at] = [planned.from_ms, planned.to_ms, planned.at_ms].map(timestamptz);
            let count = "SELECT (SELECT count(*) FROM maintenance_windows WHERE to_ts > $1), 0::bigint";
            let [count, _] = counts_of(transaction, count, (&at as _, Type::TIMESTAMPTZ))?;
            if count >= MAX_MAINTENANCE_WINDOWS.into() {
                return Ok(Err(AnnotationError::TOO_MANY_WINDOWS));
            }
            let insert = "INSERT INTO maintenance_windows
                          (from_ts, to_ts, cause_dimension, cause_value, author, text, written_at)
                          VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING id";
            let dimension = planned.cause.dimension_name().to_string();
            let value = serde_json::json!(planned.cause.texts()).to_string();
            let parameters = [
                (&from as _, Type::TIMESTAMPTZ),
                (&to as _, Type::TIMESTAMPTZ),
                (&dimension as _, Type::TEXT),
                (&value as _, Type::TEXT),
                (&planned.by as _, Type::TEXT),
                (&planned.text as _, Type::TEXT),
                (&at as _, Type::TIMESTAMPTZ),
            ];
            let id = inserted(transaction, insert, &parameters)?;
            Ok(Ok(planned.kept_as(id)))
        })
    }

    fn remove_maintenance(&self, id: i64) -> Result<bool, AnnotationError> {
        self.transact("delete a maintenance window", |transaction| {
            let delete = "DELETE FROM maintenance_windows WHERE id = $1 RETURNING id";
            Ok(Ok(!transaction.query_typed(delete, &[(&id as _, Type::INT8)])?.is_empty()))
        })
    }
}

type Parameter<'a> = (&'a (dyn postgres::types::ToSql + Sync), Type);

/// The two counts of the one row.
fn counts_of(transaction: &mut Transaction<'_>, sql: &str, parameter: Parameter<'_>) -> Result<[i64; 2], Failure> {
    let rows = transaction.query_typed(sql, &[parameter])?;
    let Some(row) = rows.first() else { return Ok([0; 2]) };
    Ok([row.try_get(0)?, row.try_get(1)?])
}

/// The number that the new row was given.
fn inserted(transaction: &mut Transaction<'_>, sql: &str, parameters: &[Parameter<'_>]) -> Result<i64, Failure> {
    let rows = transaction.query_typed(sql, parameters)?;
    let row = rows.first().ok_or_else(|| Failure::Content("a row that was inserted without its number".to_owned()))?;
    Ok(row.try_get(0)?)
}
