//! The thread on which a log in JetStream works, whichever thread calls it.

use std::future::Future;
use std::io;
use std::sync::mpsc::channel;

use tokio::runtime::{Builder, Handle, Runtime};

/// Stopped when dropped, without waiting for what runs on it.
pub(super) struct OwnThread(Option<Runtime>);

impl OwnThread {
    pub(super) fn start() -> io::Result<Self> {
        let runtime =
            Builder::new_multi_thread().worker_threads(1).thread_name("eventlog-nats").enable_all().build()?;
        Ok(Self(Some(runtime)))
    }

    pub(super) fn handle(&self) -> &Handle {
        // It is there until the drop.
        #[allow(clippy::expect_used)]
        self.0.as_ref().expect("the runtime is there").handle()
    }

    /// Runs a future there and waits for it, also within another runtime: there, for moments only.
    pub(super) fn wait<T: Send + 'static>(&self, future: impl Future<Output = T> + Send + 'static) -> T {
        let (done, outcome) = channel();
        self.handle().spawn(async move { drop(done.send(future.await)) });
        // Nothing comes where the future panicked.
        #[allow(clippy::expect_used)]
        outcome.recv().expect("the future ends with an outcome")
    }
}

impl Drop for OwnThread {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}
