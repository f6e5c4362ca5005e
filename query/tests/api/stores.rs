//! A store of either kind for one test, and its reader.

use std::num::NonZeroU16;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread;

use netqoe_model::{Generation, LogIdentity, PartitionCommit};
use netqoe_sinks::read::{PostgresReader, Reader, SqliteReader};
use netqoe_sinks::{Opening, PostgresOptions, PostgresStore, SqliteStore, Store};
use netqoe_testbed::Database;
use tempfile::TempDir;
use tokio::runtime::Handle;

use crate::support::WRITTEN_MS;

/// Makes tests of functions that take a [`Kind`]: one for each kind of store.
macro_rules! on_each_store {
    ($($name:ident),* $(,)?) => {
        mod sqlite {
            $(#[tokio::test] async fn $name() { super::$name($crate::stores::Kind::Sqlite).await; })*
        }
        mod postgres {
            $(#[tokio::test] async fn $name() { super::$name($crate::stores::Kind::Postgres).await; })*
        }
    };
}
pub(crate) use on_each_store;

#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind {
    Sqlite,
    Postgres,
}

/// The writing side. It is used and dropped beside the test's runtime, which its driver must not wait in.
pub(crate) struct TestStore {
    store: Option<Box<dyn Store>>,
    generation: Generation,
    place: Place,
}

/// What is gone with the store.
enum Place {
    Folder(TempDir),
    Database(#[allow(dead_code, reason = "its server is stopped when it is dropped")] Database),
}

impl TestStore {
    /// Empty, with a reader.
    pub(crate) async fn open(kind: Kind) -> (Self, Arc<dyn Reader>) {
        match kind {
            Kind::Sqlite => Self::sqlite(),
            Kind::Postgres => Self::postgres().await,
        }
    }

    pub(crate) fn sqlite() -> (Self, Arc<dyn Reader>) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store.db");
        let store = SqliteStore::open(&path, Arc::default(), Arc::new(|| WRITTEN_MS)).unwrap();
        let reader = SqliteReader::open(&path).unwrap();
        (Self::of(Box::new(store), Place::Folder(folder)), Arc::new(reader))
    }

    /// The file of a SQLite store.
    pub(crate) fn path(&self) -> Option<PathBuf> {
        match &self.place {
            Place::Folder(folder) => Some(folder.path().join("store.db")),
            Place::Database(_) => None,
        }
    }

    async fn postgres() -> (Self, Arc<dyn Reader>) {
        let (database, options) = (Database::fresh().unwrap(), PostgresOptions::default());
        let store = beside(|| PostgresStore::connect(database.url(), &options, Arc::new(|| WRITTEN_MS)).unwrap());
        let reader = PostgresReader::connect(database.url(), &options, Handle::current()).await.unwrap();
        (Self::of(Box::new(store), Place::Database(database)), Arc::new(reader))
    }

    fn of(mut store: Box<dyn Store>, place: Place) -> Self {
        let log = LogIdentity { id: "a-log".to_owned(), partitions: NonZeroU16::MIN };
        let generation = beside(|| store.open(&log, &Opening::default()).unwrap());
        Self { store: Some(store), generation, place }
    }

    pub(crate) fn commit(&mut self, commit: PartitionCommit) {
        let (store, generation) = (self.store.as_mut().unwrap(), self.generation);
        beside(|| store.commit(generation, &[commit]).unwrap());
    }
}

impl Drop for TestStore {
    fn drop(&mut self) {
        let store = self.store.take();
        beside(|| drop(store));
    }
}

/// Does this on a thread of its own.
fn beside<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    thread::scope(|scope| scope.spawn(work).join().unwrap())
}
