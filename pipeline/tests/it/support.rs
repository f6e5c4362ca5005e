//! A log and a store in a folder that is deleted afterwards, and what is put together from them.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use netqoe_eventlog::{EventLog, SqliteLog, SqliteLogOptions};
use netqoe_model::metrics::Metrics;
use netqoe_model::{LogTime, Partition, Rules};
use netqoe_pipeline::{
    Assembly, Assignment, CorrectionPace, CorrectionsOver, FleetLink, MeasuredStore, Observed, OpenedStore, Patience,
    Running, Source, StoreHealth, links_within,
};
use netqoe_sinks::{SqliteStore, WriteTurn};
use netqoe_trace::Tracer;
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
    /// What the log takes for the present.
    clock_ms: Arc<AtomicI64>,
    runtime: tokio::runtime::Runtime,
}

impl Files {
    pub(crate) fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let clock_ms = Arc::new(AtomicI64::new(NOW_MS));
        let clock = Arc::clone(&clock_ms);
        let now = Arc::new(move || LogTime::from_ms(clock.load(Ordering::SeqCst)));
        let options =
            SqliteLogOptions { believe_clock_after: Duration::ZERO, ..SqliteLogOptions::new(now, Arc::default()) };
        let log = SqliteLog::open(&folder.path().join("log.db"), options).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        Self { folder, log, write_turn: WriteTurn::default(), clock_ms, runtime }
    }

    /// Appends a record of one event, at the position that is the number of all records by then.
    pub(crate) fn append(&self, partition: u16, client_id: &str, number: u64) {
        let event = event(client_id, number, NOW_MS);
        self.runtime.block_on(self.log.append(vec![(Partition(partition), event.into_bytes())])).unwrap();
    }

    /// The log takes this for the present from now on.
    pub(crate) fn set_clock(&self, ms: i64) {
        self.clock_ms.store(ms, Ordering::SeqCst);
    }

    /// Appends a record for each of these events.
    pub(crate) fn append_all(&self, events: Vec<(Partition, Vec<u8>)>) {
        self.runtime.block_on(self.log.append(events)).unwrap();
    }

    /// Moves the time of all partitions on.
    pub(crate) fn tick(&self) {
        let all = (0..self.log.identity().partitions.get()).map(Partition).collect();
        self.runtime.block_on(self.log.tick(all)).unwrap();
    }

    pub(crate) fn log_path(&self) -> PathBuf {
        self.folder.path().join("log.db")
    }

    /// What was told of incidents, in order: which, what, and when.
    pub(crate) fn revisions(&self) -> Vec<(String, i64, String, i64)> {
        let store = rusqlite::Connection::open(self.store_path()).unwrap();
        let sql = "SELECT incident, revision, change, at FROM incident_revisions ORDER BY incident, revision";
        let mut statement = store.prepare(sql).unwrap();
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))).unwrap();
        rows.collect::<Result<_, _>>().unwrap()
    }

    pub(crate) fn store_path(&self) -> PathBuf {
        self.folder.path().join("store.db")
    }

    pub(crate) fn measured_store(&self) -> MeasuredStore {
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
        let observed = Observed::new(Metrics::new(), || NOW_MS, Tracer::OFF);
        let fleet = Some(store.fleet_link_over(self.measured_store()));
        self.assembly_by(store, fleet, Rules::default(), observed)
    }

    /// Without a thread that finds incidents, so that all looks stay.
    pub(crate) fn run_without_incidents(
        &self,
        rules: &Rules,
        workers: NonZeroUsize,
        corrections: Option<CorrectionPace>,
    ) -> Running {
        let store = self.measured_store();
        let store =
            OpenedStore::open(store, self.log.identity(), rules, "a test".to_owned(), Patience::OfACommand).unwrap();
        let observed = Observed::new(Metrics::new(), || NOW_MS, Tracer::OFF);
        let corrections =
            corrections.map(|pace| CorrectionsOver { link: store.fleet_link_over(self.measured_store()), pace });
        let assignment = Assignment::of_one_process(workers);
        let assembly = Assembly { corrections, assignment, ..self.assembly_by(store, None, rules.clone(), observed) };
        assembly.ready().unwrap().start(links_within(workers).unwrap()).unwrap()
    }

    fn assembly_by(&self, store: OpenedStore, fleet: Option<FleetLink>, rules: Rules, observed: Observed) -> Assembly {
        Assembly {
            source: Source::embedded(&self.log, "set the clock", &observed.metrics),
            store,
            fleet,
            corrections: None,
            store_kind: "sqlite",
            store_health: StoreHealth::default(),
            rules,
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
