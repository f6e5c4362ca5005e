//! `netqoe replay`: the dataflow over a file of history, into a store.

use std::fs::File;
use std::io::{BufWriter, IsTerminal, Read, stdin};
use std::path::Path;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow, ensure};
use indicatif::{ProgressBar, ProgressStyle};
use netqoe_model::{DEFAULT_PARTITIONS, LogIdentity, Rules};
use netqoe_pipeline::{MeasuredStore, OpenedStore, Patience, Replay, Totals};
use netqoe_sinks::read::{self, Compared, PostgresReader, Reader, SqliteReader};
use netqoe_sinks::{PostgresOptions, Store, StoreUrl};
use serde_json::json;
use tokio::runtime::Runtime;

use super::runtime::request_threads;
use super::{other_rules, process_name, resources};
use crate::clock::store_clock;
use crate::options::ReplayOptions;
use crate::output;

/// What the progress of a replay is kept under: no live log has this name, so a live store is never mistaken for one.
const REPLAYED_LOG: &str = "ndjson";
const STANDARD_INPUT: &str = "-";
/// What Linux lets a pipe hold: larger writes would only wait.
const PIPE_BYTES: usize = 64 << 10;

pub(crate) fn run(options: &ReplayOptions) -> anyhow::Result<()> {
    options.history.check()?;
    let rules = options.rules.rules();
    if let Some(live) = &options.history.diff {
        let runtime = request_threads()?;
        other_rules::warn(live, &*reader(live, &options.database.postgres(), &runtime)?, &rules)?;
    }
    let History { input, bytes, reading } = history(options, &rules)?;
    let progress = progress_bar(bytes);
    let started = Instant::now();
    let store = options.store.connect_for_replay(&options.database.postgres(), store_clock())?;
    let totals = replay(input, store, options, rules, &progress)?;
    progress.finish_and_clear();
    if let Some(reading) = reading {
        // Where the replay came to its end, so did the reading: only how is left to be heard.
        reading.join().map_err(|_| anyhow!("reading the log panicked"))??;
    }
    let seconds = started.elapsed().as_secs_f64();
    let events = totals.events;
    output::line(json!({
        "read": events.read, "accepted": events.accepted, "duplicate": events.duplicate, "late": events.late,
        "invalid": events.invalid, "rows": totals.rows, "seconds": (seconds * 1000.0).round() / 1000.0,
        "events_per_s": (events.read as f64 / seconds).round(), "cpu_seconds": resources::cpu_seconds(),
        "peak_memory_bytes": resources::peak_memory_bytes(),
    }))?;
    match &options.history.diff {
        Some(live) => compare(options, live),
        None => Ok(()),
    }
}

/// Fails where a row differs from what `live` has.
fn compare(options: &ReplayOptions, live: &StoreUrl) -> anyhow::Result<()> {
    let (postgres, runtime) = (options.database.postgres(), request_threads()?);
    let (ours, theirs) = (reader(&options.store, &postgres, &runtime)?, reader(live, &postgres, &runtime)?);
    let print = |difference| -> anyhow::Result<()> { Ok(output::line(difference)?) };
    let compared = read::compare(&*ours, &*theirs, &options.history.windows(), print)?;
    let Compared { equal, network_unknown, different, not_final } = compared;
    output::line(json!({
        "live": live.to_string(), "equal": equal, "network_unknown": network_unknown, "different": different,
        "not_final": not_final,
    }))?;
    if equal + different == 0 {
        tracing::warn!("no row was final in both stores: nothing was compared");
    }
    ensure!(different == 0, "{different} rows differ from those of {live}; see that both were made by the same rules");
    Ok(())
}

/// What reads a store.
fn reader(url: &StoreUrl, options: &PostgresOptions, runtime: &Runtime) -> anyhow::Result<Box<dyn Reader>> {
    let reader = || -> anyhow::Result<Box<dyn Reader>> {
        Ok(match url {
            StoreUrl::Sqlite(path) => Box::new(SqliteReader::open(path)?),
            StoreUrl::Postgres(url) => {
                Box::new(runtime.block_on(PostgresReader::connect(url, options, runtime.handle().clone()))?)
            }
        })
    };
    reader().with_context(|| format!("can't read {url}"))
}

/// What is replayed.
struct History {
    input: Box<dyn Read + Send>,
    /// Its length, where that is known.
    bytes: Option<u64>,
    /// The thread that reads a log into `input`.
    reading: Option<JoinHandle<anyhow::Result<()>>>,
}

/// A file, or the part of a log that is asked for, as text.
fn history(options: &ReplayOptions, rules: &Rules) -> anyhow::Result<History> {
    if !options.nats.is_given() {
        let (input, bytes) = open(&options.input)?;
        return Ok(History { input, bytes, reading: None });
    }
    let log = options.nats.find()?;
    let times = options.history.log_times(rules);
    let (input, output) = std::io::pipe().context("can't make a pipe")?;
    let read = move || {
        log.export_of(times, &mut BufWriter::with_capacity(PIPE_BYTES, output)).map(drop).context("can't read the log")
    };
    let reading =
        std::thread::Builder::new().name("read-log".to_owned()).spawn(read).context("can't start a thread")?;
    Ok(History { input: Box::new(input), bytes: None, reading: Some(reading) })
}

/// Replays `input`, and shows how much of it is read and how many events are committed.
fn replay(
    input: Box<dyn Read + Send>,
    store: Box<dyn Store>,
    options: &ReplayOptions,
    rules: Rules,
    progress: &ProgressBar,
) -> anyhow::Result<Totals> {
    let log = LogIdentity { id: REPLAYED_LOG.to_owned(), partitions: DEFAULT_PARTITIONS };
    let store = MeasuredStore::unwatched(store);
    let mut store = OpenedStore::open(store, &log, &rules, process_name(), Patience::OfACommand)?;
    if options.history.is_part() {
        store = store.taking_only(options.history.windows());
    }
    // Whole chunks are told, since a reader around the input would have all memory cleared that is read into.
    let (reading, committing, mut events) = (progress.clone(), progress.clone(), 0);
    let on_commit = move |new| {
        events += new;
        committing.set_message(format!("{events} events"));
    };
    let replay = Replay {
        input,
        log,
        store,
        workers: options.workers,
        rules,
        on_read: Box::new(move |bytes| reading.inc(bytes)),
        on_commit: Box::new(on_commit),
    };
    Ok(replay.run()?)
}

/// The input as text, with the length of that where it is known.
fn open(path: &Path) -> anyhow::Result<(Box<dyn Read + Send>, Option<u64>)> {
    let (file, bytes) = open_file(path)?;
    let decompressed = netqoe_eventlog::decompressed(file).with_context(|| format!("can't read {}", path.display()));
    let (text, is_compressed) = decompressed?;
    Ok((text, bytes.filter(|_| !is_compressed)))
}

fn open_file(path: &Path) -> anyhow::Result<(Box<dyn Read + Send>, Option<u64>)> {
    if path.as_os_str() == STANDARD_INPUT {
        return Ok((Box::new(stdin()), None));
    }
    let cant_read = || format!("can't read {}", path.display());
    let file = File::open(path).with_context(cant_read)?;
    let metadata = file.metadata().with_context(cant_read)?;
    anyhow::ensure!(
        !metadata.is_dir(),
        "can't read {}: it is a folder; give a file, or - for standard input",
        path.display()
    );
    Ok((Box::new(file), metadata.is_file().then_some(metadata.len())))
}

/// On a terminal, a bar; elsewhere nothing.
fn progress_bar(bytes: Option<u64>) -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let (bar, template) = match bytes {
        Some(bytes) => (ProgressBar::new(bytes), "{bar:40} {bytes}/{total_bytes} {msg} {elapsed} (ready in {eta})"),
        None => (ProgressBar::new_spinner(), "{spinner} {bytes} {msg} {elapsed}"),
    };
    bar.enable_steady_tick(Duration::from_millis(100));
    // The templates above are valid; where one were not, the default style shows the same figures.
    bar.with_style(ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar()))
}
