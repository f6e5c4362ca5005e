//! Who does the job, and how each is asked for it.

use std::fmt;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context;

use super::python::{Cost, Python, succeeds};
use crate::options::{BenchPeersOptions, PeerEngine};

/// Each is a process of its own, with the settings that it has by default.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Engine {
    /// `netqoe bench limit`.
    Limit,
    ChdbCsv,
    ChdbTable,
    DuckDb,
    Netqoe {
        workers: NonZeroUsize,
    },
}

impl Engine {
    /// All that are asked for, the limit first.
    pub(super) fn all(options: &BenchPeersOptions) -> Vec<Self> {
        let mut engines = vec![Self::Limit];
        for engine in &options.engines {
            match engine {
                PeerEngine::Chdb => engines.extend([Self::ChdbCsv, Self::ChdbTable]),
                PeerEngine::Duckdb => engines.push(Self::DuckDb),
                PeerEngine::Netqoe => engines.extend(options.workers.iter().map(|&workers| Self::Netqoe { workers })),
            }
        }
        engines
    }

    /// Does the job, and leaves what came of it in this folder, which is empty.
    pub(super) fn run(self, python: &Python, input: &Path, folder: &Path) -> anyhow::Result<Cost> {
        let (rows, table) = (folder.join(ROWS), folder.join(TABLE));
        let mut command = match self {
            Self::ChdbCsv | Self::ChdbTable => python.script("chdb_rows.py"),
            Self::DuckDb => python.script("duckdb_rows.py"),
            Self::Limit | Self::Netqoe { .. } => {
                Command::new(std::env::current_exe().context("can't find this program")?)
            }
        };
        match self {
            Self::Limit => command.args(["bench", "limit", "--input"]).arg(input).arg("--output").arg(rows),
            Self::ChdbCsv => command.arg("csv").args([input, &rows]),
            Self::ChdbTable => command.arg("table").args([input, &table]),
            Self::DuckDb => command.args([input, &rows]),
            Self::Netqoe { workers } => command
                .args(["replay", "-w", &workers.to_string(), "--store", &format!("sqlite:{}", table.display())])
                .arg("--input")
                .arg(input),
        };
        python.measure(&command, folder).with_context(|| format!("the run of {self} failed"))
    }

    /// The rows of a run as CSV, in the folder of the run. What this takes is not measured.
    pub(super) fn rows(self, python: &Python, folder: &Path) -> anyhow::Result<PathBuf> {
        let (rows, table) = (folder.join(ROWS), folder.join(TABLE));
        let export = match self {
            Self::Limit | Self::ChdbCsv | Self::DuckDb => None,
            Self::ChdbTable => Some(("chdb_rows.py", &["export"][..])),
            Self::Netqoe { .. } => Some(("store_rows.py", &[][..])),
        };
        if let Some((script, arguments)) = export {
            let mut command = python.script(script);
            succeeds(command.args(arguments).args([&table, &rows]))
                .with_context(|| format!("can't read the rows of {self}"))?;
        }
        Ok(rows)
    }
}

/// What a run leaves in its folder.
const ROWS: &str = "rows.csv";
const TABLE: &str = "table";

impl fmt::Display for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Limit => f.write_str("hand-written, one core, CSV"),
            Self::ChdbCsv => f.write_str("chDB (ClickHouse), CSV"),
            Self::ChdbTable => f.write_str("chDB, MergeTree table"),
            Self::DuckDb => f.write_str("DuckDB, CSV"),
            Self::Netqoe { workers } => write!(f, "netqoe `-w {workers}`, SQLite"),
        }
    }
}
