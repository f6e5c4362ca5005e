//! The command line. Each option has a flag, a variable `NETQOE_…` and a key in `netqoe.toml`: see [`crate::configuration`].

mod admin;
mod cluster;
mod database;
mod first;
mod history;
mod incidents;
mod letter_name;
mod listen;
mod memory;
mod metrics_listen;
mod nats;
#[cfg(not(feature = "bench"))]
mod no_bench;
mod notify;
mod operations;
mod probe;
mod report;
mod rules;
mod rules_test;
mod serve;
mod server;
mod target_words;
mod threshold;
mod tracing;

use std::num::{IntErrorKind, NonZeroUsize, ParseIntError};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};
use nats::NatsArguments;
use netqoe_sinks::StoreUrl;

use crate::exit::WrongUsage;
use crate::logging::{LogFormat, level as log_level};
pub(crate) use admin::AdminOptions;
pub(crate) use cluster::{AggregateOptions, IngestOptions};
pub(crate) use database::DatabaseOptions;
pub(crate) use first::only_first;
pub(crate) use history::HistoryOptions;
pub(crate) use incidents::IncidentsOptions;
pub(crate) use letter_name::LetterName;
pub(crate) use listen::ListenOptions;
pub(crate) use memory::MemoryOptions;
#[cfg(not(feature = "bench"))]
pub(crate) use no_bench::NoBench;
pub(crate) use notify::{NotifyCommand, NotifyListOptions};
pub(crate) use operations::{DlqCommand, DlqOptions, LetterChoice, MaintainOptions, MigrateOptions, RetentionOptions};
pub(crate) use probe::{Output, ProbeCommandOptions, ProbeOptions};
pub(crate) use report::ReportOptions;
use rules::correction_horizon;
#[cfg(feature = "bench")]
pub(crate) use rules::rules_file;
pub(crate) use rules::{LiveRuleOptions, RuleOptions, RulesCommand, ms, names as rules_names};
pub(crate) use rules_test::{LimitOptions, RulesTestOptions};
pub(crate) use serve::ServeOptions;
pub(crate) use server::ServerOptions;
pub(crate) use tracing::{SamplingOptions, TracingOptions};

/// The folder of the data file where none is named.
const DATA: &str = "netqoe-data";
/// The same for generated data.
const DEMO_DATA: &str = "netqoe-demo";

/// Network quality of experience: which clients and targets are degraded, since when and why
#[derive(Debug, Parser)]
#[command(name = "netqoe", version = env!("NETQOE_VERSION"), subcommand_required = true, arg_required_else_help = true)]
pub(crate) struct Cli {
    /// Log format on standard error
    #[arg(long, global = true, env = "NETQOE_LOG_FORMAT", value_enum, default_value = "text")]
    pub(crate) log_format: LogFormat,

    /// What is logged, as RUST_LOG says it, such as `info` or `debug,netqoe_eventlog=trace`; by default what RUST_LOG says, or `info`
    #[arg(long, global = true, env = "NETQOE_LOG_LEVEL", value_name = "FILTER", value_parser = log_level)]
    pub(crate) log_level: Option<String>,

    /// Configuration file; by default ./netqoe.toml, if it exists
    #[arg(long, global = true, env = "NETQOE_CONFIG", value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,

    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run everything in one process: durable log and store in one SQLite file, ingest, dataflow, query API
    Up(Box<UpOptions>),
    /// Measure targets on a fixed schedule, or one of them once
    Probe(Box<ProbeCommandOptions>),
    /// Run the HTTP API in front of a log in NATS JetStream
    Ingest(Box<IngestOptions>),
    /// Run the dataflow from a log in NATS JetStream to a store, in one or several processes of a timely cluster
    Aggregate(Box<AggregateOptions>),
    /// Replay history into any store; the conservation counts go to standard output as JSON
    Replay(Box<ReplayOptions>),
    /// Show a store on the page and by the query API, and write nothing to it
    Serve(Box<ServeOptions>),
    /// Print the incidents of a store, oldest first
    Incidents(Box<IncidentsOptions>),
    /// Operations on the log
    #[command(subcommand)]
    Log(LogCommand),
    /// Check that a data file is intact, or how the servers of a cluster are set up; exit with 1 if something is to be changed
    Doctor(Box<DoctorOptions>),
    /// Copy the data file of `up` while it runs. The copy is whole and checked, or not there
    Backup(BackupOptions),
    /// Put a copy of a data file into a folder, from which `up` goes on
    Restore(RestoreOptions),
    /// List, show, replay or delete dead letters, in a stream of NATS JetStream or in the store of `up`
    #[command(subcommand)]
    Dlq(Box<DlqCommand>),
    /// Bring the schema of a store up to date, as every command that writes to it does
    Migrate(Box<MigrateOptions>),
    /// Create upcoming partitions and delete rows past retention; a running cluster does so once a day
    Maintain(Box<MaintainOptions>),
    /// Test the receivers of notifications, or show what waits for them. Receivers and routes stand in the configuration file
    #[command(subcommand)]
    Notify(NotifyCommand),
    /// Show or check the rules by which windows are diagnosed, or try new ones on history
    #[command(subcommand)]
    Rules(RulesCommand),
    /// Measurements of netqoe itself
    #[cfg(feature = "bench")]
    #[command(subcommand)]
    Bench(netqoe_benchmarks::BenchCommand),
    /// Measurements of netqoe itself, for which it must be built with `--features bench`
    #[cfg(not(feature = "bench"))]
    Bench(NoBench),
    /// Check the configuration, or show what it comes to
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Write manual pages and completions for bash, zsh and fish, for a package
    #[command(hide = true)]
    Documents(DocumentsOptions),
}

#[derive(Debug, Subcommand)]
pub(crate) enum LogCommand {
    /// Write the log as NDJSON, with the log time as recv_ts_ms
    Export(Box<LogExportOptions>),
    /// Give records whose log time lies ahead of the clock the time at which they came. `up` must be stopped; it computes
    /// their rows again at its next start
    HealClock(Box<HealClockOptions>),
}

#[derive(Debug, Subcommand)]
pub(crate) enum ConfigCommand {
    /// Check that every key and value in the configuration file is valid; all that is not is named
    Check,
    /// Print the options of a command, each with its value and what has set it: a variable, the file, or its default. Secrets are
    /// not shown
    Show {
        /// The command, such as `up` or `log export`; by default `up`
        command: Vec<String>,
    },
}

#[derive(Args, Debug)]
pub(crate) struct DocumentsOptions {
    /// Folder for them; created if it does not exist
    #[arg(long, value_name = "DIR")]
    pub(crate) to: PathBuf,
}

#[derive(Args, Debug)]
pub(crate) struct UpOptions {
    /// Load an hour of generated history with faults of every kind, then continue live
    #[arg(long, env = "NETQOE_DEMO")]
    pub(crate) demo: bool,

    /// First take in history with its own times: NDJSON as `log export` writes it, or events alone; plain, gzip or zstd, `-` is
    /// standard input. All of it must be later than what the log holds. After a crash, the same command goes on where it was
    #[arg(long, env = "NETQOE_IMPORT", value_name = "FILE", conflicts_with = "demo")]
    pub(crate) import: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) probe: ProbeOptions,

    /// Folder of the data file; created if it does not exist. By default netqoe-data, and netqoe-demo for the demo
    #[arg(long, env = "NETQOE_DATA", value_name = "DIR")]
    data: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) listen: ListenOptions,

    #[command(flatten)]
    pub(crate) admin: AdminOptions,

    /// Worker threads of the dataflow
    #[arg(short = 'w', long, env = "NETQOE_WORKERS", default_value = "1", value_parser = positive::<NonZeroUsize>)]
    pub(crate) workers: NonZeroUsize,

    /// How long the log keeps events after the store reflects them
    #[arg(long, env = "NETQOE_LOG_MAX_AGE", default_value = "7d", value_parser = humantime::parse_duration)]
    pub(crate) log_max_age: Duration,

    /// Maximum size of the log, in bytes
    #[arg(long, env = "NETQOE_LOG_MAX_BYTES", default_value_t = 10_000_000_000)]
    pub(crate) log_max_bytes: u64,

    /// How long a clock that jumped far ahead must stay there before it is trusted; until then events are refused, and
    /// probes keep them. 0s trusts it at once
    #[arg(long, env = "NETQOE_BELIEVE_CLOCK_AFTER", default_value = "10m", value_parser = humantime::parse_duration)]
    pub(crate) believe_clock_after: Duration,

    #[command(flatten)]
    pub(crate) retention: RetentionOptions,

    #[command(flatten)]
    pub(crate) server: ServerOptions,

    #[command(flatten)]
    pub(crate) memory: MemoryOptions,

    #[command(flatten)]
    pub(crate) rules: LiveRuleOptions,

    #[command(flatten)]
    pub(crate) tracing: SamplingOptions,
}

impl UpOptions {
    /// The folder of the data file. Generated data are kept apart from measured ones.
    pub(crate) fn data(&self) -> &Path {
        self.data.as_deref().unwrap_or(Path::new(if self.demo { DEMO_DATA } else { DATA }))
    }
}

#[derive(Args, Debug)]
pub(crate) struct ReplayOptions {
    /// NDJSON file, plain, gzip or zstd; `-` is standard input. With --nats-url, the log there is read instead
    #[arg(long, env = "NETQOE_INPUT", value_name = "FILE", default_value = "-")]
    pub(crate) input: PathBuf,

    #[command(flatten)]
    pub(crate) nats: NatsArguments,

    #[command(flatten)]
    pub(crate) history: HistoryOptions,

    /// Count events that came after their windows were closed, up to so long after the windows' ends, as if they had come in time:
    /// in rows, in what is usual, in diagnoses and incidents. The input is then read three times. By default as for the rows that
    /// --diff compares with; without --diff, and with `0s`, only --lateness counts
    #[arg(long, env = "NETQOE_CORRECTION_HORIZON", value_name = "DURATION", value_parser = correction_horizon)]
    pub(crate) correction_horizon: Option<Duration>,

    /// Store for the rows: sqlite:PATH or postgres://…
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

impl ReplayOptions {
    /// Checks what options must agree on.
    pub(crate) fn check(&self) -> Result<(), WrongUsage> {
        self.history.check()?;
        let lateness_ms = self.rules.rules().lateness_ms;
        if self.correction_horizon.is_some_and(|horizon| !horizon.is_zero() && ms(horizon) < lateness_ms) {
            return Err(WrongUsage(format!(
                "--correction-horizon is shorter than --lateness, {}: events count for that long in any case; give a longer one",
                humantime::format_duration(Duration::from_millis(lateness_ms.unsigned_abs()))
            )));
        }
        Ok(())
    }
}

#[derive(Args, Debug)]
pub(crate) struct LogExportOptions {
    #[command(flatten)]
    pub(crate) nats: NatsArguments,

    /// Folder of the data file. With --nats-url, the log there is exported instead
    #[arg(long, env = "NETQOE_DATA", value_name = "DIR", default_value = DATA)]
    pub(crate) data: PathBuf,
}

#[derive(Args, Debug)]
pub(crate) struct DoctorOptions {
    /// Folder of the data file. With --database-url or --nats-url, the servers of a cluster are checked instead
    #[arg(long, env = "NETQOE_DATA", value_name = "DIR", default_value = DATA)]
    pub(crate) data: PathBuf,

    /// Store of a cluster: postgres://…
    #[arg(long, env = "NETQOE_DATABASE_URL", value_name = "URL", hide_env_values = true)]
    pub(crate) database_url: Option<StoreUrl>,

    #[command(flatten)]
    pub(crate) database: DatabaseOptions,

    #[command(flatten)]
    pub(crate) nats: NatsArguments,
}

#[derive(Args, Debug)]
pub(crate) struct BackupOptions {
    /// Folder of the data file
    #[arg(long, env = "NETQOE_DATA", value_name = "DIR", default_value = DATA)]
    pub(crate) data: PathBuf,

    /// File for the copy, which must not exist
    #[arg(long, value_name = "FILE")]
    pub(crate) to: PathBuf,
}

#[derive(Args, Debug)]
pub(crate) struct RestoreOptions {
    /// A copy that `netqoe backup` has made
    #[arg(long, value_name = "FILE")]
    pub(crate) from: PathBuf,

    /// Folder for the data file, in which there must be none
    #[arg(long, env = "NETQOE_DATA", value_name = "DIR", default_value = DATA)]
    pub(crate) data: PathBuf,
}

#[derive(Args, Debug)]
pub(crate) struct HealClockOptions {
    /// Folder of the data file
    #[arg(long, env = "NETQOE_DATA", value_name = "DIR", default_value = DATA)]
    pub(crate) data: PathBuf,

    /// Only print what would be done
    #[arg(long)]
    pub(crate) dry_run: bool,

    #[command(flatten)]
    pub(crate) rules: RuleOptions,
}

/// As many workers as the machine has cores.
pub(crate) fn cores() -> NonZeroUsize {
    std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN)
}

/// A number above 0, with a message that says what is accepted.
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
