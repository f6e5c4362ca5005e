//! Follows the stream for the readers of a process, whatever happens to the server and the connection: in order,
//! without a gap and without a repetition.
//!
//! It does so through a consumer that the server forgets after a while. Whenever anything about that consumer is in
//! doubt, it is abandoned, and another one begins after the last message that came. The consumer receives the whole
//! stream, including the partitions of other processes: so a message that was discarded before it came leaves a visible gap.
//!
//! Decision: D-012.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use async_nats::Message;
use async_nats::jetstream::consumer::pull::Config;
use async_nats::jetstream::consumer::{AckPolicy, DeliverPolicy};
use async_nats::jetstream::stream::Info;
use netqoe_model::{Chunk, Position};
use uuid::Uuid;

use super::behind::Behind;
use super::breaks::Break;
use super::connect::AWAY;
use super::continuity::{Seen, ms};
use super::lasting::Lasting;
use super::message::{lines, span};
use super::pull::{Delivery, Pull};
use super::read_ahead::ReadAhead;
use super::route::Route;
use super::shares::{Share, shares};
use super::source::Source;
use crate::{LogError, Start};

/// How long the server keeps a consumer that is not asked: longer than a reader that is slow for a while.
const CONSUMER_IDLE: Duration = Duration::from_secs(60);
/// How long to wait before the next consumer.
const RETRY_PAUSE: Duration = Duration::from_millis(100);
/// How often partitions without messages are told how far the stream has come: so seldom that it costs nothing, so
/// often that their progress never falls behind the stream's first message.
const ADVANCE_EVERY: Duration = Duration::from_secs(10);

pub(super) struct Follower {
    source: Source,
    routes: Vec<Route>,
    /// The first position that did not come.
    next: Position,
    last: Option<Seen>,
    advanced: Instant,
    /// What was last said to keep the log from being read.
    reported: Option<String>,
    /// The log seems to be another one than it was.
    doubted: Lasting,
}

impl Follower {
    /// Follows from the first of these places that the stream, as `info` has it, holds; for each reader, where it reads
    /// and what it takes from.
    pub(super) fn new(source: Source, readers: Vec<(Vec<Start>, Arc<ReadAhead>)>, info: &Info) -> Self {
        let first = readers.iter().flat_map(|(starts, _)| starts).map(|start| start.from).min().unwrap_or_default();
        let next = first.max(Position(info.state.first_sequence)).max(Position(1));
        let follower = Self {
            source,
            routes: readers.into_iter().map(|(starts, ahead)| Route::new(&starts, ahead)).collect(),
            next,
            last: None,
            advanced: Instant::now(),
            reported: None,
            doubted: Lasting::default(),
        };
        // Until a server says exactly: a reader must not take a log for empty that was not looked at.
        let left = follower.left(info);
        follower.routes.iter().for_each(|route| route.ahead.put(None, Position(0), left));
        follower
    }

    /// Follows until all readers are gone, or the log is not what it was.
    pub(super) async fn run(mut self) {
        let readers: Vec<_> = self.routes.iter().map(|route| Arc::clone(&route.ahead)).collect();
        let all_gone = async {
            for reader in &readers {
                reader.closed().await;
            }
        };
        tokio::pin!(all_gone);
        let fail = |error: &LogError| readers.iter().for_each(|reader| reader.fail(error.clone()));
        loop {
            let ended = tokio::select! {
                ended = self.follow() => ended,
                () = &mut all_gone => return,
            };
            match ended {
                Break::ForEver(error) => return fail(&error),
                Break::Doubtful(error) => {
                    if self.doubted.is_so(Instant::now()) >= AWAY {
                        return fail(&error);
                    }
                    self.report(error.to_string());
                }
                Break::ForNow(reason) => {
                    self.doubted.ends();
                    self.report(reason);
                }
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
        let scanned = Position(self.next.0 - 1);
        let info = self.source.check(scanned, self.needed(), self.last).await?;
        self.next = self.next.max(Position(info.state.first_sequence));
        let mut pull = Pull::start(&self.source, self.consumer()).await?;
        // The consumer may be on a server whose copy ends before the stream does. So that it has nothing says nothing of the
        // stream, and no message is passed over for it.
        self.nothing(self.left(&info));
        let mut behind = Behind::default();
        loop {
            if pull.must_ask() {
                for route in &self.routes {
                    route.ahead.has_room(pull.max_bytes()).await;
                }
                pull.ask().await?;
            }
            match pull.next().await? {
                Delivery::Message { message, seen, pending } => {
                    behind.gave();
                    self.take(&message, seen, pending).await?;
                }
                Delivery::Nothing { through } => {
                    self.pass(through).await?;
                    self.nothing(0);
                    self.advance();
                    self.doubt(&mut behind)?;
                }
                Delivery::Answered => {}
            }
            self.reported = None;
            self.doubted.ends();
        }
    }

    /// Leaves a consumer that has had nothing for a while of what the stream holds. The next one may be on another server.
    fn doubt(&self, behind: &mut Behind) -> Result<(), Break> {
        let (scanned, last) = (Position(self.next.0 - 1), Position(self.source.end.load(Ordering::Relaxed)));
        if behind.has_nothing(scanned, last, Instant::now()) {
            let reason = format!(
                "the server says that nothing follows message {}, and the stream ends at {}",
                scanned.0, last.0
            );
            return Err(Break::ForNow(reason));
        }
        Ok(())
    }

    /// Messages of the stream that did not come, at most: some may be deleted.
    fn left(&self, info: &Info) -> u64 {
        (info.state.last_sequence + 1).saturating_sub(self.next.0)
    }

    fn consumer(&self) -> Config {
        Config {
            name: Some(format!("netqoe-{}", Uuid::now_v7())),
            deliver_policy: DeliverPolicy::ByStartSequence { start_sequence: self.next.0 },
            ack_policy: AckPolicy::None,
            inactive_threshold: CONSUMER_IDLE,
            memory_storage: true,
            num_replicas: 1,
            ..Config::default()
        }
    }

    /// The first position that the stream must still hold; none if only its first message is wanted, whichever
    /// that is.
    fn needed(&self) -> Option<Position> {
        let froms = || self.routes.iter().flat_map(Route::froms);
        let wants_first = self.last.is_none() && froms().any(|from| from == Position(0));
        if wants_first { froms().filter(|from| *from > Position(0)).min() } else { Some(self.next) }
    }

    /// Hands out a message to the readers that it concerns.
    async fn take(&mut self, message: &Message, seen: Seen, pending: u64) -> Result<(), Break> {
        // A consumer whose server is behind the others begins where that server is.
        if seen.position < self.next {
            return Ok(());
        }
        self.pass(Position(seen.position.0 - 1)).await?;
        self.next = Position(seen.position.0 + 1);
        self.last = Some(seen);
        let mut chunks = self.chunks(message, seen);
        for route in &mut self.routes {
            route.offer(&mut chunks, seen.position, pending);
        }
        if self.advanced.elapsed() >= ADVANCE_EVERY {
            self.advance();
        }
        Ok(())
    }

    /// What each partition gets of a message.
    fn chunks(&self, message: &Message, seen: Seen) -> Vec<Chunk> {
        let Source { subjects, identity, .. } = &self.source;
        let lines = lines(message.headers.as_ref(), &message.payload);
        let trace = span(message.headers.as_ref());
        let chunk = |share: Share| Chunk {
            partition: Some(share.partition),
            position: seen.position,
            log_time: Some(ms(seen.stored_ns)),
            lines: share.lines,
            set_aside: None,
            came_late: false,
            trace,
        };
        shares(subjects.origin(&message.subject), lines, identity.partitions).into_iter().map(chunk).collect()
    }

    /// Nothing came up to here, since nothing is there any more. Deleted messages are ignored, but those that the
    /// stream discarded by its limits should have come, and so should those that only the consumer's server lacks.
    async fn pass(&mut self, through: Position) -> Result<(), Break> {
        if through >= self.next {
            let info = self.source.check(Position(self.next.0 - 1), self.needed(), self.last).await?;
            if self.source.stores(&info, self.next).await? {
                let reason = format!("the consumer passed message {} over, which the stream holds", self.next.0);
                return Err(Break::ForNow(reason));
            }
            self.next = Position(through.0 + 1);
        }
        Ok(())
    }

    /// Tells the readers how far the stream was looked at.
    fn nothing(&mut self, pending: u64) {
        let scanned = Position(self.next.0 - 1);
        self.routes.iter_mut().for_each(|route| route.nothing(scanned, pending));
    }

    /// Tells partitions that had no messages for a while how far the stream has come, so that their progress moves on
    /// before the stream's limits discard what it points at.
    fn advance(&mut self) {
        self.advanced = Instant::now();
        let scanned = Position(self.next.0 - 1);
        self.routes.iter_mut().for_each(|route| route.advance(scanned));
    }
}
