//! Records that end the process whenever they are processed, between a real log and a real store.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use netqoe_dataflow::Polled;
use netqoe_model::{Checkpoint, Chunk, MAX_ATTEMPTS, Partition, PartitionCommit, Position};
use netqoe_pipeline::{Ready, links_within};
use parking_lot::Mutex;

use crate::support::{Files, WORKERS};

/// More than any of these tests needs, each of which ends.
const MANY_STARTS: u32 = 50;

type Record = (Partition, Position);

/// What a process that was started came to.
struct Life {
    /// Whether a record ended it. Otherwise it has committed all that the log holds.
    crashed: bool,
    /// Records that were handed out, and whether they were set aside.
    handed: BTreeMap<Record, bool>,
    /// How often records were handed out.
    turns: usize,
}

/// Appends so many records, one a partition in turn, of which these have a poisonous one.
fn append_all(files: &Files, count: u64, poisonous: &[u64]) {
    for number in 1..=count {
        let client_id = if poisonous.contains(&number) { "poison" } else { "c" };
        files.append((number % 4) as u16, client_id, number);
    }
}

impl Life {
    /// One start of a process that ends at once where it is to process what holds `poison`, with all that is under way
    /// then. What it commits is nothing but progress; so all of the log is read again at each start.
    fn of(files: &Files) -> Self {
        let Ready { mut workers, backlog, mut failed, assembly, .. } = files.assembly().ready().unwrap();
        let mut store = assembly.store;
        let mut processed: BTreeMap<_, _> =
            store.resume.checkpoints.iter().map(|checkpoint| (checkpoint.partition, checkpoint.processed)).collect();
        let mut life = Self { crashed: false, handed: BTreeMap::new(), turns: 0 };
        loop {
            let mut chunks = Vec::new();
            for feed in &mut workers {
                if let Polled::Batch(batch) = feed.poll() {
                    chunks.extend(batch.chunks);
                }
            }
            let failure = failed.failure_by_now();
            assert!(failure.is_none(), "{failure:?}");
            life.turns += usize::from(!chunks.is_empty());
            life.handed.extend(chunks.iter().map(|chunk| (chunk.place().unwrap(), chunk.set_aside.is_some())));
            life.crashed = chunks.iter().any(is_deadly);
            if life.crashed || (chunks.is_empty() && backlog.records() == 0) {
                return life;
            }
            for chunk in &chunks {
                let reached = processed.entry(chunk.partition.unwrap()).or_default();
                *reached = chunk.position.max(*reached);
            }
            let mut commits: Vec<_> =
                processed.iter().map(|(partition, processed)| commit(*partition, *processed)).collect();
            store.commit(&mut commits).unwrap();
            backlog.committed(commits.iter().map(|commit| &commit.checkpoint));
        }
    }

    /// Starts until one goes on living; how many died.
    fn after_deaths(files: &Files) -> (u32, Self) {
        let mut died = 0;
        loop {
            let life = Self::of(files);
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
    PartitionCommit {
        checkpoint,
        rows: vec![],
        clients: vec![],
        dead_letters: vec![],
        looks: vec![],
        waiting: Vec::new(),
        oldest_record: None,
    }
}

fn set_aside(life: &Life) -> BTreeSet<u64> {
    life.handed.iter().filter(|(_, set_aside)| **set_aside).map(|((_, position), _)| position.0).collect()
}

#[test]
fn what_ends_the_process_again_and_again_is_set_aside_and_nothing_else() {
    for poisonous in [vec![], vec![1], vec![40], vec![7, 8, 22], (17..=20).collect()] {
        let files = Files::new();
        append_all(&files, 40, &poisonous);
        let (died, life) = Life::after_deaths(&files);
        assert_eq!(set_aside(&life), poisonous.iter().copied().collect(), "{poisonous:?}");
        assert_eq!(life.handed.len(), 40, "{poisonous:?}");
        assert!(died >= MAX_ATTEMPTS * poisonous.len() as u32, "{poisonous:?}: {died}");
        // What is read again, to rebuild windows, is as deadly as before.
        let again = Life::of(&files);
        assert!(!again.crashed);
        assert_eq!(set_aside(&again), set_aside(&life));
    }
}

#[test]
fn an_end_without_a_record_sets_nothing_aside() {
    let files = Files::new();
    for _ in 0..10 {
        drop(files.store());
        assert!(!Life::of(&files).crashed);
    }
    append_all(&files, 40, &[]);
    // Lost ten times before anything is read.
    for _ in 0..10 {
        drop(files.store());
    }
    let (died, life) = Life::after_deaths(&files);
    assert_eq!((died, life.handed.len(), set_aside(&life).len()), (0, 40, 0));
}

/// Partitions without records seem to lead nowhere after each start that was killed. That must not slow the others down.
#[test]
fn records_of_partitions_that_are_not_in_doubt_are_handed_out_together() {
    let files = Files::new();
    append_all(&files, 1, &[]);
    for _ in 0..5 {
        drop(files.store());
    }
    assert_eq!(Life::of(&files).turns, 1, "all partitions are in doubt");
    for number in 2..=100 {
        files.append(1, "c", number);
    }
    let life = Life::of(&files);
    assert_eq!((life.crashed, life.handed.len()), (false, 100));
    assert!(life.turns < 5, "{} turns, although only partitions without records are in doubt", life.turns);
}

#[test]
fn what_is_set_aside_becomes_a_dead_letter_of_the_real_pipeline() {
    let files = Files::new();
    append_all(&files, 40, &[3]);
    Life::of(&files);
    Life::of(&files);
    for _ in 0..MAX_ATTEMPTS {
        assert!(Life::of(&files).crashed);
    }
    let letters = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&letters);
    let store = files.store().setting_aside(Box::new(move |letters| {
        kept.lock().extend_from_slice(letters);
        Ok(())
    }));
    let reflected: u64 = store.resume.checkpoints.iter().map(|checkpoint| checkpoint.processed.0.div_ceil(4)).sum();
    let ready = files.assembly_with(store).ready().unwrap();
    let running = ready.start(links_within(WORKERS).unwrap()).unwrap();
    running.feeds.end();
    let events = running.pipeline.join().unwrap().events;
    assert_eq!((events.read, events.accepted, events.invalid), (40 - reflected, 39 - reflected, 1));
    let letters = letters.lock();
    let [letter] = letters.as_slice() else { panic!("{letters:?}") };
    assert_eq!((letter.position, &*letter.reason), (Position(3), "processing this record failed 3 times"));
}
