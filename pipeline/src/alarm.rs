//! Wakes a worker that waits for something that nobody tells of.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// One worker's alarm clock.
#[derive(Default)]
pub(super) struct Alarm {
    pub(super) wake: Option<Arc<dyn Fn() + Send + Sync>>,
    is_set: Arc<AtomicBool>,
}

impl Alarm {
    /// Wakes the worker once, after a time; one that is set already is enough.
    pub(super) fn ring_after(&self, pause: Duration) {
        let Some(wake) = self.wake.clone() else { return };
        if self.is_set.swap(true, Ordering::SeqCst) {
            return;
        }
        let is_set = Arc::clone(&self.is_set);
        std::thread::spawn(move || {
            std::thread::sleep(pause);
            is_set.store(false, Ordering::SeqCst); // first: the worker may set it again at once
            wake();
        });
    }
}
