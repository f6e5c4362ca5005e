//! What is usual for a phase of a pair.

use netqoe_model::{DiagnosisRules, UsualRange};

/// A centre, and how far below and above it the figures of a history usually lie. Milliseconds; Mbit/s for throughput.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Usual {
    pub(super) centre: f64,
    pub(super) below: f64,
    pub(super) above: f64,
}

impl Usual {
    /// With the floors that the rules put under spreads. A skewed history may have its quantile on the other side of its
    /// mean: the spread is then 0.
    pub(super) fn new(centre: f64, below: f64, above: f64, rules: &DiagnosisRules) -> Self {
        let floored =
            |spread: f64| spread.max(rules.usual.spread_floor_ratio * centre).max(rules.usual.spread_floor).max(0.0);
        Self { centre, below: floored(below), above: floored(above) }
    }

    pub(super) fn range(self) -> UsualRange {
        UsualRange { centre: self.centre, low: self.centre - self.below, high: self.centre + self.above }
    }
}
