//! All that a window shows beside its pair's past: what is slow, what fails, what is to be learned of it.

use netqoe_model::{Diagnosis, DiagnosisRules, Figure, Label, Standing, WindowRow, WindowStart, from_thousandths};

use super::PairState;
use super::evidence::{Failures, PhaseEvidence, Together};
use super::history::Usuals;
use super::phase::{Compared, NAMED, Phase, Readings};
use super::phase_state::Learned;
use super::run::{Bridge, Stretch};
use super::slow::{self, Slow};

/// All that a window shows, beside what was before it.
pub(super) struct Seen<'a> {
    pub(super) start: WindowStart,
    pub(super) readings: Readings,
    pub(super) compared: Option<Compared>,
    pub(super) usuals: Usuals<'a>,
    /// Of the phases that it has samples of.
    pub(super) evidence: [Option<PhaseEvidence>; NAMED],
    is_slow: [bool; NAMED],
    pub(super) failures: Together<Failures>,
    is_failing: bool,
}

/// What is taken in of a window.
pub(super) struct Found {
    pub(super) diagnosis: Option<Diagnosis>,
    pub(super) standing: Standing,
    pub(super) evidence: [Option<PhaseEvidence>; NAMED],
    pub(super) is_slow: [bool; NAMED],
    pub(super) is_failing: bool,
    /// What stands for the window in the histories.
    pub(super) figures: [Option<u64>; NAMED],
    pub(super) learned: [Learned; NAMED],
}

impl<'a> Seen<'a> {
    pub(super) fn of(row: &WindowRow, before: &'a PairState, rules: &DiagnosisRules, bridge: Bridge) -> Self {
        let readings = Readings::of(row);
        let compared = Compared::of(row, &readings, rules.usual.figure);
        let usuals = before.history.usuals(row.start, rules);
        let (mut evidence, mut is_slow) = ([None; NAMED], [false; NAMED]);
        for phase in Phase::NAMED {
            let index = phase as usize;
            let slow = compared
                .as_ref()
                .map_or_else(Slow::default, |compared| slow::slow(phase, compared, readings.samples, &usuals, rules));
            let middle = readings.of[index].map(|reading| reading.middle(readings.samples));
            evidence[index] = middle.map(|middle| PhaseEvidence::new(row.start, readings.samples, slow, middle));
            is_slow[index] = is_slow_now(before, phase, row.start, evidence[index], rules, bridge);
        }
        let failures =
            before.failures.with(Some(Failures::of(row)), rules.error_bound.windows, oldest(row.start, rules));
        let is_failing = is_failing_now(before, &failures, row.start, rules, bridge);
        Self { start: row.start, readings, compared, usuals, evidence, is_slow, failures, is_failing }
    }

    pub(super) fn diagnosis(&self, before: &PairState, rules: &DiagnosisRules) -> Option<Diagnosis> {
        self.label().map(|label| Diagnosis { label, finding: self.finding(label, before, rules) })
    }

    pub(super) fn found(&self, before: &PairState, rules: &DiagnosisRules, window_ms: i64) -> Found {
        let diagnosis = self.diagnosis(before, rules);
        let standing = self.standing(diagnosis.as_ref(), before, rules);
        let Self { evidence, is_slow, is_failing, .. } = *self;
        let turn = self.start.ms().div_euclid(window_ms).div_euclid(rules.usual.every_windows.into());
        let takes_greater = turn % 2 == 0;
        let figures = self.readings.of.map(|reading| Some(reading?.figure(self.readings.samples, takes_greater)));
        Found { diagnosis, standing, evidence, is_slow, is_failing, figures, learned: self.learned(rules) }
    }

    /// The first that holds. `None` if nothing could be compared.
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

    /// What the diagnosis comes to, and what the window shows beside it.
    pub(super) fn standing(
        &self,
        diagnosis: Option<&Diagnosis>,
        before: &PairState,
        rules: &DiagnosisRules,
    ) -> Standing {
        match diagnosis {
            Some(Diagnosis { label, finding: Some(finding) }) => Standing::Degraded(*label, finding.0),
            Some(Diagnosis { finding: None, .. }) => {
                self.suspected(before, rules).map_or(Standing::Healthy, Standing::Suspected)
            }
            None if self.most_fail(rules) => Standing::Unjudged,
            None => Standing::Working,
        }
    }

    fn most_fail(&self, rules: &DiagnosisRules) -> bool {
        let failures = self.failures.windows().first().copied().unwrap_or_default();
        let least = rules.error_bound.share * f64::from(failures.total);
        failures.failed() > 0 && f64::from(failures.failed()) >= least
    }

    /// The label that a healthy window is suspected of, the first that holds: most of its measurements fail, or the newest
    /// windows show a slow phase by fewer samples than a diagnosis asks. Only rules that count samples suspect anything.
    fn suspected(&self, before: &PairState, rules: &DiagnosisRules) -> Option<Label> {
        if rules.usual.figure != Figure::Samples {
            return None;
        }
        if self.most_fail(rules) {
            return Some(Label::ErrorBound);
        }
        let is_slow = |phase: &Phase| {
            let present = self.evidence[*phase as usize].filter(|present| present.slow > 0);
            present.is_some() && {
                let earlier = &before.phases[*phase as usize].earlier;
                let together = earlier.with(present, rules.evidence.windows, oldest(self.start, rules));
                all_are_slow(&together, rules.evidence.windows) && share(&together) >= rules.evidence.share
            }
        };
        Phase::NAMED.into_iter().find(is_slow).map(Phase::label)
    }

    /// Which figures make what is usual. A slow phase's do not; and a first byte and a transfer over a slow path are not
    /// what they usually are, however little that is.
    fn learned(&self, rules: &DiagnosisRules) -> [Learned; NAMED] {
        let is_slow = |phase: Phase| self.is_slow[phase as usize];
        let are_all = |phase: Phase| self.evidence[phase as usize].is_some_and(|window| window.slow == window.samples);
        Phase::NAMED.map(|phase| {
            let over_the_path = matches!(phase, Phase::Ttfb | Phase::Throughput);
            if rules.usual.leave_out_degraded && (is_slow(phase) || (over_the_path && is_slow(Phase::Handshake))) {
                Learned::LeftOut
            } else if rules.usual.leave_out_degraded && (are_all(phase) || (over_the_path && are_all(Phase::Handshake)))
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
            Phase::Throughput => from_thousandths(reading.p50) >= ratio * centre && centre > 0.0,
            _ => from_thousandths(reading.p95) * ratio <= centre && centre > 0.0,
        }
    }
}

/// Windows that start before can be no evidence any more.
pub(super) fn oldest(start: WindowStart, rules: &DiagnosisRules) -> WindowStart {
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
    let may_be_kept = state.is_slow && state.slow().is_some_and(has_lasted);
    if may_be_kept && share(&few) >= asked.keep_share && few.sum(|window| window.slow) > 0 {
        return true;
    }
    let all_show_it = |together: &Together<PhaseEvidence>, windows: u16| {
        all_are_slow(together, windows) && together.sum(|window| window.slow) >= asked.least_samples
    };
    let are_beyond = few.sum(|window| window.beyond_history) >= asked.least_samples;
    if present.is_some() && are_beyond && all_show_it(&few, asked.windows) && share(&few) >= asked.share {
        return true;
    }
    let more = state.earlier.with(present, asked.more_windows, oldest);
    present.is_some() && all_show_it(&more, asked.more_windows) && share(&more) >= asked.more_share
}

/// Whether there are so many windows, each of them with slow samples.
fn all_are_slow(together: &Together<PhaseEvidence>, windows: u16) -> bool {
    together.windows().len() >= windows.into() && together.windows().iter().all(|window| window.slow > 0)
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
        && before
            .lasting
            .failing()
            .is_some_and(|failing| failing.has_lasted(rules.evidence.keep_after_windows, start, bridge))
}
