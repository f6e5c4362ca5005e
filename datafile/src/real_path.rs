//! One name for each file, whichever name it is opened by: a lock by name must hold for all names.

use std::fs;
use std::path::{Path, PathBuf};

/// Links that are followed one after the other, as many as the system follows.
const MAX_LINKS: usize = 40;

/// Where the file really is, also where it is still to be made: links are followed, as SQLite follows them.
pub fn real_path(file: &Path) -> PathBuf {
    let mut path = file.to_owned();
    for _ in 0..MAX_LINKS {
        let Ok(target) = fs::read_link(&path) else { break };
        // A link that is not absolute begins where it is.
        path = path.parent().map_or(target.clone(), |folder| folder.join(&target));
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    match (fs::canonicalize(folder), path.file_name()) {
        (Ok(folder), Some(name)) => folder.join(name),
        _ => path,
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn a_file_has_one_name_before_and_after_it_is_made() {
        let folder = tempfile::tempdir().unwrap();
        let root = fs::canonicalize(folder.path()).unwrap();
        fs::create_dir(root.join("data")).unwrap();
        let file = root.join("data/netqoe.db");
        symlink("data/netqoe.db", root.join("link.db")).unwrap();
        symlink(root.join("link.db"), root.join("data/link-of-a-link.db")).unwrap();
        symlink("data", root.join("linked-folder")).unwrap();
        for made in [false, true] {
            if made {
                fs::write(&file, "").unwrap();
            }
            for name in
                ["data/netqoe.db", "link.db", "data/link-of-a-link.db", "linked-folder/netqoe.db", "data/../link.db"]
            {
                assert_eq!(real_path(&root.join(name)), file, "{name}");
            }
        }
    }

    #[test]
    fn a_circle_of_links_has_an_end() {
        let folder = tempfile::tempdir().unwrap();
        symlink("b", folder.path().join("a")).unwrap();
        symlink("a", folder.path().join("b")).unwrap();
        real_path(&folder.path().join("a"));
    }
}
