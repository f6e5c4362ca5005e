//! The limits of the API and of its connections. The defaults are the performance guide's where it has one.

use std::num::{NonZeroU32, NonZeroUsize};
use std::time::Duration;

use netqoe_model::Rules;

use crate::memory::RequestMemory;

/// Longest body, in bytes after decompression: some 40,000 events.
pub const DEFAULT_MAX_BODY_BYTES: usize = 16 << 20;
/// Memory for requests while they arrive and are stored, in bytes, over all connections: half of the guide's 500 MB.
pub const DEFAULT_MAX_IN_FLIGHT_BODY_BYTES: usize = 256 << 20;
/// How long a body may take to arrive.
pub const DEFAULT_READ_TIMEOUT: Duration = Duration::from_secs(10);
/// How long the log may take to store, and a client to take its answer.
pub const DEFAULT_WRITE_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a connection may be without any traffic.
pub const DEFAULT_IDLE_TIMEOUT: Duration = Duration::from_secs(120);
/// How long the head of a request may take.
pub const DEFAULT_HEADER_TIMEOUT: Duration = Duration::from_secs(5);
/// Longest head of a request, in bytes: twice what nginx takes. A megabyte for each connection would be 10 GB.
pub const DEFAULT_MAX_HEADER_BYTES: u32 = 64 << 10;
/// Connections at once: ten times the guide's heaviest load test, and below the usual 1,024 × 16 open files.
pub const DEFAULT_MAX_CONNECTIONS: usize = 10_000;
/// How long requests may go on once the server stops.
pub const DEFAULT_DRAIN_TIMEOUT: Duration = Duration::from_secs(10);
/// Events per second and client: a hundred times what a probe with a thousand targets sends.
pub const DEFAULT_EVENT_RATE_PER_S: NonZeroU32 = NonZeroU32::new(5_000).unwrap();
/// Events that a client that was quiet may send at once: two of the longest bodies, so that a probe can send what it had to keep.
pub const DEFAULT_EVENT_RATE_BURST: NonZeroU32 = NonZeroU32::new(100_000).unwrap();
/// Requests per second and client.
pub const DEFAULT_RATE_PER_S: NonZeroU32 = NonZeroU32::new(100).unwrap();
/// Requests that a client that was quiet may send at once.
pub const DEFAULT_RATE_BURST: NonZeroU32 = NonZeroU32::new(60).unwrap();

/// Pairs of client and target at once. Each takes some 2 KB where it is counted, so all of them 2 GB: more than a fleet of a
/// thousand probes with hundreds of targets each has.
pub const DEFAULT_MAX_PAIRS: NonZeroUsize = NonZeroUsize::new(1_000_000).unwrap();
/// Of these, how many one client may have.
pub const DEFAULT_MAX_PAIRS_PER_CLIENT: NonZeroU32 = NonZeroU32::new(10_000).unwrap();
/// How long a pair has its place after its last event: as long as the default rules reach back, and an hour for what is still on
/// its way.
pub const DEFAULT_PAIRS_KEPT: Duration = Duration::from_secs(25 * 3600);

/// What a request may ask of ingest.
#[derive(Clone, Debug)]
pub struct IngestConfig {
    /// Longest body, in bytes after decompression.
    pub max_body_bytes: usize,
    /// What requests take their memory from. Above it they get 503.
    pub memory: RequestMemory,
    /// How long a body may take to arrive.
    pub read_timeout: Duration,
    /// How long the log may take to store what came. Above it the request gets 503.
    pub write_timeout: Duration,
    /// Requests per second and client.
    pub rate_per_s: NonZeroU32,
    /// Requests that a client that was quiet may send at once.
    pub rate_burst: NonZeroU32,
    /// Events per second and client.
    pub event_rate_per_s: NonZeroU32,
    /// Events that a client that was quiet may send at once.
    pub event_rate_burst: NonZeroU32,
    /// How far ahead of the clock an event may be, in milliseconds.
    pub max_future_ms: i64,
    /// Pairs of client and target. Events of one more get 429.
    pub max_pairs: NonZeroUsize,
    /// Targets of one client. Events of one more get 429.
    pub max_pairs_per_client: NonZeroU32,
    /// How long a pair has its place after its last event.
    pub pairs_kept: Duration,
}

impl Default for IngestConfig {
    fn default() -> Self {
        Self {
            max_body_bytes: DEFAULT_MAX_BODY_BYTES,
            memory: RequestMemory::new(DEFAULT_MAX_IN_FLIGHT_BODY_BYTES),
            read_timeout: DEFAULT_READ_TIMEOUT,
            write_timeout: DEFAULT_WRITE_TIMEOUT,
            rate_per_s: DEFAULT_RATE_PER_S,
            rate_burst: DEFAULT_RATE_BURST,
            event_rate_per_s: DEFAULT_EVENT_RATE_PER_S,
            event_rate_burst: DEFAULT_EVENT_RATE_BURST,
            max_future_ms: Rules::default().max_future_ms,
            max_pairs: DEFAULT_MAX_PAIRS,
            max_pairs_per_client: DEFAULT_MAX_PAIRS_PER_CLIENT,
            pairs_kept: DEFAULT_PAIRS_KEPT,
        }
    }
}

/// What a connection may ask of the server.
#[derive(Clone, Debug)]
pub struct ServerLimits {
    /// How long the head of a request may take, from its first byte.
    pub header_timeout: Duration,
    /// How long a connection may be without any traffic.
    pub idle_timeout: Duration,
    /// How long the body of a request may take, whatever it asks for.
    pub read_timeout: Duration,
    /// How long a client may leave its answer untaken.
    pub write_timeout: Duration,
    /// Longest head of a request, in bytes.
    pub max_header_bytes: u32,
    /// Connections at once. With one more, the oldest that has shown no token is closed; where all have, the new one is told so.
    pub max_connections: usize,
    /// What heads take their memory from: the same as bodies.
    pub memory: RequestMemory,
    /// How long requests may go on once the server stops.
    pub drain_timeout: Duration,
}

impl Default for ServerLimits {
    fn default() -> Self {
        Self {
            header_timeout: DEFAULT_HEADER_TIMEOUT,
            idle_timeout: DEFAULT_IDLE_TIMEOUT,
            read_timeout: DEFAULT_READ_TIMEOUT,
            write_timeout: DEFAULT_WRITE_TIMEOUT,
            memory: RequestMemory::new(DEFAULT_MAX_IN_FLIGHT_BODY_BYTES),
            max_header_bytes: DEFAULT_MAX_HEADER_BYTES,
            max_connections: DEFAULT_MAX_CONNECTIONS,
            drain_timeout: DEFAULT_DRAIN_TIMEOUT,
        }
    }
}
