//! Numbers that follow from a seed.

use std::ops::Range;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use crate::noise::normals;

/// What numbers are drawn for. Each has its own, so that more of one leaves the others as they are.
#[derive(Clone, Copy, Debug)]
pub(super) enum Purpose {
    Fleet,
    Pair,
    Faults,
    Bursts,
    ClientGaps,
    FleetGaps,
    Backfills,
    Measurements,
}

/// A sequence of numbers.
#[derive(Debug)]
pub(super) struct Draws {
    rng: StdRng,
    /// Normal deviates come in twos.
    spare: Option<f64>,
}

impl Draws {
    /// The sequence for one of `number` things.
    pub(super) fn new(seed: u64, purpose: Purpose, number: usize) -> Self {
        let mut key = [0; 32];
        key[..8].copy_from_slice(&seed.to_le_bytes());
        key[8..16].copy_from_slice(&(purpose as u64).to_le_bytes());
        key[16..24].copy_from_slice(&(number as u64).to_le_bytes());
        Self { rng: StdRng::from_seed(key), spare: None }
    }

    pub(super) fn happens(&mut self, share: f64) -> bool {
        self.rng.random_bool(share)
    }

    /// A number below `count`, which is not 0.
    pub(super) fn below(&mut self, count: usize) -> usize {
        self.rng.random_range(0..count)
    }

    pub(super) fn one_of<T: Copy>(&mut self, values: &[T]) -> T {
        values[self.below(values.len())]
    }

    pub(super) fn between(&mut self, range: Range<f64>) -> f64 {
        range.start + (range.end - range.start) * self.rng.random::<f64>()
    }

    /// A number whose logarithm is as likely here as there.
    pub(super) fn between_logs(&mut self, range: Range<f64>) -> f64 {
        self.between(range.start.ln()..range.end.ln()).exp()
    }

    /// The time until something comes that comes once in `mean_ms`, without memory.
    pub(super) fn until_next_ms(&mut self, mean_ms: f64) -> f64 {
        -mean_ms * (1.0 - self.rng.random::<f64>()).ln()
    }

    /// A normal deviate.
    pub(super) fn normal(&mut self) -> f64 {
        if let Some(spare) = self.spare.take() {
            return spare;
        }
        let [normal, spare] = normals(&mut self.rng);
        self.spare = Some(spare);
        normal
    }

    /// All values, in an order that the seed decides.
    pub(super) fn shuffled<T: Copy>(&mut self, values: &[T]) -> Vec<T> {
        let mut values = values.to_vec();
        for last in (1..values.len()).rev() {
            values.swap(last, self.below(last + 1));
        }
        values
    }
}
