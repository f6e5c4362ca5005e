//! Whether the files that are written are those that their paths name. A file that was deleted goes on taking what is
//! written to it, and gives it back to nobody.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use parking_lot::Mutex;

/// A file, whatever it is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct FileId {
    device: u64,
    inode: u64,
}

impl FileId {
    fn of(path: &Path) -> Option<Self> {
        fs::metadata(path).ok().map(|found| Self { device: found.dev(), inode: found.ino() })
    }
}

/// The data file and what SQLite keeps beside it, which hold the log together.
pub(super) struct Files {
    data: (PathBuf, Option<FileId>),
    /// They are there from the first use of the file on, and stay for as long as it is open.
    beside: Mutex<Vec<(PathBuf, Option<FileId>)>>,
}

impl Files {
    /// Of the data file of this name, which was just opened.
    pub(super) fn opened(path: &Path) -> Self {
        let real = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        let beside = ["-wal", "-shm"].map(|ending| (with_ending(&real, ending), None));
        Self { data: (path.to_owned(), FileId::of(path)), beside: Mutex::new(beside.into()) }
    }

    /// The file that is not at its path any more.
    pub(super) fn missing(&self) -> Option<PathBuf> {
        let (path, opened) = &self.data;
        if FileId::of(path) != *opened {
            return Some(path.clone());
        }
        let mut beside = self.beside.lock();
        for (path, seen) in beside.iter_mut() {
            let found = FileId::of(path);
            if seen.is_some() && found != *seen {
                return Some(path.clone());
            }
            *seen = found;
        }
        None
    }
}

/// The path of the file that a data file has under another ending.
pub(super) fn with_ending(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use tempfile::TempDir;

    use super::*;

    struct Folder {
        _root: TempDir,
        folder: PathBuf,
        path: PathBuf,
    }

    /// A data file with a write-ahead log that was seen.
    fn opened(link: bool) -> (Folder, Files) {
        let root = TempDir::new().unwrap();
        let folder = root.path().join("data");
        fs::create_dir(&folder).unwrap();
        let file = folder.join("netqoe.db");
        fs::write(&file, "data").unwrap();
        fs::write(with_ending(&file, "-wal"), "wal").unwrap();
        let path = if link { root.path().join("link.db") } else { file.clone() };
        if link {
            symlink(&file, &path).unwrap();
        }
        let files = Files::opened(&path);
        assert_eq!(files.missing(), None);
        (Folder { _root: root, folder, path }, files)
    }

    #[test]
    fn a_file_that_is_gone_moved_or_replaced_is_missing() {
        type Change = fn(&Folder);
        let changes: [(Change, &str); 5] = [
            (|at| fs::remove_file(at.folder.join("netqoe.db")).unwrap(), "deleted"),
            (|at| fs::remove_dir_all(&at.folder).unwrap(), "with its folder"),
            (|at| fs::rename(&at.folder, at.folder.with_extension("old")).unwrap(), "folder renamed"),
            (|at| fs::rename(at.folder.join("netqoe.db-wal"), at.folder.join("netqoe.db")).unwrap(), "replaced"),
            (|at| fs::remove_file(at.folder.join("netqoe.db-wal")).unwrap(), "its write-ahead log"),
        ];
        for link in [false, true] {
            for (change, what) in &changes {
                let (at, files) = opened(link);
                change(&at);
                assert!(files.missing().is_some(), "{what}, link: {link}");
            }
        }
    }

    #[test]
    fn a_link_that_names_another_file_is_told() {
        let (at, files) = opened(true);
        fs::remove_file(&at.path).unwrap();
        fs::write(at.folder.join("other.db"), "data").unwrap();
        symlink(at.folder.join("other.db"), &at.path).unwrap();
        assert_eq!(files.missing(), Some(at.path));
    }

    #[test]
    fn a_folder_that_comes_back_is_the_same() {
        let (at, files) = opened(false);
        let aside = at.folder.with_extension("old");
        fs::rename(&at.folder, &aside).unwrap();
        assert_eq!(files.missing(), Some(at.path.clone()));
        fs::rename(&aside, &at.folder).unwrap();
        assert_eq!(files.missing(), None);
    }
}
