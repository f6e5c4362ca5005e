//! Measurements of netqoe itself.

use std::num::{NonZeroU16, NonZeroU32, NonZeroU64, NonZeroUsize};
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand, ValueEnum};
use netqoe_sinks::StoreUrl;

use crate::peers::PeerSet;

/// The benches.
#[derive(Debug, Subcommand)]
pub enum BenchCommand {
    /// Generates events, replays them into a new SQLite store, and prints events/s, CPU seconds and peak memory
    Replay(BenchReplayOptions),
    /// Runs a cluster before the given servers under load, and prints what it takes, how soon rows show it, and how it
    /// comes back after a crash
    Cluster(BenchClusterOptions),
    /// Measures servers of its own a hundred times a second, and prints what that takes of a core and of memory, beside
    /// what it takes of Prometheus's blackbox_exporter
    Probe(BenchProbeOptions),
    /// Fills a store with a day of a fleet, asks what the page asks, and prints how soon it was answered
    Query(BenchQueryOptions),
    /// Puts `netqoe up` under load with and without live readers, some of which read nothing, and prints what the readers take
    /// of its events/s
    Live(BenchLiveOptions),
    /// Posts to `netqoe up` alone and beside idle and slow connections, and prints what these take of a good client's latency
    Crowd(BenchCrowdOptions),
    /// Posts to two instances of ingest before the given servers, without and with rates that they hold together, and prints what
    /// that takes of a client's latency
    SharedLimits(BenchSharedLimitsOptions),
    /// Posts a large fleet of which a part fails to `netqoe up`, or to a cluster before the given servers, minute by minute, and
    /// prints how soon incidents reflect it and how long other events wait meanwhile
    Incidents(BenchIncidentsOptions),
    /// Imports a history in which a part of a fleet was offline into `netqoe up`, lets it send what it kept, and prints how soon rows
    /// show that, how long other events wait meanwhile, and what it takes to be ready for it
    Backfill(BenchBackfillOptions),
    /// Simulates a fleet with faults at every layer, and prints how often its diagnoses are right
    Insight(BenchInsightOptions),
    /// Generates events, lets netqoe, DuckDB, ClickHouse and `bench limit` turn them into rows, compares the rows, and prints what
    /// each took; `cargo xtask bench peers` brings the others
    Peers(BenchPeersOptions),
    /// Turns a log into rows on one core, as CSV and without all else that netqoe does: what others are held against
    Limit(BenchLimitOptions),
}

#[derive(Args, Debug)]
pub struct BenchReplayOptions {
    /// Events to generate, about
    #[arg(long, env = "NETQOE_BENCH_EVENTS", default_value_t = 1_000_000)]
    pub(crate) events: u64,

    /// Measurements per client, target and minute to compare: the fewer, the more rows an event costs
    #[arg(long, env = "NETQOE_BENCH_PER_MINUTE", value_delimiter = ',', default_values = ["2", "12"])]
    pub(crate) per_minute: Vec<NonZeroU32>,

    /// Seed of the generator
    #[arg(long, env = "NETQOE_BENCH_SEED", default_value_t = 1)]
    pub(crate) seed: u64,

    /// Worker threads to compare
    #[arg(short = 'w', long, env = "NETQOE_BENCH_WORKERS", value_delimiter = ',', default_values = ["1", "2"])]
    pub(crate) workers: Vec<NonZeroUsize>,

    /// Runs of each; the median is printed
    #[arg(long, env = "NETQOE_BENCH_RUNS", default_value = "3")]
    pub(crate) runs: NonZeroUsize,
}

#[derive(Args, Debug)]
pub struct BenchPeersOptions {
    /// A Python that has DuckDB and chDB; it also measures all the others
    #[arg(long, env = "NETQOE_BENCH_PEERS_PYTHON", value_name = "PROGRAM", default_value = "python3")]
    pub(crate) python: PathBuf,

    /// What to measure beside `bench limit`, whose rows all others are compared with
    #[arg(long, env = "NETQOE_BENCH_PEERS_ENGINES", value_delimiter = ',', default_values = ["chdb", "duckdb", "netqoe"])]
    pub(crate) engines: Vec<PeerEngine>,

    /// Logs to measure with
    #[arg(long, env = "NETQOE_BENCH_PEERS_SETS", value_delimiter = ',', default_values = ["small", "wide"])]
    pub(crate) sets: Vec<PeerSet>,

    /// Events of each log, instead of those that it has by default; its pairs become fewer or more with them
    #[arg(long, env = "NETQOE_BENCH_PEERS_EVENTS")]
    pub(crate) events: Option<NonZeroU64>,

    /// Seed of the generator
    #[arg(long, env = "NETQOE_BENCH_PEERS_SEED", default_value_t = 1)]
    pub(crate) seed: u64,

    /// Worker threads of netqoe to compare
    #[arg(short = 'w', long, env = "NETQOE_BENCH_PEERS_WORKERS", value_delimiter = ',', default_values = ["1", "2"])]
    pub(crate) workers: Vec<NonZeroUsize>,

    /// Runs of each, in turn; medians are printed
    #[arg(long, env = "NETQOE_BENCH_PEERS_RUNS", default_value = "3")]
    pub(crate) runs: NonZeroUsize,

    /// Prints JSON instead of tables, with the figures of each run
    #[arg(long, env = "NETQOE_BENCH_PEERS_JSON")]
    pub(crate) json: bool,
}

/// What netqoe is measured beside.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum PeerEngine {
    /// ClickHouse in the process that asks: into CSV, and into a MergeTree table
    Chdb,
    /// DuckDB, into CSV
    Duckdb,
    /// `netqoe replay`, into a SQLite file, with baselines, diagnoses and incidents
    Netqoe,
}

#[derive(Args, Debug)]
pub struct BenchLimitOptions {
    /// The log: NDJSON, in which all ids are UUIDs and no name needs to be quoted in CSV
    #[arg(long, env = "NETQOE_BENCH_LIMIT_INPUT", value_name = "FILE")]
    pub(crate) input: PathBuf,

    /// Where the rows go; a file that is there is replaced
    #[arg(long, env = "NETQOE_BENCH_LIMIT_OUTPUT", value_name = "FILE")]
    pub(crate) output: PathBuf,
}

#[derive(Args, Debug)]
pub struct BenchProbeOptions {
    /// How long each program is measured, in seconds, after a warm-up
    #[arg(long, env = "NETQOE_BENCH_PROBE_SECONDS", default_value = "20")]
    pub(crate) seconds: NonZeroU32,
}

#[derive(Args)]
pub struct BenchClusterOptions {
    /// Servers of one cluster, with JetStream; streams of its own are made there, and removed at the end. How to
    /// log in to them is said by variables, as for `ingest`
    #[arg(
        long,
        env = "NETQOE_NATS_URL",
        value_name = "URL",
        value_delimiter = ',',
        required = true,
        hide_env_values = true
    )]
    pub(crate) nats_url: Vec<String>,

    /// An empty database, which is filled with rows
    #[arg(long, env = "NETQOE_DATABASE_URL", value_name = "URL", hide_env_values = true)]
    pub(crate) database_url: String,

    /// Worker threads of each process of the aggregate
    #[arg(short = 'w', long, env = "NETQOE_BENCH_CLUSTER_WORKERS", default_value = "1")]
    pub(crate) workers: NonZeroUsize,

    /// Processes of the aggregate
    #[arg(short = 'n', long, env = "NETQOE_BENCH_CLUSTER_PROCESSES", default_value = "1")]
    pub(crate) processes: NonZeroU16,

    /// Events a second at which the delay is measured, and the recovery
    #[arg(long, env = "NETQOE_BENCH_CLUSTER_RATE", default_value = "10000")]
    pub(crate) rate: NonZeroU32,

    /// How long each measurement lasts, in seconds
    #[arg(long, env = "NETQOE_BENCH_CLUSTER_SECONDS", default_value = "5")]
    pub(crate) seconds: NonZeroU32,
}

#[derive(Args)]
pub struct BenchQueryOptions {
    /// An empty store, which is filled with rows; one that an earlier run has filled is asked again
    #[arg(long, env = "NETQOE_DATABASE_URL", value_name = "URL", hide_env_values = true)]
    pub(crate) database_url: StoreUrl,

    /// Clients of the fleet, of which each measures all targets
    #[arg(long, env = "NETQOE_BENCH_QUERY_CLIENTS", default_value = "100")]
    pub(crate) clients: NonZeroU32,

    /// Targets of the fleet
    #[arg(long, env = "NETQOE_BENCH_QUERY_TARGETS", default_value = "20")]
    pub(crate) targets: NonZeroU32,

    /// Minutes in the store, with a row of each client and target
    #[arg(long, env = "NETQOE_BENCH_QUERY_MINUTES", default_value = "1440")]
    pub(crate) minutes: NonZeroU32,

    /// Questions of each kind
    #[arg(long, env = "NETQOE_BENCH_QUERY_QUESTIONS", default_value = "300")]
    pub(crate) questions: NonZeroUsize,

    /// Asks nothing, and shows the page over the store on a free port of this machine instead, until it is stopped
    #[arg(long)]
    pub(crate) show: bool,
}

#[derive(Args, Debug)]
pub struct BenchLiveOptions {
    /// Live readers at once, every other of which reads nothing where some read
    #[arg(long, env = "NETQOE_BENCH_LIVE_READERS", default_value = "20")]
    pub(crate) readers: NonZeroUsize,

    /// How long events are posted in each run, in seconds
    #[arg(long, env = "NETQOE_BENCH_LIVE_SECONDS", default_value = "5")]
    pub(crate) seconds: NonZeroU32,

    /// Rounds, in each of which every case has two runs: one in order, one in reverse
    #[arg(long, env = "NETQOE_BENCH_LIVE_ROUNDS", default_value = "2")]
    pub(crate) rounds: NonZeroU32,
}

#[derive(Args, Debug)]
pub struct BenchCrowdOptions {
    /// Connections that ask once, and then nothing
    #[arg(long, env = "NETQOE_BENCH_CROWD_IDLE", default_value_t = 2_000)]
    pub(crate) idle: u32,

    /// Connections that send a byte of a head or of a body five times a second
    #[arg(long, env = "NETQOE_BENCH_CROWD_SLOW", default_value_t = 800)]
    pub(crate) slow: u32,

    /// Events that the good client posts a second, one at a time
    #[arg(long, env = "NETQOE_BENCH_CROWD_RATE", default_value = "500")]
    pub(crate) rate: NonZeroU32,

    /// How long each measurement lasts, in seconds
    #[arg(long, env = "NETQOE_BENCH_CROWD_SECONDS", default_value = "5")]
    pub(crate) seconds: NonZeroU32,

    /// Rounds, in each of which both cases are measured twice: once in order, once in reverse
    #[arg(long, env = "NETQOE_BENCH_CROWD_ROUNDS", default_value = "2")]
    pub(crate) rounds: NonZeroU32,
}

#[derive(Args)]
pub struct BenchSharedLimitsOptions {
    /// Servers of one cluster, with JetStream; a stream of its own is made there, and removed at the end
    #[arg(
        long,
        env = "NETQOE_NATS_URL",
        value_name = "URL",
        value_delimiter = ',',
        required = true,
        hide_env_values = true
    )]
    pub(crate) nats_url: Vec<String>,

    /// Events that are posted a second, one at a time
    #[arg(long, env = "NETQOE_BENCH_SHARED_LIMITS_RATE", default_value = "500")]
    pub(crate) rate: NonZeroU32,

    /// How long each run lasts, in seconds
    #[arg(long, env = "NETQOE_BENCH_SHARED_LIMITS_SECONDS", default_value = "5")]
    pub(crate) seconds: NonZeroU32,

    /// Rounds, in each of which both cases have two runs: one in order, one in reverse
    #[arg(long, env = "NETQOE_BENCH_SHARED_LIMITS_ROUNDS", default_value = "3")]
    pub(crate) rounds: NonZeroU32,
}

#[derive(Args)]
pub struct BenchIncidentsOptions {
    /// Clients of the fleet, of which each measures all targets
    #[arg(long, env = "NETQOE_BENCH_INCIDENTS_CLIENTS", default_value = "1000")]
    pub(crate) clients: NonZeroU32,

    /// Targets of the fleet
    #[arg(long, env = "NETQOE_BENCH_INCIDENTS_TARGETS", default_value = "100")]
    pub(crate) targets: NonZeroU32,

    /// Targets that fail
    #[arg(long, env = "NETQOE_BENCH_INCIDENTS_FAILING_TARGETS", default_value_t = 30)]
    pub(crate) failing_targets: u32,

    /// Measurements per client, target and minute
    #[arg(long, env = "NETQOE_BENCH_INCIDENTS_PER_MINUTE", default_value = "2")]
    pub(crate) per_minute: NonZeroU32,

    /// Minutes for which they fail
    #[arg(long, env = "NETQOE_BENCH_INCIDENTS_FAULT_MINUTES", default_value = "4")]
    pub(crate) fault_minutes: NonZeroU32,

    /// Servers of one NATS cluster with JetStream, for a cluster instead of `netqoe up`; see `netqoe bench cluster`
    #[arg(long, env = "NETQOE_NATS_URL", value_name = "URL", value_delimiter = ',', hide_env_values = true)]
    pub(crate) nats_url: Vec<String>,

    /// An empty PostgreSQL database for that cluster, which is filled with rows
    #[arg(long, env = "NETQOE_DATABASE_URL", value_name = "URL", hide_env_values = true)]
    pub(crate) database_url: Option<String>,
}

#[derive(Args, Debug)]
pub struct BenchBackfillOptions {
    /// Pairs of client and target, ten targets a client
    #[arg(long, env = "NETQOE_BENCH_BACKFILL_PAIRS", default_value = "10000")]
    pub(crate) pairs: NonZeroU64,

    /// Measurements per client, target and minute
    #[arg(long, env = "NETQOE_BENCH_BACKFILL_PER_MINUTE", default_value = "2")]
    pub(crate) per_minute: NonZeroU32,

    /// Percent of the clients that were offline; each is measured
    #[arg(long, env = "NETQOE_BENCH_BACKFILL_OFFLINE_PERCENT", value_delimiter = ',', default_values = ["1", "100"])]
    pub(crate) offline_percent: Vec<u32>,

    /// Minutes for which they were
    #[arg(long, env = "NETQOE_BENCH_BACKFILL_MINUTES_OFFLINE", default_value = "60")]
    pub(crate) minutes_offline: NonZeroU32,

    /// Minutes before, in which all of them measured
    #[arg(long, env = "NETQOE_BENCH_BACKFILL_MINUTES_BEFORE", default_value_t = 30)]
    pub(crate) minutes_before: u32,
}

#[derive(Args, Debug)]
pub struct BenchInsightOptions {
    /// Rules to compare: names of rules that are part of netqoe, and rules files
    #[arg(long, env = "NETQOE_BENCH_INSIGHT_RULES", value_name = "NAME|FILE", value_delimiter = ',', num_args = 1..,
          default_values = ["classic", "steady"])]
    pub(crate) rules: Vec<String>,

    /// Seeds, from the first to the last; each has a run with faults and one without
    #[arg(long, env = "NETQOE_BENCH_INSIGHT_SEEDS", value_name = "FIRST..LAST", default_value = "1..20", value_parser = seeds)]
    pub(crate) seeds: RangeInclusive<u64>,

    /// Measurements per client, target and minute to compare
    #[arg(long, env = "NETQOE_BENCH_INSIGHT_PER_MINUTE", value_delimiter = ',', default_values = ["1", "2", "12"])]
    pub(crate) per_minute: Vec<NonZeroU32>,

    /// Hours of each run
    #[arg(long, env = "NETQOE_BENCH_INSIGHT_HOURS", default_value = "24")]
    pub(crate) hours: NonZeroU32,

    /// Clients of the fleet, of which each measures all targets
    #[arg(long, env = "NETQOE_BENCH_INSIGHT_CLIENTS", default_value = "40")]
    pub(crate) clients: NonZeroUsize,

    /// Targets of the fleet
    #[arg(long, env = "NETQOE_BENCH_INSIGHT_TARGETS", default_value = "10")]
    pub(crate) targets: NonZeroUsize,

    /// Faults in the whole fleet, an hour; for long ones give less, or all of them overlap
    #[arg(long, env = "NETQOE_BENCH_INSIGHT_FAULTS_AN_HOUR", default_value_t = 1.0)]
    pub(crate) faults_an_hour: f64,

    /// How long faults last at least
    #[arg(long, env = "NETQOE_BENCH_INSIGHT_SHORTEST_FAULT", default_value = "5m", value_parser = humantime::parse_duration)]
    pub(crate) shortest_fault: Duration,

    /// How long faults last at most
    #[arg(long, env = "NETQOE_BENCH_INSIGHT_LONGEST_FAULT", default_value = "3h", value_parser = humantime::parse_duration)]
    pub(crate) longest_fault: Duration,

    /// How many times the usual standard deviations measurements scatter
    #[arg(long, env = "NETQOE_BENCH_INSIGHT_NOISE", default_value_t = 1.0)]
    pub(crate) noise: f64,

    /// Lets each metric be far off on its own, more often than in networks
    #[arg(long, env = "NETQOE_BENCH_INSIGHT_HEAVY_TAILS")]
    pub(crate) heavy_tails: bool,

    /// Counts incidents too
    #[arg(long, env = "NETQOE_BENCH_INSIGHT_INCIDENTS")]
    pub(crate) incidents: bool,

    /// Share of the measurements that come a minute later, so that windows are revised after the look that tells of them
    #[arg(long, env = "NETQOE_BENCH_INSIGHT_LATE_SHARE", default_value_t = 0.0)]
    pub(crate) late_share: f64,
}

impl BenchClusterOptions {
    /// One process and one worker before these servers, for benches that load a cluster in their own way.
    pub(crate) fn smallest(nats_url: &[String], database_url: &str) -> Self {
        Self {
            nats_url: nats_url.to_vec(),
            database_url: database_url.to_owned(),
            workers: NonZeroUsize::MIN,
            processes: NonZeroU16::MIN,
            rate: NonZeroU32::MIN,
            seconds: NonZeroU32::MIN,
        }
    }
}

/// `3..7`, or `3` alone.
fn seeds(text: &str) -> Result<RangeInclusive<u64>, &'static str> {
    let (first, last) = text.split_once("..").unwrap_or((text, text));
    let number = |text: &str| text.trim_start_matches('=').parse().map_err(|_| "give seeds like 1..20, or one number");
    let (first, last) = (number(first)?, number(last)?);
    if first <= last { Ok(first..=last) } else { Err("the first seed is at most the last") }
}

impl std::fmt::Debug for BenchQueryOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // URLs may hold passwords.
        f.debug_struct("BenchQueryOptions").field("questions", &self.questions).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for BenchSharedLimitsOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // URLs may hold passwords.
        f.debug_struct("BenchSharedLimitsOptions").field("rate", &self.rate).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for BenchIncidentsOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // URLs may hold passwords.
        f.debug_struct("BenchIncidentsOptions").field("fault_minutes", &self.fault_minutes).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for BenchClusterOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // URLs may hold passwords.
        f.debug_struct("BenchClusterOptions").field("seconds", &self.seconds).finish_non_exhaustive()
    }
}
