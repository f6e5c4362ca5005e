//! The stream that a log is in: created if it is missing, otherwise used as it is.

use std::fmt;
use std::num::NonZeroU16;

use async_nats::jetstream::context::traits::Requester;
use async_nats::jetstream::response::Response;
use async_nats::jetstream::stream::{Config, DiscardPolicy, Info, RetentionPolicy, StorageType, Stream};
use netqoe_model::LogIdentity;
use serde_json::Value;

use super::breaks::Break;
use super::connect::Connection;
use super::find::{find_or_make, name, refused, request_error, unusable};
use super::options::{Discard, Storage, StreamOptions};
use super::subjects::Subjects;
use super::version::is_before;
use crate::LogError;

/// What a stream's description says before and after its number of partitions.
const DESCRIPTION: [&str; 2] = ["netqoe log, ", " partitions"];

/// What to do if a server has less room than the stream reserves.
const MAKE_ROOM: &str = "give the server more (max_file_store), or the stream less (--stream-max-bytes)";

/// On older servers, the copies of a stream may come to differ, as seen with 2.9.10.
const COPIES_AGREE_SINCE: (u32, u32) = (2, 10);

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
    let open = connection.insist(&name(&options.name), || try_open(connection, options)).await?;
    let (version, config) = (connection.client.server_info().version, &open.stream.cached_info().config);
    if config.num_replicas > 1 && is_before(&version, COPIES_AGREE_SINCE) {
        tracing::warn!(
            "stream {} has {} replicas on nats-server {version}: after a network has parted its servers, its copies may \
             differ for good; use nats-server 2.10 or newer",
            config.name,
            config.num_replicas
        );
    }
    Ok(open)
}

async fn try_open(connection: &Connection, options: &StreamOptions) -> Result<OpenStream, Break> {
    let mut stream = find_or_make(connection, &config(options), MAKE_ROOM).await?;
    let retention = stream.cached_info().config.retention;
    if retention != RetentionPolicy::Limits {
        let reason = format!("its retention policy {retention:?} forgets what was acknowledged; a log needs Limits");
        return Err(unusable(&options.name, reason).into());
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
async fn complete(connection: &Connection, options: &StreamOptions, found: &Config) -> Result<bool, Break> {
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
    let mut config = request(connection, &options.name, "STREAM.INFO", &serde_json::json!({})).await?["config"].take();
    config["subjects"] = subjects.into();
    config["description"] = description.into();
    request(connection, &options.name, "STREAM.UPDATE", &config).await?;
    Ok(true)
}

/// Asks JetStream about a stream: `what` is the subject of the question without the stream's name.
pub(super) async fn request(connection: &Connection, stream: &str, what: &str, with: &Value) -> Result<Value, Break> {
    let subject = format!("{what}.{stream}");
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
