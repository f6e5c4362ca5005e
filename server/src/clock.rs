//! The time, passed in so that tests decide it.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// What ingest asks of a clock.
pub trait Clock: Send + Sync {
    /// The time of day, in Unix milliseconds.
    fn now_ms(&self) -> i64;

    /// Time since some fixed moment. It never falls, whatever is done to the time of day.
    fn elapsed(&self) -> Duration;
}

/// The machine's clock.
#[derive(Clone, Debug)]
pub struct SystemClock {
    started: Instant,
}

impl SystemClock {
    /// A clock whose [`Clock::elapsed`] counts from now.
    pub fn new() -> Self {
        Self { started: Instant::now() }
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for SystemClock {
    fn now_ms(&self) -> i64 {
        // A clock set before 1970 makes every event one of the future: refused, as it should be.
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX)
    }

    fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }
}
