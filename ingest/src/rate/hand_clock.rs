//! A clock that a test moves on by hand.

use std::time::Duration;

use netqoe_server::Clock;
use parking_lot::Mutex;

#[derive(Default)]
pub(super) struct HandClock(Mutex<Duration>);

impl HandClock {
    pub(super) fn advance(&self, by: Duration) {
        *self.0.lock() += by;
    }
}

impl Clock for HandClock {
    fn now_ms(&self) -> i64 {
        0
    }

    fn elapsed(&self) -> Duration {
        *self.0.lock()
    }
}
