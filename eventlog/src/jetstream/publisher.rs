//! Publishing what waits in one lane: one message at a time, sent again until it is confirmed.
//!
//! A partition has one message in flight, which holds all that came while the one before it was in flight. So a
//! partition's order is that of arrival even where messages are lost and sent again, batches grow with the load, and
//! nothing waits when there is none.
//!
//! Decision: D-011.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use async_nats::HeaderMap;
use async_nats::jetstream::ErrorCode;
use async_nats::jetstream::context::{PublishError, PublishErrorKind};
use async_nats::jetstream::message::PublishMessage;
use async_nats::jetstream::publish::PublishAck;
use bytes::Bytes;
use netqoe_model::Partition;
use netqoe_trace::{Kind, Tracer};
use tokio::sync::Semaphore;
use uuid::Uuid;

use super::connect::{Connection, with_sources};
use super::message::{HEADER_ROOM_BYTES, headers};
use super::queue::{Group, Queue};
use super::servers::Task;
use super::source::Source;
use crate::AppendError;
use crate::health::Health;

/// Messages in flight, at most: of that many the client library and the server make the most. Only a log of more
/// partitions comes near.
const MAX_IN_FLIGHT_MESSAGES: usize = 1_000;
/// Bytes in flight, at most: they are in memory here and in the buffers of the connection.
const MAX_IN_FLIGHT_BYTES: u32 = 32 << 20;
/// How long a confirmation may take before the message is sent again over the same connection.
const CONFIRMATION_WAIT: Duration = Duration::from_secs(2);
/// How long to wait before sending again what could not be stored for the moment.
const RETRY_PAUSE: Duration = Duration::from_millis(50);

/// What all lanes have in common.
pub(super) struct Publisher {
    pub queue: Queue,
    pub health: Health,
    connection: Connection,
    /// The stream's own limit for a message, if it has one.
    max_message_bytes: Option<usize>,
    stall_wait: Duration,
    messages: Semaphore,
    bytes: Semaphore,
    ids: MessageIds,
    tracer: Tracer,
}

impl Publisher {
    pub(super) fn new(
        source: &Source,
        max_message_bytes: Option<usize>,
        stall_wait: Duration,
        tracer: Tracer,
    ) -> Arc<Self> {
        Arc::new(Self {
            queue: Queue::new(source.identity.partitions.get()),
            health: Health::default(),
            connection: source.connection.clone(),
            max_message_bytes,
            stall_wait,
            messages: Semaphore::new(MAX_IN_FLIGHT_MESSAGES),
            bytes: Semaphore::new(MAX_IN_FLIGHT_BYTES as usize),
            ids: MessageIds::default(),
            tracer,
        })
    }

    /// Bytes of lines that a message takes at most.
    pub(super) fn max_lines_bytes(&self) -> usize {
        let server = self.connection.client.max_payload();
        self.max_message_bytes.map_or(server, |stream| stream.min(server)).saturating_sub(HEADER_ROOM_BYTES)
    }

    /// Publishes what comes for a partition, until the queue is closed and its lane is empty.
    pub(super) async fn run_lane(&self, partition: Partition, subject: &str) {
        while let Some(mut group) = self.queue.next(partition, self.max_lines_bytes()).await {
            let outcome = self.publish(subject, &mut group).await;
            self.health.set(outcome.as_ref().map(|_| ()).map_err(AppendError::to_string));
            group.answer(&outcome);
        }
    }

    /// Publishes a group until it is confirmed or refused, or has waited too long.
    async fn publish(&self, subject: &str, group: &mut Group) -> Result<(), AppendError> {
        let lines = Bytes::from(std::mem::take(&mut group.lines));
        let mut span = self.tracer.follow("publish", Kind::Producer, &group.traces, None);
        span.set_text("messaging.system", "nats");
        span.set_count("netqoe.requests", group.answers.len() as u64);
        span.set_count("netqoe.bytes", lines.len() as u64);
        let headers = headers(&self.ids.next(), &lines, span.sampled());
        let published = self.publish_until(group.since + self.stall_wait, subject, &headers, &lines).await;
        if published.is_err() {
            span.fail("the message was not confirmed");
        }
        published
    }

    async fn publish_until(
        &self,
        deadline: Instant,
        subject: &str,
        headers: &HeaderMap,
        lines: &Bytes,
    ) -> Result<(), AppendError> {
        if deadline <= Instant::now() {
            // Not even tried: what is given up on must not add to what is in flight.
            let reason = "what came before it took too long".to_owned();
            return Err(AppendError::Unconfirmed { waited: self.stall_wait, reason });
        }
        let started = Instant::now();
        let mut reason = format!("there is no connection to {}", self.connection.servers);
        let publish = async {
            let bytes = u32::try_from(lines.len()).unwrap_or(u32::MAX).min(MAX_IN_FLIGHT_BYTES);
            // Neither is ever closed.
            let _window = (self.messages.acquire().await, self.bytes.acquire_many(bytes).await);
            loop {
                let asked = Instant::now();
                let outcome = self.try_once(subject, headers, lines).await;
                // Also a refusal is the answer of a server that could have stored it.
                let answered = !matches!(outcome, Err(Failure::ForNow(_)));
                self.connection.note(Task::Publish, asked, answered);
                match outcome {
                    Ok(()) => return Ok(()),
                    Err(Failure::Refused(reason)) => return Err(AppendError::Refused { reason }),
                    Err(Failure::ForNow(what)) => reason = what,
                }
                tokio::time::sleep(RETRY_PAUSE).await;
            }
        };
        match tokio::time::timeout_at(deadline.into(), publish).await {
            Ok(outcome) => outcome,
            Err(_) => {
                // What was under way is given up before it could say so itself.
                self.connection.note(Task::Publish, started, false);
                Err(AppendError::Unconfirmed { waited: self.stall_wait, reason })
            }
        }
    }

    /// Sends a message once the connection stands, and waits for its confirmation for as long as the connection does.
    async fn try_once(&self, subject: &str, headers: &HeaderMap, lines: &Bytes) -> Result<(), Failure> {
        let link = self.connection.connected().await;
        let message = PublishMessage::build().headers(headers.clone()).payload(lines.clone());
        let confirmation =
            self.connection.jetstream.send_publish(subject.to_owned(), message).await.map_err(Failure::of)?;
        tokio::select! {
            confirmed = confirmation.into_future() => match confirmed {
                Ok(confirmed) if is_stored(&confirmed) => Ok(()),
                Ok(_) => Err(Failure::ForNow("the server knows the message and has not stored it yet".to_owned())),
                Err(error) => Err(Failure::of(error)),
            },
            () = self.connection.lost(link.made) => {
                Err(Failure::ForNow(format!("the connection to {} is lost", self.connection.servers)))
            }
            () = tokio::time::sleep(CONFIRMATION_WAIT) => Err(Failure::ForNow("no confirmation came".to_owned())),
        }
    }
}

/// Why a message was not stored.
enum Failure {
    /// Sending it again may help.
    ForNow(String),
    /// It would not.
    Refused(String),
}

impl Failure {
    #[allow(clippy::needless_pass_by_value, reason = "as map_err has it")]
    fn of(error: PublishError) -> Self {
        let reason = with_sources(&error);
        match error.kind() {
            PublishErrorKind::MaxPayloadExceeded => Self::Refused(reason),
            PublishErrorKind::StreamNotFound => Self::ForNow("no stream takes its subject".to_owned()),
            PublishErrorKind::Other => match refusal(&error) {
                Some(error) if is_temporary(error) => Self::ForNow(reason),
                Some(_) => Self::Refused(reason),
                None => Self::ForNow(reason),
            },
            _ => Self::ForNow(reason),
        }
    }
}

/// Whether a confirmation says where a message is. A server that leads a stream and has lost the others, of version 2.9 at
/// least, knows the id of a message that it could not store, and answers a copy of it as a duplicate at position 0.
pub(super) fn is_stored(confirmed: &PublishAck) -> bool {
    confirmed.sequence > 0
}

/// What JetStream answered in place of a confirmation.
fn refusal(error: &PublishError) -> Option<&async_nats::jetstream::Error> {
    std::error::Error::source(error)?.downcast_ref()
}

/// Whether a server that is starting, or a cluster that elects a leader, answers so; or one, of version 2.11 or newer, that
/// knows the id of a message that it has not stored yet.
fn is_temporary(error: &async_nats::jetstream::Error) -> bool {
    match error.error_code() {
        ErrorCode::STREAM_STORE_FAILED => false,
        ErrorCode::STREAM_DUPLICATE_MESSAGE_CONFLICT => true,
        _ => error.code() == 503,
    }
}

/// Ids that no other process gives out and that are never given out twice.
struct MessageIds {
    process: Uuid,
    given: AtomicU64,
}

impl Default for MessageIds {
    fn default() -> Self {
        Self { process: Uuid::now_v7(), given: AtomicU64::new(0) }
    }
}

impl MessageIds {
    fn next(&self) -> String {
        format!("{}-{}", self.process, self.given.fetch_add(1, Ordering::Relaxed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_known_and_not_stored_is_not_confirmed() {
        let confirmed = |text| is_stored(&serde_json::from_str(text).unwrap());
        assert!(confirmed(r#"{"stream":"s","seq":7}"#));
        assert!(confirmed(r#"{"stream":"s","seq":7,"duplicate":true}"#));
        assert!(!confirmed(r#"{"stream":"s","seq":0,"duplicate":true}"#));
        let temporary = |code: u64, error_code: u64| {
            let error = format!(r#"{{"code":{code},"err_code":{error_code},"description":""}}"#);
            is_temporary(&serde_json::from_str(&error).unwrap())
        };
        assert!(temporary(409, 10_158) && temporary(503, 10_008));
        assert!(!temporary(503, 10_077) && !temporary(400, 10_054));
    }

    #[test]
    fn ids_are_distinct() {
        let (one, other) = (MessageIds::default(), MessageIds::default());
        let ids: std::collections::BTreeSet<_> = [one.next(), one.next(), other.next(), other.next()].into();
        assert_eq!(ids.len(), 4);
    }
}
