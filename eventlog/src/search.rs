//! Looking for records of one partition, newest first, without reading the rest of the log.
//!
//! A search is for people who look at a few minutes of a log that holds days. It reads beside those who append and those who
//! compute, holds up neither, and ends after a bounded time.
//!
//! Decision: D-100.

use std::ops::{ControlFlow, Range};
use std::time::Instant;

use netqoe_model::{LogTime, Partition, Position};

use crate::{EventLog, LogError};

/// What is looked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Search {
    /// Records of this partition.
    pub partition: Partition,
    /// Records of these log times.
    pub times: Range<LogTime>,
    /// Records up to this one, if that is said.
    pub through: Option<Position>,
}

/// What a search may cost. Where it comes to that, it ends after the record that it is at; one record is looked at in any case.
#[derive(Clone, Copy, Debug)]
pub struct SearchLimits {
    /// Records that are looked at.
    pub records: u64,
    /// Bytes of them.
    pub bytes: u64,
    /// When it is over.
    pub until: Instant,
}

/// A record that is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FoundRecord<'a> {
    /// Where it is.
    pub position: Position,
    /// When the log took it.
    pub log_time: LogTime,
    /// Events, one a line, with those of other partitions perhaps.
    pub lines: &'a [u8],
}

/// How a search has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Searched {
    /// Records that were not looked at begin here, and go back; none if all were looked at.
    pub rest: Option<Position>,
    /// The log time of the log's oldest record, if older ones were discarded.
    pub kept_since: Option<LogTime>,
}

/// What is shown each record, and says whether it wants the next one.
pub type Visit<'a> = &'a mut dyn FnMut(FoundRecord<'_>) -> ControlFlow<()>;

/// A log that can be searched.
pub trait LogSearch: EventLog {
    /// Shows records to `visit`, newest first, until it has enough. Waits for the disk or the server.
    ///
    /// # Errors
    /// If the log can't be read, or not within the limits.
    fn search(&self, search: &Search, limits: &SearchLimits, visit: Visit<'_>) -> Result<Searched, LogError>;

    /// A position before which every record of any partition is older than this time; none where records of this time were
    /// discarded. Waits for the disk or the server.
    ///
    /// # Errors
    /// If the log can't be read.
    fn first_at(&self, time: LogTime) -> Result<Option<Position>, LogError>;
}

/// What is left of the limits.
pub(crate) struct Budget {
    limits: SearchLimits,
}

impl Budget {
    pub(crate) fn new(limits: &SearchLimits) -> Self {
        Self { limits: *limits }
    }

    /// Takes off what looking at a record has cost.
    pub(crate) fn spend(&mut self, bytes: usize) {
        self.limits.records = self.limits.records.saturating_sub(1);
        self.limits.bytes = self.limits.bytes.saturating_sub(bytes as u64);
    }

    pub(crate) fn is_spent(&self) -> bool {
        self.limits.records == 0 || self.limits.bytes == 0 || Instant::now() >= self.limits.until
    }
}

/// The position before this one; none before the first.
pub(crate) fn before(position: Position) -> Option<Position> {
    position.0.checked_sub(1).filter(|position| *position > 0).map(Position)
}
