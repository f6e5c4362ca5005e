//! A clock for tests.

use std::sync::Mutex;
use std::time::Duration;

use netqoe_server::Clock;

/// Where the clock begins, in Unix milliseconds.
pub(crate) const NOW_MS: i64 = 1_765_000_000_000;

/// A clock that moves only when told to.
#[derive(Default)]
pub(crate) struct HandClock(Mutex<Duration>);

impl HandClock {
    pub(crate) fn advance(&self, by: Duration) {
        *self.0.lock().unwrap() += by;
    }
}

impl Clock for HandClock {
    fn now_ms(&self) -> i64 {
        NOW_MS + self.elapsed().as_millis() as i64
    }

    fn elapsed(&self) -> Duration {
        *self.0.lock().unwrap()
    }
}
