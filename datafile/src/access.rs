//! Permissions of files: only the user that netqoe runs as may read them. Tokens protect the same events over HTTP.
//!
//! Decision: D-068.

use std::fs::{self, DirBuilder, File};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;

/// What a folder is made with.
pub const FOLDER_MODE: u32 = 0o700;
/// What a file is made with.
pub const FILE_MODE: u32 = 0o600;
/// The permission bits of a file's mode.
const PERMISSIONS: u32 = 0o777;
/// The permission bits of users other than the owner.
const OTHERS: u32 = 0o077;

/// The warning about a folder that others may look into.
pub const OPEN_TO_OTHERS: &str = "other users of this machine may look into the data folder, and read there what tokens \
    protect over HTTP; chmod 700 closes it";

/// Creates a folder, and those above it, that only its owner may look into. An existing one keeps its permissions, which
/// somebody may have chosen.
///
/// # Errors
/// What the system says.
pub fn make_folder(folder: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(FOLDER_MODE).create(folder)
}

/// Whether users other than its owner may look into an existing folder.
pub fn is_open_to_others(folder: &Path) -> bool {
    open_mode(folder).is_ok_and(|mode| mode.is_some())
}

/// The permissions of a file or folder that grants any to users other than its owner; `None` if it does not.
///
/// # Errors
/// If it does not exist, or can't be examined.
pub fn open_mode(path: &Path) -> io::Result<Option<u32>> {
    let mode = fs::metadata(path)?.permissions().mode() & PERMISSIONS;
    Ok((mode & OTHERS != 0).then_some(mode))
}

/// Creates a file that only its owner may read and write. SQLite finds it and gives its companion files the same
/// permissions. An existing one keeps its permissions: somebody may have opened it to a program that shows it.
///
/// # Errors
/// If the file does not exist and can't be created.
pub fn make_private(file: &Path) -> io::Result<()> {
    match File::options().create_new(true).write(true).mode(FILE_MODE).open(file) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::fs::Permissions;

    use rusqlite::Connection;

    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn what_is_made_is_its_owners_alone_also_what_sqlite_makes() {
        let above = tempfile::tempdir().unwrap();
        let folder = above.path().join("a/b");
        make_folder(&folder).unwrap();
        assert_eq!((mode(&folder), is_open_to_others(&folder)), (0o700, false));
        let path = folder.join("data.db");
        make_private(&path).unwrap();
        let connection = Connection::open(&path).unwrap();
        connection.execute_batch("PRAGMA journal_mode = WAL; CREATE TABLE t (n)").unwrap();
        for name in ["data.db", "data.db-wal", "data.db-shm"] {
            assert_eq!(mode(&folder.join(name)), 0o600, "{name}");
        }
    }

    #[test]
    fn what_is_there_stays_as_it_is() {
        let above = tempfile::tempdir().unwrap();
        let folder = above.path().join("wide");
        fs::create_dir(&folder).unwrap();
        fs::set_permissions(&folder, Permissions::from_mode(0o755)).unwrap();
        let path = folder.join("data.db");
        fs::write(&path, "").unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o640)).unwrap();
        make_folder(&folder).unwrap();
        make_private(&path).unwrap();
        assert_eq!((mode(&folder), is_open_to_others(&folder), mode(&path)), (0o755, true, 0o640));
    }
}
