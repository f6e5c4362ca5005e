//! What could not be counted, for people to look at and to try again.

mod answer;
mod route;

pub(crate) use route::{replay_route, routes};

use futures::future::BoxFuture;

/// Bytes of a line that are shown: what is longer is no event that a person wrote.
pub const SHOWN_BYTES: usize = 4 << 10;

/// Where dead letters are kept. An id is what [`Letter::id`] has said, or anything that somebody has put into a URL.
pub trait DeadLetters: Send + Sync {
    /// How many there are.
    fn count(&self) -> BoxFuture<'_, Result<u64, DeadLettersError>>;

    /// Newest first, `limit` at most, after the place that an earlier page has named; none where that is no place.
    fn page(&self, after: Option<String>, limit: usize) -> BoxFuture<'_, Result<Option<Page>, DeadLettersError>>;

    /// Appends the original to the log again, durably, and then takes the letter away; false where there is none such.
    /// What still can't be counted comes back as another letter.
    fn replay(&self, id: String) -> BoxFuture<'_, Result<bool, DeadLettersError>>;

    /// The command that does the same from a shell.
    fn how_to_replay(&self) -> String;
}

/// Some letters.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// In order.
    pub letters: Vec<Letter>,
    /// Where the next page begins; none where there is none.
    pub next: Option<String>,
}

/// A line that could not be counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Letter {
    /// What it is called by.
    pub id: String,
    /// The partition that it was in, where that is known.
    pub partition: Option<u16>,
    /// When the log took it, Unix milliseconds.
    pub log_time_ms: i64,
    /// Why it can't be counted.
    pub reason: String,
    /// The line, or its first [`SHOWN_BYTES`].
    pub original: Vec<u8>,
    /// How long the line is, as far as it is kept.
    pub bytes: u64,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum DeadLettersError {
    /// What is kept of it is not all of it.
    #[error("this letter was too long to be kept whole, so it can't be replayed: {0}")]
    Cut(String),
    /// This process has nothing to do with them.
    #[error("{0}; `netqoe dlq` lists dead letters")]
    NotHere(&'static str),
    /// They can't be read or written, or the log takes nothing.
    #[error("{0}")]
    Unavailable(String),
}
