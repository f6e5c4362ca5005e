use std::path::PathBuf;

/// Why a question has no answer.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The file can't be opened.
    #[error("can't open the store {} for reading: {source}; check that it exists and that netqoe may read it", path.display())]
    Open {
        /// The store.
        path: PathBuf,
        /// What SQLite says.
        source: rusqlite::Error,
    },
    /// The file is open and does not answer.
    #[error("can't read the store {}: {source}; check its disk and that this version of netqoe wrote it", path.display())]
    Query {
        /// The store.
        path: PathBuf,
        /// What SQLite says.
        source: rusqlite::Error,
    },
    /// All connections are at work.
    #[error("the store is answering as many questions as it may at once; ask again in a moment")]
    Busy,
    /// Stopped before it was done.
    #[error("the question took longer than {limit_ms} ms; narrow it with client_id, target, from or to")]
    TooSlow {
        /// How long it may take.
        limit_ms: u128,
    },
}
