//! What `sha256sum --check` compares files with.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context;
use sha2::{Digest, Sha256};

/// Writes `SHA256SUMS` for these files, which are in this folder, and returns its path.
///
/// # Errors
/// Where a file can't be read or written.
pub fn checksums(files: &[PathBuf], folder: &Path) -> anyhow::Result<PathBuf> {
    let mut text = String::new();
    for file in files {
        let bytes = fs::read(file).with_context(|| format!("can't read {}", file.display()))?;
        let sum = Sha256::digest(&bytes).iter().fold(String::new(), |mut sum, byte| {
            let _ = write!(sum, "{byte:02x}");
            sum
        });
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        let _ = writeln!(text, "{sum}  {name}");
    }
    let path = folder.join("SHA256SUMS");
    fs::write(&path, text).with_context(|| format!("can't write {}", path.display()))?;
    Ok(path)
}
