//! The semantics in the plainest code that states them: everything is kept, and computed from scratch at the end.

use std::collections::{BTreeMap, BTreeSet};

use netqoe_model::{ErrorStage, Event, Label, Ledger, Metric, Percentiles, Rules};

pub(crate) type Key = (String, String, i64);

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Row {
    pub(crate) is_final: bool,
    pub(crate) count_success: u32,
    pub(crate) errors: [u32; 5],
    pub(crate) percentiles: [Option<Percentiles>; 5],
    pub(crate) label: Option<Label>,
}

#[derive(Default)]
struct Window {
    ids: BTreeSet<String>,
    success: u32,
    errors: [u32; 5],
    samples: [Vec<u64>; 5],
}

/// A line with its log time; none where it is the running maximum of what the lines say.
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
    let rows = windows.into_iter().map(|(key, window)| {
        let row = Row {
            is_final: closed(key.2),
            count_success: window.success,
            errors: window.errors,
            percentiles: window.samples.map(percentiles),
            label: None,
        };
        (key, row)
    });
    (diagnosed(&rows.collect(), rules), ledger)
}

fn percentiles(mut samples: Vec<u64>) -> Option<Percentiles> {
    samples.sort_unstable();
    let at = |q: f64| samples[((q * samples.len() as f64).ceil() as usize).max(1) - 1];
    (!samples.is_empty()).then(|| Percentiles { p50: at(0.5), p95: at(0.95) })
}

fn diagnosed(rows: &BTreeMap<Key, Row>, rules: &Rules) -> BTreeMap<Key, Row> {
    let mut labelled = rows.clone();
    for (key, row) in &mut labelled {
        let earlier = rows.iter().filter(|(other, row)| {
            (&other.0, &other.1) == (&key.0, &key.1) && other.2 < key.2 && row.count_success > 0
        });
        let mut history: Vec<_> = earlier.collect();
        history.drain(..history.len().saturating_sub(rules.diagnosis.baseline_windows));
        history.retain(|(other, _)| other.2 >= key.2 - rules.diagnosis.baseline_max_age_ms);
        let history: Vec<_> = history.into_iter().map(|(_, row)| features(row)).collect();
        row.label = label(row, &history, rules);
    }
    labelled
}

/// dns, handshake, ttfb, total, and throughput where there is one.
fn features(row: &Row) -> ([f64; 4], Option<f64>) {
    let p95 = |metric: Metric| row.percentiles[metric as usize].map_or(0.0, |p| p.p95 as f64 / 1000.0);
    let (dns, tcp, tls, ttfb) = (p95(Metric::Dns), p95(Metric::Tcp), p95(Metric::Tls), p95(Metric::Ttfb));
    ([dns, tcp + tls, ttfb, dns + tcp + tls + ttfb], row.percentiles[4].map(|p| p.p50 as f64 / 1000.0))
}

fn label(row: &Row, history: &[([f64; 4], Option<f64>)], rules: &Rules) -> Option<Label> {
    let rules = &rules.diagnosis;
    let errors: u32 = ErrorStage::ALL.iter().map(|&stage| row.errors[stage as usize]).sum();
    if f64::from(errors) / f64::from(errors + row.count_success) >= rules.error_ratio {
        return Some(Label::ErrorBound);
    }
    if row.count_success == 0 || history.len() < rules.min_baseline_windows {
        return None;
    }
    let usual = |feature: usize| {
        let n = history.len() as f64;
        let mean = history.iter().map(|(features, _)| features[feature]).sum::<f64>() / n;
        let sigma = (history.iter().map(|(features, _)| (features[feature] - mean).powi(2)).sum::<f64>() / n).sqrt();
        (mean, sigma.max(rules.sigma_floor_ratio * mean).max(rules.sigma_floor_ms))
    };
    let ([dns, handshake, ttfb, total], throughput) = features(row);
    let ((dns_mean, _), (handshake_mean, handshake_sigma)) = (usual(0), usual(1));
    let ((ttfb_mean, ttfb_sigma), (total_mean, total_sigma)) = (usual(2), usual(3));
    if dns > 0.0 && dns >= rules.dns_share * total && dns >= rules.dns_increase * dns_mean {
        return Some(Label::DnsBound);
    }
    if handshake > handshake_mean + rules.handshake_sigmas * handshake_sigma
        || (handshake_mean > 0.0 && handshake >= rules.handshake_increase * handshake_mean)
    {
        return Some(Label::HandshakeBound);
    }
    if ttfb > ttfb_mean + rules.server_sigmas * ttfb_sigma
        && handshake <= handshake_mean + rules.connection_sigmas * handshake_sigma
    {
        return Some(Label::ServerBound);
    }
    let past: Vec<_> = history.iter().filter_map(|(_, throughput)| *throughput).collect();
    if let Some(throughput) = throughput.filter(|_| past.len() >= rules.min_baseline_windows) {
        let mean = past.iter().sum::<f64>() / past.len() as f64;
        if mean > 0.0
            && throughput <= rules.throughput_drop * mean
            && total <= total_mean + rules.latency_sigmas * total_sigma
        {
            return Some(Label::ThroughputBound);
        }
    }
    Some(Label::Healthy)
}
