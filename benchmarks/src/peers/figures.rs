//! What the runs took, as tables and as JSON.

use std::collections::BTreeMap;
use std::fmt::Write;

use serde::Serialize;

use super::engine::Engine;
use super::python::Cost;
use super::set::{Log, PeerSet};
use crate::options::BenchPeersOptions;

/// All that was measured, and how.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    netqoe: &'static str,
    debug_build: bool,
    cores: usize,
    versions: BTreeMap<String, String>,
    seed: u64,
    runs: usize,
    sets: Vec<OfSet>,
}

#[derive(Debug, Serialize)]
pub(super) struct OfSet {
    name: PeerSet,
    events: u64,
    pairs: u32,
    minutes: u32,
    bytes: u64,
    rows: usize,
    engines: Vec<OfEngine>,
}

/// The medians of an engine's runs.
#[derive(Debug, Serialize)]
pub(super) struct OfEngine {
    name: String,
    #[serde(skip)]
    engine: Engine,
    events_per_s: f64,
    /// To chDB's that writes CSV, where that was measured.
    ratio: Option<f64>,
    seconds: f64,
    cpu_seconds: f64,
    peak_memory_bytes: u64,
    /// Of each run, in their order.
    all_seconds: Vec<f64>,
    all_cpu_seconds: Vec<f64>,
}

impl Report {
    pub(super) fn new(options: &BenchPeersOptions, versions: BTreeMap<String, String>, sets: Vec<OfSet>) -> Self {
        Self {
            netqoe: env!("CARGO_PKG_VERSION"),
            debug_build: cfg!(debug_assertions),
            cores: std::thread::available_parallelism().map_or(0, Into::into),
            versions,
            seed: options.seed,
            runs: options.runs.get(),
            sets,
        }
    }

    /// A table for each set, and below what they were measured with.
    pub(super) fn tables(&self) -> String {
        let mut text = String::new();
        for set in &self.sets {
            text += &set.table();
            text.push('\n');
        }
        let versions = self.versions.iter().map(|(name, version)| format!(", {name} {version}"));
        let Self { netqoe, cores, runs, seed, .. } = self;
        text += "All have the same rows. ";
        text +=
            &format!("Medians of {runs}; {cores} cores; seed {seed}; netqoe {netqoe}{}.", versions.collect::<String>());
        text
    }
}

impl OfSet {
    pub(super) fn new(name: PeerSet, log: &Log, rows: usize, mut engines: Vec<OfEngine>) -> Self {
        let chdb = engines.iter().find(|of| of.engine == Engine::ChdbCsv).map(|of| of.events_per_s);
        for of in &mut engines {
            of.ratio = chdb.map(|chdb| of.events_per_s / chdb);
        }
        let (pairs, minutes) = (log.content.pairs, log.content.minutes);
        Self { name, events: log.lines, pairs, minutes, bytes: log.bytes, rows, engines }
    }

    fn table(&self) -> String {
        let Self { name, events, pairs, minutes, bytes, rows, engines } = self;
        let bytes_each = bytes / (*events).max(1);
        let mut text = format!(
            "## {}: {events} events of {bytes_each} bytes, {pairs} pairs, {minutes} minutes, {rows} rows\n\n\
             | | events/s | of chDB's, CSV | seconds | CPU seconds | peak memory |\n\
             | --- | --- | --- | --- | --- | --- |\n",
            name.as_str()
        );
        for of in engines {
            let OfEngine { name, events_per_s, seconds, cpu_seconds, .. } = of;
            let ratio = of.ratio.map_or("not measured".to_owned(), |ratio| format!("{ratio:.2}"));
            let memory = of.peak_memory_bytes / 1_000_000;
            // Writing to a text can't fail.
            let _ = writeln!(
                text,
                "| {name} | {events_per_s:.0} | {ratio} | {seconds:.2} | {cpu_seconds:.2} | {memory} MB |"
            );
        }
        text
    }
}

impl OfEngine {
    pub(super) fn new(engine: Engine, events: u64, costs: &[Cost]) -> Self {
        let all = |figure: fn(&Cost) -> f64| costs.iter().map(figure).collect::<Vec<_>>();
        let (all_seconds, all_cpu_seconds) = (all(|cost| cost.seconds), all(|cost| cost.cpu_seconds));
        let seconds = median(&all_seconds);
        Self {
            name: engine.to_string(),
            engine,
            events_per_s: events as f64 / seconds,
            ratio: None,
            seconds,
            cpu_seconds: median(&all_cpu_seconds),
            peak_memory_bytes: median(&all(|cost| cost.peak_memory_bytes as f64)) as u64,
            all_seconds,
            all_cpu_seconds,
        }
    }
}

/// Of an even number of figures the greater one of the two in the middle.
fn median(figures: &[f64]) -> f64 {
    let mut sorted = figures.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or(f64::NAN)
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use netqoe_simulator::RandomPairs;

    use super::*;

    fn engine(engine: Engine, seconds: [f64; 3]) -> OfEngine {
        let costs = seconds.map(|seconds| Cost { seconds, cpu_seconds: 2.0 * seconds, peak_memory_bytes: 150_000_000 });
        OfEngine::new(engine, 1_010, &costs)
    }

    fn set(engines: Vec<OfEngine>) -> OfSet {
        let content = RandomPairs { seed: 1, events: 1_000, pairs: 10, minutes: 20 };
        let log = Log { path: PathBuf::new(), content, lines: 1_010, bytes: 404_000 };
        OfSet::new(PeerSet::Small, &log, 200, engines)
    }

    #[test]
    fn a_table_shows_medians_and_what_they_are_of_those_of_chdb() {
        let set = set(vec![
            engine(Engine::Limit, [1.0, 9.0, 0.5]),
            engine(Engine::ChdbCsv, [2.0, 2.0, 2.0]),
            engine(Engine::Netqoe { workers: 2.try_into().unwrap() }, [4.0, 4.0, 5.0]),
        ]);
        let expected = "\
## small: 1010 events of 400 bytes, 10 pairs, 20 minutes, 200 rows

| | events/s | of chDB's, CSV | seconds | CPU seconds | peak memory |
| --- | --- | --- | --- | --- | --- |
| hand-written, one core, CSV | 1010 | 2.00 | 1.00 | 2.00 | 150 MB |
| chDB (ClickHouse), CSV | 505 | 1.00 | 2.00 | 4.00 | 150 MB |
| netqoe `-w 2`, SQLite | 252 | 0.50 | 4.00 | 8.00 | 150 MB |
";
        assert_eq!(set.table(), expected);
    }

    #[test]
    fn without_chdb_nothing_is_held_against_it() {
        let set = set(vec![engine(Engine::DuckDb, [1.0, 1.0, 1.0])]);
        assert!(set.table().contains("| DuckDB, CSV | 1010 | not measured | 1.00 |"), "{}", set.table());
    }
}
