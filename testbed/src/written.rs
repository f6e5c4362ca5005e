//! Pages that are written from the program, and committed.

use std::path::Path;

use anyhow::{Context, ensure};

/// Whether a page is what the program makes of it now. Where this variable is set, the page is written first.
///
/// # Errors
/// The first line that differs, and how the page is written anew.
pub fn is_as_written(page: &Path, made: &str, variable: &str) -> anyhow::Result<()> {
    let shown = page.display();
    if std::env::var_os(variable).is_some() {
        std::fs::write(page, made).with_context(|| format!("can't write {shown}"))?;
    }
    let written = std::fs::read_to_string(page).unwrap_or_default();
    let differs = made.lines().zip(written.lines()).find(|(made, written)| made != written);
    ensure!(written == made, "{shown} is not what the program says; write it anew with {variable}=1: {differs:?}");
    Ok(())
}
