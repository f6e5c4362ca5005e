//! The classic rules as the oracle states them, with its constants; severity and evidence as docs/diagnoses.md says.

use netqoe_model::{Diagnosis, Evidence, Label, Metric, Rules, Severity, UsualRange, WindowRow, WindowStart};

use super::{Judged, Usual, error_bound, runs};

const BASELINE_WINDOWS: usize = 10;
const BASELINE_MAX_AGE_MS: i64 = 86_400_000;
const MIN_BASELINE_WINDOWS: usize = 5;
const SIGMA_FLOOR_RATIO: f64 = 0.05;
const SIGMA_FLOOR_MS: f64 = 1.0;
const ERROR_RATIO: f64 = 0.5;
const DNS_SHARE: f64 = 0.60;
const DNS_INCREASE: f64 = 1.5;
const HANDSHAKE_SIGMAS: f64 = 2.0;
const HANDSHAKE_INCREASE: f64 = 2.0;
const SERVER_SIGMAS: f64 = 2.0;
const CONNECTION_SIGMAS: f64 = 1.0;
const THROUGHPUT_DROP: f64 = 0.70;
const LATENCY_SIGMAS: f64 = 2.0;
const MAJOR_RATIO: f64 = 2.0;
const CRITICAL_RATIO: f64 = 4.0;
const MAJOR_FAILED: f64 = 0.75;
const CRITICAL_FAILED: f64 = 0.9;

const DNS: usize = 0;
const HANDSHAKE: usize = 1;
const TTFB: usize = 2;
const TOTAL: usize = 3;
const THROUGHPUT: usize = 4;

pub(crate) fn judged(windows: &[WindowRow], rules: &Rules) -> Vec<Judged> {
    let labels: Vec<_> = windows
        .iter()
        .enumerate()
        .map(|(at, row)| (row.start, label(row, &usual(row.start, &windows[..at]))))
        .collect();
    let judge = |(at, row): (usize, &WindowRow)| {
        let labels = &labels[first_since_silence(windows, at, rules)..=at];
        let label = labels[labels.len() - 1].1;
        let since = |label| runs::since_of_newest(labels, label, rules).0;
        let finding = |label| finding(row, label, &usual(row.start, &windows[..at]), since(label));
        Judged {
            diagnosis: label.map(|label| Diagnosis { label, finding: finding(label).map(Box::new) }),
            suspected: None,
            ended_runs: runs::ended(labels, rules),
        }
    };
    windows.iter().enumerate().map(judge).collect()
}

/// "A pair that has no window for more than 24 hours starts anew": the first window since it last did.
fn first_since_silence(windows: &[WindowRow], at: usize, rules: &Rules) -> usize {
    let reach_ms = i64::from(rules.diagnosis.usual.reach_hours) * 3_600_000;
    let is_silent = |at: &usize| windows[*at].start.ms() - windows[at - 1].start.ms() > reach_ms;
    (1..=at).rev().find(is_silent).unwrap_or(0)
}

pub(crate) fn usual_before(start: WindowStart, windows: &[WindowRow]) -> Usual {
    usual(start, windows).map(|usual| usual.map(|(mean, sigma)| range(mean, sigma)))
}

fn range(mean: f64, sigma: f64) -> UsualRange {
    UsualRange { centre: mean, low: mean - sigma, high: mean + sigma }
}

/// dns, handshake, ttfb, total, and throughput where there is one.
fn features(row: &WindowRow) -> [Option<f64>; 5] {
    let p95 = |metric: Metric| row.percentiles[metric as usize].map_or(0.0, |p| p.p95 as f64 / 1000.0);
    let (dns, tcp, tls, ttfb) = (p95(Metric::Dns), p95(Metric::Tcp), p95(Metric::Tls), p95(Metric::Ttfb));
    let throughput = row.percentiles[Metric::Throughput as usize].map(|p| p.p50 as f64 / 1000.0);
    [Some(dns), Some(tcp + tls), Some(ttfb), Some(dns + tcp + tls + ttfb), throughput]
}

/// Mean and standard deviation of each feature in "the latest 10 earlier windows that have a success, up to 24 h back".
fn usual(start: WindowStart, before: &[WindowRow]) -> [Option<(f64, f64)>; 5] {
    let mut history: Vec<_> = before.iter().filter(|row| row.count_success > 0).collect();
    history.drain(..history.len().saturating_sub(BASELINE_WINDOWS));
    history.retain(|row| row.start.ms() >= start.ms() - BASELINE_MAX_AGE_MS);
    [DNS, HANDSHAKE, TTFB, TOTAL, THROUGHPUT].map(|feature| {
        let values: Vec<f64> = history.iter().filter_map(|row| features(row)[feature]).collect();
        let n = values.len() as f64;
        let mean = values.iter().sum::<f64>() / n;
        let sigma = (values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / n).sqrt();
        let sigma = sigma.max(SIGMA_FLOOR_RATIO * mean).max(SIGMA_FLOOR_MS);
        (values.len() >= MIN_BASELINE_WINDOWS).then_some((mean, sigma))
    })
}

fn failed_share(row: &WindowRow) -> f64 {
    let errors: u32 = row.errors.iter().sum();
    f64::from(errors) / f64::from(errors + row.count_success)
}

fn label(row: &WindowRow, usual: &[Option<(f64, f64)>; 5]) -> Option<Label> {
    if failed_share(row) >= ERROR_RATIO {
        return Some(Label::ErrorBound);
    }
    if row.count_success == 0 {
        return None;
    }
    // The four latencies always have a feature, so all or none of them have enough windows.
    let (dns_mean, _) = usual[DNS]?;
    let ((handshake_mean, handshake_sigma), (ttfb_mean, ttfb_sigma)) = (usual[HANDSHAKE]?, usual[TTFB]?);
    let (total_mean, total_sigma) = usual[TOTAL]?;
    let [dns, handshake, ttfb, total, throughput] = features(row);
    let (dns, handshake, ttfb, total) = (dns?, handshake?, ttfb?, total?);
    if dns > 0.0 && dns >= DNS_SHARE * total && dns >= DNS_INCREASE * dns_mean {
        return Some(Label::DnsBound);
    }
    if handshake > handshake_mean + HANDSHAKE_SIGMAS * handshake_sigma
        || (handshake_mean > 0.0 && handshake >= HANDSHAKE_INCREASE * handshake_mean)
    {
        return Some(Label::HandshakeBound);
    }
    if ttfb > ttfb_mean + SERVER_SIGMAS * ttfb_sigma
        && handshake <= handshake_mean + CONNECTION_SIGMAS * handshake_sigma
    {
        return Some(Label::ServerBound);
    }
    if let (Some(throughput), Some((mean, _))) = (throughput, usual[THROUGHPUT])
        && mean > 0.0
        && throughput <= THROUGHPUT_DROP * mean
        && total <= total_mean + LATENCY_SIGMAS * total_sigma
    {
        return Some(Label::ThroughputBound);
    }
    Some(Label::Healthy)
}

fn finding(
    row: &WindowRow,
    label: Label,
    usual: &[Option<(f64, f64)>; 5],
    since: WindowStart,
) -> Option<(Severity, Evidence)> {
    let (feature, stage) = match label {
        Label::Healthy => return None,
        Label::ErrorBound => {
            let share = failed_share(row);
            let severity = severity(share >= MAJOR_FAILED, share >= CRITICAL_FAILED);
            return Some((severity, error_bound::evidence(&[row], since)));
        }
        Label::DnsBound => (DNS, "dns"),
        Label::HandshakeBound => (HANDSHAKE, "handshake"),
        Label::ServerBound => (TTFB, "ttfb"),
        Label::ThroughputBound => (THROUGHPUT, "throughput"),
    };
    let (observed, total, (mean, sigma)) = (features(row)[feature]?, features(row)[TOTAL]?, usual[feature]?);
    let is_times = |ratio: f64| {
        if feature == THROUGHPUT { observed * ratio <= mean } else { observed >= ratio * mean }
    };
    let evidence = Evidence {
        stage,
        observed,
        usual: Some(range(mean, sigma)),
        sigmas: Some((observed - mean) / sigma),
        share_of_total: (feature != THROUGHPUT).then_some(observed / total),
        samples: row.count_success,
        bad_samples: slow_for_sure(row.count_success, feature),
        windows: 1,
        since,
    };
    Some((severity(is_times(MAJOR_RATIO), is_times(CRITICAL_RATIO)), evidence))
}

/// "n − ⌈0.95·n⌉ + 1 where only the p95 is. Of throughput: ⌈n/2⌉ where only the p50 is." No other figure is looked at.
fn slow_for_sure(n: u32, feature: usize) -> u32 {
    if feature == THROUGHPUT { n.div_ceil(2) } else { n - (95 * n).div_ceil(100) + 1 }
}

fn severity(is_major: bool, is_critical: bool) -> Severity {
    if is_critical {
        Severity::Critical
    } else if is_major {
        Severity::Major
    } else {
        Severity::Minor
    }
}
