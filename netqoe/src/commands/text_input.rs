//! History as text: a file, plain or compressed, or standard input.

use std::fs::File;
use std::io::{IsTerminal, Read, stdin};
use std::path::Path;

use anyhow::Context;

use crate::output;

const STANDARD_INPUT: &str = "-";

/// The input as text, with the length of that where it is known.
pub(super) fn open(path: &Path) -> anyhow::Result<(Box<dyn Read + Send>, Option<u64>)> {
    let (file, bytes) = open_file(path)?;
    let decompressed = netqoe_eventlog::decompressed(file).with_context(|| format!("can't read {}", path.display()));
    let (text, is_compressed) = decompressed?;
    Ok((text, bytes.filter(|_| !is_compressed)))
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
