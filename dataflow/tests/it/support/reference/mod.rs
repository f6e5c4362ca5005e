//! The semantics in the plainest code that states them: everything is kept, and computed from scratch at the end.

use std::collections::{BTreeMap, BTreeSet};

use netqoe_model::{
    Diagnosis, Event, Figure, Ledger, LogTime, Percentiles, Rules, Run, UsualRange, WindowRow, WindowStart,
};

mod classic;
mod error_bound;
mod runs;
pub(crate) mod steady;
mod stretches;

pub(crate) type Key = (String, String, i64);

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Row {
    pub(crate) is_final: bool,
    pub(crate) count_success: u32,
    pub(crate) errors: [u32; 5],
    pub(crate) percentiles: [Option<Percentiles>; 5],
    pub(crate) judged: Judged,
}

/// What a window comes to.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Judged {
    pub(crate) diagnosis: Option<Diagnosis>,
    /// By label.
    pub(crate) ended_runs: Vec<Run>,
}

/// What a pair's window is compared with, in the order dns, handshake, ttfb, total, throughput.
pub(crate) type Usual = [Option<UsualRange>; 5];

#[derive(Default)]
struct Window {
    ids: BTreeSet<String>,
    success: u32,
    errors: [u32; 5],
    samples: [Vec<u64>; 5],
}

/// A line with its log time; none if it is the running maximum of what the lines say.
pub(crate) type Record = (Option<i64>, String);

/// Rows and counts of one partition's log (or of a whole file).
pub(crate) fn run(records: &[Record], rules: &Rules) -> (BTreeMap<Key, Row>, Ledger) {
    let (mut windows, mut ledger, mut log_time) = (BTreeMap::<Key, Window>::new(), Ledger::default(), 0);
    for (given, line) in records {
        ledger.read += u64::from(!line.is_empty());
        if let Some(given) = given {
            log_time = *given;
        }
        let Ok(event) = Event::parse(line.as_bytes()) else {
            ledger.invalid += u64::from(!line.is_empty());
            continue;
        };
        if given.is_none() {
            log_time = log_time.max(event.recv.unwrap_or(event.ts).ms());
        }
        let ts = event.ts.ms();
        let start = ts / rules.window_ms * rules.window_ms;
        if ts > log_time + rules.max_future_ms {
            ledger.invalid += 1;
            continue;
        }
        if log_time > start + rules.window_ms + rules.lateness_ms {
            ledger.late += 1;
            continue;
        }
        let window = windows.entry((event.client_id.to_string(), event.target.to_string(), start)).or_default();
        if !window.ids.insert(event.event_id.to_string()) {
            ledger.duplicate += 1;
            continue;
        }
        ledger.accepted += 1;
        if let Some(stage) = event.error_stage {
            window.errors[stage as usize] += 1;
        } else {
            window.success += 1;
            for (samples, sample) in window.samples.iter_mut().zip(event.samples) {
                samples.extend(sample);
            }
        }
    }
    let closed = |start: i64| log_time > start + rules.window_ms + rules.lateness_ms;
    let mut pairs = BTreeMap::<(String, String), Vec<WindowRow>>::new();
    for ((client, target, start), window) in windows {
        let row = WindowRow {
            start: WindowStart::from_ms(start),
            is_final: closed(start),
            as_of: LogTime::from_ms(log_time.max(1)),
            count_success: window.success,
            errors: window.errors,
            percentiles: window.samples.map(percentiles),
        };
        pairs.entry((client, target)).or_default().push(row);
    }
    let mut rows = BTreeMap::new();
    for ((client, target), windows) in pairs {
        for (window, judged) in windows.iter().zip(judged(&windows, rules)) {
            rows.insert((client.clone(), target.clone(), window.start.ms()), Row::of(window, judged));
        }
    }
    (rows, ledger)
}

impl Row {
    pub(crate) fn of(window: &WindowRow, judged: Judged) -> Self {
        Self {
            is_final: window.is_final,
            count_success: window.count_success,
            errors: window.errors,
            percentiles: window.percentiles,
            judged,
        }
    }
}

/// What each of a pair's windows comes to, oldest first.
pub(crate) fn judged(windows: &[WindowRow], rules: &Rules) -> Vec<Judged> {
    match rules.diagnosis.usual.figure {
        Figure::P95 => classic::judged(windows, rules),
        Figure::Samples => steady::judged(windows, rules),
    }
}

/// What the pair's next window would be compared with, if it starts then.
pub(crate) fn usual_before(start: WindowStart, windows: &[WindowRow], rules: &Rules) -> Usual {
    match rules.diagnosis.usual.figure {
        Figure::P95 => classic::usual_before(start, windows),
        Figure::Samples => steady::usual_before(start, windows, rules),
    }
}

fn percentiles(mut samples: Vec<u64>) -> Option<Percentiles> {
    samples.sort_unstable();
    let at = |q: f64| samples[((q * samples.len() as f64).ceil() as usize).max(1) - 1];
    (!samples.is_empty()).then(|| Percentiles { p50: at(0.5), p95: at(0.95) })
}
