//! When events are sent again whose time a clock does not accept yet. Pure: it is told the time.
//!
//! Decision: D-070.

use rand::Rng;
use tokio::time::Instant;

use super::backoff::Backoff;

/// The turns of those events. They come more seldom while none of them is taken, and one after the other while some are; and they never hold
/// up the others.
#[derive(Debug)]
pub(super) struct UntimelyTurns {
    backoff: Backoff,
    /// `None` if there are no such events.
    next: Option<Instant>,
    /// Whether the batch before was one of them: the others have the next.
    had_the_last: bool,
}

impl UntimelyTurns {
    pub(super) fn new(backoff: Backoff) -> Self {
        Self { backoff, next: None, had_the_last: false }
    }

    /// When the next turn is.
    pub(super) fn next(&self) -> Option<Instant> {
        self.next
    }

    pub(super) fn is_due(&self, now: Instant) -> bool {
        self.next.is_some_and(|next| next <= now)
    }

    /// Whether they go before the others.
    pub(super) fn goes_first(&self, now: Instant) -> bool {
        self.is_due(now) && !self.had_the_last
    }

    /// Whether the batch before was one of them.
    pub(super) fn had_the_last(&self) -> bool {
        self.had_the_last
    }

    /// Of which kind a batch is.
    pub(super) fn takes(&mut self, is_untimely: bool) {
        self.had_the_last = is_untimely;
    }

    /// A batch was decided on, and `waiting` untimely events are left. `has_moved` says that it was one of them and some were accepted or refused.
    pub(super) fn settled(&mut self, waiting: u64, has_moved: bool, now: Instant, rng: &mut impl Rng) {
        if waiting == 0 {
            self.backoff.reset();
            self.next = None;
        } else if has_moved {
            self.backoff.reset();
            self.next = Some(now);
        } else if self.next.is_none() || self.had_the_last {
            self.next = Some(now + self.backoff.next(None, rng));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use rand::SeedableRng;
    use rand::rngs::StdRng;

    use super::*;

    const LONGEST: Duration = Duration::from_secs(30);

    #[test]
    fn they_are_tried_ever_more_seldom_until_some_are_taken() {
        let (mut turns, mut rng) = (UntimelyTurns::new(Backoff::new(LONGEST)), StdRng::seed_from_u64(1));
        let now = Instant::now();
        assert!(!turns.is_due(now + 2 * LONGEST));
        turns.settled(3, false, now, &mut rng);
        let first = turns.next().unwrap();
        assert!(first <= now + Duration::from_millis(250));
        turns.settled(4, false, now + Duration::from_millis(1), &mut rng);
        assert_eq!(turns.next(), Some(first), "new ones do not put off the turn");
        let mut waits = Vec::new();
        for _ in 0..20 {
            turns.takes(true);
            turns.settled(4, false, now, &mut rng);
            waits.push(turns.next().unwrap() - now);
        }
        assert!(waits.iter().all(|wait| *wait <= LONGEST) && waits.iter().any(|wait| *wait > LONGEST / 4), "{waits:?}");
        turns.settled(2, true, now, &mut rng);
        assert!(turns.is_due(now));
        turns.settled(0, true, now, &mut rng);
        assert_eq!(turns.next(), None);
    }

    #[test]
    fn they_take_turns_with_the_others() {
        let (mut turns, mut rng) = (UntimelyTurns::new(Backoff::new(LONGEST)), StdRng::seed_from_u64(1));
        let now = Instant::now();
        turns.settled(9, true, now, &mut rng);
        assert!(turns.goes_first(now));
        turns.takes(true);
        assert!(!turns.goes_first(now) && turns.is_due(now));
        turns.takes(false);
        assert!(turns.goes_first(now));
    }
}
