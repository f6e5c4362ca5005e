//! What the newest windows of a pair show together.

use netqoe_model::{ErrorStage, WindowRow, WindowStart};
use serde::{Deserialize, Serialize};

use super::slow::Slow;

/// Earlier windows that are kept as evidence; with the present one, as many as the rules can ask for.
pub(super) const EARLIER: usize = 2;

/// A window that had samples of a phase.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct PhaseEvidence {
    pub(super) start: WindowStart,
    pub(super) samples: u32,
    pub(super) slow: u32,
    pub(super) slow_at_least: u32,
    /// How many of them are slower than nearly all that the history knows.
    pub(super) beyond_history: u32,
    /// The middle of its samples, in whole microseconds or kbit/s.
    pub(super) middle: u64,
}

impl PhaseEvidence {
    pub(super) fn new(start: WindowStart, samples: u32, slow: Slow, middle: u64) -> Self {
        Self {
            start,
            samples,
            slow: slow.counted,
            slow_at_least: slow.at_least,
            beyond_history: slow.beyond_history,
            middle,
        }
    }
}

/// A window that had measurements.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct Failures {
    pub(super) start: WindowStart,
    pub(super) total: u32,
    pub(super) by_stage: [u32; 5],
}

impl Failures {
    pub(super) fn of(row: &WindowRow) -> Self {
        Self { start: row.start, total: row.count_total(), by_stage: row.errors }
    }

    pub(super) fn failed(&self) -> u32 {
        self.by_stage.iter().sum()
    }

    /// The stage at which most failed; of several, the first that a measurement goes through.
    pub(super) fn stage(&self) -> ErrorStage {
        ErrorStage::ALL.into_iter().rev().max_by_key(|&stage| self.by_stage[stage as usize]).unwrap_or(ErrorStage::Http)
    }
}

/// What an earlier window shows, and the form in which it is kept: most windows of most pairs are in good order, and what is
/// kept of one of those is a quarter of a cache line.
pub(super) trait Shown: Copy + Default {
    type Kept: Clone + Default;

    fn start(&self) -> WindowStart;
    fn kept(self) -> Self::Kept;
    /// `None` where nothing is kept.
    fn of_kept(kept: &Self::Kept) -> Option<Self>;
}

#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum KeptPhase {
    #[default]
    Nothing,
    /// No sample is slow.
    Usual {
        start: WindowStart,
        samples: u16,
        middle: u32,
    },
    Other(Box<PhaseEvidence>),
}

impl Shown for PhaseEvidence {
    type Kept = KeptPhase;

    fn start(&self) -> WindowStart {
        self.start
    }

    fn kept(self) -> KeptPhase {
        match (self, u16::try_from(self.samples), u32::try_from(self.middle)) {
            (Self { start, slow: 0, slow_at_least: 0, beyond_history: 0, .. }, Ok(samples), Ok(middle)) => {
                KeptPhase::Usual { start, samples, middle }
            }
            _ => KeptPhase::Other(Box::new(self)),
        }
    }

    fn of_kept(kept: &KeptPhase) -> Option<Self> {
        match kept {
            KeptPhase::Nothing => None,
            KeptPhase::Usual { start, samples, middle } => {
                let (start, samples, middle) = (*start, (*samples).into(), (*middle).into());
                Some(Self { start, samples, middle, ..Self::default() })
            }
            KeptPhase::Other(evidence) => Some(**evidence),
        }
    }
}

#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum KeptFailures {
    #[default]
    Nothing,
    NoneFailed {
        start: WindowStart,
        total: u32,
    },
    Other(Box<Failures>),
}

impl Shown for Failures {
    type Kept = KeptFailures;

    fn start(&self) -> WindowStart {
        self.start
    }

    fn kept(self) -> KeptFailures {
        match self {
            Self { start, total, by_stage: [0, 0, 0, 0, 0] } => KeptFailures::NoneFailed { start, total },
            _ => KeptFailures::Other(Box::new(self)),
        }
    }

    fn of_kept(kept: &KeptFailures) -> Option<Self> {
        match kept {
            KeptFailures::Nothing => None,
            KeptFailures::NoneFailed { start, total } => Some(Self { start: *start, total: *total, by_stage: [0; 5] }),
            KeptFailures::Other(failures) => Some(**failures),
        }
    }
}

/// The newest windows before the present one, newest first.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(from = "StoredEarlier<T>", into = "StoredEarlier<T>")]
#[serde(bound(serialize = "T: Shown + Serialize", deserialize = "T: Shown + Deserialize<'de>"))]
pub(super) struct Earlier<T: Shown> {
    kept: [T::Kept; EARLIER],
}

/// As it is stored.
#[derive(Serialize, Deserialize)]
struct StoredEarlier<T> {
    windows: [T; EARLIER],
    len: u8,
}

impl<T: Shown> From<Earlier<T>> for StoredEarlier<T> {
    fn from(earlier: Earlier<T>) -> Self {
        let mut stored = Self { windows: [T::default(); EARLIER], len: 0 };
        for window in earlier.windows() {
            stored.windows[usize::from(stored.len)] = window;
            stored.len += 1;
        }
        stored
    }
}

impl<T: Shown> From<StoredEarlier<T>> for Earlier<T> {
    fn from(stored: StoredEarlier<T>) -> Self {
        let mut earlier = Self::new();
        for (kept, window) in earlier.kept.iter_mut().zip(stored.windows).take(stored.len.into()) {
            *kept = window.kept();
        }
        earlier
    }
}

impl<T: Shown> Earlier<T> {
    pub(super) fn new() -> Self {
        Self { kept: Default::default() }
    }

    pub(super) fn push(&mut self, window: T) {
        self.kept.rotate_right(1);
        self.kept[0] = window.kept();
    }

    fn windows(&self) -> impl Iterator<Item = T> {
        self.kept.iter().map_while(T::of_kept)
    }

    /// The present window, if it has something to say, and the newest before it: `windows` in all, none of which starts
    /// before `oldest`. Newest first.
    pub(super) fn with(&self, present: Option<T>, windows: u16, oldest: WindowStart) -> Together<T> {
        let earlier = self.windows().take(usize::from(windows) - 1);
        let mut together = Together { windows: [T::default(); EARLIER + 1], len: 0 };
        for window in present.into_iter().chain(earlier.filter(|window| window.start() >= oldest)) {
            together.windows[together.len] = window;
            together.len += 1;
        }
        together
    }
}

/// Windows that are looked at together, newest first.
pub(super) struct Together<T> {
    windows: [T; EARLIER + 1],
    len: usize,
}

impl<T> Together<T> {
    pub(super) fn windows(&self) -> &[T] {
        &self.windows[..self.len]
    }

    pub(super) fn sum(&self, count: impl Fn(&T) -> u32) -> u32 {
        self.windows().iter().map(count).fold(0, u32::saturating_add)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn counts() -> impl Strategy<Value = u32> {
        prop_oneof![3 => Just(0), 1 => 0..4_u32, 1 => u32::from(u16::MAX) - 1..=u32::from(u16::MAX) + 1]
    }

    proptest! {
        #[test]
        fn what_is_kept_of_a_phase_comes_back(
            start in 0..3_i64, samples in counts(), slow in counts(), slow_at_least in counts(), beyond_history in counts(),
            middle in prop_oneof![0..9_u64, u64::from(u32::MAX) - 1..=u64::from(u32::MAX) + 1],
        ) {
            let start = WindowStart::from_ms(start * 60_000);
            let shown = PhaseEvidence { start, samples, slow, slow_at_least, beyond_history, middle };
            prop_assert_eq!(PhaseEvidence::of_kept(&shown.kept()), Some(shown));
        }

        #[test]
        fn what_is_kept_of_failures_comes_back(total in counts(), by_stage in prop::array::uniform5(counts())) {
            let shown = Failures { start: WindowStart::from_ms(60_000), total, by_stage };
            prop_assert_eq!(Failures::of_kept(&shown.kept()), Some(shown));
        }

        #[test]
        fn the_newest_windows_are_stored_and_come_back(totals in prop::collection::vec(1..9_u32, 0..5)) {
            let mut earlier = Earlier::<Failures>::new();
            for &total in &totals {
                earlier.push(Failures { total, ..Failures::default() });
            }
            let newest: Vec<_> = earlier.windows().map(|window| window.total).collect();
            let expected: Vec<_> = totals.iter().rev().take(EARLIER).copied().collect();
            prop_assert_eq!(&newest, &expected);
            let bytes = postcard::to_allocvec(&earlier).unwrap();
            // As it was when all of them were kept in full: both windows, and then their number.
            prop_assert_eq!(bytes.last().copied(), Some(expected.len() as u8));
            prop_assert_eq!(postcard::from_bytes::<Earlier<Failures>>(&bytes).unwrap(), earlier);
        }
    }
}
