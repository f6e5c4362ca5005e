//! Every value of the shipped rules, by a window just on this side of it and one just on that: a value that changes fails.

mod classic;
mod steady;

use netqoe_dataflow::judge::{Judged, PairState};
use netqoe_model::{DiagnosisRules, Label, LogTime, Percentiles, Rules, Severity, UsualRange, WindowRow, WindowStart};

/// A window: its minute, its measurements that did not fail, how many failed, and p50 and p95 by metric, in microseconds.
#[derive(Clone, Copy)]
struct Window {
    minute: i64,
    samples: u32,
    failed: u32,
    figures: [(u64, u64); 5],
    /// The metric that none of its measurements has.
    without: Option<usize>,
}

impl Window {
    /// All samples are the same: dns, tcp, tls and ttfb in microseconds, throughput in kbit/s.
    const fn of(minute: i64, samples: u32, [dns, tcp, tls, ttfb, throughput]: [u64; 5]) -> Self {
        let figures = [(dns, dns), (tcp, tcp), (tls, tls), (ttfb, ttfb), (throughput, throughput)];
        Self { minute, samples, failed: 0, figures, without: None }
    }

    /// Of some measurements, so many fail; the others are as given.
    const fn failing(self, failed: u32) -> Self {
        Self { failed, samples: self.samples - failed, ..self }
    }

    /// Without samples of a metric.
    const fn without(self, metric: usize) -> Self {
        Self { without: Some(metric), ..self }
    }

    fn row(&self) -> WindowRow {
        let mut figures = self.figures.map(|(p50, p95)| (self.samples > 0).then_some(Percentiles { p50, p95 }));
        if let Some(metric) = self.without {
            figures[metric] = None;
        }
        WindowRow {
            start: WindowStart::from_ms(self.minute * 60_000),
            is_final: true,
            as_of: LogTime::from_ms(self.minute * 60_000 + 200_000),
            count_success: self.samples,
            errors: [0, 0, self.failed, 0, 0],
            percentiles: figures,
            network: None,
            tags: None,
        }
    }
}

/// A pair, judged window by window.
struct Pair {
    rules: Rules,
    state: PairState,
}

impl Pair {
    fn new(diagnosis: DiagnosisRules) -> Self {
        let state = PairState::new(&diagnosis);
        Self { rules: Rules { diagnosis, ..Rules::default() }, state }
    }

    /// With so many windows before minute 0, all the same.
    fn usual(diagnosis: DiagnosisRules, windows: i64, samples: u32, figures: [u64; 5]) -> Self {
        let mut pair = Self::new(diagnosis);
        (-windows..0).for_each(|minute| drop(pair.judge(Window::of(minute + 1_000, samples, figures))));
        pair
    }

    /// Minutes are counted from 1,000, so that windows before minute 0 have a time.
    fn judge(&mut self, window: Window) -> Judged {
        self.state.judge(&window.row(), &self.rules)
    }

    fn label(&mut self, window: Window) -> Option<Label> {
        self.judge(Window { minute: window.minute + 1_000, ..window }).diagnosis.map(|diagnosis| diagnosis.label)
    }

    fn severity(&mut self, window: Window) -> Option<Severity> {
        let judged = self.judge(Window { minute: window.minute + 1_000, ..window });
        judged.diagnosis.and_then(|diagnosis| diagnosis.finding).map(|finding| finding.0)
    }

    fn usual_ttfb(&self, minute: i64) -> Option<UsualRange> {
        self.state.usual_before(WindowStart::from_ms((minute + 1_000) * 60_000), &self.rules.diagnosis).ttfb
    }

    fn usual_throughput(&self, minute: i64) -> Option<UsualRange> {
        self.state.usual_before(WindowStart::from_ms((minute + 1_000) * 60_000), &self.rules.diagnosis).throughput
    }
}
