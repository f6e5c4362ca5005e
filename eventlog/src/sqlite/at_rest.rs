//! A log on a disk that can't be written: SQLite coordinates readers and writers by files beside it, which can't be created there.

use std::path::Path;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_encode};
use rusqlite::Connection;

use super::files::with_ending;
use super::schema;
use crate::LogError;

/// What stays as it is in the path of a URI.
const PATH: &AsciiSet = &NON_ALPHANUMERIC.remove(b'/').remove(b'.').remove(b'-').remove(b'_');

/// A read-only connection: beside a writer, or, on a disk that can't be written, without companion files.
///
/// # Errors
/// [`LogError`]; also where the newest records stand in a journal beside the file, which can't be read there.
pub(super) fn open_reader(path: &Path) -> Result<Connection, LogError> {
    match schema::open_reader(path) {
        Err(LogError::Open { path, reason }) if path.is_file() => {
            if has_journal(&path) {
                let reason = format!(
                    "{reason}; its newest records are in the -wal file beside it: copy both to a disk that can be written"
                );
                return Err(LogError::Open { path, reason });
            }
            open_immutable(&path)
        }
        opened => opened,
    }
}

/// Without any file beside it: nobody can change it meanwhile.
fn open_immutable(path: &Path) -> Result<Connection, LogError> {
    let encoded = percent_encode(path.as_os_str().as_encoded_bytes(), PATH);
    schema::open_reader_by_uri(&format!("file:{encoded}?immutable=1"), path)
}

fn has_journal(path: &Path) -> bool {
    with_ending(path, "-wal").metadata().is_ok_and(|journal| journal.len() > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_nobody_writes_is_read_without_another_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("100%? #log.db");
        drop(schema::open_writer(&path).unwrap());
        let files = || std::fs::read_dir(folder.path()).unwrap().count();
        assert_eq!(files(), 1);
        let connection = open_immutable(&path).unwrap();
        connection.query_row("SELECT count(*) FROM log_records", [], |row| row.get::<_, i64>(0)).unwrap();
        assert_eq!(files(), 1, "no -wal and no -shm");
        assert!(connection.execute("DELETE FROM log_records", []).is_err());
    }

    #[test]
    fn a_journal_is_not_passed_over() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log.db");
        let writer = schema::open_writer(&path).unwrap();
        assert!(has_journal(&path));
        drop(writer);
        assert!(!has_journal(&path));
        assert!(matches!(open_reader(&folder.path().join("none.db")), Err(LogError::Open { .. })));
    }
}
