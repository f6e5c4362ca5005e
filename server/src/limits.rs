//! The limits of connections. The defaults are the performance guide's where it has one.

use std::time::Duration;

use crate::memory::RequestMemory;

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
