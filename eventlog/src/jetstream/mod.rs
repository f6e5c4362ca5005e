//! The log in NATS JetStream: a stream, whose sequence numbers are the positions and whose store times are the log
//! times of all partitions.
//!
//! It works on a thread of its own, so that it can be used from any thread, within a runtime or without one.

mod behind;
mod breaks;
mod connect;
mod continuity;
mod dead_letters;
mod exchange;
mod existing;
mod export;
mod find;
mod follower;
mod glance;
mod lasting;
mod letter;
mod message;
mod options;
mod progress;
mod publisher;
mod pull;
mod queue;
mod read_ahead;
mod reader;
mod readings;
mod route;
mod runtime;
mod search;
mod servers;
mod shares;
mod source;
mod stream;
mod subjects;
mod tls_fault;
mod version;

use std::collections::BTreeMap;
use std::io::Write;
use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::future::{BoxFuture, FutureExt, ready, try_join_all};
use netqoe_model::{LogIdentity, LogTime, MAX_TIME_MS, Partition, Position, TraceContext};
use parking_lot::Mutex;
use tokio::task::JoinHandle;

pub use self::dead_letters::{DeadLetterOptions, DeadLetters, LetterOrder, ReplayError};
pub use self::exchange::Exchange;
pub use self::letter::StoredLetter;
pub use self::options::{Discard, JetStreamOptions, NatsAuthentication, NatsOptions, Storage, StreamOptions};
pub use self::progress::{LogProgress, ProgressConsumer, ProgressOptions};
pub use self::readings::{ConsumerReading, CopyReading, JetStreamReadings};
pub use self::stream::Difference;

use self::connect::Connection;
use self::publisher::Publisher;
use self::reader::JetStreamReader;
use self::runtime::OwnThread;
use self::source::Source;
use self::stream::OpenStream;
use self::subjects::Subjects;
use crate::record::put_on_one_line;
use crate::{
    AppendError, EventLog, LogClock, LogError, LogReader, LogSearch, Search, SearchLimits, Searched, Start, Visit,
};

/// How often the stream is looked at, so that a log that can't be written says so before anyone tries.
const UPKEEP_INTERVAL: Duration = Duration::from_secs(1);

/// A log in a stream of NATS JetStream. Clones are handles on the same log and connection.
#[derive(Clone)]
pub struct JetStreamLog {
    shared: Arc<Shared>,
}

/// What the handles of one log have in common.
struct Shared {
    source: Source,
    differences: Vec<Difference>,
    publisher: Arc<Publisher>,
    clock: LogClock,
    lanes: Mutex<Vec<JoinHandle<()>>>,
    /// Dropped last: it ends all that works for this log.
    thread: OwnThread,
}

impl JetStreamLog {
    /// Connects, and finds or makes the stream. Comes back by itself from then on, whenever the connection is lost.
    ///
    /// # Errors
    /// [`LogError`], if no server can be reached, it refuses the credentials, has no JetStream, or has a stream of
    /// this name that can't hold a log.
    pub fn open(options: JetStreamOptions) -> Result<Self, LogError> {
        Self::connect(options, true)
    }

    /// As [`JetStreamLog::open`], but never creates or changes a stream: for read-only use.
    ///
    /// # Errors
    /// As [`JetStreamLog::open`], and [`LogError::NoStream`].
    pub fn find(options: JetStreamOptions) -> Result<Self, LogError> {
        Self::connect(options, false)
    }

    fn connect(options: JetStreamOptions, may_make: bool) -> Result<Self, LogError> {
        let JetStreamOptions { connection, stream, stall_wait, clock, tracer } = options;
        let name = find::name(&stream.name);
        let thread =
            OwnThread::start().map_err(|error| LogError::Stream { log: name.clone(), reason: error.to_string() })?;
        let subject = stream.subject.clone();
        let (connection, opened) = thread.wait(async move {
            let connection = Connection::open(&connection).await?;
            let opened = match may_make {
                true => stream::open(&connection, &stream).await?,
                false => existing::open(&connection, &stream).await?,
            };
            Ok::<_, LogError>((connection, opened))
        })?;
        let OpenStream { stream, identity, differences } = opened;
        let max_message_bytes = usize::try_from(stream.cached_info().config.max_message_size);
        let max_message_bytes = max_message_bytes.ok().filter(|bytes| *bytes > 0);
        let subjects = Subjects::new(&subject, identity.partitions);
        let source = Source { connection, stream, name, identity, subjects, end: Arc::default() };
        let shared = Shared {
            publisher: Publisher::new(&source, max_message_bytes, stall_wait, tracer),
            source,
            differences,
            clock,
            lanes: Mutex::default(),
            thread,
        };
        shared.start();
        Ok(Self { shared: Arc::new(shared) })
    }

    /// How the stream differs from what the options ask for; it is used as it is.
    pub fn differences(&self) -> &[Difference] {
        &self.shared.differences
    }

    /// Whether the log is still the one in which these places were reached. Readers check that of their own places; those of
    /// all partitions together tell more.
    ///
    /// # Errors
    /// As [`EventLog::reader`].
    pub fn check(&self, starts: &[Start]) -> Result<(), LogError> {
        reader::check(&self.shared, starts)
    }

    /// Whether events can be appended.
    ///
    /// # Errors
    /// What stands in the way, and what to do about it.
    pub fn healthy(&self) -> Result<(), String> {
        if self.shared.publisher.queue.is_closed() {
            return Err(AppendError::Closed.to_string());
        }
        self.shared.publisher.health.get()
    }

    /// Takes no more appends, through this handle or any other, and waits until what is queued is confirmed or given
    /// up, no longer than the stall wait.
    pub fn close(&self) {
        self.shared.publisher.queue.close();
        let lanes = std::mem::take(&mut *self.shared.lanes.lock());
        self.shared.thread.wait(async move {
            for lane in lanes {
                if lane.await.is_err() {
                    tracing::error!("a lane of the event log panicked");
                }
            }
        });
    }

    /// Writes all events that the stream holds now as NDJSON, in its order, each with the log time of its message as
    /// `recv_ts_ms`, with what others published and what can't be read, and ticks where a message without events has moved
    /// the log's time ([`netqoe_model::Tick`]). Returns how many lines were no ticks. Waits for the server, for as long as it
    /// takes.
    ///
    /// # Errors
    /// [`LogError`], if the stream can't be read, and [`LogError::Export`] if `out` fails.
    pub fn export(&self, out: &mut dyn Write) -> Result<u64, LogError> {
        self.export_of(LogTime::default()..LogTime::from_ms(i64::MAX), out)
    }

    /// [`JetStreamLog::export`] of the messages of these log times only.
    ///
    /// # Errors
    /// As [`JetStreamLog::export`].
    pub fn export_of(&self, times: Range<LogTime>, out: &mut dyn Write) -> Result<u64, LogError> {
        export::export(&self.shared, times, out)
    }

    /// Deletes the stream with all that is in it. For a log that nobody will want again, such as a measurement's.
    ///
    /// # Errors
    /// If JetStream refuses.
    pub fn delete(self) -> Result<(), LogError> {
        let source = self.source().clone();
        self.shared.thread.wait(async move { source.delete(&source.stream, &source.name).await })
    }

    /// The durable consumer that shows how far the log is processed.
    ///
    /// # Errors
    /// If JetStream does not make it.
    pub async fn progress(&self, options: ProgressOptions) -> Result<ProgressConsumer, LogError> {
        ProgressConsumer::open(self.source().clone(), options).await
    }

    /// The stream of what could not be counted.
    ///
    /// # Errors
    /// If JetStream does not make it.
    pub async fn dead_letters(&self, options: DeadLetterOptions) -> Result<DeadLetters, LogError> {
        DeadLetters::open(self.clone(), options).await
    }

    /// As [`JetStreamLog::dead_letters`], but makes no stream.
    ///
    /// # Errors
    /// [`LogError::NoStream`], and if JetStream does not answer.
    pub async fn find_dead_letters(&self, options: DeadLetterOptions) -> Result<DeadLetters, LogError> {
        DeadLetters::find(self.clone(), options).await
    }

    /// What other instances tell, and a way to tell them. `instance` is a name that no other instance has, of letters and digits.
    pub fn exchange(&self, instance: String) -> Exchange {
        exchange::start(self.source().clone(), instance, self.shared.thread.handle())
    }

    fn source(&self) -> &Source {
        &self.shared.source
    }

    fn submit(
        &self,
        parts: Vec<(Partition, Vec<u8>)>,
        trace: Option<TraceContext>,
    ) -> BoxFuture<'static, Result<LogTime, AppendError>> {
        let answered = match self.shared.publisher.queue.push(parts, trace, Instant::now()) {
            Ok(answered) => answered,
            Err(error) => return ready(Err(error)).boxed(),
        };
        let clock = Arc::clone(&self.shared.clock);
        #[cfg(feature = "planted-faults")]
        if crate::planted::answers_at_once() {
            return ready(Ok(clock())).boxed();
        }
        let confirmed = answered.into_iter().map(|answer| async { answer.await.unwrap_or(Err(AppendError::Closed)) });
        let confirmed = try_join_all(confirmed.collect::<Vec<_>>());
        async move { confirmed.await.map(|_| clock()) }.boxed()
    }

    /// Joins each partition's lines, cut so that each part fits into a message.
    fn parts(&self, lines: Vec<(Partition, Vec<u8>)>) -> Result<Vec<(Partition, Vec<u8>)>, AppendError> {
        let max_bytes = self.shared.publisher.max_lines_bytes();
        let mut parts = Vec::new();
        let mut unfinished: BTreeMap<Partition, Vec<u8>> = BTreeMap::new();
        for (partition, mut line) in lines {
            self.check_partition(partition)?;
            put_on_one_line(&mut line);
            line.push(b'\n');
            if line.len() > max_bytes {
                return Err(AppendError::TooLarge { bytes: line.len(), max_bytes });
            }
            let part = unfinished.entry(partition).or_default();
            if part.len() + line.len() > max_bytes {
                parts.push((partition, std::mem::take(part)));
            }
            part.append(&mut line);
        }
        parts.extend(unfinished);
        Ok(parts)
    }

    fn check_partition(&self, partition: Partition) -> Result<(), AppendError> {
        let partitions = self.shared.source.identity.partitions.get();
        if partition.0 < partitions { Ok(()) } else { Err(AppendError::NoSuchPartition { partition, partitions }) }
    }
}

impl EventLog for JetStreamLog {
    fn identity(&self) -> &LogIdentity {
        &self.shared.source.identity
    }

    /// As the trait says. One event of more bytes than a message holds is [`AppendError::TooLarge`].
    fn append_traced(
        &self,
        lines: Vec<(Partition, Vec<u8>)>,
        trace: Option<TraceContext>,
    ) -> BoxFuture<'static, Result<LogTime, AppendError>> {
        match self.parts(lines) {
            Ok(parts) => self.submit(parts, trace),
            Err(error) => ready(Err(error)).boxed(),
        }
    }

    fn tick(&self, partitions: Vec<Partition>) -> BoxFuture<'static, Result<LogTime, AppendError>> {
        let empty =
            partitions.into_iter().map(|partition| self.check_partition(partition).map(|()| (partition, Vec::new())));
        match empty.collect() {
            Ok(parts) => self.submit(parts, None),
            Err(error) => ready(Err(error)).boxed(),
        }
    }

    fn reader(&self, starts: &[Start]) -> Result<Box<dyn LogReader>, LogError> {
        Ok(Box::new(JetStreamReader::open(&self.shared, starts)?.0))
    }

    fn readers(&self, starts: &[Vec<Start>]) -> Result<Vec<Box<dyn LogReader>>, LogError> {
        let readers = JetStreamReader::open_each(&self.shared, starts)?;
        Ok(readers.into_iter().map(|reader| Box::new(reader) as Box<dyn LogReader>).collect())
    }
}

impl LogSearch for JetStreamLog {
    fn search(&self, search: &Search, limits: &SearchLimits, visit: Visit<'_>) -> Result<Searched, LogError> {
        search::search(&self.shared, search, limits, visit)
    }

    fn first_at(&self, time: LogTime) -> Result<Option<Position>, LogError> {
        let source = self.shared.source.clone();
        let times = time..LogTime::from_ms(MAX_TIME_MS);
        let extent = self.shared.thread.wait(async move { source.insist(|| source.extent_of(&times)).await })?;
        Ok(extent.kept_since.is_none_or(|kept_since| kept_since < time).then_some(extent.positions.start))
    }
}

impl Shared {
    /// Starts a lane for each partition, and what looks after the log's health.
    fn start(&self) {
        let handle = self.thread.handle();
        let lanes = (0..self.source.identity.partitions.get()).map(Partition).map(|partition| {
            let (publisher, subject) = (Arc::clone(&self.publisher), self.source.subjects.of(partition));
            handle.spawn(async move { publisher.run_lane(partition, &subject).await })
        });
        *self.lanes.lock() = lanes.collect();
        handle.spawn(upkeep(Arc::clone(&self.publisher), self.source.clone()));
    }
}

/// Sees whether the stream could be written, for as long as the log is in use.
async fn upkeep(publisher: Arc<Publisher>, source: Source) {
    let mut interval = tokio::time::interval(UPKEEP_INTERVAL);
    loop {
        interval.tick().await;
        publisher.health.set(could_be_written(&source).await);
    }
}

async fn could_be_written(source: &Source) -> Result<(), String> {
    let connection = &source.connection;
    let Ok(link) = tokio::time::timeout(UPKEEP_INTERVAL, connection.connected()).await else {
        return Err(connection.why_away(UPKEEP_INTERVAL).await);
    };
    tokio::select! {
        answer = source.look() => match answer {
            Ok(info) if stream::identity(&info) == source.identity.id => stream::has_room(&info),
            Ok(_) => Err(format!("{} was made anew; start netqoe again", source.name)),
            Err(reason) => Err(format!("JetStream does not answer: {reason}")),
        },
        () = connection.lost(link.made) => Err(connection.why_away(UPKEEP_INTERVAL).await),
    }
}
