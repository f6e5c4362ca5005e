//! The commands. Each reads from top to bottom as what it does.

mod admin;
pub(crate) mod aggregate;
pub(crate) mod bench;
mod compressed;
mod dashboard;
mod dead_letters;
mod demo;
mod diff;
pub(crate) mod dlq;
pub(crate) mod doctor;
mod fixed_object;
pub(crate) mod heal_clock;
pub(crate) mod ingest;
mod jetstream;
mod log_clock;
pub(crate) mod log_export;
pub(crate) mod maintenance;
mod observation;
mod other_rules;
mod pipeline_view;
pub(crate) mod probe;
mod recent;
pub(crate) mod replay;
mod resources;
pub(crate) mod rules;
mod runtime;
mod starting;
pub(crate) mod supervise;
mod ticker;
pub(crate) mod up;

use std::path::{Path, PathBuf};

use crate::output;

/// The name of the one file in a data folder.
const DATA_FILE: &str = "netqoe.db";

fn data_file(folder: &Path) -> PathBuf {
    folder.join(DATA_FILE)
}

/// `config check`: whoever gets here has had every key and value read.
pub(crate) fn config_check() -> anyhow::Result<()> {
    output::line("the configuration is understood")?;
    Ok(())
}
