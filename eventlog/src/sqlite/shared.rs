//! What the handles, the writer thread and the readers of one log have in common.

use std::path::PathBuf;

use netqoe_datafile::{Trouble, described};
use netqoe_model::LogIdentity;

use super::damage::Damage;
use super::files::Files;
use super::handover::Handover;
use super::heads::Heads;
use super::queue::Queue;
use super::retention::NeededFrom;
use crate::AppendError;
use crate::health::Health;

pub(super) struct Shared {
    pub path: PathBuf,
    pub identity: LogIdentity,
    pub queue: Queue,
    pub heads: Heads,
    pub handover: Handover,
    pub needed: NeededFrom,
    pub health: Health,
    pub files: Files,
    pub damage: Damage,
}

impl Shared {
    /// Whether what is written has a name by which it is found again.
    pub(super) fn in_place(&self) -> Result<(), AppendError> {
        self.files.missing().map_or(Ok(()), |path| Err(AppendError::Moved { path }))
    }

    /// What SQLite's error means for an append.
    pub(super) fn append_error(&self, error: &rusqlite::Error) -> AppendError {
        let reason = Trouble::of(&self.path, error).map_or_else(|| described(error), |trouble| trouble.to_string());
        AppendError::Failed { path: self.path.clone(), reason }
    }
}
