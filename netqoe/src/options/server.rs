//! What clients may ask of the HTTP server, as options. Names and defaults are those of the tuning guide.

use std::num::{NonZeroU32, NonZeroUsize};
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use netqoe_ingest::IngestConfig;
use netqoe_server::limits::DEFAULT_MAX_IN_FLIGHT_BODY_BYTES;
use netqoe_server::{RequestMemory, ServerLimits, Tls, Tokens};

use super::{positive, read_named};
use crate::exit::WrongUsage;

#[derive(Args, Clone)]
#[command(next_help_heading = "HTTP server")]
pub(crate) struct ServerOptions {
    /// File with one token a line: `token`, `token=client` or `token=prefix*`, of 16 or more random characters and never
    /// fewer than 3. Without tokens, requests from this machine need none, or may use `demo-token`
    #[arg(long, env = "NETQOE_TOKENS_FILE", value_name = "FILE", conflicts_with = "tokens")]
    tokens_file: Option<PathBuf>,
    /// The same list as text; prefer the file or the variable, which other users of the machine can't see
    #[arg(long, env = "NETQOE_TOKENS", value_name = "LIST", hide_env_values = true)]
    tokens: Option<String>,
    /// Certificate (PEM) to speak TLS with, followed by those that it was signed by. It is read again when it changes, and on SIGHUP
    #[arg(long, env = "NETQOE_TLS_CERT", value_name = "FILE")]
    tls_cert: Option<PathBuf>,
    /// Key of the certificate (PEM)
    #[arg(long, env = "NETQOE_TLS_KEY", value_name = "FILE")]
    tls_key: Option<PathBuf>,
    /// Requests per second and client
    #[arg(long, env = "NETQOE_RATE", default_value_t = IngestConfig::default().rate_per_s, value_parser = positive::<NonZeroU32>)]
    rate: NonZeroU32,
    /// Requests that a client may send at once after a quiet time
    #[arg(long, env = "NETQOE_RATE_BURST", default_value_t = IngestConfig::default().rate_burst, value_parser = positive::<NonZeroU32>)]
    rate_burst: NonZeroU32,
    /// Events per second and client
    #[arg(long, env = "NETQOE_EVENT_RATE", default_value_t = IngestConfig::default().event_rate_per_s, value_parser = positive::<NonZeroU32>)]
    event_rate: NonZeroU32,
    /// Events that a client may send at once after a quiet time
    #[arg(long, env = "NETQOE_EVENT_RATE_BURST", default_value_t = IngestConfig::default().event_rate_burst, value_parser = positive::<NonZeroU32>)]
    event_rate_burst: NonZeroU32,
    /// Maximum number of pairs of client and target within a day: each takes about 7 KB of memory where it is counted
    #[arg(long, env = "NETQOE_MAX_PAIRS", default_value_t = IngestConfig::default().max_pairs, value_parser = positive::<NonZeroUsize>)]
    max_pairs: NonZeroUsize,
    /// Maximum number of pairs of one client
    #[arg(long, env = "NETQOE_MAX_PAIRS_PER_CLIENT", default_value_t = IngestConfig::default().max_pairs_per_client, value_parser = positive::<NonZeroU32>)]
    max_pairs_per_client: NonZeroU32,
    /// Longest body, in bytes after decompression; at most a sixth of --max-in-flight-body-bytes
    #[arg(long, env = "NETQOE_MAX_BODY_BYTES", default_value_t = IngestConfig::default().max_body_bytes)]
    max_body_bytes: usize,
    /// Memory for requests while they arrive and are stored, in bytes: a body takes three times its decompressed length, one
    /// token at most half of all, heads above 8 KiB at most a quarter
    #[arg(long, env = "NETQOE_MAX_IN_FLIGHT_BODY_BYTES", default_value_t = DEFAULT_MAX_IN_FLIGHT_BODY_BYTES)]
    max_in_flight_body_bytes: usize,
    /// Longest head of a request, in bytes
    #[arg(long, env = "NETQOE_MAX_HEADER_BYTES", default_value_t = ServerLimits::default().max_header_bytes)]
    max_header_bytes: u32,
    /// Maximum number of connections. If all are taken, the oldest that has shown no token is closed for a new one
    #[arg(long, env = "NETQOE_MAX_CONNECTIONS", default_value_t = default_connections(), value_parser = positive::<NonZeroUsize>)]
    max_connections: NonZeroUsize,
    /// How long a body may take to arrive
    #[arg(long, env = "NETQOE_READ_TIMEOUT", default_value = "10s", value_parser = humantime::parse_duration)]
    read_timeout: Duration,
    /// How long storing events, and sending an answer to a client, may take
    #[arg(long, env = "NETQOE_WRITE_TIMEOUT", default_value = "10s", value_parser = humantime::parse_duration)]
    write_timeout: Duration,
    /// How long a connection may be idle
    #[arg(long, env = "NETQOE_IDLE_TIMEOUT", default_value = "120s", value_parser = humantime::parse_duration)]
    idle_timeout: Duration,
    /// How long the head of a request may take to arrive
    #[arg(long, env = "NETQOE_HEADER_TIMEOUT", default_value = "5s", value_parser = humantime::parse_duration)]
    header_timeout: Duration,
}

fn default_connections() -> NonZeroUsize {
    NonZeroUsize::new(ServerLimits::default().max_connections).unwrap_or(NonZeroUsize::MIN)
}

impl std::fmt::Debug for ServerOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Tokens are secret.
        f.debug_struct("ServerOptions").finish_non_exhaustive()
    }
}

impl ServerOptions {
    pub(crate) fn tokens(&self) -> anyhow::Result<Tokens> {
        let text = match (&self.tokens_file, &self.tokens) {
            // The command line knows that they conflict; one of them may stand in the configuration file.
            (Some(_), Some(_)) => {
                return Err(WrongUsage("tokens_file and tokens are both set; keep one of them".to_owned()).into());
            }
            (Some(path), None) => read_named("the tokens in", path)?,
            (None, Some(text)) => text.clone(),
            (None, None) => return Ok(Tokens::none_on_loopback()),
        };
        Ok(Tokens::parse(&text)?)
    }

    /// The certificate, where there is one.
    pub(crate) fn tls(&self) -> anyhow::Result<Option<Tls>> {
        match (&self.tls_cert, &self.tls_key) {
            (None, None) => Ok(None),
            (Some(certificate), Some(key)) => {
                Ok(Some(Tls::open(certificate, key).map_err(|error| WrongUsage(error.to_string()))?))
            }
            _ => Err(WrongUsage("--tls-cert and --tls-key belong together; give both".to_owned()).into()),
        }
    }

    /// The memory for heads and bodies of all requests.
    pub(crate) fn memory(&self) -> RequestMemory {
        RequestMemory::new(self.max_in_flight_body_bytes)
    }

    pub(crate) fn ingest(&self, max_future_ms: i64, memory: &RequestMemory) -> IngestConfig {
        IngestConfig {
            max_body_bytes: self.max_body_bytes,
            memory: memory.clone(),
            read_timeout: self.read_timeout,
            write_timeout: self.write_timeout,
            rate_per_s: self.rate,
            rate_burst: self.rate_burst,
            event_rate_per_s: self.event_rate,
            event_rate_burst: self.event_rate_burst,
            max_future_ms,
            max_pairs: self.max_pairs,
            max_pairs_per_client: self.max_pairs_per_client,
            ..IngestConfig::default()
        }
    }

    pub(crate) fn limits(&self, memory: &RequestMemory) -> ServerLimits {
        ServerLimits {
            header_timeout: self.header_timeout,
            idle_timeout: self.idle_timeout,
            read_timeout: self.read_timeout,
            write_timeout: self.write_timeout,
            memory: memory.clone(),
            max_header_bytes: self.max_header_bytes,
            max_connections: self.max_connections.get(),
            ..ServerLimits::default()
        }
    }
}
