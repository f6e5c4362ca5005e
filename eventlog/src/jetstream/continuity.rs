//! Whether the stream is still the one that was read before, and holds all that is still to be read.

use async_nats::jetstream::stream::{Info, LastRawMessageErrorKind};
use netqoe_model::{LogTime, Position};

use super::connect::with_sources;
use super::source::Source;
use super::stream::identity;
use super::subjects::Origin;
use crate::{LogError, Start};

/// Why reading can't go on.
pub(super) enum Break {
    /// Never again: the log is not what it was.
    ForEver(LogError),
    /// For the moment.
    ForNow(String),
}

impl From<String> for Break {
    fn from(reason: String) -> Self {
        Self::ForNow(reason)
    }
}

impl From<LogError> for Break {
    fn from(error: LogError) -> Self {
        Self::ForEver(error)
    }
}

/// A message that was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Seen {
    pub position: Position,
    /// Its store time, in nanoseconds since the Unix epoch.
    pub stored_ns: i128,
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
            if let Some(log_time) = start.log_time {
                self.check_log_time(&info, start, log_time).await?;
            }
        }
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
            && found.1 != last.stored_ns
        {
            return Err(self.rewritten(last.position, last.stored_ns, found.1).into());
        }
        Ok(info)
    }

    /// The first message that was stored at this time or later; 0, which is the log's first, where that is all of them.
    pub(super) async fn first_at(&self, time: LogTime) -> Result<Position, Break> {
        let info = self.same_stream().await?;
        let (mut first, mut end) = (info.state.first_sequence.max(1), info.state.last_sequence + 1);
        // Store times do not fall, so half of what is left is out of the question each time.
        while first < end {
            let middle = first + (end - first) / 2;
            // One that was deleted tells nothing; to begin before it costs little.
            match self.stored_at(&info, Position(middle)).await? {
                Some((_, stored_ns)) if ms(stored_ns) < time => first = middle + 1,
                _ => end = middle,
            }
        }
        Ok(if first <= info.state.first_sequence { Position(0) } else { Position(first) })
    }

    async fn same_stream(&self) -> Result<Info, Break> {
        let info = self.stream.get_info().await.map_err(|error| Break::ForNow(with_sources(&error)))?;
        let found = identity(&info);
        if found != self.identity.id {
            let (log, expected) = (self.name.clone(), self.identity.id.clone());
            return Err(LogError::Replaced { log, expected, found }.into());
        }
        Ok(info)
    }

    fn reaches(&self, info: &Info, processed: Position) -> Result<(), LogError> {
        let last = Position(info.state.last_sequence);
        if last < processed {
            return Err(LogError::LostTail { log: self.name.clone(), processed, last });
        }
        Ok(())
    }

    fn holds(&self, info: &Info, wanted: Position) -> Result<(), LogError> {
        let first = Position(info.state.first_sequence);
        if first > wanted {
            return Err(LogError::Discarded { log: self.name.clone(), wanted, first });
        }
        Ok(())
    }

    /// A partition's log time is that of its latest record so far, so the record at `processed` is not younger. Where
    /// it is another partition's or is discarded, it can't tell.
    async fn check_log_time(&self, info: &Info, start: &Start, log_time: LogTime) -> Result<(), Break> {
        if start.processed == Position(0) {
            return Ok(());
        }
        let Some((subject, stored_ns)) = self.stored_at(info, start.processed).await? else { return Ok(()) };
        let concerns = matches!(self.subjects.origin(&subject), Origin::Partition(partition) if partition == start.partition)
            || self.subjects.origin(&subject) == Origin::Plain;
        if concerns && ms(stored_ns) > log_time {
            let expected_ns = i128::from(log_time.ms()) * NS_PER_MS;
            return Err(self.rewritten(start.processed, expected_ns, stored_ns).into());
        }
        Ok(())
    }

    /// Subject and store time of a message; none where it is not there any more.
    async fn stored_at(&self, info: &Info, position: Position) -> Result<Option<(String, i128)>, Break> {
        if position.0 < info.state.first_sequence {
            return Ok(None);
        }
        match self.stream.get_raw_message(position.0).await {
            Ok(message) => Ok(Some((message.subject.to_string(), message.time.unix_timestamp_nanos()))),
            Err(error) if error.kind() == LastRawMessageErrorKind::NoMessageFound => Ok(None),
            Err(error) => Err(Break::ForNow(with_sources(&error))),
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
