//! A pair's past, in the form that the rules ask for.

use std::cell::Cell;

use netqoe_model::{Centre, DiagnosisRules, Figure, Spread, WindowStart, from_thousandths};
use serde::{Deserialize, Serialize};

use super::by_phase::{Histories, PhaseHistory};
use super::phase::{NAMED, Phase};
use super::usual::Usual;
use super::whole::WholeWindows;

/// What later windows are compared with.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) enum History {
    /// Whole windows.
    Whole(WholeWindows),
    /// Each phase of its own, in the order of [`Phase::NAMED`].
    ByPhase(Histories),
}

impl History {
    pub(super) fn new(rules: &DiagnosisRules) -> Self {
        match rules.usual.figure {
            Figure::P95 => Self::Whole(WholeWindows::default()),
            Figure::Samples => Self::ByPhase(Histories::new()),
        }
    }

    /// The history of a phase of its own, where it has one.
    fn of(&self, phase: Phase) -> Option<PhaseHistory<'_>> {
        match self {
            Self::ByPhase(histories) if (phase as usize) < NAMED => Some(histories.of(phase as usize)),
            _ => None,
        }
    }

    /// What is usual before a window that starts then. Centres are there at once; spreads by phase are computed for
    /// the few figures that are beyond all else.
    pub(super) fn usuals(&self, start: WindowStart, rules: &DiagnosisRules) -> Usuals<'_> {
        match self {
            Self::Whole(windows) => {
                let usual = windows.usual(start, rules);
                Usuals {
                    history: self,
                    centres: usual.map(|usual| usual.map(|usual| usual.centre)),
                    usual: usual.map(Cell::new),
                }
            }
            Self::ByPhase(histories) => {
                let mut centres = [None; 5];
                for (centre, history) in centres.iter_mut().zip(histories.all()) {
                    *centre = centre_of(history, rules);
                }
                Usuals { history: self, centres, usual: Default::default() }
            }
        }
    }
}

fn centre_of(history: PhaseHistory<'_>, rules: &DiagnosisRules) -> Option<f64> {
    if history.len() < rules.usual.warm_up_windows.into() {
        return None;
    }
    match rules.usual.centre {
        Centre::Median => history.median().map(from_thousandths),
        Centre::Mean => Some(history.mean() / 1000.0),
    }
}

/// What is usual before one window.
pub(super) struct Usuals<'a> {
    history: &'a History,
    centres: [Option<f64>; 5],
    /// With spreads, as far as these were asked for.
    usual: [Cell<Option<Usual>>; 5],
}

impl Usuals<'_> {
    /// `None` if too little is known.
    pub(super) fn centre(&self, phase: Phase) -> Option<f64> {
        self.centres[phase as usize]
    }

    /// Whether a figure is above the quantile of a phase's own history, or below the mirrored one. So is every figure
    /// where phases have no history of their own.
    pub(super) fn is_beyond(&self, phase: Phase, figure: f64, quantile: f64) -> bool {
        let Some(history) = self.history.of(phase) else { return true };
        let is_inside = |known: u64| {
            let known = from_thousandths(known);
            if phase == Phase::Throughput { known > figure } else { known < figure }
        };
        quantile <= 0.0 || history.count(is_inside) >= history.rank(quantile)
    }

    /// The centre with its spreads.
    pub(super) fn usual(&self, phase: Phase, rules: &DiagnosisRules) -> Option<Usual> {
        let centre = self.centre(phase)?;
        let known = &self.usual[phase as usize];
        if known.get().is_some() {
            return known.get();
        }
        let history = self.history.of(phase)?;
        let (below, above) = match rules.usual.spread {
            Spread::Quantile => {
                let (low, high) = history.quantiles(rules.usual.spread_quantile);
                (centre - from_thousandths(low), from_thousandths(high) - centre)
            }
            Spread::Deviation => {
                let deviation = history.deviation(history.mean()) / 1000.0;
                (deviation, deviation)
            }
        };
        known.set(Some(Usual::new(centre, below, above, rules)));
        known.get()
    }
}
