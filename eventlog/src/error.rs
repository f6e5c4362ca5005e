//! Errors of a log. Each message says what to do.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use netqoe_datafile::{Trouble, described};
use netqoe_model::{LogTime, Partition, Position};
use rusqlite::ErrorCode;

/// Why an append did not become durable. Part of it may be in the log anyway, so a retry sends all of it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AppendError {
    /// Too much is waiting to be written. There will be room in a moment.
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
    /// The disk or SQLite refused. The log tries again with the next append.
    #[error("can't write to {}: {reason}", path.display())]
    Failed {
        /// The data file.
        path: PathBuf,
        /// The cause, and what to do about it.
        reason: String,
    },
    /// The clock jumped ahead, and log time would never come back from there.
    #[error(
        "the machine's clock jumped ahead by {} s: events are refused until it is corrected, for {} s at most; \
         set the clock, or if it is right, start again with --believe-clock-after 0s", ahead_ms / 1_000, believed_in.as_secs()
    )]
    ClockAhead {
        /// How far it jumped.
        ahead_ms: i64,
        /// It is believed if it is still there after this time.
        believed_in: Duration,
    },
    /// The open file is no longer at its path.
    #[error(
        "{} was deleted, moved or replaced while netqoe writes to it: what is appended would be lost; put it back, or \
         stop netqoe, restore the data folder and start again",
        path.display()
    )]
    Moved {
        /// The data file, or one that SQLite keeps beside it.
        path: PathBuf,
    },
    /// NATS was away, or slower than an append may wait.
    #[error(
        "NATS did not confirm the events within {waited:?}: {reason}; see that nats-server runs and can be reached, \
         and send again"
    )]
    Unconfirmed {
        /// How long an append may wait.
        waited: Duration,
        /// What came instead of a confirmation.
        reason: String,
    },
    /// JetStream answered that it doesn't store the events.
    #[error("JetStream refused the events: {reason}; see the stream's limits, its server's disk, and its log")]
    Refused {
        /// What the server says.
        reason: String,
    },
    /// The log was closed. What was on its way may be in it.
    #[error("the log is closed because netqoe is stopping; send again once it is back")]
    Closed,
}

impl AppendError {
    /// The message without the file's path, for clients that must not learn it.
    pub(crate) fn without_place(&self) -> String {
        match self {
            Self::Failed { reason, .. } => format!("can't write to the data file: {reason}"),
            other => other.to_string(),
        }
    }
}

/// Why a log can't be opened or read.
#[derive(Clone, Debug, thiserror::Error)]
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
    #[error("{} is not a SQLite file; move it away, or choose another data folder", path.display())]
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
    #[error("{} is corrupt: {reason}; restore it from a backup, or move it away to start afresh", path.display())]
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
    /// Written by an older netqoe, and only to be read now.
    #[error(
        "{} was written by an older netqoe (log schema {found}, this one knows {known}); start `netqoe up` on it once, \
         which brings it up to date",
        path.display()
    )]
    Older {
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
    #[error("can't bring the log in {} up to date: {reason}", path.display())]
    Schema {
        /// The data file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// The log ends before what was processed of it.
    #[error(
        "{log} ends at record {last}, but record {processed} was already processed: the log lost its tail or was \
         replaced; restore it, or start over with an empty store",
        last = last.0, processed = processed.0
    )]
    LostTail {
        /// The data file, or the stream.
        log: String,
        /// The last record that was processed.
        processed: Position,
        /// The last record that the log ever held.
        last: Position,
    },
    /// A record that was processed has been replaced.
    #[error(
        "record {position} of {log} was stored at {found}, but at {expected} when it was processed: the log was \
         restored to an earlier state and written anew; restore it whole, or start over with an empty store",
        position = position.0
    )]
    Rewritten {
        /// The stream.
        log: String,
        /// Which record.
        position: Position,
        /// Its log time, or the latest that it can have.
        expected: LogTime,
        /// The log time that it has now.
        found: LogTime,
    },
    /// Records were discarded before they were read.
    #[error(
        "{log} begins at record {first}, but reading must go on at record {wanted}: its limits discarded records \
         that were not processed yet; raise the stream's limits, and start over with an empty store",
        wanted = wanted.0, first = first.0
    )]
    Discarded {
        /// The stream.
        log: String,
        /// Where reading must go on.
        wanted: Position,
        /// The first record that is still there.
        first: Position,
    },
    /// The log was deleted and created again.
    #[error(
        "{log} was made anew while it was in use: it was {expected} and is {found}; start netqoe again, with an empty \
         store"
    )]
    Replaced {
        /// The stream.
        log: String,
        /// Its identity when it was opened.
        expected: String,
        /// Its identity now.
        found: String,
    },
    /// The log was deleted.
    #[error("{log} is gone: it was deleted while it was in use; restore it, or start netqoe again with an empty store")]
    Gone {
        /// The stream.
        log: String,
    },
    /// The URL of a NATS server can't be read. Nothing of it is shown, since it may hold a password.
    #[error("a NATS server's URL can't be read; write nats://HOST:PORT or tls://HOST:PORT")]
    Url,
    /// No NATS server answers.
    #[error(
        "can't connect to NATS at {servers}: {reason}; see that nats-server runs there and can be reached, with TLS if the URL says tls://"
    )]
    Connect {
        /// Their URLs, without what is secret in them.
        servers: String,
        /// What the system says.
        reason: String,
    },
    /// The connection to a NATS server can't be encrypted, or its certificate is not accepted.
    #[error("can't set up TLS with NATS at {servers}: {reason}")]
    Tls {
        /// Their URLs, without what is secret in them.
        servers: String,
        /// What is wrong with the server that was tried last, and what to do about it.
        reason: String,
    },
    /// A NATS server wants other credentials.
    #[error("NATS at {servers} refused the credentials; check the user and password, token or credentials file")]
    Unauthorized {
        /// Their URLs, without what is secret in them.
        servers: String,
    },
    /// A file for the connection to NATS can't be used.
    #[error("can't use {} for the connection to NATS: {reason}", path.display())]
    ConnectionFile {
        /// The credentials, certificate or key.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A NATS server without streams.
    #[error("NATS at {servers} has no JetStream; start nats-server with --jetstream, or enable it for the account")]
    NoJetStream {
        /// Their URLs, without what is secret in them.
        servers: String,
    },
    /// A stream that is only to be read is not there.
    #[error("there is no {log} at {servers}; {}", where_it_may_be(subject, other.as_deref()))]
    NoStream {
        /// The stream.
        log: String,
        /// The servers' URLs, without what is secret in them.
        servers: String,
        /// What it would take.
        subject: String,
        /// The stream that takes this, if there is one.
        other: Option<String>,
    },
    /// A NATS server reserves the maximum size of a stream, and has less room.
    #[error("nats-server has no room for {log}, which reserves {bytes} bytes: {reason}; {advice}")]
    NoRoom {
        /// The stream.
        log: String,
        /// What it may come to hold.
        bytes: u64,
        /// What the server says.
        reason: String,
        /// What to do.
        advice: &'static str,
    },
    /// JetStream answers, but not with what is asked for.
    #[error("can't use {log}: {reason}; see its options, and the server's log")]
    Stream {
        /// The stream.
        log: String,
        /// What the server says, or what is wrong with it.
        reason: String,
    },
    /// The log has fewer partitions.
    #[error("partition {partition} is not one of the log's {partitions}; use those of the log's identity")]
    NoSuchPartition {
        /// Asked for.
        partition: Partition,
        /// How many there are.
        partitions: u16,
    },
    /// A cause that passes, or can be removed while netqoe waits.
    #[error("can't read {} for now: {reason}", path.display())]
    Unavailable {
        /// The data file.
        path: PathBuf,
        /// What is in the way, and what to do about it.
        reason: String,
    },
    /// SQLite refused.
    #[error("can't read {}: {reason}", path.display())]
    Read {
        /// The data file.
        path: PathBuf,
        /// What SQLite says.
        reason: String,
    },
    /// Some of the log is not what was written.
    #[error(
        "{count} records in {} are damaged and were left out, the first at position {}: their checksums do not match; \
         `netqoe doctor` shows all of them",
        path.display(), first.0
    )]
    Damaged {
        /// The data file.
        path: PathBuf,
        /// How many.
        count: u64,
        /// The first of them.
        first: Position,
    },
    /// Records are missing between others.
    #[error(
        "{count} records are missing in {}, the first at position {}; restore the data file from a backup, or go on \
         without them",
        path.display(), first.0
    )]
    Missing {
        /// The data file.
        path: PathBuf,
        /// How many.
        count: u64,
        /// The first of them.
        first: Position,
    },
    /// An export could not be written.
    #[error("can't write the exported log: {0}")]
    Export(Arc<io::Error>),
}

fn where_it_may_be(subject: &str, other: Option<&str>) -> String {
    match other {
        Some(other) => format!("{subject} goes to stream {other} there: name that one"),
        None => format!(
            "no stream there takes {subject}: see that it is the right server, and that ingest and aggregate have run"
        ),
    }
}

impl From<io::Error> for LogError {
    fn from(error: io::Error) -> Self {
        Self::Export(Arc::new(error))
    }
}

impl LogError {
    /// Whether reading may succeed later without a restart of netqoe.
    pub fn may_pass(&self) -> bool {
        matches!(self, Self::Open { .. } | Self::Unavailable { .. })
    }

    /// What SQLite's error means for the user of this file.
    pub(crate) fn of(path: &Path, error: &rusqlite::Error) -> Self {
        let trouble = Trouble::of(path, error);
        let path = path.to_owned();
        let reason = described(error);
        match error.sqlite_error_code() {
            Some(ErrorCode::NotADatabase) => Self::NotSqlite { path },
            Some(ErrorCode::DatabaseCorrupt) => Self::Corrupt { path, reason },
            Some(ErrorCode::CannotOpen | ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => {
                Self::Open { path, reason }
            }
            Some(_) if let Some(trouble) = trouble => Self::Unavailable { path, reason: trouble.to_string() },
            // Not from SQLite: a value is not of the type that the schema says.
            None => Self::Corrupt { path, reason },
            Some(_) => Self::Read { path, reason },
        }
    }
}
