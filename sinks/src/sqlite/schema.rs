//! Opening the file: its settings and its schema.

use std::error::Error;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use netqoe_datafile::described;
use refinery::error::Kind;
use rusqlite::{Connection, ErrorCode};

use super::StoreFile;
use crate::{StoreError, WriteTurn};

mod embedded {
    refinery::embed_migrations!("../migrations/sqlite");
}

/// The durable log in the same file has a history of its own.
pub(crate) const HISTORY_TABLE: &str = "store_schema_history";

/// How long the opening waits for a writer in another process, which is none but a backup or a curious shell.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

/// How long a transaction does. A long write tries again and lets others of this process write in between: the
/// log, which waits for its turn, should not wait for the store's patience.
const TRANSACTION_BUSY_TIMEOUT: Duration = Duration::from_secs(2);

/// How long to wait before a busy file is tried again, where SQLite does not wait by itself.
const BUSY_PAUSE: Duration = Duration::from_millis(5);

/// Prepared statements that are kept: all that this crate has.
const CACHED_STATEMENTS: usize = 48;

/// `synchronous = NORMAL` can lose the last commits when the machine (not the process) goes down, never a part of one.
/// Rows and the progress that they reflect go together, so what was lost is read from the log again.
///
/// The cache (KiB, as SQLite's minus sign says) holds the pages that a batch over tens of thousands of keys touches;
/// with the default of 2 MB they are read and written over and over. The write-ahead log grows to 64 MB before it is
/// copied into the file: a page that many batches change is then copied once.
pub(super) const SHARED: &str = "
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = NORMAL;
    PRAGMA cache_size = -131072;
    PRAGMA wal_autocheckpoint = 16384;
    PRAGMA temp_store = MEMORY;
";

/// For a connection that reads and deletes a little, beside the one that writes rows.
pub(super) const BESIDE: &str = "
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = NORMAL;
";

/// For a file that nobody else knows of and that is thrown away where anything goes wrong: no journal, no syncing, and
/// a cache (KiB) in which the pages of tens of thousands of keys stay until they are full. What is full is written once.
/// Pages are large, since rows are written by the thousand: a tree that is clustered by its key wants room for many rows
/// a page, and is rebalanced less often then.
pub(super) const UNSHARED: &str = "
    PRAGMA page_size = 16384;
    PRAGMA locking_mode = EXCLUSIVE;
    PRAGMA journal_mode = OFF;
    PRAGMA synchronous = OFF;
    PRAGMA cache_size = -98304;
    PRAGMA temp_store = MEMORY;
";

/// The file at this path, opened while it is nobody else's turn in this process to write to it.
pub(super) fn open_in_turn(
    path: &Path,
    settings: &str,
    write_turn: &WriteTurn,
) -> Result<(StoreFile, Connection), StoreError> {
    let file = StoreFile::new(path);
    let _turn = write_turn.lock();
    let connection = open(&file, settings)?;
    Ok((file, connection))
}

/// The file with these settings and the newest schema.
pub(super) fn open(file: &StoreFile, settings: &str) -> Result<Connection, StoreError> {
    let attempt = || -> rusqlite::Result<Connection> {
        let connection = Connection::open(&file.path)?;
        connection.busy_timeout(BUSY_TIMEOUT)?;
        connection.set_prepared_statement_cache_capacity(CACHED_STATEMENTS);
        apply(settings, &connection)?;
        Ok(connection)
    };
    netqoe_datafile::make_private(&file.path)
        .map_err(|error| StoreError::Unwritable { path: file.path.clone(), reason: error.to_string() })?;
    let mut connection = attempt().map_err(|error| file.opening_error("be opened", &error))?;
    migrate(&mut connection, file)?;
    connection.busy_timeout(TRANSACTION_BUSY_TIMEOUT).map_err(|error| file.opening_error("be opened", &error))?;
    Ok(connection)
}

/// Where two connections turn a new file to WAL mode at once, SQLite refuses one of them and does not wait.
fn apply(settings: &str, connection: &Connection) -> rusqlite::Result<()> {
    let started = Instant::now();
    loop {
        let applied = connection.execute_batch(settings);
        let is_busy = applied.as_ref().is_err_and(|error| error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy));
        if !is_busy || started.elapsed() > BUSY_TIMEOUT {
            return applied;
        }
        thread::sleep(BUSY_PAUSE);
    }
}

/// The version of the schema that this netqoe reads and writes.
pub(crate) fn known_version() -> i32 {
    let runner = embedded::migrations::runner();
    runner.get_migrations().iter().map(|migration| migration.version()).max().unwrap_or_default()
}

fn migrate(connection: &mut Connection, file: &StoreFile) -> Result<(), StoreError> {
    let mut runner = embedded::migrations::runner();
    runner.set_migration_table_name(HISTORY_TABLE);
    let known = known_version();
    // Grouped: a migration and the note that it was applied are one transaction. What is missing is looked up in a
    // transaction before that, so two processes may miss the same: one makes it, and the other finds it the second time.
    let runner = runner.set_grouped(true);
    let Err(error) = runner.run(connection).or_else(|_| runner.run(connection)) else { return Ok(()) };
    Err(match error.kind() {
        Kind::MissingVersion(applied) if applied.version() > known => {
            StoreError::Newer { store: file.name(), found: applied.version(), known }
        }
        kind => match kind.source().and_then(|source| source.downcast_ref::<rusqlite::Error>()) {
            Some(error) if error.sqlite_error_code().is_none_or(|code| code == ErrorCode::Unknown) => {
                StoreError::Schema { store: file.name(), reason: not_ours(error) }
            }
            Some(error) => file.opening_error("have its schema made", error),
            None => StoreError::Schema { store: file.name(), reason: error.to_string() },
        },
    })
}

/// SQL that fails where it never did before: the file has tables that another program has made.
fn not_ours(error: &rusqlite::Error) -> String {
    format!("{}; it has tables of another program: choose another file", described(error))
}

#[cfg(test)]
mod tests {
    /// Versions up to 3.51.2 can damage a database in WAL mode when two connections write and checkpoint at once.
    #[test]
    fn the_bundled_sqlite_is_free_of_the_wal_reset_bug() {
        assert!(rusqlite::version_number() > 3_051_002);
    }
}
