//! The durable consumer that shows how far the log is processed: to `nats consumer info`, to autoscalers, to metrics.
//!
//! No event is read through it. It takes the messages' headers, keeps them until what they led to is committed, and
//! acknowledges them then; so what it has pending is the true lag, and its floor the true progress.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use async_nats::jetstream::AckKind;
use async_nats::jetstream::consumer::pull::Config;
use async_nats::jetstream::consumer::{AckPolicy, Consumer, DeliverPolicy};
use async_nats::jetstream::message::Acker;
use futures::StreamExt;
use netqoe_model::{Partition, Position};

use super::connect::with_sources;
use super::source::Source;
use super::subjects::Origin;
use crate::LogError;

/// Headers that are taken at a time.
const FETCH_MESSAGES: usize = 500;
/// How long a request may take before the next [`ProgressConsumer::follow`] tries anew.
const PATIENCE: Duration = Duration::from_secs(5);
/// What is kept is renewed when this part of the ack wait is over, so that it is not delivered again.
const RENEWALS_PER_ACK_WAIT: u32 = 3;

/// Settings of the durable consumer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProgressOptions {
    /// Its name.
    pub consumer: String,
    /// How long the server waits for an acknowledgement before it delivers again.
    pub ack_wait: Duration,
    /// Messages that may wait for their acknowledgement.
    pub max_ack_pending: u32,
    /// How often the server delivers a message that is not acknowledged.
    pub max_deliver: u32,
}

impl Default for ProgressOptions {
    fn default() -> Self {
        Self {
            consumer: "aggregator".to_owned(),
            ack_wait: Duration::from_secs(30),
            max_ack_pending: 1_000,
            max_deliver: 3,
        }
    }
}

/// How far the log is processed, in messages of the stream.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LogProgress {
    /// What the stream holds.
    pub messages: u64,
    /// What the consumer has not looked at.
    pub pending: u64,
    /// What it looked at and what is not processed.
    pub ack_pending: u64,
    /// The last position up to which everything is processed.
    pub ack_floor: Position,
}

/// The durable consumer. Only one process of a cluster has one.
pub struct ProgressConsumer {
    source: Source,
    options: ProgressOptions,
    consumer: Consumer<Config>,
    kept: BTreeMap<Position, Kept>,
}

/// A message that is not processed yet.
struct Kept {
    origin: Origin,
    acker: Acker,
    /// When the server last heard of it.
    renewed: Instant,
}

impl ProgressConsumer {
    /// Finds the consumer or makes it, with these settings.
    pub(super) async fn open(source: Source, options: ProgressOptions) -> Result<Self, LogError> {
        let consumer = consumer(&source, &options).await?;
        Ok(Self { source, options, consumer, kept: BTreeMap::new() })
    }

    /// Acknowledges what is processed by now, and says how far that leads. `processed` has the committed position of
    /// every partition; a message that names no partition is processed once every partition has passed it.
    ///
    /// # Errors
    /// If JetStream does not answer. Nothing is lost: the next call goes on.
    pub async fn follow(&mut self, processed: &BTreeMap<Partition, Position>) -> Result<LogProgress, LogError> {
        let processed = Processed::new(processed, self.source.identity.partitions.get());
        self.acknowledge_kept(&processed).await?;
        while self.fetch(&processed).await? {}
        self.renew().await?;
        self.progress().await
    }

    async fn acknowledge_kept(&mut self, processed: &Processed<'_>) -> Result<(), LogError> {
        let done = |(position, kept): (&Position, &Kept)| processed.covers(kept.origin, *position).then_some(*position);
        let done: Vec<_> = self.kept.iter().filter_map(done).collect();
        for position in done {
            if let Some(kept) = self.kept.remove(&position) {
                kept.acker.ack().await.map_err(|error| self.failed(&*error))?;
            }
        }
        Ok(())
    }

    /// Takes the next messages, as many as may be pending, and acknowledges those that are processed. Whether there may
    /// be more.
    async fn fetch(&mut self, processed: &Processed<'_>) -> Result<bool, LogError> {
        let room = (self.options.max_ack_pending as usize).saturating_sub(self.kept.len()).min(FETCH_MESSAGES);
        if room == 0 {
            return Ok(false);
        }
        let mut batch =
            self.consumer.fetch().max_messages(room).messages().await.map_err(|error| self.failed(&error))?;
        let mut taken = 0;
        // An error says that the server gives nothing for now: too much is pending, or the consumer is gone.
        while let Ok(Some(Ok(message))) = tokio::time::timeout(PATIENCE, batch.next()).await {
            taken += 1;
            let position = message.info().map_err(|error| self.failed(&*error))?.stream_sequence;
            let position = Position(position);
            let origin = self.source.subjects.origin(&message.subject);
            let (_, acker) = message.split();
            if processed.covers(origin, position) {
                acker.ack().await.map_err(|error| self.failed(&*error))?;
            } else {
                self.kept.insert(position, Kept { origin, acker, renewed: Instant::now() });
            }
        }
        Ok(taken == room)
    }

    /// Tells the server that what is kept is still worked on.
    async fn renew(&mut self) -> Result<(), LogError> {
        let renew_after = self.options.ack_wait / RENEWALS_PER_ACK_WAIT;
        let mut failed = None;
        for kept in self.kept.values_mut().filter(|kept| kept.renewed.elapsed() >= renew_after) {
            match kept.acker.ack_with(AckKind::Progress).await {
                Ok(()) => kept.renewed = Instant::now(),
                Err(error) => failed = Some(error),
            }
        }
        failed.map_or(Ok(()), |error| Err(self.failed(&*error)))
    }

    async fn progress(&mut self) -> Result<LogProgress, LogError> {
        let stream = self.source.stream.get_info().await.map_err(|error| self.failed(&error))?;
        let consumer = match self.consumer.get_info().await {
            Ok(info) => info,
            Err(_) => {
                // It may have been deleted: then all of it is looked at again.
                self.kept.clear();
                self.consumer = consumer(&self.source, &self.options).await?;
                self.consumer.cached_info().clone()
            }
        };
        Ok(LogProgress {
            messages: stream.state.messages,
            pending: consumer.num_pending,
            ack_pending: consumer.num_ack_pending as u64,
            ack_floor: Position(consumer.ack_floor.stream_sequence),
        })
    }

    fn failed(&self, error: &(dyn std::error::Error + 'static)) -> LogError {
        failed(&self.source, &self.options, error)
    }
}

async fn consumer(source: &Source, options: &ProgressOptions) -> Result<Consumer<Config>, LogError> {
    let config = Config {
        durable_name: Some(options.consumer.clone()),
        description: Some("how far netqoe has processed the log; no event is read through it".to_owned()),
        deliver_policy: DeliverPolicy::All,
        ack_policy: AckPolicy::Explicit,
        ack_wait: options.ack_wait,
        max_ack_pending: i64::from(options.max_ack_pending),
        max_deliver: i64::from(options.max_deliver),
        headers_only: true,
        ..Config::default()
    };
    source.stream.create_consumer(config).await.map_err(|error| failed(source, options, &error))
}

fn failed(source: &Source, options: &ProgressOptions, error: &(dyn std::error::Error + 'static)) -> LogError {
    LogError::Stream { log: format!("consumer {} of {}", options.consumer, source.name), reason: with_sources(error) }
}

/// What is committed.
struct Processed<'a> {
    partitions: &'a BTreeMap<Partition, Position>,
    /// What every partition has passed.
    by_all: Position,
}

impl<'a> Processed<'a> {
    fn new(partitions: &'a BTreeMap<Partition, Position>, count: u16) -> Self {
        let of = |partition| partitions.get(&Partition(partition)).copied().unwrap_or_default();
        Self { partitions, by_all: (0..count).map(of).min().unwrap_or_default() }
    }

    /// Whether a message is processed. One of no log needs no processing.
    fn covers(&self, origin: Origin, position: Position) -> bool {
        match origin {
            Origin::Partition(partition) => self.partitions.get(&partition).is_some_and(|through| *through >= position),
            Origin::Plain | Origin::Misnamed => self.by_all >= position,
            Origin::Foreign => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plain_message_needs_every_partition() {
        let positions = BTreeMap::from([(Partition(0), Position(5)), (Partition(1), Position(3))]);
        let processed = Processed::new(&positions, 2);
        for (origin, position, covered) in [
            (Origin::Partition(Partition(0)), 5, true),
            (Origin::Partition(Partition(1)), 4, false),
            (Origin::Plain, 3, true),
            (Origin::Plain, 4, false),
            (Origin::Misnamed, 4, false),
            (Origin::Foreign, 99, true),
        ] {
            assert_eq!(processed.covers(origin, Position(position)), covered, "{origin:?} {position}");
        }
        let unknown = Processed::new(&positions, 3);
        assert!(!unknown.covers(Origin::Plain, Position(1)), "a partition that never committed has passed nothing");
    }
}
