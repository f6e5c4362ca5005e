//! The empty data folder that every PostgreSQL server starts with.
//!
//! `initdb` takes a second and more of CPU time, and tests start dozens of servers. So it runs once, and its folder is copied.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, ensure};

use crate::postgres::{USER, programs};
use crate::pypi::{downloads, succeeds};
use crate::server::{self, as_user};

/// Makes this folder, with an empty cluster of databases in it.
pub(crate) fn make_empty(data: &Path) -> anyhow::Result<()> {
    copy(&original()?, data)
}

/// The folder that all others are copies of. It is made if it is not there yet.
fn original() -> anyhow::Result<PathBuf> {
    let folder = downloads();
    std::fs::create_dir_all(&folder).with_context(|| format!("can't make {}", folder.display()))?;
    // Another version cannot read it.
    let version = version()?;
    let original = folder.join(format!("postgres-data-{version}"));
    // Many tests begin at once, in processes of their own. Only one of them makes it; the lock ends with the file.
    let lock = File::create(folder.join("postgres-data.lock"))?;
    lock.lock()?;
    if !original.is_dir() {
        let made = server::folder("initdb", Some(USER))?;
        initialize(&made.path().join("data"))?;
        // Copied aside, so that nobody takes a part of it for the whole.
        let aside = tempfile::tempdir_in(&folder)?;
        copy(&made.path().join("data"), &aside.path().join("data"))?;
        std::fs::rename(aside.path().join("data"), &original)?;
    }
    Ok(original)
}

fn initialize(data: &Path) -> anyhow::Result<()> {
    let made = as_user(Some(USER))
        .arg("--")
        .arg(programs()?.join("initdb"))
        .args(["--auth=trust", "--no-sync", "--encoding=UTF8", "--locale=C", "--username=postgres", "-D"])
        .arg(data)
        .current_dir("/")
        .stdout(Stdio::null())
        .status()
        .context("can't run initdb")?;
    ensure!(made.success(), "initdb failed");
    Ok(())
}

/// With owners and permissions, without which PostgreSQL does not start.
fn copy(from: &Path, to: &Path) -> anyhow::Result<()> {
    succeeds(Command::new("cp").args(["--archive", "--reflink=auto", "--"]).arg(from).arg(to))
}

/// Such as `15.18`.
fn version() -> anyhow::Result<String> {
    let said = Command::new(programs()?.join("postgres")).arg("--version").output().context("can't run postgres")?;
    let said = String::from_utf8(said.stdout)?;
    let number = said.split_whitespace().find(|word| word.starts_with(|first: char| first.is_ascii_digit()));
    Ok(number.with_context(|| format!("postgres does not say its version, but {said:?}"))?.to_owned())
}
