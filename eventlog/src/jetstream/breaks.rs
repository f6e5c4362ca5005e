//! Why what was asked of the log can't be done.
//!
//! Decision: D-087.

use crate::LogError;

/// Why reading, or what else needs the server, can't go on.
#[derive(Debug)]
pub(super) enum Break {
    /// Never again: the log is not what it was.
    ForEver(LogError),
    /// So says a server that may be behind the others: believed where it stays so.
    Doubtful(LogError),
    /// For the moment.
    ForNow(String),
}

impl From<String> for Break {
    fn from(reason: String) -> Self {
        Self::ForNow(reason)
    }
}

impl From<LogError> for Break {
    fn from(error: LogError) -> Self {
        Self::ForEver(error)
    }
}
