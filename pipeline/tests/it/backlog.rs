//! The pipeline between a real log and a store that is as slow as it is told to be.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, unbounded};
use netqoe_eventlog::{EventLog, SqliteLog, SqliteLogOptions};
use netqoe_model::{
    Checkpoint, DiagnosisRules, Generation, LogIdentity, LogTime, Partition, PartitionCommit, Position, Resume, Rules,
};
use netqoe_sinks::{Opening, SqliteStore, Store, StoreError};

use super::*;

/// Long enough for any machine.
const PATIENCE: Duration = Duration::from_secs(60);
const WORKERS: NonZeroUsize = NonZeroUsize::new(2).unwrap();

/// A store that commits once for each permission, and freely once nobody can give any more.
struct Gated {
    store: SqliteStore,
    permissions: Receiver<()>,
}

impl Store for Gated {
    fn open(&mut self, log: &LogIdentity, opening: &Opening) -> Result<Generation, StoreError> {
        self.store.open(log, opening)
    }

    fn resume(&mut self, generation: Generation, rules: &DiagnosisRules) -> Result<Resume, StoreError> {
        self.store.resume(generation, rules)
    }

    fn attempt(
        &mut self,
        generation: Generation,
        partition: Partition,
        position: Position,
    ) -> Result<Option<u32>, StoreError> {
        self.store.attempt(generation, partition, position)
    }

    fn checkpoints(&mut self) -> Result<Vec<Checkpoint>, StoreError> {
        self.store.checkpoints()
    }

    fn commit(&mut self, generation: Generation, partitions: &[PartitionCommit]) -> Result<(), StoreError> {
        // An error says that nobody can give a permission any more.
        self.permissions.recv().unwrap_or_default();
        self.store.commit(generation, partitions)
    }

    fn complete(self: Box<Self>) -> Result<(), StoreError> {
        Box::new(self.store).complete()
    }
}

fn eventually(is_so: impl Fn() -> bool) {
    let started = Instant::now();
    while !is_so() {
        assert!(started.elapsed() < PATIENCE);
        std::thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn the_backlog_is_what_the_store_does_not_reflect() {
    let folder = tempfile::tempdir().unwrap();
    let options = SqliteLogOptions::new(Arc::new(|| LogTime::from_ms(1_000_000)), Arc::default());
    let log = SqliteLog::open(&folder.path().join("log.db"), options).unwrap();
    let store = SqliteStore::open(&folder.path().join("store.db"), Arc::default(), Arc::new(|| 0)).unwrap();
    let (permit, permissions) = unbounded();
    let rules = Rules::default();
    let store =
        OpenedStore::open(Box::new(Gated { store, permissions }), log.identity(), &rules, Patience::None).unwrap();
    let (crew, links) = alone(WORKERS).unwrap();
    let starts = crew.share(&starts(&store.resume, log.identity()));
    let (failures, _failed) = Failures::new();
    let (feeds, workers, backlog) = LogFeeds::start(&log, &store, &starts, &failures, || 0).unwrap();
    let shown = backlog.clone();
    let committed = Box::new(move |committed: Committed<'_>| {
        shown.committed(committed.partitions.iter().map(|commit| &commit.checkpoint));
    });
    let pipeline =
        Pipeline::start((workers, crew, links), log.identity(), store, rules, Gathering::LIVE, committed, failures)
            .unwrap();

    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let append = |number: u16| {
        let line = format!(
            r#"{{"event_id":"{number}","client_id":"c","ts_ms":1000000,"target":"t","timing_measurements":{{}}}}"#
        );
        runtime.block_on(log.append(vec![(Partition(number % 16), line.into_bytes())])).unwrap();
    };
    assert_eq!(backlog.records(), 0);
    for number in 1..=40 {
        append(number);
        assert_eq!(backlog.records(), u64::from(number), "nothing is committed yet");
    }
    let read = Some(LogTime::from_ms(1_000_000));
    eventually(|| backlog.oldest().eq([read, read]));

    drop(permit);
    eventually(|| backlog.records() == 0);
    assert_eq!(backlog.oldest().collect::<Vec<_>>(), [None, None]);
    feeds.end();
    assert_eq!(pipeline.join().unwrap().events.read, 40);
}
