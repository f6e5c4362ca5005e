//! The records of one partition, from a position on and never further than is asked for.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use netqoe_eventlog::{LogReader, LogSearch, Start};
use netqoe_model::{Chunk, Partition, Position};

use super::Stopped;
use crate::LogFeeds;
use crate::feeds::BATCH_BYTES;

/// How soon a log on servers is asked again for a record that is on its way.
const ASK_AGAIN_AFTER: Duration = Duration::from_millis(2);
/// How long such a record is waited for: it is committed, so the log has it.
const LONGEST_WAIT: Duration = Duration::from_secs(10);

pub(super) struct Records {
    reader: Box<dyn LogReader>,
    partition: Partition,
    /// Says when all of this is not needed any more.
    feeds: LogFeeds,
    /// Read, and beyond what was asked for.
    ahead: VecDeque<Chunk>,
    /// The newest record that was read.
    reached: Position,
}

impl Records {
    pub(super) fn open(
        log: &dyn LogSearch,
        partition: Partition,
        from: Position,
        feeds: &LogFeeds,
    ) -> Result<Self, Stopped> {
        let reader = log.reader(&[Start { partition, from, processed: Position(0), log_time: None }])?;
        Ok(Self { reader, partition, feeds: feeds.clone(), ahead: VecDeque::new(), reached: Position(0) })
    }

    /// The next record up to `through`, which rows reflect; none where all of them were given.
    pub(super) fn next(&mut self, through: Position) -> Result<Option<Chunk>, Stopped> {
        let began = Instant::now();
        loop {
            if let Some(first) = self.ahead.front() {
                return Ok(if first.position <= through { self.ahead.pop_front() } else { None });
            }
            if self.reached >= through {
                return Ok(None);
            }
            if self.feeds.are_ending() {
                return Err(Stopped::Ended);
            }
            let chunks = self.reader.read(BATCH_BYTES)?;
            match chunks.last() {
                Some(last) => self.reached = self.reached.max(last.position),
                None if began.elapsed() > LONGEST_WAIT => return Err(Stopped::Busy),
                None => std::thread::sleep(ASK_AGAIN_AFTER),
            }
            let partition = self.partition;
            self.ahead.extend(chunks.into_iter().filter(|chunk| chunk.partition == Some(partition)));
        }
    }
}
