//! Whether a log takes appends, for those who ask before they send any.

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

    /// Takes in the last try. Only a change is worth a line in the process's own log.
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
