//! How a phase of a pair has been lately, and what its history learns of a window.

use netqoe_model::{UsualRules, WindowStart};
use serde::{Deserialize, Serialize};

use super::by_phase::HistoryMut;
use super::evidence::{Earlier, PhaseEvidence};
use super::run::{Bridge, Stretch};

/// How a phase has been lately.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(from = "Stored", into = "Stored")]
pub(super) struct PhaseState {
    pub(super) earlier: Earlier<PhaseEvidence>,
    /// Whether the newest window found it slow.
    pub(super) is_slow: bool,
    /// Windows in a row that were clearly better than usual.
    better: u16,
    /// Where there is anything in it.
    unusual: Option<Box<Unusual>>,
}

/// What is known only of a phase that is not always as usual. Most are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Unusual {
    slow: Option<Stretch>,
    /// The figure of the newest window, if it is slow and the next window decides whether that was a fault or noise.
    undecided: Option<u64>,
}

/// As it is stored.
#[derive(Serialize, Deserialize)]
struct Stored {
    earlier: Earlier<PhaseEvidence>,
    is_slow: bool,
    slow: Option<Stretch>,
    undecided: Option<u64>,
    better: u16,
}

impl From<PhaseState> for Stored {
    fn from(state: PhaseState) -> Self {
        let Unusual { slow, undecided } = state.unusual();
        let PhaseState { earlier, is_slow, better, .. } = state;
        Self { earlier, is_slow, slow, undecided, better }
    }
}

impl From<Stored> for PhaseState {
    fn from(stored: Stored) -> Self {
        let Stored { earlier, is_slow, slow, undecided, better } = stored;
        let mut state = Self { earlier, is_slow, better, unusual: None };
        state.change(|unusual| *unusual = Unusual { slow, undecided });
        state
    }
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
        Self { earlier: Earlier::new(), is_slow: false, better: 0, unusual: None }
    }

    /// The stretch in which it has been slow.
    pub(super) fn slow(&self) -> Option<Stretch> {
        self.unusual().slow
    }

    fn unusual(&self) -> Unusual {
        self.unusual.as_deref().copied().unwrap_or_default()
    }

    fn change(&mut self, change: impl FnOnce(&mut Unusual)) {
        let mut unusual = self.unusual();
        change(&mut unusual);
        match &mut self.unusual {
            _ if unusual == Unusual::default() => self.unusual = None,
            Some(known) => **known = unusual,
            known => *known = Some(Box::new(unusual)),
        }
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
        self.change(|unusual| unusual.slow = Stretch::after(unusual.slow, is_slow, start, bridge));
    }

    /// Takes a window's figure into the phase's history, or leaves it out; and starts the history anew where what was
    /// out of the ordinary has become the new normal.
    pub(super) fn learn(
        &mut self,
        mut history: HistoryMut<'_>,
        start: WindowStart,
        figure: u64,
        learned: Learned,
        rules: &UsualRules,
        window_ms: i64,
    ) {
        let Unusual { slow, undecided } = self.unusual();
        self.change(|unusual| unusual.undecided = None);
        let slow_for_ms = slow.map_or(0, |slow| start.ms() - slow.since.ms());
        if learned == Learned::LeftOut {
            if slow_for_ms < rules.new_normal_after_ms() {
                self.better = 0;
                return;
            }
            history.clear();
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
            self.change(|unusual| unusual.undecided = Some(figure));
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
