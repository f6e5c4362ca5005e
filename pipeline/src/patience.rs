//! Waiting while a store can't do something for a reason that passes: it is locked, its disk is full, its server is away or
//! takes no writes. Nothing is lost meanwhile: the log keeps what is not committed.
//!
//! Decision: D-066.

use std::thread;
use std::time::{Duration, Instant};

use netqoe_sinks::StoreError;
use tokio_util::sync::CancellationToken;

/// The first pause, and the longest: a store that heals should not wait for us for long.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// How long is waited for once the process was asked to stop, as for requests: what is not committed by then is read from the
/// log at the next start.
const AFTER_STOP: Duration = Duration::from_secs(10);

/// How long a command waits that somebody watches: as long as a commit does for PostgreSQL.
const OF_A_COMMAND: Duration = Duration::from_secs(41);

/// How often it is looked whether the process was asked to stop.
const SLICE: Duration = Duration::from_millis(50);

/// For how long to try again.
#[derive(Clone)]
pub enum Patience {
    /// For as long as it takes, unless the process is asked to stop.
    Until(CancellationToken),
    /// For the time of a command.
    OfACommand,
    /// Not at all: whoever asks tries again by itself.
    None,
}

impl Patience {
    /// Tries until it is done, or fails for a reason that does not pass.
    pub fn insist<T>(&self, mut work: impl FnMut() -> Result<T, StoreError>) -> Result<T, StoreError> {
        let (mut pause, mut last_logged, mut ends_at) = (FIRST_PAUSE, None, self.first_end());
        let began = Instant::now();
        loop {
            let error = match work() {
                Ok(done) => {
                    if last_logged.is_some() {
                        tracing::info!("the store works again, after {} s", began.elapsed().as_secs());
                    }
                    return Ok(done);
                }
                Err(error) if !error.may_pass() => return Err(error),
                Err(error) => error,
            };
            let message = error.to_string();
            if last_logged.as_ref() != Some(&message) && !matches!(self, Self::None) {
                tracing::warn!("{message}; it is tried again until that is over");
                last_logged = Some(message);
            }
            if !self.sleep(pause, &mut ends_at) {
                return Err(error);
            }
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    fn first_end(&self) -> Option<Instant> {
        let longest = match self {
            Self::Until(_) => return None,
            Self::OfACommand => OF_A_COMMAND,
            Self::None => Duration::ZERO,
        };
        Some(Instant::now() + longest)
    }

    /// False where it is not worth it any more.
    fn sleep(&self, pause: Duration, ends_at: &mut Option<Instant>) -> bool {
        let wakes_at = Instant::now() + pause;
        loop {
            if let Self::Until(stop) = self
                && stop.is_cancelled()
            {
                ends_at.get_or_insert_with(|| Instant::now() + AFTER_STOP);
            }
            let now = Instant::now();
            if ends_at.is_some_and(|end| now >= end) {
                return false;
            }
            if now >= wakes_at {
                return true;
            }
            thread::sleep(SLICE.min(wakes_at - now));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn locked() -> StoreError {
        StoreError::Unavailable { store: "sqlite:a".to_owned(), doing: "commit rows", reason: "locked".to_owned() }
    }

    #[test]
    fn what_passes_is_waited_for() {
        let mut failures = 3;
        let done = Patience::Until(CancellationToken::new()).insist(|| {
            failures -= 1;
            if failures >= 0 { Err(locked()) } else { Ok(7) }
        });
        assert_eq!((done.unwrap(), failures), (7, -1));
    }

    #[test]
    fn what_stays_fails_at_once() {
        let mut tries = 0;
        let refused = Patience::Until(CancellationToken::new()).insist(|| -> Result<(), _> {
            tries += 1;
            Err(StoreError::Content { store: "a".to_owned(), what: "b".to_owned() })
        });
        assert!(matches!(refused, Err(StoreError::Content { .. })));
        assert_eq!(tries, 1);
    }

    #[test]
    fn the_end_of_a_command_or_of_draining_is_an_end() {
        let asked = Patience::Until(CancellationToken::new());
        let mut ended = Some(Instant::now());
        assert!(!asked.sleep(Duration::from_secs(3600), &mut ended));
        let Patience::Until(stop) = &asked else { unreachable!() };
        let mut none = None;
        assert!(asked.sleep(Duration::ZERO, &mut none) && none.is_none());
        stop.cancel();
        assert!(asked.sleep(Duration::ZERO, &mut none) && none.is_some(), "draining has an end");
        assert!(Patience::OfACommand.first_end().is_some());
        assert!(Patience::None.insist(|| -> Result<(), _> { Err(locked()) }).is_err());
    }
}
