//! What a reader of the log hands to the dataflow.

use crate::{LogTime, Partition, Position, TraceContext};

/// A run of records: newline-delimited JSON events, as the log holds them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chunk {
    /// The partition that the records belong to. `None` if the log has no partitions (a file): each event then
    /// belongs to the partition of its `client_id`, and what can't be read to partition 0.
    pub partition: Option<Partition>,
    /// Where it stands in its partition: the record's sequence; for a file, the number of its first line, from 1.
    pub position: Position,
    /// The log time of all of it. `None` for a file: the running maximum of the lines' `recv_ts_ms`
    /// (`ts_ms` where absent). `None` for a partition's chunk without lines too: nothing of that partition stands up
    /// to `position`, which moves its position on and its log time not.
    pub log_time: Option<LogTime>,
    /// Events, one a line; the last line may lack its end. Empty for a tick, which only moves the log time.
    pub lines: Vec<u8>,
    /// Why its lines are not to be parsed, but kept as dead letters, if that is so.
    pub set_aside: Option<SetAside>,
    /// Whether its events came after their windows were closed, and stand where they were measured. In the log they are behind all events
    /// of these windows that came in time.
    pub came_late: bool,
    /// The span that wrote it, where its trace is recorded. Nothing is computed from it.
    pub trace: Option<TraceContext>,
}

/// Why nothing is computed from a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SetAside {
    /// Processing it has failed too often.
    FailedTooOften,
    /// It is not what was written: its checksum does not match.
    Damaged,
}

impl Chunk {
    /// The record, if it is one of a partition.
    pub fn place(&self) -> Option<(Partition, Position)> {
        Some((self.partition?, self.position))
    }
}
