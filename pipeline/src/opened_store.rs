use std::sync::Arc;

use netqoe_model::{DeadLetter, Generation, LogIdentity, PartitionCommit, Resume, Rules};
use netqoe_sinks::{Opening, Store, StoreError};
use parking_lot::Mutex;

use super::caution::Attempt;
use super::patience::Patience;

/// Keeps dead letters elsewhere too. It may be given the same ones again.
pub type SetAside = Box<dyn FnMut(&[DeadLetter]) -> anyhow::Result<()> + Send>;

/// A store, and the generation in which this process may write to it.
pub struct OpenedStore {
    store: Arc<Mutex<Box<dyn Store>>>,
    generation: Generation,
    /// Where the pipeline goes on.
    pub resume: Resume,
    set_aside: Option<SetAside>,
    /// While it can't be written.
    patience: Patience,
}

impl OpenedStore {
    /// Takes a new generation, which no other process shares. The store keeps `opened_by`, so that somebody finds the
    /// process.
    pub fn open(
        mut store: Box<dyn Store>,
        log: &LogIdentity,
        rules: &Rules,
        opened_by: String,
        patience: Patience,
    ) -> Result<Self, StoreError> {
        let opening = opening(rules, opened_by);
        let generation = patience.insist(|| store.open(log, &opening))?;
        Self::join(store, generation, rules, patience)
    }

    /// Goes on in a generation that another process of the same cluster has taken.
    pub fn join(
        mut store: Box<dyn Store>,
        generation: Generation,
        rules: &Rules,
        patience: Patience,
    ) -> Result<Self, StoreError> {
        let resume = patience.insist(|| store.resume(generation, &rules.diagnosis))?;
        Ok(Self { store: Arc::new(Mutex::new(store)), generation, resume, set_aside: None, patience })
    }

    /// From now on waits as long as this.
    pub fn with_patience(self, patience: Patience) -> Self {
        Self { patience, ..self }
    }

    /// What can't be counted is given to `set_aside` before the commit that moves on from it.
    pub fn setting_aside(self, set_aside: SetAside) -> Self {
        Self { set_aside: Some(set_aside), ..self }
    }

    /// Counts attempts at records, for as long as this is there.
    pub(super) fn attempts(&self) -> Attempt {
        let (store, generation, patience) = (Arc::downgrade(&self.store), self.generation, self.patience.clone());
        Box::new(move |partition, position| match store.upgrade() {
            Some(store) => patience.insist(|| store.lock().attempt(generation, partition, position)),
            None => Ok(None),
        })
    }

    /// In which this process writes.
    pub fn generation(&self) -> Generation {
        self.generation
    }

    pub fn commit(&mut self, partitions: &[PartitionCommit]) -> anyhow::Result<()> {
        if let Some(set_aside) = &mut self.set_aside {
            let letters: Vec<_> = partitions.iter().flat_map(|commit| commit.dead_letters.iter().cloned()).collect();
            if !letters.is_empty() {
                set_aside(&letters)?;
            }
        }
        Ok(self.patience.insist(|| self.store.lock().commit(self.generation, partitions))?)
    }

    pub(super) fn complete(self) -> Result<(), StoreError> {
        // Feeds count attempts, and they have ended.
        match Arc::into_inner(self.store).map_or(Ok(()), |store| store.into_inner().complete()) {
            // All is committed. The next start is careful for nothing.
            Err(error) if error.may_pass() => {
                tracing::warn!("the end is not noted: {error}");
                Ok(())
            }
            completed => completed,
        }
    }
}

/// What a store keeps of how this process opens a generation.
fn opening(rules: &Rules, opened_by: String) -> Opening {
    Opening { rules: serde_json::to_string(rules).ok(), opened_by: Some(opened_by) }
}
