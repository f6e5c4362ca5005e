//! `up --import`: history with its own times into the embedded log, before anything else gets into it.
//!
//! Decision: D-101.

mod held;
mod records;

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::Context;
use indicatif::ProgressBar;
use jiff::Timestamp;
use netqoe_eventlog::{AppendError, DatedLine, EventLog, History, LogError, SqliteLog};
use netqoe_model::{LogTime, Partition};
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;

use self::held::Lines;
use self::records::Records;
use super::progress::progress_bar;
use super::text_input;
use crate::clock::now_ms;

/// Lines without a time are kept until an event gives them one. A file that begins with more of them holds no events.
const MAX_UNDATED_BYTES: usize = 8 << 20;
/// How often it is logged how far the import is.
const TELL_EVERY: Duration = Duration::from_secs(10);

/// What is imported, and where to.
pub(super) struct Import {
    /// The history; `-` is standard input.
    pub(super) file: PathBuf,
    pub(super) log: SqliteLog,
    /// The file of the log.
    pub(super) data_file: PathBuf,
    pub(super) window_ms: i64,
    /// Rows that are older are deleted soon.
    pub(super) retention_ms: i64,
}

/// Why an import ends early. What was taken in by then stays: it is the beginning of the history.
#[derive(Debug, thiserror::Error)]
enum Refused {
    #[error(
        "the log in {log} goes to {end} and holds other events than this history, whose line {number} is of {log_time}: history is \
         taken only after a log's end; choose a new folder with --data"
    )]
    NotAfterTheEnd { log: String, end: String, number: u64, log_time: String },
    #[error("the log in {log} holds all of this history, or more, up to {end}; start without --import")]
    GoesBeyond { log: String, end: String },
    #[error(
        "line {number} is of {log_time}, which is ahead of this machine's clock: set the clock or correct the line, and import \
         again, which goes on there"
    )]
    Ahead { number: u64, log_time: String },
    #[error("it holds no event; give events as NDJSON, one a line")]
    NoEvent,
    #[error("the log does not take it: {0}")]
    Log(#[from] AppendError),
    #[error(transparent)]
    Unreadable(#[from] LogError),
}

impl Import {
    /// Imports all of it. False where it was asked to stop before.
    pub(super) async fn run(self, stop: &CancellationToken) -> anyhow::Result<bool> {
        let (name, handle, stopped) = (self.file.display().to_string(), Handle::current(), stop.clone());
        // Standard input can't be given up, so nobody waits for it once it was asked to stop.
        let importing = tokio::task::spawn_blocking(move || self.import(&handle, &stopped));
        let Some(imported) = stop.run_until_cancelled(importing).await else {
            tracing::info!("asked to stop while importing; the same --import goes on where it was");
            return Ok(false);
        };
        imported.context("the import broke off")?.with_context(|| format!("can't import {name}"))?;
        Ok(!stop.is_cancelled())
    }

    fn import(self, handle: &Handle, stop: &CancellationToken) -> anyhow::Result<()> {
        tracing::info!("importing {} before anything else is taken", self.file.display());
        let (text, bytes) = text_input::open(&self.file)?;
        let partitions = self.log.identity().partitions;
        let mut history = History::new(text, partitions);
        let bar = progress_bar(bytes);
        let mut taking = Taking::new(&self, handle, &bar)?;
        while let Some(lines) = history.next_lines()? {
            if stop.is_cancelled() {
                return Ok(());
            }
            bar.inc(lines.iter().filter_map(|line| line.event.as_ref()).map(|(_, line)| line.len() as u64 + 1).sum());
            lines.into_iter().try_for_each(|line| taking.take(line))?;
        }
        taking.end()?;
        bar.finish_and_clear();
        Ok(())
    }
}

/// A history on its way into the log.
struct Taking<'a> {
    import: &'a Import,
    handle: &'a Handle,
    bar: &'a ProgressBar,
    /// Where the log ended before.
    end: LogTime,
    /// Lines before the first event.
    undated: VecDeque<(u64, Partition, Vec<u8>)>,
    undated_bytes: usize,
    place: Place,
    records: Records,
    /// Events that were imported.
    count: u64,
    first: Option<LogTime>,
    last: LogTime,
    told: Instant,
}

/// How the history stands to what the log holds.
enum Place {
    /// No event was read yet.
    Unknown,
    /// These are in the log, and those were read of them.
    Held { log: Lines, read: Lines },
    /// What comes is new.
    New,
}

impl<'a> Taking<'a> {
    fn new(import: &'a Import, handle: &'a Handle, bar: &'a ProgressBar) -> Result<Self, Refused> {
        let partitions = import.log.identity().partitions;
        Ok(Self {
            import,
            handle,
            bar,
            end: handle.block_on(import.log.import([]))?,
            undated: VecDeque::new(),
            undated_bytes: 0,
            place: Place::Unknown,
            records: Records::new(partitions, import.window_ms),
            count: 0,
            first: None,
            last: LogTime::default(),
            told: Instant::now(),
        })
    }

    fn take(&mut self, line: DatedLine) -> Result<(), Refused> {
        let DatedLine { number, log_time, event } = line;
        let Some(log_time) = log_time else {
            let Some((partition, text)) = event else { return Ok(()) };
            self.undated_bytes += text.len();
            self.undated.push_back((number, partition, text));
            return if self.undated_bytes > MAX_UNDATED_BYTES { Err(Refused::NoEvent) } else { Ok(()) };
        };
        if self.first.is_none() {
            self.begin(log_time)?;
        }
        while let Some((number, partition, text)) = self.undated.pop_front() {
            self.take_dated(number, log_time, Some((partition, text)))?;
        }
        self.take_dated(number, log_time, event)
    }

    /// The history begins at this time.
    fn begin(&mut self, first: LogTime) -> Result<(), Refused> {
        self.first = Some(first);
        let is_new = first > self.end;
        let in_log = if is_new { Lines::default() } else { Lines::of_log(&self.import.data_file, first, self.end)? };
        self.place = if in_log.count == 0 { Place::New } else { Place::Held { log: in_log, read: Lines::default() } };
        let age_ms = now_ms() - first.ms();
        if age_ms > self.import.retention_ms {
            tracing::warn!(
                "the history begins at {}, and rows older than --retention are deleted; to keep them, stop, and start \
                 with a longer --retention",
                shown(first)
            );
        }
        Ok(())
    }

    fn take_dated(
        &mut self,
        number: u64,
        log_time: LogTime,
        event: Option<(Partition, Vec<u8>)>,
    ) -> Result<(), Refused> {
        if let Place::Held { log, read } = &mut self.place {
            if let Some((_, text)) = &event {
                read.add(text, log_time);
            }
            if read.count < log.count {
                return Ok(());
            }
            if read != log {
                return Err(self.not_after_the_end(number, log_time));
            }
            tracing::info!("{} lines of the history are in the log from an earlier import, which goes on", log.count);
            self.place = Place::New;
            return Ok(());
        }
        if log_time < self.end {
            // A tick that the log has passed moves nothing.
            return if event.is_none() { Ok(()) } else { Err(self.not_after_the_end(number, log_time)) };
        }
        if log_time.ms() > now_ms() {
            self.flush()?;
            return Err(Refused::Ahead { number, log_time: shown(log_time) });
        }
        self.count += u64::from(event.is_some());
        self.last = log_time;
        self.records.add(log_time, event);
        if self.records.is_full() { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> Result<(), Refused> {
        let records = self.records.take();
        if !records.is_empty() {
            self.handle.block_on(self.import.log.import(records))?;
        }
        self.bar.set_message(format!("{} events", self.count));
        if self.told.elapsed() >= TELL_EVERY {
            self.told = Instant::now();
            tracing::info!("imported {} events, up to {}", self.count, shown(self.last));
        }
        Ok(())
    }

    /// All was read.
    fn end(mut self) -> Result<(), Refused> {
        let Some(first) = self.first else { return Err(Refused::NoEvent) };
        if let Place::Held { .. } = &self.place {
            return Err(Refused::GoesBeyond { log: self.log(), end: shown(self.end) });
        }
        self.flush()?;
        match self.count {
            0 => tracing::info!("all of the history is in the log already"),
            count => tracing::info!("imported {count} events, from {} to {}", shown(first), shown(self.last)),
        }
        Ok(())
    }

    fn not_after_the_end(&self, number: u64, log_time: LogTime) -> Refused {
        let (log, end, log_time) = (self.log(), shown(self.end), shown(log_time));
        Refused::NotAfterTheEnd { log, end, number, log_time }
    }

    /// Where the log is.
    fn log(&self) -> String {
        self.import.data_file.parent().unwrap_or(Path::new(".")).display().to_string()
    }
}

/// A time for people.
fn shown(time: LogTime) -> String {
    Timestamp::from_millisecond(time.ms()).map_or_else(|_| time.to_string(), |time| time.to_string())
}
