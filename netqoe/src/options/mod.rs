//! The command line. Each option has a flag, a variable `NETQOE_…` and a key in `netqoe.toml`: see [`crate::configuration`].

mod bench;
mod cluster;
mod database;
mod history;
mod letter_name;
mod metrics_listen;
mod nats;
mod operations;
mod probe;
mod report;
mod rules;
mod server;
mod threshold;

use std::net::IpAddr;
use std::num::{IntErrorKind, NonZeroUsize, ParseIntError};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};
use nats::NatsArguments;
use netqoe_sinks::StoreUrl;

use crate::exit::WrongUsage;
use crate::logging::LogFormat;
pub(crate) use bench::{
    BenchClusterOptions, BenchInsightOptions, BenchLiveOptions, BenchProbeOptions, BenchQueryOptions,
    BenchReplayOptions, NamedRules,
};
pub(crate) use cluster::{AggregateOptions, IngestOptions};
pub(crate) use database::DatabaseOptions;
pub(crate) use history::HistoryOptions;
pub(crate) use letter_name::LetterName;
pub(crate) use operations::{DlqCommand, DlqOptions, LetterChoice, MaintainOptions, MigrateOptions, RetentionOptions};
pub(crate) use probe::{Output, ProbeCommandOptions, ProbeOptions};
pub(crate) use report::ReportOptions;
pub(crate) use rules::{RuleOptions, RulesCommand, ms, names as rules_names};
pub(crate) use server::ServerOptions;

/// Network quality of experience: who is hurt, where, since when and why.
#[derive(Debug, Parser)]
#[command(name = "netqoe", version, subcommand_required = true, arg_required_else_help = true)]
pub(crate) struct Cli {
    /// How log lines on standard error look. RUST_LOG says which there are
    #[arg(long, global = true, env = "NETQOE_LOG_FORMAT", value_enum, default_value = "text")]
    pub(crate) log_format: LogFormat,

    /// Configuration file; ./netqoe.toml is read where it is there
    #[arg(long, global = true, env = "NETQOE_CONFIG", value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,

    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Everything in one process: durable log and store in one SQLite file, ingest, dataflow, query API
    Up(Box<UpOptions>),
    /// The measuring agent: measures targets on a fixed schedule, or one of them once
    Probe(Box<ProbeCommandOptions>),
    /// The HTTP API in front of a log in NATS JetStream
    Ingest(Box<IngestOptions>),
    /// The dataflow from a log in NATS JetStream to a store, on one or several processes of a timely cluster
    Aggregate(Box<AggregateOptions>),
    /// Batch replay of history into any store; the conservation counts go to standard output as JSON
    Replay(Box<ReplayOptions>),
    /// Operations on the log
    #[command(subcommand)]
    Log(LogCommand),
    /// Whether a data file is what was written to it; ends with 1 where it is not
    Doctor(DoctorOptions),
    /// What could not be counted, in a stream of NATS JetStream or in the store of `up`
    #[command(subcommand)]
    Dlq(Box<DlqCommand>),
    /// Brings the schema of a store up to date, as every command that writes to it does
    Migrate(Box<MigrateOptions>),
    /// Makes partitions ahead and lets go what is older than it is kept; a running cluster does it once a day
    Maintain(Box<MaintainOptions>),
    /// The rules by which windows are diagnosed
    #[command(subcommand)]
    Rules(RulesCommand),
    /// Measurements of netqoe itself
    #[command(subcommand)]
    Bench(BenchCommand),
    /// The configuration
    #[command(subcommand)]
    Config(ConfigCommand),
}

#[derive(Debug, Subcommand)]
pub(crate) enum LogCommand {
    /// Writes the log as NDJSON, in which recv_ts_ms is the log time
    Export(Box<LogExportOptions>),
    /// Gives records whose log time lies ahead of the clock the time at which they came, and has `up`, which must be
    /// stopped, compute their rows again at its next start
    HealClock(Box<HealClockOptions>),
}

#[derive(Debug, Subcommand)]
pub(crate) enum BenchCommand {
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
    /// Simulates a fleet with faults at every layer, and prints how often its diagnoses are right
    Insight(BenchInsightOptions),
}

#[derive(Debug, Subcommand)]
pub(crate) enum ConfigCommand {
    /// Reads the configuration file and says whether every key and value in it is understood
    Check,
}

#[derive(Args, Debug)]
pub(crate) struct UpOptions {
    /// First loads an hour of generated history with faults of every kind, then goes on live
    #[arg(long, env = "NETQOE_DEMO")]
    pub(crate) demo: bool,

    #[command(flatten)]
    pub(crate) probe: ProbeOptions,

    /// Folder of the data file; made where it is not there
    #[arg(long, env = "NETQOE_DATA", value_name = "DIR", default_value = "netqoe-data")]
    pub(crate) data: PathBuf,

    /// Address to listen on. On anything but loopback tokens are required
    #[arg(long, env = "NETQOE_LISTEN", value_name = "ADDRESS", default_value = "127.0.0.1")]
    pub(crate) listen: IpAddr,

    /// Port to listen on; 0 takes a free one
    #[arg(long, env = "NETQOE_PORT", default_value_t = 8081)]
    pub(crate) port: u16,

    /// Worker threads of the dataflow
    #[arg(short = 'w', long, env = "NETQOE_WORKERS", default_value = "1", value_parser = positive::<NonZeroUsize>)]
    pub(crate) workers: NonZeroUsize,

    /// How long the log keeps events that the store reflects
    #[arg(long, env = "NETQOE_LOG_MAX_AGE", default_value = "7d", value_parser = humantime::parse_duration)]
    pub(crate) log_max_age: Duration,

    /// Bytes that the log may hold
    #[arg(long, env = "NETQOE_LOG_MAX_BYTES", default_value_t = 10_000_000_000)]
    pub(crate) log_max_bytes: u64,

    /// A clock that jumped far ahead is believed once it has stayed there for so long; until then events are refused,
    /// and probes keep them. 0s believes it at once
    #[arg(long, env = "NETQOE_BELIEVE_CLOCK_AFTER", default_value = "10m", value_parser = humantime::parse_duration)]
    pub(crate) believe_clock_after: Duration,

    #[command(flatten)]
    pub(crate) retention: RetentionOptions,

    #[command(flatten)]
    pub(crate) server: ServerOptions,

    #[command(flatten)]
    pub(crate) rules: RuleOptions,
}

#[derive(Args, Debug)]
pub(crate) struct ReplayOptions {
    /// NDJSON file, plain or in gzip or zstd; `-` is standard input. With --nats-url the log there is read instead
    #[arg(long, env = "NETQOE_INPUT", value_name = "FILE", default_value = "-")]
    pub(crate) input: PathBuf,

    #[command(flatten)]
    pub(crate) nats: NatsArguments,

    #[command(flatten)]
    pub(crate) history: HistoryOptions,

    /// Where rows go: sqlite:PATH or postgres://…
    #[arg(long, env = "NETQOE_STORE", value_name = "URL", hide_env_values = true)]
    pub(crate) store: StoreUrl,

    /// Worker threads of the dataflow
    #[arg(short = 'w', long, env = "NETQOE_WORKERS", default_value_t = cores(), value_parser = positive::<NonZeroUsize>)]
    pub(crate) workers: NonZeroUsize,

    #[command(flatten)]
    pub(crate) database: DatabaseOptions,

    #[command(flatten)]
    pub(crate) rules: RuleOptions,
}

#[derive(Args, Debug)]
pub(crate) struct LogExportOptions {
    #[command(flatten)]
    pub(crate) nats: NatsArguments,

    /// Folder of the data file. With --nats-url the log there is written instead
    #[arg(long, env = "NETQOE_DATA", value_name = "DIR", default_value = "netqoe-data")]
    pub(crate) data: PathBuf,
}

#[derive(Args, Debug)]
pub(crate) struct DoctorOptions {
    /// Folder of the data file
    #[arg(long, env = "NETQOE_DATA", value_name = "DIR", default_value = "netqoe-data")]
    pub(crate) data: PathBuf,
}

#[derive(Args, Debug)]
pub(crate) struct HealClockOptions {
    /// Folder of the data file
    #[arg(long, env = "NETQOE_DATA", value_name = "DIR", default_value = "netqoe-data")]
    pub(crate) data: PathBuf,

    /// Says what would be done, and does nothing
    #[arg(long)]
    pub(crate) dry_run: bool,

    #[command(flatten)]
    pub(crate) rules: RuleOptions,
}

/// As many workers as the machine has cores.
pub(crate) fn cores() -> NonZeroUsize {
    std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN)
}

/// A number that may not be 0, with a message that says what may be given.
fn positive<N: FromStr<Err = ParseIntError>>(text: &str) -> Result<N, &'static str> {
    text.parse().map_err(|error: ParseIntError| match error.kind() {
        IntErrorKind::PosOverflow => "it is too large",
        _ => "give a whole number, 1 or more",
    })
}

/// The text of a file that an option names; `what` says what it is.
fn read_named(what: &str, path: &Path) -> Result<String, WrongUsage> {
    std::fs::read_to_string(path).map_err(|error| WrongUsage(format!("can't read {what} {}: {error}", path.display())))
}
