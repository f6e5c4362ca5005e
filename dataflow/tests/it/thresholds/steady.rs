//! The values of `steady`, as docs/diagnoses.md tells them. Usual figures are such that they are kept as they are.

use netqoe_model::{DiagnosisRules, Label, Severity};

use super::{Pair, Window};

const USUAL: [u64; 5] = [12_000, 24_000, 40_000, 64_000, 64_000];

fn usual(figures: [u64; 5]) -> Pair {
    Pair::usual(DiagnosisRules::default(), 60, 4, figures)
}

/// The label of the second of two windows that are alike.
fn named(usual_figures: [u64; 5], figures: [u64; 5]) -> Option<Label> {
    let mut pair = usual(usual_figures);
    pair.label(Window::of(0, 4, figures));
    pair.label(Window::of(1, 4, figures))
}

/// The usual figures with another one of them.
fn with(metric: usize, figure: u64, figures: [u64; 5]) -> [u64; 5] {
    let mut figures = figures;
    figures[metric] = figure;
    figures
}

#[track_caller]
fn check(usual: [u64; 5], below: [u64; 5], at: [u64; 5], label: Label, otherwise: Label) {
    assert_eq!(named(usual, below), Some(otherwise), "on this side");
    assert_eq!(named(usual, at), Some(label), "on that side");
}

#[test]
fn dns_is_slow_from_one_and_a_half_times_and_20_ms_more_on() {
    check(USUAL, with(0, 31_999, USUAL), with(0, 32_000, USUAL), Label::DnsBound, Label::Healthy);
    let slow_name = with(0, 80_000, USUAL);
    check(slow_name, with(0, 119_999, USUAL), with(0, 120_000, USUAL), Label::DnsBound, Label::Healthy);
}

#[test]
fn dns_is_slow_where_it_is_half_of_the_total_or_60_percent_of_what_that_is_more() {
    let base = [80_000, 10_000, 10_000, 60_000, 64_000];
    let of_total = [160_000, 10_000, 10_000, 140_000, 64_000];
    check(base, with(3, 140_001, of_total), of_total, Label::DnsBound, Label::ServerBound);
    for (base, figures) in [
        ([80_000, 10_000, 10_000, 60_000, 64_000], [120_000, 10_000, 10_000, 90_000, 64_000]),
        ([32_000, 2_000, 2_000, 16_000, 64_000], [52_000, 2_000, 2_000, 32_000, 64_000]),
    ] {
        check(base, with(0, figures[0] - 1, figures), figures, Label::DnsBound, Label::ServerBound);
    }
    let of_extra = [72_000, 24_000, 40_000, 104_000, 64_000];
    check(USUAL, with(3, 104_001, of_extra), of_extra, Label::DnsBound, Label::ServerBound);
}

#[test]
fn the_handshake_is_slow_from_1_3_times_and_3_ms_more_on() {
    check(USUAL, with(1, 43_199, USUAL), with(1, 43_200, USUAL), Label::HandshakeBound, Label::Healthy);
    let near = [12_000, 2_000, 2_000, 64_000, 64_000];
    check(near, with(1, 4_999, near), with(1, 5_000, near), Label::HandshakeBound, Label::Healthy);
}

#[test]
fn the_first_byte_is_slow_from_1_3_times_and_5_ms_more_on_and_by_more_than_the_way_explains() {
    check(USUAL, with(3, 83_199, USUAL), with(3, 83_200, USUAL), Label::ServerBound, Label::Healthy);
    let near = with(3, 8_000, USUAL);
    check(near, with(3, 12_999, near), with(3, 13_000, near), Label::ServerBound, Label::Healthy);
    let longer = with(1, 40_000, USUAL);
    check(USUAL, with(3, 84_800, longer), with(3, 84_801, longer), Label::ServerBound, Label::Healthy);
    let far = with(1, 88_000, USUAL);
    let farther = with(1, 108_000, USUAL);
    check(far, with(3, 90_000, farther), with(3, 90_001, farther), Label::ServerBound, Label::Healthy);
}

#[test]
fn a_transfer_is_slow_from_0_74_times_on() {
    check(USUAL, with(4, 47_361, USUAL), with(4, 47_360, USUAL), Label::ThroughputBound, Label::Healthy);
}

/// The pair's windows, of which the first seven have another figure of a metric: of sixty just enough that it is the end of
/// the usual range. Nothing is judged by then.
fn varied(usual: [u64; 5], metric: usize, figure: u64) -> Pair {
    let mut pair = Pair::new(DiagnosisRules::default());
    for minute in -60..0 {
        let figures = if minute < -53 { with(metric, figure, usual) } else { usual };
        pair.label(Window::of(minute, 4, figures));
    }
    pair
}

#[test]
fn a_figure_is_slow_beyond_its_spreads() {
    for (metric, seven, on_it, beyond, label) in [
        (0, 36_000, 48_000, 48_001, Label::DnsBound),
        (1, 40_000, 48_000, 48_001, Label::HandshakeBound),
        (3, 80_000, 88_000, 88_001, Label::ServerBound),
        // Of the time that a megabit takes: 1/64 + 1.35 · (1/48 − 1/64) = 1/44.1379.
        (4, 48_000, 44_138, 44_137, Label::ThroughputBound),
    ] {
        for (figure, expected) in [(on_it, Label::Healthy), (beyond, label)] {
            let mut pair = varied(USUAL, metric, seven);
            pair.label(Window::of(0, 4, with(metric, figure, USUAL)));
            assert_eq!(pair.label(Window::of(1, 4, with(metric, figure, USUAL))), Some(expected), "{metric} {figure}");
        }
    }
    // Half of the total, and less than 60 % of what that is more.
    for (dns, expected) in [(128_000, Label::ServerBound), (128_001, Label::DnsBound)] {
        let mut pair = varied([80_000, 10_000, 10_000, 60_000, 64_000], 0, 112_000);
        pair.label(Window::of(0, 4, [dns, 10_000, 10_000, 100_000, 64_000]));
        assert_eq!(pair.label(Window::of(1, 4, [dns, 10_000, 10_000, 100_000, 64_000])), Some(expected));
    }
}

#[test]
fn the_usual_range_is_of_the_last_60_windows_from_their_10_percent_to_their_90_percent_quantile() {
    let low = |pair: &Pair, minute| pair.usual_throughput(minute).unwrap().low;
    let mut pair = varied(USUAL, 4, 56_000);
    assert_eq!(low(&pair, 0), 56.0, "seven of sixty");
    for minute in 0..3 {
        assert_eq!(low(&pair, minute), 56.0, "one of three windows enters");
        pair.label(Window::of(minute, 4, USUAL));
    }
    assert_eq!(low(&pair, 3), 64.0, "six of sixty");
    let mut pair = Pair::new(DiagnosisRules::default());
    for minute in -60..0 {
        pair.label(Window::of(minute, 4, with(3, if minute % 2 == 0 { 72_000 } else { 64_000 }, USUAL)));
    }
    assert_eq!(pair.usual_ttfb(0).unwrap().centre, 72.0, "the upper in the middle, and the oldest window counts");
}

#[test]
fn a_phase_is_judged_once_its_history_has_ten_windows() {
    let mut pair = Pair::new(DiagnosisRules::default());
    let labels: Vec<_> = (0..11).map(|minute| pair.label(Window::of(minute, 4, USUAL))).collect();
    assert_eq!(labels[..10], [None; 10]);
    assert_eq!(labels[10], Some(Label::Healthy));
}

#[test]
fn a_pair_starts_anew_after_more_than_a_day() {
    for (silence_minutes, label) in [(1_440, Some(Label::Healthy)), (1_441, None)] {
        assert_eq!(usual(USUAL).label(Window::of(silence_minutes - 1, 4, USUAL)), label);
    }
}

#[test]
fn what_is_slow_for_six_hours_is_the_new_normal() {
    let (mut pair, slow) = (usual(USUAL), with(3, 128_000, USUAL));
    assert_eq!(pair.label(Window::of(0, 4, slow)), Some(Label::Healthy));
    for minute in 1..=361 {
        assert_eq!(pair.usual_ttfb(minute).unwrap().centre, 64.0, "before minute {minute}");
        assert_eq!(pair.label(Window::of(minute, 4, slow)), Some(Label::ServerBound), "minute {minute}");
    }
    assert_eq!(pair.usual_ttfb(362), None, "it has begun anew with the window of minute 361");
    assert_eq!(pair.label(Window::of(362, 4, slow)), Some(Label::Healthy), "other phases are judged");
}

#[test]
fn ten_windows_that_are_1_25_times_better_are_the_usual() {
    for (figure, centre) in [(51_200, 51.2), (51_201, 64.0)] {
        let mut pair = usual(USUAL);
        for minute in 0..10 {
            assert_eq!(pair.usual_ttfb(minute).unwrap().centre, 64.0);
            pair.label(Window::of(minute, 4, with(3, figure, USUAL)));
        }
        assert_eq!(pair.usual_ttfb(10).unwrap().centre, centre);
    }
}

const SLOW: [u64; 5] = [12_000, 24_000, 40_000, 200_000, 64_000];

/// A window of which only the p95 of the first byte is slow.
fn partly(minute: i64, samples: u32) -> Window {
    let mut window = Window::of(minute, samples, USUAL);
    window.figures[3].1 = SLOW[3];
    window
}

#[test]
fn seventy_percent_of_two_windows_are_needed() {
    for (all_slow, partly_slow, label) in [(6, 4, Label::ServerBound), (8, 5, Label::Healthy)] {
        let mut pair = usual(USUAL);
        pair.label(Window::of(0, all_slow, SLOW));
        assert_eq!(pair.label(partly(1, partly_slow)), Some(label));
    }
}

/// Of so many windows before minute 0 that are usual, the first has another first byte. Nothing is judged by then.
fn with_one_of(windows: i64, ttfb: u64) -> Pair {
    let mut pair = Pair::new(DiagnosisRules::default());
    for minute in -windows..0 {
        pair.label(Window::of(minute, 4, if minute == -windows { with(3, ttfb, USUAL) } else { USUAL }));
    }
    pair
}

/// The 97 % quantile is the greatest of 33 figures, and the greatest but one of 34 to 66.
#[test]
fn three_samples_of_two_windows_are_beyond_the_97_percent_quantile() {
    for (windows, ttfb, label) in [
        (33, 192_000, Label::Healthy),
        (33, 192_001, Label::ServerBound),
        (34, 192_000, Label::ServerBound),
        (60, 192_000, Label::ServerBound),
    ] {
        let mut pair = with_one_of(windows, 192_000);
        pair.label(Window::of(0, 4, with(3, ttfb, USUAL)));
        assert_eq!(pair.label(Window::of(1, 4, with(3, ttfb, USUAL))), Some(label), "{ttfb} after {windows} windows");
    }
    // Of 60 it is the greatest but one: two of them are as slow.
    for (ttfb, label) in [(192_000, Label::Healthy), (192_001, Label::ServerBound)] {
        let mut pair = with_one_of(58, 192_000);
        // One such window enters where the next is not slow.
        pair.label(Window::of(0, 4, with(3, 192_000, USUAL)));
        pair.label(Window::of(1, 1, USUAL));
        pair.label(Window::of(2, 4, with(3, ttfb, USUAL)));
        assert_eq!(pair.label(Window::of(3, 4, with(3, ttfb, USUAL))), Some(label), "{ttfb}");
    }
    for (beyond, label) in [(1, Label::Healthy), (2, Label::ServerBound)] {
        let mut pair = with_one_of(33, 192_000);
        pair.label(Window::of(0, 1, with(3, 200_000, USUAL)));
        // Both of its samples are slow, and one or both of them are beyond the history.
        let mut window = Window::of(1, 2, with(3, 200_000, USUAL));
        window.figures[3].0 = if beyond == 1 { 150_000 } else { 200_000 };
        assert_eq!(pair.label(window), Some(label), "three are slow, and {} beyond", beyond + 1);
    }
}

#[test]
fn at_quantile_0_no_sample_must_be_beyond_the_history() {
    // As slow as usual is slow, by these rules: that is never beyond the history.
    for (quantile, label) in [(0.0, Label::ServerBound), (0.01, Label::Healthy)] {
        let mut rules = DiagnosisRules::default();
        rules.evidence.beyond_quantile = quantile;
        let condition = &mut rules.server_bound.when[0];
        (condition.ratio, condition.extra_ms, condition.spreads) = (Some(1.0), None, None);
        rules.server_bound.beyond_handshake = None;
        let mut pair = Pair::usual(rules, 10, 4, USUAL);
        pair.label(Window::of(0, 4, USUAL));
        assert_eq!(pair.label(Window::of(1, 4, USUAL)), Some(label), "quantile {quantile}");
    }
}

#[test]
fn no_transfer_is_beyond_a_usual_low_below_0() {
    let mut rules = DiagnosisRules::default();
    // The usual range goes from 64 - 100 to 64 + 100 Mbit/s.
    rules.usual.spread_floor = 100.0;
    let mut pair = Pair::usual(rules, 60, 4, USUAL);
    let labels = [0, 1].map(|minute| pair.label(Window::of(minute, 4, with(4, 10_000, USUAL))));
    assert_eq!(labels, [Some(Label::Healthy); 2]);
}

#[test]
fn three_windows_name_what_is_not_beyond_the_history() {
    let mut pair = with_one_of(33, 192_000);
    for (minute, label) in [(0, Label::Healthy), (1, Label::Healthy), (2, Label::ServerBound)] {
        assert_eq!(pair.label(Window::of(minute, 4, with(3, 192_000, USUAL))), Some(label), "minute {minute}");
    }
}

/// The window before was called slow, for one minute: that does not keep it.
#[test]
fn eighty_percent_of_three_windows_are_needed() {
    for (all_slow, label) in [(339, Label::ServerBound), (338, Label::Healthy)] {
        let mut pair = usual(USUAL);
        pair.label(Window::of(0, all_slow, SLOW));
        assert_eq!(pair.label(Window::of(1, 1, SLOW)), Some(Label::ServerBound));
        // 339 + 1 + 12 of 440 are 80 %.
        assert_eq!(pair.label(partly(2, 100)), Some(label));
    }
}

/// So many windows of 49 slow samples, of which the second and those after it are named.
fn slow_for(windows: i64) -> Pair {
    let mut pair = usual(USUAL);
    for minute in 0..windows {
        let label = if minute == 0 { Label::Healthy } else { Label::ServerBound };
        assert_eq!(pair.label(Window::of(minute, 49, SLOW)), Some(label));
    }
    pair
}

#[test]
fn half_of_two_windows_keep_it_from_two_windows_after_its_first_on() {
    for (windows, healthy, label) in
        [(3, 49, Label::ServerBound), (3, 50, Label::Healthy), (2, 49, Label::Healthy), (2, 1, Label::Healthy)]
    {
        assert_eq!(slow_for(windows).label(Window::of(windows, healthy, USUAL)), Some(label), "{windows} {healthy}");
    }
    for (minute, label) in [(17, Label::ServerBound), (18, Label::Healthy)] {
        // Windows without samples of the phase, of which the last is as far from the newest slow one as evidence may be.
        let mut pair = slow_for(3);
        for minute in 3..minute {
            pair.label(Window::of(minute, 1, USUAL).without(3));
        }
        assert_eq!(pair.label(Window::of(minute, 1, USUAL).without(3)), Some(label), "minute {minute}");
    }
}

#[test]
fn three_slow_samples_of_two_windows_name_a_fault_and_one_window_of_many_does_not() {
    for (samples, minute, label) in
        [(1, 1, Label::Healthy), (2, 1, Label::ServerBound), (2, 15, Label::ServerBound), (100, 16, Label::Healthy)]
    {
        let mut pair = usual(USUAL);
        assert_eq!(pair.label(Window::of(0, 1, SLOW)), Some(Label::Healthy));
        assert_eq!(pair.label(Window::of(minute, samples, SLOW)), Some(label), "{samples} at minute {minute}");
    }
    let mut pair = usual(USUAL);
    assert_eq!(pair.label(Window::of(0, 100, SLOW)), Some(Label::Healthy));
    let mut pair = usual(USUAL);
    let labels = [0, 7, 14].map(|minute| pair.label(Window::of(minute, 1, SLOW)));
    assert_eq!(labels, [Label::Healthy, Label::Healthy, Label::ServerBound].map(Some), "three of three windows");
}

/// Where only the p95 is slow, an eighth of the samples counts.
#[test]
fn of_sixteen_samples_two_are_slow_where_the_p95_is() {
    for (samples, label) in [(15, Label::Healthy), (16, Label::ServerBound)] {
        let mut pair = usual(USUAL);
        pair.label(Window::of(0, 10, SLOW));
        pair.label(Window::of(1, 10, SLOW));
        assert_eq!(pair.label(Window::of(2, 12, SLOW)), Some(Label::ServerBound));
        // 12 + 1 of 27 are less than half, 12 + 2 of 28 are half.
        assert_eq!(pair.label(partly(3, samples)), Some(label));
    }
}

/// It would be the new normal after six hours and a minute, but for the gap.
#[test]
fn six_hours_go_on_over_15_minutes_of_silence() {
    for (silence, centre) in [(15, None), (16, Some(64.0))] {
        let (mut pair, slow) = (usual(USUAL), with(3, 128_000, USUAL));
        for minute in (0..=100).chain(100 + silence..=361) {
            pair.label(Window::of(minute, 4, slow));
        }
        assert_eq!(pair.usual_ttfb(362).map(|usual| usual.centre), centre, "{silence} minutes");
    }
}

/// Windows of which some fail, so long after the usual ones that these are no evidence.
fn failing(minute: i64, all: u32, failed: u32) -> Window {
    Window::of(minute + 20, all, USUAL).failing(failed)
}

#[test]
fn failures_are_named_from_two_and_half_of_two_windows_on() {
    assert_eq!(usual(USUAL).label(failing(0, 1, 1)), None, "one, and nothing measured");
    assert_eq!(usual(USUAL).label(failing(0, 2, 2)), Some(Label::ErrorBound), "two at once");
    assert_eq!(usual(USUAL).label(failing(0, 101, 50)), Some(Label::Healthy), "less than half");
    for (gap, label) in [(1, Label::ErrorBound), (15, Label::ErrorBound), (16, Label::Healthy)] {
        let mut pair = usual(USUAL);
        assert_eq!(pair.label(failing(0, 2, 1)), Some(Label::Healthy));
        assert_eq!(pair.label(failing(gap, 2, 1)), Some(label), "two of four, {gap} minutes apart");
    }
    let mut pair = usual(USUAL);
    pair.label(failing(0, 1, 1));
    pair.label(failing(1, 1, 0));
    assert_eq!(pair.label(failing(2, 1, 1)), None, "two of three, but of two windows one of two");
    let mut pair = usual(USUAL);
    pair.label(failing(0, 4, 0));
    assert_eq!(pair.label(failing(1, 4, 3)), Some(Label::Healthy), "three of eight");
}

#[test]
fn a_quarter_keeps_failures_named() {
    for (minutes, all, label) in [(2, 50, Label::ErrorBound), (2, 51, Label::Healthy), (1, 50, Label::Healthy)] {
        let mut pair = usual(USUAL);
        for minute in 0..minutes {
            assert_eq!(pair.label(failing(minute, 50, 25)), Some(Label::ErrorBound));
        }
        assert_eq!(pair.label(failing(minutes, all, 0)), Some(label), "{all} after {minutes} minutes");
    }
}

/// That the run of minute 1 goes on in a window of that minute, or else is told to have ended.
#[track_caller]
fn check_run(pair: &mut Pair, minute: i64, since: i64) {
    let judged = pair.judge(failing(minute + 1_000, 4, 4));
    let evidence = judged.diagnosis.unwrap().finding.unwrap().1;
    assert_eq!(evidence.since.ms(), (since + 1_020) * 60_000, "since when minute {minute} has its run");
    assert_eq!(judged.ended_runs.len(), usize::from(since == minute));
}

#[test]
fn two_windows_without_the_label_do_not_end_a_run_nor_do_15_minutes_of_silence() {
    for (again, since) in [(4, 1), (5, 5)] {
        let mut pair = usual(USUAL);
        assert_eq!(pair.label(failing(1, 2, 2)), Some(Label::ErrorBound));
        assert_eq!(pair.label(failing(2, 4, 0)), Some(Label::Healthy));
        check_run(&mut pair, again, since);
    }
    for (again, since) in [(16, 1), (17, 17)] {
        let mut pair = usual(USUAL);
        assert_eq!(pair.label(failing(1, 2, 2)), Some(Label::ErrorBound));
        check_run(&mut pair, again, since);
    }
}

#[test]
fn a_pair_that_starts_anew_has_no_runs() {
    for (silence, ended) in [(1_440, 1), (1_441, 0)] {
        let mut pair = usual(USUAL);
        assert_eq!(pair.label(failing(1, 2, 2)), Some(Label::ErrorBound));
        assert_eq!(pair.judge(failing(1_001 + silence, 2, 0)).ended_runs.len(), ended, "{silence} minutes");
    }
    let mut rules = DiagnosisRules::default();
    (rules.usual.reach_hours, rules.evidence.bridged_windows) = (1, 60);
    let mut pair = Pair::usual(rules, 60, 4, USUAL);
    assert_eq!(pair.label(failing(1, 2, 2)), Some(Label::ErrorBound));
    let judged = pair.judge(failing(1_062, 2, 2));
    assert_eq!(judged.ended_runs, []);
    assert_eq!(judged.diagnosis.unwrap().finding.unwrap().1.since.ms(), 1_082 * 60_000, "though it could be bridged");
}

#[test]
fn nothing_is_a_share_of_nothing_and_no_deviation_measures_nothing() {
    let name_only = |minute, samples, p50, p95| Window {
        figures: [(p50, p95), (0, 0), (0, 0), (0, 0), (64_000, 64_000)],
        ..Window::of(minute, samples, [0; 5])
    };
    let mut pair = usual([0, 0, 0, 0, 64_000]);
    pair.label(name_only(0, 2, 30_000, 30_000));
    assert_eq!(pair.label(name_only(1, 2, 30_000, 30_000)), Some(Label::DnsBound));
    assert_eq!(pair.label(name_only(2, 2, 30_000, 30_000)), Some(Label::DnsBound));
    let evidence = pair.judge(name_only(1_003, 3, 0, 30_000)).diagnosis.unwrap().finding.unwrap().1;
    assert_eq!((evidence.observed, evidence.share_of_total, evidence.bad_samples), (0.0, None, 3));
    let mut rules = DiagnosisRules::default();
    (rules.usual.centre, rules.usual.spread) = (netqoe_model::Centre::Mean, netqoe_model::Spread::Deviation);
    let mut pair = Pair::usual(rules, 60, 4, USUAL);
    pair.label(Window::of(0, 4, SLOW));
    let evidence = pair.judge(Window::of(1_001, 4, SLOW)).diagnosis.unwrap().finding.unwrap().1;
    assert_eq!((evidence.stage, evidence.sigmas), ("ttfb", None));
}

/// The name takes half of the total at the p50, and little of it at the p95.
#[test]
fn of_two_samples_of_which_one_is_slow_one_is_slow_for_sure() {
    let mut pair = usual(USUAL);
    pair.label(Window::of(0, 8, with(0, 400_000, USUAL)));
    let mut window = Window::of(1_001, 2, with(0, 200_000, USUAL));
    window.figures[3] = (64_000, 3_000_000);
    let evidence = pair.judge(window).diagnosis.unwrap().finding.unwrap().1;
    assert_eq!((evidence.stage, evidence.samples, evidence.bad_samples), ("dns", 10, 8 - 4 + 1 + 1));
}

/// The severity of the second of two windows that are alike.
fn severity(usual_figures: [u64; 5], figures: [u64; 5]) -> Severity {
    let mut pair = usual(usual_figures);
    pair.label(Window::of(0, 4, figures));
    pair.severity(Window::of(1, 4, figures)).unwrap()
}

#[test]
fn a_delay_is_as_bad_as_a_person_notices_it() {
    for (usual, observed, expected) in [
        (64_000, 163_999, Severity::Minor),
        (64_000, 164_000, Severity::Major),
        (640_000, 959_999, Severity::Minor),
        (640_000, 960_000, Severity::Major),
        (64_000, 1_063_999, Severity::Major),
        (64_000, 1_064_000, Severity::Critical),
        (1_280_000, 2_559_999, Severity::Major),
        (1_280_000, 2_560_000, Severity::Critical),
    ] {
        let got = severity(with(3, usual, USUAL), with(3, observed, USUAL));
        assert_eq!(got, expected, "{observed} where {usual} are usual");
    }
}

#[test]
fn a_transfer_is_as_bad_as_what_it_still_carries() {
    for (usual, observed, expected) in [
        (64_000, 25_000, Severity::Minor),
        (64_000, 24_999, Severity::Major),
        (32_000, 21_334, Severity::Minor),
        (32_000, 21_333, Severity::Major),
        (64_000, 5_000, Severity::Major),
        (64_000, 4_999, Severity::Critical),
        (8_000, 4_001, Severity::Major),
        (8_000, 4_000, Severity::Critical),
    ] {
        let got = severity(with(4, usual, USUAL), with(4, observed, USUAL));
        assert_eq!(got, expected, "{observed} where {usual} are usual");
    }
}

#[test]
fn failures_are_as_bad_as_they_are_many() {
    for (all, failed, expected) in [(4, 2, Severity::Major), (9, 8, Severity::Major), (10, 9, Severity::Critical)] {
        assert_eq!(usual(USUAL).severity(failing(0, all, failed)), Some(expected));
    }
    let mut pair = usual(USUAL);
    pair.label(failing(0, 49, 49));
    pair.label(failing(1, 49, 49));
    assert_eq!(pair.severity(failing(2, 50, 0)), Some(Severity::Minor), "49 of 99");
}
