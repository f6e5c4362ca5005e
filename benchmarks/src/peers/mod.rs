//! `netqoe bench peers`: what netqoe takes to turn a log into rows, beside DuckDB, ClickHouse and what one core can do at most.
//!
//! All read the same file and are measured in the same way, in turn. A figure counts only if the rows behind it are right, so those of every run are
//! compared, and one difference ends the bench.

mod engine;
mod figures;
mod python;
mod rows;
mod set;

use std::path::Path;

use anyhow::{Context, ensure};

use self::engine::Engine;
use self::figures::{OfEngine, OfSet, Report};
use self::python::Python;
use self::rows::{Rows, compare};
use self::set::Log;
use crate::options::{BenchPeersOptions, PeerEngine};
use crate::output;

pub(crate) use self::set::PeerSet;

/// Differences that are shown; the rest is counted.
const SHOWN_DIFFERENCES: usize = 10;

pub(crate) fn run(options: &BenchPeersOptions) -> anyhow::Result<()> {
    let python = Python::find(&options.python)?;
    let needs_packages = options.engines.iter().any(|engine| *engine != PeerEngine::Netqoe);
    let versions = if needs_packages { python.versions()? } else { Default::default() };
    let sets = options.sets.iter().map(|set| measure(*set, options, &python));
    let report = Report::new(options, versions, sets.collect::<anyhow::Result<_>>()?);
    if options.json {
        return Ok(output::line(serde_json::to_string_pretty(&report)?)?);
    }
    output::line(report.tables())?;
    Ok(output::caution_of_debug_build()?)
}

fn measure(set: PeerSet, options: &BenchPeersOptions, python: &Python) -> anyhow::Result<OfSet> {
    let folder = tempfile::tempdir().context("can't make a temporary folder")?;
    let log = Log::write(set, options, &folder.path().join("events.ndjson"))?;
    let mut engines: Vec<_> = Engine::all(options).into_iter().map(|engine| (engine, Vec::new())).collect();
    let mut expected = None;
    for _ in 0..options.runs.get() {
        for (engine, costs) in &mut engines {
            let folder = tempfile::tempdir_in(folder.path()).context("can't make a temporary folder")?;
            costs.push(engine.run(python, &log.path, folder.path())?);
            let rows = rows_of(*engine, python, folder.path())?;
            match &expected {
                Some(expected) => check(*engine, expected, &rows)?,
                // The limit comes first: it is the one that can be read.
                None => expected = Some(rows),
            }
        }
    }
    let rows = expected.map_or(0, |rows| rows.count());
    let engines = engines.into_iter().map(|(engine, costs)| OfEngine::new(engine, log.lines, &costs));
    Ok(OfSet::new(set, &log, rows, engines.collect()))
}

fn rows_of(engine: Engine, python: &Python, folder: &Path) -> anyhow::Result<Rows> {
    let path = engine.rows(python, folder)?;
    let text = std::fs::read_to_string(&path).with_context(|| format!("can't read the rows of {engine}"))?;
    Rows::parse(text).with_context(|| format!("what {engine} has written is no table of rows"))
}

fn check(engine: Engine, expected: &Rows, rows: &Rows) -> anyhow::Result<()> {
    let differences = compare(expected, rows, SHOWN_DIFFERENCES);
    for difference in &differences.shown {
        tracing::error!("{engine}: {difference}");
    }
    let count = differences.count;
    ensure!(
        count == 0,
        "{engine} has other rows than {}, in {count} places, the first of which are above",
        Engine::Limit
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_row_ends_the_bench() {
        let rows = |client| Rows::parse(format!("{client},t,60000,1,0,0,0,0,0,1,1,2,2,3,3,4,4,5,5\n")).unwrap();
        check(Engine::DuckDb, &rows("a"), &rows("a")).unwrap();
        let error = check(Engine::DuckDb, &rows("a"), &rows("b")).unwrap_err().to_string();
        assert!(
            error.starts_with("DuckDB, CSV has other rows than hand-written, one core, CSV, in 2 places"),
            "{error}"
        );
    }
}
