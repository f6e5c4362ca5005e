//! How a log in JetStream works.

use std::fmt;
use std::num::NonZeroU16;
use std::path::PathBuf;
use std::time::Duration;

use netqoe_model::DEFAULT_PARTITIONS;
use netqoe_trace::Tracer;

use crate::LogClock;

/// How a [`JetStreamLog`](super::JetStreamLog) works.
#[derive(Clone)]
pub struct JetStreamOptions {
    /// Where the servers are.
    pub connection: NatsOptions,
    /// The stream that the log is in.
    pub stream: StreamOptions,
    /// How long an append may wait for its confirmation before it is refused. Shorter than the duplicate window, so
    /// that what is sent again within it is stored once.
    pub stall_wait: Duration,
    /// Tells the log time of an append, which the server's confirmation does not say.
    pub clock: LogClock,
    /// What starts the span of a message.
    pub tracer: Tracer,
}

impl JetStreamOptions {
    /// Servers, and defaults for all else: a stall wait of 5 s, no spans.
    pub fn new(connection: NatsOptions, clock: LogClock) -> Self {
        let (stream, stall_wait) = (StreamOptions::default(), Duration::from_secs(5));
        Self { connection, stream, stall_wait, clock, tracer: Tracer::OFF }
    }
}

/// How to connect to NATS.
#[derive(Clone, Debug, Default)]
pub struct NatsOptions {
    /// URLs of the servers of one cluster: `nats://HOST:PORT`, or `tls://` where it must be encrypted. A user and
    /// password, or a token, may be part of them.
    pub servers: Vec<String>,
    /// The credentials, unless the URLs have them.
    pub authentication: NatsAuthentication,
    /// Certificates (PEM) of the authorities that a server's certificate may come from; the system's where none is
    /// given.
    pub ca_file: Option<PathBuf>,
    /// Our own certificate and its key (PEM), for servers that ask for one.
    pub client_certificate: Option<(PathBuf, PathBuf)>,
}

/// The credentials for NATS.
#[derive(Clone, Default)]
pub enum NatsAuthentication {
    /// Those in the URLs, or none.
    #[default]
    FromUrl,
    /// A user of the server's configuration.
    UserAndPassword {
        /// Their name.
        user: String,
        /// Secret.
        password: String,
    },
    /// A secret token.
    Token(String),
    /// A file with a user's JWT and the seed of their key, as `nsc` writes it.
    CredentialsFile(PathBuf),
}

impl fmt::Debug for NatsAuthentication {
    /// Without what is secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::FromUrl => f.write_str("FromUrl"),
            Self::UserAndPassword { user, .. } => f.debug_struct("UserAndPassword").field("user", user).finish(),
            Self::Token(_) => f.write_str("Token"),
            Self::CredentialsFile(path) => f.debug_tuple("CredentialsFile").field(path).finish(),
        }
    }
}

/// The stream that a log is in. One that is there is used as it is; how it differs is reported.
///
/// Retention is always by limits: under another policy a stream forgets what was acknowledged, and a log must be
/// readable again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamOptions {
    /// Its name.
    pub name: String,
    /// The subject of events that others publish; partition p is at `<subject>.<p>`.
    pub subject: String,
    /// Partitions of a log that is made; one that is there keeps its own.
    pub partitions: NonZeroU16,
    /// How long a message is kept.
    pub max_age: Duration,
    /// How many messages are kept.
    pub max_messages: u64,
    /// How many bytes of messages are kept.
    pub max_bytes: u64,
    /// The largest message, in bytes with its headers.
    pub max_message_bytes: u32,
    /// What happens at these limits.
    pub discard: Discard,
    /// Copies of the stream in a cluster of servers: 1 or 3.
    pub replicas: u8,
    /// How long the server knows a message's id again.
    pub duplicate_window: Duration,
    /// Where messages are kept.
    pub storage: Storage,
}

impl Default for StreamOptions {
    /// What `nats stream add` makes of `--max-age 7d --max-msgs 10000000 --max-bytes 10GB --max-msg-size 1MB`; its
    /// units are powers of two.
    fn default() -> Self {
        Self {
            name: "telemetry-events".to_owned(),
            subject: "telemetry.events".to_owned(),
            partitions: DEFAULT_PARTITIONS,
            max_age: Duration::from_secs(7 * 86_400),
            max_messages: 10_000_000,
            max_bytes: 10 << 30,
            max_message_bytes: 1 << 20,
            discard: Discard::Old,
            replicas: 1,
            duplicate_window: Duration::from_secs(120),
            storage: Storage::File,
        }
    }
}

/// What a stream does at its limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Discard {
    /// It forgets the oldest messages, processed or not.
    Old,
    /// It refuses new ones.
    New,
}

/// Where a stream keeps its messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Storage {
    /// On disk.
    File,
    /// In memory: gone with the server.
    Memory,
}
