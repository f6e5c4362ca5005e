//! The logs, as the dataflow reads them.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use netqoe_dataflow::{Batch, Epochs, Feed, Polled};
use netqoe_eventlog::{EventLog, NdjsonReader, Start};
use netqoe_model::{Chunk, LogIdentity, Partition, Position};
use parking_lot::Mutex;

use crate::backlog::{Backlog, ReadTurn, Reading};
use crate::corrections::{HeldTurn, Hold};
use crate::in_time::InTime;
use crate::quarantine::{NextTurn, Quarantine};
use crate::traced::TracedBatches;
use crate::{Failures, Observed, OpenedStore, PipelineError};

/// Bytes of records that a worker reads in one turn: enough to make a turn's fixed cost small, little enough that what
/// is in flight stays bounded to some tens of mebibytes.
pub(crate) const BATCH_BYTES: usize = 1 << 20;

/// How soon a worker looks again whether the record that is tried alone, perhaps by another process, is committed:
/// about what a commit takes.
const LOOK_AGAIN_AFTER: Duration = Duration::from_millis(5);

/// While the log comes faster than it can be read, open windows are shown this often all the same ...
const FLUSH_EVERY: Duration = Duration::from_millis(200);
/// ... or, where what is read is old already, when it has become older by one part of so many: each showing writes all
/// rows that changed, which would take most of the time that is wanted for catching up ...
const FLUSHES_PER_LAG: u32 = 4;
/// ... but not more seldom than this.
const LONGEST_UNFLUSHED: Duration = Duration::from_secs(5);

/// How soon a log is read again that can't be read for a reason that passes.
const READ_AGAIN_AFTER: Duration = Duration::from_millis(500);
/// How long such a log is waited for once nothing more comes. What is not read by then is read at the next start.
const LONGEST_END: Duration = Duration::from_secs(10);

/// A file or a pipe that all workers read together, a chunk each in turn.
pub(crate) struct FileFeeds {
    input: Mutex<Option<FileInput>>,
    epochs: Epochs,
    log: LogIdentity,
    failures: Failures,
    on_read: Box<dyn Fn(u64) + Send + Sync>,
}

impl FileFeeds {
    /// A feed for each of so many workers. `on_read` is told of each chunk.
    pub(crate) fn start(
        reader: FileReader,
        log: &LogIdentity,
        workers: usize,
        failures: &Failures,
        on_read: Box<dyn Fn(u64) + Send + Sync>,
    ) -> Vec<Box<dyn Feed>> {
        let shared = Arc::new(Self {
            input: Mutex::new(Some(FileInput { reader, turn_bytes: 0 })),
            epochs: Epochs::default(),
            log: log.clone(),
            failures: failures.clone(),
            on_read,
        });
        (0..workers).map(|_| Box::new(FileFeed(shared.clone())) as Box<dyn Feed>).collect()
    }
}

/// Bytes of a file after which windows are closed and rows handed on. Several windows of a pair close together then,
/// which costs one reduction and the store a few pages. What waits meanwhile is a quarter of it at most.
const TURN_BYTES: u64 = 64 << 20;

/// How lines are read.
pub(crate) enum FileReader {
    AsTheyCame(NdjsonReader),
    InTime(InTime),
}

impl FileReader {
    fn next_chunk(&mut self) -> io::Result<Option<Chunk>> {
        match self {
            Self::AsTheyCame(reader) => reader.next_chunk(),
            Self::InTime(reader) => reader.next_chunk(),
        }
    }
}

struct FileInput {
    reader: FileReader,
    /// Bytes since windows were closed.
    turn_bytes: u64,
}

struct FileFeed(Arc<FileFeeds>);

impl Feed for FileFeed {
    fn poll(&mut self) -> Polled {
        // Held while the epoch is taken, so that chunks have their epochs in order.
        let mut input = self.0.input.lock();
        let Some(FileInput { reader, turn_bytes }) = input.as_mut() else { return Polled::Ended };
        match reader.next_chunk() {
            Ok(Some(chunk)) => {
                let bytes = chunk.lines.len() as u64;
                (self.0.on_read)(bytes);
                *turn_bytes += bytes;
                let more_follows = *turn_bytes < TURN_BYTES;
                if !more_follows {
                    *turn_bytes = 0;
                }
                let epoch = self.0.epochs.take();
                Polled::Batch(Batch { epoch, chunks: vec![chunk], more_follows, ..Batch::default() })
            }
            Ok(None) => {
                *input = None;
                let (epoch, flush) = (self.0.epochs.take(), partitions(&self.0.log));
                Polled::Batch(Batch { epoch, flush, ends: true, ..Batch::default() })
            }
            Err(error) => {
                self.0.failures.fail(PipelineError::Input(error));
                Polled::Idle
            }
        }
    }

    fn pause(&mut self) -> Batch {
        Batch { epoch: self.0.epochs.take(), ..Batch::default() }
    }

    fn epoch(&self) -> u64 {
        self.0.epochs.next()
    }

    fn on_change(&mut self, wake: Box<dyn Fn() + Send + Sync>) {
        self.0.epochs.on_take(wake);
    }
}

fn partitions(log: &LogIdentity) -> Vec<Partition> {
    (0..log.partitions.get()).map(Partition).collect()
}

/// The feeds of a live log.
pub(crate) struct StartedFeeds {
    /// The means to end them.
    pub(crate) feeds: LogFeeds,
    /// One for each worker.
    pub(crate) workers: Vec<Box<dyn Feed>>,
    /// What all of them have before them.
    pub(crate) backlog: Backlog,
}

/// The feeds of a live log, and the means to end them.
#[derive(Clone, Default)]
pub struct LogFeeds {
    epochs: Arc<Epochs>,
    ending: Arc<AtomicBool>,
    stopping: Arc<AtomicBool>,
    /// How often it was asked to show all open windows at once.
    flushes: Arc<AtomicU64>,
    hold: Arc<Hold>,
}

impl LogFeeds {
    /// A feed for each worker, which reads the partitions that the worker owns, and what all of them have before them.
    pub(crate) fn start(
        log: &dyn EventLog,
        store: &OpenedStore,
        starts: &[Vec<Start>],
        failures: &Failures,
        observed: &Observed,
    ) -> Result<StartedFeeds, PipelineError> {
        let shared = Self::default();
        let own = starts.iter().flatten().map(|start| start.partition).collect();
        let quarantine = Arc::new(Quarantine::new(&store.resume, &own, store.attempts()));
        let readers = log.readers(starts).map_err(PipelineError::Log)?;
        let reading = |(reader, starts): (_, &Vec<_>)| Arc::new(Reading::new(reader, starts));
        let readings: Vec<_> = readers.into_iter().zip(starts).map(reading).collect();
        let backlog = Backlog::new(readings.iter().cloned());
        let feed = |(reading, starts): (_, &Vec<Start>)| -> Box<dyn Feed> {
            Box::new(LogFeed {
                reading,
                partitions: starts.iter().map(|start| start.partition).collect(),
                shared: shared.clone(),
                quarantine: Arc::clone(&quarantine),
                backlog: backlog.clone(),
                unflushed_since: None,
                flushed: 0,
                unreadable_since: None,
                failures: failures.clone(),
                now_ms: observed.now_ms,
                processed: starts.iter().map(|start| (start.partition, start.processed)).collect(),
                rebuilt: Rebuilt::after(starts),
                traced: observed.traced.clone(),
            })
        };
        let workers = readings.into_iter().zip(starts).map(feed).collect();
        Ok(StartedFeeds { feeds: shared, workers, backlog })
    }

    /// Lets the feeds end once they have read all that the log holds.
    pub fn end(&self) {
        self.ending.store(true, Ordering::SeqCst);
        self.epochs.take(); // wakes them all
    }

    /// Lets the feeds end now. Others go on writing the log; what is not read stays for the next start.
    pub fn stop(&self) {
        self.stopping.store(true, Ordering::SeqCst);
        self.epochs.take();
    }

    /// Shows all open windows as they stand, without waiting for more of the log or for a better moment.
    pub fn flush(&self) {
        self.flushes.fetch_add(1, Ordering::SeqCst);
        self.epochs.take();
    }

    /// Whether the feeds end, or have ended.
    pub(crate) fn are_ending(&self) -> bool {
        self.ending.load(Ordering::SeqCst) || self.stopping.load(Ordering::SeqCst)
    }

    /// Lets the feed of a partition stand, once it has given the mark that this returns. No other is held.
    pub(crate) fn hold(&self, partition: Partition) -> u64 {
        let number = self.hold.ask(partition);
        self.epochs.take();
        number
    }

    /// Lets the feed that stands go on.
    pub(crate) fn release(&self) {
        self.hold.release();
        self.epochs.take();
    }

    /// What the epochs of all processes are kept together by.
    pub fn epochs(&self) -> &Arc<Epochs> {
        &self.epochs
    }
}

struct LogFeed {
    reading: Arc<Reading>,
    partitions: Vec<Partition>,
    shared: LogFeeds,
    quarantine: Arc<Quarantine>,
    /// Of all workers of this process.
    backlog: Backlog,
    /// Since when something was read that is not shown yet.
    unflushed_since: Option<Instant>,
    /// How many requests to show all open windows it has followed.
    flushed: u64,
    /// Since when the log can't be read.
    unreadable_since: Option<Instant>,
    failures: Failures,
    now_ms: fn() -> i64,
    /// Where each partition's rows stood at the start.
    processed: BTreeMap<Partition, Position>,
    rebuilt: Rebuilt,
    traced: TracedBatches,
}

/// Which partitions have not read all again that was in memory before. Until then, nothing comes of a mark, so that a feed must not stand.
struct Rebuilt(BTreeMap<Partition, Position>);

impl Rebuilt {
    fn after(starts: &[Start]) -> Self {
        let unread = starts.iter().filter(|start| start.from <= start.processed && start.processed > Position(0));
        Self(unread.map(|start| (start.partition, start.processed)).collect())
    }

    fn read(&mut self, chunks: &[Chunk]) {
        if self.is_done() {
            return;
        }
        for (partition, position) in chunks.iter().filter_map(Chunk::place) {
            if self.0.get(&partition).is_some_and(|processed| position >= *processed) {
                self.0.remove(&partition);
            }
        }
    }

    fn is_done(&self) -> bool {
        self.0.is_empty()
    }
}

/// How long what was read may wait until it is shown, where the log's newest record of it is so old.
fn flush_every(lag: Duration) -> Duration {
    (lag / FLUSHES_PER_LAG).clamp(FLUSH_EVERY, LONGEST_UNFLUSHED)
}

impl LogFeed {
    /// How old the newest of these records is, by this machine's clock. Only when rows are shown depends on it.
    fn lag(&self, chunks: &[Chunk]) -> Duration {
        let newest = chunks.iter().filter_map(|chunk| chunk.log_time).max();
        let lag_ms = newest.map_or(0, |newest| (self.now_ms)() - newest.ms());
        Duration::from_millis(u64::try_from(lag_ms).unwrap_or(0))
    }

    /// The log can't be read: it is read again soon, where that may help.
    fn unreadable(&mut self, error: PipelineError, ending: bool) -> Polled {
        let may_pass = matches!(&error, PipelineError::Log(error) if error.may_pass());
        if !may_pass {
            self.failures.fail(error);
            return Polled::Idle;
        }
        let reason = error.with_causes();
        if self.unreadable_since.is_none() {
            tracing::warn!("{reason}; it is tried again until that is over");
        }
        let since = *self.unreadable_since.get_or_insert_with(Instant::now);
        self.reading.set_unreadable(Some(reason));
        if ending && since.elapsed() >= LONGEST_END {
            return Polled::Ended;
        }
        Polled::IdleFor(READ_AGAIN_AFTER)
    }

    fn readable(&mut self) {
        if self.unreadable_since.take().is_some() {
            tracing::info!("the log can be read again");
            self.reading.set_unreadable(None);
        }
    }
}

impl Feed for LogFeed {
    fn poll(&mut self) -> Polled {
        if self.shared.stopping.load(Ordering::SeqCst) {
            return Polled::Ended;
        }
        let held = if self.rebuilt.is_done() { self.shared.hold.turn(&self.partitions) } else { None };
        match held {
            Some(HeldTurn::Mark(mark)) => {
                let (epoch, marks) = (self.shared.epochs.take(), vec![mark]);
                return Polled::Batch(Batch { epoch, marks, ..Batch::default() });
            }
            Some(HeldTurn::Stand) => return Polled::Idle,
            None => {}
        }
        let ending = self.shared.ending.load(Ordering::SeqCst); // asked first: what came before it is then read below
        let asked = self.shared.flushes.load(Ordering::SeqCst);
        let flush_now = asked > self.flushed;
        let started = self.traced.now();
        let read = match self.quarantine.read(&self.reading, &self.partitions, &self.backlog) {
            Ok(read) => read,
            Err(error) => return self.unreadable(error, ending),
        };
        self.readable();
        match read {
            NextTurn::Wait => Polled::IdleFor(LOOK_AGAIN_AFTER),
            NextTurn::Read(ReadTurn { chunks, .. }) if chunks.is_empty() && ending => Polled::Ended,
            NextTurn::Read(ReadTurn { chunks, .. }) if chunks.is_empty() && !flush_now => Polled::Idle,
            NextTurn::Read(ReadTurn { chunks, reached_end }) => {
                self.flushed = asked;
                self.traced.read(started, &chunks, &self.processed);
                self.rebuilt.read(&chunks);
                let since = *self.unflushed_since.get_or_insert_with(Instant::now);
                let flush = flush_now || reached_end || since.elapsed() >= flush_every(self.lag(&chunks));
                let flush = if flush { self.unflushed_since.take().map(|_| self.partitions.clone()) } else { None };
                let (epoch, flush) = (self.shared.epochs.take(), flush.unwrap_or_default());
                Polled::Batch(Batch { epoch, chunks, flush, ..Batch::default() })
            }
        }
    }

    fn pause(&mut self) -> Batch {
        Batch { epoch: self.shared.epochs.take(), flush: self.partitions.clone(), ..Batch::default() }
    }

    fn epoch(&self) -> u64 {
        self.shared.epochs.next()
    }

    fn on_change(&mut self, wake: Box<dyn Fn() + Send + Sync>) {
        let wake: Arc<dyn Fn() + Send + Sync> = wake.into();
        self.shared.epochs.on_take({
            let wake = wake.clone();
            Box::new(move || wake())
        });
        self.reading.on_append(Box::new(move || wake()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_feed_reads_all_again_that_was_in_memory_before_it_may_stand() {
        let start = |number, from, processed| Start {
            partition: Partition(number),
            from: Position(from),
            processed: Position(processed),
            log_time: None,
        };
        let chunk = |number, position| Chunk {
            partition: Some(Partition(number)),
            position: Position(position),
            log_time: None,
            lines: Vec::new(),
            set_aside: None,
            came_late: false,
            trace: None,
        };
        let mut rebuilt = Rebuilt::after(&[start(1, 5, 8), start(2, 9, 8), start(3, 4, 4), start(4, 0, 0)]);
        rebuilt.read(&[chunk(1, 7), chunk(2, 9), chunk(3, 4)]);
        assert!(!rebuilt.is_done());
        rebuilt.read(&[chunk(1, 8)]);
        assert!(rebuilt.is_done());
        assert!(Rebuilt::after(&[start(2, 9, 8)]).is_done(), "nothing was in memory");
    }

    #[test]
    fn the_older_what_is_read_the_more_seldom_it_is_shown() {
        let every = |lag_ms| flush_every(Duration::from_millis(lag_ms)).as_millis();
        assert_eq!([0, 800, 4_000, 20_000, 86_400_000].map(every), [200, 200, 1_000, 5_000, 5_000]);
    }
}
