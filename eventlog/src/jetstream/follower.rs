//! Follows the stream for one reader, whatever happens to the server and the connection: in order, without a gap and
//! without a repetition.
//!
//! It does so through a consumer that the server forgets after a while. Whenever anything about that consumer is in
//! doubt it is left behind, and another one begins after the last message that came.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::num::NonZeroU16;
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_nats::Message;
use async_nats::jetstream::consumer::pull::Config;
use async_nats::jetstream::consumer::{AckPolicy, DeliverPolicy};
use async_nats::jetstream::stream::Info;
use netqoe_model::{Chunk, Event, Partition, Position};
use uuid::Uuid;

use super::continuity::{Break, Seen, ms};
use super::message::lines;
use super::pull::{Delivery, Pull};
use super::read_ahead::ReadAhead;
use super::source::Source;
use super::subjects::Origin;
use crate::Start;

/// How long the server keeps a consumer that is not asked: longer than a reader that is slow for a while.
const CONSUMER_IDLE: Duration = Duration::from_secs(60);
/// How long to wait before the next consumer.
const RETRY_PAUSE: Duration = Duration::from_millis(100);
/// How often a partition without messages is told how far the stream has come: so seldom that it costs nothing, so
/// often that its progress never falls behind the stream's first message.
const ADVANCE_EVERY: Duration = Duration::from_secs(10);

/// Where a partition of the reader's stands.
struct Place {
    from: Position,
    /// The last position that was handed out for it.
    handed: Position,
}

pub(super) struct Follower {
    source: Source,
    places: BTreeMap<Partition, Place>,
    /// The first position that was not looked at.
    next: Position,
    last: Option<Seen>,
    ahead: Arc<ReadAhead>,
    advanced: Instant,
    /// Whether the last message that was handed out had others after it, which may concern others only.
    unsettled: bool,
    /// What was last said to keep the log from being read.
    reported: Option<String>,
}

impl Follower {
    /// Follows from the first of these places that the stream, as `info` has it, holds.
    pub(super) fn new(source: Source, starts: &[Start], info: &Info, ahead: Arc<ReadAhead>) -> Self {
        let first = starts.iter().map(|start| start.from).min().unwrap_or_default();
        let place = |start: &Start| {
            (start.partition, Place { from: start.from, handed: Position(start.from.0.saturating_sub(1)) })
        };
        Self {
            source,
            places: starts.iter().map(place).collect(),
            next: first.max(Position(info.state.first_sequence)).max(Position(1)),
            last: None,
            ahead,
            advanced: Instant::now(),
            unsettled: false,
            reported: None,
        }
    }

    /// Follows until the reader is gone, or the log is not what it was.
    pub(super) async fn run(mut self) {
        let ahead = Arc::clone(&self.ahead);
        loop {
            let ended = tokio::select! {
                ended = self.follow() => ended,
                () = ahead.closed() => return,
            };
            match ended {
                Break::ForEver(error) => return self.ahead.fail(error),
                Break::ForNow(reason) => self.report(reason),
            }
            tokio::time::sleep(RETRY_PAUSE).await;
        }
    }

    /// Says once what keeps the log from being read.
    fn report(&mut self, reason: String) {
        if self.reported.as_ref() != Some(&reason) {
            tracing::warn!(%reason, log = self.source.name, "reading is interrupted");
            self.reported = Some(reason);
        }
    }

    /// Reads through one consumer, for as long as nothing about it is in doubt.
    async fn follow(&mut self) -> Break {
        let connection = self.source.connection.clone();
        match connection.over_one(self.consume()).await {
            Some(Err(ended)) => ended,
            None => Break::ForNow("the connection is lost".to_owned()),
        }
    }

    async fn consume(&mut self) -> Result<Infallible, Break> {
        let info = self.source.check(self.scanned(), self.needed(), self.last).await?;
        self.pass(Position(info.state.first_sequence.saturating_sub(1)));
        let mut pull = Pull::start(&self.source, self.consumer()).await?;
        let pending = pull.info().num_pending;
        if pending == 0 {
            // Nothing of what the stream held a moment ago concerns this reader.
            self.pass(Position(info.state.last_sequence));
        }
        self.ahead.put(None, self.scanned(), pending);
        loop {
            if pull.must_ask() {
                self.ahead.has_room(pull.max_bytes()).await;
                pull.ask().await?;
            }
            match pull.next().await? {
                Delivery::Message { message, seen, pending } => self.take(&message, seen, pending),
                Delivery::Nothing { through } => {
                    self.pass(through);
                    self.ahead.put(None, self.scanned(), 0);
                    self.advance_idle();
                }
                Delivery::Answered => {}
            }
            self.reported = None;
        }
    }

    fn consumer(&self) -> Config {
        let filters = self.source.connection.client.is_server_compatible(2, 10, 0);
        let own = || self.source.subjects.with_events_of(self.places.keys().copied());
        Config {
            name: Some(format!("netqoe-{}", Uuid::now_v7())),
            deliver_policy: DeliverPolicy::ByStartSequence { start_sequence: self.next.0 },
            ack_policy: AckPolicy::None,
            // Servers before 2.10 know one filter only: they send everything, and what is not ours is left out here.
            filter_subjects: if filters { own() } else { Vec::new() },
            inactive_threshold: CONSUMER_IDLE,
            memory_storage: true,
            num_replicas: 1,
            ..Config::default()
        }
    }

    /// The first position that the stream must still hold; none where only its first message is wanted, whichever
    /// that is.
    fn needed(&self) -> Option<Position> {
        let froms = || self.places.values().map(|place| place.from);
        let wants_first = self.last.is_none() && froms().any(|from| from == Position(0));
        if wants_first { froms().filter(|from| *from > Position(0)).min() } else { Some(self.next) }
    }

    /// The last position that was looked at.
    fn scanned(&self) -> Position {
        Position(self.next.0 - 1)
    }

    /// Everything up to here was looked at.
    fn pass(&mut self, position: Position) {
        self.next = self.next.max(Position(position.0 + 1));
    }

    /// Hands out a message, where it concerns the reader.
    fn take(&mut self, message: &Message, seen: Seen, pending: u64) {
        self.pass(seen.position);
        self.last = Some(seen);
        let lines = lines(message.headers.as_ref(), &message.payload);
        let partition = match self.source.subjects.origin(&message.subject) {
            Origin::Partition(partition) => Some(partition),
            Origin::Plain => Some(partition_of(&lines, self.source.identity.partitions)),
            Origin::Foreign => None,
        };
        let place = partition.and_then(|partition| self.places.get_mut(&partition));
        let chunk = place.filter(|place| place.from <= seen.position).map(|place| {
            place.handed = seen.position;
            Chunk { partition, position: seen.position, log_time: Some(ms(seen.stored_ns)), lines }
        });
        self.unsettled = if chunk.is_some() { pending > 0 } else { self.unsettled };
        self.ahead.put(chunk, seen.position, pending);
        // A reader that was told of more to come must hear that nothing of it was for it.
        if self.advanced.elapsed() >= ADVANCE_EVERY || (self.unsettled && pending == 0) {
            self.advance_idle();
        }
    }

    /// Tells partitions that had no messages for a while how far the stream has come, so that their progress moves on
    /// before the stream's limits discard what it points at.
    fn advance_idle(&mut self) {
        self.advanced = Instant::now();
        self.unsettled = false;
        let scanned = self.scanned();
        let pending = self.ahead.pending();
        for (partition, place) in &mut self.places {
            if place.handed < scanned && place.from <= scanned {
                place.handed = scanned;
                let chunk = Chunk { partition: Some(*partition), position: scanned, log_time: None, lines: Vec::new() };
                self.ahead.put(Some(chunk), scanned, pending);
            }
        }
    }
}

/// Whose event a plain message holds: every reader sees it, and the one that reads its client's partition hands it out.
/// What can't be read is the first partition's.
fn partition_of(event: &[u8], partitions: NonZeroU16) -> Partition {
    Event::parse(event).map_or(Partition(0), |event| Partition::of(&event.client_id, partitions))
}
