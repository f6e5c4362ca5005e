//! The steady rules as docs/diagnoses.md says them, whose sentences the comments cite. Everything is kept in plain lists,
//! and whatever can be is computed anew for each window. Only the rules' values come from the rules file.

use netqoe_model::{Diagnosis, Evidence, Label, Rules, Severity, Spread, WindowRow, WindowStart};

use super::stretches::Members;
use super::{Judged, Usual, error_bound, runs};
use phase::{Phase, UsualValue, as_kept, is_old_enough};
use window::{PhaseWindow, history_figure, percentiles, phase_window};

mod phase;
mod window;

const DNS: usize = 0;
const HANDSHAKE: usize = 1;
const TTFB: usize = 2;
const THROUGHPUT: usize = 3;
const LATENCIES: [usize; 3] = [DNS, HANDSHAKE, TTFB];
const PHASES: [usize; 4] = [DNS, HANDSHAKE, TTFB, THROUGHPUT];
const LABELS: [Label; 4] = [Label::DnsBound, Label::HandshakeBound, Label::ServerBound, Label::ThroughputBound];
const STAGES: [&str; 4] = ["dns", "handshake", "ttfb", "throughput"];

/// "All figures are compared in milliseconds and Mbit/s, in binary floating point."
fn in_ms(figure: u64) -> f64 {
    figure as f64 / 1000.0
}

pub(crate) fn judged(windows: &[WindowRow], rules: &Rules) -> Vec<Judged> {
    judged_with_turns(windows, rules).0
}

/// How often something happened that a label alone does not show: tests want to know that it did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Turns {
    pub(crate) kept: usize,
    /// Not kept, only because the stretch began too late for that.
    pub(crate) too_young_to_keep: usize,
    pub(crate) named_by_more_windows_only: usize,
    /// Not named, only because too few samples are beyond the history.
    pub(crate) not_beyond: usize,
    pub(crate) failures_kept: usize,
    pub(crate) undecided_entered: usize,
    pub(crate) undecided_left_out: usize,
    pub(crate) new_normals: usize,
    pub(crate) better: usize,
    /// Whose turn it was not to enter.
    pub(crate) out_of_turn: usize,
    pub(crate) started_anew: usize,
    pub(crate) runs_over_silence: usize,
}

impl std::ops::AddAssign for Turns {
    fn add_assign(&mut self, other: Self) {
        self.kept += other.kept;
        self.too_young_to_keep += other.too_young_to_keep;
        self.named_by_more_windows_only += other.named_by_more_windows_only;
        self.not_beyond += other.not_beyond;
        self.failures_kept += other.failures_kept;
        self.undecided_entered += other.undecided_entered;
        self.undecided_left_out += other.undecided_left_out;
        self.new_normals += other.new_normals;
        self.better += other.better;
        self.out_of_turn += other.out_of_turn;
        self.started_anew += other.started_anew;
        self.runs_over_silence += other.runs_over_silence;
    }
}

pub(crate) fn judged_with_turns(windows: &[WindowRow], rules: &Rules) -> (Vec<Judged>, Turns) {
    let mut pair = Pair::default();
    (windows.iter().map(|row| pair.judge(row, rules)).collect(), pair.turns)
}

pub(crate) fn usual_before(start: WindowStart, windows: &[WindowRow], rules: &Rules) -> Usual {
    let mut pair = Pair::default();
    windows.iter().for_each(|row| drop(pair.judge(row, rules)));
    pair.start_anew_where_silent(start, rules);
    let of = |phase: usize| pair.phases[phase].usual(rules).map(|usual| usual.range());
    [of(DNS), of(HANDSHAKE), of(TTFB), None, of(THROUGHPUT)]
}

/// What a pair's windows so far have led to.
#[derive(Default)]
struct Pair {
    windows: Vec<WindowRow>,
    labels: Vec<(WindowStart, Option<Label>)>,
    phases: [Phase; 4],
    turns: Turns,
}

impl Pair {
    fn judge(&mut self, row: &WindowRow, rules: &Rules) -> Judged {
        self.start_anew_where_silent(row.start, rules);
        let usual = [0, 1, 2, 3].map(|phase: usize| self.phases[phase].usual(rules));
        let here = PHASES.map(|phase| phase_window(row, phase, &usual, rules));
        self.windows.push(row.clone());
        for (phase, here) in self.phases.iter_mut().zip(&here) {
            phase.evidence.extend(here.clone());
            let is_called_slow = phase.is_called_slow_at(row.start, rules, &mut self.turns);
            phase.called.push((row.start, is_called_slow));
        }
        let label = self.label(row, &usual, rules);
        self.labels.push((row.start, label));
        let finding = label.and_then(|label| self.finding(row, label, &usual, rules)).map(Box::new);
        let over_silence = label.is_some_and(|label| runs::since_of_newest(&self.labels, label, rules).1);
        self.turns.runs_over_silence += usize::from(over_silence && finding.is_some());
        self.take_in(row, &here, &usual, rules);
        Judged {
            diagnosis: label.map(|label| Diagnosis { label, finding }),
            suspected: self.suspected(row, label, rules),
            ended_runs: runs::ended(&self.labels, rules),
        }
    }

    /// "A pair that has no window for more than 24 hours starts anew, as if it had never been measured."
    fn start_anew_where_silent(&mut self, start: WindowStart, rules: &Rules) {
        let reach_ms = i64::from(rules.diagnosis.usual.reach_hours) * 3_600_000;
        if self.windows.last().is_some_and(|newest| start.ms() - newest.start.ms() > reach_ms) {
            let turns = self.turns;
            *self = Self { turns, ..Self::default() };
            self.turns.started_anew += 1;
        }
    }

    /// "Of the two windows (any window of the pair is one)."
    fn error_evidence(&self, start: WindowStart, rules: &Rules) -> Vec<&WindowRow> {
        let within_ms = i64::from(rules.diagnosis.evidence.within_minutes) * 60_000;
        let newest = self.windows.iter().rev().take(rules.diagnosis.error_bound.windows.into());
        newest.filter(|row| start.ms() - row.start.ms() <= within_ms).collect()
    }

    fn is_error_bound(&mut self, start: WindowStart, rules: &Rules) -> bool {
        let evidence = self.error_evidence(start, rules);
        let error_bound = &rules.diagnosis.error_bound;
        let failed: u32 = evidence.iter().flat_map(|row| row.errors).sum();
        let all = failed + evidence.iter().map(|row| row.count_success).sum::<u32>();
        let are_at_least = |share: f64| f64::from(failed) / f64::from(all) >= share;
        let is_new = failed >= error_bound.least_failures && are_at_least(error_bound.share);
        let before: Members =
            self.labels.iter().map(|(start, label)| (*start, *label == Some(Label::ErrorBound))).collect();
        let was = before.last().is_some_and(|(_, was)| *was);
        let is_kept = was && is_old_enough(&before, start, rules) && failed > 0 && are_at_least(error_bound.keep_share);
        self.turns.failures_kept += usize::from(!is_new && is_kept);
        is_new || is_kept
    }

    /// In the newest window.
    fn is_called_slow(&self, phase: usize) -> bool {
        self.phases[phase].called.last().is_some_and(|(_, is_slow)| *is_slow)
    }

    fn label(&mut self, row: &WindowRow, usual: &[Option<UsualValue>; 4], rules: &Rules) -> Option<Label> {
        if self.is_error_bound(row.start, rules) {
            return Some(Label::ErrorBound);
        }
        // "Else it has the label of the first phase that is called slow."
        if let Some(slow) = PHASES.into_iter().find(|phase| self.is_called_slow(*phase)) {
            return Some(LABELS[slow]);
        }
        // "Healthy where it has samples of at least one phase that is judged."
        let compared = |phase: usize| usual[phase].is_some() && percentiles(row, phase).is_some();
        PHASES.into_iter().any(compared).then_some(Label::Healthy)
    }

    /// "Most of its measurements fail, or the newest windows show a slow phase by fewer samples than a diagnosis asks."
    fn suspected(&self, row: &WindowRow, label: Option<Label>, rules: &Rules) -> Option<Label> {
        let failed: u32 = row.errors.iter().sum();
        let most_fail = f64::from(failed) >= rules.diagnosis.error_bound.share * f64::from(failed + row.count_success);
        if label != Some(Label::Healthy) {
            return None;
        }
        if failed > 0 && most_fail {
            return Some(Label::ErrorBound);
        }
        let evidence = &rules.diagnosis.evidence;
        let is_suspected =
            |phase: &usize| self.phases[*phase].is_shown_by(row.start, evidence.windows, evidence.share, rules);
        PHASES.into_iter().find(is_suspected).map(|phase| LABELS[phase])
    }

    fn finding(
        &self,
        row: &WindowRow,
        label: Label,
        usual: &[Option<UsualValue>; 4],
        rules: &Rules,
    ) -> Option<(Severity, Evidence)> {
        if label == Label::Healthy {
            return None;
        }
        let since = runs::since_of_newest(&self.labels, label, rules).0;
        if label == Label::ErrorBound {
            let evidence = error_bound::evidence(&self.error_evidence(row.start, rules), since);
            let failed = &rules.diagnosis.severity.failed;
            let share = evidence.observed;
            return Some((severity(share >= failed.major_share, share >= failed.critical_share), evidence));
        }
        let phase = LABELS.iter().position(|other| *other == label)?;
        let evidence = self.phases[phase].evidence_at(row.start, rules.diagnosis.evidence.windows, rules);
        // "The middle of the newest window of the evidence that has a slow sample."
        let shown = evidence.iter().filter(|window| window.slow > 0).max_by_key(|window| window.start)?;
        let (observed, own) = (in_ms(shown.middle), usual[phase]?);
        let deviations = rules.diagnosis.usual.spread == Spread::Deviation;
        let found = Evidence {
            stage: STAGES[phase],
            observed,
            usual: Some(own.range()),
            sigmas: (deviations && own.above > 0.0).then(|| (observed - own.value) / own.above),
            // "And where `observed` is an earlier window's."
            share_of_total: shown.share_of_total.filter(|_| shown.start == row.start),
            samples: evidence.iter().map(|window| window.samples).sum(),
            bad_samples: evidence.iter().map(|window| window.slow_for_sure).sum(),
            windows: evidence.len() as u32,
            since,
        };
        Some((phase_severity(phase, observed, own.value, rules), found))
    }

    /// What becomes usual "after it was judged".
    fn take_in(
        &mut self,
        row: &WindowRow,
        here: &[Option<PhaseWindow>; 4],
        usual: &[Option<UsualValue>; 4],
        rules: &Rules,
    ) {
        let leave_out = rules.diagnosis.usual.leave_out_degraded;
        let called_slow = PHASES.map(|phase| leave_out && self.is_called_slow(phase));
        let all_slow = PHASES.map(|phase| here[phase].as_ref().is_some_and(|window| window.slow == window.samples));
        for phase in PHASES {
            let Some([p50, p95]) = percentiles(row, phase) else { continue };
            let figure = as_kept(history_figure(row, [p50, p95], rules));
            let past = &mut self.phases[phase];
            let is_over_path = phase == TTFB || phase == THROUGHPUT;
            // "Left out is a window in which the phase is called slow. Where the handshake is, `ttfb` and `throughput`, too."
            if called_slow[phase] || (is_over_path && called_slow[HANDSHAKE]) {
                past.better = 0;
                // "Where that one is left out, the undecided is left out as well."
                self.turns.undecided_left_out += usize::from(past.undecided.take().is_some());
                let long_ms = i64::from(rules.diagnosis.usual.new_normal_after_hours) * 3_600_000;
                let since = past.slow_since(rules);
                if since.is_some_and(|since| row.start.ms() - since.ms() >= long_ms) {
                    // "The phase counts as not slow, its evidence and what is undecided of it are forgotten, and this window is
                    // the first of a new history."
                    *past = Phase { history: vec![figure], ..Phase::default() };
                    self.turns.new_normals += 1;
                }
                continue;
            }
            // "Else it enters the history just before the next one enters or becomes undecided itself."
            self.turns.undecided_entered += usize::from(past.undecided.is_some());
            past.history.extend(past.undecided.take());
            // "Latencies: p95 · 1.25 ≤ usual value; throughput: p50 ≥ 1.25 · usual value; the usual value must be above 0
            // and the phase be judged."
            let ratio = rules.diagnosis.usual.better_ratio;
            let is_undecided = leave_out && (all_slow[phase] || (is_over_path && all_slow[HANDSHAKE]));
            let is_better = usual[phase].is_some_and(|usual| {
                let better = match phase {
                    THROUGHPUT => in_ms(p50) >= ratio * usual.value,
                    _ => in_ms(p95) * ratio <= usual.value,
                };
                usual.value > 0.0 && better && !is_undecided
            });
            // "Once it is full, only every third window enters: one whose start, in window lengths since 1970, is divisible
            // by three; and any that is clearly better."
            let is_full = past.history.len() >= usize::from(rules.diagnosis.usual.windows);
            let start = row.start.ms() / rules.window_ms;
            if is_full && !is_better && start % i64::from(rules.diagnosis.usual.every_windows) != 0 {
                past.better = 0;
                self.turns.out_of_turn += 1;
                continue;
            }
            // "Of which all samples count as slow (for `ttfb` and `throughput`: of these phases, or of the handshake)."
            if is_undecided {
                past.better = 0;
                past.undecided = Some(figure);
                continue;
            }
            past.history.push(figure);
            past.better = if is_better { past.better + 1 } else { 0 };
            let wanted = usize::from(rules.diagnosis.usual.better_windows);
            if wanted > 0 && past.better == wanted {
                // "Only these ten stay in the history, and the count begins anew."
                past.history.drain(..past.history.len() - wanted);
                past.better = 0;
                self.turns.better += 1;
            }
        }
    }
}

fn phase_severity(phase: usize, observed: f64, usual: f64, rules: &Rules) -> Severity {
    let levels = &rules.diagnosis.severity;
    if phase == THROUGHPUT {
        // "At most half of the usual value, and below 5 Mbit/s."
        let [major, critical] = [&levels.throughput.major, &levels.throughput.critical].map(|level| {
            observed * level.ratio <= usual && level.below_mbps.is_none_or(|below_mbps| observed < below_mbps)
        });
        return severity(major, critical);
    }
    // "At least 2 times the usual value and at least 1,000 ms more."
    let [major, critical] = [&levels.latency.major, &levels.latency.critical]
        .map(|level| observed >= level.ratio * usual && observed >= usual + level.extra_ms);
    severity(major, critical)
}

fn severity(is_major: bool, is_critical: bool) -> Severity {
    match (is_major, is_critical) {
        (_, true) => Severity::Critical,
        (true, _) => Severity::Major,
        _ => Severity::Minor,
    }
}
