//! Searching a stream, newest first. A consumer only goes forward, so the stream is read in slices, the newest first, each by
//! consumers of its own that get one partition alone and are forgotten at once.
//!
//! Decision: D-100.

use std::collections::VecDeque;
use std::ops::Range;
use std::time::{Duration, Instant};

use async_nats::jetstream::consumer::pull::Config;
use async_nats::jetstream::consumer::{AckPolicy, DeliverPolicy};
use futures::future::try_join;
use netqoe_model::{LogTime, Partition, Position};

use super::Shared;
use super::breaks::Break;
use super::continuity::ms;
use super::message::lines;
use super::pull::{Delivery, Pull};
use super::source::Source;
use crate::LogError;
use crate::search::{Budget, FoundRecord, Search, SearchLimits, Searched, Visit, before};

/// Messages of all partitions that the first slice covers: so few that people who look at what was measured just now have it at once.
const FIRST_SLICE: u64 = 512;
/// Those that a slice covers at most. Each is up to four times as long as the one before, since a slice costs two consumers.
const MAX_SLICE: u64 = 32_768;
/// Bytes of a slice that are held. Where there are more, it begins later, and the next one ends there.
const SLICE_BYTES: usize = 16 << 20;
/// How long the server keeps a consumer that nobody asks any more.
const CONSUMER_IDLE: Duration = Duration::from_secs(10);

pub(super) fn search(
    shared: &Shared,
    search: &Search,
    limits: &SearchLimits,
    visit: Visit<'_>,
) -> Result<Searched, LogError> {
    let times = search.times.clone();
    let extent = within(shared, limits, move |source| async move { source.extent_of(&times).await })?;
    let (Extent { positions, kept_since }, mut budget) = (extent, Budget::new(limits));
    let first = positions.start.0;
    let mut end = search.through.map_or(positions.end.0, |through| positions.end.0.min(through.0.saturating_add(1)));
    let mut length = FIRST_SLICE;
    let mut has_read = false;
    while end > first {
        let (partition, wanted) = (search.partition, end.saturating_sub(length).max(first)..end);
        let read = within(shared, limits, move |source| async move { Slice::read(&source, partition, wanted).await });
        let slice = match read {
            Ok(slice) => slice,
            // What was found until then is worth showing.
            Err(_) if has_read => return Ok(Searched { rest: Some(Position(end - 1)), kept_since }),
            Err(error) => return Err(error),
        };
        for Held { position, log_time, lines } in slice.messages.iter().rev() {
            budget.spend(lines.len());
            let is_sought = search.times.contains(log_time);
            let found = FoundRecord { position: *position, log_time: *log_time, lines };
            if (is_sought && visit(found).is_break()) || budget.is_spent() {
                let rest = before(*position).filter(|rest| rest.0 >= first);
                return Ok(Searched { rest, kept_since });
            }
        }
        (end, has_read) = (slice.first, true);
        length = (length * 4).min(MAX_SLICE);
    }
    Ok(Searched { rest: None, kept_since })
}

/// Does something with the stream while the time lasts.
fn within<T, Work>(shared: &Shared, limits: &SearchLimits, work: impl FnOnce(Source) -> Work) -> Result<T, LogError>
where
    T: Send + 'static,
    Work: Future<Output = Result<T, Break>> + Send + 'static,
{
    let (source, left) = (shared.source.clone(), limits.until.saturating_duration_since(Instant::now()));
    let (connection, work) = (source.connection.clone(), work(source));
    let outcome = shared.thread.wait(async move { tokio::time::timeout(left, connection.over_one(work)).await });
    let failed = |reason: String| LogError::Stream { log: shared.source.name.clone(), reason };
    match outcome {
        Ok(Some(Ok(done))) => Ok(done),
        Ok(Some(Err(Break::ForEver(error) | Break::Doubtful(error)))) => Err(error),
        Ok(Some(Err(Break::ForNow(reason)))) => Err(failed(reason)),
        Ok(None) => Err(failed("the connection was lost".to_owned())),
        Err(_) => Err(failed("the server did not give the messages in time".to_owned())),
    }
}

/// Where the messages of some times are, and since when the stream has all.
pub(super) struct Extent {
    pub positions: Range<Position>,
    pub kept_since: Option<LogTime>,
}

/// A message in memory.
struct Held {
    position: Position,
    log_time: LogTime,
    lines: Vec<u8>,
}

/// What a part of the stream has of one partition.
struct Slice {
    /// Everything from here on is in `messages`.
    first: u64,
    messages: VecDeque<Held>,
}

impl Slice {
    /// The messages at the partition's subject and at the one that names no partition, which may hold any client's events.
    async fn read(source: &Source, partition: Partition, positions: Range<u64>) -> Result<Self, Break> {
        let own = Self::at(source, source.subjects.of(partition), positions.clone());
        let plain = Self::at(source, source.subjects.plain().to_owned(), positions);
        let (own, plain) = try_join(own, plain).await?;
        let first = own.first.max(plain.first);
        let mut messages: Vec<_> = own.messages.into_iter().chain(plain.messages).collect();
        messages.retain(|held| held.position.0 >= first);
        messages.sort_by_key(|held| held.position);
        Ok(Self { first, messages: messages.into() })
    }

    async fn at(source: &Source, subject: String, positions: Range<u64>) -> Result<Self, Break> {
        let mut slice = Self { first: positions.start, messages: VecDeque::new() };
        let mut pull = Pull::start(source, consumer(subject, positions.start)).await?;
        let (mut pending, mut bytes) = (pull.info().num_pending, 0);
        while pending > 0 {
            if pull.must_ask() {
                pull.ask().await?;
            }
            let Delivery::Message { message, seen, pending: left } = pull.next().await? else { continue };
            if seen.position.0 >= positions.end {
                break;
            }
            pending = left;
            let lines = lines(message.headers.as_ref(), &message.payload);
            bytes += lines.len();
            slice.messages.push_back(Held { position: seen.position, log_time: ms(seen.stored_ns), lines });
            bytes -= slice.shorten(bytes);
        }
        Ok(slice)
    }

    /// Lets go of the oldest messages while there are too many bytes, but not of the newest. Returns how many bytes those had.
    fn shorten(&mut self, bytes: usize) -> usize {
        let mut gone = 0;
        while bytes - gone > SLICE_BYTES && self.messages.len() > 1 {
            let Some(oldest) = self.messages.pop_front() else { break };
            gone += oldest.lines.len();
            self.first = oldest.position.0 + 1;
        }
        gone
    }
}

fn consumer(subject: String, first: u64) -> Config {
    Config {
        deliver_policy: DeliverPolicy::ByStartSequence { start_sequence: first.max(1) },
        filter_subject: subject,
        ack_policy: AckPolicy::None,
        inactive_threshold: CONSUMER_IDLE,
        memory_storage: true,
        num_replicas: 1,
        ..Config::default()
    }
}
