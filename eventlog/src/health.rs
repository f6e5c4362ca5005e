//! Whether a log accepts appends, for callers that check before they send any.

use parking_lot::Mutex;

/// Whether the last try to write succeeded.
#[derive(Default)]
pub(crate) struct Health {
    trouble: Mutex<Option<String>>,
}

impl Health {
    pub(crate) fn get(&self) -> Result<(), String> {
        self.trouble.lock().clone().map_or(Ok(()), Err)
    }

    /// Records the last try. Only a change is logged.
    pub(crate) fn set(&self, tried: Result<(), String>) {
        let mut trouble = self.trouble.lock();
        match (&*trouble, &tried) {
            (None, Err(error)) => tracing::error!(%error, "the event log can't be written"),
            (Some(_), Ok(())) => tracing::info!("the event log can be written again"),
            _ => {}
        }
        *trouble = tried.err();
    }
}
