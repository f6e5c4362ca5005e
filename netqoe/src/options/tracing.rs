//! Where spans go and which are recorded, as options.

use std::path::PathBuf;

use clap::Args;
use netqoe_model::metrics::Metrics;
use netqoe_trace::{Collector, Headers, SampleRatio, SpanCounts, Tracing};

use super::nats::secret;
use crate::exit::WrongUsage;

/// Holds the headers themselves, if no file does.
const HEADERS_VARIABLE: &str = "NETQOE_OTLP_HEADERS";

#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Tracing")]
pub(crate) struct TracingOptions {
    /// Deliver spans to this collector by OTLP over HTTP: http://HOST:4318 or https://HOST, without /v1/traces. Without
    /// it, nothing is traced
    #[arg(long, env = "NETQOE_OTLP_ENDPOINT", value_name = "URL", hide_env_values = true)]
    otlp_endpoint: Option<Collector>,

    /// File with a header for the collector on each line, `Name: value`, such as its token; NETQOE_OTLP_HEADERS holds the
    /// lines themselves
    #[arg(long, env = "NETQOE_OTLP_HEADERS_FILE", value_name = "FILE", requires = "otlp_endpoint")]
    otlp_headers_file: Option<PathBuf>,
}

/// For what begins traces.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Tracing")]
pub(crate) struct SamplingOptions {
    #[command(flatten)]
    export: TracingOptions,

    /// Part of the traces that begin here to record, from 0 to 1. Of a request that is part of a trace already, what its
    /// `traceparent` says holds
    #[arg(long, env = "NETQOE_TRACE_SAMPLE", value_name = "RATIO", default_value = "0.01")]
    trace_sample: SampleRatio,
}

impl SamplingOptions {
    /// Tracing of this service, which counts its spans in `metrics`.
    pub(crate) fn start(&self, service: &'static str, metrics: &Metrics) -> anyhow::Result<Tracing> {
        self.export.start(service, self.trace_sample, metrics)
    }
}

impl TracingOptions {
    /// Tracing of a service that begins no trace.
    pub(crate) fn follow(&self, service: &'static str, metrics: &Metrics) -> anyhow::Result<Tracing> {
        self.start(service, SampleRatio::NONE, metrics)
    }

    fn start(&self, service: &'static str, ratio: SampleRatio, metrics: &Metrics) -> anyhow::Result<Tracing> {
        let Some(collector) = &self.otlp_endpoint else { return Ok(Tracing::default()) };
        let headers = secret(self.otlp_headers_file.as_ref(), HEADERS_VARIABLE)?.unwrap_or_default();
        let headers: Headers = headers.parse().map_err(|error| {
            WrongUsage(format!("the headers of --otlp-headers-file or {HEADERS_VARIABLE} can't be used: {error}"))
        })?;
        let collector = collector.clone().with_headers(headers);
        if collector.shows_headers() {
            tracing::warn!(
                "the headers for the collector can be read on the way to {collector}: use https://, unless the network in \
                 between is your own"
            );
        }
        Ok(Tracing::start(service, collector, ratio, SpanCounts::of(metrics))?)
    }
}
