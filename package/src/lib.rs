//! netqoe as it is installed: a Debian package, and a tarball of the same files. Manual pages and completions are written by the program
//! that is packaged; units, configuration and scripts are those of `deploy/`.
//!
//! Nothing here builds netqoe. `cargo xtask dist` does so, and tests pack the program that they were built with.
//!
//! Decision: D-102.

mod archive;
mod checksums;
mod command;
mod content;
mod debian;
mod layout;
mod libraries;
mod licences;
mod tree;

use std::path::{Path, PathBuf};

pub use archive::tarball;
pub use checksums::checksums;
pub use debian::{Compression, deb};
pub use licences::{Modules, licences};

/// What is packed.
#[derive(Clone, Debug)]
pub struct Release {
    /// The program.
    pub program: PathBuf,
    /// Its version, as Cargo.toml has it.
    pub version: String,
    /// When it was committed, in Unix seconds. All files get this time, so that the same sources and the same program make the same
    /// package.
    pub committed_s: u64,
    /// The licences of the libraries in it.
    pub licences: String,
}

/// The root of the repository.
fn sources() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}
