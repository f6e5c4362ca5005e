//! A new file, built aside without a journal, which takes its name once it is whole.
//!
//! Decision: D-016.

use std::ffi::OsString;
use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};

use rusqlite::Connection;

use super::{SqliteStore, StoreFile, schema};
use crate::{Clock, StoreError, WriteTurn};

/// What the file is called while it is built.
const BUILDING: &str = ".building";

/// What becomes of a store that a replay makes from nothing. There is nothing in it to protect: where the replay breaks
/// off, the file is thrown away and the log replayed again. So it is written without a journal, at a third of the cost,
/// under another name; nobody ever sees a part of it.
pub(super) struct Build {
    building: PathBuf,
    path: PathBuf,
    /// Held until the file has its name, so that no other process takes it for what a crash has left.
    lock: File,
}

impl SqliteStore {
    /// Begins a new file, in the place of what an earlier build that broke off has left. It takes its name with
    /// [`Store::complete`](crate::Store::complete).
    ///
    /// # Errors
    /// [`StoreError::BeingBuilt`] if another process builds it, or those of [`SqliteStore::open`].
    pub fn build(path: &Path, clock: Clock) -> Result<Self, StoreError> {
        let mut building = OsString::from(path);
        building.push(BUILDING);
        let building = PathBuf::from(building);
        let unwritable =
            |reason: std::io::Error| StoreError::Unwritable { path: path.to_owned(), reason: reason.to_string() };
        netqoe_datafile::make_private(&building).map_err(unwritable)?;
        let lock = File::options().write(true).open(&building).map_err(unwritable)?;
        match lock.try_lock() {
            Ok(()) => lock.set_len(0).map_err(unwritable)?,
            Err(TryLockError::WouldBlock) => return Err(StoreError::BeingBuilt { path: path.to_owned() }),
            Err(TryLockError::Error(error)) => return Err(unwritable(error)),
        }
        let mut store = Self::open_with(schema::UNSHARED, &building, WriteTurn::default(), clock)?;
        // One transaction for all of it: each page is written when it is full, not at every commit.
        store.connection.execute_batch("BEGIN EXCLUSIVE").map_err(|error| store.file.error("begin", &error))?;
        // From here on nothing can be tried again: what a transaction has half written stays half written.
        store.file.built_as = Some(path.to_owned());
        store.build = Some(Build { building, path: path.to_owned(), lock });
        Ok(store)
    }
}

impl Build {
    /// Gives the file its name.
    pub(super) fn complete(self, connection: Connection, file: &StoreFile) -> Result<(), StoreError> {
        let Self { building, path, lock } = self;
        connection.execute_batch("COMMIT").map_err(|error| file.error("be written", &error))?;
        connection.close().map_err(|(_, error)| file.error("be closed", &error))?;
        let done = lock.sync_all().and_then(|()| std::fs::rename(&building, &path));
        done.map_err(|error| StoreError::Unwritable { path, reason: error.to_string() })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::Store;

    fn begin(path: &Path) -> Result<SqliteStore, StoreError> {
        SqliteStore::build(path, Arc::new(|| 0))
    }

    #[test]
    fn a_file_has_its_name_once_it_is_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store.db");
        let build = begin(&path).unwrap();
        assert!(!path.exists());
        assert!(matches!(begin(&path), Err(StoreError::BeingBuilt { .. })));
        Box::new(build).complete().unwrap();
        SqliteStore::open(&path, WriteTurn::default(), Arc::new(|| 0)).unwrap();
        assert_eq!(folder.path().read_dir().unwrap().filter(|entry| entry.as_ref().unwrap().path() == path).count(), 1);
    }

    #[test]
    fn what_a_crash_has_left_is_thrown_away() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store.db");
        std::fs::write(folder.path().join("store.db.building"), "half a page of a database").unwrap();
        Box::new(begin(&path).unwrap()).complete().unwrap();
        SqliteStore::open(&path, WriteTurn::default(), Arc::new(|| 0)).unwrap();
    }

    #[test]
    fn a_folder_that_is_not_there_is_named() {
        let error = begin(Path::new("/dev/null/store.db")).err().unwrap().to_string();
        assert!(error.contains("/dev/null/store.db"), "{error}");
    }
}
