//! Why SQLite can't use a file at the moment, in words that say what to do.

use std::fmt;
use std::fs::File;
use std::io;
use std::path::Path;

use rusqlite::ErrorCode;
use rustix::fs::StatVfsMountFlags;
use rustix::io::Errno;

/// A disk with less room than this (in bytes) is full: SQLite can't lengthen its shared memory, and says that the disk
/// failed. Its pieces are of 32 KiB.
const NO_ROOM_BYTES: u64 = 64 << 10;

/// Why a file can't be used at the moment. The cause may pass by itself or be removed while netqoe runs, so the caller
/// tries again. Permanent causes (a damaged file, a missing table) are not among these.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// Another program has a lock on it.
    Locked,
    /// There is no room for what was to be written.
    Full,
    /// The process, or the machine, has as many files open as it may.
    TooManyFiles,
    /// It can't be written.
    ReadOnly,
    /// The file was moved or deleted while it was open.
    Moved,
    /// It, or a file that SQLite keeps beside it, can't be opened.
    Unopenable,
    /// The machine has no memory left.
    NoMemory,
    /// The system could not read or write.
    Failing {
        /// What SQLite says, and its number for it.
        reason: String,
    },
}

impl Trouble {
    /// The cause of an error with this file; `None` if trying again would not help.
    pub fn of(file: &Path, error: &rusqlite::Error) -> Option<Self> {
        let sqlite = error.sqlite_error()?;
        let said = || format!("{}, SQLite's error {}", described(error), sqlite.extended_code);
        decide(sqlite.code, sqlite.extended_code, said, || Surroundings::of(file))
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Locked => {
                "another program has locked the file, such as a backup, a sqlite3 shell or another netqoe: \
                 see which has it open (fuser -v, lsof), and end it"
            }
            Self::Full => "its disk is full, or its quota is: make room there",
            Self::TooManyFiles => {
                "netqoe has as many files and connections open as it may: raise that limit (ulimit -n, LimitNOFILE)"
            }
            Self::ReadOnly => "the file can't be written: see its disk, which may be mounted read-only, and its permissions",
            Self::Moved => "the file was moved or deleted while it was in use: put it back, or start netqoe again",
            Self::Unopenable => {
                "the file, or one of those beside it (-wal, -shm), can't be opened: see that the folder is there and may \
                 be written"
            }
            Self::NoMemory => "there is no memory left: see what else takes it",
            Self::Failing { reason } => {
                return write!(f, "its disk failed ({reason}): see the disk, and what the system's log says of it");
            }
        })
    }
}

/// What SQLite says, in one line: where it is about a statement, without the statement.
pub fn described(error: &rusqlite::Error) -> String {
    match error {
        rusqlite::Error::SqlInputError { msg, .. } => msg.clone(),
        other => other.to_string().lines().collect::<Vec<_>>().join(" "),
    }
}

/// What the system says of the place where the file is. SQLite's codes leave much of it out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Surroundings {
    no_room: bool,
    read_only: bool,
    too_many_files: bool,
}

impl Surroundings {
    fn of(file: &Path) -> Self {
        let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        // The folder, not the file: to close any handle on the file would give up SQLite's locks on it.
        let opened = File::open(folder);
        let too_many = |error: &io::Error| {
            let errno = error.raw_os_error();
            errno == Some(Errno::MFILE.raw_os_error()) || errno == Some(Errno::NFILE.raw_os_error())
        };
        let disk = rustix::fs::statvfs(folder).ok();
        Self {
            no_room: disk.as_ref().is_some_and(|disk| {
                let has_inodes = disk.f_files > 0;
                disk.f_bavail.saturating_mul(disk.f_frsize) < NO_ROOM_BYTES || (has_inodes && disk.f_favail == 0)
            }),
            read_only: disk.is_some_and(|disk| disk.f_flag.contains(StatVfsMountFlags::RDONLY)),
            too_many_files: opened.is_err_and(|error| too_many(&error)),
        }
    }
}

fn decide(
    code: ErrorCode,
    extended_code: i32,
    said: impl FnOnce() -> String,
    surroundings: impl FnOnce() -> Surroundings,
) -> Option<Trouble> {
    Some(match code {
        ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked | ErrorCode::FileLockingProtocolFailed => Trouble::Locked,
        ErrorCode::DiskFull => Trouble::Full,
        ErrorCode::OutOfMemory => Trouble::NoMemory,
        ErrorCode::ReadOnly if extended_code == rusqlite::ffi::SQLITE_READONLY_DBMOVED => Trouble::Moved,
        ErrorCode::ReadOnly | ErrorCode::PermissionDenied => Trouble::ReadOnly,
        ErrorCode::CannotOpen | ErrorCode::SystemIoFailure => match surroundings() {
            Surroundings { too_many_files: true, .. } => Trouble::TooManyFiles,
            Surroundings { no_room: true, .. } => Trouble::Full,
            Surroundings { read_only: true, .. } => Trouble::ReadOnly,
            _ if code == ErrorCode::CannotOpen => Trouble::Unopenable,
            _ => Trouble::Failing { reason: said() },
        },
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use rusqlite::Connection;

    use super::*;

    #[test]
    fn what_passes_is_told_from_what_stays() {
        let at = |code, surroundings| decide(code, 0, || "said".to_owned(), || surroundings);
        let usual = Surroundings::default();
        assert_eq!(at(ErrorCode::DatabaseBusy, usual), Some(Trouble::Locked));
        assert_eq!(at(ErrorCode::DatabaseLocked, usual), Some(Trouble::Locked));
        assert_eq!(at(ErrorCode::DiskFull, usual), Some(Trouble::Full));
        assert_eq!(at(ErrorCode::ReadOnly, usual), Some(Trouble::ReadOnly));
        assert_eq!(at(ErrorCode::CannotOpen, usual), Some(Trouble::Unopenable));
        assert_eq!(at(ErrorCode::SystemIoFailure, usual), Some(Trouble::Failing { reason: "said".to_owned() }));
        for stays in [ErrorCode::DatabaseCorrupt, ErrorCode::NotADatabase, ErrorCode::Unknown, ErrorCode::TypeMismatch]
        {
            assert_eq!(at(stays, usual), None, "{stays:?}");
        }
    }

    #[test]
    fn what_sqlite_leaves_out_is_seen_around_the_file() {
        let at = |code, surroundings| decide(code, 0, || "said".to_owned(), || surroundings);
        for code in [ErrorCode::CannotOpen, ErrorCode::SystemIoFailure] {
            let no_room = Surroundings { no_room: true, ..Surroundings::default() };
            assert_eq!(at(code, no_room), Some(Trouble::Full));
            let read_only = Surroundings { read_only: true, ..Surroundings::default() };
            assert_eq!(at(code, read_only), Some(Trouble::ReadOnly));
            let too_many = Surroundings { too_many_files: true, no_room: true, read_only: true };
            assert_eq!(at(code, too_many), Some(Trouble::TooManyFiles));
        }
        let moved = decide(ErrorCode::ReadOnly, rusqlite::ffi::SQLITE_READONLY_DBMOVED, String::new, || {
            Surroundings::default()
        });
        assert_eq!(moved, Some(Trouble::Moved));
    }

    #[test]
    fn a_lock_of_somebody_else_is_named_as_such() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("data.db");
        let holder = Connection::open(&path).unwrap();
        holder.execute_batch("CREATE TABLE t (n); BEGIN IMMEDIATE").unwrap();
        let other = Connection::open(&path).unwrap();
        other.busy_timeout(std::time::Duration::ZERO).unwrap();
        let error = other.execute_batch("BEGIN IMMEDIATE").unwrap_err();
        assert_eq!(Trouble::of(&path, &error), Some(Trouble::Locked));
    }

    #[test]
    fn a_statement_is_no_part_of_what_is_said() {
        let connection = Connection::open_in_memory().unwrap();
        let error = connection.prepare("SELECT a,\n b,\n c\n FROM nowhere").unwrap_err();
        assert_eq!(described(&error), "no such table: nowhere");
        assert_eq!(Trouble::of(Path::new("data.db"), &error), None);
    }
}
