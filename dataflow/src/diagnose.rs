//! What hurts in a window, from the window and its baseline.
//!
//! The first rule that matches names it, in the order of [`Label::ALL`]. Severity is how many times worse than usual
//! the stage is (for throughput, how many times less): below 2 minor, below 4 major, from 4 critical; for
//! `error-bound` the failed share: below 0.75 minor, below 0.9 major, from 0.9 critical.

use netqoe_model::{Diagnosis, DiagnosisRules, ErrorStage, Evidence, Label, Severity, WindowRow};

use crate::baseline::{Baseline, Features, PastWindow, Usual};

/// How many times worse than usual is major, and critical.
const MAJOR_RATIO: f64 = 2.0;
const CRITICAL_RATIO: f64 = 4.0;
/// Which failed share is major, and critical.
const MAJOR_ERROR_SHARE: f64 = 0.75;
const CRITICAL_ERROR_SHARE: f64 = 0.9;

/// The diagnosis of a window; none where there is too little to compare it with.
pub fn diagnose(row: &WindowRow, baseline: Option<&Baseline>, rules: &DiagnosisRules) -> Option<Diagnosis> {
    let failed = f64::from(row.count_error()) / f64::from(row.count_total());
    if failed >= rules.error_ratio {
        return Some(error_bound(row, failed));
    }
    let window = Features::from(&PastWindow::of(row)?);
    let baseline = baseline.filter(|baseline| baseline.windows >= rules.min_baseline_windows)?;
    let finding = dns_bound(&window, baseline, rules)
        .or_else(|| handshake_bound(&window, baseline, rules))
        .or_else(|| server_bound(&window, baseline, rules))
        .or_else(|| throughput_bound(&window, baseline, rules));
    Some(finding.unwrap_or(Diagnosis { label: Label::Healthy, finding: None }))
}

fn error_bound(row: &WindowRow, failed: f64) -> Diagnosis {
    // Of stages with equally many failures, the first that a measurement goes through.
    let stage = ErrorStage::ALL.into_iter().rev().max_by_key(|&stage| row.errors_at(stage)).unwrap_or(ErrorStage::Http);
    let evidence = Evidence {
        stage: stage.as_str(),
        observed: failed,
        mean: None,
        sigma: None,
        sigmas: None,
        share_of_total: None,
    };
    let severity = severity(failed, MAJOR_ERROR_SHARE, CRITICAL_ERROR_SHARE);
    Diagnosis { label: Label::ErrorBound, finding: Some(Box::new((severity, evidence))) }
}

fn dns_bound(window: &Features, baseline: &Baseline, rules: &DiagnosisRules) -> Option<Diagnosis> {
    let bound = window.dns > 0.0
        && window.dns >= rules.dns_share * window.total
        && window.dns >= rules.dns_increase * baseline.dns.mean.get();
    bound.then(|| latency(Label::DnsBound, "dns", window.dns, baseline.dns, window.total))
}

fn handshake_bound(window: &Features, baseline: &Baseline, rules: &DiagnosisRules) -> Option<Diagnosis> {
    let (mean, sigma) = (baseline.handshake.mean.get(), baseline.handshake.sigma.get());
    let bound = window.handshake > mean + rules.handshake_sigmas * sigma
        || (mean > 0.0 && window.handshake >= rules.handshake_increase * mean);
    bound.then(|| latency(Label::HandshakeBound, "handshake", window.handshake, baseline.handshake, window.total))
}

fn server_bound(window: &Features, baseline: &Baseline, rules: &DiagnosisRules) -> Option<Diagnosis> {
    let above = |value: f64, usual: Usual, sigmas: f64| value > usual.mean.get() + sigmas * usual.sigma.get();
    let bound = above(window.ttfb, baseline.ttfb, rules.server_sigmas)
        && !above(window.handshake, baseline.handshake, rules.connection_sigmas);
    bound.then(|| latency(Label::ServerBound, "ttfb", window.ttfb, baseline.ttfb, window.total))
}

fn throughput_bound(window: &Features, baseline: &Baseline, rules: &DiagnosisRules) -> Option<Diagnosis> {
    let observed = window.throughput?;
    let usual = baseline.throughput.filter(|_| baseline.throughput_windows >= rules.min_baseline_windows)?;
    let (mean, total) = (usual.mean.get(), baseline.total);
    let bound = mean > 0.0
        && observed <= rules.throughput_drop * mean
        && window.total <= total.mean.get() + rules.latency_sigmas * total.sigma.get();
    bound.then(|| finding(Label::ThroughputBound, "throughput", observed, usual, None, ratio(mean, observed)))
}

/// A finding about a share of the latency.
fn latency(label: Label, stage: &'static str, observed: f64, usual: Usual, total: f64) -> Diagnosis {
    finding(label, stage, observed, usual, Some(ratio(observed, total)), ratio(observed, usual.mean.get()))
}

fn finding(
    label: Label,
    stage: &'static str,
    observed: f64,
    usual: Usual,
    share_of_total: Option<f64>,
    times_worse: f64,
) -> Diagnosis {
    let (mean, sigma) = (usual.mean.get(), usual.sigma.get());
    let evidence = Evidence {
        stage,
        observed,
        mean: Some(mean),
        sigma: Some(sigma),
        sigmas: Some((observed - mean) / sigma),
        share_of_total,
    };
    let severity = severity(times_worse, MAJOR_RATIO, CRITICAL_RATIO);
    Diagnosis { label, finding: Some(Box::new((severity, evidence))) }
}

/// `value / of`, where nothing is as much worse than something as can be.
fn ratio(value: f64, of: f64) -> f64 {
    if of > 0.0 { value / of } else { f64::MAX }
}

fn severity(value: f64, major: f64, critical: f64) -> Severity {
    if value >= critical {
        Severity::Critical
    } else if value >= major {
        Severity::Major
    } else {
        Severity::Minor
    }
}
