//! Which log a store follows, and which generation may write: the decision, without any database.
//!
//! Decision: D-032.

use netqoe_model::{Generation, LogIdentity};

use crate::StoreError;

/// The id of a log that is a file. It is always read from its start, so the progress of an earlier replay means
/// nothing to the next one.
const FILE_LOG_ID: &str = "ndjson";

/// What a store holds of its log when a new generation starts.
#[derive(Debug)]
pub(crate) struct Fence {
    pub(crate) log_id: String,
    pub(crate) partitions: u16,
    pub(crate) generation: i64,
    /// Whether there are checkpoints or rows of that log.
    pub(crate) has_results: bool,
}

/// Where a new generation starts.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Start {
    /// Where the log's last commit came to.
    WhereItStopped,
    /// At the log's beginning: earlier checkpoints and dead letters go, rows stay and are written again.
    AtTheBeginning,
}

/// The generation to take and where it starts.
///
/// # Errors
/// [`StoreError::OtherLog`] if the store holds results of another log, or of one divided in another way.
pub(crate) fn admit(store: &str, held: Option<&Fence>, log: &LogIdentity) -> Result<(Generation, Start), StoreError> {
    let is_file = log.id == FILE_LOG_ID;
    if let Some(held) = held.filter(|held| held.has_results) {
        let same_partitions = is_file || held.partitions == log.partitions.get();
        if held.log_id != log.id || !same_partitions {
            return Err(StoreError::OtherLog {
                store: store.to_owned(),
                held: held.log_id.clone(),
                held_partitions: held.partitions,
                given: log.id.clone(),
                given_partitions: log.partitions.get(),
            });
        }
    }
    let generation = Generation(held.map_or(0, |held| held.generation) + 1);
    Ok((generation, if is_file { Start::AtTheBeginning } else { Start::WhereItStopped }))
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU16;

    use super::*;

    fn log(id: &str, partitions: u16) -> LogIdentity {
        LogIdentity { id: id.to_owned(), partitions: NonZeroU16::new(partitions).unwrap() }
    }

    fn held(log_id: &str, has_results: bool) -> Fence {
        Fence { log_id: log_id.to_owned(), partitions: 16, generation: 7, has_results }
    }

    /// `expected`: the generation and where it starts, or `None` if the log is refused.
    fn check(held: Option<&Fence>, log: &LogIdentity, expected: Option<(i64, Start)>) {
        let admitted = admit("sqlite:a", held, log);
        match expected {
            Some((generation, start)) => assert_eq!(admitted.unwrap(), (Generation(generation), start), "{held:?}"),
            None => assert!(matches!(admitted, Err(StoreError::OtherLog { .. })), "{held:?} {log:?}"),
        }
    }

    #[test]
    fn an_empty_store_takes_any_log() {
        check(None, &log("live", 16), Some((1, Start::WhereItStopped)));
        check(None, &log("ndjson", 16), Some((1, Start::AtTheBeginning)));
        check(Some(&held("other", false)), &log("live", 3), Some((8, Start::WhereItStopped)));
    }

    #[test]
    fn a_log_goes_on_in_its_own_store_only() {
        check(Some(&held("live", true)), &log("live", 16), Some((8, Start::WhereItStopped)));
        check(Some(&held("live", true)), &log("live", 8), None);
        check(Some(&held("live", true)), &log("other", 16), None);
    }

    #[test]
    fn a_file_starts_over_but_never_in_the_store_of_a_live_log() {
        check(Some(&held("ndjson", true)), &log("ndjson", 8), Some((8, Start::AtTheBeginning)));
        check(Some(&held("live", true)), &log("ndjson", 16), None);
        check(Some(&held("ndjson", true)), &log("live", 16), None);
    }
}
