//! The spool: a table in a SQLite file, in the order in which events were measured.

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};

use netqoe_datafile::{Trouble, described};
use netqoe_model::EventTime;
use rusqlite::{Connection, OptionalExtension, Params, Transaction, params};

use super::bounds::{Excess, SpoolBounds, Waiting};

const FILE_NAME: &str = "spool.db";
const LOCK_NAME: &str = "spool.lock";
/// What this version writes, as the file's `user_version`.
const VERSION: i64 = 1;

/// Bytes of events that are in memory at once to be sent; a single larger event goes alone.
pub(super) const MAX_BATCH_BYTES: usize = 256 << 10;
/// Events that were refused for good and are kept for inspection. More of them say nothing new.
const MAX_SET_ASIDE: i64 = 1000;
/// Pages without content that are given back to the disk once the spool is empty: a megabyte of them. Fewer are soon used again.
const SPARE_PAGES: i64 = 256;

/// FULL: an event is on the disk when it counts as reported. Pages that an outage has filled can be given back.
const SETTINGS: &str = "PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL";
const TABLES: &str = "
    CREATE TABLE events (id INTEGER PRIMARY KEY AUTOINCREMENT, since_ms INTEGER NOT NULL, event TEXT NOT NULL) STRICT;
    CREATE TABLE set_aside (id INTEGER PRIMARY KEY, since_ms INTEGER NOT NULL, reason TEXT NOT NULL, event TEXT NOT NULL) STRICT;
    PRAGMA user_version = 1";
/// Events whose time a clock does not believe, in this process: they go apart from the others. After a restart they are tried anew, since
/// the clocks may have been set meanwhile.
const UNTIMELY: &str = "
    PRAGMA temp_store = MEMORY;
    CREATE TEMP TABLE untimely (id INTEGER PRIMARY KEY, ts_ms INTEGER NOT NULL) STRICT;
    CREATE INDEX temp.untimely_by_time ON untimely (ts_ms, id)";
const OLDEST: &str =
    "SELECT id, event FROM events WHERE id > ?2 AND id NOT IN (SELECT id FROM untimely) ORDER BY id LIMIT ?1";
const EARLIEST_UNTIMELY: &str =
    "SELECT events.id, event FROM untimely CROSS JOIN events USING (id) ORDER BY ts_ms, untimely.id LIMIT ?1";
const SET_ASIDE: &str = "INSERT OR REPLACE INTO set_aside SELECT id, since_ms, ?2, event FROM events WHERE id = ?1";
const BOUND_SET_ASIDE: &str =
    "DELETE FROM set_aside WHERE id NOT IN (SELECT id FROM set_aside ORDER BY id DESC LIMIT ?1)";

/// Why a spool can't be opened or used.
#[derive(Clone, Debug, thiserror::Error)]
pub enum SpoolError {
    /// The folder can't be made, or its lock not be opened.
    #[error("can't use {path} as a spool: {reason}; choose another folder")]
    Folder {
        /// Where.
        path: PathBuf,
        /// What the system says.
        reason: String,
    },
    /// Two probes would send each event twice, and out of order.
    #[error("the spool {path} is in use by another probe; stop that one, or give this one a folder of its own")]
    InUse {
        /// The folder.
        path: PathBuf,
    },
    /// The file is of a later version.
    #[error("the spool {path} was written by a newer netqoe; start that one, or choose another folder")]
    Newer {
        /// The file.
        path: PathBuf,
    },
    /// SQLite refuses: the disk is full, or the file is damaged.
    #[error("the spool {path} can't be used: {reason}; make room, or move a damaged file away")]
    Storage {
        /// The file.
        path: PathBuf,
        /// What SQLite says.
        reason: String,
    },
    /// Its thread has ended.
    #[error("the spool was closed")]
    Closed,
}

/// An event that waits, as one line of JSON.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Kept {
    pub(super) id: i64,
    pub(super) event: String,
}

/// What became of events that were sent.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Settled {
    pub(super) taken: Vec<i64>,
    /// And why.
    pub(super) refused: Vec<(i64, String)>,
    /// They stay, and their time.
    pub(super) untimely: Vec<(i64, EventTime)>,
}

/// An open spool. Only one process has it open at a time.
pub(super) struct Spool {
    path: PathBuf,
    connection: Connection,
    bounds: SpoolBounds,
    events: u64,
    bytes: u64,
    /// Since when the first event has waited; none if none waits.
    oldest: Option<EventTime>,
    /// How many of the events are untimely.
    untimely: u64,
    /// Every event up to this id is untimely: those need not be skipped again.
    passed_id: i64,
    _lock: File,
}

impl Spool {
    /// Opens the spool in this folder, and makes both where they are missing.
    pub(super) fn open(folder: &Path, bounds: SpoolBounds) -> Result<Self, SpoolError> {
        let lock = lock(folder)?;
        let path = folder.join(FILE_NAME);
        netqoe_datafile::make_private(&path)
            .map_err(|error| SpoolError::Folder { path: folder.to_owned(), reason: error.to_string() })?;
        let opened = Connection::open(&path).and_then(|connection| {
            connection.execute_batch(SETTINGS)?;
            let version: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
            if version == 0 {
                connection.execute_batch(&format!("BEGIN; {TABLES}; COMMIT"))?;
            }
            connection.execute_batch(UNTIMELY)?;
            Ok((connection, version))
        });
        let (connection, version) = opened.map_err(|error| storage(&path, &error))?;
        if version > VERSION {
            return Err(SpoolError::Newer { path });
        }
        let held = "SELECT count(*), coalesce(sum(octet_length(event)), 0) FROM events";
        let held = connection.query_row(held, [], |row| Ok((row.get(0)?, row.get(1)?)));
        let held = held.and_then(|(events, bytes)| Ok((events, bytes, oldest(&connection)?)));
        let (events, bytes, oldest) = held.map_err(|error| storage(&path, &error))?;
        Ok(Self { path, connection, bounds, events, bytes, oldest, untimely: 0, passed_id: 0, _lock: lock })
    }

    /// How many events wait.
    pub(super) fn events(&self) -> u64 {
        self.events
    }

    /// Their bytes.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// How many of them are untimely.
    pub(super) fn untimely(&self) -> u64 {
        self.untimely
    }

    /// Stores events, all of them in one transaction, and drops what exceeds the bounds. Returns what was dropped.
    pub(super) fn keep<'a>(
        &mut self,
        events: impl IntoIterator<Item = &'a str>,
        now: EventTime,
    ) -> Result<Excess, SpoolError> {
        let (mut count, mut bytes, mut first) = (self.events, self.bytes, self.oldest);
        let bounds = self.bounds;
        let excess = self.transaction(|transaction| {
            let mut insert = transaction.prepare_cached("INSERT INTO events (since_ms, event) VALUES (?1, ?2)")?;
            for event in events {
                insert.execute(params![now.ms(), event])?;
                (count, bytes) = (count + 1, bytes + event.len() as u64);
                first.get_or_insert(now);
            }
            if bounds.allow(first, bytes, now) {
                return Ok(Excess::default());
            }
            let excess = let_go(transaction, bounds, bytes, now)?;
            first = oldest(transaction)?;
            Ok(excess)
        })?;
        (self.events, self.bytes) = (count.saturating_sub(excess.events), bytes.saturating_sub(excess.bytes));
        self.oldest = first;
        self.count_untimely()?;
        Ok(excess)
    }

    /// Drops what exceeds the bounds. Returns what was dropped.
    pub(super) fn hold_bounds(&mut self, now: EventTime) -> Result<Excess, SpoolError> {
        if self.bounds.allow(self.oldest, self.bytes, now) { Ok(Excess::default()) } else { self.keep([], now) }
    }

    /// The oldest events that are not untimely, `most` of them at most and [`MAX_BATCH_BYTES`].
    pub(super) fn oldest(&mut self, most: usize) -> Result<Vec<Kept>, SpoolError> {
        let oldest = self.read(OLDEST, params![most, self.passed_id])?;
        self.passed_id = match oldest.first() {
            Some(first) => first.id - 1,
            None => self.last_id().map_err(|error| storage(&self.path, &error))?,
        };
        Ok(oldest)
    }

    /// The untimely events of the earliest times, as many.
    pub(super) fn earliest_untimely(&self, most: usize) -> Result<Vec<Kept>, SpoolError> {
        self.read(EARLIEST_UNTIMELY, params![most])
    }

    /// Later events have greater ids, whatever becomes of this one.
    fn last_id(&self) -> rusqlite::Result<i64> {
        let mut select = self.connection.prepare_cached("SELECT coalesce(max(id), 0) FROM events")?;
        select.query_row([], |row| row.get(0))
    }

    fn read(&self, sql: &str, params: impl Params) -> Result<Vec<Kept>, SpoolError> {
        self.read_batch(sql, params).map_err(|error| storage(&self.path, &error))
    }

    fn read_batch(&self, sql: &str, params: impl Params) -> rusqlite::Result<Vec<Kept>> {
        let mut select = self.connection.prepare_cached(sql)?;
        let mut rows = select.query(params)?;
        let (mut batch, mut bytes) = (Vec::new(), 0);
        while let Some(row) = rows.next()? {
            let kept = Kept { id: row.get(0)?, event: row.get(1)? };
            bytes += kept.event.len();
            if bytes > MAX_BATCH_BYTES && !batch.is_empty() {
                break;
            }
            batch.push(kept);
        }
        Ok(batch)
    }

    /// Removes what was taken, sets aside what was refused, and marks what is untimely, in one transaction.
    pub(super) fn settle(&mut self, settled: &Settled) -> Result<(), SpoolError> {
        let (events, bytes, first) = self.transaction(|transaction| {
            let mut set_aside = transaction.prepare_cached(SET_ASIDE)?;
            for (id, reason) in &settled.refused {
                set_aside.execute(params![id, reason])?;
            }
            if !settled.refused.is_empty() {
                transaction.execute(BOUND_SET_ASIDE, [MAX_SET_ASIDE])?;
            }
            // The bounds may have let go of some while they were sent: only what is there is removed and counted.
            let mut delete =
                transaction.prepare_cached("DELETE FROM events WHERE id = ?1 RETURNING octet_length(event)")?;
            let (mut events, mut bytes) = (0, 0);
            for id in settled.taken.iter().chain(settled.refused.iter().map(|(id, _)| id)) {
                for length in delete.query_map([id], |row| row.get::<_, u64>(0))? {
                    (events, bytes) = (events + 1, bytes + length?);
                }
            }
            let mut mark = transaction.prepare_cached("INSERT OR IGNORE INTO untimely (id, ts_ms) VALUES (?1, ?2)")?;
            for (id, ts) in &settled.untimely {
                mark.execute(params![id, ts.ms()])?;
            }
            Ok((events, bytes, oldest(transaction)?))
        })?;
        (self.events, self.bytes) = (self.events.saturating_sub(events), self.bytes.saturating_sub(bytes));
        self.oldest = first;
        self.untimely += settled.untimely.len() as u64;
        self.count_untimely()?;
        if self.events == 0 { self.give_back().map_err(|error| storage(&self.path, &error)) } else { Ok(()) }
    }

    /// Forgets the marks of events that are gone, and counts those of the others.
    fn count_untimely(&mut self) -> Result<(), SpoolError> {
        if self.untimely > 0 {
            let counted = self.read_untimely();
            self.untimely = counted.map_err(|error| storage(&self.path, &error))?;
        }
        Ok(())
    }

    fn read_untimely(&self) -> rusqlite::Result<u64> {
        let mut forget =
            self.connection.prepare_cached("DELETE FROM untimely WHERE id NOT IN (SELECT id FROM events)")?;
        forget.execute([])?;
        let mut count = self.connection.prepare_cached("SELECT count(*) FROM untimely")?;
        count.query_row([], |row| row.get(0))
    }

    /// Gives what an outage has filled back to the disk.
    fn give_back(&self) -> rusqlite::Result<()> {
        let spare: i64 = self.connection.pragma_query_value(None, "freelist_count", |row| row.get(0))?;
        if spare >= SPARE_PAGES {
            self.connection.pragma(None, "incremental_vacuum", 0, |_| Ok(()))?;
            self.connection.pragma(None, "wal_checkpoint", "TRUNCATE", |_| Ok(()))?;
        }
        Ok(())
    }

    fn transaction<T>(&mut self, work: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<T>) -> Result<T, SpoolError> {
        let done = self.connection.transaction().and_then(|transaction| {
            let done = work(&transaction)?;
            transaction.commit()?;
            Ok(done)
        });
        done.map_err(|error| storage(&self.path, &error))
    }
}

/// Since when the first event has waited.
fn oldest(connection: &Connection) -> rusqlite::Result<Option<EventTime>> {
    let mut select = connection.prepare_cached("SELECT since_ms FROM events ORDER BY id LIMIT 1")?;
    select.query_row([], |row| Ok(EventTime::from_ms(row.get(0)?))).optional()
}

fn let_go(transaction: &Transaction<'_>, bounds: SpoolBounds, bytes: u64, now: EventTime) -> rusqlite::Result<Excess> {
    let mut select = transaction.prepare_cached("SELECT id, since_ms, octet_length(event) FROM events ORDER BY id")?;
    let waiting = select.query_map([], |row| {
        Ok(Waiting { id: row.get(0)?, since: EventTime::from_ms(row.get(1)?), bytes: row.get(2)? })
    })?;
    let excess = bounds.excess(waiting, bytes, now)?;
    if excess.events > 0 {
        transaction.execute("DELETE FROM events WHERE id <= ?1", [excess.through_id])?;
    }
    Ok(excess)
}

/// The right to use a spool, until it is dropped or the process ends in any way. A file beside SQLite's, because a lock on that one would
/// be SQLite's to lose.
fn lock(folder: &Path) -> Result<File, SpoolError> {
    let unusable = |error: std::io::Error| SpoolError::Folder { path: folder.to_owned(), reason: error.to_string() };
    netqoe_datafile::make_folder(folder).map_err(unusable)?;
    let path = folder.join(LOCK_NAME);
    let opened = netqoe_datafile::make_private(&path).and_then(|()| File::options().write(true).open(&path));
    let file = opened.map_err(unusable)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(SpoolError::InUse { path: folder.to_owned() }),
        Err(TryLockError::Error(error)) => Err(unusable(error)),
    }
}

fn storage(path: &Path, error: &rusqlite::Error) -> SpoolError {
    let reason = Trouble::of(path, error).map_or_else(|| described(error), |trouble| trouble.to_string());
    SpoolError::Storage { path: path.to_owned(), reason }
}
