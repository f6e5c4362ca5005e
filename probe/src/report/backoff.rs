//! How long to wait before the next try. A pure value: neither a clock nor randomness of its own.

use std::time::Duration;

use rand::{Rng, RngExt};

use super::retry_after::LONGEST_RETRY_AFTER;

/// The longest wait before the second try.
const FIRST: Duration = Duration::from_millis(250);
/// The longest wait before any try, where nothing else is said: an ingest that is back is found within half a minute,
/// and thousands of probes that wait for it ask it some hundred times a second at most.
pub(super) const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// Exponential backoff with full jitter: anything from nothing to a limit that doubles with each failure, so that probes
/// which lost their server at the same moment do not come back at the same moment.
#[derive(Clone, Copy, Debug)]
pub(super) struct Backoff {
    longest: Duration,
    failures: u32,
}

impl Backoff {
    pub(super) fn new(longest: Duration) -> Self {
        Self { longest, failures: 0 }
    }

    /// The wait after one more failure. It is counted from when the server wants to be asked again, if it says so.
    pub(super) fn next(&mut self, retry_after: Option<Duration>, rng: &mut impl Rng) -> Duration {
        let doubled = 2_u32.checked_pow(self.failures).and_then(|factor| FIRST.checked_mul(factor));
        self.failures = self.failures.saturating_add(1);
        let limit = doubled.map_or(self.longest, |limit| limit.min(self.longest));
        retry_after.unwrap_or_default().min(LONGEST_RETRY_AFTER) + limit.mul_f64(rng.random::<f64>())
    }

    /// Something succeeded.
    pub(super) fn reset(&mut self) {
        self.failures = 0;
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand::rngs::StdRng;

    use super::*;

    /// The waits of many probes after this number of failures each.
    fn waits(failures: u32) -> Vec<Duration> {
        let wait = |seed| {
            let (mut rng, mut backoff) = (StdRng::seed_from_u64(seed), Backoff::new(LONGEST_WAIT));
            (1..failures).for_each(|_| _ = backoff.next(None, &mut rng));
            backoff.next(None, &mut rng)
        };
        (0..200).map(wait).collect()
    }

    #[test]
    fn waits_are_spread_from_nothing_to_a_limit_that_doubles() {
        for (failures, limit_ms) in [(1, 250), (2, 500), (3, 1000), (7, 16_000), (8, 30_000), (9, 30_000), (99, 30_000)]
        {
            let (waits, limit) = (waits(failures), Duration::from_millis(limit_ms));
            assert!(waits.iter().all(|wait| *wait <= limit), "{failures}: {waits:?}");
            assert!(waits.iter().any(|wait| *wait > limit * 3 / 4), "{failures}: {waits:?}");
            assert!(waits.iter().any(|wait| *wait < limit / 4), "{failures}: {waits:?}");
        }
    }

    #[test]
    fn a_success_begins_anew() {
        let (mut rng, mut backoff) = (StdRng::seed_from_u64(1), Backoff::new(LONGEST_WAIT));
        (0..50).for_each(|_| _ = backoff.next(None, &mut rng));
        backoff.reset();
        assert!(backoff.next(None, &mut rng) <= FIRST);
    }

    #[test]
    fn nobody_comes_before_the_server_wants_it_and_not_all_at_that_moment() {
        let asked = Duration::from_secs(7);
        let wait = |seed| Backoff::new(LONGEST_WAIT).next(Some(asked), &mut StdRng::seed_from_u64(seed));
        assert!((0..50).all(|seed| wait(seed) >= asked && wait(seed) <= asked + FIRST));
        assert_ne!(wait(1), wait(2));
        let mistaken = Backoff::new(LONGEST_WAIT).next(Some(Duration::MAX), &mut StdRng::seed_from_u64(1));
        assert!(mistaken <= LONGEST_RETRY_AFTER + FIRST);
    }
}
