//! A history for each phase, of the middles of the windows that were not left out: the latest figures, as codes.
//!
//! Decision: D-054.

use serde::{Deserialize, Serialize};

use super::code::{decode, encode};
use super::phase::NAMED;

/// Figures that a history holds at most. Four of them, with their places and middles, are what is kept of a pair's
/// past: at most [`MAX_HISTORY_BYTES`].
pub(super) const MAX_FIGURES: usize = 60;

/// Bytes of a pair's histories: an hour of windows, and as many pairs as a machine has half kilobytes for.
const MAX_HISTORY_BYTES: usize = 512;
const _: () = assert!(size_of::<Histories>() + NAMED * MAX_FIGURES * size_of::<u16>() <= MAX_HISTORY_BYTES);

/// Room that each history of a pair begins with. It grows in a few steps, as many pairs never have more.
const FIRST_ROOM: usize = 4;

/// The histories of all phases. Their codes lie one phase after the other in one piece of memory, with the same room for each.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(from = "[Stored; NAMED]", into = "[Stored; NAMED]")]
pub(super) struct Histories {
    rings: [Ring; NAMED],
    codes: Box<[u16]>,
}

/// The history of one of the phases, to be changed.
pub(super) struct HistoryMut<'a> {
    histories: &'a mut Histories,
    phase: usize,
}

impl HistoryMut<'_> {
    pub(super) fn len(&self) -> usize {
        self.histories.of(self.phase).len()
    }

    /// Adds a figure. With more than `most`, the oldest goes.
    pub(super) fn push(&mut self, figure: u64, most: usize) {
        self.histories.push(self.phase, figure, most);
    }

    /// Keeps only the newest figures.
    pub(super) fn keep_newest(&mut self, count: usize) {
        self.histories.keep_newest(self.phase, count);
    }

    /// Forgets all figures.
    pub(super) fn clear(&mut self) {
        self.histories.set(self.phase, &[]);
    }
}

/// Where the figures of one phase are in its codes, which are a ring.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Ring {
    len: u8,
    /// After the newest code; where that is after the last, the oldest is the first.
    next: u8,
    /// Of `len` codes in order, the one at `len / 2`, kept up to date as they come and go.
    middle: u16,
}

impl Histories {
    pub(super) fn new() -> Self {
        Self { rings: Default::default(), codes: Box::default() }
    }

    /// The history of a phase.
    pub(super) fn of(&self, phase: usize) -> PhaseHistory<'_> {
        let (ring, room) = (self.rings[phase], self.room());
        PhaseHistory { ring, codes: &self.codes[phase * room..][..ring.len.into()] }
    }

    pub(super) fn all(&self) -> [PhaseHistory<'_>; NAMED] {
        std::array::from_fn(|phase| self.of(phase))
    }

    /// The history of a phase, to be changed.
    pub(super) fn of_mut(&mut self, phase: usize) -> HistoryMut<'_> {
        HistoryMut { histories: self, phase }
    }

    fn push(&mut self, phase: usize, figure: u64, most: usize) {
        let (code, before) = (encode(figure), self.of(phase));
        let (len, oldest) = (before.len(), before.oldest());
        if len < most.min(MAX_FIGURES) {
            self.make_room_for(len + 1);
            self.codes_of(phase)[len] = code;
            let ring = &mut self.rings[phase];
            ring.len += 1;
            ring.next = ring.len;
            return self.settle(phase);
        }
        let gone = std::mem::replace(&mut self.codes_of(phase)[oldest], code);
        let ring = &mut self.rings[phase];
        ring.next = oldest as u8 + 1;
        let stays = (gone < ring.middle && code < ring.middle) || (gone > ring.middle && code > ring.middle);
        if gone != code && !stays {
            self.settle(phase);
        }
    }

    fn keep_newest(&mut self, phase: usize, count: usize) {
        let before = self.of(phase);
        let newest: Vec<u16> = before.oldest_first().skip(before.len().saturating_sub(count)).collect();
        self.set(phase, &newest);
    }

    fn set(&mut self, phase: usize, oldest_first: &[u16]) {
        let kept = &oldest_first[..oldest_first.len().min(MAX_FIGURES)];
        self.make_room_for(kept.len());
        let codes = self.codes_of(phase);
        codes[..kept.len()].copy_from_slice(kept);
        codes[kept.len()..].fill(0);
        let len = kept.len() as u8;
        self.rings[phase] = Ring { len, next: len, middle: 0 };
        self.settle(phase);
    }

    fn room(&self) -> usize {
        self.codes.len() / NAMED
    }

    fn codes_of(&mut self, phase: usize) -> &mut [u16] {
        let room = self.room();
        &mut self.codes[phase * room..][..room]
    }

    fn make_room_for(&mut self, figures: usize) {
        let room = self.room();
        if figures <= room {
            return;
        }
        let more = figures.max(2 * room).clamp(FIRST_ROOM, MAX_FIGURES);
        let mut codes = vec![0; NAMED * more];
        for phase in 0..NAMED {
            codes[phase * more..][..room].copy_from_slice(self.codes_of(phase));
        }
        self.codes = codes.into();
    }

    /// Moves the middle to where it belongs: by one figure, mostly. Each step is a pass over a few vectors of codes,
    /// which is cheaper than to keep them in order.
    fn settle(&mut self, phase: usize) {
        let PhaseHistory { ring, codes } = self.of(phase);
        let place = (codes.len() / 2) as u16;
        let mut middle = ring.middle;
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
        self.rings[phase].middle = middle;
    }
}

fn count(codes: &[u16], is: impl Fn(u16) -> bool) -> u16 {
    codes.iter().map(|&code| u16::from(is(code))).sum()
}

/// The latest figures of one phase.
#[derive(Clone, Copy, Debug)]
pub(super) struct PhaseHistory<'a> {
    ring: Ring,
    codes: &'a [u16],
}

impl<'a> PhaseHistory<'a> {
    pub(super) fn len(self) -> usize {
        self.codes.len()
    }

    /// The figure in the middle; none if there are none.
    pub(super) fn median(self) -> Option<u64> {
        (!self.codes.is_empty()).then(|| decode(self.ring.middle))
    }

    /// Arithmetic mean; 0 if there are no figures.
    pub(super) fn mean(self) -> f64 {
        let sum: f64 = self.figures().map(|figure| figure as f64).sum();
        sum / self.len().max(1) as f64
    }

    /// Population standard deviation around the mean.
    pub(super) fn deviation(self, mean: f64) -> f64 {
        let squares: f64 = self.figures().map(|figure| (figure as f64 - mean) * (figure as f64 - mean)).sum();
        (squares / self.len().max(1) as f64).sqrt()
    }

    /// The figures at a quantile and at the mirrored one, by nearest rank from both ends; 0 if there are none.
    pub(super) fn quantiles(self, quantile: f64) -> (u64, u64) {
        let mut room = [0; MAX_FIGURES];
        let codes = &mut room[..self.len()];
        codes.copy_from_slice(self.codes);
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
    pub(super) fn rank(self, quantile: f64) -> usize {
        ((quantile * self.len() as f64).ceil() as usize).clamp(self.len().min(1), self.len())
    }

    /// How many figures are so.
    pub(super) fn count(self, is_so: impl Fn(u64) -> bool) -> usize {
        self.codes.iter().filter(|&&code| is_so(decode(code))).count()
    }

    fn figures(self) -> impl Iterator<Item = u64> {
        self.oldest_first().map(decode)
    }

    fn oldest_first(self) -> impl Iterator<Item = u16> + use<'a> {
        let (newer, older) = self.codes.split_at(self.oldest());
        older.iter().chain(newer).copied()
    }

    fn oldest(self) -> usize {
        if self.ring.next < self.ring.len { self.ring.next.into() } else { 0 }
    }
}

/// As a history is stored: the oldest code, and the steps from each to the next, which are small.
#[derive(Serialize, Deserialize)]
struct Stored(Vec<i32>);

impl From<Histories> for [Stored; NAMED] {
    fn from(histories: Histories) -> Self {
        histories.all().map(Stored::of)
    }
}

impl From<[Stored; NAMED]> for Histories {
    fn from(stored: [Stored; NAMED]) -> Self {
        let mut histories = Self::new();
        for (phase, stored) in stored.iter().enumerate() {
            histories.set(phase, &stored.codes());
        }
        histories
    }
}

impl Stored {
    fn of(history: PhaseHistory<'_>) -> Self {
        let mut before = 0;
        let step = |code: u16| {
            let code = i32::from(code);
            code - std::mem::replace(&mut before, code)
        };
        Self(history.oldest_first().map(step).collect())
    }

    fn codes(&self) -> Vec<u16> {
        let mut code: i32 = 0;
        let next = |&step: &i32| {
            code = code.saturating_add(step);
            code.clamp(0, u16::MAX.into()) as u16
        };
        self.0.iter().map(next).collect()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn holds_the_latest_and_knows_their_middle(
            figures in prop::collection::vec((0..NAMED, 0..3000_u64), 1..500), most in 1..=MAX_FIGURES,
            keep in prop::option::of((0..500_usize, 1..MAX_FIGURES)),
        ) {
            let (mut histories, mut expected) = (Histories::new(), [const { Vec::new() }; NAMED]);
            for (nth, &(phase, figure)) in figures.iter().enumerate() {
                let (expected, others) = (&mut expected[phase], histories.clone());
                histories.push(phase, figure, most);
                expected.push(decode(encode(figure)));
                if expected.len() > most {
                    expected.remove(0);
                }
                if let Some((_, count)) = keep.filter(|(at, _)| *at == nth) {
                    histories.keep_newest(phase, count);
                    expected.drain(..expected.len().saturating_sub(count));
                }
                let (mut sorted, history) = (expected.clone(), histories.of(phase));
                sorted.sort_unstable();
                prop_assert_eq!(history.figures().collect::<Vec<_>>(), &expected[..]);
                prop_assert_eq!(history.median(), Some(sorted[sorted.len() / 2]));
                let rank = ((0.9 * sorted.len() as f64).ceil() as usize).max(1);
                prop_assert_eq!(history.quantiles(0.9), (sorted[sorted.len() - rank], sorted[rank - 1]));
                for other in (0..NAMED).filter(|other| *other != phase) {
                    prop_assert!(histories.of(other).figures().eq(others.of(other).figures()));
                }
            }
            let back = Histories::from(<[Stored; NAMED]>::from(histories.clone()));
            for (back, expected) in back.all().into_iter().zip(expected) {
                prop_assert_eq!(back.figures().collect::<Vec<_>>(), expected);
            }
        }
    }
}
