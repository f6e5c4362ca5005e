//! The commands of a cluster: `ingest` in front of the log, `aggregate` behind it.

use std::net::IpAddr;
use std::num::{NonZeroU16, NonZeroUsize};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::ensure;
use clap::{ArgAction, Args};
use netqoe_cluster::{Membership, Secret};
use netqoe_eventlog::ProgressOptions;
use netqoe_sinks::StoreUrl;

use super::nats::{DeadLetterArguments, NatsArguments, secret};
use super::{
    AdminOptions, DatabaseOptions, ListenOptions, LiveRuleOptions, MemoryOptions, RetentionOptions, SamplingOptions,
    ServerOptions, TracingOptions, positive, read_named,
};
use crate::exit::{self, WrongUsage};

/// Where timely's processes listen without a host file: on this machine, at this port plus their index.
const FIRST_PORT: u16 = 2101;
/// Holds the cluster's secret if no file does.
const SECRET_VARIABLE: &str = "NETQOE_CLUSTER_SECRET";

#[derive(Args, Debug)]
pub(crate) struct IngestOptions {
    #[command(flatten)]
    pub(crate) listen: ListenOptions,

    #[command(flatten)]
    pub(crate) nats: NatsArguments,

    #[command(flatten)]
    pub(crate) server: ServerOptions,

    #[command(flatten)]
    pub(crate) memory: MemoryOptions,

    /// Hold the rates of clients together with all instances that have this option, through a bucket of NATS's key-value
    /// store. By default each instance allows a client its whole rate. All need the same list of tokens
    #[arg(long, env = "NETQOE_SHARED_LIMITS", help_heading = "HTTP server")]
    pub(crate) shared_limits: bool,

    #[command(flatten)]
    pub(crate) admin: AdminOptions,

    /// How far in the future the time of an event may be
    #[arg(long, env = "NETQOE_MAX_FUTURE", default_value = "300s", value_parser = humantime::parse_duration)]
    pub(crate) max_future: Duration,

    #[command(flatten)]
    pub(crate) tracing: SamplingOptions,
}

#[derive(Args, Debug)]
#[command(disable_help_flag = true, after_help = exit::HELP)]
pub(crate) struct AggregateOptions {
    /// Worker threads of each process
    #[arg(short = 'w', long, env = "NETQOE_WORKERS", default_value = "1", value_parser = positive::<NonZeroUsize>)]
    pub(crate) workers: NonZeroUsize,

    /// Processes of the cluster
    #[arg(short = 'n', long, env = "NETQOE_PROCESSES", default_value = "1", value_parser = positive::<NonZeroU16>)]
    processes: NonZeroU16,

    /// Index of this process, from 0
    #[arg(short = 'p', long, env = "NETQOE_PROCESS", default_value_t = 0)]
    process: u16,

    /// File with the HOST:PORT of each process, one a line; without it, all are on this machine, at ports 2101, 2102, …
    #[arg(short = 'h', long, env = "NETQOE_HOSTS", value_name = "FILE")]
    hosts: Option<PathBuf>,

    /// File with a secret that all processes share; required if they are on several machines. NETQOE_CLUSTER_SECRET
    /// holds the secret itself
    #[arg(long, env = "NETQOE_CLUSTER_SECRET_FILE", value_name = "FILE")]
    cluster_secret_file: Option<PathBuf>,

    /// How long another process may be silent before it counts as lost
    #[arg(long, env = "NETQOE_TAKEOVER", default_value = "10s", value_parser = takeover)]
    takeover: Duration,

    /// Restart the process whenever it ends by itself, unless its options are wrong or another cluster has taken over the
    /// store
    #[arg(long, env = "NETQOE_SUPERVISE")]
    pub(crate) supervise: bool,

    /// Another process supervises this one and holds the other end of its standard input
    #[arg(long, hide = true)]
    pub(crate) supervised: bool,

    /// Store for the rows: postgres://…, or sqlite:PATH for one process
    #[arg(long, env = "NETQOE_DATABASE_URL", value_name = "URL", hide_env_values = true)]
    pub(crate) database_url: StoreUrl,

    #[command(flatten)]
    pub(crate) database: DatabaseOptions,

    #[command(flatten)]
    pub(crate) retention: RetentionOptions,

    /// Database that the query API reads, such as a replica; by default the store itself
    #[arg(long, env = "NETQOE_READ_DATABASE_URL", value_name = "URL", hide_env_values = true)]
    pub(crate) read_database_url: Option<StoreUrl>,

    #[command(flatten)]
    pub(crate) admin: AdminOptions,

    /// Address to listen on for queries, health and metrics. Addresses other than loopback require tokens
    #[arg(long, env = "NETQOE_LISTEN", value_name = "ADDRESS", default_value = "127.0.0.1")]
    pub(crate) listen: IpAddr,

    /// Port to listen on; 0 chooses a free one
    #[arg(long, env = "NETQOE_PORT", default_value_t = 8082)]
    pub(crate) port: u16,

    #[command(flatten)]
    pub(crate) nats: NatsArguments,

    #[command(flatten)]
    pub(crate) dead_letters: DeadLetterArguments,

    #[command(flatten)]
    pub(crate) consumer: ConsumerArguments,

    #[command(flatten)]
    pub(crate) server: ServerOptions,

    #[command(flatten)]
    pub(crate) rules: LiveRuleOptions,

    #[command(flatten)]
    pub(crate) tracing: TracingOptions,

    /// Print help
    #[arg(long, action = ArgAction::Help)]
    help: Option<bool>,
}

/// The durable consumer that shows how far rows reflect the stream.
#[derive(Args, Debug)]
#[command(next_help_heading = "Durable consumer")]
pub(crate) struct ConsumerArguments {
    /// Its name
    #[arg(long, env = "NETQOE_CONSUMER", value_name = "NAME", default_value_t = ProgressOptions::default().consumer)]
    consumer: String,
    /// How long the server waits for an acknowledgement
    #[arg(long, env = "NETQOE_ACK_WAIT", default_value = "30s", value_parser = humantime::parse_duration)]
    ack_wait: Duration,
    /// Messages that may wait for an acknowledgement at once
    #[arg(long, env = "NETQOE_MAX_ACK_PENDING", default_value_t = ProgressOptions::default().max_ack_pending,
          value_parser = clap::value_parser!(u32).range(1..))]
    max_ack_pending: u32,
    /// How often a message may be delivered
    #[arg(long, env = "NETQOE_MAX_DELIVER", default_value_t = ProgressOptions::default().max_deliver,
          value_parser = clap::value_parser!(u32).range(1..))]
    max_deliver: u32,
}

impl AggregateOptions {
    /// Which processes there are.
    ///
    /// # Errors
    /// [`WrongUsage`] where the options make no cluster.
    pub(crate) fn membership(&self) -> anyhow::Result<Membership> {
        let (process, processes) = (self.process, self.processes);
        ensure!(
            process < processes.get(),
            WrongUsage(format!("-p {process} is none of {processes} processes; they are numbered from 0"))
        );
        ensure!(
            processes.get() == 1 || matches!(self.database_url, StoreUrl::Postgres(_)),
            WrongUsage(format!(
                "{} is written by one process, not by -n {processes}; give one process more workers (-w), or a database \
                 that all processes reach (--database-url postgres://…)",
                self.database_url
            ))
        );
        let secret = secret(self.cluster_secret_file.as_ref(), SECRET_VARIABLE)?;
        let addresses = match &self.hosts {
            Some(path) => read_hosts(path, processes)?,
            None => addresses_here(processes)?,
        };
        Ok(Membership {
            process: process.into(),
            addresses,
            secret: secret.as_deref().map(Secret::new).unwrap_or_default(),
            takeover: self.takeover,
        })
    }
}

impl ConsumerArguments {
    pub(crate) fn progress(&self) -> ProgressOptions {
        ProgressOptions {
            consumer: self.consumer.clone(),
            ack_wait: self.ack_wait,
            max_ack_pending: self.max_ack_pending,
            max_deliver: self.max_deliver,
        }
    }
}

/// Where processes are that are all on this machine.
fn addresses_here(processes: NonZeroU16) -> anyhow::Result<Vec<String>> {
    let port = |index| FIRST_PORT.checked_add(index).map(|port| format!("127.0.0.1:{port}"));
    let addresses: Option<_> = (0..processes.get()).map(port).collect();
    addresses.ok_or_else(|| {
        WrongUsage(format!("there are no {processes} ports from {FIRST_PORT} on; give a host file (-h)")).into()
    })
}

fn read_hosts(path: &Path, processes: NonZeroU16) -> anyhow::Result<Vec<String>> {
    let text = read_named("the host file", path)?;
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let addresses: Vec<_> = lines.map(str::to_owned).take(processes.get().into()).collect();
    ensure!(
        addresses.len() == usize::from(processes.get()),
        WrongUsage(format!(
            "the host file {} names {} processes, -n asks for {processes}; write a line HOST:PORT for each",
            path.display(),
            addresses.len()
        ))
    );
    Ok(addresses)
}

/// Long enough for several signs of life.
const LEAST_TAKEOVER: Duration = Duration::from_secs(2);

fn takeover(text: &str) -> Result<Duration, String> {
    let takeover = humantime::parse_duration(text).map_err(|error| error.to_string())?;
    if takeover >= LEAST_TAKEOVER { Ok(takeover) } else { Err("a takeover takes at least 2s".to_owned()) }
}
