use std::num::NonZeroU16;
use std::path::Path;

use rusqlite::{Connection, OpenFlags, OptionalExtension};

use super::{Served, check_version};
use crate::StoreError;
use crate::sqlite::{HISTORY_TABLE, StoreFile, known_version};

pub(super) fn look(path: &Path) -> Result<Served, StoreError> {
    let file = StoreFile::new(path);
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(|error| StoreError::Unreadable {
        path: path.to_owned(),
        reason: netqoe_datafile::described(&error),
    })?;
    let found = version(&connection).map_err(|error| file.opening_error("be read", &error))?;
    check_version(file.name(), found, known_version())?;
    let partitions = connection.query_row("SELECT partitions FROM fence", [], |row| row.get::<_, u16>(0)).optional();
    let partitions = partitions.map_err(|error| file.error("be read", &error))?;
    Ok(Served { partitions: partitions.and_then(NonZeroU16::new) })
}

/// The newest version of the schema that the file has; none where it has no schema of a store.
fn version(connection: &Connection) -> rusqlite::Result<Option<i32>> {
    let there = "SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?1)";
    if !connection.query_row(there, [HISTORY_TABLE], |row| row.get(0))? {
        return Ok(None);
    }
    connection.query_row(&format!("SELECT max(version) FROM {HISTORY_TABLE}"), [], |row| row.get(0))
}
