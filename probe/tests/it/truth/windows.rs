//! The diagnosis of a window of samples, after windows on a healthy link.

use netqoe_dataflow::judge::PairState;
use netqoe_model::{DiagnosisRules, LogTime, Metric, Percentiles, Rules, WindowRow, WindowStart};

use crate::truth::samples::Sample;

const MINUTE_MS: i64 = 60_000;
/// Healthy windows before: as many as it takes to know what is usual.
const PAST: i64 = 10;
/// Windows of the samples: evidence is gathered from so many.
const WINDOWS: i64 = 2;

/// The label that the pipeline gives windows of these samples after healthy ones.
pub(crate) fn label(healthy: &[Sample], window: &[Sample], rules: DiagnosisRules) -> &'static str {
    let rules = Rules { diagnosis: rules, ..Rules::default() };
    let past: Vec<_> = (0..PAST).map(|minute| row(healthy, minute)).collect();
    let mut state = PairState::restore(None, &past, &rules);
    let judged = (PAST..PAST + WINDOWS).map(|minute| state.judge(&row(window, minute), &rules));
    let diagnosis = judged.last().and_then(|judged| judged.diagnosis);
    diagnosis.map_or("none", |diagnosis| diagnosis.label.as_str())
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
        network: None,
        tags: None,
    }
}
