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

/// When a window was.
pub(super) trait At {
    fn start(&self) -> WindowStart;
}

impl At for PhaseEvidence {
    fn start(&self) -> WindowStart {
        self.start
    }
}

impl At for Failures {
    fn start(&self) -> WindowStart {
        self.start
    }
}

/// The newest windows before the present one, newest first.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct Earlier<T> {
    windows: [T; EARLIER],
    len: u8,
}

impl<T: Default + Copy + At> Earlier<T> {
    pub(super) fn new() -> Self {
        Self { windows: [T::default(); EARLIER], len: 0 }
    }

    pub(super) fn push(&mut self, window: T) {
        self.windows.rotate_right(1);
        self.windows[0] = window;
        self.len = (self.len + 1).min(EARLIER as u8);
    }

    /// The present window, if it has something to say, and the newest before it: `windows` in all, none of which starts
    /// before `oldest`. Newest first.
    pub(super) fn with(&self, present: Option<T>, windows: u16, oldest: WindowStart) -> Together<T> {
        let earlier = self.windows[..self.len.into()].iter().take(usize::from(windows) - 1);
        let mut together = Together { windows: [T::default(); EARLIER + 1], len: 0 };
        for window in present.iter().chain(earlier.filter(|window| window.start() >= oldest)) {
            together.windows[together.len] = *window;
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
