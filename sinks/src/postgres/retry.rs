//! Which failures may pass by themselves, and how long to wait for that.

use std::error::Error;
use std::io;
use std::iter::successors;
use std::time::Duration;

use postgres::error::SqlState;

use super::Failure;

/// The first pause: what a pooler needs to give us another connection.
const FIRST_PAUSE: Duration = Duration::from_millis(100);

/// The longest pause: a server that comes back should not wait for us.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// Pauses before we give up: 43 s in all. A server restarts in less; where it takes longer, the process ends, its
/// supervisor starts it again, and nothing is lost, as nothing was acknowledged.
const PAUSES: usize = 13;

/// Twice as long each time.
pub(super) fn pauses() -> impl Iterator<Item = Duration> {
    successors(Some(FIRST_PAUSE), |pause| Some((*pause * 2).min(LONGEST_PAUSE))).take(PAUSES)
}

/// Whether the same commit may succeed later: the connection is gone, the server stops or starts, another transaction was
/// in the way, or the server took too long.
pub(super) fn may_pass(failure: &Failure) -> bool {
    let Failure::Postgres(error) = failure else { return false };
    match error.code() {
        Some(code) => state_may_pass(code),
        None => error.is_closed() || error.source().is_some_and(|cause| cause.is::<io::Error>()),
    }
}

fn state_may_pass(code: &SqlState) -> bool {
    let connection_exception = code.code().starts_with("08");
    let passing = [
        SqlState::ADMIN_SHUTDOWN,
        SqlState::CRASH_SHUTDOWN,
        SqlState::CANNOT_CONNECT_NOW,
        SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT,
        SqlState::TOO_MANY_CONNECTIONS,
        SqlState::T_R_SERIALIZATION_FAILURE,
        SqlState::T_R_DEADLOCK_DETECTED,
        SqlState::LOCK_NOT_AVAILABLE,
        SqlState::QUERY_CANCELED,
        SqlState::CHECK_VIOLATION, // a row whose partition has been dropped since it was looked for
    ];
    connection_exception || passing.contains(code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gives_up_within_a_minute() {
        let pauses: Vec<Duration> = pauses().collect();
        assert!(pauses.is_sorted());
        assert_eq!(pauses.iter().sum::<Duration>(), Duration::from_millis(41_300));
    }

    #[test]
    fn tells_what_passes_from_what_stays() {
        assert!(state_may_pass(&SqlState::CONNECTION_FAILURE));
        assert!(state_may_pass(&SqlState::ADMIN_SHUTDOWN));
        assert!(!state_may_pass(&SqlState::UNDEFINED_TABLE));
        assert!(!state_may_pass(&SqlState::INVALID_PASSWORD));
        assert!(!state_may_pass(&SqlState::DISK_FULL));
    }
}
