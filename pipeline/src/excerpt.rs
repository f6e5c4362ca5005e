//! A store that takes the rows of some windows only: those before them were read to learn what was usual.

use std::ops::Range;

use netqoe_model::{
    Checkpoint, DiagnosisRules, Generation, LogIdentity, Partition, PartitionCommit, Position, Resume, WindowStart,
};
use netqoe_sinks::{Opening, Store, StoreError};

/// The writing side of a store, for windows that start within a range.
pub struct Excerpt {
    store: Box<dyn Store>,
    windows: Range<WindowStart>,
}

impl Excerpt {
    pub fn new(store: Box<dyn Store>, windows: Range<WindowStart>) -> Self {
        Self { store, windows }
    }
}

impl Store for Excerpt {
    fn open(&mut self, log: &LogIdentity, opening: &Opening) -> Result<Generation, StoreError> {
        self.store.open(log, opening)
    }

    fn resume(&mut self, generation: Generation, rules: &DiagnosisRules) -> Result<Resume, StoreError> {
        self.store.resume(generation, rules)
    }

    fn attempt(
        &mut self,
        generation: Generation,
        partition: Partition,
        position: Position,
    ) -> Result<Option<u32>, StoreError> {
        self.store.attempt(generation, partition, position)
    }

    fn checkpoints(&mut self) -> Result<Vec<Checkpoint>, StoreError> {
        self.store.checkpoints()
    }

    fn commit(&mut self, generation: Generation, partitions: &[PartitionCommit]) -> Result<(), StoreError> {
        let mut partitions = partitions.to_vec();
        for commit in &mut partitions {
            commit.rows.retain(|row| self.windows.contains(&row.window.start));
        }
        self.store.commit(generation, &partitions)
    }

    fn complete(self: Box<Self>) -> Result<(), StoreError> {
        self.store.complete()
    }
}
