//! History as text: a file, plain or compressed, or standard input.

use std::fs::File;
use std::io::{self, IsTerminal, Read, Write, stdin};
use std::path::{Path, PathBuf};

use anyhow::Context;
use tempfile::NamedTempFile;

use crate::output;

const STANDARD_INPUT: &str = "-";

/// The input as text, with the length of that where it is known.
pub(super) fn open(path: &Path) -> anyhow::Result<(Box<dyn Read + Send>, Option<u64>)> {
    let (file, bytes) = open_file(path)?;
    let decompressed = netqoe_eventlog::decompressed(file).with_context(|| format!("can't read {}", path.display()));
    let (text, is_compressed) = decompressed?;
    Ok((text, bytes.filter(|_| !is_compressed)))
}

/// Text that can be read more than once.
pub(super) enum Reopened {
    File(PathBuf),
    /// Removed when dropped.
    Copy(NamedTempFile),
}

impl Reopened {
    /// That of a file, or a copy of what can be read once only.
    pub(super) fn of(path: &Path) -> anyhow::Result<Self> {
        if path.as_os_str() != STANDARD_INPUT && path.metadata().is_ok_and(|metadata| metadata.is_file()) {
            return Ok(Self::File(path.to_owned()));
        }
        let (mut text, _) = open(path)?;
        Self::copy(|copy| io::copy(&mut text, copy).map(drop).with_context(|| format!("can't copy {}", path.display())))
    }

    /// What `write` writes.
    pub(super) fn copy(write: impl FnOnce(&mut dyn Write) -> anyhow::Result<()>) -> anyhow::Result<Self> {
        let mut copy =
            NamedTempFile::new().context("can't make a temporary file; TMPDIR names another folder for it")?;
        write(&mut copy)?;
        Ok(Self::Copy(copy))
    }

    /// The text from its beginning, with its length where that is known.
    pub(super) fn open(&self) -> anyhow::Result<(Box<dyn Read + Send>, Option<u64>)> {
        match self {
            Self::File(path) => open(path),
            Self::Copy(copy) => {
                let again = copy.reopen().context("can't read the temporary file")?;
                let bytes = again.metadata().context("can't read the temporary file")?.len();
                Ok((Box::new(again), Some(bytes)))
            }
        }
    }
}

fn open_file(path: &Path) -> anyhow::Result<(Box<dyn Read + Send>, Option<u64>)> {
    if path.as_os_str() == STANDARD_INPUT {
        if stdin().is_terminal() {
            output::complain(
                "reading events from standard input, one JSON object a line, until Ctrl-D; --help says how to name a file",
            );
        }
        return Ok((Box::new(stdin()), None));
    }
    let cant_read = || format!("can't read {}", path.display());
    let file = File::open(path).with_context(cant_read)?;
    let metadata = file.metadata().with_context(cant_read)?;
    anyhow::ensure!(
        !metadata.is_dir(),
        "can't read {}: it is a folder; give a file, or - for standard input",
        path.display()
    );
    Ok((Box::new(file), metadata.is_file().then_some(metadata.len())))
}
