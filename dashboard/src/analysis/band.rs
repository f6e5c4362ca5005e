//! What was usual before each window: the baseline that it was judged by. It comes from the dataflow's own arithmetic,
//! so that a chart can't differ from a diagnosis.

use std::rc::Rc;

use netqoe_dataflow::baseline::{Baseline, PairWindow, PastWindow, Usual, baselines};
use netqoe_model::{DiagnosisRules, WindowRow};
use serde::Serialize;
use utoipa::ToSchema;

/// The baseline of each window, as far as it was judged by one. `windows` are those of one pair from `from_ms` on and
/// the earlier ones that a baseline can reach, in the order of their starts; the earlier ones get none.
pub(crate) fn judged_by(windows: Vec<WindowRow>, from_ms: i64, rules: &DiagnosisRules) -> Vec<(Rc<WindowRow>, Band)> {
    let windows: Vec<_> = windows.into_iter().map(Rc::new).collect();
    let pair_windows: Vec<_> = windows.iter().map(|row| PairWindow::current(Rc::clone(row))).collect();
    let mut rows = windows.iter();
    let mut judged = Vec::new();
    baselines(pair_windows.iter(), rules, |_, baseline| {
        // They come one for one, and in the same order.
        if let Some(row) = rows.next().filter(|row| row.start.ms() >= from_ms) {
            judged.push((Rc::clone(row), Band::of(row, baseline.as_ref(), rules)));
        }
    });
    judged
}

/// Mean and σ of each feature, where there is enough to compare a window with.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Band {
    pub(crate) dns: Option<MeanSigma>,
    pub(crate) handshake: Option<MeanSigma>,
    pub(crate) ttfb: Option<MeanSigma>,
    pub(crate) total: Option<MeanSigma>,
    pub(crate) throughput: Option<MeanSigma>,
}

/// Of one feature: ms, Mbit/s for throughput.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct MeanSigma {
    pub(crate) mean: f64,
    pub(crate) sigma: f64,
}

impl From<Usual> for MeanSigma {
    fn from(usual: Usual) -> Self {
        Self { mean: usual.mean.get(), sigma: usual.sigma.get() }
    }
}

impl Band {
    fn of(row: &WindowRow, baseline: Option<&Baseline>, rules: &DiagnosisRules) -> Self {
        let is_enough = |windows: usize| windows >= rules.min_baseline_windows;
        // A window without a success is not compared with anything.
        let Some(baseline) = baseline.filter(|baseline| is_enough(baseline.windows) && PastWindow::of(row).is_some())
        else {
            return Self::default();
        };
        Self {
            dns: Some(baseline.dns.into()),
            handshake: Some(baseline.handshake.into()),
            ttfb: Some(baseline.ttfb.into()),
            total: Some(baseline.total.into()),
            throughput: baseline.throughput.filter(|_| is_enough(baseline.throughput_windows)).map(MeanSigma::from),
        }
    }
}

/// A feature's mean and σ for each point; null where there was too little to compare with.
#[derive(Debug, Default, Serialize, ToSchema)]
pub(crate) struct UsualColumns {
    mean: Vec<Option<f64>>,
    sigma: Vec<Option<f64>>,
}

impl UsualColumns {
    pub(crate) fn push(&mut self, usual: Option<MeanSigma>) {
        self.mean.push(usual.map(|usual| usual.mean));
        self.sigma.push(usual.map(|usual| usual.sigma));
    }
}
