//! How often a receiver is called.

use std::collections::VecDeque;

const MINUTE_MS: i64 = 60_000;

/// Deliveries of the last minute, and how many there may be.
#[derive(Debug)]
pub(crate) struct RateLimit {
    max_per_minute: usize,
    begun_ms: VecDeque<i64>,
}

impl RateLimit {
    pub(crate) fn new(max_per_minute: usize) -> Self {
        Self { max_per_minute, begun_ms: VecDeque::new() }
    }

    /// Whether a delivery may begin now. Times that lie ahead are those of a clock that was set back.
    pub(crate) fn allows(&mut self, now_ms: i64) -> bool {
        self.begun_ms.retain(|begun_ms| *begun_ms > now_ms - MINUTE_MS && *begun_ms <= now_ms);
        self.begun_ms.len() < self.max_per_minute
    }

    /// Counts one that begins.
    pub(crate) fn count(&mut self, now_ms: i64) {
        self.begun_ms.push_back(now_ms);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_exceeds_the_limit_waits_for_a_minute() {
        let mut rate = RateLimit::new(2);
        for now_ms in [0, 10_000] {
            assert!(rate.allows(now_ms));
            rate.count(now_ms);
        }
        assert!(!rate.allows(59_999));
        assert!(rate.allows(60_000));
        rate.count(60_000);
        assert!(!rate.allows(60_001));
        assert!(rate.allows(5_000), "the clock was set back: only the first of them counts");
    }
}
