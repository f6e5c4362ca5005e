//! Reading a SQLite store.

mod aggregates;
mod clients;
mod connections;
mod diagnoses;
mod execute;
mod keys;
mod targets;
#[cfg(test)]
mod tests;

use std::path::Path;

use rusqlite::OptionalExtension;

use self::connections::Connections;
use super::{
    AggregateRecord, ClientRecord, DiagnosisRecord, Page, Query, ReadError, Reader, RowPosition, TIME_LIMIT,
    TargetRecord,
};

pub use self::connections::MAX_CONNECTIONS;

/// Reads a SQLite store, beside the process that writes it.
pub struct SqliteReader {
    connections: Connections,
}

impl SqliteReader {
    /// The store in this file, which exists and has its tables.
    ///
    /// # Errors
    /// [`ReadError::Open`] or [`ReadError::Query`] where it can't be read.
    pub fn open(path: &Path) -> Result<Self, ReadError> {
        Ok(Self { connections: Connections::open(path, TIME_LIMIT)? })
    }
}

impl Reader for SqliteReader {
    fn aggregates(&self, query: &Query<RowPosition>) -> Result<Page<AggregateRecord>, ReadError> {
        self.connections.read(|connection| aggregates::page(connection, query))
    }

    fn diagnoses(&self, query: &Query<RowPosition>) -> Result<Page<DiagnosisRecord>, ReadError> {
        self.connections.read(|connection| diagnoses::page(connection, query))
    }

    fn clients(&self, query: &Query<String>) -> Result<Page<ClientRecord>, ReadError> {
        self.connections.read(|connection| clients::page(connection, query))
    }

    fn targets(&self, query: &Query<String>) -> Result<Page<TargetRecord>, ReadError> {
        self.connections.read(|connection| targets::page(connection, query))
    }

    fn rules(&self) -> Result<Option<String>, ReadError> {
        self.connections.read(|connection| {
            // An older schema has no such column.
            let columns = "SELECT EXISTS (SELECT 1 FROM pragma_table_info('fence') WHERE name = 'rules')";
            if !connection.query_row(columns, [], |row| row.get(0))? {
                return Ok(None);
            }
            let rules = connection.query_row("SELECT rules FROM fence", [], |row| row.get(0)).optional()?;
            Ok(rules.flatten())
        })
    }
}
