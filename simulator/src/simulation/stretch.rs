//! Stretches of time that come now and then: bursts of one client, gaps, what is received hours late.

use std::ops::Range;

use super::draws::Draws;

/// Some time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Stretch {
    /// Its first millisecond.
    pub from_ms: i64,
    /// The first millisecond after it.
    pub to_ms: i64,
}

impl Stretch {
    /// Whether it holds this time.
    pub fn holds(self, ts_ms: i64) -> bool {
        (self.from_ms..self.to_ms).contains(&ts_ms)
    }

    /// Whether it has any time in common with another.
    pub fn touches(self, other: Self) -> bool {
        self.from_ms < other.to_ms && other.from_ms < self.to_ms
    }

    /// Whether all of another lies within it.
    pub fn contains(self, other: Self) -> bool {
        self.from_ms <= other.from_ms && other.to_ms <= self.to_ms
    }

    /// How long it is.
    pub fn length_ms(self) -> i64 {
        self.to_ms - self.from_ms
    }

    /// Stretches within this one, of which one begins every `mean_ms` on average, and none overlaps another.
    pub(super) fn now_and_then(self, draws: &mut Draws, mean_ms: f64, length_ms: Range<f64>) -> Vec<Self> {
        let mut stretches = Vec::new();
        let mut end_ms = self.from_ms;
        loop {
            let from_ms = end_ms + draws.until_next_ms(mean_ms) as i64;
            if from_ms >= self.to_ms {
                return stretches;
            }
            end_ms = from_ms + draws.between_logs(length_ms.clone()) as i64;
            stretches.push(Self { from_ms, to_ms: end_ms });
        }
    }
}
