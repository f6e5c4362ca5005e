//! The records of one partition, from a position on and never further than is asked for.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use netqoe_eventlog::{LogReader, LogSearch, Start};
use netqoe_model::{Checkpoint, Chunk, Partition, Position};

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
    /// All records up to this one were read.
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

    /// The next record up to `through`; none where all of them were given.
    pub(super) fn next(&mut self, through: Position) -> Result<Option<Chunk>, Stopped> {
        Ok(if self.reads_ahead(through)? { self.ahead.pop_front() } else { None })
    }

    /// The next record of which all that it led to is committed. While something is due of a minute, the checkpoint's log time is that
    /// minute (D-099): records after it are processed, and the look and some rows of the minute are still to come.
    pub(super) fn next_committed(&mut self, checkpoint: &Checkpoint) -> Result<Option<Chunk>, Stopped> {
        let is_there = self.reads_ahead(checkpoint.processed)?;
        let is_committed = |chunk: &Chunk| chunk.log_time.is_none_or(|log_time| log_time <= checkpoint.log_time);
        Ok(self.ahead.pop_front_if(|chunk| is_there && is_committed(chunk)))
    }

    /// Whether there is a next record up to `through`, which is then the first of those that were read ahead.
    fn reads_ahead(&mut self, through: Position) -> Result<bool, Stopped> {
        let began = Instant::now();
        loop {
            if let Some(first) = self.ahead.front() {
                return Ok(first.position <= through);
            }
            if self.reached >= through {
                return Ok(false);
            }
            if self.feeds.are_ending() {
                return Err(Stopped::Ended);
            }
            let chunks = self.reader.read(BATCH_BYTES)?;
            // A checkpoint may stand behind records of other partitions, after the last of this one.
            self.reached = self.reader.returned_through();
            if chunks.is_empty() && self.reached < through {
                if began.elapsed() > LONGEST_WAIT {
                    return Err(Stopped::Busy);
                }
                std::thread::sleep(ASK_AGAIN_AFTER);
            }
            let partition = self.partition;
            self.ahead.extend(chunks.into_iter().filter(|chunk| chunk.partition == Some(partition)));
        }
    }
}

#[cfg(test)]
mod tests {
    use netqoe_eventlog::LogError;
    use netqoe_model::LogTime;

    use super::*;

    /// A log with these records of the partition, and others up to a position.
    struct Log(VecDeque<Chunk>, Position);

    impl LogReader for Log {
        fn read(&mut self, _: usize) -> Result<Vec<Chunk>, LogError> {
            Ok(self.0.drain(..).collect())
        }

        fn returned_through(&self) -> Position {
            if self.0.is_empty() { self.1 } else { Position(0) }
        }

        fn lag(&self) -> u64 {
            0
        }

        fn lag_of(&self, _: Partition) -> Option<u64> {
            None
        }

        fn on_append(&mut self, _: Box<dyn Fn() + Send + Sync>) {}
    }

    const PARTITION: Partition = Partition(3);

    fn records(log_times_ms: &[i64]) -> Records {
        let chunk = |(position, &log_ms): (u64, &i64)| Chunk {
            partition: Some(PARTITION),
            position: Position(position),
            log_time: Some(LogTime::from_ms(log_ms)),
            lines: Vec::new(),
            set_aside: None,
            came_late: false,
            trace: None,
        };
        let reader = Box::new(Log((1..).zip(log_times_ms).map(chunk).collect(), Position(9)));
        let (feeds, ahead) = (LogFeeds::default(), VecDeque::new());
        Records { reader, partition: PARTITION, feeds, ahead, reached: Position(0) }
    }

    fn checkpoint(processed: u64, log_ms: i64) -> Checkpoint {
        let (processed, log_time) = (Position(processed), LogTime::from_ms(log_ms));
        Checkpoint { partition: PARTITION, processed, log_time, ..Checkpoint::default() }
    }

    #[test]
    fn what_the_checkpoint_holds_back_is_not_committed() {
        let mut records = records(&[59_000, 60_000, 60_001, 61_000]);
        let mut committed = |checkpoint: Checkpoint| -> Vec<u64> {
            let next = std::iter::from_fn(|| records.next_committed(&checkpoint).ok().flatten());
            next.map(|chunk| chunk.position.0).collect()
        };
        assert_eq!(committed(checkpoint(3, 60_000)), [1, 2], "the minute that the third has passed is due");
        assert_eq!(committed(checkpoint(3, 60_000)), [0; 0]);
        assert_eq!(committed(checkpoint(3, 60_001)), [3]);
        assert_eq!(committed(checkpoint(9, 61_000)), [4], "what follows is of other partitions");
        assert_eq!(committed(checkpoint(9, 61_000)), [0; 0]);
    }
}
