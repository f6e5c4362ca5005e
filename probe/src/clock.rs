//! The one monotonic clock of a measurement.

use std::time::{Duration, Instant};

/// A stretch of a measurement, as time since its beginning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// When it began.
    pub start: Duration,
    /// When it ended.
    pub end: Duration,
}

impl Span {
    /// How long it took.
    pub fn duration(self) -> Duration {
        self.end.saturating_sub(self.start)
    }
}

/// Tells the time since the measurement began.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    origin: Instant,
}

impl Clock {
    pub(crate) fn start() -> Self {
        Self { origin: Instant::now() }
    }

    pub(crate) fn now(self) -> Duration {
        self.origin.elapsed()
    }

    /// The span that began at `start` and ends now.
    pub(crate) fn since(self, start: Duration) -> Span {
        Span { start, end: self.now() }
    }

    /// The moment `at`, for a timer.
    pub(crate) fn instant(self, at: Duration) -> tokio::time::Instant {
        (self.origin + at).into()
    }
}
