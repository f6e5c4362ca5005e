//! The dead letters that the page shows: those in the store of `up`, or those in the stream of a cluster, which keeps
//! every letter that its store has, and for longer.

use std::sync::Arc;

use futures::FutureExt;
use futures::future::BoxFuture;
use netqoe_eventlog::{EventLog, LetterOrder, ReplayError, SqliteLog, with_recv_ts};
use netqoe_model::{Event, LogTime, Partition, Position};
use netqoe_query::{DeadLetters, DeadLettersError, Letter, LetterPage, SHOWN_BYTES};
use netqoe_sinks::{LetterExcerpt, LetterKey, NoLetterKey, SqliteDeadLetters, StoreError};
use tokio::sync::Mutex;

/// Letters of a stream that are held at once: each can be a megabyte, and only its beginning is shown.
const TOGETHER: usize = 8;

/// Those of the embedded store, which go back into the embedded log.
pub struct StoreLetters {
    letters: Arc<SqliteDeadLetters>,
    log: SqliteLog,
    /// The command that replays a letter.
    how_to_replay: String,
    now_ms: fn() -> i64,
    /// One replay at a time: a letter that is asked for twice is appended once.
    replaying: Mutex<()>,
}

impl StoreLetters {
    /// Those of this store, which go back into this log; people are told `how_to_replay` one by a command.
    pub fn new(letters: SqliteDeadLetters, log: SqliteLog, how_to_replay: String, now_ms: fn() -> i64) -> Self {
        Self { letters: Arc::new(letters), log, how_to_replay, now_ms, replaying: Mutex::default() }
    }

    /// Uses the file on a thread that may wait for it.
    async fn with<T: Send + 'static>(
        &self,
        work: impl FnOnce(&SqliteDeadLetters) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, DeadLettersError> {
        let letters = Arc::clone(&self.letters);
        let done = tokio::task::spawn_blocking(move || work(&letters)).await;
        done.map_err(unavailable)?.map_err(unavailable)
    }

    /// Appends a letter to the log again; false where there is none of this key.
    ///
    /// First appended, and deleted once that is durable: whatever happens between, the letter is in one place at least.
    ///
    /// # Errors
    /// Where the store or the log can't be used.
    pub async fn append_and_remove(&self, key: LetterKey) -> Result<bool, DeadLettersError> {
        let _one = self.replaying.lock().await;
        let Some(letter) = self.with(move |letters| letters.get(key)).await? else { return Ok(false) };
        // What is no JSON object holds no time, and is no event the second time either.
        let line = with_recv_ts(&letter.original, (self.now_ms)()).unwrap_or(letter.original);
        let partition = Event::parse(&line)
            .map_or(letter.partition, |event| Partition::of(&event.client_id, self.log.identity().partitions));
        self.log.append(vec![(partition, line)]).await.map_err(unavailable)?;
        self.with(move |letters| letters.remove(key)).await?;
        Ok(true)
    }
}

impl DeadLetters for StoreLetters {
    fn count(&self) -> BoxFuture<'_, Result<u64, DeadLettersError>> {
        self.with(SqliteDeadLetters::count).boxed()
    }

    fn page(&self, after: Option<String>, limit: usize) -> BoxFuture<'_, Result<Option<LetterPage>, DeadLettersError>> {
        async move {
            let after = match after.map(|after| parse_place(&after)) {
                Some(None) => return Ok(None),
                after => after.flatten(),
            };
            let mut letters = self.with(move |letters| letters.page(after, limit + 1, SHOWN_BYTES)).await?;
            let has_more = letters.len() > limit;
            letters.truncate(limit);
            let next = letters.last().filter(|_| has_more).map(|last| format!("{}-{}", last.log_time, last.key));
            Ok(Some(LetterPage { letters: letters.into_iter().map(of_excerpt).collect(), next }))
        }
        .boxed()
    }

    fn replay(&self, id: String) -> BoxFuture<'_, Result<bool, DeadLettersError>> {
        async move {
            match id.parse() {
                Ok(key) => self.append_and_remove(key).await,
                // What is no id names none.
                Err(NoLetterKey) => Ok(false),
            }
        }
        .boxed()
    }

    fn how_to_replay(&self) -> String {
        self.how_to_replay.clone()
    }
}

fn of_excerpt(excerpt: LetterExcerpt) -> Letter {
    let LetterExcerpt { key, log_time, reason, original, bytes } = excerpt;
    Letter {
        id: key.to_string(),
        partition: Some(key.partition.0),
        log_time_ms: log_time.ms(),
        reason,
        original,
        bytes,
    }
}

/// A log time and the id of a letter of that time.
fn parse_place(place: &str) -> Option<(LogTime, LetterKey)> {
    let (log_time, id) = place.split_once('-')?;
    Some((LogTime::from_ms(log_time.parse().ok()?), id.parse().ok()?))
}

/// Those of a cluster's stream, which go back into its log.
pub struct StreamLetters {
    letters: netqoe_eventlog::DeadLetters,
    /// The command that replays a letter.
    how_to_replay: String,
}

impl DeadLetters for StreamLetters {
    fn count(&self) -> BoxFuture<'_, Result<u64, DeadLettersError>> {
        async { self.letters.count().await.map_err(unavailable) }.boxed()
    }

    fn page(&self, after: Option<String>, limit: usize) -> BoxFuture<'_, Result<Option<LetterPage>, DeadLettersError>> {
        async move {
            let mut place = match after.map(|after| after.parse().map(Position)) {
                Some(Err(_)) => return Ok(None),
                after => after.and_then(Result::ok),
            };
            let mut letters = Vec::new();
            while letters.len() <= limit {
                let together = TOGETHER.min(limit + 1 - letters.len());
                let some = self.letters.list(LetterOrder::NewestFirst, place, together).await.map_err(unavailable)?;
                let Some(last) = some.last() else { break };
                place = Some(last.position);
                letters.extend(some.into_iter().map(|letter| self.letter(letter)));
            }
            let has_more = letters.len() > limit;
            letters.truncate(limit);
            let next = letters.last().filter(|_| has_more).map(|last| last.id.clone());
            Ok(Some(LetterPage { letters, next }))
        }
        .boxed()
    }

    fn replay(&self, id: String) -> BoxFuture<'_, Result<bool, DeadLettersError>> {
        async move {
            let Ok(position) = id.parse() else { return Ok(false) };
            self.letters.replay(Position(position)).await.map_err(|error| match error {
                ReplayError::Cut { .. } => DeadLettersError::Cut(error.to_string()),
                ReplayError::Letters(_) | ReplayError::Log(_) => unavailable(error),
            })
        }
        .boxed()
    }

    fn how_to_replay(&self) -> String {
        self.how_to_replay.clone()
    }
}

impl StreamLetters {
    /// Those of this stream; people are told `how_to_replay` one by a command.
    pub fn new(letters: netqoe_eventlog::DeadLetters, how_to_replay: String) -> Self {
        Self { letters, how_to_replay }
    }

    fn letter(&self, letter: netqoe_eventlog::StoredLetter) -> Letter {
        let partition = self.letters.origin_partition(&letter).map(|partition| partition.0);
        let bytes = letter.original.len() as u64;
        let mut original = letter.original;
        original.truncate(SHOWN_BYTES);
        original.shrink_to_fit();
        let (id, log_time_ms) = (letter.position.0.to_string(), letter.log_time.ms());
        Letter { id, partition, log_time_ms, reason: letter.reason, original, bytes }
    }
}

fn unavailable(error: impl std::fmt::Display) -> DeadLettersError {
    DeadLettersError::Unavailable(error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_a_time_and_a_letter() {
        let key = LetterKey { partition: Partition(3), position: Position(12_345), line: 7 };
        assert_eq!(parse_place("1795536448627-3-12345-7"), Some((LogTime::from_ms(1_795_536_448_627), key)));
        for text in ["", "-", "1795536448627", "3-12345-7", "x-3-12345-7", "-5-3-12345-7"] {
            assert_eq!(parse_place(text), None, "{text}");
        }
    }
}
