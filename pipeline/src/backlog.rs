//! How far committed rows are behind the log: what is not read yet, and what is read and not committed.
//!
//! Decision: D-008.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use netqoe_eventlog::{LogError, LogReader, Start};
use netqoe_model::{Checkpoint, Chunk, LogTime, Partition, Position};
use parking_lot::Mutex;

/// The log as each worker reads it. Clones are the same one.
#[derive(Clone)]
pub struct Backlog(Arc<[Arc<Reading>]>);

impl Backlog {
    /// Of these workers, in their order.
    pub(crate) fn new(workers: impl IntoIterator<Item = Arc<Reading>>) -> Self {
        Self(workers.into_iter().collect())
    }

    /// Takes in what a commit reflects.
    pub fn committed<'a>(&self, checkpoints: impl IntoIterator<Item = &'a Checkpoint>) {
        let now = Instant::now();
        for checkpoint in checkpoints {
            for reading in self.0.iter() {
                reading.uncommitted.lock().commit(checkpoint.partition, checkpoint.processed, now);
                reading.moved();
            }
        }
    }

    /// Records that committed rows do not reflect. Right after a start these are also the records that must be read
    /// again to rebuild open windows.
    pub fn records(&self) -> u64 {
        self.0.iter().map(|reading| reading.records()).sum()
    }

    /// Records of one partition; none where the log does not say how many of those unread are its.
    pub fn records_of(&self, partition: Partition) -> Option<u64> {
        self.0.iter().try_fold(0, |sum, reading| Some(sum + reading.records_of(partition)?))
    }

    /// For each worker, the log time of the oldest record that it has read and that is not committed.
    pub fn oldest(&self) -> impl Iterator<Item = Option<LogTime>> {
        self.0.iter().map(|reading| reading.uncommitted.lock().oldest())
    }

    /// Whether anything was handed to the dataflow that no commit reflects.
    pub(crate) fn is_under_way(&self) -> bool {
        self.0.iter().any(|reading| reading.uncommitted.lock().records() > 0)
    }

    /// Why the log can't be read, where it can't.
    pub fn unreadable(&self) -> Option<String> {
        self.0.iter().find_map(|reading| reading.unreadable.lock().clone())
    }

    /// Counts turns of reading, commits, and tries to read that failed. Reading alone does not go on for long: a worker is only so many
    /// epochs ahead of the commits.
    pub(crate) fn moves(&self) -> u64 {
        self.0.iter().map(|reading| reading.moves.load(Ordering::Relaxed)).sum()
    }

    /// How long something has waited for a commit while none came.
    pub fn stalled_for(&self, now: Instant) -> Duration {
        let waits = self.0.iter().filter_map(|reading| reading.uncommitted.lock().waits_since);
        waits.map(|since| now.saturating_duration_since(since)).max().unwrap_or_default()
    }
}

/// One worker's place in the log, which the worker moves on and others may look at.
pub(crate) struct Reading {
    source: Mutex<Source>,
    /// Locked after `source`, and with it where records pass from the one to the other.
    uncommitted: Mutex<Uncommitted>,
    /// Why the log can't be read, where it can't.
    unreadable: Mutex<Option<String>>,
    moves: AtomicU64,
}

/// The log, and what was taken from it before its turn.
struct Source {
    reader: Box<dyn LogReader>,
    /// In log order; at most what one turn takes.
    held: VecDeque<Chunk>,
}

impl Source {
    fn lag(&self) -> u64 {
        self.reader.lag() + self.held.len() as u64
    }

    fn lag_of(&self, partition: Partition) -> Option<u64> {
        let held = self.held.iter().filter(|chunk| chunk.partition == Some(partition)).count();
        Some(self.reader.lag_of(partition)? + held as u64)
    }
}

/// What one turn of reading gave.
pub(crate) struct ReadTurn {
    pub(crate) chunks: Vec<Chunk>,
    /// Whether nothing follows for now: the log holds nothing after them, or they must be committed first.
    pub(crate) reached_end: bool,
}

impl Reading {
    /// From these places on.
    pub(crate) fn new(reader: Box<dyn LogReader>, starts: &[Start]) -> Self {
        let partition =
            |start: &Start| (start.partition, Waiting { processed: start.processed, records: VecDeque::new() });
        let uncommitted = Uncommitted { partitions: starts.iter().map(partition).collect(), waits_since: None };
        let source = Mutex::new(Source { reader, held: VecDeque::new() });
        let (unreadable, moves) = Default::default();
        Self { source, uncommitted: Mutex::new(uncommitted), unreadable, moves }
    }

    /// Takes in why the log can't be read, or that it can.
    pub(crate) fn set_unreadable(&self, why: Option<String>) {
        *self.unreadable.lock() = why;
        self.moved();
    }

    fn moved(&self) {
        self.moves.fetch_add(1, Ordering::Relaxed);
    }

    /// The next records.
    pub(crate) fn read(&self, max_bytes: usize) -> Result<ReadTurn, LogError> {
        let mut source = self.source.lock();
        let held = std::mem::take(&mut source.held);
        let chunks = if held.is_empty() { source.reader.read(max_bytes)? } else { held.into() };
        self.uncommitted.lock().add(&chunks, Instant::now());
        if !chunks.is_empty() {
            self.moved();
        }
        Ok(ReadTurn { chunks, reached_end: source.lag() == 0 })
    }

    /// The record that is next, where it is of one of these partitions and no commit reflects it.
    pub(crate) fn next_new_of(
        &self,
        partitions: &BTreeSet<Partition>,
        max_bytes: usize,
    ) -> Result<Option<(Partition, Position)>, LogError> {
        let mut source = self.source.lock();
        if source.held.is_empty() {
            source.held = source.reader.read(max_bytes)?.into();
        }
        let uncommitted = self.uncommitted.lock();
        let first = source.held.front().filter(|chunk| uncommitted.is_new_of(partitions, chunk));
        Ok(first.and_then(Chunk::place))
    }

    /// After [`Reading::next_new_of`] has told of a record: that record.
    pub(crate) fn read_one(&self) -> ReadTurn {
        self.read_held(|_, held| held.len().min(1))
    }

    /// After [`Reading::next_new_of`] has told of none: all that it has read before such a record.
    pub(crate) fn read_before_new_of(&self, partitions: &BTreeSet<Partition>) -> ReadTurn {
        self.read_held(|uncommitted, held| {
            held.iter().take_while(|chunk| !uncommitted.is_new_of(partitions, chunk)).count()
        })
    }

    /// As many of the held chunks as that says.
    fn read_held(&self, count: impl FnOnce(&Uncommitted, &VecDeque<Chunk>) -> usize) -> ReadTurn {
        let mut source = self.source.lock();
        let mut uncommitted = self.uncommitted.lock();
        let count = count(&uncommitted, &source.held);
        let chunks: Vec<_> = source.held.drain(..count).collect();
        uncommitted.add(&chunks, Instant::now());
        if !chunks.is_empty() {
            self.moved();
        }
        ReadTurn { chunks, reached_end: source.lag() == 0 }
    }

    /// Calls `wake` when there is more to read.
    pub(crate) fn on_append(&self, wake: Box<dyn Fn() + Send + Sync>) {
        self.source.lock().reader.on_append(wake);
    }

    fn records(&self) -> u64 {
        let source = self.source.lock();
        source.lag() + self.uncommitted.lock().records()
    }

    fn records_of(&self, partition: Partition) -> Option<u64> {
        let source = self.source.lock();
        let uncommitted = self.uncommitted.lock();
        let Some(waiting) = uncommitted.partitions.get(&partition) else { return Some(0) };
        Some(source.lag_of(partition)? + waiting.records.len() as u64)
    }
}

/// What a worker has read and no commit reflects. It is bounded as what a worker may be ahead of the store is.
struct Uncommitted {
    partitions: BTreeMap<Partition, Waiting>,
    /// Since when something waits, or since the last commit that left something waiting.
    waits_since: Option<Instant>,
}

struct Waiting {
    /// The last record that committed rows reflect. Up to it, records are only read to rebuild open windows.
    processed: Position,
    /// After it, in log order. What only says that nothing of the partition stands up to a position has no log time.
    records: VecDeque<(Position, Option<LogTime>)>,
}

impl Uncommitted {
    fn is_new(&self, chunk: &Chunk) -> bool {
        let waiting = chunk.partition.and_then(|partition| self.partitions.get(&partition));
        waiting.is_some_and(|waiting| waiting.processed < chunk.position)
    }

    fn is_new_of(&self, partitions: &BTreeSet<Partition>, chunk: &Chunk) -> bool {
        self.is_new(chunk) && chunk.partition.is_some_and(|partition| partitions.contains(&partition))
    }

    fn add(&mut self, chunks: &[Chunk], now: Instant) {
        for chunk in chunks {
            let waiting = chunk.partition.and_then(|partition| self.partitions.get_mut(&partition));
            if let Some(waiting) = waiting.filter(|waiting| waiting.processed < chunk.position) {
                waiting.records.push_back((chunk.position, chunk.log_time));
                self.waits_since.get_or_insert(now);
            }
        }
    }

    fn commit(&mut self, partition: Partition, processed: Position, now: Instant) {
        let Some(waiting) = self.partitions.get_mut(&partition) else { return };
        waiting.processed = processed;
        while waiting.records.front().is_some_and(|(position, _)| *position <= processed) {
            waiting.records.pop_front();
        }
        self.waits_since = (self.records() > 0).then_some(now);
    }

    fn records(&self) -> u64 {
        self.partitions.values().map(|waiting| waiting.records.len() as u64).sum()
    }

    fn oldest(&self) -> Option<LogTime> {
        let oldest = |waiting: &Waiting| waiting.records.iter().find_map(|(_, log_time)| *log_time);
        self.partitions.values().filter_map(oldest).min()
    }
}

#[cfg(test)]
mod tests {
    use netqoe_eventlog::LogReader;

    use super::*;

    /// A log of as many records as were appended, one a turn, all of partition 3 and each a second after the other.
    struct Records {
        next: u64,
        appended: Arc<Mutex<u64>>,
    }

    impl LogReader for Records {
        fn read(&mut self, _: usize) -> Result<Vec<Chunk>, LogError> {
            if self.lag() == 0 {
                return Ok(Vec::new());
            }
            let position = Position(self.next);
            self.next += 1;
            let log_time = Some(LogTime::from_ms(1000 * position.0 as i64));
            let (partition, lines) = (Some(Partition(3)), Vec::new());
            Ok(vec![Chunk { partition, position, log_time, lines, set_aside: None, came_late: false, trace: None }])
        }

        fn returned_through(&self) -> Position {
            Position(0)
        }

        fn lag(&self) -> u64 {
            *self.appended.lock() + 1 - self.next
        }

        fn lag_of(&self, partition: Partition) -> Option<u64> {
            Some(if partition == Partition(3) { self.lag() } else { 0 })
        }

        fn on_append(&mut self, _: Box<dyn Fn() + Send + Sync>) {}
    }

    /// Reading begins at record 3, which is reflected as record 4 is; the log holds `appended` records.
    fn backlog(appended: u64) -> (Arc<Reading>, Backlog, Arc<Mutex<u64>>) {
        let appended = Arc::new(Mutex::new(appended));
        let reader = Box::new(Records { next: 3, appended: Arc::clone(&appended) });
        let start = Start { partition: Partition(3), from: Position(3), processed: Position(4), log_time: None };
        let reading = Arc::new(Reading::new(reader, &[start]));
        (Arc::clone(&reading), Backlog::new([reading]), appended)
    }

    fn committed(backlog: &Backlog, partition: u16, processed: u64) {
        let (partition, processed) = (Partition(partition), Position(processed));
        backlog.committed([&Checkpoint { partition, processed, ..Checkpoint::default() }]);
    }

    fn oldest_s(backlog: &Backlog) -> Option<i64> {
        backlog.oldest().next().unwrap().map(|log_time| log_time.ms() / 1000)
    }

    #[test]
    fn a_record_counts_from_its_append_to_its_commit() {
        let (reading, backlog, appended) = backlog(4);
        assert!(!reading.read(1).unwrap().reached_end);
        assert!(reading.read(1).unwrap().reached_end);
        assert_eq!((backlog.records(), oldest_s(&backlog)), (0, None), "what is read again is reflected");

        *appended.lock() = 7;
        assert_eq!(backlog.records(), 3, "unread");
        assert_eq!(reading.read(1).unwrap().chunks.len(), 1);
        reading.read(1).unwrap();
        assert_eq!((backlog.records(), oldest_s(&backlog)), (3, Some(5)), "reading alone changes nothing");
        committed(&backlog, 3, 5);
        assert_eq!((backlog.records(), oldest_s(&backlog)), (2, Some(6)));
        committed(&backlog, 2, 7);
        assert_eq!(backlog.records(), 2, "another partition");
        reading.read(1).unwrap();
        committed(&backlog, 3, 7);
        assert_eq!((backlog.records(), oldest_s(&backlog)), (0, None));
    }

    #[test]
    fn what_has_no_log_time_is_not_old() {
        let (reading, backlog, _) = backlog(4);
        let chunk = |position, log_time| Chunk {
            partition: Some(Partition(3)),
            position: Position(position),
            log_time,
            lines: Vec::new(),
            set_aside: None,
            came_late: false,
            trace: None,
        };
        reading.uncommitted.lock().add(&[chunk(5, None)], Instant::now());
        assert_eq!(oldest_s(&backlog), None);
        reading.uncommitted.lock().add(&[chunk(6, Some(LogTime::from_ms(6000)))], Instant::now());
        assert_eq!(oldest_s(&backlog), Some(6));
    }

    #[test]
    fn only_what_waits_while_nothing_is_committed_is_stalled() {
        let (reading, backlog, appended) = backlog(4);
        let later = || Instant::now() + Duration::from_secs(60);
        reading.read(1).unwrap();
        reading.read(1).unwrap();
        assert_eq!(backlog.stalled_for(later()), Duration::ZERO);
        *appended.lock() = 6;
        reading.read(1).unwrap();
        let first_wait = backlog.stalled_for(later());
        assert!(first_wait >= Duration::from_secs(60));
        reading.read(1).unwrap();
        assert!(backlog.stalled_for(later()) >= first_wait, "more of it is no progress");
        committed(&backlog, 3, 5);
        assert!(backlog.stalled_for(Instant::now()) < Duration::from_secs(60), "a commit is, even of a part");
        committed(&backlog, 3, 6);
        assert_eq!(backlog.stalled_for(later()), Duration::ZERO);
    }
}
