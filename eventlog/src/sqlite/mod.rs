//! The embedded log: a table in a SQLite file, which the store may share.
//!
//! Appends go through a bounded queue to one writer thread. It puts all that waits into one transaction, so that many
//! senders share one flush of the disk; when nothing else waits, a single append is committed at once. A record is
//! what one such group holds for one partition, and all of a group has the same log time.

mod at_rest;
mod boot;
mod clock_watch;
mod damage;
mod export;
mod files;
mod handover;
mod heads;
mod heal;
mod inspect;
mod log_timer;
mod options;
mod queue;
mod reader;
mod records;
mod retention;
mod schema;
mod search;
mod shared;
mod stored_record;
mod writer;

use std::io::Write;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;
use std::thread::JoinHandle;

use futures::future::{BoxFuture, FutureExt, ready};
use netqoe_model::{LogIdentity, LogTime, Partition, Position, TraceContext};
use parking_lot::Mutex;

pub use self::boot::Boot;
pub use self::heal::{Before, ClockHealing, TimesAhead};
pub use self::inspect::{Findings, Inspection};
pub use self::options::SqliteLogOptions;
pub use self::stored_record::{StoredRecord, Verdict};

use self::damage::Damage;
use self::files::Files;
use self::handover::Handover;
use self::heads::Heads;
use self::log_timer::LogTimer;
use self::queue::{Lines, Payload, Queue};
use self::reader::SqliteReader;
use self::records::Tail;
use self::retention::{NeededFrom, Retention};
use self::schema::WriterLock;
use self::shared::Shared;
use self::writer::Writer;
use crate::health::Health;
use crate::record::put_on_one_line;
use crate::{AppendError, EventLog, LogError, LogReader, LogSearch, Search, SearchLimits, Searched, Start, Visit};

/// Most that one append may bring. Twice the largest request that ingest takes by default, since each event gets
/// its time of receipt added.
const MAX_APPEND_BYTES: usize = 32 << 20;

/// A log in a SQLite file. Clones are handles on the same log; once the last one is dropped, what is queued is still
/// written and then the writer thread ends.
#[derive(Clone)]
pub struct SqliteLog {
    shared: Arc<Shared>,
    writer: Arc<WriterThread>,
}

impl SqliteLog {
    /// Opens the log in this file, and makes the file and the log where they are missing.
    ///
    /// # Errors
    /// [`LogError`], if the file can't be opened or written, is in use by another process, is not a SQLite file,
    /// is corrupt, or was written by a newer netqoe.
    pub fn open(path: &Path, options: SqliteLogOptions) -> Result<Self, LogError> {
        let lock = WriterLock::take(path)?;
        let connection = schema::open_writer(path)?;
        Self::start(path, options, lock, connection)
    }

    fn start(
        path: &Path,
        options: SqliteLogOptions,
        lock: WriterLock,
        connection: rusqlite::Connection,
    ) -> Result<Self, LogError> {
        let unreadable = |error: rusqlite::Error| LogError::of(path, &error);
        let created = (options.clock)();
        let identity = schema::identity(&connection, options.partitions, created).map_err(unreadable)?;
        let partitions = identity.partitions.get();
        let last = (0..partitions).map(|partition| records::last_of(&connection, Partition(partition)));
        let heads = Heads::new(last.collect::<Result<Vec<_>, _>>().map_err(unreadable)?);
        let tail = Tail::load(&connection).map_err(unreadable)?;
        let retention = Retention::load(&connection, options.retention_ms, options.max_bytes).map_err(unreadable)?;
        let shared = Arc::new(Shared {
            path: path.to_owned(),
            identity,
            queue: Queue::default(),
            heads,
            handover: Handover::default(),
            needed: NeededFrom::everything(partitions),
            health: Health::default(),
            files: Files::opened(path),
            damage: Damage::default(),
        });
        let clock = LogTimer::open(&connection, &options).map_err(unreadable)?;
        let (write_turn, tracer) = (options.write_turn, options.tracer);
        let writer =
            Writer { shared: Arc::clone(&shared), connection, write_turn, clock, tail, retention, tracer, _lock: lock };
        let thread = std::thread::Builder::new().name("eventlog-writer".to_owned()).spawn(move || writer.run());
        let thread = thread.map_err(|error| LogError::Open { path: path.to_owned(), reason: error.to_string() })?;
        let writer = Arc::new(WriterThread { shared: Arc::clone(&shared), thread: Mutex::new(Some(thread)) });
        Ok(Self { shared, writer })
    }

    /// Appends lines at given times, all of them in one transaction or none: a history that was made elsewhere.
    /// Times must not fall, nor lie before the log's last one. A line without text is a tick of its partition. Resolves with the
    /// log's time after them; without records, with the time that the log has reached.
    pub fn import(
        &self,
        records: impl IntoIterator<Item = (LogTime, Vec<(Partition, Vec<u8>)>)>,
    ) -> BoxFuture<'static, Result<LogTime, AppendError>> {
        let by_time = records.into_iter().map(|(log_time, lines)| Ok((log_time, self.by_partition(lines)?)));
        self.submit(by_time.collect::<Result<_, _>>().map(Payload::Import))
    }

    /// A partition is not needed through this record any more: retention may discard that far. Nothing is ever
    /// discarded before this was called.
    pub fn allow_discard_through(&self, partition: Partition, position: Position) {
        self.shared.needed.allow_discard_through(partition, position);
    }

    /// Whether events can be appended.
    ///
    /// # Errors
    /// What stands in the way, and what to do about it.
    pub fn healthy(&self) -> Result<(), String> {
        if self.shared.queue.is_closed() {
            return Err(AppendError::Closed.to_string());
        }
        self.shared.health.get()
    }

    /// Whether all records that were read are what was written.
    ///
    /// # Errors
    /// Which are not, and what to do about it.
    pub fn intact(&self) -> Result<(), String> {
        self.shared.damage.check()
    }

    /// Records that were read since the log was opened and are damaged.
    pub fn damaged_records(&self) -> u64 {
        self.shared.damage.records()
    }

    /// Takes no more appends, through this handle or any other, and waits until what is queued is written.
    pub fn close(&self) {
        self.shared.queue.close();
        if let Some(thread) = self.writer.thread.lock().take()
            && thread.join().is_err()
        {
            tracing::error!("the event log's writer thread panicked");
        }
    }

    /// Writes all events of the log in `path` as NDJSON, in log order, each with the log time of its record as
    /// `recv_ts_ms`, and ticks where a record without events has moved the log's time ([`netqoe_model::Tick`]). Returns how many
    /// lines were no ticks. A process may be appending meanwhile:
    /// the export is the log as it is at one moment.
    ///
    /// # Errors
    /// [`LogError`], if there is no log or it can't be read, [`LogError::Export`] if `out` fails, and
    /// [`LogError::Damaged`] or [`LogError::Missing`] once all was written that is there and intact.
    pub fn export(path: &Path, out: &mut dyn Write) -> Result<u64, LogError> {
        Self::export_of(path, &(LogTime::default()..LogTime::from_ms(i64::MAX)), out)
    }

    /// [`SqliteLog::export`] of the records of these log times only.
    ///
    /// # Errors
    /// As [`SqliteLog::export`].
    pub fn export_of(path: &Path, times: &Range<LogTime>, out: &mut dyn Write) -> Result<u64, LogError> {
        export::export(path, times, out)
    }

    /// Looks at all records of the log in `path` and at the file that holds them. A process may be appending meanwhile.
    ///
    /// # Errors
    /// [`LogError`], if there is no log, or so much of the file is damaged that it can't be read.
    pub fn inspect(path: &Path) -> Result<Inspection, LogError> {
        inspect::inspect(path)
    }

    fn submit(&self, payload: Result<Payload, AppendError>) -> BoxFuture<'static, Result<LogTime, AppendError>> {
        match payload.and_then(|payload| self.shared.queue.push(payload)) {
            Ok(answered) => async { answered.await.unwrap_or(Err(AppendError::Closed)) }.boxed(),
            Err(error) => ready(Err(error)).boxed(),
        }
    }

    /// Joins each partition's lines, on the caller's thread: the writer's time is everyone's.
    fn by_partition(&self, lines: Vec<(Partition, Vec<u8>)>) -> Result<Lines, AppendError> {
        let mut by_partition = Lines::new();
        for (partition, mut line) in lines {
            self.check_partition(partition)?;
            put_on_one_line(&mut line);
            let joined = by_partition.entry(partition).or_default();
            if !line.is_empty() {
                joined.append(&mut line);
                joined.push(b'\n');
            }
        }
        Ok(by_partition)
    }

    fn check_partition(&self, partition: Partition) -> Result<(), AppendError> {
        let partitions = self.shared.identity.partitions.get();
        if partition.0 < partitions { Ok(()) } else { Err(AppendError::NoSuchPartition { partition, partitions }) }
    }
}

impl EventLog for SqliteLog {
    fn identity(&self) -> &LogIdentity {
        &self.shared.identity
    }

    fn append_traced(
        &self,
        lines: Vec<(Partition, Vec<u8>)>,
        trace: Option<TraceContext>,
    ) -> BoxFuture<'static, Result<LogTime, AppendError>> {
        let bytes = lines.iter().map(|(_, line)| line.len()).sum();
        if bytes > MAX_APPEND_BYTES {
            return ready(Err(AppendError::TooLarge { bytes, max_bytes: MAX_APPEND_BYTES })).boxed();
        }
        self.submit(self.by_partition(lines).map(|lines| Payload::Now(lines, trace)))
    }

    fn tick(&self, partitions: Vec<Partition>) -> BoxFuture<'static, Result<LogTime, AppendError>> {
        let empty =
            partitions.into_iter().map(|partition| self.check_partition(partition).map(|()| (partition, Vec::new())));
        self.submit(empty.collect::<Result<_, _>>().map(|empty| Payload::Now(empty, None)))
    }

    fn reader(&self, starts: &[Start]) -> Result<Box<dyn LogReader>, LogError> {
        Ok(Box::new(SqliteReader::open(Arc::clone(&self.shared), starts)?))
    }
}

impl LogSearch for SqliteLog {
    fn search(&self, search: &Search, limits: &SearchLimits, visit: Visit<'_>) -> Result<Searched, LogError> {
        search::search(&self.shared, search, limits, visit)
    }

    fn first_at(&self, time: LogTime) -> Result<Option<Position>, LogError> {
        search::first_of(&self.shared, time)
    }
}

/// The writer thread, which ends once the last handle on the log is gone.
struct WriterThread {
    shared: Arc<Shared>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Drop for WriterThread {
    fn drop(&mut self) {
        self.shared.queue.close();
    }
}
