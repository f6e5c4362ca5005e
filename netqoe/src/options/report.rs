//! Where a probe sends its events, as options.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use netqoe_probe::{Endpoint, ReportSettings, SpoolBounds, Token, trusted_roots};

use netqoe_trace::Tracer;

use super::nats::secret;
use crate::exit::WrongUsage;

/// Holds the token itself, if no file does.
const TOKEN_VARIABLE: &str = "NETQOE_TOKEN";

#[derive(Args, Debug)]
#[command(next_help_heading = "Reporting")]
pub(crate) struct ReportOptions {
    /// Send events to this ingest, http://HOST:PORT or https://HOST, from a spool on disk; without it, they go to standard
    /// output
    #[arg(long, env = "NETQOE_ENDPOINT", value_name = "URL", conflicts_with = "once")]
    endpoint: Option<Endpoint>,

    /// File with the token for the endpoint; NETQOE_TOKEN holds the token itself
    #[arg(long, env = "NETQOE_TOKEN_FILE", value_name = "FILE", requires = "endpoint")]
    token_file: Option<PathBuf>,

    /// Use HTTP/2 with an endpoint without TLS; with TLS, the protocol is negotiated
    #[arg(long, env = "NETQOE_HTTP2_PRIOR_KNOWLEDGE", requires = "endpoint")]
    http2_prior_knowledge: bool,

    /// Folder in which events wait until the endpoint confirms them; created if it does not exist
    #[arg(long, env = "NETQOE_SPOOL", value_name = "DIR", default_value = "netqoe-spool", requires = "endpoint")]
    spool: PathBuf,

    /// Bytes of events that may wait; beyond that, the oldest are dropped
    #[arg(long, env = "NETQOE_SPOOL_MAX_BYTES", default_value_t = SpoolBounds::default().max_bytes, requires = "endpoint")]
    spool_max_bytes: u64,

    /// How long an event may wait before it is dropped
    #[arg(long, env = "NETQOE_SPOOL_MAX_AGE", default_value = "24h", value_parser = humantime::parse_duration, requires = "endpoint")]
    spool_max_age: Duration,
}

impl ReportOptions {
    /// For a probe with this client id, whose batches have spans of this tracer. `None` if events are not sent.
    pub(crate) fn settings(&self, client_id: &str, tracer: Tracer) -> anyhow::Result<Option<ReportSettings>> {
        let Some(endpoint) = self.endpoint.clone() else { return Ok(None) };
        let token = secret(self.token_file.as_ref(), TOKEN_VARIABLE)?.map(|text| text.parse::<Token>()).transpose();
        Ok(Some(ReportSettings {
            http2_prior_knowledge: self.http2_prior_knowledge,
            token: token.map_err(|error| WrongUsage(error.to_string()))?,
            roots: trusted_roots(),
            tracer,
            bounds: SpoolBounds { max_bytes: self.spool_max_bytes, max_age: self.spool_max_age },
            ..ReportSettings::new(endpoint, client_id.to_owned(), self.spool.clone())
        }))
    }
}
