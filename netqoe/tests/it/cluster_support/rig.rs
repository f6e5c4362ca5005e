//! The servers of a cluster, and its processes on them.

use std::cell::Cell;
use std::fmt;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::AtomicU16;
use std::time::Duration;

use netqoe_eventlog::{JetStreamLog, JetStreamOptions, NatsOptions};
use netqoe_model::LogTime;
use netqoe_testbed::{NatsCluster, NatsServer, free_port};
use tempfile::TempDir;

use super::{Audit, Log};
use crate::support::{NO_RATE, Server, eventually, eventually_or_say, get, netqoe, now_ms};

/// What rows mean here: windows of a second, so that they close while a test runs.
pub(crate) const RULES: [(&str, &str); 3] =
    [("NETQOE_WINDOW", "1s"), ("NETQOE_LATENESS", "2s"), ("NETQOE_MAX_FUTURE", "10s")];
/// The same, for a reference.
pub(crate) fn rules() -> netqoe_model::Rules {
    netqoe_model::Rules { window_ms: 1_000, lateness_ms: 2_000, max_future_ms: 10_000, ..Default::default() }
}
/// How long what comes late still counts where a rig corrects: longer than any test, and shorter than it takes until a replayed log ends.
const HORIZON: Duration = Duration::from_secs(1_800);
/// How long a process may be silent.
pub(crate) const TAKEOVER: &str = "3s";
/// So short that a publish that is tried again may be stored twice, and what others publish twice surely can.
pub(crate) const DUPLICATE_WINDOW: &str = "1s";
/// The server sets as much of its disk aside. A log of an hour is much smaller.
const STREAM_BYTES: &str = "500000000";
/// What a process of a cluster logs once its workers run.
const WORKS: &str = "the cluster works";

/// The option by which what comes within this time counts.
pub(crate) fn horizon_option(horizon: Duration) -> [String; 2] {
    ["--correction-horizon".to_owned(), format!("{}s", horizon.as_secs())]
}

/// How many processes of how many workers each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Shape {
    pub(crate) processes: usize,
    pub(crate) workers: usize,
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "-n {} -w {}", self.processes, self.workers)
    }
}

/// Where logs are.
pub(crate) trait Nats {
    /// The URLs of all servers, separated by commas.
    fn urls(&self) -> String;
}

impl Nats for NatsServer {
    fn urls(&self) -> String {
        self.url()
    }
}

impl Nats for NatsCluster {
    fn urls(&self) -> String {
        self.url()
    }
}

/// A log in JetStream, a database, and how processes are started on them.
pub(crate) struct Rig<N = NatsServer> {
    pub(crate) nats: N,
    /// Where rows go: a database, or what stands in front of it.
    pub(crate) database_url: String,
    /// More variables for all processes.
    pub(crate) environment: Vec<(&'static str, String)>,
    /// How long what comes late still counts; zero where it does not.
    pub(crate) correction_horizon: Duration,
    folder: TempDir,
    groups: Cell<usize>,
}

impl Rig {
    /// An empty log on one server, and this database.
    pub(crate) fn new(database_url: &str) -> Self {
        Self::on(NatsServer::start().unwrap(), database_url)
    }
}

impl<N: Nats> Rig<N> {
    /// The log on these servers, and this database.
    pub(crate) fn on(nats: N, database_url: &str) -> Self {
        Self {
            nats,
            database_url: database_url.to_owned(),
            environment: Vec::new(),
            correction_horizon: Duration::ZERO,
            folder: tempfile::tempdir().unwrap(),
            groups: Cell::new(0),
        }
    }

    /// Aggregates that are started from now on correct what comes late.
    pub(crate) fn correct(&mut self) {
        self.correction_horizon = HORIZON;
    }

    /// An instance of `ingest`; once it listens, it says so in `port`.
    pub(crate) fn ingest(&self, port: &Arc<AtomicU16>) -> Server {
        self.ingest_with(port, &NO_RATE)
    }

    /// The same, with these options.
    pub(crate) fn ingest_with(&self, port: &Arc<AtomicU16>, options: &[&str]) -> Server {
        let mut command = self.command("ingest");
        command.args(["--port", "0", "--stall-wait", "2s"]).args(options);
        Server::run(command, Arc::clone(port))
    }

    /// An instance of `ingest` that takes requests.
    pub(crate) fn ready_ingest(&self) -> (Server, Arc<AtomicU16>) {
        let port = Arc::<AtomicU16>::default();
        let mut server = self.ingest(&port);
        let listens_on = server.port();
        eventually("ingest is ready", || get(listens_on, "/readyz").is_ok_and(|answer| answer.status == 200));
        (server, port)
    }

    /// A file that says where so many processes find each other: on free ports, each time others.
    pub(crate) fn hosts(&self, processes: usize) -> PathBuf {
        let path = self.folder.path().join(format!("hosts-{}", self.groups.replace(self.groups.get() + 1)));
        let hosts: String = (0..processes).map(|_| format!("127.0.0.1:{}\n", free_port().unwrap())).collect();
        std::fs::write(&path, hosts).unwrap();
        path
    }

    /// The command of one process of a cluster.
    pub(crate) fn aggregate(&self, hosts: &PathBuf, shape: Shape, process: usize) -> Command {
        let mut command = self.command("aggregate");
        command.envs(RULES).args(["--port", "0", "--takeover", TAKEOVER, "--database-url", &self.database_url]);
        command.args(horizon_option(self.correction_horizon));
        let numbers = [("-n", shape.processes), ("-w", shape.workers), ("-p", process)];
        numbers.into_iter().for_each(|(flag, number)| _ = command.args([flag, &number.to_string()]));
        command.arg("-h").arg(hosts);
        command
    }

    /// All processes of a cluster.
    pub(crate) fn group(&self, shape: Shape) -> Group {
        let hosts = self.hosts(shape.processes);
        let start = |process| Server::run(self.aggregate(&hosts, shape, process), Arc::default());
        Group { shape, processes: (0..shape.processes).map(start).collect() }
    }

    /// All processes of a cluster that has come together.
    pub(crate) fn working_group(&self, shape: Shape) -> Group {
        let mut group = self.group(shape);
        group.processes.iter_mut().for_each(|process| _ = process.port());
        group
    }

    /// The log, opened beside the processes that work on it.
    pub(crate) fn log(&self) -> JetStreamLog {
        let connection =
            NatsOptions { servers: self.nats.urls().split(',').map(str::to_owned).collect(), ..NatsOptions::default() };
        JetStreamLog::find(JetStreamOptions::new(connection, Arc::new(|| LogTime::from_ms(now_ms())))).unwrap()
    }

    /// Lines in the log, without ticks, which no ledger counts.
    pub(crate) fn lines(&self) -> u64 {
        let log = self.log();
        let mut text = Vec::new();
        log.export(&mut text).unwrap();
        log.close();
        Log::new(&text).lines() as u64
    }

    fn command(&self, name: &str) -> Command {
        let mut command = netqoe();
        command.arg(name).env("NETQOE_NATS_URL", self.nats.urls()).env("NETQOE_STREAM_MAX_BYTES", STREAM_BYTES);
        command.env("NETQOE_STREAM_DUPLICATE_WINDOW", DUPLICATE_WINDOW);
        command.envs(self.environment.iter().map(|(name, value)| (*name, value.as_str())));
        command
    }
}

/// The processes of one start of a cluster.
pub(crate) struct Group {
    pub(crate) shape: Shape,
    pub(crate) processes: Vec<Server>,
}

impl Group {
    /// Whether all processes answer requests, which they do once the cluster works.
    pub(crate) fn works(&self) -> bool {
        self.processes.iter().all(|process| process.has_logged(WORKS) && process.last_port() != 0)
    }

    /// Records of the log that rows do not reflect; none where a process can't say.
    pub(crate) fn lag(&self) -> Option<u64> {
        let lag = |process: &Server| {
            let metrics = get(process.last_port(), "/metrics").ok()?.body;
            let line = metrics.lines().find_map(|line| line.strip_prefix("telemetry_queue_consumer_lag_messages "));
            line?.trim().parse::<u64>().ok()
        };
        self.processes.iter().map(lag).sum()
    }

    /// What its processes have logged last.
    pub(crate) fn last_words(&self) -> String {
        self.processes.iter().map(Server::last_words).collect::<Vec<_>>().join("\n")
    }

    /// Waits until rows reflect all of the log, in which so many lines are, and every window is closed.
    pub(crate) fn settle(&self, audit: &Audit, lines: u64) {
        let is_read = || audit.lines_read() >= Some(lines);
        eventually_or_say("all of the log is read", is_read, || {
            let (read, reached, lag) = (audit.lines_read(), audit.reached(), self.lag());
            format!("{read:?} of {lines} lines, positions {reached:?}, lag {lag:?}\n{}", self.last_words())
        });
        self.settle_where_it_is(audit);
    }

    /// Waits until nothing of the log waits, and every window is closed.
    pub(crate) fn settle_where_it_is(&self, audit: &Audit) {
        eventually("every window is closed", || audit.provisional_rows() == Some(0));
        eventually("nothing of the log waits", || self.lag() == Some(0));
        eventually("what came late is counted", || audit.waiting_corrections() == Some(0));
    }

    /// Asks one process to stop, upon which all do. It ends with 0, and the others say that they have lost it; none of
    /// them before what it has read is committed.
    pub(crate) fn stop(self, asked: usize) {
        self.processes[asked].terminate();
        for (number, process) in self.processes.into_iter().enumerate() {
            let (code, log) = process.wait();
            let expected = if number == asked { 0 } else { 3 };
            assert_eq!(code, Some(expected), "process {number} of {}: {log}", self.shape);
            assert!(log.contains("drained"), "process {number} of {}: {log}", self.shape);
        }
    }
}
