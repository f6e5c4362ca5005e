//! `netqoe replay`: the dataflow over a file of history, into a store.

use std::io::{BufWriter, Read, Write};
use std::thread::JoinHandle;
use std::time::Instant;

use anyhow::{Context, anyhow, ensure};
use indicatif::ProgressBar;
use netqoe_model::{DEFAULT_PARTITIONS, LogIdentity, Rules};
use netqoe_pipeline::{Latecomers, MeasuredStore, OpenedStore, Patience, Replay, Totals};
use netqoe_sinks::read::{self, Compared, DifferentRow, PostgresReader, Reader, SqliteReader};
use netqoe_sinks::{PostgresOptions, Store, StoreUrl};
use serde_json::json;
use tokio::runtime::Runtime;

use super::differences::Differences;
use super::progress::progress_bar;
use super::runtime::request_threads;
use super::text_input::{Reopened, open};
use super::{other_rules, process_name, resources};
use crate::clock::store_clock;
use crate::options::{ReplayOptions, ms};
use crate::output;

/// What the progress of a replay is kept under: no live log has this name, so a live store is never mistaken for one.
pub(super) const REPLAYED_LOG: &str = "ndjson";
/// What Linux lets a pipe hold: larger writes would only wait.
pub(super) const PIPE_BYTES: usize = 64 << 10;

pub(crate) fn run(options: &ReplayOptions) -> anyhow::Result<()> {
    options.check()?;
    let rules = options.rules.rules();
    let mut horizon = options.correction_horizon;
    if let Some(live) = &options.history.diff {
        let runtime = request_threads()?;
        let live_reader = reader(live, &options.database.postgres(), &runtime)?;
        other_rules::warn(live, &*live_reader, &rules)?;
        if horizon.is_none() {
            horizon = other_rules::correction_horizon(&*live_reader)?;
        }
    }
    let started = Instant::now();
    let horizon_ms = horizon.map(ms).filter(|horizon_ms| *horizon_ms > rules.lateness_ms);
    let History { input, bytes, reading, latecomers } = match horizon_ms {
        Some(horizon_ms) => corrected_history(options, &rules, horizon_ms)?,
        None => history(options, &rules)?,
    };
    let corrected = latecomers.as_ref().map(Latecomers::count);
    let progress = progress_bar(bytes);
    let store = options.store.connect_for_replay(&options.database.postgres(), store_clock())?;
    let totals = replay(input, latecomers, store, options, rules, &progress)?;
    progress.finish_and_clear();
    if let Some(reading) = reading {
        // Where the replay came to its end, so did the reading: only how is left to be heard.
        reading.join().map_err(|_| anyhow!("reading the log panicked"))??;
    }
    let seconds = started.elapsed().as_secs_f64();
    let events = totals.events;
    let mut counted = json!({
        "read": events.read, "accepted": events.accepted, "duplicate": events.duplicate, "late": events.late,
        "invalid": events.invalid, "rows": totals.rows, "seconds": (seconds * 1000.0).round() / 1000.0,
        "events_per_s": (events.read as f64 / seconds).round(), "cpu_seconds": resources::cpu_seconds(),
        "peak_memory_bytes": resources::peak_memory_bytes(),
    });
    if let Some(corrected) = corrected {
        counted["corrected"] = corrected.into();
    }
    output::line(counted)?;
    match &options.history.diff {
        Some(live) => compare(options, live),
        None => Ok(()),
    }
}

/// Fails where a row differs from what `live` has.
fn compare(options: &ReplayOptions, live: &StoreUrl) -> anyhow::Result<()> {
    let (postgres, runtime) = (options.database.postgres(), request_threads()?);
    let (ours, theirs) = (reader(&options.store, &postgres, &runtime)?, reader(live, &postgres, &runtime)?);
    let mut differences = Differences::default();
    let print = |row: DifferentRow| -> anyhow::Result<()> { Ok(differences.print(&row)?) };
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
    /// What came late and counts all the same.
    latecomers: Option<Latecomers>,
}

/// A file, or the part of a log that is asked for, as text.
fn history(options: &ReplayOptions, rules: &Rules) -> anyhow::Result<History> {
    if !options.nats.is_given() {
        let (input, bytes) = open(&options.input)?;
        return Ok(History { input, bytes, reading: None, latecomers: None });
    }
    let log = options.nats.find()?;
    let times = options.history.log_times(rules, 0);
    let (input, output) = std::io::pipe().context("can't make a pipe")?;
    let read = move || {
        log.export_of(times, &mut BufWriter::with_capacity(PIPE_BYTES, output)).map(drop).context("can't read the log")
    };
    let reading =
        std::thread::Builder::new().name("read-log".to_owned()).spawn(read).context("can't start a thread")?;
    Ok(History { input: Box::new(input), bytes: None, reading: Some(reading), latecomers: None })
}

/// The same, once it was read for what came late.
fn corrected_history(options: &ReplayOptions, rules: &Rules, horizon_ms: i64) -> anyhow::Result<History> {
    let text = if options.nats.is_given() {
        let (log, times) = (options.nats.find()?, options.history.log_times(rules, horizon_ms));
        Reopened::copy(|copy| {
            let mut copy = BufWriter::new(copy);
            log.export_of(times, &mut copy).context("can't read the log")?;
            copy.flush().context("can't write the temporary file")
        })?
    } else {
        Reopened::of(&options.input)?
    };
    let readings = [text.open()?.0, text.open()?.0];
    let latecomers = Latecomers::find(readings, horizon_ms, rules).context("can't find what came late")?;
    let (input, bytes) = text.open()?;
    Ok(History { input, bytes, reading: None, latecomers: Some(latecomers) })
}

/// Replays `input`, and shows how much of it is read and how many events are committed.
fn replay(
    input: Box<dyn Read + Send>,
    latecomers: Option<Latecomers>,
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
        latecomers,
        log,
        store,
        workers: options.workers,
        rules,
        on_read: Box::new(move |bytes| reading.inc(bytes)),
        on_commit: Box::new(on_commit),
    };
    Ok(replay.run()?)
}
