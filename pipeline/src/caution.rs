//! After starts that led nowhere: one record at a time, so that it is known which one ends the process. What has done
//! so too often is set aside.

use std::collections::BTreeSet;

use anyhow::Context;
use netqoe_model::{Chunk, MAX_ATTEMPTS, Partition, Position, Resume, SetAside};
use netqoe_sinks::StoreError;
use parking_lot::Mutex;

use super::backlog::{Backlog, ReadTurn, Reading};
use super::feeds::BATCH_BYTES;

/// Starts in a row that led a partition nowhere, before its records are tried. One can have any cause.
const FRUITLESS_STARTS: u32 = 2;

/// Records that are tried one by one in a start, some seconds' worth. Where the one that fails comes later, the next
/// starts begin after these.
const TRIED_RECORDS: u32 = 1_000;

/// Counts an attempt at a record and tells how many there were before; `None` where another record is being tried.
pub(super) type Attempt = Box<dyn FnMut(Partition, Position) -> Result<Option<u32>, StoreError> + Send>;

/// What all feeds of a process read by.
pub(super) struct Caution {
    /// Records that were set aside before and may be read again.
    set_aside: BTreeSet<(Partition, Position)>,
    /// While any partition is in doubt.
    trial: Mutex<Option<Trial>>,
}

/// The outcome of a cautious read.
pub(super) enum Cautious {
    Read(ReadTurn),
    /// What was handed out before must be committed first.
    Wait,
}

impl Caution {
    /// For the partitions that this process owns.
    pub(super) fn new(resume: &Resume, own: &BTreeSet<Partition>, attempt: Attempt) -> Self {
        let fruitless = resume.fruitless_starts.iter().filter(|(_, starts)| *starts >= FRUITLESS_STARTS);
        let suspects: BTreeSet<_> =
            fruitless.map(|(partition, _)| *partition).filter(|partition| own.contains(partition)).collect();
        let trial = (!suspects.is_empty()).then_some(Trial { suspects, records_left: TRIED_RECORDS, attempt });
        Self { set_aside: resume.set_aside.iter().copied().collect(), trial: Mutex::new(trial) }
    }

    /// The next turn of the worker that owns these partitions.
    pub(super) fn read(
        &self,
        reading: &Reading,
        partitions: &[Partition],
        backlog: &Backlog,
    ) -> anyhow::Result<Cautious> {
        let mut trial = self.trial.lock();
        let read = match &mut *trial {
            Some(careful) => careful.read(reading, partitions, backlog)?,
            None => {
                drop(trial);
                let turn = reading.read(BATCH_BYTES).context("can't read the log")?;
                return Ok(Cautious::Read(self.mark(turn)));
            }
        };
        trial.take_if(|trial| trial.is_over());
        Ok(match read {
            Cautious::Read(turn) => Cautious::Read(self.mark(turn)),
            Cautious::Wait => Cautious::Wait,
        })
    }

    fn mark(&self, mut turn: ReadTurn) -> ReadTurn {
        if !self.set_aside.is_empty() {
            let is_set_aside = |chunk: &Chunk| chunk.place().is_some_and(|place| self.set_aside.contains(&place));
            for chunk in turn.chunks.iter_mut().filter(|chunk| is_set_aside(chunk)) {
                chunk.set_aside.get_or_insert(SetAside::FailedTooOften);
            }
        }
        turn
    }
}

/// Partitions in doubt. Until it is over, this process has at most one record under way.
struct Trial {
    suspects: BTreeSet<Partition>,
    records_left: u32,
    attempt: Attempt,
}

impl Trial {
    fn is_over(&self) -> bool {
        self.suspects.is_empty() || self.records_left == 0
    }

    fn read(&mut self, reading: &Reading, partitions: &[Partition], backlog: &Backlog) -> anyhow::Result<Cautious> {
        if backlog.is_under_way() {
            return Ok(Cautious::Wait);
        }
        let next = reading.next_new(BATCH_BYTES).context("can't read the log")?;
        let mut failed_too_often = false;
        if let Some((partition, position)) = next.filter(|(partition, _)| self.suspects.contains(partition)) {
            let before = (self.attempt)(partition, position).context("can't count an attempt at a record")?;
            let Some(before) = before else { return Ok(Cautious::Wait) };
            self.records_left -= 1;
            failed_too_often = before >= MAX_ATTEMPTS;
            if failed_too_often {
                tracing::error!(%partition, position = position.0, "a record failed {before} times: it is set aside");
            }
        }
        let mut turn = reading.read_one();
        if failed_too_often {
            turn.chunks.iter_mut().for_each(|chunk| _ = chunk.set_aside.get_or_insert(SetAside::FailedTooOften));
        }
        if turn.chunks.is_empty() && turn.reached_end {
            self.suspects.retain(|partition| !partitions.contains(partition));
        }
        turn.reached_end |= next.is_some();
        Ok(Cautious::Read(turn))
    }
}
