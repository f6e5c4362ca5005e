/// Why a query has no answer.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The store can't be reached.
    #[error("can't open the store {store} for reading: {reason}; check that it is there and that netqoe may read it")]
    Open {
        /// The path, or the URL without its password.
        store: String,
        /// What SQLite, the server or the network says.
        reason: String,
    },
    /// The connection can't be protected as the URL asks for it.
    #[error("can't set up TLS with {store}: {reason}")]
    Tls {
        /// The URL without its password.
        store: String,
        /// What is wrong with the server or a file, and what to do about it.
        reason: String,
    },
    /// The store is open and does not answer.
    #[error(
        "can't read the store {store}: {reason}; check it, and run `netqoe migrate` on it if an earlier netqoe wrote it"
    )]
    Query {
        /// The path, or the URL without its password.
        store: String,
        /// What SQLite or the server says.
        reason: String,
    },
    /// The store can't be read at the moment: it is locked, its disk fails, its server is away.
    #[error("can't read the store {store} for now: {reason}")]
    Unavailable {
        /// The path, or the URL without its password.
        store: String,
        /// The cause, and what to do about it, without the store's place.
        reason: String,
    },
    /// All connections are in use.
    #[error("the store is answering as many questions as it may at once; ask again in a moment")]
    Busy,
    /// Stopped before it was done.
    #[error("the question took longer than {limit_ms} ms; narrow it with client_id, target, from or to")]
    TooSlow {
        /// How long it may take.
        limit_ms: u128,
    },
}
