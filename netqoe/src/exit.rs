//! What the process ends with. Whoever started it decides by that whether to start it again.

use netqoe_cluster::{ClusterError, Loss, Lost};
use netqoe_eventlog::LogError;
use netqoe_notify::NotifyConfigError;
use netqoe_server::{ServeError, TokensError};
use netqoe_sinks::StoreError;

use crate::commands::{probe, rules, supervise};

/// A command has failed.
pub(crate) const FAILED: u8 = 1;
/// The process was used in a wrong way, and will be the next time.
pub(crate) const WRONG_USAGE: u8 = 2;
/// Another process of the cluster was lost: nothing is wrong with this one.
pub(crate) const GROUP_LOST: u8 = 3;
/// What `probe --once` measured works, and is slower than `--fail-above` allows.
const FAILED_ABOVE: u8 = 3;
/// New rules differ from the present ones by more than the limits of `rules test` allow.
const LIMIT_EXCEEDED: u8 = 3;
/// Another generation has taken over the store. Started again, this one would take it back.
pub(crate) const TAKEN_OVER: u8 = 4;

/// What `--help` says of these.
pub(crate) const HELP: &str = "Exit status: 0 asked to stop, and drained; 1 failed; 2 wrong usage; 3 another process of the \
    cluster has ended, start all again; 4 another cluster has taken over the store, start only one of them again";

/// Options that are wrong in a way that their syntax does not show: they do not fit together, or name a file that can't
/// be read.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct WrongUsage(pub(crate) String);

/// The code that says what kind of error this is.
pub(crate) fn code(error: &anyhow::Error) -> u8 {
    if is_wrong_usage(error) {
        return WRONG_USAGE;
    }
    if is_taken_over(error) {
        return TAKEN_OVER;
    }
    if error.is::<Lost>() {
        return GROUP_LOST;
    }
    if error.is::<probe::Above>() {
        return FAILED_ABOVE;
    }
    if error.is::<rules::Exceeded>() {
        return LIMIT_EXCEEDED;
    }
    // Whoever supervises ends as the other has ended; with no code of its own that was killed.
    let supervised = error.downcast_ref::<supervise::Failed>().and_then(|failed| failed.status.code());
    supervised.and_then(|code| u8::try_from(code).ok()).unwrap_or(FAILED)
}

fn is_wrong_usage(error: &anyhow::Error) -> bool {
    let of_server = error.downcast_ref::<ServeError>().is_some_and(|error| matches!(error, ServeError::Tokens(_)));
    let of_log = error
        .downcast_ref::<LogError>()
        .is_some_and(|error| matches!(error, LogError::Url | LogError::ConnectionFile { .. }));
    let of_cluster =
        error.downcast_ref::<ClusterError>().is_some_and(|error| matches!(error, ClusterError::SecretNeeded { .. }));
    #[cfg(feature = "bench")]
    if error.is::<netqoe_benchmarks::WrongUsage>() {
        return true;
    }
    error.is::<WrongUsage>()
        || error.is::<NotifyConfigError>()
        || error.is::<TokensError>()
        || of_server
        || of_log
        || of_cluster
}

fn is_taken_over(error: &anyhow::Error) -> bool {
    let of_store = error.chain().any(|cause| matches!(cause.downcast_ref(), Some(StoreError::Fenced { .. })));
    of_store || error.downcast_ref::<Lost>().is_some_and(|lost| lost.how == Loss::TakenOver)
}
