//! What NATS says of a log's stream and of its readers, for somebody to judge. Nothing is made or changed.

use std::time::Duration;

use async_nats::jetstream::stream::{Config, DiscardPolicy, RetentionPolicy, StorageType};
use netqoe_model::ClockDifference;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::breaks::Break;
use super::connect::Connection;
use super::find::{self, unusable};
use super::options::JetStreamOptions;
use super::runtime::OwnThread;
use super::version::is_before;
use super::{existing, stream};
use crate::{LogClock, LogError};

/// Consumers that are read. A log has one of netqoe's, and some for each process that reads just now.
const MAX_CONSUMERS: usize = 1_000;

/// What there is to judge of a log in JetStream.
#[derive(Clone, Debug, Default)]
pub struct JetStreamReadings {
    /// The servers' URLs, without what is secret in them.
    pub servers: String,
    /// The version of the server that answers.
    pub version: String,
    /// The stream's name.
    pub stream: String,
    /// Whether it is on disk.
    pub is_on_disk: bool,
    /// Whether it keeps a message until its limits are reached, whoever has read it.
    pub keeps_to_limits: bool,
    /// Whether it refuses new messages at its limits, rather than discarding the oldest.
    pub refuses_at_limits: bool,
    /// How many copies it has.
    pub replicas: usize,
    /// How long it knows a message's id again.
    pub duplicate_window: Duration,
    /// How long it keeps a message; none: for ever.
    pub max_age: Option<Duration>,
    /// What it holds, and how much that may be at most.
    pub messages: (u64, Option<u64>),
    /// The same, of bytes.
    pub bytes: (u64, Option<u64>),
    /// Its other copies; none where the server has no others.
    pub copies: Option<Vec<CopyReading>>,
    /// Who reads it.
    pub consumers: Vec<ConsumerReading>,
    /// How the server's clock compares with ours; none where its version does not tell the time.
    pub clock: Option<ClockDifference>,
    /// How far its newest message lies ahead of our clock, in milliseconds; negative where it lies behind, and none without a message.
    pub newest_ahead_ms: Option<i64>,
}

impl JetStreamReadings {
    /// Whether the server is older than this version; one that tells none is taken for a newer one.
    pub fn is_before(&self, version: (u32, u32)) -> bool {
        is_before(&self.version, version)
    }
}

/// A copy of the stream on a server that does not lead it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct CopyReading {
    /// The server's name.
    pub name: String,
    /// Whether it has everything.
    #[serde(default)]
    pub current: bool,
    /// Whether it is away.
    #[serde(default)]
    pub offline: bool,
}

/// A consumer of the stream.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct ConsumerReading {
    /// Its name.
    pub name: String,
    /// Messages that it has not been given.
    #[serde(rename = "num_pending")]
    pub pending: u64,
    /// Messages that it was given and has not acknowledged.
    #[serde(rename = "num_ack_pending")]
    pub ack_pending: u64,
}

impl JetStreamReadings {
    /// Reads the stream of a log.
    ///
    /// # Errors
    /// [`LogError`], if no server can be reached, it has no JetStream, or no such stream.
    pub fn of(options: JetStreamOptions) -> Result<Self, LogError> {
        let unusable = |error: std::io::Error| unusable(&options.stream.name, error.to_string());
        let thread = OwnThread::start().map_err(unusable)?;
        thread.wait(async move { read(&options).await })
    }
}

async fn read(options: &JetStreamOptions) -> Result<JetStreamReadings, LogError> {
    let connection = Connection::open(&options.connection).await?;
    let (name, clock) = (&options.stream.name, &options.clock);
    // For its errors, which say what to do.
    existing::find(&connection, name, &options.stream.subject).await?;
    let reading = || async { Ok((info(&connection, name, clock).await?, consumers(&connection, name).await?)) };
    let ((info, clock, newest_ahead_ms), consumers) = connection.insist(&find::name(name), reading).await?;
    let Info { config, state, cluster, .. } = info;
    Ok(JetStreamReadings {
        servers: connection.servers.clone(),
        version: connection.client.server_info().version,
        stream: name.clone(),
        is_on_disk: config.storage == StorageType::File,
        keeps_to_limits: config.retention == RetentionPolicy::Limits,
        refuses_at_limits: config.discard == DiscardPolicy::New,
        replicas: config.num_replicas,
        duplicate_window: config.duplicate_window,
        max_age: Some(config.max_age).filter(|age| !age.is_zero()),
        messages: (state.messages, limit(config.max_messages)),
        bytes: (state.bytes, limit(config.max_bytes)),
        copies: cluster.map(|cluster| cluster.replicas),
        consumers,
        clock,
        newest_ahead_ms,
    })
}

/// What the server says of a stream. Newer ones date it, which the client library leaves out.
#[derive(Deserialize)]
struct Info {
    config: Config,
    state: State,
    #[serde(default)]
    cluster: Option<Cluster>,
    #[serde(default)]
    ts: Option<String>,
}

#[derive(Deserialize)]
struct State {
    messages: u64,
    bytes: u64,
    last_ts: String,
}

#[derive(Deserialize)]
struct Cluster {
    #[serde(default)]
    replicas: Vec<CopyReading>,
}

/// A page of the stream's consumers.
#[derive(Deserialize)]
struct Page {
    #[serde(default)]
    consumers: Vec<ConsumerReading>,
    total: usize,
}

/// With how the server's clock, and the newest message, compare with ours.
async fn info(
    connection: &Connection,
    name: &str,
    clock: &LogClock,
) -> Result<(Info, Option<ClockDifference>, Option<i64>), Break> {
    let asked_ms = clock().ms();
    let info: Info = ask(connection, name, "STREAM.INFO", &json!({})).await?;
    let answered_ms = clock().ms();
    let there_ms = info.ts.as_deref().and_then(unix_ms);
    let difference = there_ms.map(|there_ms| ClockDifference::between(asked_ms, there_ms, answered_ms));
    let newest_ms = Some(&info.state.last_ts).filter(|_| info.state.messages > 0).and_then(|text| unix_ms(text));
    Ok((info, difference, newest_ms.map(|newest_ms| newest_ms - answered_ms)))
}

async fn consumers(connection: &Connection, name: &str) -> Result<Vec<ConsumerReading>, Break> {
    let mut consumers = Vec::new();
    loop {
        let page: Page = ask(connection, name, "CONSUMER.LIST", &json!({ "offset": consumers.len() })).await?;
        let is_last = page.consumers.is_empty();
        consumers.extend(page.consumers);
        if is_last || consumers.len() >= page.total.min(MAX_CONSUMERS) {
            return Ok(consumers);
        }
    }
}

async fn ask<T: DeserializeOwned>(connection: &Connection, name: &str, what: &str, with: &Value) -> Result<T, Break> {
    let answer = stream::request(connection, name, what, with).await?;
    serde_json::from_value(answer).map_err(|error| unusable(name, format!("its server's answer: {error}")).into())
}

/// A limit as JetStream writes it: below 1 for none.
fn limit(limit: i64) -> Option<u64> {
    u64::try_from(limit).ok().filter(|limit| *limit > 0)
}

fn unix_ms(text: &str) -> Option<i64> {
    Some(text.parse::<jiff::Timestamp>().ok()?.as_millisecond())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_servers_answer_is_read() {
        let config = json!({
            "name": "s", "retention": "limits", "max_consumers": -1, "max_msgs": 5, "max_bytes": -1, "discard": "new",
            "max_age": 1_000_000_000, "storage": "file", "num_replicas": 3, "duplicate_window": 120_000_000_000_u64,
        });
        let state = json!({ "messages": 1, "bytes": 2, "last_ts": "2026-01-02T03:04:05.678901234Z" });
        let cluster = json!({ "leader": "a", "replicas": [{ "name": "b", "current": true, "active": 7, "lag": 9 }] });
        let info: Info =
            serde_json::from_value(json!({ "config": config, "state": state, "cluster": cluster })).unwrap();
        assert_eq!((info.config.num_replicas, info.config.max_age), (3, Duration::from_secs(1)));
        assert_eq!((limit(info.config.max_messages), limit(info.config.max_bytes)), (Some(5), None));
        assert_eq!(unix_ms(&info.state.last_ts), Some(1_767_323_045_678));
        let copy = CopyReading { name: "b".to_owned(), current: true, offline: false };
        assert_eq!(info.cluster.unwrap().replicas, [copy]);
        assert_eq!(info.ts, None, "nats-server 2.9 does not date its answers");
    }
}
