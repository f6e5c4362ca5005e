//! Tables on standard output.

use std::fmt::Display;
use std::io::{self, Write};

/// Standard output does not take a table: nobody reads it any more, or its disk is full.
#[derive(Debug, thiserror::Error)]
#[error("can't write to standard output: {0}")]
pub struct OutputError(#[from] pub io::Error);

/// A line, or several. Nothing in them was written by others.
pub(crate) fn line(line: impl Display) -> Result<(), OutputError> {
    let mut output = io::stdout().lock();
    output.write_all(format!("{line}\n").as_bytes())?;
    Ok(output.flush()?)
}

/// Says below a table that its figures are those of a debug build.
pub(crate) fn caution_of_debug_build() -> Result<(), OutputError> {
    if cfg!(debug_assertions) {
        line("\nnetqoe was built without optimization: its figures say nothing of a release.")?;
    }
    Ok(())
}
