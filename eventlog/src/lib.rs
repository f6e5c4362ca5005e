//! The durable log, as one narrow trait: append events so that they survive a crash, and read a partition from a
//! position.
//!
//! This crate must not know what a window or a store is. It knows events only as lines of text.

mod as_text;
mod compressed;
mod error;
mod health;
mod history;
mod jetstream;
mod ndjson;
#[cfg(feature = "planted-faults")]
mod planted;
mod record;
mod search;
mod sqlite;

pub use compressed::decompressed;
pub use error::{AppendError, LogError};
pub use history::{DatedLine, History};
pub use jetstream::{
    ConsumerReading, CopyReading, DeadLetterOptions, DeadLetters, Difference, Discard, Exchange, JetStreamLog,
    JetStreamOptions, JetStreamReadings, LetterOrder, LogProgress, NatsAuthentication, NatsOptions, ProgressConsumer,
    ProgressOptions, ReplayError, Storage, StoredLetter, StreamOptions,
};
pub use ndjson::NdjsonReader;
pub use record::{add_recv_ts, stamped_or_as_it_is, with_recv_ts, with_recv_ts_and_target};
pub use search::{FoundRecord, LogSearch, Search, SearchLimits, Searched, Visit};
pub use sqlite::{
    Before, Boot, ClockHealing, Findings, Inspection, SqliteLog, SqliteLogOptions, StoredRecord, TimesAhead, Verdict,
};

use std::sync::Arc;

use futures::future::BoxFuture;
use netqoe_model::{Chunk, LogIdentity, LogTime, Partition, Position, TraceContext};

/// The clock that gives records their time.
pub type LogClock = Arc<dyn Fn() -> LogTime + Send + Sync>;

/// A log that is divided into partitions by `client_id`.
pub trait EventLog: Send + Sync {
    /// Which log this is, and how many partitions it has.
    fn identity(&self) -> &LogIdentity;

    /// Appends lines (one JSON event each, without line ends) to their partitions. Resolves once they are durable,
    /// with the log time that they got. If it fails, some of them may be in the log anyway: a retry sends
    /// all of them, and copies are counted once.
    fn append(&self, lines: Vec<(Partition, Vec<u8>)>) -> BoxFuture<'static, Result<LogTime, AppendError>> {
        self.append_traced(lines, None)
    }

    /// [`EventLog::append`] for a request whose span is `trace`. The span of what is written follows from it, and readers find
    /// that in [`Chunk::trace`], where the log can hand it on.
    fn append_traced(
        &self,
        lines: Vec<(Partition, Vec<u8>)>,
        trace: Option<TraceContext>,
    ) -> BoxFuture<'static, Result<LogTime, AppendError>>;

    /// Appends a record without events to each of these partitions, which moves their log time on.
    fn tick(&self, partitions: Vec<Partition>) -> BoxFuture<'static, Result<LogTime, AppendError>>;

    /// Reads some partitions, each from its start.
    ///
    /// # Errors
    /// [`LogError::LostTail`] if a partition ends before what was processed of it, and
    /// [`LogError::Rewritten`], [`LogError::Discarded`], [`LogError::Replaced`] or [`LogError::Gone`] if it is not
    /// the log that it was.
    fn reader(&self, starts: &[Start]) -> Result<Box<dyn LogReader>, LogError>;

    /// Several readers at once, of different partitions each: a log that is far away is then read once for all of them,
    /// at the speed of the slowest.
    ///
    /// # Errors
    /// As [`EventLog::reader`].
    fn readers(&self, starts: &[Vec<Start>]) -> Result<Vec<Box<dyn LogReader>>, LogError> {
        starts.iter().map(|starts| self.reader(starts)).collect()
    }
}

/// Where reading a partition begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Start {
    /// Which.
    pub partition: Partition,
    /// The first record to read, or 0 for the log's first.
    pub from: Position,
    /// The last record that was already processed: the log must still reach it.
    pub processed: Position,
    /// The partition's log time after that record, if it is known: what is stored there now can't be younger.
    pub log_time: Option<LogTime>,
}

/// A place in some partitions of a log.
pub trait LogReader: Send {
    /// The next records, in log order within each partition, up to about `max_bytes` in all (at least one record
    /// where there is one). Empty at the end of the log as it is now.
    ///
    /// # Errors
    /// If the log can't be read.
    fn read(&mut self, max_bytes: usize) -> Result<Vec<Chunk>, LogError>;

    /// Up to here, this reader has returned all records of these partitions. The last of them may be much earlier.
    fn returned_through(&self) -> Position;

    /// Records of these partitions that the log holds and this reader has not returned.
    fn lag(&self) -> u64;

    /// Those of one of these partitions; none if the log does not say which partitions they are of.
    fn lag_of(&self, partition: Partition) -> Option<u64>;

    /// Calls `wake` whenever records are appended to these partitions, on the thread that appended them.
    fn on_append(&mut self, wake: Box<dyn Fn() + Send + Sync>);
}
