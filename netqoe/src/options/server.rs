//! What clients may ask of the HTTP server, as options. Names and defaults are those of the tuning guide.

use std::num::{NonZeroU32, NonZeroUsize};
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use netqoe_ingest::IngestConfig;
use netqoe_server::limits::DEFAULT_MAX_IN_FLIGHT_BODY_BYTES;
use netqoe_server::{RequestMemory, ServerLimits, Tokens};

use super::{positive, read_named};
use crate::exit::WrongUsage;

#[derive(Args, Clone)]
#[command(next_help_heading = "HTTP server")]
pub(crate) struct ServerOptions {
    /// File with one token a line: `token`, `token=client` or `token=prefix*`; of 16 random characters or more, never fewer than 3. Without tokens, requests from this
    /// machine are taken with none or with `demo-token`
    #[arg(long, env = "NETQOE_TOKENS_FILE", value_name = "FILE", conflicts_with = "tokens")]
    tokens_file: Option<PathBuf>,
    /// The same list as text; better kept in a file or in the variable, where other users of the machine can't see it
    #[arg(long, env = "NETQOE_TOKENS", value_name = "LIST", hide_env_values = true)]
    tokens: Option<String>,
    /// Requests per second and client
    #[arg(long, env = "NETQOE_RATE", default_value_t = IngestConfig::default().rate_per_s, value_parser = positive::<NonZeroU32>)]
    rate: NonZeroU32,
    /// Requests that a client which was quiet may send at once
    #[arg(long, env = "NETQOE_RATE_BURST", default_value_t = IngestConfig::default().rate_burst, value_parser = positive::<NonZeroU32>)]
    rate_burst: NonZeroU32,
    /// Events per second and client
    #[arg(long, env = "NETQOE_EVENT_RATE", default_value_t = IngestConfig::default().event_rate_per_s, value_parser = positive::<NonZeroU32>)]
    event_rate: NonZeroU32,
    /// Events that a client which was quiet may send at once
    #[arg(long, env = "NETQOE_EVENT_RATE_BURST", default_value_t = IngestConfig::default().event_rate_burst, value_parser = positive::<NonZeroU32>)]
    event_rate_burst: NonZeroU32,
    /// Pairs of client and target that are taken, of those seen in the last day: each takes some 2 KB of memory where it is counted
    #[arg(long, env = "NETQOE_MAX_PAIRS", default_value_t = IngestConfig::default().max_pairs, value_parser = positive::<NonZeroUsize>)]
    max_pairs: NonZeroUsize,
    /// Of these, how many one client may have
    #[arg(long, env = "NETQOE_MAX_PAIRS_PER_CLIENT", default_value_t = IngestConfig::default().max_pairs_per_client, value_parser = positive::<NonZeroU32>)]
    max_pairs_per_client: NonZeroU32,
    /// Longest body, in bytes after decompression; a sixth of --max-in-flight-body-bytes at most
    #[arg(long, env = "NETQOE_MAX_BODY_BYTES", default_value_t = IngestConfig::default().max_body_bytes)]
    max_body_bytes: usize,
    /// Memory for requests that arrive and are stored, in bytes: a body takes three times its length after decompression, one
    /// token half of all, heads above 8 KiB a quarter
    #[arg(long, env = "NETQOE_MAX_IN_FLIGHT_BODY_BYTES", default_value_t = DEFAULT_MAX_IN_FLIGHT_BODY_BYTES)]
    max_in_flight_body_bytes: usize,
    /// Longest head of a request, in bytes
    #[arg(long, env = "NETQOE_MAX_HEADER_BYTES", default_value_t = ServerLimits::default().max_header_bytes)]
    max_header_bytes: u32,
    /// Connections at once. Where all are taken, the oldest that has shown no token is closed for a new one
    #[arg(long, env = "NETQOE_MAX_CONNECTIONS", default_value_t = default_connections(), value_parser = positive::<NonZeroUsize>)]
    max_connections: NonZeroUsize,
    /// How long a body may take to arrive
    #[arg(long, env = "NETQOE_READ_TIMEOUT", default_value = "10s", value_parser = humantime::parse_duration)]
    read_timeout: Duration,
    /// How long storing an event, and a client's taking of its answer, may last
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

    /// What heads and bodies of all requests take their memory from.
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
