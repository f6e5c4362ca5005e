//! The one time limit of a measurement, across all its phases.

use std::time::Duration;

use netqoe_model::ErrorStage;
use tokio::time::{Instant, timeout_at};

use crate::Failure;

/// No network keeps anyone waiting longer, and the end of it always fits a clock.
const LONGEST_TIMEOUT: Duration = Duration::from_hours(24);

/// When a measurement ends, whatever phase it is in.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Deadline {
    at: Instant,
    timeout: Duration,
}

impl Deadline {
    pub(crate) fn after(timeout: Duration) -> Self {
        let timeout = timeout.min(LONGEST_TIMEOUT);
        Self { at: Instant::now() + timeout, timeout }
    }

    /// The sooner of this one and one after `limit`.
    pub(crate) fn or_after(self, limit: Duration) -> Self {
        let limited = Self::after(limit);
        if limited.at < self.at { limited } else { self }
    }

    pub(crate) fn at(self) -> Instant {
        self.at
    }

    /// Lets a phase run until the deadline; it then fails at `stage`.
    pub(crate) async fn hold<T>(
        self,
        stage: ErrorStage,
        phase: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, Failure> {
        match timeout_at(self.at, phase).await {
            Ok(outcome) => outcome,
            Err(_) => Err(Failure::TimedOut { stage, timeout: self.timeout }),
        }
    }
}
