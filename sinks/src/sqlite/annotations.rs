//! What people write into a SQLite store, over a connection of its own.

use std::path::Path;

use netqoe_model::MaintenanceWindow;
use parking_lot::Mutex;
use rusqlite::{Connection, TransactionBehavior, params};

use super::{StoreFile, schema};
use crate::annotations::{
    AnnotationError, Annotations, MAX_MAINTENANCE_WINDOWS, MAX_NOTES, NewMaintenanceWindow, NewNote,
};
use crate::read::NoteRecord;
use crate::{StoreError, WriteTurn};

/// Notes and planned faults of the store in a file, beside the process that writes its rows.
pub struct SqliteAnnotations {
    connection: Mutex<Connection>,
    file: StoreFile,
    write_turn: WriteTurn,
}

impl SqliteAnnotations {
    /// Those of the store in this file, which is made where it is missing.
    ///
    /// # Errors
    /// As [`SqliteStore::open`](super::SqliteStore::open).
    pub fn open(path: &Path, write_turn: WriteTurn) -> Result<Self, StoreError> {
        let (file, connection) = schema::open_in_turn(path, schema::BESIDE, &write_turn)?;
        Ok(Self { connection: Mutex::new(connection), file, write_turn })
    }

    /// Does `work` in a transaction that holds SQLite's write lock from its beginning.
    fn transact<T>(
        &self,
        doing: &'static str,
        work: impl FnOnce(&Connection) -> rusqlite::Result<Result<T, AnnotationError>>,
    ) -> Result<T, AnnotationError> {
        let _turn = self.write_turn.lock();
        let mut connection = self.connection.lock();
        let attempt = || {
            let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let done = work(&transaction)?;
            // Where it is refused, nothing was written.
            transaction.commit()?;
            Ok(done)
        };
        attempt().map_err(|error| self.file.error(doing, &error))?
    }
}

impl Annotations for SqliteAnnotations {
    fn add_note(&self, note: NewNote) -> Result<NoteRecord, AnnotationError> {
        self.transact("keep a note", |transaction| {
            let NewNote { incident, at_ms, by, acknowledges, text } = note;
            let exists = "SELECT EXISTS (SELECT 1 FROM incidents WHERE id = ?1)";
            if !transaction.query_row(exists, [&incident], |row| row.get(0))? {
                return Ok(Err(AnnotationError::NoSuchIncident));
            }
            let count = "SELECT count(*) FROM incident_notes WHERE incident = ?1";
            if transaction.query_row(count, [&incident], |row| row.get::<_, i64>(0))? >= MAX_NOTES.into() {
                return Ok(Err(AnnotationError::TOO_MANY_NOTES));
            }
            let insert = "INSERT INTO incident_notes (incident, written_at, author, acknowledges, text)
                          VALUES (?1, ?2, ?3, ?4, ?5)";
            transaction.execute(insert, params![incident, at_ms, by, acknowledges, text])?;
            Ok(Ok(NoteRecord { id: transaction.last_insert_rowid(), at_ms, by, acknowledges, text }))
        })
    }

    fn add_maintenance(&self, planned: NewMaintenanceWindow) -> Result<MaintenanceWindow, AnnotationError> {
        self.transact("keep a maintenance window", |transaction| {
            let count = "SELECT count(*) FROM maintenance_windows WHERE to_ts > ?1";
            let count: i64 = transaction.query_row(count, [planned.at_ms], |row| row.get(0))?;
            if count >= MAX_MAINTENANCE_WINDOWS.into() {
                return Ok(Err(AnnotationError::TOO_MANY_WINDOWS));
            }
            let insert = "INSERT INTO maintenance_windows
                          (from_ts, to_ts, cause_dimension, cause_value, author, text, written_at)
                          VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
            let NewMaintenanceWindow { from_ms, to_ms, cause, by, text, at_ms } = &planned;
            let (dimension, value) = (cause.dimension_name().to_string(), serde_json::json!(cause.texts()).to_string());
            transaction.execute(insert, params![from_ms, to_ms, dimension, value, by, text, at_ms])?;
            Ok(Ok(planned.kept_as(transaction.last_insert_rowid())))
        })
    }

    fn remove_maintenance(&self, id: i64) -> Result<bool, AnnotationError> {
        self.transact("delete a maintenance window", |transaction| {
            Ok(Ok(transaction.execute("DELETE FROM maintenance_windows WHERE id = ?1", [id])? > 0))
        })
    }
}
