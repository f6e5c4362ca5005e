use netqoe_model::{Generation, LogIdentity, PartitionCommit, Resume, Rules};
use netqoe_sinks::{Store, StoreError};

/// A store, and the generation in which this process may write to it.
pub(crate) struct OpenedStore {
    store: Box<dyn Store>,
    generation: Generation,
    /// Where the pipeline goes on.
    pub(crate) resume: Resume,
}

impl OpenedStore {
    /// Takes a new generation, which no other process shares.
    pub(crate) fn open(mut store: Box<dyn Store>, log: &LogIdentity, rules: &Rules) -> Result<Self, StoreError> {
        let generation = store.open(log)?;
        let resume = store.resume(generation, &rules.diagnosis)?;
        Ok(Self { store, generation, resume })
    }

    /// Goes on in a generation that another process of the same cluster has taken.
    pub(crate) fn join(mut store: Box<dyn Store>, generation: Generation, rules: &Rules) -> Result<Self, StoreError> {
        let resume = store.resume(generation, &rules.diagnosis)?;
        Ok(Self { store, generation, resume })
    }

    /// In which this process writes.
    pub(crate) fn generation(&self) -> Generation {
        self.generation
    }

    pub(super) fn commit(&mut self, partitions: &[PartitionCommit]) -> Result<(), StoreError> {
        self.store.commit(self.generation, partitions)
    }

    pub(super) fn complete(self) -> Result<(), StoreError> {
        self.store.complete()
    }
}
