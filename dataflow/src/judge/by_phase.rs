//! A history for each phase, of the middles of the windows that were not left out.
//!
//! Decision: D-054.

use serde::{Deserialize, Serialize};

use super::code::{decode, encode};

/// Figures that a history holds at most. Four of them, with their places and middles, are what is kept of a pair's
/// past: at most [`MAX_HISTORY_BYTES`].
pub(super) const MAX_FIGURES: usize = 60;

/// Bytes of a pair's histories: an hour of windows, and as many pairs as a machine has half kilobytes for.
const MAX_HISTORY_BYTES: usize = 512;
const _: () = assert!(size_of::<[PhaseHistory; super::phase::NAMED]>() <= MAX_HISTORY_BYTES);

/// The latest figures of one phase, as codes, in a ring; with the one in the middle, kept up to date as they come and go.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(from = "Stored", into = "Stored")]
pub(super) struct PhaseHistory {
    codes: [u16; MAX_FIGURES],
    len: u8,
    /// After the newest code; where that is after the last, the oldest is the first.
    next: u8,
    /// Of `len` codes in order, the one at `len / 2`.
    middle: u16,
}

impl PhaseHistory {
    pub(super) fn new() -> Self {
        Self { codes: [0; MAX_FIGURES], len: 0, next: 0, middle: 0 }
    }

    pub(super) fn len(&self) -> usize {
        self.len.into()
    }

    /// Adds a figure. With more than `most`, the oldest goes.
    pub(super) fn push(&mut self, figure: u64, most: usize) {
        let code = encode(figure);
        if self.len() < most.min(MAX_FIGURES) {
            self.codes[self.len()] = code;
            self.len += 1;
            self.next = self.len;
            self.settle();
            return;
        }
        let oldest = self.oldest();
        let gone = std::mem::replace(&mut self.codes[oldest], code);
        self.next = oldest as u8 + 1;
        let stays = (gone < self.middle && code < self.middle) || (gone > self.middle && code > self.middle);
        if gone != code && !stays {
            self.settle();
        }
    }

    /// Keeps only the newest figures.
    pub(super) fn keep_newest(&mut self, count: usize) {
        let newest: Vec<u16> = self.oldest_first().skip(self.len().saturating_sub(count)).collect();
        *self = Self::of(&newest);
    }

    /// The figure in the middle; none if there are none.
    pub(super) fn median(&self) -> Option<u64> {
        (self.len > 0).then(|| decode(self.middle))
    }

    /// Arithmetic mean; 0 if there are no figures.
    pub(super) fn mean(&self) -> f64 {
        let sum: f64 = self.figures().map(|figure| figure as f64).sum();
        sum / self.len().max(1) as f64
    }

    /// Population standard deviation around the mean.
    pub(super) fn deviation(&self, mean: f64) -> f64 {
        let squares: f64 = self.figures().map(|figure| (figure as f64 - mean) * (figure as f64 - mean)).sum();
        (squares / self.len().max(1) as f64).sqrt()
    }

    /// The figures at a quantile and at the mirrored one, by nearest rank from both ends; 0 if there are none.
    pub(super) fn quantiles(&self, quantile: f64) -> (u64, u64) {
        let mut codes = self.codes;
        let codes = &mut codes[..self.len.into()];
        if codes.is_empty() {
            return (0, 0);
        }
        let rank = self.rank(quantile);
        let mirrored = codes.len() - rank;
        let high = *codes.select_nth_unstable(rank - 1).1;
        let low = *codes.select_nth_unstable(mirrored).1;
        (decode(low), decode(high))
    }

    /// The nearest rank of a quantile, from 1; 0 if there are no figures.
    pub(super) fn rank(&self, quantile: f64) -> usize {
        ((quantile * f64::from(self.len)).ceil() as usize).clamp(self.len().min(1), self.len())
    }

    /// How many figures are so.
    pub(super) fn count(&self, is_so: impl Fn(u64) -> bool) -> usize {
        self.codes[..self.len.into()].iter().filter(|&&code| is_so(decode(code))).count()
    }

    fn of(oldest_first: &[u16]) -> Self {
        let mut history = Self::new();
        for &code in oldest_first.iter().take(MAX_FIGURES) {
            history.codes[history.len()] = code;
            history.len += 1;
        }
        history.next = history.len;
        history.settle();
        history
    }

    fn figures(&self) -> impl Iterator<Item = u64> {
        self.oldest_first().map(decode)
    }

    fn oldest_first(&self) -> impl Iterator<Item = u16> {
        let (newer, older) = self.codes[..self.len.into()].split_at(self.oldest());
        older.iter().chain(newer).copied()
    }

    fn oldest(&self) -> usize {
        if self.next < self.len { self.next.into() } else { 0 }
    }

    /// Moves the middle to where it belongs: by one figure, mostly. Each step is a pass over a few vectors of codes,
    /// which is cheaper than to keep them in order.
    fn settle(&mut self) {
        let codes = &self.codes[..self.len.into()];
        let place = (codes.len() / 2) as u16;
        let mut middle = self.middle;
        loop {
            let less = count(codes, |code| code < middle);
            let not_more = count(codes, |code| code <= middle);
            let next = if place < less {
                codes.iter().copied().filter(|&code| code < middle).max()
            } else if place >= not_more {
                codes.iter().copied().filter(|&code| code > middle).min()
            } else {
                None
            };
            match next {
                Some(next) => middle = next,
                None => break,
            }
        }
        self.middle = middle;
    }
}

fn count(codes: &[u16], is: impl Fn(u16) -> bool) -> u16 {
    codes.iter().map(|&code| u16::from(is(code))).sum()
}

/// As it is stored: the oldest code, and the steps from each to the next, which are small.
#[derive(Serialize, Deserialize)]
struct Stored(Vec<i32>);

impl From<PhaseHistory> for Stored {
    fn from(history: PhaseHistory) -> Self {
        let mut before = 0;
        let step = |code: u16| {
            let code = i32::from(code);
            code - std::mem::replace(&mut before, code)
        };
        Self(history.oldest_first().map(step).collect())
    }
}

impl From<Stored> for PhaseHistory {
    fn from(stored: Stored) -> Self {
        let mut code: i32 = 0;
        let codes: Vec<u16> = stored
            .0
            .iter()
            .map(|&step| {
                code = code.saturating_add(step);
                code.clamp(0, u16::MAX.into()) as u16
            })
            .collect();
        Self::of(&codes)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn holds_the_latest_and_knows_their_middle(
            figures in prop::collection::vec(0..3000_u64, 1..200), most in 1..=MAX_FIGURES,
            keep in prop::option::of((0..200_usize, 1..MAX_FIGURES)),
        ) {
            let (mut history, mut expected) = (PhaseHistory::new(), Vec::new());
            for (nth, &figure) in figures.iter().enumerate() {
                history.push(figure, most);
                expected.push(decode(encode(figure)));
                if expected.len() > most {
                    expected.remove(0);
                }
                if let Some((_, count)) = keep.filter(|(at, _)| *at == nth) {
                    history.keep_newest(count);
                    expected.drain(..expected.len().saturating_sub(count));
                }
                let mut sorted = expected.clone();
                sorted.sort_unstable();
                prop_assert_eq!(history.figures().collect::<Vec<_>>(), &expected[..]);
                prop_assert_eq!(history.median(), Some(sorted[sorted.len() / 2]));
                let rank = ((0.9 * sorted.len() as f64).ceil() as usize).max(1);
                prop_assert_eq!(history.quantiles(0.9), (sorted[sorted.len() - rank], sorted[rank - 1]));
            }
            prop_assert_eq!(PhaseHistory::from(Stored::from(history.clone())).figures().collect::<Vec<_>>(), expected);
        }
    }
}
