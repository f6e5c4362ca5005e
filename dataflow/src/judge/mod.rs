//! What hurts in a window: the rules, applied to a pair's windows one after the other.
//!
//! [`PairState`] is what is kept of a pair's past, bounded whatever its length; [`PairState::judge`] compares the next
//! window with it, names what hurts, and takes the window in. What follows from a window depends on the windows of its
//! pair before it and on nothing else, so it is the same in every run. docs/diagnoses.md says what the figures mean.

mod by_phase;
mod code;
mod evidence;
mod finding;
mod history;
mod phase;
mod run;
mod severity;
mod slow;
mod stored;
#[cfg(test)]
mod tests;
mod usual;
mod whole;

use std::sync::Arc;

use netqoe_model::{
    Diagnosis, DiagnosisRules, Label, ROWS_PER_STATE, Rules, Run, UsualRange, UsualRules, WindowRow, WindowStart,
};
use serde::{Deserialize, Serialize};

use by_phase::PhaseHistory;
use evidence::{Earlier, Failures, PhaseEvidence, Together};
use history::{History, Usuals};
use phase::{Compared, NAMED, Phase, Readings};
use run::{Bridge, Runs, Stretch};
use slow::Slow;

/// What is kept of a pair's past.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct PairState {
    /// The newest window that was taken in.
    newest: Option<WindowStart>,
    history: History,
    phases: [PhaseState; NAMED],
    failures: Earlier<Failures>,
    is_failing: bool,
    failing: Option<Stretch>,
    runs: Runs,
    /// Rows since one carried the state.
    rows_since_state: u16,
    /// What it begins with where it is stored: the rules are the same for all of a pair's life.
    #[serde(skip)]
    tag: [u8; 8],
}

/// How a phase has been lately.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct PhaseState {
    earlier: Earlier<PhaseEvidence>,
    /// Whether the newest window found it slow.
    is_slow: bool,
    slow: Option<Stretch>,
    /// The figure of the newest window, where it is slow and the next window decides whether that was a fault or noise.
    undecided: Option<u64>,
    /// Windows in a row that were clearly better than usual.
    better: u16,
}

/// What a window comes to.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Judged {
    /// None where there is too little to say anything.
    pub diagnosis: Option<Diagnosis>,
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
    /// All of them, in ms; none where the rules compare each phase alone.
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
            failing: None,
            runs: Runs::default(),
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
        let ended_runs = self.runs.end(row.start, bridge);
        let mut found = Seen::of(row, self, diagnosis_rules, bridge).found(self, diagnosis_rules, rules.window_ms);
        let mut diagnosis = found.diagnosis.take();
        if let Some(Diagnosis { label, finding: Some(finding) }) = &mut diagnosis {
            finding.1.since = self.runs.extend(*label, row.start, bridge);
        }
        self.take_in(row, &found, diagnosis_rules, bridge);
        Judged { diagnosis, ended_runs, pair_state: self.due_state(row.is_final) }
    }

    /// Takes in a window that was judged before.
    pub fn advance(&mut self, row: &WindowRow, rules: &Rules) {
        self.judge(row, rules);
    }

    fn is_too_old(&self, start: WindowStart, rules: &DiagnosisRules) -> bool {
        self.newest.is_some_and(|newest| start.ms() - newest.ms() > rules.usual.reach_ms())
    }

    fn take_in(&mut self, row: &WindowRow, found: &Found, rules: &DiagnosisRules, bridge: Bridge) {
        self.newest = Some(row.start);
        self.is_failing = found.is_failing;
        self.failing = Stretch::after(self.failing, found.is_failing, row.start, bridge);
        self.failures.push(Failures::of(row));
        for (state, (evidence, is_slow)) in self.phases.iter_mut().zip(found.evidence.iter().zip(found.is_slow)) {
            state.take_in(*evidence, is_slow, row.start, bridge);
        }
        match &mut self.history {
            History::Whole(windows) => windows.push(row, rules.usual.windows.into()),
            History::ByPhase(histories) => {
                for (index, history) in histories.iter_mut().enumerate() {
                    if let Some(figure) = found.figures[index] {
                        self.phases[index].learn(
                            history,
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

    /// The state to be stored, where it is this row's turn. An open window's state is nobody's past yet.
    fn due_state(&mut self, is_final: bool) -> Option<Arc<[u8]>> {
        self.rows_since_state += 1;
        if self.rows_since_state < ROWS_PER_STATE {
            return None;
        }
        self.rows_since_state = 0;
        is_final.then(|| self.to_stored())
    }
}

/// What becomes of a window's figure in the phase's history.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Learned {
    LeftOut,
    /// Left out if the next window shows that it belongs to a fault.
    Undecided,
    Usual,
    /// Clearly better than usual.
    Better,
}

impl PhaseState {
    fn new() -> Self {
        Self { earlier: Earlier::new(), is_slow: false, slow: None, undecided: None, better: 0 }
    }

    fn take_in(&mut self, evidence: Option<PhaseEvidence>, is_slow: bool, start: WindowStart, bridge: Bridge) {
        if let Some(evidence) = evidence {
            self.earlier.push(evidence);
        }
        self.is_slow = is_slow;
        self.slow = Stretch::after(self.slow, is_slow, start, bridge);
    }

    /// Takes a window's figure into the phase's history, or leaves it out; and starts the history anew where what was
    /// out of the ordinary has become the new normal.
    fn learn(
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

/// All that a window shows, beside what was before it.
struct Seen<'a> {
    start: WindowStart,
    readings: Readings,
    compared: Option<Compared>,
    usuals: Usuals<'a>,
    slow: [Slow; NAMED],
    /// Of the phases that it has samples of.
    evidence: [Option<PhaseEvidence>; NAMED],
    is_slow: [bool; NAMED],
    failures: Together<Failures>,
    is_failing: bool,
}

/// What is taken in of a window.
struct Found {
    diagnosis: Option<Diagnosis>,
    evidence: [Option<PhaseEvidence>; NAMED],
    is_slow: [bool; NAMED],
    is_failing: bool,
    /// What stands for the window in the histories.
    figures: [Option<u64>; NAMED],
    learned: [Learned; NAMED],
}

impl<'a> Seen<'a> {
    fn of(row: &WindowRow, before: &'a PairState, rules: &DiagnosisRules, bridge: Bridge) -> Self {
        let readings = Readings::of(row);
        let compared = Compared::of(row, &readings, rules.usual.figure);
        let usuals = before.history.usuals(row.start, rules);
        let (mut slow, mut evidence, mut is_slow) = ([Slow::default(); NAMED], [None; NAMED], [false; NAMED]);
        for phase in Phase::NAMED {
            let index = phase as usize;
            if let Some(compared) = &compared {
                slow[index] = slow::slow(phase, compared, readings.samples, &usuals, rules);
            }
            let middle = readings.of[index].map(|reading| reading.middle(readings.samples));
            evidence[index] = middle.map(|middle| PhaseEvidence::new(row.start, readings.samples, slow[index], middle));
            is_slow[index] = is_slow_now(before, phase, row.start, evidence[index], rules, bridge);
        }
        let failures =
            before.failures.with(Some(Failures::of(row)), rules.error_bound.windows, oldest(row.start, rules));
        let is_failing = is_failing_now(before, &failures, row.start, rules, bridge);
        Self { start: row.start, readings, compared, usuals, slow, evidence, is_slow, failures, is_failing }
    }

    fn found(&self, before: &PairState, rules: &DiagnosisRules, window_ms: i64) -> Found {
        let diagnosis = self.label().map(|label| Diagnosis { label, finding: self.finding(label, before, rules) });
        let Self { evidence, is_slow, is_failing, .. } = *self;
        let turn = self.start.ms().div_euclid(window_ms).div_euclid(rules.usual.every_windows.into());
        let takes_greater = turn % 2 == 0;
        let figures = self.readings.of.map(|reading| Some(reading?.figure(self.readings.samples, takes_greater)));
        Found { diagnosis, evidence, is_slow, is_failing, figures, learned: self.learned(rules) }
    }

    /// The first that holds. None where nothing could be compared.
    fn label(&self) -> Option<Label> {
        if self.is_failing {
            return Some(Label::ErrorBound);
        }
        if let Some(phase) = Phase::NAMED.into_iter().find(|&phase| self.is_slow[phase as usize]) {
            return Some(phase.label());
        }
        let is_compared =
            |phase: &Phase| self.usuals.centre(*phase).is_some() && (self.compared.is_some_and(|all| all.has(*phase)));
        Phase::NAMED.iter().any(is_compared).then_some(Label::Healthy)
    }

    /// Which figures make what is usual. A slow phase's do not; and a first byte and a transfer over a slow path are not
    /// what they usually are, however little that is.
    fn learned(&self, rules: &DiagnosisRules) -> [Learned; NAMED] {
        let is_slow = |phase: Phase| self.is_slow[phase as usize];
        let is_most = |phase: Phase| self.slow[phase as usize].is_most;
        Phase::NAMED.map(|phase| {
            let over_the_path = matches!(phase, Phase::Ttfb | Phase::Throughput);
            if rules.usual.leave_out_degraded && (is_slow(phase) || (over_the_path && is_slow(Phase::Handshake))) {
                Learned::LeftOut
            } else if rules.usual.leave_out_degraded && (is_most(phase) || (over_the_path && is_most(Phase::Handshake)))
            {
                Learned::Undecided
            } else if self.is_better(phase, rules.usual.better_ratio) {
                Learned::Better
            } else {
                Learned::Usual
            }
        })
    }

    fn is_better(&self, phase: Phase, ratio: f64) -> bool {
        let (Some(reading), Some(centre)) = (self.readings.of[phase as usize], self.usuals.centre(phase)) else {
            return false;
        };
        match phase {
            Phase::Throughput => phase::thousandths(reading.p50) >= ratio * centre && centre > 0.0,
            _ => phase::thousandths(reading.p95) * ratio <= centre && centre > 0.0,
        }
    }
}

/// Windows that start before can be no evidence any more.
fn oldest(start: WindowStart, rules: &DiagnosisRules) -> WindowStart {
    WindowStart::from_ms(start.ms() - rules.evidence.within_ms())
}

/// Whether the newest windows show that a phase is slow; where it has been slow for some windows, less is enough.
fn is_slow_now(
    before: &PairState,
    phase: Phase,
    start: WindowStart,
    present: Option<PhaseEvidence>,
    rules: &DiagnosisRules,
    bridge: Bridge,
) -> bool {
    let (state, asked) = (&before.phases[phase as usize], &rules.evidence);
    if present.is_none_or(|present| present.slow == 0) && !state.is_slow {
        return false;
    }
    let oldest = oldest(start, rules);
    let few = state.earlier.with(present, asked.windows, oldest);
    let has_lasted = |slow: Stretch| slow.has_lasted(asked.keep_after_windows, start, bridge);
    let may_be_kept = state.is_slow && state.slow.is_some_and(has_lasted);
    if may_be_kept && share(&few) >= asked.keep_share && few.sum(|window| window.slow) > 0 {
        return true;
    }
    let all_show_it = |together: &Together<PhaseEvidence>, windows: u16| {
        together.windows().len() >= windows.into()
            && together.windows().iter().all(|window| window.slow > 0)
            && together.sum(|window| window.slow) >= asked.least_samples
    };
    let are_beyond = few.sum(|window| window.beyond_history) >= asked.least_samples;
    if present.is_some() && are_beyond && all_show_it(&few, asked.windows) && share(&few) >= asked.share {
        return true;
    }
    let more = state.earlier.with(present, asked.more_windows, oldest);
    present.is_some() && all_show_it(&more, asked.more_windows) && share(&more) >= asked.more_share
}

fn share(together: &Together<PhaseEvidence>) -> f64 {
    let (slow, samples) = (together.sum(|window| window.slow), together.sum(|window| window.samples));
    f64::from(slow) / f64::from(samples.max(1))
}

fn is_failing_now(
    before: &PairState,
    together: &Together<Failures>,
    start: WindowStart,
    rules: &DiagnosisRules,
    bridge: Bridge,
) -> bool {
    let (failed, total) = (together.sum(Failures::failed), together.sum(|window| window.total));
    let share = f64::from(failed) / f64::from(total.max(1));
    let asked = &rules.error_bound;
    if failed >= asked.least_failures && share >= asked.share {
        return true;
    }
    before.is_failing
        && failed > 0
        && share >= asked.keep_share
        && before.failing.is_some_and(|failing| failing.has_lasted(rules.evidence.keep_after_windows, start, bridge))
}
