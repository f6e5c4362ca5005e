//! `netqoe backup` and `netqoe restore`: a copy of the data file, taken while `up` goes on, and put back.

use std::fs::File;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use netqoe_datafile::{make_folder, make_private};
use netqoe_eventlog::SqliteLog;
use rusqlite::{Connection, OpenFlags};

use super::{data_file, doctor};
use crate::options::{BackupOptions, RestoreOptions};
use crate::output;

/// How long a lock of the file is waited for: `up` holds it for moments only.
const BUSY: Duration = Duration::from_secs(30);

pub(crate) fn backup(options: &BackupOptions) -> anyhow::Result<()> {
    let from = data_file(&options.data);
    let records = copy(&from, &options.to)?;
    output::own_line(format_args!("{}: {records} records of the event log, checked", options.to.display()))?;
    Ok(())
}

pub(crate) fn restore(options: &RestoreOptions) -> anyhow::Result<()> {
    let to = data_file(&options.data);
    if to.exists() {
        bail!("{} exists: restore into another folder, or move the file away together with its -wal", to.display());
    }
    make_folder(&options.data).with_context(|| format!("can't create {}", options.data.display()))?;
    let records = copy(&options.from, &to)?;
    output::own_line(format_args!(
        "{}: {records} records of the event log, checked; `netqoe up --data {}` goes on from there",
        to.display(),
        options.data.display()
    ))?;
    Ok(())
}

/// Copies a data file as it is at one moment, and checks the copy. It has its name only once it is whole and on the disk.
/// Answers the records of its log.
fn copy(from: &Path, to: &Path) -> anyhow::Result<u64> {
    ensure!(from.is_file(), "there is no data file at {}", from.display());
    ensure!(!to.exists(), "{} exists: choose another name", to.display());
    // Beside the copy, so that it is on the same disk.
    let unfinished = to.with_added_extension("unfinished");
    if unfinished.exists() {
        std::fs::remove_file(&unfinished)
            .with_context(|| format!("can't remove {}, which another copy has left", unfinished.display()))?;
    }
    let copied = copy_to(from, &unfinished)
        .and_then(|records| std::fs::rename(&unfinished, to).map(|()| records).context("can't rename it"));
    copied
        .inspect_err(|_| _ = std::fs::remove_file(&unfinished))
        .with_context(|| format!("can't copy {} to {}", from.display(), to.display()))
}

fn copy_to(from: &Path, to: &Path) -> anyhow::Result<u64> {
    make_private(to).with_context(|| format!("can't create {}", to.display()))?;
    let Some(name) = to.to_str() else { bail!("{} is no UTF-8, which SQLite needs", to.display()) };
    // One transaction that reads: `up` goes on writing beside it. The copy is compact, and needs no -wal.
    let source =
        Connection::open_with_flags(from, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    source.busy_timeout(BUSY)?;
    source.execute("VACUUM INTO ?1", [name])?;
    drop(source);
    File::open(to)?.sync_all()?;
    let inspection = SqliteLog::inspect(to)?;
    let is_whole = doctor::found(&inspection).is_empty();
    ensure!(is_whole, "the log in it is damaged: `netqoe doctor --data {}` says where", folder(from).display());
    Ok(inspection.findings.records)
}

fn folder(file: &Path) -> &Path {
    file.parent().unwrap_or(Path::new("."))
}
