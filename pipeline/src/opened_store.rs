//! A store that is open in a generation: what every write of this process passes.

use std::num::NonZeroU16;
use std::ops::Range;
use std::sync::Arc;

use netqoe_eventlog::Start;
use netqoe_model::{
    Generation, LogIdentity, LogTime, Partition, PartitionCommit, Position, Resume, Rules, WindowStart,
};
use netqoe_sinks::{Opening, StoreError};
use parking_lot::Mutex;

use crate::quarantine::Attempt;
use crate::set_aside::SetAside;
use crate::{FleetLink, MeasuredStore, Patience, PipelineError};

/// A store, and the generation in which this process may write to it.
pub struct OpenedStore {
    store: Arc<Mutex<MeasuredStore>>,
    generation: Generation,
    /// Where the pipeline goes on.
    pub resume: Resume,
    set_aside: Option<SetAside>,
    /// The windows whose rows it takes.
    windows: Option<Range<WindowStart>>,
    /// While it can't be written.
    patience: Patience,
    window_ms: i64,
}

impl OpenedStore {
    /// Takes a new generation, which no other process shares. The store keeps `opened_by`, so that somebody finds this
    /// process.
    ///
    /// # Errors
    /// Those of [`netqoe_sinks::Store::open`] and [`netqoe_sinks::Store::resume`].
    pub fn open(
        mut store: MeasuredStore,
        log: &LogIdentity,
        rules: &Rules,
        opened_by: String,
        patience: Patience,
    ) -> Result<Self, StoreError> {
        let opening = Opening { rules: serde_json::to_string(rules).ok(), opened_by: Some(opened_by) };
        let generation = patience.insist(|| store.transact("open", |store| store.open(log, &opening)))?;
        Self::join(store, generation, rules, patience)
    }

    /// Goes on in a generation that another process of the same cluster has taken.
    ///
    /// # Errors
    /// Those of [`netqoe_sinks::Store::resume`].
    pub fn join(
        mut store: MeasuredStore,
        generation: Generation,
        rules: &Rules,
        patience: Patience,
    ) -> Result<Self, StoreError> {
        let resume =
            patience.insist(|| store.transact("resume", |store| store.resume(generation, &rules.diagnosis)))?;
        let (store, set_aside, windows) = (Arc::new(Mutex::new(store)), None, None);
        Ok(Self { store, generation, resume, set_aside, windows, patience, window_ms: rules.window_ms })
    }

    /// From now on waits as long as this.
    #[must_use]
    pub fn with_patience(self, patience: Patience) -> Self {
        Self { patience, ..self }
    }

    /// What can't be counted is given to `set_aside` before the commit that moves on from it.
    #[must_use]
    pub fn setting_aside(self, set_aside: SetAside) -> Self {
        Self { set_aside: Some(set_aside), ..self }
    }

    /// Takes the rows of windows that start within this range only: those before it are read to learn what was usual.
    #[must_use]
    pub fn taking_only(self, windows: Range<WindowStart>) -> Self {
        Self { windows: Some(windows), ..self }
    }

    /// Counts attempts at records, for as long as this is there.
    pub(crate) fn attempts(&self) -> Attempt {
        let (store, generation, patience) = (Arc::downgrade(&self.store), self.generation, self.patience.clone());
        Box::new(move |partition, position| match store.upgrade() {
            Some(store) => patience
                .insist(|| store.lock().transact("attempt", |store| store.attempt(generation, partition, position))),
            None => Ok(None),
        })
    }

    /// What incidents are written with, over this connection.
    pub fn fleet_link(&self) -> FleetLink {
        FleetLink { store: Arc::clone(&self.store), generation: self.generation, patience: self.patience.clone() }
    }

    /// What incidents are written with, over a connection of its own, so that commits wait for them no longer than the
    /// store makes them.
    pub fn fleet_link_over(&self, store: MeasuredStore) -> FleetLink {
        FleetLink { store: Arc::new(Mutex::new(store)), ..self.fleet_link() }
    }

    /// In which this process writes.
    pub fn generation(&self) -> Generation {
        self.generation
    }

    /// Where each of so many partitions begins to be read.
    pub(crate) fn starts(&self, partitions: NonZeroU16) -> Vec<Start> {
        // One that is held back before a minute does not tell how old its record may be (D-099).
        let told = |log_time: LogTime| (log_time.ms() % self.window_ms != 0).then_some(log_time);
        let start = |partition| {
            let checkpoint = self.resume.checkpoints.iter().find(|checkpoint| checkpoint.partition == partition);
            Start {
                partition,
                from: checkpoint.map_or(Position(0), |checkpoint| checkpoint.resume_from),
                processed: checkpoint.map_or(Position(0), |checkpoint| checkpoint.processed),
                log_time: checkpoint.and_then(|checkpoint| told(checkpoint.log_time)),
            }
        };
        (0..partitions.get()).map(|number| start(Partition(number))).collect()
    }

    /// Commits all of these together. What this store does not take is removed from them first.
    ///
    /// # Errors
    /// [`PipelineError::SetAside`], or [`PipelineError::Commit`].
    pub fn commit(&mut self, partitions: &mut [PartitionCommit]) -> Result<(), PipelineError> {
        if let Some(windows) = &self.windows {
            for commit in &mut *partitions {
                commit.rows.retain(|row| windows.contains(&row.window.start));
                for look in &mut commit.looks {
                    look.sightings.retain(|sighting| windows.contains(&sighting.window));
                }
                commit.looks.retain(|look| !look.sightings.is_empty());
            }
        }
        if let Some(set_aside) = &mut self.set_aside {
            let letters: Vec<_> = partitions.iter().flat_map(|commit| commit.dead_letters.iter().cloned()).collect();
            if !letters.is_empty() {
                set_aside(&letters).map_err(PipelineError::SetAside)?;
            }
        }
        let (store, generation) = (&self.store, self.generation);
        let commit = || store.lock().transact("commit", |store| store.commit(generation, partitions));
        self.patience.insist(commit).map_err(PipelineError::Commit)
    }

    pub(crate) fn complete(self) -> Result<(), StoreError> {
        // Feeds count attempts, and they have ended.
        match Arc::into_inner(self.store).map_or(Ok(()), |store| store.into_inner().complete()) {
            // All is committed. The next start tries records alone for nothing.
            Err(error) if error.may_pass() => {
                tracing::warn!("the end is not noted: {error}");
                Ok(())
            }
            completed => completed,
        }
    }
}
