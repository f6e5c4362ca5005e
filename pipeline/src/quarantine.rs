//! The quarantine of poison records: those that end the process whenever it processes them.
//!
//! After starts that led a partition nowhere, its records are handed out one at a time, so that it is known which one
//! ends the process. A record that has done so too often is set aside. Records of other partitions are handed out as ever,
//! but not while one is being tried.
//!
//! Decision: D-021.

use std::collections::BTreeSet;

use netqoe_model::{Chunk, MAX_ATTEMPTS, Partition, Position, Resume, SetAside};
use netqoe_sinks::StoreError;
use parking_lot::Mutex;

use crate::PipelineError;
use crate::backlog::{Backlog, ReadTurn, Reading};
use crate::feeds::BATCH_BYTES;

/// Starts in a row that led a partition nowhere, before its records are tried. One can have any cause.
const FRUITLESS_STARTS: u32 = 2;

/// Records that are tried one by one in a start, some seconds' worth. Where the one that fails comes later, the next
/// starts begin after these.
const TRIED_RECORDS: u32 = 1_000;

/// Counts an attempt at a record and tells how many there were before; `None` where another record is being tried.
pub(crate) type Attempt = Box<dyn FnMut(Partition, Position) -> Result<Option<u32>, StoreError> + Send>;

/// Which records all feeds of a process may hand out.
pub(crate) struct Quarantine {
    /// Records that were set aside before and may be read again.
    set_aside: BTreeSet<(Partition, Position)>,
    /// While any partition is in doubt.
    suspects: Mutex<Option<Suspects>>,
}

/// What a worker does next.
pub(crate) enum NextTurn {
    /// It works on these records.
    Read(ReadTurn),
    /// What was handed out before must be committed first.
    Wait,
}

impl Quarantine {
    /// For the partitions that this process owns.
    pub(crate) fn new(resume: &Resume, own: &BTreeSet<Partition>, attempt: Attempt) -> Self {
        let fruitless = resume.fruitless_starts.iter().filter(|(_, starts)| *starts >= FRUITLESS_STARTS);
        let partitions: BTreeSet<_> =
            fruitless.map(|(partition, _)| *partition).filter(|partition| own.contains(partition)).collect();
        let suspects = (!partitions.is_empty()).then_some(Suspects {
            partitions,
            records_left: TRIED_RECORDS,
            attempt,
            trial: Trial::None,
        });
        Self { set_aside: resume.set_aside.iter().copied().collect(), suspects: Mutex::new(suspects) }
    }

    /// The next turn of the worker that owns these partitions.
    pub(crate) fn read(
        &self,
        reading: &Reading,
        partitions: &[Partition],
        backlog: &Backlog,
    ) -> Result<NextTurn, PipelineError> {
        let mut suspects = self.suspects.lock();
        let next = match &mut *suspects {
            Some(suspects) => suspects.read(reading, partitions, backlog)?,
            None => {
                drop(suspects);
                let turn = reading.read(BATCH_BYTES).map_err(PipelineError::Log)?;
                return Ok(NextTurn::Read(self.mark(turn)));
            }
        };
        suspects.take_if(|suspects| suspects.are_cleared());
        Ok(match next {
            NextTurn::Read(turn) => NextTurn::Read(self.mark(turn)),
            NextTurn::Wait => NextTurn::Wait,
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

/// Partitions in doubt. While a record of theirs is being tried, nothing else is under way in this process.
struct Suspects {
    partitions: BTreeSet<Partition>,
    records_left: u32,
    attempt: Attempt,
    trial: Trial,
}

/// Where the trial of one record stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Trial {
    None,
    /// A worker has one to try, and waits until what was handed out before is committed.
    Awaited,
    /// The record was handed out.
    UnderWay,
}

impl Suspects {
    fn are_cleared(&self) -> bool {
        self.partitions.is_empty() || self.records_left == 0
    }

    fn read(
        &mut self,
        reading: &Reading,
        partitions: &[Partition],
        backlog: &Backlog,
    ) -> Result<NextTurn, PipelineError> {
        if self.trial != Trial::None && backlog.is_under_way() {
            return Ok(NextTurn::Wait);
        }
        let next = reading.next_new_of(&self.partitions, BATCH_BYTES).map_err(PipelineError::Log)?;
        let Some(record) = next else { return Ok(self.read_others(reading, partitions)) };
        if backlog.is_under_way() {
            self.trial = Trial::Awaited;
            return Ok(NextTurn::Wait);
        }
        self.try_one(record, reading)
    }

    /// Hands out what is not in doubt.
    fn read_others(&mut self, reading: &Reading, partitions: &[Partition]) -> NextTurn {
        if self.trial == Trial::Awaited {
            return NextTurn::Wait; // the worker that waits is next
        }
        self.trial = Trial::None;
        let turn = reading.read_before_new_of(&self.partitions);
        if turn.chunks.is_empty() && turn.reached_end {
            self.partitions.retain(|partition| !partitions.contains(partition));
        }
        NextTurn::Read(turn)
    }

    /// Hands out this record alone, unless another process is trying one.
    fn try_one(&mut self, record: (Partition, Position), reading: &Reading) -> Result<NextTurn, PipelineError> {
        let (partition, position) = record;
        let Some(before) = (self.attempt)(partition, position).map_err(PipelineError::Attempt)? else {
            self.trial = Trial::None;
            return Ok(NextTurn::Wait);
        };
        self.records_left -= 1;
        self.trial = Trial::UnderWay;
        let mut turn = reading.read_one();
        if before >= MAX_ATTEMPTS {
            tracing::error!(%partition, position = position.0, "a record failed {before} times: it is set aside");
            turn.chunks.iter_mut().for_each(|chunk| _ = chunk.set_aside.get_or_insert(SetAside::FailedTooOften));
        }
        turn.reached_end = true;
        Ok(NextTurn::Read(turn))
    }
}
