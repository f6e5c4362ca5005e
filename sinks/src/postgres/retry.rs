//! Which failures may pass by themselves, and how long to wait for that.

use std::error::Error;
use std::io;
use std::iter::successors;
use std::time::Duration;

use postgres::error::SqlState;

use super::Failure;

/// The first pause: what a pooler needs to give us another connection.
const FIRST_PAUSE: Duration = Duration::from_millis(100);

/// The longest pause: it delays the recovery after the server is back.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// The pauses, each twice as long as the one before: 13 take 41 s, in which a server restarts.
pub(super) fn pauses(count: usize) -> impl Iterator<Item = Duration> {
    successors(Some(FIRST_PAUSE), |pause| Some((*pause * 2).min(LONGEST_PAUSE))).take(count)
}

/// Whether the same commit may succeed later: the connection is gone, the server stops or starts, another transaction was
/// in the way, or the server took too long.
pub(super) fn may_pass(failure: &Failure) -> bool {
    matches!(failure, Failure::Postgres(error) if error_may_pass(error))
}

/// The same of an error of the driver's.
pub(crate) fn error_may_pass(error: &postgres::Error) -> bool {
    match error.code() {
        Some(code) => state_may_pass(code),
        None => error.is_closed() || error.source().is_some_and(|cause| cause.is::<io::Error>()),
    }
}

/// Classes of states that say something of the server's condition, not of what we ask: the connection, resources (disk,
/// memory, connections), an operator's intervention (shutdown, recovery, a time limit), and the system below it.
const PASSING_CLASSES: [&str; 4] = ["08", "53", "57", "58"];

fn state_may_pass(code: &SqlState) -> bool {
    if *code == SqlState::DATABASE_DROPPED {
        return false;
    }
    let passing = [
        SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT,
        SqlState::READ_ONLY_SQL_TRANSACTION, // a primary that became a standby
        SqlState::T_R_SERIALIZATION_FAILURE,
        SqlState::T_R_DEADLOCK_DETECTED,
        SqlState::LOCK_NOT_AVAILABLE,
        SqlState::CHECK_VIOLATION, // a row whose partition has been dropped since it was looked for
    ];
    PASSING_CLASSES.iter().any(|class| code.code().starts_with(class)) || passing.contains(code)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::PostgresOptions;

    #[test]
    fn gives_up_within_a_minute() {
        let pauses: Vec<Duration> = pauses(PostgresOptions::default().commit_retries).collect();
        assert!(pauses.is_sorted());
        assert_eq!(pauses.iter().sum::<Duration>(), Duration::from_millis(41_300));
    }

    #[test]
    fn tells_what_passes_from_what_stays() {
        for passes in
            ["08006", "57P01", "57P02", "57P03", "57014", "53300", "53100", "53200", "58030", "25006", "40001", "40P01"]
        {
            assert!(state_may_pass(&SqlState::from_code(passes)), "{passes}");
        }
        for stays in ["42P01", "42501", "28P01", "3D000", "57P04", "22P05", "23505"] {
            assert!(!state_may_pass(&SqlState::from_code(stays)), "{stays}");
        }
    }
}
