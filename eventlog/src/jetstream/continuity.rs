//! Whether the stream is still the one that was read before, and holds all that is still to be read.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use async_nats::jetstream::message::StreamMessage;
use async_nats::jetstream::stream::{Info, InfoError, LastRawMessageErrorKind};
use async_nats::jetstream::{self, ErrorCode};
use netqoe_model::{LogTime, Partition, Position};

use super::breaks::Break;
use super::connect::with_sources;
use super::message::{is_ndjson, lines};
use super::search::Extent;
use super::shares::shares;
use super::source::{LOOK_WAIT, Source};
use super::stream::identity;
use super::subjects::Origin;
use crate::{LogError, Start};

/// A message that was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Seen {
    pub position: Position,
    /// Its store time, in nanoseconds since the Unix epoch.
    pub stored_ns: i128,
}

/// A message that the stream holds.
struct Stored {
    /// The partition whose log time it has moved; `None` if it is none, or several.
    partition: Option<Partition>,
    /// In nanoseconds since the Unix epoch.
    stored_ns: i128,
}

/// What a deleted message is taken for, which does not tell its time any more.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Deleted {
    MayBeEarlier,
    MayBeLater,
}

impl Source {
    /// Whether reading can begin at these places. Returns the stream as it is.
    pub(super) async fn check_starts(&self, starts: &[Start]) -> Result<Info, Break> {
        let info = self.same_stream().await?;
        for start in starts {
            self.reaches(&info, start.processed)?;
            // The log's first record is wanted where `from` is 0, whichever that is.
            if start.from > Position(0) {
                self.holds(&info, start.from)?;
            }
        }
        self.check_log_times(&info, starts).await?;
        Ok(info)
    }

    /// Whether reading can go on after `scanned`, of which `last` was the last message, and where the stream must hold
    /// all from `needed` on. Returns the stream as it is.
    pub(super) async fn check(
        &self,
        scanned: Position,
        needed: Option<Position>,
        last: Option<Seen>,
    ) -> Result<Info, Break> {
        let info = self.same_stream().await?;
        self.reaches(&info, scanned)?;
        if let Some(needed) = needed {
            self.holds(&info, needed)?;
        }
        if let Some(last) = last
            && let Some(found) = self.stored_at(&info, last.position).await?
            && found.stored_ns != last.stored_ns
        {
            return Err(self.rewritten(last.position, last.stored_ns, found.stored_ns).into());
        }
        Ok(info)
    }

    /// Whether the stream holds a message at this position.
    pub(super) async fn stores(&self, info: &Info, position: Position) -> Result<bool, Break> {
        Ok(self.stored_at(info, position).await?.is_some())
    }

    /// The first message that was stored at this time or later; 0, which is the log's first, if that is all of them.
    pub(super) async fn first_at(&self, time: LogTime) -> Result<Position, Break> {
        let info = self.same_stream().await?;
        // To begin before a message that was deleted costs little.
        let first = self.boundary(&info, time, Deleted::MayBeLater).await?;
        Ok(if first.0 <= info.state.first_sequence { Position(0) } else { first })
    }

    /// Where the messages of these times are, with a few others perhaps.
    pub(super) async fn extent_of(&self, times: &Range<LogTime>) -> Result<Extent, Break> {
        let info = self.same_stream().await?;
        let start = self.boundary(&info, times.start, Deleted::MayBeLater).await?;
        let end = self.boundary(&info, times.end, Deleted::MayBeEarlier).await?;
        let discarded = info.state.first_sequence > 1 && info.state.messages > 0;
        let kept_since = discarded.then(|| ms(info.state.first_timestamp.unix_timestamp_nanos()));
        Ok(Extent { positions: start..end, kept_since })
    }

    /// A place between messages that were stored before this time and others. What lies between it and the first message that
    /// was stored then or later is deleted.
    async fn boundary(&self, info: &Info, time: LogTime, deleted: Deleted) -> Result<Position, Break> {
        let (mut first, mut end) = (info.state.first_sequence.max(1), info.state.last_sequence + 1);
        // Store times do not fall, so half of what is left is out of the question each time.
        while first < end {
            let middle = first + (end - first) / 2;
            let is_earlier = match self.stored_at(info, Position(middle)).await? {
                Some(stored) => ms(stored.stored_ns) < time,
                None => deleted == Deleted::MayBeEarlier,
            };
            if is_earlier { first = middle + 1 } else { end = middle }
        }
        Ok(Position(first))
    }

    async fn same_stream(&self) -> Result<Info, Break> {
        // Servers that elect a leader do not answer; the next request may succeed.
        let answer = tokio::time::timeout(LOOK_WAIT, self.stream.get_info()).await;
        let answer = answer.map_err(|_| format!("the server tells nothing of the stream within {LOOK_WAIT:?}"))?;
        let info = answer.map_err(|error| self.without_info(&error))?;
        let found = identity(&info);
        if found != self.identity.id {
            let (log, expected) = (self.name.clone(), self.identity.id.clone());
            return Err(LogError::Replaced { log, expected, found }.into());
        }
        Ok(info)
    }

    /// What it means that the server tells nothing of the stream. One that recovers its streams does not answer at all.
    fn without_info(&self, error: &InfoError) -> Break {
        let answered = std::error::Error::source(error).and_then(|source| source.downcast_ref::<jetstream::Error>());
        match answered.map(jetstream::Error::error_code) {
            Some(ErrorCode::STREAM_NOT_FOUND) => self.doubtful(LogError::Gone { log: self.name.clone() }),
            _ => Break::ForNow(with_sources(error)),
        }
    }

    fn reaches(&self, info: &Info, processed: Position) -> Result<(), Break> {
        let last = Position(info.state.last_sequence);
        if last < processed {
            return Err(self.doubtful(LogError::LostTail { log: self.name.clone(), processed, last }));
        }
        Ok(())
    }

    /// What a server says that may not know all of the stream. Where several servers keep it, one that was away tells what it
    /// had then until it has caught up, and may lead the others meanwhile.
    fn doubtful(&self, error: LogError) -> Break {
        if self.stream.cached_info().config.num_replicas > 1 { Break::Doubtful(error) } else { Break::ForEver(error) }
    }

    fn holds(&self, info: &Info, wanted: Position) -> Result<(), LogError> {
        let first = Position(info.state.first_sequence);
        if first > wanted {
            return Err(LogError::Discarded { log: self.name.clone(), wanted, first });
        }
        Ok(())
    }

    /// The records at which partitions stand: none of them is younger than the log time of its own partition, where that
    /// has passed it. So the more of the log's partitions are given, the more it tells.
    async fn check_log_times(&self, info: &Info, starts: &[Start]) -> Result<(), Break> {
        let places: BTreeMap<_, _> = starts.iter().map(|start| (start.partition, start)).collect();
        let positions: BTreeSet<_> = starts.iter().map(|start| start.processed).collect();
        for position in positions.into_iter().filter(|position| *position > Position(0)) {
            let Some(stored) = self.stored_at(info, position).await? else { continue };
            let owner = stored.partition.and_then(|partition| places.get(&partition));
            let log_time = owner.filter(|owner| owner.processed >= position).and_then(|owner| owner.log_time);
            if let Some(log_time) = log_time.filter(|log_time| ms(stored.stored_ns) > *log_time) {
                let expected_ns = i128::from(log_time.ms()) * NS_PER_MS;
                return Err(self.rewritten(position, expected_ns, stored.stored_ns).into());
            }
        }
        Ok(())
    }

    /// The message at a position; none if it is not there any more.
    async fn stored_at(&self, info: &Info, position: Position) -> Result<Option<Stored>, Break> {
        if position.0 < info.state.first_sequence {
            return Ok(None);
        }
        match self.stream.get_raw_message(position.0).await {
            Ok(message) => {
                Ok(Some(Stored { partition: self.moved(&message), stored_ns: message.time.unix_timestamp_nanos() }))
            }
            Err(error) if error.kind() == LastRawMessageErrorKind::NoMessageFound => Ok(None),
            Err(error) => Err(Break::ForNow(with_sources(&error))),
        }
    }

    /// The partition whose log time a message has moved for sure, whichever version of netqoe has read it: before, the
    /// subject alone decided.
    fn moved(&self, message: &StreamMessage) -> Option<Partition> {
        match self.subjects.origin(&message.subject) {
            Origin::Partition(partition) => Some(partition),
            Origin::Plain if !is_ndjson(Some(&message.headers)) => {
                let lines = lines(Some(&message.headers), &message.payload);
                Some(shares(Origin::Plain, lines, self.identity.partitions).first()?.partition)
            }
            Origin::Plain | Origin::Misnamed | Origin::Foreign => None,
        }
    }

    fn rewritten(&self, position: Position, expected_ns: i128, found_ns: i128) -> LogError {
        LogError::Rewritten { log: self.name.clone(), position, expected: ms(expected_ns), found: ms(found_ns) }
    }
}

const NS_PER_MS: i128 = 1_000_000;

/// A store time as a log time.
pub(super) fn ms(stored_ns: i128) -> LogTime {
    LogTime::from_ms(i64::try_from(stored_ns.div_euclid(NS_PER_MS)).unwrap_or(i64::MAX))
}
