//! What is measured from here, as options. The defaults are those of the tuning guide.

use std::num::{NonZeroU64, NonZeroUsize};
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use clap::{Args, ValueEnum};
use netqoe_probe::{
    Family, INTERVALS, Label, Labels, Plan, PlannedTarget, Providers, ProvidersError, Settings, TIMEOUTS, Target,
    ThroughputObject, parse_throughput, trusted_roots,
};

use super::metrics_listen::MetricsListen;
use super::positive;
use super::report::ReportOptions;
use super::target_words::TargetWordOptions;
use super::threshold::Threshold;
use super::tracing::SamplingOptions;
use crate::exit::WrongUsage;

#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Probe")]
pub(crate) struct ProbeOptions {
    /// Target to measure: https://… (also without https://) http://… tcp://host:port icmp://host dns://server/name; may be given
    /// several times
    #[arg(long, env = "NETQOE_TARGET", value_name = "URL", value_delimiter = ',')]
    target: Vec<Target>,

    /// File with one target a line, with a table for each that says how it is measured (.toml, .json, .yml), or in the format of
    /// Prometheus's file-based service discovery (.json, .yml). It is reread when it changes and on SIGHUP; may be given several
    /// times
    #[arg(long, env = "NETQOE_TARGETS_FILE", value_name = "FILE", value_delimiter = ',')]
    pub(crate) targets_file: Vec<PathBuf>,

    /// Label of this client: what it is called, beside its id, in every event; may be given several times
    #[arg(long, env = "NETQOE_LABEL", value_name = "NAME=VALUE")]
    label: Vec<Label>,

    /// Time between two measurements of a target
    #[arg(long, env = "NETQOE_INTERVAL", default_value = "30s", value_parser = |text: &str| within(text, &INTERVALS))]
    pub(crate) interval: Duration,

    /// Time limit of one measurement
    #[arg(long, env = "NETQOE_TIMEOUT", default_value = "30s", value_parser = |text: &str| within(text, &TIMEOUTS))]
    timeout: Duration,

    /// Maximum number of concurrent measurements
    #[arg(long, env = "NETQOE_CONCURRENCY", default_value = "5", value_parser = positive::<NonZeroUsize>)]
    concurrency: NonZeroUsize,

    /// Object to measure the throughput with: its URL, or `/fixed/1mb.bin` for that of each target's own server (1 MiB, as
    /// served by `netqoe up`). Without this, or with `off`, nothing but the targets is fetched
    #[arg(long, env = "NETQOE_THROUGHPUT_URL", value_name = "URL")]
    throughput_url: Option<Throughput>,

    /// Do not follow redirects to other hosts: such a redirect is a failure. For targets that others may choose
    #[arg(long, env = "NETQOE_STAY_ON_HOST")]
    stay_on_host: bool,

    /// MaxMind database (GeoLite2-ASN or GeoIP2-ISP) to look up the provider of this machine's network
    #[arg(long, env = "NETQOE_ISP_DATABASE", value_name = "FILE")]
    isp_database: Option<PathBuf>,

    /// Use IPv4 only
    #[arg(long, env = "NETQOE_IPV4", conflicts_with = "ipv6")]
    ipv4: bool,

    /// Use IPv6 only
    #[arg(long, env = "NETQOE_IPV6")]
    ipv6: bool,

    /// Measure https:// only over HTTP/3 (QUIC, over UDP): a target that does not speak it fails
    #[cfg(feature = "http3")]
    #[arg(long, env = "NETQOE_HTTP3")]
    http3: bool,

    /// Client id of the events; by default the name of this machine
    #[arg(long, env = "NETQOE_CLIENT_ID", value_name = "NAME")]
    client_id: Option<String>,

    #[command(flatten)]
    words: TargetWordOptions,
}

#[derive(Args, Debug)]
pub(crate) struct ProbeCommandOptions {
    /// Targets, as with --target
    #[arg(value_name = "URL")]
    pub(crate) urls: Vec<Target>,

    #[command(flatten)]
    pub(crate) probe: ProbeOptions,

    /// Serve /metrics of the latest measurements here, and /probe?target=URL, which measures at once, as Prometheus's
    /// blackbox_exporter does. A port alone is on loopback; beyond loopback, /probe measures only the probe's own
    /// targets
    #[arg(long, env = "NETQOE_METRICS_LISTEN", value_name = "[ADDRESS:]PORT", conflicts_with = "once")]
    pub(crate) metrics_listen: Option<MetricsListen>,

    /// Measure each target once, print the result, and exit
    #[arg(long, env = "NETQOE_ONCE")]
    pub(crate) once: bool,

    /// With --once: measure so often, one second apart
    #[arg(long, env = "NETQOE_COUNT", value_name = "N", requires = "once", value_parser = positive::<NonZeroU64>)]
    pub(crate) count: Option<NonZeroU64>,

    /// With --once: measure again each second, until Ctrl-C
    #[arg(long, env = "NETQOE_WATCH", requires = "once", conflicts_with = "count")]
    pub(crate) watch: bool,

    /// Output of --once: a waterfall, or the event that would be sent
    #[arg(long, env = "NETQOE_OUTPUT", value_enum, default_value = "text")]
    pub(crate) output: Output,

    /// With --once: exit with code 3 if a phase took longer: dns, tcp, tls, ttfb, body or total
    #[arg(long, env = "NETQOE_FAIL_ABOVE", value_name = "PHASE=TIME", value_delimiter = ',')]
    pub(crate) fail_above: Vec<Threshold>,

    #[command(flatten)]
    pub(crate) report: ReportOptions,

    #[command(flatten)]
    pub(crate) tracing: SamplingOptions,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Output {
    Text,
    Json,
}

impl ProbeCommandOptions {
    /// Those that are given beside the files.
    pub(crate) fn given(&self) -> Result<Vec<PlannedTarget>, WrongUsage> {
        let targets: Vec<_> = self.urls.iter().chain(&self.probe.target).cloned().collect();
        self.probe.words.plan(&targets)
    }
}

impl ProbeOptions {
    /// Those that are given beside the files.
    pub(crate) fn given(&self) -> Result<Vec<PlannedTarget>, WrongUsage> {
        self.words.plan(&self.target)
    }

    /// What the probe does, under its own name or this machine's. The targets are apart.
    pub(crate) fn plan(&self) -> anyhow::Result<Plan> {
        let client_id = match &self.client_id {
            Some(name) => name.clone(),
            None => netqoe_probe::host_name()?,
        };
        let labels = Labels::of(self.label.iter().cloned()).map_err(|error| WrongUsage(format!("--label: {error}")))?;
        let plan = Plan::new(Vec::new(), client_id);
        Ok(Plan {
            labels,
            interval: self.interval,
            concurrency: self.concurrency.get(),
            settings: self.settings()?,
            ..plan
        })
    }

    fn settings(&self) -> Result<Settings, ProvidersError> {
        Ok(Settings {
            timeout: self.timeout,
            only: match (self.ipv4, self.ipv6) {
                (true, _) => Some(Family::V4),
                (_, true) => Some(Family::V6),
                _ => None,
            },
            roots: trusted_roots(),
            providers: self.isp_database.as_deref().map(Providers::open).transpose()?.map(Arc::new),
            throughput: match &self.throughput_url {
                None => None,
                Some(Throughput(object)) => object.clone(),
            },
            stay_on_host: self.stay_on_host,
            #[cfg(feature = "http3")]
            http3: self.http3,
            ..Settings::default()
        })
    }
}

/// What `--throughput-url` says: an object, or that there is none.
#[derive(Clone, Debug)]
struct Throughput(Option<ThroughputObject>);

impl FromStr for Throughput {
    type Err = netqoe_probe::InvalidTarget;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        parse_throughput(text).map(Self)
    }
}

fn within(text: &str, range: &RangeInclusive<Duration>) -> Result<Duration, String> {
    let duration = humantime::parse_duration(text).map_err(|error| error.to_string())?;
    let (shortest, longest) = (humantime::format_duration(*range.start()), humantime::format_duration(*range.end()));
    if range.contains(&duration) { Ok(duration) } else { Err(format!("must be from {shortest} to {longest}")) }
}
