//! Asking a consumer for messages. The client library's own streams can stop without a word, so what the server must
//! say, and by when, is watched here.

use std::time::Duration;

use async_nats::jetstream::consumer::pull::{BatchConfig, Config};
use async_nats::jetstream::consumer::{Consumer, Info};
use async_nats::jetstream::stream::Stream;
use async_nats::jetstream::{self, Context};
use async_nats::{HeaderMap, Message, StatusCode, Subscriber};
use futures::StreamExt;
use netqoe_model::Position;
use tokio::sync::oneshot;

use super::connect::with_sources;
use super::continuity::Seen;
use super::source::Source;

/// Messages asked for at a time: their number costs little, while the pause between two requests shows.
const PULL_MESSAGES: usize = 2_048;
/// Bytes asked for at a time, unless one message may be larger: a quarter of what may lie ready.
const PULL_BYTES: usize = 4 << 20;
/// What the server counts of a message beside its headers and payload, at most: its subjects.
const SUBJECT_ROOM_BYTES: usize = 1 << 10;
/// How long the server keeps a request that it has nothing for.
const PULL_EXPIRES: Duration = Duration::from_secs(30);
/// How long a server may take to make a consumer.
const CREATE_WAIT: Duration = Duration::from_secs(2);
/// How long the server is asked to delete a consumer that is left behind. It forgets it anyway, a minute later.
const DELETE_WAIT: Duration = Duration::from_secs(10);
/// How often the server says that it has nothing.
const HEARTBEAT: Duration = Duration::from_secs(1);
/// How long nothing may come before the consumer is given up: several heartbeats. The consumer may be on a server that is separated
/// from the others, while the connected one is not.
const SILENCE: Duration = Duration::from_secs(4);

/// What a consumer has to say.
#[allow(clippy::large_enum_variant, reason = "taken apart at once, never kept")]
pub(super) enum Delivery {
    /// A message, and how many there are after it.
    Message { message: Message, seen: Seen, pending: u64 },
    /// Nothing up to here.
    Nothing { through: Position },
    /// It wants to be asked again.
    Answered,
}

/// Why a consumer must be left behind.
pub(super) type Lost = String;

/// A consumer whose messages come in order and each once, or not at all. One that is dropped is deleted on the server.
pub(super) struct Pull {
    made: Made,
    inbox: String,
    messages: Subscriber,
    /// Lent to each message for a moment, which can be read with it only.
    context: Option<Context>,
    request: BatchConfig,
    /// Messages that were asked for and did not come yet.
    asked: usize,
    came: Came,
}

/// How many messages of a consumer came: it numbers them, so that none is missed and none comes twice.
#[derive(Default)]
struct Came(u64);

impl Came {
    /// Takes in the message of this number.
    fn next(&mut self, number: u64) -> Result<(), Lost> {
        if number != self.0 + 1 {
            return Err(format!("message {number} of the consumer came after message {}", self.0));
        }
        self.0 = number;
        Ok(())
    }

    /// The server has sent this number of messages.
    fn are_all(&self, sent: u64) -> Result<(), Lost> {
        if sent == self.0 { Ok(()) } else { Err(format!("the consumer sent {sent} messages, and {} came", self.0)) }
    }
}

impl Pull {
    /// Makes the consumer.
    pub(super) async fn start(source: &Source, config: Config) -> Result<Self, Lost> {
        let client = &source.connection.client;
        let inbox = client.new_inbox();
        let messages = client.subscribe(inbox.clone()).await.map_err(|error| with_sources(&error))?;
        let made = Made::new(&source.stream, config).await?;
        let request = BatchConfig {
            batch: PULL_MESSAGES,
            max_bytes: PULL_BYTES.max(client.max_payload() + SUBJECT_ROOM_BYTES),
            expires: Some(PULL_EXPIRES),
            idle_heartbeat: HEARTBEAT,
            ..BatchConfig::default()
        };
        let context = Some(source.connection.jetstream.clone());
        Ok(Self { made, inbox, messages, context, request, asked: 0, came: Came::default() })
    }

    /// The consumer as the server made it.
    pub(super) fn info(&self) -> &Info {
        self.made.consumer.cached_info()
    }

    /// Whether [`Pull::ask`] comes next.
    pub(super) fn must_ask(&self) -> bool {
        self.asked == 0
    }

    /// What may come after [`Pull::ask`], in bytes.
    pub(super) fn max_bytes(&self) -> usize {
        self.request.max_bytes
    }

    /// Asks for the next messages.
    pub(super) async fn ask(&mut self) -> Result<(), Lost> {
        let asked = self.made.consumer.request_batch(self.request.clone(), self.inbox.as_str().into()).await;
        asked.map_err(|error| with_sources(&error))?;
        self.asked = self.request.batch;
        Ok(())
    }

    /// What comes next.
    pub(super) async fn next(&mut self) -> Result<Delivery, Lost> {
        let silent = || format!("the server said nothing for {SILENCE:?}");
        let next = tokio::time::timeout(SILENCE, self.messages.next()).await.map_err(|_| silent())?;
        let message = next.ok_or("the connection is closed")?;
        match message.status {
            None | Some(StatusCode::OK) => self.message(message),
            Some(StatusCode::IDLE_HEARTBEAT) => self.heartbeat(message.headers.as_ref()),
            Some(status) => self.status(status, message.description.as_deref().unwrap_or_default()),
        }
    }

    fn message(&mut self, message: Message) -> Result<Delivery, Lost> {
        let context = self.context.take().ok_or("a message could not be read")?;
        let message = jetstream::Message { message, context };
        let (seen, number, pending) = {
            let info = message.info().map_err(|error| format!("a message has no place in the stream: {error}"))?;
            let seen =
                Seen { position: Position(info.stream_sequence), stored_ns: info.published.unix_timestamp_nanos() };
            (seen, info.consumer_sequence, info.pending)
        };
        let jetstream::Message { message, context } = message;
        self.context = Some(context);
        self.came.next(number)?;
        self.asked = self.asked.saturating_sub(1);
        Ok(Delivery::Message { message, seen, pending })
    }

    /// The server says up to where it has looked, and how many messages it has sent.
    fn heartbeat(&self, headers: Option<&HeaderMap>) -> Result<Delivery, Lost> {
        let number = |name| headers.and_then(|headers| headers.get(name)?.as_str().parse::<u64>().ok());
        if let Some(sent) = number("Nats-Last-Consumer") {
            self.came.are_all(sent)?;
        }
        Ok(Delivery::Nothing { through: Position(number("Nats-Last-Stream").unwrap_or_default()) })
    }

    /// A status ends the request. Where it says more than that, it ends the consumer.
    fn status(&mut self, status: StatusCode, description: &str) -> Result<Delivery, Lost> {
        // 409 has many meanings, which only their texts tell apart.
        let answered = match status {
            StatusCode::TIMEOUT | StatusCode::NOT_FOUND => true,
            StatusCode::REQUEST_TERMINATED => {
                ["Message Size Exceeds MaxBytes", "Batch Completed"].contains(&description)
            }
            _ => false,
        };
        if !answered {
            return Err(format!("the server ended the consumer: {status} {description}"));
        }
        self.asked = 0;
        Ok(Delivery::Answered)
    }
}

/// A consumer on the server, which is deleted once this is dropped.
struct Made {
    consumer: Consumer<Config>,
    stream: Stream,
}

impl Made {
    async fn new(stream: &Stream, config: Config) -> Result<Self, Lost> {
        let (answer, answered) = oneshot::channel();
        let stream = stream.clone();
        // A task of its own sees the answer, whatever becomes of its reader meanwhile: an answer that nobody waits for is dropped,
        // and the consumer deleted.
        tokio::spawn(async move {
            let made = stream.create_consumer(config).await;
            drop(answer.send(made.map(|consumer| Self { consumer, stream })));
        });
        // The server may have given it to one that can't be reached; then the next one is somewhere else.
        let answered = tokio::time::timeout(CREATE_WAIT, answered).await;
        let made = answered.map_err(|_| format!("no consumer was made within {CREATE_WAIT:?}"))?;
        made.map_err(|_| "the log is closed")?.map_err(|error| with_sources(&error))
    }
}

impl Drop for Made {
    /// Until a consumer is forgotten, a server that was parted from the others waits for it, and calls itself unhealthy.
    fn drop(&mut self) {
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        let (stream, name) = (self.stream.clone(), self.consumer.cached_info().name.clone());
        runtime.spawn(async move {
            if let Ok(Err(error)) = tokio::time::timeout(DELETE_WAIT, stream.delete_consumer(&name)).await {
                tracing::debug!("a consumer that was left behind is not deleted: {}", with_sources(&error));
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_that_is_missed_or_comes_twice_shows() {
        let mut came = Came::default();
        came.next(1).unwrap();
        came.next(2).unwrap();
        assert!(came.next(2).is_err() && came.next(4).is_err());
        assert!(came.are_all(2).is_ok() && came.are_all(3).is_err());
        came.next(3).unwrap();
    }
}
