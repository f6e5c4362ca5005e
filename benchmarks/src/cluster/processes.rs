//! The processes of a cluster, in front of and behind the given servers.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use anyhow::Context;
use tempfile::TempDir;
use tokio::time::{Instant, sleep};

use crate::options::BenchClusterOptions;
use crate::poster::Poster;
use crate::process::{NO_RATE, Process};
use crate::product::Product;
use crate::scrape::{EVERY, LAG, PATIENCE, PROCESSED, ROWS, Scrape};

/// As behind the load balancer of the guide's smallest setting.
const INGESTS: usize = 2;
/// Nobody wants the events of a measurement for longer.
const STREAM_MAX_AGE: &str = "1h";

/// How processes are started.
pub(crate) struct Cluster<'a> {
    options: &'a BenchClusterOptions,
    program: PathBuf,
    /// Names of the log's stream and of its dead letters', and of their subjects.
    stream: String,
    letters: String,
    folder: TempDir,
}

impl<'a> Cluster<'a> {
    /// A cluster on a stream of its own.
    pub(crate) fn new(options: &'a BenchClusterOptions) -> anyhow::Result<Self> {
        Ok(Self {
            options,
            program: std::env::current_exe().context("can't find this program")?,
            stream: format!("netqoe-bench-{}", std::process::id()),
            letters: format!("netqoe-bench-{}-dlq", std::process::id()),
            folder: tempfile::tempdir().context("can't make a temporary folder")?,
        })
    }

    /// Deletes the streams that were made for it. No process must be left that works on them.
    pub(crate) fn remove_streams(&self, product: &Product) -> anyhow::Result<()> {
        let servers = self.options.nats_url.join(",");
        let words = [&["--nats-url", &servers], &self.log()[..], &self.dead_letters()].concat();
        (product.delete_streams)(&words)
    }

    /// The log, as options name it.
    fn log(&self) -> [&str; 6] {
        ["--stream", &self.stream, "--subject", &self.stream, "--stream-max-age", STREAM_MAX_AGE]
    }

    /// Its dead letters, as options name them.
    fn dead_letters(&self) -> [&str; 4] {
        ["--dlq-stream", &self.letters, "--dlq-subject", &self.letters]
    }

    /// Starts ingest, whose clients are above no rate, and waits until it takes requests.
    pub(crate) async fn ingests(&self) -> anyhow::Result<(Vec<Process>, Vec<SocketAddr>)> {
        self.ingests_with(&["--rate", NO_RATE, "--rate-burst", NO_RATE]).await
    }

    /// Starts ingest with these options, and waits until it takes requests.
    pub(crate) async fn ingests_with(&self, options: &[&str]) -> anyhow::Result<(Vec<Process>, Vec<SocketAddr>)> {
        let start = |_| Process::start(self.command("ingest").args(options), "netqoe ingest");
        let mut processes = (0..INGESTS).map(start).collect::<anyhow::Result<Vec<_>>>()?;
        let addresses = addresses(&mut processes).await?;
        Ok((processes, addresses))
    }

    /// Starts all processes of the aggregate, and waits until they take requests.
    pub(crate) async fn aggregate(&self) -> anyhow::Result<Aggregate> {
        let processes = usize::from(self.options.processes.get());
        let hosts = self.folder.path().join("hosts");
        std::fs::write(&hosts, free_addresses(processes)?.join("\n")).context("can't write the host file")?;
        let start = |process: usize| {
            let mut command = self.command("aggregate");
            command.env("NETQOE_DATABASE_URL", &self.options.database_url).arg("-h").arg(&hosts);
            command.args(self.dead_letters()).args(["-n", &processes.to_string(), "-p", &process.to_string()]);
            Process::start(command.args(["-w", &self.options.workers.to_string()]), "netqoe aggregate")
        };
        let mut processes = (0..processes).map(start).collect::<anyhow::Result<Vec<_>>>()?;
        let addresses = addresses(&mut processes).await?;
        let mut metrics = Vec::new();
        for address in addresses {
            metrics.push(Poster::connect(address).await?);
        }
        Ok(Aggregate { processes, metrics })
    }

    /// URLs may hold passwords, and others see the arguments of a process.
    fn command(&self, name: &str) -> Command {
        let mut command = Command::new(&self.program);
        command.env("NETQOE_NATS_URL", self.options.nats_url.join(","));
        command.args([name, "--log-format", "json", "--port", "0", "--listen", "127.0.0.1"]);
        command.args(self.log());
        command
    }
}

/// The running processes of an aggregate.
pub(crate) struct Aggregate {
    processes: Vec<Process>,
    /// A connection to each.
    metrics: Vec<Poster>,
}

/// What an aggregate committed while it caught up with its log: all that came after its first commit, in the time between
/// that one and the last.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct CaughtUp {
    pub(super) events_per_s: f64,
    pub(super) rows_per_s: f64,
}

/// What is committed at a look.
#[derive(Clone, Copy, Debug)]
struct Committed {
    at: Instant,
    events: f64,
    rows: f64,
}

impl Committed {
    /// What was committed since an earlier look; none where that is all of it.
    fn since(&self, earlier: &Self) -> Option<CaughtUp> {
        let seconds = self.at.duration_since(earlier.at).as_secs_f64();
        let rates = CaughtUp {
            events_per_s: (self.events - earlier.events) / seconds,
            rows_per_s: (self.rows - earlier.rows) / seconds,
        };
        (seconds > 0.0).then_some(rates)
    }
}

impl Aggregate {
    /// The metrics of all processes as they are now.
    pub(crate) async fn scrape(&mut self) -> anyhow::Result<Scrape> {
        let mut scrape = Scrape::default();
        for process in &mut self.metrics {
            scrape.ask(process).await?;
        }
        Ok(scrape)
    }

    /// The most records that wait at once in this time.
    pub(super) async fn greatest_lag(&mut self, duration: Duration) -> anyhow::Result<f64> {
        let (started, mut greatest) = (Instant::now(), 0.0_f64);
        while started.elapsed() < duration {
            greatest = greatest.max(self.scrape().await?.sum(LAG));
            sleep(EVERY).await;
        }
        Ok(greatest)
    }

    /// Waits until so many events are processed since the start of these processes, and nothing waits.
    pub(super) async fn catch_up(&mut self, events: u64) -> anyhow::Result<CaughtUp> {
        let started = Instant::now();
        // As they were seen after the first commit, and after the last.
        let mut commits: Option<(Committed, Committed)> = None;
        while started.elapsed() < PATIENCE {
            let scrape = self.scrape().await?;
            let seen = Committed { at: Instant::now(), events: scrape.sum(PROCESSED), rows: scrape.sum(ROWS) };
            let (first, last) = commits.get_or_insert((seen, seen));
            if first.rows == 0.0 {
                *first = seen;
            }
            if last.rows < seen.rows {
                *last = seen;
            }
            if seen.events >= events as f64 && scrape.sum(LAG) == 0.0 {
                return last.since(first).context("all was in one commit, in which no rate shows; measure for longer");
            }
            sleep(EVERY).await;
        }
        anyhow::bail!("the log has {events} events, and not all are processed after {PATIENCE:?}")
    }

    /// Waits until these processes have committed something, and no more than so many records wait.
    pub(super) async fn recover(&mut self, lag: f64) -> anyhow::Result<()> {
        let started = Instant::now();
        while started.elapsed() < PATIENCE {
            let scrape = self.scrape().await?;
            if scrape.sum(PROCESSED) > 0.0 && scrape.sum(LAG) <= lag {
                return Ok(());
            }
            sleep(EVERY).await;
        }
        anyhow::bail!("more than {lag} records still wait after {PATIENCE:?}")
    }

    /// Lets all processes drain. One that is asked to leaves, and the others follow it.
    pub(crate) async fn stop(self) -> anyhow::Result<()> {
        for process in self.processes {
            process.stop().await?;
        }
        Ok(())
    }

    /// kill -9 of every process.
    pub(super) fn kill(self) -> anyhow::Result<()> {
        self.processes.into_iter().try_for_each(Process::kill)
    }
}

async fn addresses(processes: &mut [Process]) -> anyhow::Result<Vec<SocketAddr>> {
    let mut addresses = Vec::new();
    for process in processes {
        addresses.push(process.address().await?);
    }
    Ok(addresses)
}

/// Addresses for the processes of a cluster to find each other at. All are held until the last is chosen.
fn free_addresses(processes: usize) -> anyhow::Result<Vec<String>> {
    let listen = |_| TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("no port is free");
    let listeners = (0..processes).map(listen).collect::<anyhow::Result<Vec<_>>>()?;
    listeners.iter().map(|listener| Ok(listener.local_addr()?.to_string())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_first_commit_brought_is_in_no_rate() {
        let at = Instant::now();
        let first = Committed { at, events: 100.0, rows: 50.0 };
        let last = Committed { at: at + Duration::from_secs(2), events: 300.0, rows: 150.0 };
        assert_eq!(last.since(&first), Some(CaughtUp { events_per_s: 100.0, rows_per_s: 50.0 }));
        assert_eq!(first.since(&first), None);
    }
}
