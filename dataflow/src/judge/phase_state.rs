//! How a phase of a pair has been lately, and what its history learns of a window.

use netqoe_model::{UsualRules, WindowStart};
use serde::{Deserialize, Serialize};

use super::by_phase::PhaseHistory;
use super::evidence::{Earlier, PhaseEvidence};
use super::run::{Bridge, Stretch};

/// How a phase has been lately.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct PhaseState {
    pub(super) earlier: Earlier<PhaseEvidence>,
    /// Whether the newest window found it slow.
    pub(super) is_slow: bool,
    pub(super) slow: Option<Stretch>,
    /// The figure of the newest window, if it is slow and the next window decides whether that was a fault or noise.
    undecided: Option<u64>,
    /// Windows in a row that were clearly better than usual.
    better: u16,
}

/// What becomes of a window's figure in the phase's history.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Learned {
    LeftOut,
    /// Left out if the next window shows that it belongs to a fault.
    Undecided,
    Usual,
    /// Clearly better than usual.
    Better,
}

impl PhaseState {
    pub(super) fn new() -> Self {
        Self { earlier: Earlier::new(), is_slow: false, slow: None, undecided: None, better: 0 }
    }

    pub(super) fn take_in(
        &mut self,
        evidence: Option<PhaseEvidence>,
        is_slow: bool,
        start: WindowStart,
        bridge: Bridge,
    ) {
        if let Some(evidence) = evidence {
            self.earlier.push(evidence);
        }
        self.is_slow = is_slow;
        self.slow = Stretch::after(self.slow, is_slow, start, bridge);
    }

    /// Takes a window's figure into the phase's history, or leaves it out; and starts the history anew where what was
    /// out of the ordinary has become the new normal.
    pub(super) fn learn(
        &mut self,
        history: &mut PhaseHistory,
        start: WindowStart,
        figure: u64,
        learned: Learned,
        rules: &UsualRules,
        window_ms: i64,
    ) {
        let undecided = self.undecided.take();
        let slow_for_ms = self.slow.map_or(0, |slow| start.ms() - slow.since.ms());
        if learned == Learned::LeftOut {
            if slow_for_ms < rules.new_normal_after_ms() {
                self.better = 0;
                return;
            }
            *history = PhaseHistory::new();
            *self = Self::new();
        } else if let Some(noise) = undecided {
            history.push(noise, rules.windows.into());
        }
        // Better figures enter out of turn, so that after an improvement they soon make the history.
        let is_due = learned == Learned::Better
            || history.len() < usize::from(rules.windows)
            || start.ms().div_euclid(window_ms) % i64::from(rules.every_windows) == 0;
        if !is_due {
            self.better = 0;
            return;
        }
        if learned == Learned::Undecided {
            self.undecided = Some(figure);
            self.better = 0;
            return;
        }
        history.push(figure, rules.windows.into());
        self.better = if learned == Learned::Better { self.better + 1 } else { 0 };
        if rules.better_windows > 0 && self.better >= rules.better_windows {
            history.keep_newest(rules.better_windows.into());
            self.better = 0;
        }
    }
}
