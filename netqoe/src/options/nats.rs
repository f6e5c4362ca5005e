//! The connection to NATS, and the stream that the log is in. Names and defaults are those of the tuning guide.

use std::num::NonZeroU16;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::ensure;
use clap::{Args, ValueEnum};
use netqoe_eventlog::{
    DeadLetterOptions, Difference, Discard, JetStreamLog, JetStreamOptions, LogClock, NatsAuthentication, NatsOptions,
    Storage, StreamOptions,
};
use netqoe_model::{DEFAULT_PARTITIONS, LogTime};

use netqoe_trace::Tracer;

use super::{positive, read_named};
use crate::clock::now_ms;
use crate::exit::WrongUsage;

#[derive(Args, Clone)]
#[command(next_help_heading = "NATS JetStream")]
pub(crate) struct NatsArguments {
    /// Servers of one cluster: nats://HOST:PORT, or tls://HOST:PORT
    #[arg(long, env = "NETQOE_NATS_URL", value_name = "URL", value_delimiter = ',', hide_env_values = true)]
    nats_url: Vec<String>,
    /// User, with the password in --nats-password-file or NETQOE_NATS_PASSWORD
    #[arg(long, env = "NETQOE_NATS_USER", value_name = "NAME")]
    nats_user: Option<String>,
    /// File with the user's password
    #[arg(long, env = "NETQOE_NATS_PASSWORD_FILE", value_name = "FILE", requires = "nats_user")]
    nats_password_file: Option<PathBuf>,
    /// File with a token; NETQOE_NATS_TOKEN holds the token itself
    #[arg(long, env = "NETQOE_NATS_TOKEN_FILE", value_name = "FILE", conflicts_with = "nats_user")]
    nats_token_file: Option<PathBuf>,
    /// Credentials file of a user with a JWT
    #[arg(long, env = "NETQOE_NATS_CREDENTIALS", value_name = "FILE", conflicts_with_all = ["nats_user", "nats_token_file"])]
    nats_credentials: Option<PathBuf>,
    /// Certificates (PEM) of the authorities that may have signed the server's; by default the system's
    #[arg(long, env = "NETQOE_NATS_CA", value_name = "FILE")]
    nats_ca: Option<PathBuf>,
    /// Client certificate (PEM), for servers that ask for one
    #[arg(long, env = "NETQOE_NATS_CERTIFICATE", value_name = "FILE", requires = "nats_key")]
    nats_certificate: Option<PathBuf>,
    /// Key of the client certificate (PEM)
    #[arg(long, env = "NETQOE_NATS_KEY", value_name = "FILE", requires = "nats_certificate")]
    nats_key: Option<PathBuf>,
    /// Stream of the log. `ingest` and `aggregate` create it if it is missing; an existing one is used as it is
    #[arg(long, env = "NETQOE_STREAM", value_name = "NAME", default_value_t = StreamOptions::default().name)]
    stream: String,
    /// Subject of events that others publish; the log's partitions are at SUBJECT.0, SUBJECT.1, …
    #[arg(long, env = "NETQOE_SUBJECT", default_value_t = StreamOptions::default().subject)]
    subject: String,
    /// Partitions of a new stream
    #[arg(long, env = "NETQOE_PARTITIONS", default_value_t = DEFAULT_PARTITIONS, value_parser = positive::<NonZeroU16>)]
    partitions: NonZeroU16,
    /// How long the stream keeps a message
    #[arg(long, env = "NETQOE_STREAM_MAX_AGE", default_value = "7d", value_parser = humantime::parse_duration)]
    stream_max_age: Duration,
    /// Maximum number of messages in the stream
    #[arg(long, env = "NETQOE_STREAM_MAX_MESSAGES", default_value_t = StreamOptions::default().max_messages)]
    stream_max_messages: u64,
    /// Maximum size of the stream, in bytes
    #[arg(long, env = "NETQOE_STREAM_MAX_BYTES", default_value_t = StreamOptions::default().max_bytes)]
    stream_max_bytes: u64,
    /// Largest message of the stream, in bytes
    #[arg(long, env = "NETQOE_STREAM_MAX_MESSAGE_BYTES", default_value_t = StreamOptions::default().max_message_bytes)]
    stream_max_message_bytes: u32,
    /// What the stream does at its limits: discard the oldest messages, or refuse new ones
    #[arg(long, env = "NETQOE_STREAM_DISCARD", value_enum, default_value = "old")]
    stream_discard: DiscardArgument,
    /// Copies of the stream in a cluster of servers
    #[arg(long, env = "NETQOE_STREAM_REPLICAS", default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=5))]
    stream_replicas: u8,
    /// How long the server remembers the id of a message, to detect copies
    #[arg(long, env = "NETQOE_STREAM_DUPLICATE_WINDOW", default_value = "2m", value_parser = humantime::parse_duration)]
    stream_duplicate_window: Duration,
    /// Where the stream keeps its messages
    #[arg(long, env = "NETQOE_STREAM_STORAGE", value_enum, default_value = "file")]
    stream_storage: StorageArgument,
    /// How long an event may wait for the server's confirmation
    #[arg(long, env = "NETQOE_STALL_WAIT", default_value = "5s", value_parser = humantime::parse_duration)]
    stall_wait: Duration,
}

/// The stream of dead letters.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Dead letters")]
pub(crate) struct DeadLetterArguments {
    /// Stream of the dead letters. `aggregate` creates it if it is missing; an existing one is used as it is
    #[arg(long, env = "NETQOE_DLQ_STREAM", value_name = "NAME", default_value_t = DeadLetterOptions::default().stream)]
    dlq_stream: String,
    /// Subject of the dead letters
    #[arg(long, env = "NETQOE_DLQ_SUBJECT", value_name = "SUBJECT", default_value_t = DeadLetterOptions::default().subject)]
    dlq_subject: String,
}

impl DeadLetterArguments {
    pub(crate) fn stream(&self) -> DeadLetterOptions {
        DeadLetterOptions { stream: self.dlq_stream.clone(), subject: self.dlq_subject.clone(), ..Default::default() }
    }
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum DiscardArgument {
    Old,
    New,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum StorageArgument {
    File,
    Memory,
}

/// A variable that holds a secret.
const PASSWORD_VARIABLE: &str = "NETQOE_NATS_PASSWORD";
const TOKEN_VARIABLE: &str = "NETQOE_NATS_TOKEN";

impl std::fmt::Debug for NatsArguments {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // A URL may hold a password.
        f.debug_struct("NatsArguments").field("stream", &self.stream).finish_non_exhaustive()
    }
}

impl NatsArguments {
    /// Whether servers are named.
    pub(crate) fn is_given(&self) -> bool {
        !self.nats_url.is_empty()
    }

    /// The log of an existing stream, for read-only commands.
    pub(crate) fn find(&self) -> anyhow::Result<JetStreamLog> {
        Ok(JetStreamLog::find(self.log()?)?)
    }

    /// The log, whose stream is created if it is missing. Differences between an existing stream and the options are
    /// logged. Messages have spans of this tracer.
    pub(crate) fn open(&self, tracer: Tracer) -> anyhow::Result<JetStreamLog> {
        let log = JetStreamLog::open(JetStreamOptions { tracer, ..self.log()? })?;
        for difference in log.differences() {
            let Difference { setting, wanted, found } = difference;
            let name = &self.stream;
            tracing::warn!("stream {name} has {setting} {found}, the options say {wanted}; it is used as it is");
        }
        Ok(log)
    }

    /// Where the log is, and how a new one is made.
    pub(crate) fn log(&self) -> anyhow::Result<JetStreamOptions> {
        ensure!(
            self.is_given(),
            WrongUsage("no NATS server is named; give --nats-url nats://HOST:PORT, or set NETQOE_NATS_URL".to_owned())
        );
        let clock: LogClock = Arc::new(|| LogTime::from_ms(now_ms()));
        let defaults = JetStreamOptions::new(self.connection()?, clock);
        Ok(JetStreamOptions { stream: self.stream(), stall_wait: self.stall_wait, ..defaults })
    }

    fn connection(&self) -> anyhow::Result<NatsOptions> {
        Ok(NatsOptions {
            servers: self.nats_url.clone(),
            authentication: self.authentication()?,
            ca_file: self.nats_ca.clone(),
            client_certificate: self.nats_certificate.clone().zip(self.nats_key.clone()),
        })
    }

    fn authentication(&self) -> anyhow::Result<NatsAuthentication> {
        if let Some(path) = &self.nats_credentials {
            return Ok(NatsAuthentication::CredentialsFile(path.clone()));
        }
        if let Some(user) = &self.nats_user {
            let Some(password) = secret(self.nats_password_file.as_ref(), PASSWORD_VARIABLE)? else {
                let what =
                    format!("--nats-user needs a password; give --nats-password-file or set {PASSWORD_VARIABLE}");
                return Err(WrongUsage(what).into());
            };
            return Ok(NatsAuthentication::UserAndPassword { user: user.clone(), password });
        }
        let token = secret(self.nats_token_file.as_ref(), TOKEN_VARIABLE)?;
        Ok(token.map_or(NatsAuthentication::FromUrl, NatsAuthentication::Token))
    }

    fn stream(&self) -> StreamOptions {
        StreamOptions {
            name: self.stream.clone(),
            subject: self.subject.clone(),
            partitions: self.partitions,
            max_age: self.stream_max_age,
            max_messages: self.stream_max_messages,
            max_bytes: self.stream_max_bytes,
            max_message_bytes: self.stream_max_message_bytes,
            discard: match self.stream_discard {
                DiscardArgument::Old => Discard::Old,
                DiscardArgument::New => Discard::New,
            },
            replicas: self.stream_replicas,
            duplicate_window: self.stream_duplicate_window,
            storage: match self.stream_storage {
                StorageArgument::File => Storage::File,
                StorageArgument::Memory => Storage::Memory,
            },
        }
    }
}

/// From a file, or else from a variable.
pub(crate) fn secret(file: Option<&PathBuf>, variable: &str) -> anyhow::Result<Option<String>> {
    let Some(path) = file else { return Ok(std::env::var(variable).ok()) };
    Ok(Some(read_named("the secret in", path)?.trim().to_owned()))
}
