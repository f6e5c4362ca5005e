//! What the handles, the writer thread and the readers of one log have in common.

use std::path::PathBuf;

use netqoe_model::LogIdentity;
use parking_lot::Mutex;

use super::heads::Heads;
use super::queue::Queue;
use super::retention::NeededFrom;
use crate::AppendError;

pub(super) struct Shared {
    pub path: PathBuf,
    pub identity: LogIdentity,
    pub queue: Queue,
    pub heads: Heads,
    pub needed: NeededFrom,
    pub health: Health,
}

impl Shared {
    /// What SQLite's error means for who appends.
    pub(super) fn append_error(&self, error: &rusqlite::Error) -> AppendError {
        AppendError::Failed { path: self.path.clone(), reason: error.to_string() }
    }
}

/// Whether the last try to write succeeded.
#[derive(Default)]
pub(super) struct Health {
    trouble: Mutex<Option<String>>,
}

impl Health {
    pub(super) fn get(&self) -> Result<(), String> {
        self.trouble.lock().clone().map_or(Ok(()), Err)
    }

    /// Takes in the last try. Only a change is worth a line in the process's own log.
    pub(super) fn set(&self, tried: Result<(), String>) {
        let mut trouble = self.trouble.lock();
        match (&*trouble, &tried) {
            (None, Err(error)) => tracing::error!(%error, "the event log can't be written"),
            (Some(_), Ok(())) => tracing::info!("the event log can be written again"),
            _ => {}
        }
        *trouble = tried.err();
    }
}
