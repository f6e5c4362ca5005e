//! `netqoe bench live`: what live readers take of a pipeline's events/s, some of whom read nothing.
//!
//! Each run is a new `netqoe up` under all the load that it takes, from the first post until every event is in a committed row:
//! ingest, log, dataflow, store and the live stream. Cases have their runs in turn, forwards and backwards, so that a machine
//! that slows down slows them all; ratios are within one measurement.

mod readers;

use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::thread::available_parallelism;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use netqoe_simulator::Load;
use tokio::time::sleep;

use self::readers::Readers;
use crate::now::now_ms;
use crate::options::BenchLiveOptions;
use crate::output;
use crate::poster::Poster;
use crate::posting::{Pace, Posting};
use crate::process::Process;
use crate::product::Product;
use crate::scrape::{EVERY, LAG, PATIENCE, PROCESSED, ROWS, Scrape};
use crate::threads::request_threads;

/// As in `netqoe bench replay`: 500 clients with 10 targets each.
const PAIRS: u64 = 5_000;
/// Events of a post.
const BATCH: u64 = 500;

const DROPPED: &str = "telemetry_live_readers_dropped_total";

const HEADING: &str = "| live readers | events/s | of those without | CPU s a million events | rows/s | MB/s taken | dropped |\n\
    | --- | --- | --- | --- | --- | --- | --- |";

/// How many readers there are.
#[derive(Clone, Copy, Debug)]
struct Case {
    /// Those that take all that they are sent.
    reading: usize,
    /// Those that take nothing.
    still: usize,
}

/// What came of runs of a case.
#[derive(Clone, Copy, Debug, Default)]
struct Seen {
    seconds: f64,
    events: f64,
    /// Of netqoe alone.
    cpu_seconds: f64,
    rows: f64,
    bytes_taken: f64,
    dropped: f64,
}

pub(crate) fn run(options: &BenchLiveOptions, product: &Product) -> anyhow::Result<()> {
    let readers = options.readers.get();
    let (reading, still) = (readers / 2, readers - readers / 2);
    let cases = [Case { reading: 0, still: 0 }, Case { reading: 0, still: readers }, Case { reading, still }];
    let mut seen = [Seen::default(); 3];
    request_threads()?.block_on(async {
        let stop = (product.stop_on_signals)().context("can't listen for signals")?;
        for turn in (0..options.rounds.get()).flat_map(|_| [0, 1, 2, 2, 1, 0]) {
            tracing::info!("{}", cases[turn]);
            let measured = tokio::select! {
                measured = measure(cases[turn], Duration::from_secs(options.seconds.get().into())) => measured?,
                () = stop.cancelled() => bail!("stopped before all was measured"),
            };
            seen[turn].add(measured);
        }
        Ok(())
    })?;
    output::line(HEADING)?;
    for (case, of_case) in cases.iter().zip(&seen) {
        output::line(of_case.line(*case, &seen[0]))?;
    }
    output::line(format_args!(
        "\nnetqoe, the load and the readers share {} cores, so that events/s also fall by what writing to readers, and their \
         reading, costs. Of netqoe's own work the CPU seconds tell; that it waits for a reader would show beside those that \
         read nothing.",
        available_parallelism().map_or(1, NonZeroUsize::get)
    ))?;
    Ok(output::caution_of_debug_build()?)
}

/// One run, on new data.
async fn measure(case: Case, duration: Duration) -> anyhow::Result<Seen> {
    let folder = tempfile::tempdir().context("can't make a temporary folder")?;
    let mut process = Process::up(folder.path(), &[])?;
    let address = process.address().await?;
    let readers = Readers::open(address, case.reading, case.still).await?;
    let load = Load::healthy(u64::try_from(now_ms()).unwrap_or(0), PAIRS);
    let posting = Posting::new(vec![address], load);

    let (began, cpu_before) = (Instant::now(), process.cpu_seconds()?);
    posting.post(BATCH, Pace::Most, duration).await?;
    let events = posting.accepted() as f64;
    let scrape = all_in_rows(address, events).await?;
    let seen = Seen {
        seconds: began.elapsed().as_secs_f64(),
        events,
        cpu_seconds: process.cpu_seconds()? - cpu_before,
        rows: scrape.sum(ROWS),
        bytes_taken: readers.bytes_taken() as f64,
        dropped: scrape.sum(DROPPED),
    };
    drop(readers);
    process.stop().await?;
    Ok(seen)
}

/// Waits until so many events are in committed rows, and nothing waits. Then returns the metrics.
async fn all_in_rows(server: SocketAddr, events: f64) -> anyhow::Result<Scrape> {
    let (began, mut looking) = (Instant::now(), Poster::connect(server).await?);
    while began.elapsed() < PATIENCE {
        let mut scrape = Scrape::default();
        scrape.ask(&mut looking).await?;
        if scrape.sum(PROCESSED) >= events && scrape.sum(LAG) == 0.0 {
            return Ok(scrape);
        }
        sleep(EVERY).await;
    }
    bail!("{events} events were accepted, and not all are in rows after {PATIENCE:?}")
}

impl Seen {
    fn add(&mut self, other: Self) {
        self.seconds += other.seconds;
        self.events += other.events;
        self.cpu_seconds += other.cpu_seconds;
        self.rows += other.rows;
        self.bytes_taken += other.bytes_taken;
        self.dropped += other.dropped;
    }

    fn events_per_s(&self) -> f64 {
        self.events / self.seconds
    }

    /// A line of the table.
    fn line(&self, case: Case, without: &Self) -> String {
        let (rate, cpu) = (self.events_per_s(), 1e6 * self.cpu_seconds / self.events);
        let share = 100.0 * rate / without.events_per_s();
        let (rows, taken) = (self.rows / self.seconds, self.bytes_taken / 1e6 / self.seconds);
        format!("| {case} | {rate:.0} | {share:.0} % | {cpu:.2} | {rows:.0} | {taken:.1} | {} |", self.dropped)
    }
}

impl std::fmt::Display for Case {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (self.reading, self.still) {
            (0, 0) => f.write_str("none"),
            (0, still) => write!(f, "{still} that read nothing"),
            (reading, still) => write!(f, "{}, of which {reading} read all rows and {still} nothing", reading + still),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_of_all_runs_and_their_ratio_is_to_those_without() {
        let (mut without, mut with) = (Seen::default(), Seen::default());
        without.add(Seen { seconds: 1.0, events: 1_000.0, cpu_seconds: 0.001, rows: 500.0, ..Seen::default() });
        without.add(Seen { seconds: 3.0, events: 7_000.0, cpu_seconds: 0.007, rows: 500.0, ..Seen::default() });
        with.add(Seen {
            seconds: 2.0,
            events: 3_000.0,
            cpu_seconds: 0.006,
            rows: 50.0,
            bytes_taken: 5e6,
            dropped: 4.0,
        });
        let line = |seen: Seen, reading, still| seen.line(Case { reading, still }, &without);
        assert_eq!(line(without, 0, 0), "| none | 2000 | 100 % | 1.00 | 250 | 0.0 | 0 |");
        assert_eq!(line(with, 0, 8), "| 8 that read nothing | 1500 | 75 % | 2.00 | 25 | 2.5 | 4 |");
        let some = line(with, 4, 4);
        assert!(some.starts_with("| 8, of which 4 read all rows and 4 nothing | 1500 |"), "{some}");
    }
}
