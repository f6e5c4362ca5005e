//! Records that end the process whenever they are processed, between a real log and a real store.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use netqoe_dataflow::Polled;
use netqoe_eventlog::{EventLog, SqliteLog, SqliteLogOptions};
use netqoe_model::{Checkpoint, Chunk, LogTime, MAX_ATTEMPTS, PartitionCommit};
use netqoe_sinks::SqliteStore;
use parking_lot::Mutex;
use tempfile::TempDir;

use super::*;

const WORKERS: NonZeroUsize = NonZeroUsize::new(2).unwrap();

/// More than any of these tests needs, each of which ends.
const MANY_STARTS: u32 = 50;

struct Bench {
    folder: TempDir,
    log: SqliteLog,
}

type Record = (Partition, Position);

/// What a process that was started came to.
struct Life {
    /// Whether a record ended it. Otherwise it has committed all that the log holds.
    crashed: bool,
    /// Records that were handed out, and whether they were set aside.
    handed: BTreeMap<Record, bool>,
}

impl Bench {
    fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let options = SqliteLogOptions::new(Arc::new(|| LogTime::from_ms(1_000_000)), Arc::default());
        let log = SqliteLog::open(&folder.path().join("log.db"), options).unwrap();
        Self { folder, log }
    }

    /// Appends a record of one event and returns its position, which is the number of all records by then.
    fn append(&self, runtime: &tokio::runtime::Runtime, partition: u16, client_id: &str, number: u64) {
        let line = format!(
            r#"{{"event_id":"{number}","client_id":"{client_id}","ts_ms":1000000,"target":"t","timing_measurements":{{}}}}"#
        );
        runtime.block_on(self.log.append(vec![(Partition(partition), line.into_bytes())])).unwrap();
    }

    /// So many records, one a partition in turn, of which these have a poisonous one.
    fn append_all(&self, count: u64, poisonous: &[u64]) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        for number in 1..=count {
            let client_id = if poisonous.contains(&number) { "poison" } else { "c" };
            self.append(&runtime, (number % 4) as u16, client_id, number);
        }
    }

    fn store(&self) -> OpenedStore {
        let path: &Path = &self.folder.path().join("store.db");
        let store = SqliteStore::open(path, Arc::default(), Arc::new(|| 0)).unwrap();
        OpenedStore::open(Box::new(store), self.log.identity(), &Rules::default(), Patience::None).unwrap()
    }

    /// One start of a process that ends at once where it is to process what holds `poison`, with all that is under way
    /// then. What it commits is nothing but progress; so all of the log is read again at each start.
    fn live(&self) -> Life {
        let mut store = self.store();
        let (crew, _links) = alone(WORKERS).unwrap();
        let starts = crew.share(&starts(&store.resume, self.log.identity()));
        let (failures, failed) = Failures::new();
        let (_, mut feeds, backlog) = LogFeeds::start(&self.log, &store, &starts, &failures, || 0).unwrap();
        let mut processed: BTreeMap<_, _> =
            store.resume.checkpoints.iter().map(|checkpoint| (checkpoint.partition, checkpoint.processed)).collect();
        let mut life = Life { crashed: false, handed: BTreeMap::new() };
        loop {
            let mut chunks = Vec::new();
            for feed in &mut feeds {
                if let Polled::Batch(batch) = feed.poll() {
                    chunks.extend(batch.chunks);
                }
            }
            assert!(failed.is_empty(), "{:?}", failed.try_recv());
            life.handed.extend(chunks.iter().map(|chunk| (chunk.place().unwrap(), chunk.set_aside.is_some())));
            life.crashed = chunks.iter().any(is_deadly);
            if life.crashed || (chunks.is_empty() && backlog.records() == 0) {
                return life;
            }
            for chunk in &chunks {
                let reached = processed.entry(chunk.partition.unwrap()).or_default();
                *reached = chunk.position.max(*reached);
            }
            let commits: Vec<_> =
                processed.iter().map(|(partition, processed)| commit(*partition, *processed)).collect();
            store.commit(&commits).unwrap();
            backlog.committed(commits.iter().map(|commit| &commit.checkpoint));
        }
    }

    /// Starts until one goes on living; how many died.
    fn survive(&self) -> (u32, Life) {
        let mut died = 0;
        loop {
            let life = self.live();
            if !life.crashed {
                return (died, life);
            }
            died += 1;
            assert!(died < MANY_STARTS);
        }
    }
}

fn is_deadly(chunk: &Chunk) -> bool {
    chunk.set_aside.is_none() && chunk.lines.windows(6).any(|word| word == b"poison")
}

fn commit(partition: Partition, processed: Position) -> PartitionCommit {
    let checkpoint = Checkpoint { partition, processed, resume_from: Position(1), ..Checkpoint::default() };
    PartitionCommit { checkpoint, rows: vec![], clients: vec![], dead_letters: vec![], oldest_record: None }
}

fn set_aside(life: &Life) -> BTreeSet<u64> {
    life.handed.iter().filter(|(_, set_aside)| **set_aside).map(|((_, position), _)| position.0).collect()
}

#[test]
fn what_ends_the_process_again_and_again_is_set_aside_and_nothing_else() {
    for poisonous in [vec![], vec![1], vec![40], vec![7, 8, 22], (17..=20).collect()] {
        let bench = Bench::new();
        bench.append_all(40, &poisonous);
        let (died, life) = bench.survive();
        assert_eq!(set_aside(&life), poisonous.iter().copied().collect(), "{poisonous:?}");
        assert_eq!(life.handed.len(), 40, "{poisonous:?}");
        assert!(died >= MAX_ATTEMPTS * poisonous.len() as u32, "{poisonous:?}: {died}");
        // What is read again, to rebuild windows, is as deadly as before.
        let again = bench.live();
        assert!(!again.crashed);
        assert_eq!(set_aside(&again), set_aside(&life));
    }
}

#[test]
fn an_end_without_a_record_sets_nothing_aside() {
    let bench = Bench::new();
    for _ in 0..10 {
        drop(bench.store());
        assert!(!bench.live().crashed);
    }
    bench.append_all(40, &[]);
    // Lost ten times before anything is read.
    for _ in 0..10 {
        drop(bench.store());
    }
    let (died, life) = bench.survive();
    assert_eq!((died, life.handed.len(), set_aside(&life).len()), (0, 40, 0));
}

#[test]
fn what_is_set_aside_becomes_a_dead_letter_of_the_real_pipeline() {
    let bench = Bench::new();
    bench.append_all(40, &[3]);
    bench.live();
    bench.live();
    for _ in 0..MAX_ATTEMPTS {
        assert!(bench.live().crashed);
    }
    let letters = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&letters);
    let store = bench.store().setting_aside(Box::new(move |letters| {
        kept.lock().extend_from_slice(letters);
        Ok(())
    }));
    let reflected: u64 = store.resume.checkpoints.iter().map(|checkpoint| checkpoint.processed.0.div_ceil(4)).sum();
    let (crew, links) = alone(WORKERS).unwrap();
    let starts = crew.share(&starts(&store.resume, bench.log.identity()));
    let (failures, _failed) = Failures::new();
    let (feeds, workers, backlog) = LogFeeds::start(&bench.log, &store, &starts, &failures, || 0).unwrap();
    let committed = Box::new(move |committed: Committed<'_>| {
        backlog.committed(committed.partitions.iter().map(|commit| &commit.checkpoint));
    });
    let workers = (workers, crew, links);
    let rules = Rules::default();
    let pipeline =
        Pipeline::start(workers, bench.log.identity(), store, rules, Gathering::LIVE, committed, failures).unwrap();
    feeds.end();
    let events = pipeline.join().unwrap().events;
    assert_eq!((events.read, events.accepted, events.invalid), (40 - reflected, 39 - reflected, 1));
    let letters = letters.lock();
    let [letter] = letters.as_slice() else { panic!("{letters:?}") };
    assert_eq!((letter.position, &*letter.reason), (Position(3), "processing this record failed 3 times"));
}
