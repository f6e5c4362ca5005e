//! Who may read a file: nobody but the user that netqoe runs as. Tokens protect the same events over HTTP.
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
/// All of the bits that say who may do what.
const PERMISSIONS: u32 = 0o777;
/// The bits by which others than the owner may do something.
const OTHERS: u32 = 0o077;

/// What is said of a folder that others may look into.
pub const OPEN_TO_OTHERS: &str = "other users of this machine may look into the data folder, and read there what tokens \
    protect over HTTP; chmod 700 closes it";

/// Makes a folder, and those above it, that only its owner may look into. One that is there stays as it is: who may
/// look into it was somebody's decision.
///
/// # Errors
/// What the system says.
pub fn make_folder(folder: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(FOLDER_MODE).create(folder)
}

/// Whether others than its owner may look into a folder that is there.
pub fn is_open_to_others(folder: &Path) -> bool {
    open_mode(folder).is_ok_and(|mode| mode.is_some())
}

/// The permissions of a file or folder that others than its owner may do something with; none where they may not.
///
/// # Errors
/// Where nothing is there, or the system does not say.
pub fn open_mode(path: &Path) -> io::Result<Option<u32>> {
    let mode = fs::metadata(path)?.permissions().mode() & PERMISSIONS;
    Ok((mode & OTHERS != 0).then_some(mode))
}

/// Makes a file that only its owner may read and write, so that SQLite finds it and gives what it keeps beside it the
/// same permissions. One that is there stays as it is: who opened it to others, such as to a program that shows it, did so
/// on purpose.
///
/// # Errors
/// Where the file is not there and can't be made.
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
