//! Opening the data file: what is checked before anything in it is trusted, the log's tables, its identity.

use std::fs::{File, TryLockError};
use std::num::NonZeroU16;
use std::path::Path;
use std::time::Duration;

use netqoe_datafile::described;
use netqoe_model::{LogIdentity, LogTime};
use rusqlite::{Connection, OpenFlags, OptionalExtension, params};
use uuid::Uuid;

use super::files::with_ending;
use crate::LogError;

/// 3.51.3: in WAL mode, versions before it can corrupt a file that several connections write.
const OLDEST_SQLITE: i32 = 3_051_003;

/// How long a connection waits for another one's transaction. Those of this process take turns and are short;
/// a backup by another program may take seconds. Shorter than ingest waits for an append, so that the sender learns the reason.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// The store in the same file keeps its own history under another name.
const HISTORY_TABLE: &str = "log_schema_history";

mod embedded {
    refinery::embed_migrations!("../migrations/sqlite-log");
}

/// The right to be the one writer of a data file, until it is dropped or the process ends in any way.
///
/// A file beside the data file, because a lock on that one would be SQLite's to lose.
pub(super) struct WriterLock {
    _file: File,
}

impl WriterLock {
    pub(super) fn take(data_file: &Path) -> Result<Self, LogError> {
        // Whatever link leads to the data file, its lock is the same.
        let path = with_ending(&netqoe_datafile::real_path(data_file), ".lock");
        let opened = netqoe_datafile::make_private(&path).and_then(|()| File::options().write(true).open(&path));
        let failed = |error: std::io::Error| LogError::Open { path: path.clone(), reason: error.to_string() };
        let file = opened.map_err(failed)?;
        match file.try_lock() {
            Ok(()) => Ok(Self { _file: file }),
            Err(TryLockError::WouldBlock) => Err(LogError::InUse { path: data_file.to_owned() }),
            Err(TryLockError::Error(error)) => Err(failed(error)),
        }
    }
}

/// A connection that writes, to a file that is made and brought up to date where need be.
pub(super) fn open_writer(path: &Path) -> Result<Connection, LogError> {
    if rusqlite::version_number() < OLDEST_SQLITE {
        return Err(LogError::SqliteTooOld { found: rusqlite::version() });
    }
    netqoe_datafile::make_private(path)
        .map_err(|error| LogError::Open { path: path.to_owned(), reason: error.to_string() })?;
    let mut connection = connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE)?;
    let found = schema_version(&connection, path)?;
    let known = known_version();
    if found > known {
        return Err(LogError::Newer { path: path.to_owned(), found, known });
    }
    durable_wal(&connection).map_err(|error| LogError::of(path, &error))?;
    if found < known {
        migrate(&mut connection, path)?;
    }
    Ok(connection)
}

/// A read-only connection, beside a writer.
pub(super) fn open_reader(path: &Path) -> Result<Connection, LogError> {
    check(connect(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?, path)
}

/// The same of a file that is named to SQLite by a URI, which can say more than a path.
pub(super) fn open_reader_by_uri(uri: &str, path: &Path) -> Result<Connection, LogError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI;
    check(connect(Path::new(uri), flags)?, path)
}

fn check(connection: Connection, path: &Path) -> Result<Connection, LogError> {
    let known = known_version();
    match schema_version(&connection, path)? {
        0 => Err(LogError::NoLog { path: path.to_owned() }),
        found if found > known => Err(LogError::Newer { path: path.to_owned(), found, known }),
        found if found < known => Err(LogError::Older { path: path.to_owned(), found, known }),
        _ => Ok(connection),
    }
}

fn connect(path: &Path, flags: OpenFlags) -> Result<Connection, LogError> {
    // Each connection stays on one thread at a time.
    let connection = Connection::open_with_flags(path, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX);
    let connection = connection.map_err(|error| LogError::of(path, &error))?;
    connection.busy_timeout(BUSY_TIMEOUT).map_err(|error| LogError::of(path, &error))?;
    Ok(connection)
}

/// FULL: a commit has reached the disk when it returns, which is what an answer of 200 promises.
fn durable_wal(connection: &Connection) -> rusqlite::Result<()> {
    connection.pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get::<_, String>(0))?;
    connection.pragma_update(None, "synchronous", "FULL")
}

/// The newest version of the log's tables that this binary can make.
fn known_version() -> i64 {
    let runner = embedded::migrations::runner();
    runner.get_migrations().iter().map(|migration| i64::from(migration.version())).max().unwrap_or(0)
}

/// The version of the log's tables in the file; 0 if it has none.
fn schema_version(connection: &Connection, path: &Path) -> Result<i64, LogError> {
    let exists = "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?1";
    let newest = format!("SELECT coalesce(max(version), 0) FROM {HISTORY_TABLE}");
    let found = connection.query_row(exists, [HISTORY_TABLE], |_| Ok(())).optional();
    found
        .and_then(|found| found.map_or(Ok(0), |()| connection.query_row(&newest, [], |row| row.get(0))))
        .map_err(|error| LogError::of(path, &error))
}

fn migrate(connection: &mut Connection, path: &Path) -> Result<(), LogError> {
    let mut runner = embedded::migrations::runner();
    runner.set_migration_table_name(HISTORY_TABLE);
    // Grouped: all of it in one transaction, so that no crash leaves a version half made.
    match runner.set_grouped(true).run(connection) {
        Ok(_) => Ok(()),
        Err(error) => Err(migration_error(path, &error)),
    }
}

fn migration_error(path: &Path, error: &refinery::Error) -> LogError {
    if let refinery::error::Kind::Connection(_, source) = error.kind()
        && let Some(error) = source.downcast_ref::<rusqlite::Error>()
        && error.sqlite_error_code().is_some_and(|code| code != rusqlite::ErrorCode::Unknown)
    {
        return LogError::of(path, error);
    }
    let source = std::error::Error::source(error.kind()).and_then(|source| source.downcast_ref::<rusqlite::Error>());
    let reason = match source {
        // SQL that fails where it never did before: the file has tables that another program has made.
        Some(error) => format!("{}; it has tables of another program: choose another file", described(error)),
        None => error.to_string(),
    };
    LogError::Schema { path: path.to_owned(), reason }
}

/// The log's identity, which is made where the log is new.
pub(super) fn identity(connection: &Connection, partitions: NonZeroU16, now: LogTime) -> rusqlite::Result<LogIdentity> {
    connection.execute(
        "INSERT INTO log_identity (id, partitions, created_ms)
         SELECT ?1, ?2, ?3 WHERE NOT EXISTS (SELECT 1 FROM log_identity)",
        params![Uuid::now_v7().to_string(), partitions.get(), now.ms()],
    )?;
    connection.query_row("SELECT id, partitions FROM log_identity", [], |row| {
        Ok(LogIdentity { id: row.get(0)?, partitions: row.get(1)? })
    })
}
