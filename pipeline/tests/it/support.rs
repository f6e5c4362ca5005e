//! A log and a store in a folder that is deleted afterwards, and what is put together from them.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use netqoe_eventlog::{EventLog, SqliteLog, SqliteLogOptions};
use netqoe_model::metrics::Metrics;
use netqoe_model::{LogTime, Partition, Rules};
use netqoe_pipeline::{
    Assembly, Assignment, MeasuredStore, Observed, OpenedStore, Patience, Running, Source, StoreHealth, links_within,
};
use netqoe_sinks::{SqliteStore, WriteTurn};
use tempfile::TempDir;

pub(crate) const WORKERS: NonZeroUsize = NonZeroUsize::new(2).unwrap();

/// Long enough for any machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// When every record is appended.
pub(crate) const NOW_MS: i64 = 1_000_000;

pub(crate) struct Files {
    pub(crate) folder: TempDir,
    pub(crate) log: SqliteLog,
    /// Held by a test, it keeps the store from committing.
    pub(crate) write_turn: WriteTurn,
    runtime: tokio::runtime::Runtime,
}

impl Files {
    pub(crate) fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let options = SqliteLogOptions::new(Arc::new(|| LogTime::from_ms(NOW_MS)), Arc::default());
        let log = SqliteLog::open(&folder.path().join("log.db"), options).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        Self { folder, log, write_turn: WriteTurn::default(), runtime }
    }

    /// Appends a record of one event, at the position that is the number of all records by then.
    pub(crate) fn append(&self, partition: u16, client_id: &str, number: u64) {
        let event = event(client_id, number, NOW_MS);
        self.runtime.block_on(self.log.append(vec![(Partition(partition), event.into_bytes())])).unwrap();
    }

    pub(crate) fn store_path(&self) -> PathBuf {
        self.folder.path().join("store.db")
    }

    fn measured_store(&self) -> MeasuredStore {
        let store = SqliteStore::open(&self.store_path(), Arc::clone(&self.write_turn), Arc::new(|| 0)).unwrap();
        MeasuredStore::unwatched(Box::new(store))
    }

    pub(crate) fn store(&self) -> OpenedStore {
        let store = self.measured_store();
        OpenedStore::open(store, self.log.identity(), &Rules::default(), "a test".to_owned(), Patience::None).unwrap()
    }

    pub(crate) fn assembly(&self) -> Assembly {
        self.assembly_with(self.store())
    }

    pub(crate) fn assembly_with(&self, store: OpenedStore) -> Assembly {
        let observed = Observed::new(Metrics::new(), || NOW_MS);
        let fleet = Some(store.fleet_link_over(self.measured_store()));
        Assembly {
            source: Source::embedded(&self.log, "set the clock", &observed.metrics),
            store,
            fleet,
            store_kind: "sqlite",
            store_health: StoreHealth::default(),
            rules: Rules::default(),
            assignment: Assignment::of_one_process(WORKERS),
            observed,
        }
    }

    pub(crate) fn run(&self) -> Running {
        self.assembly().ready().unwrap().start(links_within(WORKERS).unwrap()).unwrap()
    }
}

pub(crate) fn event(client_id: &str, number: u64, ts_ms: i64) -> String {
    format!(
        r#"{{"event_id":"{number}","client_id":"{client_id}","ts_ms":{ts_ms},"target":"t","timing_measurements":{{}}}}"#
    )
}

#[track_caller]
pub(crate) fn eventually(is_so: impl Fn() -> bool) {
    let started = Instant::now();
    while !is_so() {
        assert!(started.elapsed() < PATIENCE);
        std::thread::sleep(Duration::from_millis(1));
    }
}
