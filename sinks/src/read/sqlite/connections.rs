//! A few connections that can only read.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use netqoe_datafile::{Trouble, described};
use parking_lot::Mutex;
use rusqlite::{Connection, ErrorCode, OpenFlags, Transaction};

use crate::read::ReadError;

/// Questions that are answered at once. Each takes a core while it runs, and the pipeline needs the others.
pub const MAX_CONNECTIONS: usize = 4;

/// Steps of SQLite's virtual machine between two looks at the clock: well under a millisecond.
const STEPS_BETWEEN_CHECKS: i32 = 10_000;

/// How long a connection waits for a lock. In WAL mode a reader waits for nobody but a recovery after a crash.
const LOCK_WAIT: Duration = Duration::from_secs(2);

/// Read-only connections to one SQLite file, opened when they are needed and kept.
pub(super) struct Connections {
    path: PathBuf,
    time_limit: Duration,
    pool: Mutex<Pool>,
}

#[derive(Default)]
struct Pool {
    idle: Vec<Connection>,
    lent: usize,
}

/// A place in the pool, given back when it is dropped.
struct Lent<'a> {
    pool: &'a Mutex<Pool>,
    connection: Option<Connection>,
}

/// The file as it was when it was first read in this transaction.
pub(super) struct State<'a> {
    connections: &'a Connections,
    transaction: Transaction<'a>,
    /// Of the question that is being answered; the connection looks at it while it works.
    deadline: Arc<Mutex<Instant>>,
}

impl Connections {
    /// Opens the first connection, so that a store that can't be read is found at the start.
    pub(super) fn open(path: &Path, time_limit: Duration) -> Result<Self, ReadError> {
        let connections = Self { path: path.to_owned(), time_limit, pool: Mutex::default() };
        let look =
            |connection: &Connection| connection.query_row("SELECT 1 FROM sqlite_schema LIMIT 1", [], |_| Ok(()));
        connections.at_once(|state| state.read(look))??;
        Ok(connections)
    }

    /// Does this with one state of the file.
    pub(super) fn at_once<T>(&self, ask: impl FnOnce(&State<'_>) -> T) -> Result<T, ReadError> {
        let mut lent = self.lend()?;
        let connection = match &mut lent.connection {
            Some(connection) => connection,
            none => none.insert(self.connect().map_err(|error| self.not_opened(&error))?),
        };
        let deadline = Arc::new(Mutex::new(Instant::now() + self.time_limit));
        let watched = Arc::clone(&deadline);
        let transaction = connection
            .progress_handler(STEPS_BETWEEN_CHECKS, Some(move || Instant::now() >= *watched.lock()))
            .and_then(|()| connection.transaction())
            .map_err(|error| self.failed(&error))?;
        Ok(ask(&State { connections: self, transaction, deadline }))
    }

    fn lend(&self) -> Result<Lent<'_>, ReadError> {
        let mut pool = self.pool.lock();
        if pool.lent == MAX_CONNECTIONS {
            return Err(ReadError::Busy);
        }
        pool.lent += 1;
        Ok(Lent { connection: pool.idle.pop(), pool: &self.pool })
    }

    fn connect(&self) -> rusqlite::Result<Connection> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(&self.path, flags)?;
        connection.busy_timeout(LOCK_WAIT)?;
        Ok(connection)
    }

    fn failed(&self, error: &rusqlite::Error) -> ReadError {
        match error.sqlite_error_code() {
            Some(ErrorCode::OperationInterrupted) => ReadError::TooSlow { limit_ms: self.time_limit.as_millis() },
            _ => match Trouble::of(&self.path, error) {
                Some(trouble) => ReadError::Unavailable { store: self.name(), reason: trouble.to_string() },
                None => ReadError::Query { store: self.name(), reason: described(error) },
            },
        }
    }

    fn not_opened(&self, error: &rusqlite::Error) -> ReadError {
        match Trouble::of(&self.path, error) {
            // Mostly it is the wrong file, or not there.
            Some(Trouble::Unopenable | Trouble::ReadOnly) | None => {
                ReadError::Open { store: self.name(), reason: described(error) }
            }
            Some(trouble) => ReadError::Unavailable { store: self.name(), reason: trouble.to_string() },
        }
    }

    fn name(&self) -> String {
        format!("sqlite:{}", self.path.display())
    }
}

impl State<'_> {
    /// Does this, and stops it when its time is over.
    pub(super) fn read<T>(&self, work: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T, ReadError> {
        *self.deadline.lock() = Instant::now() + self.connections.time_limit;
        work(&self.transaction).map_err(|error| self.connections.failed(&error))
    }
}

impl Drop for Lent<'_> {
    fn drop(&mut self) {
        let mut pool = self.pool.lock();
        pool.lent -= 1;
        pool.idle.extend(self.connection.take());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read<T>(
        connections: &Connections,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, ReadError> {
        connections.at_once(|state| state.read(work))?
    }

    #[test]
    fn lends_a_bounded_number_and_takes_them_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store.db");
        Connection::open(&path).unwrap().execute_batch("CREATE TABLE t (n INTEGER)").unwrap();
        let connections = Connections::open(&path, Duration::from_secs(60)).unwrap();
        for _ in 0..2 {
            let lent: Vec<_> = (0..MAX_CONNECTIONS).map(|_| connections.lend().unwrap()).collect();
            assert!(matches!(connections.lend(), Err(ReadError::Busy)));
            drop(lent);
        }
        assert!(read(&connections, |connection| connection.execute("INSERT INTO t VALUES (1)", [])).is_err());
    }

    #[test]
    fn stops_what_takes_too_long_and_goes_on() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store.db");
        Connection::open(&path).unwrap().execute_batch("CREATE TABLE t (n INTEGER)").unwrap();
        let connections = Connections::open(&path, Duration::from_millis(20)).unwrap();
        let endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n";
        let stopped = read(&connections, |connection| connection.query_row(endless, [], |row| row.get::<_, i64>(0)));
        assert!(matches!(stopped, Err(ReadError::TooSlow { limit_ms: 20 })), "{stopped:?}");
        let answer = read(&connections, |connection| connection.query_row("SELECT 7", [], |row| row.get::<_, i64>(0)));
        assert_eq!(answer.unwrap(), 7);
    }
}
