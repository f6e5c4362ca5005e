//! The commands. Each reads from top to bottom as what it does.

pub(crate) mod bench_replay;
mod demo;
pub(crate) mod log_export;
mod observation;
pub(crate) mod replay;
mod resources;
mod ticker;
pub(crate) mod up;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

/// The name of the one file in a data folder.
const DATA_FILE: &str = "netqoe.db";

fn data_file(folder: &Path) -> PathBuf {
    folder.join(DATA_FILE)
}

/// The machine's clock, in Unix milliseconds.
fn now_ms() -> i64 {
    // A clock set before 1970 stands still at its beginning.
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX)
}

/// What gives `updated_at` to a store.
fn store_clock() -> netqoe_sinks::Clock {
    Arc::new(now_ms)
}

/// `config check`: whoever gets here has had every key and value read.
pub(crate) fn config_check() -> anyhow::Result<()> {
    println!("the configuration is understood");
    Ok(())
}
