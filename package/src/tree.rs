//! Files with their modes, as they are to be installed.

use std::collections::BTreeMap;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use anyhow::Context;

const PROGRAM: u32 = 0o755;
const FILE: u32 = 0o644;
const FOLDER: u32 = 0o755;

/// Files by their paths.
#[derive(Debug, Default)]
pub(crate) struct Tree(BTreeMap<String, Entry>);

#[derive(Debug)]
struct Entry {
    content: Content,
    mode: u32,
}

#[derive(Debug)]
enum Content {
    Text(Vec<u8>),
    CopyOf(PathBuf),
}

impl Tree {
    pub(crate) fn file(&mut self, path: impl Into<String>, content: impl Into<Vec<u8>>) {
        self.0.insert(path.into(), Entry { content: Content::Text(content.into()), mode: FILE });
    }

    pub(crate) fn script(&mut self, path: impl Into<String>, content: impl Into<Vec<u8>>) {
        self.0.insert(path.into(), Entry { content: Content::Text(content.into()), mode: PROGRAM });
    }

    pub(crate) fn program(&mut self, path: impl Into<String>, program: &Path) {
        self.0.insert(path.into(), Entry { content: Content::CopyOf(program.to_owned()), mode: PROGRAM });
    }

    /// Writes it below `root`, whatever the umask is. Returns how many bytes that are.
    pub(crate) fn write(&self, root: &Path) -> anyhow::Result<u64> {
        let mut bytes = 0;
        for (path, Entry { content, mode }) in &self.0 {
            let path = root.join(path);
            make_folders(root, &path)?;
            let written = match content {
                Content::Text(text) => fs::write(&path, text).map(|()| text.len() as u64),
                Content::CopyOf(program) => fs::copy(program, &path),
            };
            bytes += written.with_context(|| format!("can't write {}", path.display()))?;
            fs::set_permissions(&path, Permissions::from_mode(*mode))?;
        }
        Ok(bytes)
    }
}

fn make_folders(root: &Path, file: &Path) -> anyhow::Result<()> {
    let above = file.ancestors().skip(1).take_while(|folder| folder.starts_with(root));
    let above: Vec<_> = above.collect();
    for folder in above.into_iter().rev() {
        fs::create_dir_all(folder).with_context(|| format!("can't make {}", folder.display()))?;
        fs::set_permissions(folder, Permissions::from_mode(FOLDER))?;
    }
    Ok(())
}
