//! Whether a phase of a window is slower than usual, and how many of its samples show it.
//!
//! Decision: D-055.

use netqoe_model::{Condition, DiagnosisRules, PhaseRule};

use super::history::Usuals;
use super::phase::{Compared, Figures, Phase};

/// What the samples of a window say of one phase.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Slow {
    /// As the rules count them: all, where the middle one is slow.
    pub(super) counted: u32,
    /// How many are slow for sure, since a percentile says how many lie on its far side.
    pub(super) at_least: u32,
    /// Of those counted, how many are slower than nearly all that the history knows.
    pub(super) beyond_history: u32,
}

/// What a window's `samples` say of a phase.
pub(super) fn slow(
    phase: Phase,
    compared: &Compared,
    samples: u32,
    usuals: &Usuals<'_>,
    rules: &DiagnosisRules,
) -> Slow {
    let is_slow = |figures: &Figures| is_slow(phase, figures, usuals, rules);
    let beyond = |q: f64| {
        let rank = (q * f64::from(samples)).ceil() as u32;
        if phase == Phase::Throughput { rank } else { samples - rank + 1 }
    };
    match compared {
        Compared::One(figures) if is_slow(figures) => {
            let q = if phase == Phase::Throughput { 0.50 } else { 0.95 };
            Slow { counted: samples, at_least: beyond(q), beyond_history: samples }
        }
        Compared::One(_) => Slow::default(),
        Compared::Two { p50, p95 } => {
            let (middle, far) = (is_slow(p50), is_slow(p95));
            if !middle && !far {
                return Slow::default();
            }
            let at_least = match phase {
                Phase::Throughput if far => beyond(0.95),
                _ if middle => beyond(0.50),
                _ => beyond(0.95),
            };
            let count = |middle: bool, far: bool| match (samples, middle, far) {
                // Both are known, and are counted for themselves.
                (2, _, _) => u32::from(middle) + u32::from(far),
                (_, true, _) => samples,
                (_, false, true) => (samples / SHARE_BEYOND_P95).max(1),
                _ => 0,
            };
            let counted = count(middle, far);
            let quantile = rules.evidence.beyond_quantile;
            let is_beyond = |is_slow: bool, figures: &Figures| {
                is_slow && figures.get(phase).is_some_and(|figure| usuals.is_beyond(phase, figure, quantile))
            };
            Slow {
                counted,
                at_least: if samples == 2 { counted } else { at_least },
                beyond_history: count(is_beyond(middle, p50), is_beyond(far, p95)),
            }
        }
    }
}

/// Where only the p95 is slow, one of this many samples counts as slow: a little more than lie beyond it for sure.
const SHARE_BEYOND_P95: u32 = 8;

fn rule(phase: Phase, rules: &DiagnosisRules) -> Option<&PhaseRule> {
    match phase {
        Phase::Dns => Some(&rules.dns_bound),
        Phase::Handshake => Some(&rules.handshake_bound),
        Phase::Ttfb => Some(&rules.server_bound),
        Phase::Throughput => Some(&rules.throughput_bound),
        Phase::Total => None,
    }
}

fn is_slow(phase: Phase, figures: &Figures, usuals: &Usuals<'_>, rules: &DiagnosisRules) -> bool {
    let (Some(value), Some(centre), Some(rule)) = (figures.get(phase), usuals.centre(phase), rule(phase, rules)) else {
        return false;
    };
    let at = At { phase, value, centre, figures, usuals, rules };
    rule.when.iter().any(|condition| at.meets(condition)) && at.allows(rule)
}

/// A figure beside what is usual.
struct At<'a> {
    phase: Phase,
    value: f64,
    centre: f64,
    figures: &'a Figures,
    usuals: &'a Usuals<'a>,
    rules: &'a DiagnosisRules,
}

impl At<'_> {
    /// Whether all that the condition says holds. Spreads come last: they cost most, and few figures get so far.
    fn meets(&self, condition: &Condition) -> bool {
        let Condition { ratio, extra_ms, spreads, share_of_total, share_of_extra } = condition;
        ratio.is_none_or(|ratio| self.reaches(ratio))
            && extra_ms.is_none_or(|extra| self.value >= self.centre + extra)
            && share_of_total.is_none_or(|share| self.value >= share * self.figures.total)
            && share_of_extra.is_none_or(|share| self.value - self.centre >= share * self.extra_total())
            && spreads.is_none_or(|spreads| self.is_beyond(spreads))
    }

    fn reaches(&self, ratio: f64) -> bool {
        match self.phase {
            Phase::Throughput => self.centre > 0.0 && self.value <= ratio * self.centre,
            // A name that was cached takes no time, and that can be usual. Nothing else can.
            Phase::Dns => self.value > 0.0 && self.value >= ratio * self.centre,
            _ => self.centre > 0.0 && self.value >= ratio * self.centre,
        }
    }

    fn is_beyond(&self, spreads: f64) -> bool {
        let Some(usual) = self.usuals.usual(self.phase, self.rules) else { return false };
        match self.phase {
            // By the time that a megabit takes: it can be many times the usual, where a rate can't fall below nothing.
            Phase::Throughput => {
                let low = usual.centre - usual.below;
                let [time, centre, slowest] = [self.value, usual.centre, low].map(f64::recip);
                low > 0.0 && time > centre + spreads * (slowest - centre)
            }
            _ => self.value > usual.centre + spreads * usual.above,
        }
    }

    /// What the total is more than the centres of its phases.
    fn extra_total(&self) -> f64 {
        let usual: f64 = Phase::LATENCIES.iter().filter_map(|&phase| self.usuals.centre(phase)).sum();
        self.figures.total - usual
    }

    /// Whether what else the rule asks holds.
    fn allows(&self, rule: &PhaseRule) -> bool {
        rule.beyond_handshake.is_none_or(|times| self.is_beyond_the_handshake(times))
            && rule.handshake_spreads.is_none_or(|spreads| self.is_within(Phase::Handshake, spreads))
            && rule.total_spreads.is_none_or(|spreads| self.is_within(Phase::Total, spreads))
    }

    fn is_beyond_the_handshake(&self, times: f64) -> bool {
        let handshake = self.figures.get(Phase::Handshake).zip(self.usuals.centre(Phase::Handshake));
        let longer_way = handshake.map_or(0.0, |(value, centre)| value - centre).max(0.0);
        self.value - self.centre > times * longer_way
    }

    fn is_within(&self, phase: Phase, spreads: f64) -> bool {
        let value_and_usual = self.figures.get(phase).zip(self.usuals.usual(phase, self.rules));
        value_and_usual.is_some_and(|(value, usual)| value <= usual.centre + spreads * usual.above)
    }
}
