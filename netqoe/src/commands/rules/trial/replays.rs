//! One history, read once and replayed twice.

use std::io::{self, BufWriter, PipeReader, PipeWriter, Read, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow, ensure};
use indicatif::ProgressBar;
use netqoe_eventlog::{JetStreamLog, SqliteLog};
use netqoe_model::{DEFAULT_PARTITIONS, LogIdentity, LogTime, Rules};
use netqoe_pipeline::{MeasuredStore, OpenedStore, Patience, Replay, Totals};
use netqoe_sinks::read::SqliteReader;
use netqoe_sinks::{PostgresOptions, StoreUrl};

use crate::clock::store_clock;
use crate::commands::progress::progress_bar;
use crate::commands::replay::{PIPE_BYTES, REPLAYED_LOG};
use crate::commands::text_input::open;
use crate::commands::{data_file, other_rules, process_name};
use crate::options::RulesTestOptions;

/// Where history is read.
pub(super) struct History {
    source: Source,
    /// The length of a file, where that is known.
    bytes: Option<u64>,
}

enum Source {
    Text(Box<dyn Read + Send>),
    DataFile { path: PathBuf, times: Range<LogTime> },
    JetStream { log: Box<JetStreamLog>, times: Range<LogTime> },
}

impl History {
    pub(super) fn open(options: &RulesTestOptions, rules: &[Rules; 2]) -> anyhow::Result<Self> {
        let times = options.log_times(rules);
        if options.nats.is_given() {
            let log = Box::new(options.nats.find()?);
            return Ok(Self { source: Source::JetStream { log, times }, bytes: None });
        }
        let Some(input) = &options.input else {
            let path = data_file(&options.data);
            warn_of_other_rules(&path, &rules[0])?;
            return Ok(Self { source: Source::DataFile { path, times }, bytes: None });
        };
        let (text, bytes) = open(input)?;
        Ok(Self { source: Source::Text(text), bytes })
    }

    fn write_to(self, out: &mut Both) -> anyhow::Result<()> {
        match self.source {
            Source::Text(mut text) => drop(io::copy(&mut text, out).context("can't read the history")?),
            Source::DataFile { path, times } => drop(SqliteLog::export_of(&path, &times, out)?),
            Source::JetStream { log, times } => drop(log.export_of(times, out).context("can't read the log")?),
        }
        Ok(out.flush()?)
    }
}

/// Says so where `up` computes what is in this file by other rules.
fn warn_of_other_rules(path: &Path, rules: &Rules) -> anyhow::Result<()> {
    // A log need not have a store beside it, and where there is no file, reading the log says so.
    let Ok(reader) = SqliteReader::open(path) else { return Ok(()) };
    other_rules::warn_of_present(&StoreUrl::Sqlite(path.to_owned()), &reader, rules)
}

/// Whatever is written goes to both replays. The slower one sets the pace.
struct Both([BufWriter<PipeWriter>; 2]);

impl Write for Both {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        self.0.iter_mut().try_for_each(|pipe| pipe.write_all(buffer))?;
        Ok(buffer.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.iter_mut().try_for_each(Write::flush)
    }
}

/// Replays the history with both rules, each into its own store.
pub(super) fn replay(
    history: History,
    options: &RulesTestOptions,
    rules: &[Rules; 2],
    stores: &[PathBuf; 2],
) -> anyhow::Result<()> {
    let pipe = || io::pipe().context("can't make a pipe");
    let ((present_input, present_output), (new_input, new_output)) = (pipe()?, pipe()?);
    let progress = progress_bar(history.bytes);
    let windows = options.windows_of_incidents(rules);
    let run = |number: usize, input: PipeReader, progress: ProgressBar| {
        let opened = open_store(&stores[number], &rules[number])?.taking_only(windows.clone());
        replay_one(input, opened, options, &rules[number], progress)
    };
    let (present, new, reading) = std::thread::scope(|scope| {
        let mut both = Both([present_output, new_output].map(|output| BufWriter::with_capacity(PIPE_BYTES, output)));
        // Both ends of the pipes go with their threads. So where a replay fails, reading ends, and the other replay with it.
        let reading = scope.spawn(move || history.write_to(&mut both));
        let new = scope.spawn(|| run(1, new_input, ProgressBar::hidden()));
        let present = run(0, present_input, progress.clone());
        (present, new.join(), reading.join())
    });
    progress.finish_and_clear();
    let totals = present?;
    new.map_err(|_| anyhow!("the replay with the new rules panicked"))??;
    reading.map_err(|_| anyhow!("reading the history panicked"))??;
    ensure!(
        totals.events.accepted > 0,
        "the history holds no event of the time that is compared, nor of the time before it; see that --data, --input or \
         --nats-url names the right log, and that --from and --to are within it"
    );
    Ok(())
}

fn open_store(path: &Path, rules: &Rules) -> anyhow::Result<OpenedStore> {
    let url = StoreUrl::Sqlite(path.to_owned());
    let store = MeasuredStore::unwatched(url.connect_for_replay(&PostgresOptions::default(), store_clock())?);
    Ok(OpenedStore::open(store, &replayed_log(), rules, process_name(), Patience::OfACommand)?)
}

fn replayed_log() -> LogIdentity {
    LogIdentity { id: REPLAYED_LOG.to_owned(), partitions: DEFAULT_PARTITIONS }
}

fn replay_one(
    input: PipeReader,
    store: OpenedStore,
    options: &RulesTestOptions,
    rules: &Rules,
    progress: ProgressBar,
) -> anyhow::Result<Totals> {
    let replay = Replay {
        input: Box::new(input),
        latecomers: None,
        log: replayed_log(),
        store,
        workers: options.workers,
        rules: rules.clone(),
        on_read: Box::new(move |bytes| progress.inc(bytes)),
        on_commit: Box::new(|_| {}),
    };
    Ok(replay.run()?)
}
