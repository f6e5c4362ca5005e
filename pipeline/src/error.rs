use std::error::Error;
use std::io;

use netqoe_eventlog::LogError;
use netqoe_sinks::StoreError;

/// Why a pipeline can't start, or can't go on.
#[derive(Debug, thiserror::Error)]
pub enum PipelineError {
    /// Where events come from.
    #[error("can't read the log")]
    Log(#[source] LogError),
    /// A file or a pipe that is replayed.
    #[error("can't read the input")]
    Input(#[source] io::Error),
    /// Before a record is tried that may end the process.
    #[error("can't count an attempt at a record")]
    Attempt(#[source] StoreError),
    /// Before the commit that moves on from a dead letter.
    #[error("can't set aside what could not be counted")]
    SetAside(#[source] LogError),
    /// Where rows go.
    #[error("can't commit to the store")]
    Commit(#[source] StoreError),
    /// After the last commit.
    #[error("can't complete the store")]
    Complete(#[source] StoreError),
    /// By the system.
    #[error("can't start a thread")]
    Thread(#[source] io::Error),
    /// By timely, in its words.
    #[error("can't start the workers: {0}")]
    Workers(String),
    /// In timely's words.
    #[error("a worker failed: {0}")]
    Worker(String),
    /// It has told nobody why.
    #[error("the committing thread panicked")]
    Panicked,
    /// The reason was given to [`crate::Failed`].
    #[error("the store could not be written")]
    NotWritten,
}

impl PipelineError {
    /// The error and what has led to it, on one line.
    pub(crate) fn with_causes(&self) -> String {
        let causes = std::iter::successors(self.source(), |&cause| cause.source());
        causes.fold(self.to_string(), |line, cause| format!("{line}: {cause}"))
    }
}
