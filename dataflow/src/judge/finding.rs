//! The severity and the evidence of what was found.

use netqoe_model::{DiagnosisRules, Evidence, Label, Severity, Spread, from_thousandths};

use super::PairState;
use super::evidence::{Failures, PhaseEvidence};
use super::phase::{Compared, Figures, Phase};
use super::seen::{Seen, oldest};
use super::severity::{of_failures, of_latency, of_throughput};

impl Seen<'_> {
    /// What stands behind a label, as if its run began with this window; nothing behind healthy.
    pub(super) fn finding(
        &self,
        label: Label,
        before: &PairState,
        rules: &DiagnosisRules,
    ) -> Option<Box<(Severity, Evidence)>> {
        match Phase::NAMED.into_iter().find(|phase| phase.label() == label) {
            Some(phase) => self.slow_phase(phase, before, rules).map(Box::new),
            None if label == Label::ErrorBound => Some(Box::new(self.failing(rules))),
            None => None,
        }
    }

    fn failing(&self, rules: &DiagnosisRules) -> (Severity, Evidence) {
        let mut all = Failures::default();
        for window in self.failures.windows() {
            all.total = all.total.saturating_add(window.total);
            all.by_stage.iter_mut().zip(window.by_stage).for_each(|(sum, failed)| *sum = sum.saturating_add(failed));
        }
        let share = f64::from(all.failed()) / f64::from(all.total.max(1));
        let evidence = Evidence {
            stage: all.stage().as_str(),
            observed: share,
            usual: None,
            sigmas: None,
            share_of_total: None,
            samples: all.total,
            bad_samples: all.failed(),
            windows: self.failures.windows().len() as u32,
            since: self.start,
        };
        (of_failures(share, &rules.severity), evidence)
    }

    fn slow_phase(&self, phase: Phase, before: &PairState, rules: &DiagnosisRules) -> Option<(Severity, Evidence)> {
        let usual = self.usuals.usual(phase, rules)?;
        let present = self.evidence[phase as usize];
        let earlier = &before.phases[phase as usize].earlier;
        let together = earlier.with(present, rules.evidence.windows, oldest(self.start, rules));
        let newest_slow = together.windows().iter().find(|window| window.slow > 0)?;
        let is_present = present.is_some_and(|present| present.start == newest_slow.start);
        let figures = self.middles().filter(|_| is_present);
        let observed = figures.and_then(|figures| figures.get(phase)).unwrap_or(from_thousandths(newest_slow.middle));
        let is_throughput = phase == Phase::Throughput;
        let severity = if is_throughput {
            of_throughput(observed, usual.centre, &rules.severity)
        } else {
            of_latency(observed, usual.centre, &rules.severity)
        };
        let evidence = Evidence {
            stage: phase.stage(),
            observed,
            usual: Some(usual.range()),
            sigmas: (rules.usual.spread == Spread::Deviation && usual.above > 0.0)
                .then(|| (observed - usual.centre) / usual.above),
            share_of_total: figures
                .filter(|figures| !is_throughput && figures.total > 0.0)
                .map(|figures| observed / figures.total),
            samples: together.sum(|window| window.samples),
            bad_samples: together.sum(|window: &PhaseEvidence| window.slow_at_least),
            windows: together.windows().len() as u32,
            since: self.start,
        };
        Some((severity, evidence))
    }

    /// One figure of each phase, to show.
    fn middles(&self) -> Option<Figures> {
        match self.compared? {
            Compared::One(figures) => Some(figures),
            Compared::Two { .. } => Some(Figures::of(&self.readings, |reading| reading.middle(self.readings.samples))),
        }
    }
}
