//! What the windows of one phase have led to: what is usual, what is undecided, and whether it is called slow.

use netqoe_model::{Centre, Rules, Spread, UsualRange, WindowStart};

use super::super::stretches::{self, Members};
use super::window::PhaseWindow;
use super::{Turns, in_ms};

#[derive(Default)]
pub(super) struct Phase {
    /// The figures of all windows that entered since the history was emptied, as they are kept.
    pub(super) history: Vec<u64>,
    /// The figure of the window that the next one decides.
    pub(super) undecided: Option<u64>,
    /// Of all windows with samples since the evidence was forgotten.
    pub(super) evidence: Vec<PhaseWindow>,
    /// The pair's windows since the phase last became the new normal, and whether the phase was called slow in them.
    pub(super) called: Members,
    /// "Windows that entered, one after the other", each clearly better than usual.
    pub(super) better: usize,
}

/// The usual value, the spreads below and above it, and what samples lie beyond that are "beyond the history".
#[derive(Clone, Copy)]
pub(super) struct UsualValue {
    pub(super) value: f64,
    pub(super) below: f64,
    pub(super) above: f64,
    pub(super) beyond_below: f64,
    pub(super) beyond_above: f64,
}

impl UsualValue {
    pub(super) fn range(self) -> UsualRange {
        UsualRange { centre: self.value, low: self.value - self.below, high: self.value + self.above }
    }
}

/// "Figures below 2,048 are kept as they are, others are rounded half up to 11 significant binary digits."
pub(super) fn as_kept(figure: u64) -> u64 {
    let mut unit = 1;
    while figure / unit >= 2048 {
        unit *= 2;
    }
    (figure + unit / 2) / unit * unit
}

/// "The ⌈0.9·n⌉th of n from below", from 1.
pub(super) fn rank(share: f64, n: usize) -> usize {
    (share * n as f64).ceil() as usize
}

impl Phase {
    /// "One figure of each of its last 60 windows that were not left out"; "a phase is judged once its history has ten".
    pub(super) fn usual(&self, rules: &Rules) -> Option<UsualValue> {
        let beyond_quantile = rules.diagnosis.evidence.beyond_quantile;
        let rules = &rules.diagnosis.usual;
        let first = self.history.len().saturating_sub(rules.windows.into());
        let mut sorted = self.history[first..].to_vec();
        sorted.sort_unstable();
        let n = sorted.len();
        if n < usize::from(rules.warm_up_windows) {
            return None;
        }
        let mean = sorted.iter().sum::<u64>() as f64 / n as f64;
        let value = match rules.centre {
            Centre::Mean => mean / 1000.0,
            // "Of an even number the upper of the two in the middle."
            Centre::Median => in_ms(sorted[n / 2]),
        };
        let (below, above) = match rules.spread {
            Spread::Deviation => {
                let squares = sorted.iter().map(|figure| (*figure as f64 - mean).powi(2));
                let deviation = (squares.sum::<f64>() / n as f64).sqrt() / 1000.0;
                (deviation, deviation)
            }
            Spread::Quantile => {
                let rank = rank(rules.spread_quantile, n);
                (value - in_ms(sorted[n - rank]), in_ms(sorted[rank - 1]) - value)
            }
        };
        let floor = (rules.spread_floor_ratio * value).max(rules.spread_floor);
        // "The 97 % quantile of the phase's history (of throughput, the mirrored one), by the same ranks"; 0 is not asked.
        let rank = rank(beyond_quantile, n).max(1);
        let (beyond_below, beyond_above) = (in_ms(sorted[n - rank]), in_ms(sorted[rank - 1]));
        Some(UsualValue { value, below: below.max(floor), above: above.max(floor), beyond_below, beyond_above })
    }

    /// "The newest windows that have samples of the phase: the present one, if it has some, and the newest ones before it that
    /// have some, if they start at most 15 minutes before"; of these, "the present and at most so many before it".
    pub(super) fn evidence_at(&self, start: WindowStart, windows: u16, rules: &Rules) -> Vec<PhaseWindow> {
        let within_ms = i64::from(rules.diagnosis.evidence.within_minutes) * 60_000;
        let present = self.evidence.last().filter(|window| window.start == start);
        let earlier = self.evidence.iter().rev().skip(present.iter().count()).take(usize::from(windows) - 1);
        let near = earlier.filter(|window| start.ms() - window.start.ms() <= within_ms);
        present.into_iter().chain(near).cloned().collect()
    }

    /// "There are so many windows, each has a slow sample, at least three samples of all are slow, and they are 80 % of them";
    /// "the present window has samples".
    pub(super) fn is_named_by(&self, start: WindowStart, windows: u16, share: f64, rules: &Rules) -> bool {
        let slow: u32 = self.evidence_at(start, windows, rules).iter().map(|window| window.slow).sum();
        slow >= rules.diagnosis.evidence.least_samples && self.is_shown_by(start, windows, share, rules)
    }

    /// The same by any number of samples.
    pub(super) fn is_shown_by(&self, start: WindowStart, windows: u16, share: f64, rules: &Rules) -> bool {
        let evidence = self.evidence_at(start, windows, rules);
        let slow: u32 = evidence.iter().map(|window| window.slow).sum();
        let samples: u32 = evidence.iter().map(|window| window.samples).sum();
        evidence.iter().any(|window| window.start == start)
            && evidence.len() == usize::from(windows)
            && evidence.iter().all(|window| window.slow > 0)
            && f64::from(slow) / f64::from(samples) >= share
    }

    /// "Any sample of the two windows is slow, and these are half of the samples."
    pub(super) fn may_be_kept(&self, start: WindowStart, rules: &Rules) -> bool {
        let evidence = self.evidence_at(start, rules.diagnosis.evidence.windows, rules);
        let slow: u32 = evidence.iter().map(|window| window.slow).sum();
        let samples: u32 = evidence.iter().map(|window| window.samples).sum();
        slow > 0 && f64::from(slow) / f64::from(samples) >= rules.diagnosis.evidence.keep_share
    }

    /// Whether it is "called slow" in the pair's window that starts then, "by any of these".
    pub(super) fn is_called_slow_at(&self, start: WindowStart, rules: &Rules, turns: &mut Turns) -> bool {
        let evidence = &rules.diagnosis.evidence;
        let by_first = self.is_named_by(start, evidence.windows, evidence.share, rules);
        let beyond: u32 = self.evidence_at(start, evidence.windows, rules).iter().map(|window| window.beyond).sum();
        let are_beyond = evidence.beyond_quantile == 0.0 || beyond >= evidence.least_samples;
        let by_more = self.is_named_by(start, evidence.more_windows, evidence.more_share, rules);
        let was_slow = self.called.last().is_some_and(|(_, was)| *was);
        let is_old = was_slow && is_old_enough(&self.called, start, rules);
        let may_be_kept = self.may_be_kept(start, rules);
        let is_new = (by_first && are_beyond) || by_more;
        turns.not_beyond += usize::from(by_first && !are_beyond);
        turns.named_by_more_windows_only += usize::from(by_more && !(by_first && are_beyond));
        turns.kept += usize::from(!is_new && is_old && may_be_kept);
        turns.too_young_to_keep += usize::from(!is_new && was_slow && !is_old && may_be_kept);
        is_new || (is_old && may_be_kept)
    }

    /// Since when the phase has been called slow; none if the stretch was interrupted.
    pub(super) fn slow_since(&self, rules: &Rules) -> Option<WindowStart> {
        let newest = self.called.len() - 1;
        let last = self.called.iter().rposition(|(_, was)| *was)?;
        // "It has ended with the first window that is too late for it."
        let goes_on = last == newest || (last + 1..=newest).all(|at| stretches::joins(&self.called, last, at, rules));
        goes_on.then(|| stretches::since(&self.called, last, rules).0)
    }
}

/// "That stretch", to which the newest of these windows belongs, "began at least two window lengths before the present".
pub(super) fn is_old_enough(before: &[(WindowStart, bool)], start: WindowStart, rules: &Rules) -> bool {
    let since = stretches::since(before, before.len() - 1, rules).0;
    // "That stretch goes on to the present window": the last of it is the window just before.
    let with_present: Vec<_> = before.iter().copied().chain([(start, true)]).collect();
    if !stretches::joins(&with_present, before.len() - 1, before.len(), rules) {
        return false;
    }
    start.ms() - since.ms() >= i64::from(rules.diagnosis.evidence.keep_after_windows) * rules.window_ms
}
