//! `netqoe bench replay`: how fast, and at what cost, events become rows.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::num::{NonZeroU32, NonZeroUsize};
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, ensure};
use netqoe_simulator::Scenario;
use serde::Deserialize;

use crate::options::BenchReplayOptions;
use crate::output;

/// A fleet of moderate size: 5,000 pairs.
const CLIENTS: u32 = 500;
const TARGETS: u32 = 10;

/// What `netqoe replay` prints, as far as it is compared here.
#[derive(Clone, Deserialize)]
struct Figures {
    read: u64,
    rows: u64,
    seconds: f64,
    events_per_s: f64,
    cpu_seconds: Option<f64>,
    peak_memory_bytes: Option<u64>,
}

pub(crate) fn run(options: &BenchReplayOptions) -> anyhow::Result<()> {
    let folder = tempfile::tempdir().context("can't make a temporary folder")?;
    output::line(
        "| measurements a minute | workers | events | rows | seconds | events/s | CPU seconds | peak memory |",
    )?;
    output::line("| --- | --- | --- | --- | --- | --- | --- | --- |")?;
    for &per_minute in &options.per_minute {
        let input = folder.path().join("events.ndjson");
        generate(options, per_minute, &input)?;
        compare(options, per_minute, &input, folder.path())?;
    }
    Ok(())
}

/// A row of the table for each number of workers.
fn compare(options: &BenchReplayOptions, per_minute: NonZeroU32, input: &Path, folder: &Path) -> anyhow::Result<()> {
    for &workers in &options.workers {
        let figures =
            (0..options.runs.get()).map(|run| replay(input, &folder.join(format!("{workers}-{run}.db")), workers));
        let mut figures = figures.collect::<anyhow::Result<Vec<_>>>()?;
        figures.sort_by(|a, b| a.seconds.total_cmp(&b.seconds));
        let Figures { read, rows, seconds, events_per_s, cpu_seconds, peak_memory_bytes } =
            figures[figures.len() / 2].clone();
        let cpu = cpu_seconds.map_or("unknown".to_owned(), |cpu| format!("{cpu:.2}"));
        let memory = peak_memory_bytes.map_or("unknown".to_owned(), |bytes| format!("{} MB", bytes / 1_000_000));
        output::line(format_args!(
            "| {per_minute} | {workers} | {read} | {rows} | {seconds:.2} | {events_per_s:.0} | {cpu} | {memory} |"
        ))?;
    }
    Ok(())
}

/// About as many events as asked for, in whole minutes.
fn generate(options: &BenchReplayOptions, per_minute: NonZeroU32, path: &Path) -> anyhow::Result<()> {
    let a_minute = u64::from(CLIENTS * TARGETS) * u64::from(per_minute.get());
    let minutes = u32::try_from(options.events.div_ceil(a_minute)).context("too many events; ask for fewer")?;
    let scenario = Scenario {
        seed: options.seed,
        clients: CLIENTS,
        targets: TARGETS,
        minutes,
        per_minute: per_minute.get(),
        ..Scenario::default()
    };
    let cant_write = || format!("can't write {}", path.display());
    let mut out = BufWriter::new(File::create(path).with_context(cant_write)?);
    scenario.write_to(&mut out).with_context(cant_write)?;
    out.flush().with_context(cant_write)?;
    // Or the replay would wait for the disk, to which this file is still on its way.
    out.get_ref().sync_all().with_context(cant_write)
}

/// A process of its own, so that its CPU time and its memory are the replay's alone.
fn replay(input: &Path, store: &Path, workers: NonZeroUsize) -> anyhow::Result<Figures> {
    let program = std::env::current_exe().context("can't find this program")?;
    let output = Command::new(program)
        .args(["replay", "-w", &workers.to_string(), "--store", &format!("sqlite:{}", store.display()), "--input"])
        .arg(input)
        .stderr(Stdio::inherit())
        .output()
        .context("can't start the replay")?;
    ensure!(output.status.success(), "the replay failed");
    std::fs::remove_file(store).context("can't remove the store that the replay made")?;
    serde_json::from_slice(&output.stdout).context("the replay's figures can't be read")
}
