//! The stream that a log is in: made where it is missing, used as it is where it is there.

use std::fmt;
use std::num::NonZeroU16;
use std::time::{Duration, Instant};

use async_nats::jetstream::context::traits::Requester;
use async_nats::jetstream::context::{CreateStreamErrorKind, GetStreamErrorKind, RequestError, RequestErrorKind};
use async_nats::jetstream::response::Response;
use async_nats::jetstream::stream::{Config, DiscardPolicy, Info, RetentionPolicy, StorageType, Stream};
use async_nats::jetstream::{self, ErrorCode};
use netqoe_model::LogIdentity;
use serde_json::Value;

use super::connect::{Connection, with_sources};
use super::options::{Discard, Storage, StreamOptions};
use super::subjects::Subjects;
use crate::LogError;

/// What a stream's description says before and after its number of partitions.
const DESCRIPTION: [&str; 2] = ["netqoe log, ", " partitions"];

/// How long another process may take to make the stream.
const MAKING: Duration = Duration::from_secs(2);
/// How often to look whether it is made.
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// A setting of a stream that is not as it is wanted. The stream is used all the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// What NATS calls it.
    pub setting: &'static str,
    /// As the options say.
    pub wanted: String,
    /// As the stream has it.
    pub found: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is {}, not {}", self.setting, self.found, self.wanted)
    }
}

/// What the log needs to know of its stream.
pub(super) struct OpenStream {
    pub stream: Stream,
    pub identity: LogIdentity,
    pub differences: Vec<Difference>,
}

/// Finds the stream or makes it, and sees to it that it can hold a log.
pub(super) async fn open(connection: &Connection, options: &StreamOptions) -> Result<OpenStream, LogError> {
    let mut stream = find_or_create(connection, options).await?;
    let retention = stream.cached_info().config.retention;
    if retention != RetentionPolicy::Limits {
        let reason = format!("its retention policy {retention:?} forgets what was acknowledged; a log needs Limits");
        return Err(unusable(&options.name, reason));
    }
    if complete(connection, options, &stream.cached_info().config).await? {
        // What the server made of it, or of what another process did at the same time.
        stream.info().await.map_err(|error| request_error(connection, &options.name, &error))?;
    }
    let info = stream.cached_info();
    let partitions = partitions(&info.config).ok_or_else(|| {
        unusable(&options.name, "its description does not say its number of partitions any more".to_owned())
    })?;
    let identity = LogIdentity { id: identity(info), partitions };
    Ok(OpenStream { identity, differences: differences(options, info), stream })
}

/// The stream, once it is wholly made: another process may be making it right now.
async fn find_or_create(connection: &Connection, options: &StreamOptions) -> Result<Stream, LogError> {
    let deadline = Instant::now() + MAKING;
    loop {
        let made = match find(connection, &options.name).await? {
            Some(stream) => Ok(stream),
            None => create(connection, options).await?,
        };
        match made {
            // Until then the server shows it as made at the beginning of its calendar.
            Ok(stream) if stream.cached_info().created.unix_timestamp() > 0 => return Ok(stream),
            Err(reason) if Instant::now() > deadline => return Err(unusable(&options.name, reason)),
            _ => tokio::time::sleep(LOOK_AGAIN).await,
        }
    }
}

/// Distinguishes the stream from another of the same name: a stream that is made anew has another.
pub(super) fn identity(info: &Info) -> String {
    format!("{}@{}", info.config.name, info.created.unix_timestamp_nanos())
}

/// The number of partitions that the stream's description says.
pub(super) fn partitions(config: &Config) -> Option<NonZeroU16> {
    let (_, after) = config.description.as_deref()?.split_once(DESCRIPTION[0])?;
    after.split_once(DESCRIPTION[1])?.0.parse().ok()
}

/// Whether the stream takes another message, where it does not forget old ones for it.
pub(super) fn has_room(info: &Info) -> Result<(), String> {
    let (limits, state) = (&info.config, &info.state);
    let reached = |limit: i64, found: u64| u64::try_from(limit).is_ok_and(|limit| limit > 0 && found >= limit);
    let full = reached(limits.max_messages, state.messages) || reached(limits.max_bytes, state.bytes);
    if limits.discard == DiscardPolicy::New && full {
        let (name, messages, bytes) = (&limits.name, state.messages, state.bytes);
        return Err(format!(
            "stream {name} is at its limit with {messages} messages of {bytes} bytes; raise the limit"
        ));
    }
    Ok(())
}

/// What errors call a stream.
pub(super) fn name(stream: &str) -> String {
    format!("stream {stream}")
}

/// The stream of this name, where there is one.
pub(super) async fn find(connection: &Connection, name: &str) -> Result<Option<Stream>, LogError> {
    let error = match connection.jetstream.get_stream(name).await {
        Ok(stream) => return Ok(Some(stream)),
        Err(error) => error,
    };
    match error.kind() {
        GetStreamErrorKind::JetStream(error) if error.error_code() == ErrorCode::STREAM_NOT_FOUND => Ok(None),
        GetStreamErrorKind::JetStream(error) => Err(refused(connection, name, &error)),
        // What the request failed of is its source.
        _ => match std::error::Error::source(&error).and_then(|source| source.downcast_ref::<RequestError>()) {
            Some(request) => Err(request_error(connection, name, request)),
            None => Err(unusable(name, with_sources(&error))),
        },
    }
}

/// Makes the stream, or says why it can't be made for the moment.
async fn create(connection: &Connection, options: &StreamOptions) -> Result<Result<Stream, String>, LogError> {
    let error = match connection.jetstream.create_stream(config(options)).await {
        Ok(stream) => return Ok(Ok(stream)),
        Err(error) => error,
    };
    match error.kind() {
        // Another process may have begun to make it a moment ago, perhaps otherwise than we would have.
        CreateStreamErrorKind::JetStream(error)
            if [ErrorCode::STREAM_NAME_EXIST, ErrorCode::STREAM_SUBJECT_OVERLAP].contains(&error.error_code()) =>
        {
            Ok(Err(error.to_string()))
        }
        CreateStreamErrorKind::JetStream(error) if has_no_room(&error) => Err(LogError::NoRoom {
            log: name(&options.name),
            bytes: options.max_bytes,
            reason: error.to_string(),
            advice: "give the server more (max_file_store), or the stream less (--stream-max-bytes)",
        }),
        CreateStreamErrorKind::JetStream(error) => Err(refused(connection, &options.name, &error)),
        _ => Err(unusable(&options.name, with_sources(&error))),
    }
}

/// Whether a server answers so that has less room than a stream sets aside.
pub(super) fn has_no_room(error: &jetstream::Error) -> bool {
    [ErrorCode::STORAGE_RESOURCES_EXCEEDED, ErrorCode::MEMORY_RESOURCES_EXCEEDED, ErrorCode::INSUFFICIENT_RESOURCES]
        .contains(&error.error_code())
}

fn config(options: &StreamOptions) -> Config {
    Config {
        name: options.name.clone(),
        description: Some(format!("{}{}{}", DESCRIPTION[0], options.partitions, DESCRIPTION[1])),
        subjects: Subjects::of_stream(&options.subject).to_vec(),
        retention: RetentionPolicy::Limits,
        max_age: options.max_age,
        max_messages: limit(options.max_messages),
        max_bytes: limit(options.max_bytes),
        max_message_size: i32::try_from(options.max_message_bytes).unwrap_or(i32::MAX),
        discard: discard(options.discard),
        num_replicas: usize::from(options.replicas),
        duplicate_window: options.duplicate_window,
        storage: storage(options.storage),
        ..Config::default()
    }
}

/// A limit as JetStream writes it: -1 for none.
fn limit(limit: u64) -> i64 {
    if limit == 0 { -1 } else { i64::try_from(limit).unwrap_or(i64::MAX) }
}

fn discard(discard: Discard) -> DiscardPolicy {
    match discard {
        Discard::Old => DiscardPolicy::Old,
        Discard::New => DiscardPolicy::New,
    }
}

fn storage(storage: Storage) -> StorageType {
    match storage {
        Storage::File => StorageType::File,
        Storage::Memory => StorageType::Memory,
    }
}

/// Adds to a stream what a log can't do without: its subjects, and its number of partitions. Whether that was needed.
/// All else is given back as it came, also what this version knows nothing of.
async fn complete(connection: &Connection, options: &StreamOptions, found: &Config) -> Result<bool, LogError> {
    let mut subjects = found.subjects.clone();
    subjects
        .extend(Subjects::of_stream(&options.subject).into_iter().filter(|wanted| !found.subjects.contains(wanted)));
    let mut description = found.description.clone().unwrap_or_default();
    if partitions(found).is_none() {
        let separator = if description.is_empty() { "" } else { "; " };
        description += &format!("{separator}{}{}{}", DESCRIPTION[0], options.partitions, DESCRIPTION[1]);
    }
    if subjects == found.subjects && partitions(found).is_some() {
        return Ok(false);
    }
    let mut config = request(connection, &options.name, "INFO", &serde_json::json!({})).await?["config"].take();
    config["subjects"] = subjects.into();
    config["description"] = description.into();
    request(connection, &options.name, "UPDATE", &config).await?;
    Ok(true)
}

/// Asks JetStream about a stream.
async fn request(connection: &Connection, stream: &str, what: &str, with: &Value) -> Result<Value, LogError> {
    let subject = format!("STREAM.{what}.{stream}");
    let response = Requester::request(&connection.jetstream, subject, with).await;
    match response.map_err(|error| request_error(connection, stream, &error))? {
        Response::Ok(answer) => Ok(answer),
        Response::Err { error } => Err(refused(connection, stream, &error)),
    }
}

fn differences(options: &StreamOptions, info: &Info) -> Vec<Difference> {
    let (wanted, found) = (config(options), &info.config);
    let mut differences = Vec::new();
    let mut compare = |setting, wanted: String, found: String| {
        if wanted != found {
            differences.push(Difference { setting, wanted, found });
        }
    };
    let partitions = partitions(found).map_or_else(String::new, |partitions| partitions.to_string());
    compare("partitions", options.partitions.to_string(), partitions);
    compare("max_age", format!("{:?}", wanted.max_age), format!("{:?}", found.max_age));
    compare("max_msgs", wanted.max_messages.to_string(), found.max_messages.to_string());
    compare("max_bytes", wanted.max_bytes.to_string(), found.max_bytes.to_string());
    compare("max_msg_size", wanted.max_message_size.to_string(), found.max_message_size.to_string());
    compare("discard", format!("{:?}", wanted.discard), format!("{:?}", found.discard));
    compare("num_replicas", wanted.num_replicas.to_string(), found.num_replicas.to_string());
    compare("duplicate_window", format!("{:?}", wanted.duplicate_window), format!("{:?}", found.duplicate_window));
    compare("storage", format!("{:?}", wanted.storage), format!("{:?}", found.storage));
    differences
}

fn unusable(stream: &str, reason: String) -> LogError {
    LogError::Stream { log: name(stream), reason }
}

/// What JetStream's refusal means.
fn refused(connection: &Connection, stream: &str, error: &jetstream::Error) -> LogError {
    match error.error_code() {
        ErrorCode::JETSTREAM_NOT_ENABLED | ErrorCode::JETSTREAM_NOT_ENABLED_FOR_ACCOUNT => {
            LogError::NoJetStream { servers: connection.servers.clone() }
        }
        _ => unusable(stream, format!("{error}")),
    }
}

/// What it means that JetStream did not answer.
fn request_error(connection: &Connection, stream: &str, error: &RequestError) -> LogError {
    match error.kind() {
        RequestErrorKind::NoResponders => LogError::NoJetStream { servers: connection.servers.clone() },
        _ => unusable(stream, with_sources(error)),
    }
}
