//! The values of `classic`, as the table of the semantics tells them.

use netqoe_model::{DiagnosisRules, Label, Severity};

use super::{Pair, Window};

const USUAL: [u64; 5] = [10_000, 60_000, 40_000, 100_000, 100_000];

fn usual(figures: [u64; 5]) -> Pair {
    Pair::usual(DiagnosisRules::classic(), 10, 1, figures)
}

#[track_caller]
fn check(usual_figures: [u64; 5], figures: [u64; 5], label: Label) {
    assert_eq!(usual(usual_figures).label(Window::of(0, 1, figures)), Some(label));
}

#[test]
fn dns_is_slow_from_1_5_times_and_60_percent_of_the_total_on() {
    let base = [60_000, 10_000, 10_000, 10_000, 100_000];
    check(base, [89_999, 10_000, 10_000, 10_000, 100_000], Label::Healthy);
    check(base, [90_000, 10_000, 10_000, 10_000, 100_000], Label::DnsBound);
    check(base, [90_000, 10_000, 10_000, 40_000, 100_000], Label::DnsBound);
    check(base, [90_000, 10_000, 10_000, 40_001, 100_000], Label::ServerBound);
}

#[test]
fn a_handshake_is_slow_beyond_two_deviations_or_from_twice_on() {
    check(USUAL, [10_000, 70_000, 40_000, 100_000, 100_000], Label::Healthy);
    check(USUAL, [10_000, 70_001, 40_000, 100_000, 100_000], Label::HandshakeBound);
    let near = [10_000, 2_000, 2_000, 100_000, 100_000];
    check(near, [10_000, 4_000, 2_000, 100_000, 100_000], Label::Healthy);
    check(near, [10_000, 4_001, 2_000, 100_000, 100_000], Label::HandshakeBound);
    for (handshake, label) in [(99_999, Label::Healthy), (100_000, Label::HandshakeBound)] {
        let mut pair = Pair::new(DiagnosisRules::classic());
        for minute in 0..10 {
            pair.label(Window::of(minute, 1, [10_000, [10_000, 90_000][minute as usize % 2], 0, 100_000, 100_000]));
        }
        assert_eq!(pair.label(Window::of(10, 1, [10_000, handshake, 0, 100_000, 100_000])), Some(label));
    }
}

#[test]
fn a_server_is_slow_beyond_two_deviations_while_the_handshake_is_within_one() {
    check(USUAL, [10_000, 60_000, 40_000, 110_000, 100_000], Label::Healthy);
    check(USUAL, [10_000, 60_000, 40_000, 110_001, 100_000], Label::ServerBound);
    check(USUAL, [10_000, 65_000, 40_000, 150_000, 100_000], Label::ServerBound);
    check(USUAL, [10_000, 65_001, 40_000, 150_000, 100_000], Label::Healthy);
}

#[test]
fn a_transfer_is_slow_from_0_7_times_on_while_the_total_is_within_two_deviations() {
    check(USUAL, [10_000, 60_000, 40_000, 100_000, 70_001], Label::Healthy);
    check(USUAL, [10_000, 60_000, 40_000, 100_000, 70_000], Label::ThroughputBound);
    check(USUAL, [31_000, 60_000, 40_000, 100_000, 70_000], Label::ThroughputBound);
    check(USUAL, [31_001, 60_000, 40_000, 100_000, 70_000], Label::Healthy);
}

#[test]
fn failures_are_named_from_half_on() {
    assert_eq!(usual(USUAL).label(Window::of(0, 2, USUAL).failing(1)), Some(Label::ErrorBound));
    assert_eq!(usual(USUAL).label(Window::of(0, 201, USUAL).failing(100)), Some(Label::Healthy));
    let mut pair = usual(USUAL);
    pair.label(Window::of(0, 2, USUAL).failing(2));
    assert_eq!(pair.label(Window::of(1, 201, USUAL).failing(100)), Some(Label::Healthy), "no window keeps another");
}

#[test]
fn five_windows_are_needed_and_ten_are_looked_at_for_a_day() {
    for (windows, label) in [(4, None), (5, Some(Label::Healthy))] {
        let mut pair = Pair::usual(DiagnosisRules::classic(), windows, 1, USUAL);
        assert_eq!(pair.label(Window::of(0, 1, USUAL)), label);
    }
    for (silence_minutes, label) in [(1_436, Some(Label::Healthy)), (1_437, None)] {
        let mut pair = Pair::usual(DiagnosisRules::classic(), 5, 1, USUAL);
        assert_eq!(
            pair.label(Window::of(silence_minutes - 1, 1, USUAL)),
            label,
            "the first of five is {silence_minutes} + 4 minutes old"
        );
    }
    let mut pair = usual(USUAL);
    for (minute, mean) in [(0, 100.0), (1, 100.1)] {
        assert!(
            (pair.usual_ttfb(minute).unwrap().centre - mean).abs() < 1e-9,
            "a tenth of a millisecond, of ten windows"
        );
        pair.label(Window::of(minute, 1, [10_000, 60_000, 40_000, 101_000, 100_000]));
    }
    let mut pair = Pair::usual(DiagnosisRules::classic(), 11, 1, USUAL);
    assert_eq!(pair.usual_throughput(0).unwrap().centre, 100.0);
    for minute in 0..10 {
        pair.label(Window::of(minute, 1, [10_000, 60_000, 40_000, 101_000, 100_000]));
    }
    assert_eq!(pair.usual_ttfb(10).unwrap().centre, 101.0, "the eleventh is not looked at");
}

#[test]
fn severity_goes_by_ratio() {
    for (ttfb, expected) in [
        (199_999, Severity::Minor),
        (200_000, Severity::Major),
        (399_999, Severity::Major),
        (400_000, Severity::Critical),
    ] {
        let window = Window::of(0, 1, [10_000, 60_000, 40_000, ttfb, 100_000]);
        assert_eq!(usual(USUAL).severity(window), Some(expected), "{ttfb}");
    }
    for (kbps, expected) in
        [(50_001, Severity::Minor), (50_000, Severity::Major), (25_001, Severity::Major), (25_000, Severity::Critical)]
    {
        let window = Window::of(0, 1, [10_000, 60_000, 40_000, 100_000, kbps]);
        assert_eq!(usual(USUAL).severity(window), Some(expected), "{kbps}");
    }
    for (all, failed, expected) in
        [(101, 75, Severity::Minor), (4, 3, Severity::Major), (9, 8, Severity::Major), (10, 9, Severity::Critical)]
    {
        let window = Window::of(0, all, USUAL).failing(failed);
        assert_eq!(usual(USUAL).severity(window), Some(expected), "{failed} of {all}");
    }
}

#[test]
fn two_windows_without_the_label_do_not_end_a_run() {
    for (again, since) in [(3, 0), (4, 4)] {
        let mut pair = usual(USUAL);
        let failing = |minute: i64| Window::of(minute + 1_000, 2, USUAL).failing(2);
        pair.judge(failing(0));
        let evidence = pair.judge(failing(again)).diagnosis.unwrap().finding.unwrap().1;
        assert_eq!(evidence.since.ms(), (since + 1_000) * 60_000);
    }
}
