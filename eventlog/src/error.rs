//! What can go wrong with a log, said so that the reader of the message knows what to do.

use std::path::{Path, PathBuf};

use netqoe_model::{LogTime, Partition, Position};
use rusqlite::ErrorCode;

/// Why an append did not become durable. Nothing of it is in the log, unless it says otherwise.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AppendError {
    /// Too much is waiting to be written. A moment later there is room.
    #[error("the log takes events slower than they come and its queue is full; send again in a moment")]
    Full,
    /// The log holds as much as it may, and all of it is still needed.
    #[error(
        "the log is at its size limit of {max_bytes} bytes and all of it is still needed; raise the limit, or see why \
         processing lags"
    )]
    AtSizeLimit {
        /// The limit.
        max_bytes: u64,
    },
    /// More at once than the log ever takes.
    #[error("{bytes} bytes of events at once are more than the {max_bytes} that the log takes; send smaller batches")]
    TooLarge {
        /// Asked for.
        bytes: usize,
        /// Allowed.
        max_bytes: usize,
    },
    /// The log has fewer partitions.
    #[error("partition {partition} is not one of the log's {partitions}; use those of the log's identity")]
    NoSuchPartition {
        /// Asked for.
        partition: Partition,
        /// How many there are.
        partitions: u16,
    },
    /// An import goes back in log time.
    #[error("can't import a record of log time {log_time} after one of {last}; log time never falls")]
    TimeFalls {
        /// Asked for.
        log_time: LogTime,
        /// Of the record before it.
        last: LogTime,
    },
    /// The disk or SQLite refused. The log tries anew with what comes next.
    #[error("can't write to {}: {reason}; check its disk's free space and health", path.display())]
    Failed {
        /// The data file.
        path: PathBuf,
        /// What SQLite says.
        reason: String,
    },
    /// The log was closed. What was on its way may be in it.
    #[error("the log is closed because netqoe is stopping; send again once it is back")]
    Closed,
}

/// Why a log can't be opened or read.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// There is no file, or no permission.
    #[error("can't open {}: {reason}; check that its folder exists and may be written to", path.display())]
    Open {
        /// The data file, or its lock file.
        path: PathBuf,
        /// What the system says.
        reason: String,
    },
    /// A log has one writer.
    #[error("{} is in use by another netqoe; stop that one, or choose another data folder", path.display())]
    InUse {
        /// The data file.
        path: PathBuf,
    },
    /// Some other file.
    #[error("{} is no SQLite file; move it away, or choose another data folder", path.display())]
    NotSqlite {
        /// The data file.
        path: PathBuf,
    },
    /// A SQLite file without the tables of a log.
    #[error("{} holds no event log; give the data file of `netqoe up`", path.display())]
    NoLog {
        /// The data file.
        path: PathBuf,
    },
    /// Damaged.
    #[error("{} is corrupt: {reason}; restore it from a backup, or move it away to start anew", path.display())]
    Corrupt {
        /// The data file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// Written by a newer netqoe.
    #[error(
        "{} was written by a newer netqoe (log schema {found}, this one knows {known}); use that version or a later one",
        path.display()
    )]
    Newer {
        /// The data file.
        path: PathBuf,
        /// Its schema version.
        found: i64,
        /// The newest schema version of this binary.
        known: i64,
    },
    /// Versions before 3.51.3 can corrupt a file in WAL mode.
    #[error(
        "this netqoe was built with SQLite {found}, which can corrupt its files; build it with SQLite 3.51.3 or later"
    )]
    SqliteTooOld {
        /// The version of the library.
        found: &'static str,
    },
    /// The log's tables could not be made or brought up to date.
    #[error("can't bring the log in {} up to date: {reason}; restore it from a backup", path.display())]
    Schema {
        /// The data file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// The log ends before what was processed of it.
    #[error(
        "the log in {} ends at record {last}, but record {processed} of partition {partition} was already processed: \
         the log lost its tail or was replaced; restore it, or start over with an empty store",
        path.display(), last = last.0, processed = processed.0
    )]
    LostTail {
        /// The data file.
        path: PathBuf,
        /// Whose progress it is.
        partition: Partition,
        /// The last record that was processed.
        processed: Position,
        /// The last record that the log ever held.
        last: Position,
    },
    /// The log has fewer partitions.
    #[error("partition {partition} is not one of the log's {partitions}; use those of the log's identity")]
    NoSuchPartition {
        /// Asked for.
        partition: Partition,
        /// How many there are.
        partitions: u16,
    },
    /// The disk or SQLite refused.
    #[error("can't read {}: {reason}; check its disk", path.display())]
    Read {
        /// The data file.
        path: PathBuf,
        /// What SQLite says.
        reason: String,
    },
    /// An export could not be written.
    #[error("can't write the exported log: {0}")]
    Export(#[from] std::io::Error),
}

impl LogError {
    /// What SQLite's error means for the user of this file.
    pub(crate) fn of(path: &Path, error: &rusqlite::Error) -> Self {
        let path = path.to_owned();
        let reason = error.to_string();
        match error.sqlite_error_code() {
            Some(ErrorCode::NotADatabase) => Self::NotSqlite { path },
            Some(ErrorCode::DatabaseCorrupt) => Self::Corrupt { path, reason },
            Some(ErrorCode::CannotOpen | ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => {
                Self::Open { path, reason }
            }
            // Not from SQLite: a value is not of the type that the schema says.
            None => Self::Corrupt { path, reason },
            Some(_) => Self::Read { path, reason },
        }
    }
}
