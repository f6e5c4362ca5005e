//! What is measured from here, as options. The defaults are those of the tuning guide.

use std::num::NonZeroUsize;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use clap::{Args, ValueEnum};
use netqoe_probe::{
    FIXED_OBJECT_PATH, Family, Plan, Providers, ProvidersError, Settings, Target, ThroughputObject, trusted_roots,
};

use super::metrics_listen::MetricsListen;
use super::positive;
use super::report::ReportOptions;
use super::threshold::Threshold;
use super::tracing::SamplingOptions;

/// More often, a target would be loaded rather than measured; more seldom, its windows would have no neighbours.
const INTERVAL: RangeInclusive<Duration> = Duration::from_millis(100)..=Duration::from_hours(24);
/// In less time no connection comes about.
const TIMEOUT: RangeInclusive<Duration> = Duration::from_millis(1)..=Duration::from_hours(1);

#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Probe")]
pub(crate) struct ProbeOptions {
    /// Target to measure: http://… https://… tcp://host:port icmp://host dns://server/name; may be given several times
    #[arg(long, env = "NETQOE_TARGET", value_name = "URL", value_delimiter = ',')]
    pub(crate) target: Vec<Target>,

    /// Time between two measurements of a target
    #[arg(long, env = "NETQOE_INTERVAL", default_value = "30s", value_parser = |text: &str| within(text, &INTERVAL))]
    pub(crate) interval: Duration,

    /// Time limit of one measurement
    #[arg(long, env = "NETQOE_TIMEOUT", default_value = "30s", value_parser = |text: &str| within(text, &TIMEOUT))]
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
}

#[derive(Args, Debug)]
pub(crate) struct ProbeCommandOptions {
    /// Targets, as with --target
    #[arg(value_name = "URL")]
    pub(crate) urls: Vec<Target>,

    #[command(flatten)]
    pub(crate) probe: ProbeOptions,

    /// File with one target a line, or (.json, .yml) in the format of Prometheus's file-based service discovery. It is
    /// reread when it changes and on SIGHUP; may be given several times
    #[arg(long, env = "NETQOE_TARGETS_FILE", value_name = "FILE", value_delimiter = ',')]
    pub(crate) targets_file: Vec<PathBuf>,

    /// Serve /metrics of the latest measurements here, and /probe?target=URL, which measures at once, as Prometheus's
    /// blackbox_exporter does. A port alone is on loopback; beyond loopback, /probe measures only the probe's own
    /// targets
    #[arg(long, env = "NETQOE_METRICS_LISTEN", value_name = "[ADDRESS:]PORT", conflicts_with = "once")]
    pub(crate) metrics_listen: Option<MetricsListen>,

    /// Measure each target once, print the result, and exit
    #[arg(long, env = "NETQOE_ONCE")]
    pub(crate) once: bool,

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
    pub(crate) fn targets(&self) -> Vec<Target> {
        self.urls.iter().chain(&self.probe.target).cloned().collect()
    }
}

impl ProbeOptions {
    pub(crate) fn has_targets(&self) -> bool {
        !self.target.is_empty()
    }

    /// What the probe does, under its own name or this machine's.
    pub(crate) fn plan(&self) -> anyhow::Result<Plan> {
        let client_id = match &self.client_id {
            Some(name) => name.clone(),
            None => netqoe_probe::host_name()?,
        };
        let plan = Plan::new(self.target.clone(), client_id);
        Ok(Plan { interval: self.interval, concurrency: self.concurrency.get(), settings: self.settings()?, ..plan })
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
        Ok(Self(match text {
            "off" => None,
            FIXED_OBJECT_PATH => Some(ThroughputObject::OfTarget),
            url => Some(ThroughputObject::At(Box::new(url.parse()?))),
        }))
    }
}

fn within(text: &str, range: &RangeInclusive<Duration>) -> Result<Duration, String> {
    let duration = humantime::parse_duration(text).map_err(|error| error.to_string())?;
    let (shortest, longest) = (humantime::format_duration(*range.start()), humantime::format_duration(*range.end()));
    if range.contains(&duration) { Ok(duration) } else { Err(format!("must be from {shortest} to {longest}")) }
}
