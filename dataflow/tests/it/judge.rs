//! A pair's windows are judged as a reference from scratch judges them, by any rules, and from any stored state on.

use std::collections::BTreeSet;
use std::sync::Arc;

use netqoe_dataflow::judge::PairState;
use netqoe_model::{Figure, Label, Rules, Severity, WindowRow, WindowStart};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

use crate::support::compare::{is_same, is_same_range};
use crate::support::reference::Judged;
use crate::support::reference::steady::{Turns, judged_with_turns};
use crate::support::{pairs, reference, rules, soak};

/// The engine's verdict in the reference's form, and the state that the row carries.
fn judge(state: &mut PairState, row: &WindowRow, rules: &Rules) -> (Judged, Option<Arc<[u8]>>) {
    let judged = state.judge(row, rules);
    let mut ended_runs = judged.ended_runs;
    ended_runs.sort();
    (Judged { diagnosis: judged.diagnosis, suspected: None, ended_runs }, judged.pair_state)
}

/// Judges the rows, and forgets all but the newest carried state and the rows after it before each of `restarts`. How often
/// there was a carried state to go on from.
#[track_caller]
fn check(rows: &[WindowRow], rules: &Rules, restarts: &BTreeSet<usize>, expected: &[Judged]) -> usize {
    let mut state = PairState::new(&rules.diagnosis);
    let (mut carried, mut after, mut restored) = (None, 0, 0);
    for (at, row) in rows.iter().enumerate() {
        if restarts.contains(&at) {
            assert!(at - after < 16, "every 16th row carries a state");
            state = PairState::restore(carried.as_deref(), &rows[after..at], rules);
            restored += usize::from(carried.is_some());
            check_usual(&state, row.start, &rows[..at], rules);
        }
        if at > 0 && row.start.ms() - rows[at - 1].start.ms() > rules.diagnosis.usual.reach_ms() {
            // A pair that starts anew has no past.
            (carried, after) = (None, at);
        }
        let (judged, pair_state) = judge(&mut state, row, rules);
        assert!(is_same(&judged, &expected[at]), "window {at} is\n{judged:?}\nand should be\n{:?}", expected[at]);
        if pair_state.is_some() {
            (carried, after) = (pair_state, at + 1);
        }
    }
    let last_ms = rows.last().map_or(0, |row| row.start.ms());
    let reach_ms = rules.diagnosis.usual.reach_ms();
    for silence_ms in [rules.window_ms, reach_ms, reach_ms + 1] {
        check_usual(&state, WindowStart::from_ms(last_ms + silence_ms), rows, rules);
    }
    restored
}

#[track_caller]
fn check_usual(state: &PairState, start: WindowStart, before: &[WindowRow], rules: &Rules) {
    let got = state.usual_before(start, &rules.diagnosis);
    let got = [got.dns, got.handshake, got.ttfb, got.total, got.throughput];
    let expected = reference::usual_before(start, before, rules);
    let is_same = got.iter().zip(expected).all(|(got, expected)| is_same_range(*got, expected));
    assert!(is_same, "what is usual before {start:?} is\n{got:?}\nand should be\n{expected:?}");
}

fn cases() -> impl Strategy<Value = (Vec<WindowRow>, Rules, BTreeSet<usize>)> {
    let rows = pairs::windows(8).prop_map(|windows| windows.iter().map(pairs::Window::row).collect());
    (rows, rules::rules(), prop::collection::btree_set(0..150_usize, 0..6))
}

proptest! {
    #![proptest_config(soak::cases(200))]

    #[test]
    fn a_pairs_windows_are_judged_as_the_reference_judges_them((rows, rules, restarts) in cases()) {
        check(&rows, &rules, &restarts, &reference::judged(&rows, &rules));
    }
}

/// What the test above may meet does occur, so that it can fail: with a fixed seed, by rules that compare samples.
#[test]
fn the_generated_pairs_reach_all_that_the_rules_say() {
    let mut runner = TestRunner::deterministic();
    let (mut labels, mut severities, mut sparse) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    let (mut turns, mut ended, mut restored, mut usual_kept) = (Turns::default(), 0, 0, 0);
    for _ in 0..200 {
        let (rows, rules, restarts) = cases().new_tree(&mut runner).unwrap().current();
        if rules.diagnosis.usual.figure == Figure::P95 {
            continue;
        }
        let (judged, met) = judged_with_turns(&rows, &rules);
        restored += check(&rows, &rules, &restarts, &judged);
        turns += met;
        ended += judged.iter().map(|judged| judged.ended_runs.len()).sum::<usize>();
        usual_kept += usize::from(rows.len() > usize::from(rules.diagnosis.usual.windows) + 30);
        for diagnosis in judged.into_iter().filter_map(|judged| judged.diagnosis) {
            labels.insert(diagnosis.label);
            let Some(finding) = diagnosis.finding else { continue };
            severities.insert((diagnosis.label, finding.0));
            sparse.insert((finding.1.windows, finding.1.share_of_total.is_some()));
        }
    }
    assert_eq!(labels, BTreeSet::from(Label::ALL));
    let kinds = Label::ALL.into_iter().filter(|label| *label != Label::Healthy);
    let all = kinds.flat_map(|label| [Severity::Minor, Severity::Major, Severity::Critical].map(|how| (label, how)));
    assert_eq!(severities, all.collect());
    assert_eq!(sparse.len(), 6, "one to three windows of evidence, the present one among them or not: {sparse:?}");
    assert!(turns.named_by_more_windows_only >= 100 && turns.not_beyond >= 100, "{turns:?}");
    assert!(turns.kept >= 100 && turns.too_young_to_keep >= 10 && turns.failures_kept >= 30, "{turns:?}");
    assert!(turns.undecided_entered >= 100 && turns.undecided_left_out >= 50, "{turns:?}");
    assert!(
        turns.out_of_turn >= 100 && turns.new_normals >= 10 && turns.better >= 20 && turns.started_anew >= 10,
        "{turns:?}"
    );
    assert!(turns.runs_over_silence >= 100, "{turns:?}");
    assert!(ended >= 100, "{ended} ended runs");
    assert!(restored >= 100, "{restored} states went on from bytes");
    assert!(usual_kept >= 50, "{usual_kept} pairs had more windows than a history takes");
}
