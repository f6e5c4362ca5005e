//! A pair's windows are judged as a reference from scratch judges them, by any rules, and from any stored state on.

#[allow(clippy::unwrap_used, dead_code)] // these modules hold only what tests use, and others use the rest
mod support;

use std::collections::BTreeSet;
use std::sync::Arc;

use netqoe_dataflow::judge::PairState;
use netqoe_model::{Rules, WindowRow};
use proptest::prelude::*;
use support::compare::{is_same, is_same_range};
use support::reference::Judged;
use support::{pairs, reference, rules};

/// The engine's verdict in the reference's form, and the state that the row carries.
fn judge(state: &mut PairState, row: &WindowRow, rules: &Rules) -> (Judged, Option<Arc<[u8]>>) {
    let judged = state.judge(row, rules);
    let mut ended_runs = judged.ended_runs;
    ended_runs.sort();
    (Judged { diagnosis: judged.diagnosis, ended_runs }, judged.pair_state)
}

/// Judges the rows, and forgets all but the newest carried state and the rows after it before each of `restarts`.
#[track_caller]
fn check(rows: &[WindowRow], rules: &Rules, restarts: &BTreeSet<usize>) {
    let expected = reference::judged(rows, rules);
    let mut state = PairState::new(&rules.diagnosis);
    let (mut carried, mut after) = (None, 0);
    for (at, row) in rows.iter().enumerate() {
        if restarts.contains(&at) {
            state = PairState::restore(carried.as_deref(), &rows[after..at], rules);
            let got = state.usual_before(row.start, &rules.diagnosis);
            let got = [got.dns, got.handshake, got.ttfb, got.total, got.throughput];
            let usual = reference::usual_before(row.start, &rows[..at], rules);
            let same = got.iter().zip(usual).all(|(got, usual)| is_same_range(*got, usual));
            assert!(same, "what is usual before window {at} is\n{got:?}\nand should be\n{usual:?}");
        }
        let (judged, pair_state) = judge(&mut state, row, rules);
        assert!(is_same(&judged, &expected[at]), "window {at} is\n{judged:?}\nand should be\n{:?}", expected[at]);
        if pair_state.is_some() {
            (carried, after) = (pair_state, at + 1);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1500, ..ProptestConfig::default() })]

    #[test]
    fn a_pairs_windows_are_judged_as_the_reference_judges_them(
        windows in pairs::windows(8), rules in rules::rules(), restarts in prop::collection::btree_set(0..150_usize, 0..6),
    ) {
        let rows: Vec<_> = windows.iter().map(pairs::Window::row).collect();
        check(&rows, &rules, &restarts);
    }
}
