//! What was found damaged in a log while it was read.

use std::collections::BTreeSet;

use netqoe_model::{Partition, Position};
use parking_lot::Mutex;

/// Damaged records that are told apart. Beyond them the file is lost, and one line more or less says nothing.
const MAX_TOLD: usize = 1_000;

/// The damaged records that readers have met.
#[derive(Default)]
pub(super) struct Damage {
    found: Mutex<BTreeSet<Position>>,
}

impl Damage {
    /// Takes in a damaged record, and says so the first time.
    pub(super) fn note(&self, partition: Partition, position: Position) {
        let mut found = self.found.lock();
        if found.len() < MAX_TOLD && found.insert(position) {
            tracing::error!(
                %partition,
                position = position.0,
                "a record of the event log is damaged: its checksum does not match. Its lines are kept as dead letters \
                 and are not counted; look at the disk, and see `netqoe doctor`"
            );
        }
    }

    /// How many there are.
    pub(super) fn records(&self) -> u64 {
        self.found.lock().len() as u64
    }

    /// What to say of them, if there are any.
    pub(super) fn check(&self) -> Result<(), String> {
        let found = self.found.lock();
        let Some(first) = found.first() else { return Ok(()) };
        Err(format!(
            "{} records of the event log are damaged, the first at position {}: their lines are kept as dead letters and \
             are not counted; look at the disk, and see `netqoe doctor`",
            found.len(),
            first.0
        ))
    }
}
