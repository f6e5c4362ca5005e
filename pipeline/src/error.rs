use std::error::Error;
use std::io;

use netqoe_eventlog::LogError;
use netqoe_sinks::StoreError;

/// Why a pipeline can't start, or can't go on.
#[derive(Debug, thiserror::Error)]
pub enum PipelineError {
    /// Where the log is not what it was, or a read fails for good.
    #[error("can't read the log")]
    Log(#[source] LogError),
    /// Where the file or pipe of a replay fails.
    #[error("can't read the input")]
    Input(#[source] io::Error),
    /// Where the store fails before a record of a suspect partition is handed out.
    #[error("can't count an attempt at a record")]
    Attempt(#[source] StoreError),
    /// Where the stream of dead letters fails before the commit that moves on from them.
    #[error("can't set aside what could not be counted")]
    SetAside(#[source] LogError),
    /// Where the store refuses rows, or can't be written.
    #[error("can't commit to the store")]
    Commit(#[source] StoreError),
    /// Where the store refuses incidents, or holds looks that can't be read.
    #[error("can't find incidents")]
    Incidents(#[source] StoreError),
    /// Where the store refuses what came late, or can't be read for it.
    #[error("can't count what came late")]
    Corrections(#[source] StoreError),
    /// Where the store fails after the last commit.
    #[error("can't complete the store")]
    Complete(#[source] StoreError),
    /// Where the system starts no thread.
    #[error("can't start a thread")]
    Thread(#[source] io::Error),
    /// Where timely starts no workers, with its message.
    #[error("can't start the workers: {0}")]
    Workers(String),
    /// Where a worker has panicked, with timely's message.
    #[error("a worker failed: {0}")]
    Worker(String),
    /// Where the committing thread has panicked.
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
