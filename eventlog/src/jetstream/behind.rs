//! Whether a consumer has fallen behind its stream: it says that nothing follows, while the stream holds more.
//!
//! The server that the consumer is on reads its own copy of the stream. After a network has parted it from the others, that
//! copy may stay behind for good; the consumer goes on saying in good health that it has nothing.
//!
//! Decision: D-087.

use std::time::{Duration, Instant};

use netqoe_model::Position;

use super::lasting::Lasting;

/// How long a consumer may say so: copies follow each other within a moment, and the stream's end is asked for each second.
const PATIENCE: Duration = Duration::from_secs(4);

/// How long a consumer has said that nothing follows, while the stream holds more.
#[derive(Debug, Default)]
pub(super) struct Behind {
    nothing: Lasting,
}

impl Behind {
    /// The consumer gave something.
    pub(super) fn gave(&mut self) {
        self.nothing.ends();
    }

    /// The consumer said at `now` that nothing follows `through`, and the stream ends at `last`. Whether it has said so for
    /// too long.
    pub(super) fn has_nothing(&mut self, through: Position, last: Position, now: Instant) -> bool {
        if through >= last {
            self.nothing.ends();
            return false;
        }
        self.nothing.is_so(now) >= PATIENCE
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_consumer_that_has_nothing_of_what_the_stream_holds_is_doubted_after_a_while() {
        let start = Instant::now();
        let at = |seconds: u64| start + Duration::from_secs(seconds);
        let mut behind = Behind::default();
        let mut said =
            |through: u64, last: u64, seconds: u64| behind.has_nothing(Position(through), Position(last), at(seconds));
        assert!(!said(5, 5, 0), "it is where the stream is");
        assert!(!said(5, 5, 60));
        assert!(!said(5, 9, 61), "what was just stored may be on its way");
        assert!(!said(5, 9, 64));
        assert!(said(5, 9, 65));
        assert!(said(5, 12, 66), "more that is stored excuses nothing");
        assert!(!said(12, 12, 67), "it has caught up");
        assert!(!said(12, 13, 68), "the time begins anew");
    }

    #[test]
    fn what_it_gives_excuses_it() {
        let start = Instant::now();
        let mut behind = Behind::default();
        assert!(!behind.has_nothing(Position(1), Position(3), start));
        behind.gave();
        assert!(!behind.has_nothing(Position(2), Position(3), start + PATIENCE), "the time begins anew");
        assert!(behind.has_nothing(Position(2), Position(3), start + 2 * PATIENCE));
    }
}
