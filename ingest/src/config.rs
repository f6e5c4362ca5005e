//! The limits of what a client may send. The defaults are the performance guide's where it has one.

use std::num::{NonZeroU32, NonZeroUsize};
use std::time::Duration;

use netqoe_model::{Rules, Uncounted};
use netqoe_server::RequestMemory;
use netqoe_server::limits::{DEFAULT_MAX_IN_FLIGHT_BODY_BYTES, DEFAULT_READ_TIMEOUT, DEFAULT_WRITE_TIMEOUT};
use netqoe_trace::Tracer;

use crate::MemoryBound;

/// Longest body, in bytes after decompression: some 40,000 events.
const DEFAULT_MAX_BODY_BYTES: usize = 16 << 20;
/// Events per second and client: a hundred times what a probe with a thousand targets sends.
const DEFAULT_EVENT_RATE_PER_S: NonZeroU32 = NonZeroU32::new(5_000).unwrap();
/// Events that a client that was quiet may send at once: two of the longest bodies, so that a probe can send what it had to keep.
const DEFAULT_EVENT_RATE_BURST: NonZeroU32 = NonZeroU32::new(100_000).unwrap();
/// Requests per second and client.
const DEFAULT_RATE_PER_S: NonZeroU32 = NonZeroU32::new(100).unwrap();
/// Requests that a client that was quiet may send at once.
const DEFAULT_RATE_BURST: NonZeroU32 = NonZeroU32::new(60).unwrap();
/// Pairs of client and target at once. Each takes some 7 KB where it is counted, so all of them 7 GB: more than a fleet of a
/// thousand probes with hundreds of targets each has.
const DEFAULT_MAX_PAIRS: NonZeroUsize = NonZeroUsize::new(1_000_000).unwrap();
/// Of these, how many one client may have.
const DEFAULT_MAX_PAIRS_PER_CLIENT: NonZeroU32 = NonZeroU32::new(10_000).unwrap();
/// How long a pair has its place after its last event: as long as the default rules reach back, and an hour for what is still on
/// its way.
const DEFAULT_PAIRS_KEPT: Duration = Duration::from_secs(25 * 3600);

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
    /// Whether other instances are told what is let through, and take it off their rates: [`Ingest::shared_limits`](crate::Ingest::shared_limits).
    pub shares_limits: bool,
    /// How far ahead of the clock an event may be, in milliseconds.
    pub max_future_ms: i64,
    /// Pairs of client and target. Events of one more get 429.
    pub max_pairs: NonZeroUsize,
    /// Targets of one client. Events of one more get 429.
    pub max_pairs_per_client: NonZeroU32,
    /// Memory of the process, where that is bounded. While there is more, events of new pairs get 429.
    pub memory_bound: Option<MemoryBound>,
    /// How long a pair has its place after its last event.
    pub pairs_kept: Duration,
    /// Where what is refused is noted for those who look on, if anybody does.
    pub uncounted: Option<Uncounted>,
    /// What starts the span of a request.
    pub tracer: Tracer,
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
            shares_limits: false,
            max_future_ms: Rules::default().max_future_ms,
            max_pairs: DEFAULT_MAX_PAIRS,
            max_pairs_per_client: DEFAULT_MAX_PAIRS_PER_CLIENT,
            memory_bound: None,
            pairs_kept: DEFAULT_PAIRS_KEPT,
            uncounted: None,
            tracer: Tracer::OFF,
        }
    }
}
