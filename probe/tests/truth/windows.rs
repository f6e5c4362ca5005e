//! The diagnosis of a window of samples, after windows on a healthy link.

use std::rc::Rc;

use netqoe_dataflow::baseline::{PairWindow, PastWindow, baselines};
use netqoe_dataflow::diagnose::diagnose;
use netqoe_model::{DiagnosisRules, LogTime, Metric, Percentiles, Rules, WindowRow, WindowStart};

use crate::samples::Sample;

const MINUTE_MS: i64 = 60_000;
/// Windows that a baseline is made of.
const PAST: i64 = 10;

/// The label that the pipeline gives a window of these samples after healthy ones.
pub(crate) fn label(healthy: &[Sample], window: &[Sample]) -> &'static str {
    let rules: DiagnosisRules = Rules::default().diagnosis;
    let past: Vec<_> = (0..PAST).filter_map(|minute| PastWindow::of(&row(healthy, minute))).collect();
    let past = PairWindow::past(past.into());
    let windows = [past, Some(PairWindow::current(Rc::new(row(window, PAST))))];
    let mut label = None;
    baselines(windows.iter().flatten(), &rules, |row, baseline| {
        label = diagnose(row, baseline.as_ref(), &rules).map(|diagnosis| diagnosis.label.as_str());
    });
    label.unwrap_or("none")
}

fn row(samples: &[Sample], minute: i64) -> WindowRow {
    let percentiles = Metric::ALL.map(|metric| {
        let mut values: Vec<_> = samples.iter().filter_map(|sample| sample.of(metric)).collect();
        values.sort_unstable_by(f64::total_cmp);
        let at_rank = |q: f64| {
            let rank = (q * values.len() as f64).ceil() as usize;
            values.get(rank.checked_sub(1)?).map(|value| (value * 1000.0).round() as u64)
        };
        Some(Percentiles { p50: at_rank(0.50)?, p95: at_rank(0.95)? })
    });
    WindowRow {
        start: WindowStart::from_ms(minute * MINUTE_MS),
        is_final: true,
        as_of: LogTime::from_ms((minute + 3) * MINUTE_MS),
        count_success: samples.len() as u32,
        errors: [0; 5],
        percentiles,
    }
}
