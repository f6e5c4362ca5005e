//! Where tests keep their files: in memory, if the machine has room there.
//!
//! A test kills processes, not the machine, and files outlive a process in memory as well. On a disk each of thousands of
//! transactions waits until its bytes are safe from a loss of power that no test causes.
//!
//! Decision: D-080.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use anyhow::Context;
use tempfile::TempDir;

/// A file system in memory, on Linux.
const IN_MEMORY: &str = "/dev/shm";
/// All tests at a time have used 4 GB at most. Containers often have 64 MB there.
const LEAST_FREE_BYTES: u64 = 6 << 30;

/// A folder in memory, for the files of this process and of those that it starts. It is removed when dropped.
pub(crate) struct Scratch(Option<TempDir>);

impl Scratch {
    /// Temporary files of this process lie there from now on.
    pub(crate) fn make() -> anyhow::Result<Self> {
        if !has_room(Path::new(IN_MEMORY)) {
            return Ok(Self(None));
        }
        let folder = tempfile::Builder::new().prefix("netqoe-tests-").tempdir_in(IN_MEMORY);
        let folder = folder.with_context(|| format!("can't make a folder in {IN_MEMORY}"))?;
        // PostgreSQL runs as another user.
        std::fs::set_permissions(folder.path(), Permissions::from_mode(0o755))?;
        tempfile::env::override_temp_dir(folder.path()).ok().context("temporary files have a folder already")?;
        Ok(Self(Some(folder)))
    }

    /// The variable that tells other processes of it.
    pub(crate) fn variable(&self) -> Option<(&'static str, String)> {
        self.0.as_ref().map(|folder| ("TMPDIR", folder.path().display().to_string()))
    }
}

/// Whether enough is free there.
fn has_room(folder: &Path) -> bool {
    let disk = rustix::fs::statvfs(folder);
    disk.is_ok_and(|disk| disk.f_bavail.saturating_mul(disk.f_frsize) >= LEAST_FREE_BYTES)
}
