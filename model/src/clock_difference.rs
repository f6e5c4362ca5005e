//! How the clock of another machine compares with ours.

/// A difference between two clocks, as far as a question and its answer show it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ClockDifference {
    /// How far the other clock is ahead; negative where it is behind.
    pub ahead_ms: i64,
    /// How far that may be off: half of the time that the answer took.
    pub error_ms: i64,
}

impl ClockDifference {
    /// From an answer that the other clock dated at `there_ms`, between these times of ours.
    pub fn between(asked_ms: i64, there_ms: i64, answered_ms: i64) -> Self {
        // Our own clock may have been set back meanwhile.
        let half_ms = (answered_ms - asked_ms).max(0) / 2;
        Self { ahead_ms: there_ms - (asked_ms + half_ms), error_ms: half_ms + 1 }
    }

    /// The part of it that is certain; negative where the other clock is behind, 0 where they may be the same.
    pub fn certain_ms(self) -> i64 {
        self.ahead_ms.signum() * (self.ahead_ms.abs() - self.error_ms).max(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_is_compared_with_the_middle_of_the_question() {
        let ahead = ClockDifference::between(1_000, 6_100, 1_200);
        assert_eq!((ahead, ahead.certain_ms()), (ClockDifference { ahead_ms: 5_000, error_ms: 101 }, 4_899));
        assert_eq!(ClockDifference::between(1_000, 0, 1_000).certain_ms(), -999);
        assert_eq!(ClockDifference::between(1_000, 1_080, 1_200).certain_ms(), 0, "the answer took longer than that");
        assert_eq!(ClockDifference::between(1_000, 1_000, 900).error_ms, 1);
    }
}
