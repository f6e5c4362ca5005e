//! What a store gives to whoever finds incidents again after corrections.
//!
//! Decision: D-109.

use netqoe_model::{Generation, Incident, IncidentId, IncidentMember, LogTime, Unmeasured, WindowStart};

use crate::StoreError;

/// Corrections that incidents do not reflect, and what stands in the store of the time since.
pub trait RefoldStore {
    /// The corrections after this one, as a whole; `None` if there are none. A later one never has a smaller number than one
    /// that was seen.
    ///
    /// # Errors
    /// If the store can't be read.
    fn corrections_after(&mut self, reflected: i64) -> Result<Option<Corrections>, StoreError>;

    /// The newest kept state of the fleet as of this look or one before it; where there is none, the oldest that is kept.
    ///
    /// # Errors
    /// If the store can't be read.
    fn fleet_state(&mut self, at: WindowStart) -> Result<Option<(WindowStart, Vec<u8>)>, StoreError>;

    /// Deletes the kept states after this look: looks that they reflect were corrected.
    ///
    /// # Errors
    /// [`StoreError::Fenced`] if a later generation has been opened.
    fn forget_fleet_states(&mut self, generation: Generation, after: WindowStart) -> Result<(), StoreError>;

    /// Keeps a state for corrections.
    ///
    /// # Errors
    /// [`StoreError::Fenced`] if a later generation has been opened.
    fn keep_fleet_state(&mut self, generation: Generation, at: WindowStart, state: &[u8]) -> Result<(), StoreError>;

    /// The incidents that are open or have changed after this look, and these, in any order.
    ///
    /// # Errors
    /// If the store can't be read.
    fn incidents_since(&mut self, after: WindowStart, ids: &[&IncidentId]) -> Result<Vec<Incident>, StoreError>;

    /// The members of an incident, in any order.
    ///
    /// # Errors
    /// If the store can't be read.
    fn incident_members(&mut self, incident: &IncidentId) -> Result<Vec<IncidentMember>, StoreError>;

    /// All pairs that miss their rhythm, in any order.
    ///
    /// # Errors
    /// If the store can't be read.
    fn unmeasured(&mut self) -> Result<Vec<Unmeasured>, StoreError>;
}

/// Corrections that incidents do not reflect yet, as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Corrections {
    /// The number of the newest.
    pub newest: i64,
    /// The log time of the newest.
    pub at: LogTime,
    /// The first window that they may have changed. Looks after it may be others now.
    pub from: WindowStart,
    /// Events that came late and count now.
    pub events: u64,
}
