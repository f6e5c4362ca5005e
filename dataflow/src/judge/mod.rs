//! The label of a window: the rules, applied to a pair's windows one after the other.
//!
//! [`PairState`] is what is kept of a pair's past, bounded whatever its length; [`PairState::judge`] compares the next
//! window with it, names its label, and adds the window to the past. What follows from a window depends on the windows of its
//! pair before it and on nothing else, so it is the same in every run. docs/diagnoses.md defines the figures.
//!
//! Decisions: D-052, D-056, D-091.

mod by_phase;
mod code;
mod evidence;
mod finding;
mod history;
mod phase;
mod phase_state;
mod run;
mod seen;
mod severity;
mod slow;
mod stored;
#[cfg(test)]
mod tests;
mod usual;
mod whole;

use std::sync::Arc;

use netqoe_model::{
    Diagnosis, DiagnosisRules, ROWS_PER_STATE, Rules, Run, Standing, UsualRange, WindowRow, WindowStart,
};
use serde::{Deserialize, Serialize};

use evidence::{Earlier, Failures};
use history::History;
use phase::{NAMED, Phase};
use phase_state::PhaseState;
use run::{Bridge, Lasting};
use seen::{Found, Seen};

/// What is kept of a pair's past. There are as many as pairs, so what most of them do not have is in boxes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct PairState {
    /// The newest window that was taken in.
    newest: Option<WindowStart>,
    history: History,
    phases: [PhaseState; NAMED],
    failures: Earlier<Failures>,
    is_failing: bool,
    lasting: Lasting,
    /// Rows since one carried the state.
    rows_since_state: u16,
    /// What it begins with where it is stored: the rules are the same for all of a pair's life.
    #[serde(skip)]
    tag: [u8; 8],
}

/// Bytes of the past of a pair in good order, beside its histories: five cache lines with the counts of its `Rc`.
const MAX_BYTES: usize = 304;
const _: () = assert!(size_of::<PairState>() <= MAX_BYTES);

/// What a window comes to.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Judged {
    /// `None` if there is too little to say anything.
    pub diagnosis: Option<Diagnosis>,
    /// What incidents need to know of it.
    pub standing: Standing,
    /// The runs of which it tells that they are over.
    pub ended_runs: Vec<Run>,
    /// With every [`ROWS_PER_STATE`]th row, if it is final: the state after it, to be stored.
    pub pair_state: Option<Arc<[u8]>>,
}

/// What is usual of each phase, where enough is known.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct UsualRanges {
    /// Name resolution, in ms.
    pub dns: Option<UsualRange>,
    /// TCP and TLS, in ms.
    pub handshake: Option<UsualRange>,
    /// The first byte, in ms.
    pub ttfb: Option<UsualRange>,
    /// All of them, in ms; none if the rules compare each phase alone.
    pub total: Option<UsualRange>,
    /// The transfer, in Mbit/s.
    pub throughput: Option<UsualRange>,
}

impl PairState {
    /// Of a pair that was never measured.
    pub fn new(rules: &DiagnosisRules) -> Self {
        Self {
            newest: None,
            history: History::new(rules),
            phases: std::array::from_fn(|_| PhaseState::new()),
            failures: Earlier::new(),
            is_failing: false,
            lasting: Lasting::default(),
            rows_since_state: 0,
            tag: rules.state_tag(),
        }
    }

    /// The newest window that was taken in.
    pub fn newest(&self) -> Option<WindowStart> {
        self.newest
    }

    /// What a window that starts then is compared with.
    pub fn usual_before(&self, start: WindowStart, rules: &DiagnosisRules) -> UsualRanges {
        if self.is_too_old(start, rules) {
            return UsualRanges::default();
        }
        let usuals = self.history.usuals(start, rules);
        let range = |phase| usuals.usual(phase, rules).map(usual::Usual::range);
        UsualRanges {
            dns: range(Phase::Dns),
            handshake: range(Phase::Handshake),
            ttfb: range(Phase::Ttfb),
            total: range(Phase::Total),
            throughput: range(Phase::Throughput),
        }
    }

    /// Judges the pair's next window, and takes it in.
    pub fn judge(&mut self, row: &WindowRow, rules: &Rules) -> Judged {
        let diagnosis_rules = &rules.diagnosis;
        if self.is_too_old(row.start, diagnosis_rules) {
            *self = Self::new(diagnosis_rules);
        }
        let bridge = Bridge::new(rules, self.newest);
        let ended_runs = self.lasting.end(row.start, bridge);
        let mut found = Seen::of(row, self, diagnosis_rules, bridge).found(self, diagnosis_rules, rules.window_ms);
        let mut diagnosis = found.diagnosis.take();
        if let Some(Diagnosis { label, finding: Some(finding) }) = &mut diagnosis {
            finding.1.since = self.lasting.extend(*label, row.start, bridge);
        }
        self.take_in(row, &found, diagnosis_rules, bridge);
        Judged { diagnosis, standing: found.standing, ended_runs, pair_state: self.due_state(row.is_final) }
    }

    /// What the pair's next window would come to, which is not taken in.
    pub fn standing(&self, row: &WindowRow, rules: &Rules) -> Standing {
        let diagnosis_rules = &rules.diagnosis;
        if self.is_too_old(row.start, diagnosis_rules) {
            return Self::new(diagnosis_rules).standing(row, rules);
        }
        let seen = Seen::of(row, self, diagnosis_rules, Bridge::new(rules, self.newest));
        seen.standing(seen.diagnosis(self, diagnosis_rules).as_ref(), self, diagnosis_rules)
    }

    fn is_too_old(&self, start: WindowStart, rules: &DiagnosisRules) -> bool {
        self.newest.is_some_and(|newest| start.ms() - newest.ms() > rules.usual.reach_ms())
    }

    fn take_in(&mut self, row: &WindowRow, found: &Found, rules: &DiagnosisRules, bridge: Bridge) {
        self.newest = Some(row.start);
        self.is_failing = found.is_failing;
        self.lasting.see_failing(found.is_failing, row.start, bridge);
        self.failures.push(Failures::of(row));
        for (state, (evidence, is_slow)) in self.phases.iter_mut().zip(found.evidence.iter().zip(found.is_slow)) {
            state.take_in(*evidence, is_slow, row.start, bridge);
        }
        match &mut self.history {
            History::Whole(windows) => windows.push(row, rules.usual.windows.into()),
            History::ByPhase(histories) => {
                for (index, phase) in self.phases.iter_mut().enumerate() {
                    if let Some(figure) = found.figures[index] {
                        phase.learn(
                            histories.of_mut(index),
                            row.start,
                            figure,
                            found.learned[index],
                            &rules.usual,
                            bridge.window_ms,
                        );
                    }
                }
            }
        }
    }

    /// The state to be stored, if it is this row's turn. An open window's state is nobody's past yet.
    fn due_state(&mut self, is_final: bool) -> Option<Arc<[u8]>> {
        self.rows_since_state += 1;
        if self.rows_since_state < ROWS_PER_STATE {
            return None;
        }
        self.rows_since_state = 0;
        is_final.then(|| self.to_stored())
    }
}
