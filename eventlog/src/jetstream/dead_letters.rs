//! The stream of lines that could not be counted: nothing is lost, and nothing is retried for ever.
//!
//! Decisions: D-020, D-048.

use std::collections::BTreeMap;
use std::time::Duration;

use async_nats::jetstream::context::PublishAckFuture;
use async_nats::jetstream::message::PublishMessage;
use async_nats::jetstream::stream::{Config, LastRawMessageErrorKind, Stream};
use futures::stream::{self, StreamExt, TryStreamExt};
use netqoe_model::{DeadLetter, Event, Partition, Position};

use super::JetStreamLog;
use super::connect::with_sources;
use super::existing;
use super::find::{self, find_or_make};
use super::letter::{self, StoredLetter};
use super::message::is_ndjson;
use super::publisher::is_stored;
use super::subjects::Origin;
use crate::{AppendError, EventLog, LogError};

/// What to do if a server has less room than the stream reserves.
const MAKE_ROOM: &str = "give the server more (max_file_store)";
/// Letters in flight at a time.
const IN_FLIGHT: usize = 64;

/// The stream that dead letters are in. One that is there is used as it is; one that is made has as many copies as the
/// log's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeadLetterOptions {
    /// Its name.
    pub stream: String,
    /// Its subject.
    pub subject: String,
    /// How many bytes of letters are kept; beyond it the oldest go.
    pub max_bytes: u64,
    /// How long the server knows a letter again that is set aside twice, as after a crash.
    pub duplicate_window: Duration,
}

impl Default for DeadLetterOptions {
    fn default() -> Self {
        Self {
            stream: "telemetry-dlq".to_owned(),
            subject: "telemetry.dlq".to_owned(),
            max_bytes: 1 << 30,
            duplicate_window: Duration::from_secs(3_600),
        }
    }
}

/// Which letters come first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LetterOrder {
    /// The newest.
    NewestFirst,
    /// The oldest.
    OldestFirst,
}

/// The dead letters of one log.
#[derive(Clone)]
pub struct DeadLetters {
    log: JetStreamLog,
    stream: Stream,
    subject: String,
    name: String,
}

impl DeadLetters {
    /// Finds the stream or makes it.
    pub(super) async fn open(log: JetStreamLog, options: DeadLetterOptions) -> Result<Self, LogError> {
        let config = Config {
            name: options.stream.clone(),
            description: Some("what netqoe could not count, with its reason and origin in headers".to_owned()),
            subjects: vec![options.subject.clone()],
            max_bytes: i64::try_from(options.max_bytes).unwrap_or(i64::MAX),
            num_replicas: log.source().stream.cached_info().config.num_replicas,
            duplicate_window: options.duplicate_window,
            ..Config::default()
        };
        let connection = &log.source().connection;
        let making = || find_or_make(connection, &config, MAKE_ROOM);
        let stream = connection.insist(&find::name(&options.stream), making).await?;
        let (wanted, found) = (config.num_replicas, stream.cached_info().config.num_replicas);
        if found != wanted {
            let name = &options.stream;
            tracing::warn!("stream {name} has {found} replicas, the log's has {wanted}; it is used as it is");
        }
        Self::of(log, stream, options.subject)
    }

    /// Finds the stream, and makes none.
    pub(super) async fn find(log: JetStreamLog, options: DeadLetterOptions) -> Result<Self, LogError> {
        let stream = existing::find(&log.source().connection, &options.stream, &options.subject).await?;
        Self::of(log, stream, options.subject)
    }

    fn of(log: JetStreamLog, stream: Stream, subject: String) -> Result<Self, LogError> {
        existing::takes(&stream, &subject)?;
        let name = find::name(&stream.cached_info().config.name);
        Ok(Self { log, stream, subject, name })
    }

    /// Keeps letters. One that is kept already, from an earlier try, is not kept twice.
    ///
    /// # Errors
    /// If one of them was not confirmed: all of them may be published again.
    pub async fn publish(&self, letters: &[DeadLetter]) -> Result<(), LogError> {
        let origins = self.origins(letters).await?;
        // Sent one after the other, so that they are kept in their order, but confirmed together.
        stream::iter(letters)
            .then(|letter| self.send(letter, origins.get(&letter.position)))
            .map(|sent| async { self.confirmed(sent?).await })
            .buffered(IN_FLIGHT)
            .try_collect()
            .await
    }

    async fn confirmed(&self, sent: PublishAckFuture) -> Result<(), LogError> {
        let confirmed = sent.await.map_err(|error| self.failed(&error))?;
        if is_stored(&confirmed) {
            return Ok(());
        }
        let reason = "the server knows a letter and has not stored it yet".to_owned();
        Err(LogError::Stream { log: self.name.clone(), reason })
    }

    async fn send(&self, letter: &DeadLetter, origin: Option<&OriginMessage>) -> Result<PublishAckFuture, LogError> {
        let source = self.log.source();
        let subject = origin.map_or_else(|| source.subjects.of(letter.partition), |origin| origin.subject.clone());
        let original = origin.and_then(|origin| origin.only_event.as_deref()).unwrap_or(&letter.original);
        let max_payload = source.connection.client.max_payload();
        let (headers, payload) = letter::message(&source.identity.id, &subject, letter, original, max_payload);
        let message = PublishMessage::build().headers(headers).payload(payload);
        let sent = source.connection.jetstream.send_publish(self.subject.clone(), message).await;
        sent.map_err(|error| self.failed(&error))
    }

    /// The messages that the letters came in, if they are still there.
    async fn origins(&self, letters: &[DeadLetter]) -> Result<BTreeMap<Position, OriginMessage>, LogError> {
        let source = self.log.source();
        let mut origins = BTreeMap::new();
        for letter in letters {
            if origins.contains_key(&letter.position) {
                continue;
            }
            match source.stream.get_raw_message(letter.position.0).await {
                Ok(message) => {
                    let one_event = !is_ndjson(Some(&message.headers));
                    let subject = message.subject.to_string();
                    let only_event = one_event.then(|| message.payload.to_vec());
                    origins.insert(letter.position, OriginMessage { subject, only_event });
                }
                Err(error) if error.kind() == LastRawMessageErrorKind::NoMessageFound => {}
                Err(error) => return Err(self.failed(&error)),
            }
        }
        Ok(origins)
    }

    /// Up to `count` letters, beginning after the place where an earlier list ended.
    ///
    /// # Errors
    /// If the stream can't be read.
    pub async fn list(
        &self,
        order: LetterOrder,
        after: Option<Position>,
        count: usize,
    ) -> Result<Vec<StoredLetter>, LogError> {
        let state = self.stream.get_info().await.map_err(|error| self.failed(&error))?.state;
        let (first, last) = (state.first_sequence.max(1), state.last_sequence);
        let mut letters = Vec::new();
        let mut next = match (order, after) {
            (LetterOrder::OldestFirst, after) => after.map_or(first, |after| (after.0 + 1).max(first)),
            (LetterOrder::NewestFirst, after) => after.map_or(last, |after| after.0.saturating_sub(1).min(last)),
        };
        while letters.len() < count && (first..=last).contains(&next) {
            letters.extend(self.get(Position(next)).await?);
            next = if order == LetterOrder::OldestFirst { next + 1 } else { next - 1 };
        }
        Ok(letters)
    }

    /// How many there are.
    ///
    /// # Errors
    /// If the stream can't be read.
    pub async fn count(&self) -> Result<u64, LogError> {
        Ok(self.stream.get_info().await.map_err(|error| self.failed(&error))?.state.messages)
    }

    /// One letter; none if it is not there.
    ///
    /// # Errors
    /// If the stream can't be read.
    pub async fn get(&self, position: Position) -> Result<Option<StoredLetter>, LogError> {
        match self.stream.get_raw_message(position.0).await {
            Ok(message) => Ok(Some(letter::stored(&message))),
            Err(error) if error.kind() == LastRawMessageErrorKind::NoMessageFound => Ok(None),
            Err(error) => Err(self.failed(&error)),
        }
    }

    /// Deletes all letters. Returns how many those were.
    ///
    /// # Errors
    /// If JetStream refuses.
    pub async fn purge_all(&self) -> Result<u64, LogError> {
        Ok(self.stream.purge().await.map_err(|error| self.failed(&error))?.purged)
    }

    /// Deletes the stream itself, with all letters. For letters that nobody will want again, such as a measurement's.
    ///
    /// # Errors
    /// If JetStream refuses.
    pub async fn delete(self) -> Result<(), LogError> {
        self.log.source().delete(&self.stream, &self.name).await
    }

    /// Deletes a letter; false if it was not there.
    ///
    /// # Errors
    /// If JetStream refuses.
    pub async fn purge(&self, position: Position) -> Result<bool, LogError> {
        if self.get(position).await?.is_none() {
            return Ok(false);
        }
        self.stream.delete_message(position.0).await.map_err(|error| self.failed(&error))
    }

    /// Appends the original of a letter to the log again, and deletes the letter once that is durable; false if it
    /// was not there. What still can't be counted comes back as another letter.
    ///
    /// # Errors
    /// If the letter was cut, or the log does not take it: it is kept then.
    pub async fn replay(&self, position: Position) -> Result<bool, ReplayError> {
        let Some(letter) = self.get(position).await? else { return Ok(false) };
        if letter.is_cut {
            return Err(ReplayError::Cut { position, origin: letter.origin });
        }
        let partition = self.partition(&letter);
        self.log.append(vec![(partition, letter.original)]).await?;
        self.purge(position).await?;
        Ok(true)
    }

    /// The partition that a letter was in, where its subject says so.
    pub fn origin_partition(&self, letter: &StoredLetter) -> Option<Partition> {
        match self.log.source().subjects.origin(&letter.origin_subject) {
            Origin::Partition(partition) => Some(partition),
            Origin::Plain | Origin::Misnamed | Origin::Foreign => None,
        }
    }

    /// The partition of the letter's client, or where that can't be read the one that it came from.
    fn partition(&self, letter: &StoredLetter) -> Partition {
        match Event::parse(&letter.original) {
            Ok(event) => Partition::of(&event.client_id, self.log.source().identity.partitions),
            Err(_) => self.origin_partition(letter).unwrap_or_default(),
        }
    }

    fn failed(&self, error: &(dyn std::error::Error + 'static)) -> LogError {
        LogError::Stream { log: self.name.clone(), reason: with_sources(error) }
    }
}

/// Why a letter was not replayed.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// It is not whole.
    #[error(
        "dead letter {} was too long to be kept whole; its original is message {} of the log", position.0, origin.0
    )]
    Cut {
        /// The letter.
        position: Position,
        /// Where its original is.
        origin: Position,
    },
    /// The stream of dead letters can't be used.
    #[error(transparent)]
    Letters(#[from] LogError),
    /// The log does not take it.
    #[error(transparent)]
    Log(#[from] AppendError),
}

/// The message of the log that letters came in.
struct OriginMessage {
    subject: String,
    /// Its payload as it came, if it is one event.
    only_event: Option<Vec<u8>>,
}
