//! When the demo's clients measure, and when ingest hears of it.

use std::ops::Range;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

/// A client measures all targets once in this ...
const SHORTEST_PERIOD_MS: i64 = 10_000;
/// ... and up to this much more, the first client in the shortest.
const PERIOD_RANGE_MS: i64 = 5_000;
/// A measurement starts up to this much after its turn ...
const JITTER_MS: i64 = 1_000;
/// ... and is received this long after it was made.
const DELAY_MS: Range<i64> = 20..LONGEST_DELAY_MS;
pub(crate) const LONGEST_DELAY_MS: i64 = 1_500;

/// The measurements of one client and target: one in every period, spread evenly.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rota {
    pub client: usize,
    pub clients: usize,
    pub target: usize,
    pub targets: usize,
}

/// One measurement that is to be made.
#[derive(Debug)]
pub(crate) struct Turn {
    pub client: usize,
    pub target: usize,
    /// When the client measures, in Unix milliseconds.
    pub ts_ms: i64,
    /// When ingest receives it, in Unix milliseconds.
    pub recv_ms: i64,
    /// What decides the rest of it.
    pub rng: StdRng,
}

impl Rota {
    /// The turns whose measurements are received in `from_ms..to_ms`, in no promised order.
    pub(crate) fn received_in(self, seed: u64, from_ms: i64, to_ms: i64) -> impl Iterator<Item = Turn> {
        let earliest = (from_ms - DELAY_MS.end - JITTER_MS - self.phase_ms()).div_euclid(self.period_ms());
        let latest = (to_ms - self.phase_ms()).div_euclid(self.period_ms());
        (earliest..=latest)
            .map(move |number| self.turn(seed, number))
            .filter(move |turn| (from_ms..to_ms).contains(&turn.recv_ms))
    }

    fn turn(self, seed: u64, number: i64) -> Turn {
        let mut rng = self.rng(seed, number);
        let ts_ms = number * self.period_ms() + self.phase_ms() + rng.random_range(0..JITTER_MS);
        let recv_ms = ts_ms + rng.random_range(DELAY_MS);
        Turn { client: self.client, target: self.target, ts_ms, recv_ms, rng }
    }

    fn period_ms(self) -> i64 {
        SHORTEST_PERIOD_MS + PERIOD_RANGE_MS * self.client as i64 / self.clients as i64
    }

    /// Where in its period it stands, so that the clients' turns do not come all at once.
    fn phase_ms(self) -> i64 {
        let pairs = (self.clients * self.targets) as i64;
        let pair = (self.client * self.targets + self.target) as i64;
        self.period_ms() * pair / pairs
    }

    /// A generator of its own for every turn, so that each can be made without those before it.
    fn rng(self, seed: u64, number: i64) -> StdRng {
        let mut key = [0; 32];
        key[..8].copy_from_slice(&seed.to_le_bytes());
        key[8..16].copy_from_slice(&number.to_le_bytes());
        key[16..24].copy_from_slice(&(self.client as u64).to_le_bytes());
        key[24..].copy_from_slice(&(self.target as u64).to_le_bytes());
        StdRng::from_seed(key)
    }
}
