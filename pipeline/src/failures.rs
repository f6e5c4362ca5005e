//! How the threads of a pipeline say that they can't go on.

use tokio::sync::mpsc::{self, Receiver, Sender};

use crate::PipelineError;

/// Where a thread says that it can't go on. Only the first failure matters: the pipeline ends with it.
#[derive(Clone, Debug)]
pub(crate) struct Failures(Sender<PipelineError>);

/// The first failure of a pipeline, once there is one.
#[derive(Debug)]
pub struct Failed(Receiver<PipelineError>);

impl Failures {
    /// A place to fail, and to wait for it.
    pub(crate) fn new() -> (Self, Failed) {
        let (sender, receiver) = mpsc::channel(1);
        (Self(sender), Failed(receiver))
    }

    /// Ends the pipeline with this error, unless it is ending with another.
    pub(crate) fn fail(&self, error: PipelineError) {
        if let Err(refused) = self.0.try_send(error) {
            tracing::error!("{}", refused.into_inner().with_causes());
        }
    }
}

impl Failed {
    /// Waits for a failure, for ever where the pipeline ends well.
    pub async fn failure(&mut self) -> PipelineError {
        match self.0.recv().await {
            Some(error) => error,
            None => std::future::pending().await,
        }
    }

    /// The failure that there was by now.
    pub fn failure_by_now(&mut self) -> Option<PipelineError> {
        self.0.try_recv().ok()
    }

    /// Blocks this thread until something fails; none once nothing can fail any more, since all threads have ended.
    pub(crate) fn wait(mut self) -> Option<PipelineError> {
        self.0.blocking_recv()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_failure_is_heard_and_the_last_thread_ends_the_wait() {
        let (failures, failed) = Failures::new();
        let thread = failures.clone();
        thread.fail(PipelineError::Panicked);
        failures.fail(PipelineError::NotWritten);
        assert!(matches!(failed.wait(), Some(PipelineError::Panicked)));

        let (failures, mut failed) = Failures::new();
        assert!(failed.failure_by_now().is_none());
        std::thread::spawn(move || drop(failures));
        assert!(failed.wait().is_none());
    }
}
