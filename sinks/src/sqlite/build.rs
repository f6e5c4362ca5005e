//! A new file, built aside without a journal, which takes its name once it is whole.
//!
//! Decision: D-016.

use std::ffi::OsString;
use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};

use netqoe_model::{Checkpoint, DiagnosisRules, Generation, LogIdentity, Partition, PartitionCommit, Position, Resume};

use super::{SqliteStore, schema};
use crate::{Clock, Opening, Store, StoreError, WriteTurn};

/// What the file is called while it is built.
const BUILDING: &str = ".building";

/// A store that a replay makes from nothing. There is nothing in it to protect: where the replay breaks off, the file
/// is thrown away and the log replayed again. So it is written without a journal, at a third of the cost, under another
/// name; nobody ever sees a part of it.
pub struct SqliteBuild {
    store: SqliteStore,
    building: PathBuf,
    path: PathBuf,
    /// Held until the file has its name, so that no other process takes it for what a crash has left.
    lock: File,
}

impl SqliteBuild {
    /// Begins a new file, in the place of what an earlier build that broke off has left.
    ///
    /// # Errors
    /// [`StoreError::BeingBuilt`] if another process builds it, or those of [`SqliteStore::open`].
    pub fn begin(path: &Path, clock: Clock) -> Result<Self, StoreError> {
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
        let store = SqliteStore::open_with(schema::UNSHARED, &building, WriteTurn::default(), clock)?;
        // One transaction for all of it: each page is written when it is full, not at every commit.
        store.connection.execute_batch("BEGIN EXCLUSIVE").map_err(|error| store.file.error("begin", &error))?;
        Ok(Self { store, building, path: path.to_owned(), lock })
    }
}

impl Store for SqliteBuild {
    fn open(&mut self, log: &LogIdentity, opening: &Opening) -> Result<Generation, StoreError> {
        self.store.open(log, opening).map_err(|error| broken_off(&self.path, error))
    }

    fn resume(&mut self, generation: Generation, rules: &DiagnosisRules) -> Result<Resume, StoreError> {
        self.store.resume(generation, rules).map_err(|error| broken_off(&self.path, error))
    }

    fn attempt(
        &mut self,
        generation: Generation,
        partition: Partition,
        position: Position,
    ) -> Result<Option<u32>, StoreError> {
        self.store.attempt(generation, partition, position).map_err(|error| broken_off(&self.path, error))
    }

    fn checkpoints(&mut self) -> Result<Vec<Checkpoint>, StoreError> {
        self.store.checkpoints().map_err(|error| broken_off(&self.path, error))
    }

    fn commit(&mut self, generation: Generation, partitions: &[PartitionCommit]) -> Result<(), StoreError> {
        self.store.commit(generation, partitions).map_err(|error| broken_off(&self.path, error))
    }

    fn complete(self: Box<Self>) -> Result<(), StoreError> {
        let Self { store, building, path, lock } = *self;
        let SqliteStore { connection, file, .. } = store;
        connection.execute_batch("COMMIT").map_err(|error| broken_off(&path, file.error("be written", &error)))?;
        connection.close().map_err(|(_, error)| broken_off(&path, file.error("be closed", &error)))?;
        let done = lock.sync_all().and_then(|()| std::fs::rename(&building, &path));
        done.map_err(|error| StoreError::Unwritable { path, reason: error.to_string() })
    }
}

/// Without a journal nothing can be tried again: what a transaction has half written stays half written.
fn broken_off(path: &Path, error: StoreError) -> StoreError {
    match error {
        StoreError::Unavailable { reason, .. } => StoreError::BrokenOff { path: path.to_owned(), reason },
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    fn begin(path: &Path) -> Result<SqliteBuild, StoreError> {
        SqliteBuild::begin(path, Arc::new(|| 0))
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
