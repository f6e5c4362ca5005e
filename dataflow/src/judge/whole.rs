//! A history of whole windows, exact, of which nothing is left out.
//!
//! The arithmetic is that of the reference: binary floating point in milliseconds, summed from the oldest window to
//! the newest, so that a value on a threshold falls on the same side everywhere.
//!
//! Decision: D-003.

use netqoe_model::{Centre, DiagnosisRules, Metric, Spread, WindowRow, WindowStart, from_thousandths};
use serde::{Deserialize, Serialize};

use super::phase::{Figures, Phase};
use super::usual::Usual;

/// What a history needs of a window with a success: whole microseconds, 0 if the metric had no samples; whole
/// kbit/s. Ordered by start first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct PastWindow {
    start: WindowStart,
    dns_p95: u64,
    tcp_p95: u64,
    tls_p95: u64,
    ttfb_p95: u64,
    throughput_p50: Option<u64>,
}

impl PastWindow {
    /// `None` if the window had no success.
    pub(super) fn of(row: &WindowRow) -> Option<Self> {
        let p95 = |metric| row.of(metric).map_or(0, |percentiles| percentiles.p95);
        (row.count_success > 0).then(|| Self {
            start: row.start,
            dns_p95: p95(Metric::Dns),
            tcp_p95: p95(Metric::Tcp),
            tls_p95: p95(Metric::Tls),
            ttfb_p95: p95(Metric::Ttfb),
            throughput_p50: row.of(Metric::Throughput).map(|percentiles| percentiles.p50),
        })
    }

    pub(super) fn figures(&self) -> Figures {
        let [dns, tcp, tls, ttfb] = [self.dns_p95, self.tcp_p95, self.tls_p95, self.ttfb_p95].map(from_thousandths);
        let of = [Some(dns), Some(tcp + tls), Some(ttfb), self.throughput_p50.map(from_thousandths)];
        // Not the sum of the three: where it is rounded, it must be as in the reference.
        Figures { of, total: dns + tcp + tls + ttfb }
    }
}

/// The latest windows with a success, oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct WholeWindows(Vec<PastWindow>);

impl WholeWindows {
    /// Adds a window, unless it had no success. With more than `most`, the oldest goes.
    pub(super) fn push(&mut self, row: &WindowRow, most: usize) {
        let Some(window) = PastWindow::of(row) else { return };
        if self.0.len() >= most {
            self.0.drain(..=self.0.len() - most);
        }
        self.0.push(window);
    }

    /// What is usual of each phase before a window: `None` if it reaches too few windows.
    pub(super) fn usual(&self, start: WindowStart, rules: &DiagnosisRules) -> [Option<Usual>; 5] {
        let oldest_ms = start.ms() - rules.usual.reach_ms();
        let reached = self.0.iter().filter(|window| window.start.ms() >= oldest_ms);
        let figures: Vec<Figures> = reached.map(PastWindow::figures).collect();
        let of = |phase| Self::usual_of(&figures, phase, rules);
        [Phase::Dns, Phase::Handshake, Phase::Ttfb, Phase::Throughput, Phase::Total].map(of)
    }

    fn usual_of(figures: &[Figures], phase: Phase, rules: &DiagnosisRules) -> Option<Usual> {
        let values: Vec<f64> = figures.iter().filter_map(|figures| figures.get(phase)).collect();
        if values.len() < rules.usual.warm_up_windows.into() {
            return None;
        }
        let n = values.len() as f64;
        let sorted = || {
            let mut sorted = values.clone();
            sorted.sort_unstable_by(f64::total_cmp);
            sorted
        };
        let centre = match rules.usual.centre {
            Centre::Mean => values.iter().sum::<f64>() / n,
            Centre::Median => sorted()[values.len() / 2],
        };
        let (below, above) = match rules.usual.spread {
            Spread::Deviation => {
                let variance = values.iter().map(|value| (value - centre) * (value - centre)).sum::<f64>() / n;
                (variance.sqrt(), variance.sqrt())
            }
            Spread::Quantile => {
                let sorted = sorted();
                let rank = ((rules.usual.spread_quantile * n).ceil() as usize).clamp(1, sorted.len());
                (centre - sorted[sorted.len() - rank], sorted[rank - 1] - centre)
            }
        };
        Some(Usual::new(centre, below, above, rules))
    }
}
