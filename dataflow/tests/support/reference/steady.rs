//! The steady rules as docs/diagnoses.md says them, whose sentences the comments cite. Everything is kept in plain lists,
//! and whatever can be is computed anew for each window. Only the rules' values come from the rules file.

use netqoe_model::{
    Centre, Condition, Diagnosis, Evidence, Label, Metric, PhaseRule, Rules, Severity, Spread, UsualRange, WindowRow,
    WindowStart,
};

use super::stretches::{self, Members};
use super::{Judged, Usual, error_bound, runs};

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

#[derive(Default)]
struct Phase {
    /// The figures of all windows that entered since the history was emptied, as they are kept.
    history: Vec<u64>,
    /// The figure of the window that the next one decides.
    undecided: Option<u64>,
    /// Of all windows with samples since the evidence was forgotten.
    evidence: Vec<PhaseWindow>,
    /// The pair's windows since the phase last became the new normal, and whether the phase was called slow in them.
    called: Members,
    /// "Windows that entered, one after the other", each clearly better than usual.
    better: usize,
}

/// What a window says of one phase.
#[derive(Clone)]
struct PhaseWindow {
    start: WindowStart,
    samples: u32,
    slow: u32,
    beyond: u32,
    slow_for_sure: u32,
    middle: u64,
    share_of_total: Option<f64>,
}

/// The usual value, the spreads below and above it, and what samples lie beyond that are "beyond the history".
#[derive(Clone, Copy)]
struct UsualValue {
    value: f64,
    below: f64,
    above: f64,
    beyond_below: f64,
    beyond_above: f64,
}

impl UsualValue {
    fn range(self) -> UsualRange {
        UsualRange { centre: self.value, low: self.value - self.below, high: self.value + self.above }
    }
}

/// "A p50 and a p95: `dns`, `handshake` (p50 of TCP plus p50 of TLS, and so the p95; where one is missing, the other
/// alone), `ttfb` and `throughput`."
fn percentiles(row: &WindowRow, phase: usize) -> Option<[u64; 2]> {
    let of = |metric: Metric| row.percentiles[metric as usize].map(|p| [p.p50, p.p95]);
    match phase {
        DNS => of(Metric::Dns),
        HANDSHAKE => match (of(Metric::Tcp), of(Metric::Tls)) {
            (Some(tcp), Some(tls)) => Some([tcp[0] + tls[0], tcp[1] + tls[1]]),
            (tcp, tls) => tcp.or(tls),
        },
        TTFB => of(Metric::Ttfb),
        _ => of(Metric::Throughput),
    }
}

/// "Of two samples what lies between them, rounded up to whole microseconds or kbit/s, else the p50."
fn middle(row: &WindowRow, phase: usize) -> Option<u64> {
    let [p50, p95] = percentiles(row, phase)?;
    Some(if row.count_success == 2 { (p50 + p95).div_ceil(2) } else { p50 })
}

/// "Its p50; of two samples the p95 where a third of that start, rounded down, is even."
fn history_figure(row: &WindowRow, [p50, p95]: [u64; 2], rules: &Rules) -> u64 {
    let third = row.start.ms() / rules.window_ms / i64::from(rules.diagnosis.usual.every_windows);
    let is_even = third % 2 == 0;
    if row.count_success == 2 && is_even { p95 } else { p50 }
}

/// "Figures below 2,048 are kept as they are, others are rounded half up to 11 significant binary digits."
fn as_kept(figure: u64) -> u64 {
    let mut unit = 1;
    while figure / unit >= 2048 {
        unit *= 2;
    }
    (figure + unit / 2) / unit * unit
}

/// "The ⌈0.9·n⌉th of n from below", from 1.
fn rank(share: f64, n: usize) -> usize {
    (share * n as f64).ceil() as usize
}

impl Phase {
    /// "One figure of each of its last 60 windows that were not left out"; "a phase is judged once its history has ten".
    fn usual(&self, rules: &Rules) -> Option<UsualValue> {
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
    fn evidence_at(&self, start: WindowStart, windows: u16, rules: &Rules) -> Vec<PhaseWindow> {
        let within_ms = i64::from(rules.diagnosis.evidence.within_minutes) * 60_000;
        let present = self.evidence.last().filter(|window| window.start == start);
        let earlier = self.evidence.iter().rev().skip(present.iter().count()).take(usize::from(windows) - 1);
        let near = earlier.filter(|window| start.ms() - window.start.ms() <= within_ms);
        present.into_iter().chain(near).cloned().collect()
    }

    /// "There are so many windows, each has a slow sample, at least three samples of all are slow, and they are 80 % of them";
    /// "the present window has samples".
    fn is_named_by(&self, start: WindowStart, windows: u16, share: f64, rules: &Rules) -> bool {
        let evidence = self.evidence_at(start, windows, rules);
        let slow: u32 = evidence.iter().map(|window| window.slow).sum();
        let samples: u32 = evidence.iter().map(|window| window.samples).sum();
        evidence.iter().any(|window| window.start == start)
            && evidence.len() == usize::from(windows)
            && evidence.iter().all(|window| window.slow > 0)
            && slow >= rules.diagnosis.evidence.least_samples
            && f64::from(slow) / f64::from(samples) >= share
    }

    /// "Any sample of the two windows is slow, and these are half of the samples."
    fn may_be_kept(&self, start: WindowStart, rules: &Rules) -> bool {
        let evidence = self.evidence_at(start, rules.diagnosis.evidence.windows, rules);
        let slow: u32 = evidence.iter().map(|window| window.slow).sum();
        let samples: u32 = evidence.iter().map(|window| window.samples).sum();
        slow > 0 && f64::from(slow) / f64::from(samples) >= rules.diagnosis.evidence.keep_share
    }

    /// Whether it is "called slow" in the pair's window that starts then, "by any of these".
    fn is_called_slow_at(&self, start: WindowStart, rules: &Rules, turns: &mut Turns) -> bool {
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

    /// Since when the phase has been called slow; none where the stretch was interrupted.
    fn slow_since(&self, rules: &Rules) -> Option<WindowStart> {
        let newest = self.called.len() - 1;
        let last = self.called.iter().rposition(|(_, was)| *was)?;
        // A gap that a window has ended stays one, though later windows are not looked at here: they are too late as well.
        let goes_on = last == newest || (last + 1..=newest).all(|at| stretches::joins(&self.called, last, at, rules));
        goes_on.then(|| stretches::since(&self.called, last, rules).0)
    }
}

/// "That stretch", to which the newest of these windows belongs, "began at least two window lengths before the present".
fn is_old_enough(before: &[(WindowStart, bool)], start: WindowStart, rules: &Rules) -> bool {
    let since = stretches::since(before, before.len() - 1, rules).0;
    start.ms() - since.ms() >= i64::from(rules.diagnosis.evidence.keep_after_windows) * rules.window_ms
}

/// Whether the p50 (0) or the p95 (1) of a phase is slow.
fn is_slow(row: &WindowRow, phase: usize, percentile: usize, usual: &[Option<UsualValue>; 4], rules: &Rules) -> bool {
    let figure_of = |phase: usize| percentiles(row, phase).map(|both| in_ms(both[percentile]));
    let (Some(figure), Some(own)) = (figure_of(phase), usual[phase]) else { return false };
    let rule = rule_of(phase, rules);
    // "The total is the sum of the three latencies at the same percentile; what is missing counts as 0."
    let total: f64 = LATENCIES.into_iter().map(|phase| figure_of(phase).unwrap_or(0.0)).sum();
    // "By what it is more than the sum of the usual values of the three, as far as they are judged."
    let usual_total: f64 = LATENCIES.into_iter().filter_map(|phase| usual[phase]).map(|usual| usual.value).sum();
    let holds = |condition: &Condition| {
        if phase == THROUGHPUT {
            condition.ratio.is_none_or(|ratio| own.value > 0.0 && figure <= ratio * own.value)
                && condition.spreads.is_none_or(|spreads| takes_longer(figure, own, spreads))
        } else {
            let can_be_times = if phase == DNS { figure > 0.0 } else { own.value > 0.0 };
            condition.ratio.is_none_or(|ratio| can_be_times && figure >= ratio * own.value)
                && condition.extra_ms.is_none_or(|extra| figure >= own.value + extra)
                && condition.spreads.is_none_or(|spreads| figure > own.value + spreads * own.above)
                && condition.share_of_total.is_none_or(|share| figure >= share * total)
                && condition.share_of_extra.is_none_or(|share| figure - own.value >= share * (total - usual_total))
        }
    };
    // "What the handshake is more than its own (if it is, and has a usual value)."
    let handshake = figure_of(HANDSHAKE).zip(usual[HANDSHAKE]);
    let more_handshake = handshake.map(|(handshake, usual)| handshake - usual.value).filter(|more| *more > 0.0);
    let beyond = |times: f64| more_handshake.is_none_or(|more| figure - own.value > times * more);
    let near = |spreads: f64| handshake.is_some_and(|(figure, usual)| figure <= usual.value + spreads * usual.above);
    rule.when.iter().any(holds) && rule.beyond_handshake.is_none_or(beyond) && rule.handshake_spreads.is_none_or(near)
}

/// "With f(x) = 1/x, f(figure) > f(usual value) + 1.5 · (f(usual low) − f(usual value))."
fn takes_longer(figure: f64, own: UsualValue, spreads: f64) -> bool {
    let low = own.value - own.below;
    figure.recip() > own.value.recip() + spreads * (low.recip() - own.value.recip())
}

fn rule_of(phase: usize, rules: &Rules) -> &PhaseRule {
    let rules = &rules.diagnosis;
    [&rules.dns_bound, &rules.handshake_bound, &rules.server_bound, &rules.throughput_bound][phase]
}

/// "Greater than the 97 % quantile of the phase's history (of throughput, smaller than the mirrored one)."
fn is_beyond(figure: u64, phase: usize, usual: &[Option<UsualValue>; 4]) -> bool {
    usual[phase].is_some_and(|own| {
        if phase == THROUGHPUT { in_ms(figure) < own.beyond_below } else { in_ms(figure) > own.beyond_above }
    })
}

/// "With two samples each is known and counts for itself. Otherwise all samples of the window count where the p50 is; else,
/// where the p95 is, an eighth of them, rounded down, and at least one."
fn counted(n: u32, p50: bool, p95: bool) -> u32 {
    match (n, p50, p95) {
        (2, ..) => u32::from(p50) + u32::from(p95),
        (_, true, _) => n,
        (_, _, true) => (n / 8).max(1),
        _ => 0,
    }
}

fn phase_window(row: &WindowRow, phase: usize, usual: &[Option<UsualValue>; 4], rules: &Rules) -> Option<PhaseWindow> {
    let middle_here = middle(row, phase)?;
    let n = row.count_success;
    let p50 = is_slow(row, phase, 0, usual, rules);
    let p95 = is_slow(row, phase, 1, usual, rules);
    let slow = counted(n, p50, p95);
    let [p50_figure, p95_figure] = percentiles(row, phase)?;
    let beyond = counted(n, p50 && is_beyond(p50_figure, phase, usual), p95 && is_beyond(p95_figure, phase, usual));
    let half = n.div_ceil(2);
    let nearly_all = rank(0.95, n as usize) as u32;
    let slow_for_sure = match (p50, p95) {
        (false, false) => 0,
        // "Two samples are both known."
        _ if n == 2 => u32::from(p50) + u32::from(p95),
        // "Of throughput, which is slow downwards: ⌈0.95·n⌉ where the p95 is slow, ⌈n/2⌉ where only the p50 is."
        (_, true) if phase == THROUGHPUT => nearly_all,
        _ if phase == THROUGHPUT => half,
        // "n − ⌈n/2⌉ + 1 where the p50 is slow, n − ⌈0.95·n⌉ + 1 where only the p95 is."
        (true, _) => n - half + 1,
        _ => n - nearly_all + 1,
    };
    // "What `observed` is of the sum of all latencies' middles in the window; none for throughput."
    let total: f64 = LATENCIES.into_iter().filter_map(|phase| middle(row, phase)).map(in_ms).sum();
    let share_of_total = (phase != THROUGHPUT && total > 0.0).then(|| in_ms(middle_here) / total);
    Some(PhaseWindow { start: row.start, samples: n, slow, beyond, slow_for_sure, middle: middle_here, share_of_total })
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
            let is_better = !is_undecided
                && usual[phase].is_some_and(|usual| {
                    let better = match phase {
                        THROUGHPUT => in_ms(p50) >= ratio * usual.value,
                        _ => in_ms(p95) * ratio <= usual.value,
                    };
                    usual.value > 0.0 && better
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
            if leave_out && (all_slow[phase] || (is_over_path && all_slow[HANDSHAKE])) {
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
