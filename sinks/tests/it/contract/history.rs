//! What a pair's next windows are judged by comes back: its newest usable state, and the final rows after it.

use std::collections::BTreeMap;
use std::sync::Arc;

use netqoe_model::{
    AggregateRow, Checkpoint, DiagnosisRules, LogTime, PairPast, Partition, PartitionCommit, ROWS_PER_STATE, WindowRow,
};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use crate::contract::bench::Bench;
use crate::contract::make::{MINUTE_MS, YEAR_2026_MS, checkpoint, client, commit, full_row, log, row};

for_each_store!(
    the_newest_state_comes_back_with_the_rows_after_it,
    a_state_of_other_rules_counts_as_none,
    without_a_state_more_rows_come_back,
    rows_and_states_before_a_gap_stay,
    keys_stay_together,
    rows_that_are_further_than_their_checkpoint_are_left_out,
    any_past_is_what_going_through_all_rows_gives,
);

/// What a new generation reads back after these rows.
fn read_back(bench: &Bench, rows: &[AggregateRow], rules: &DiagnosisRules) -> Vec<PairPast> {
    let (mut store, generation) = bench.open();
    store.commit(generation, &[commit(0, 1, rows.to_vec())]).unwrap();
    let (mut next, generation) = bench.open();
    next.resume(generation, rules).unwrap().history
}

/// Final rows of one pair, one a minute. They begin before the end of a month.
fn minutes(count: i64) -> Vec<AggregateRow> {
    let start = |n| YEAR_2026_MS + (n - 20) * MINUTE_MS;
    let is_final = |mut row: AggregateRow| {
        row.window.is_final = true;
        row
    };
    (0..count).map(|n| is_final(row("a", "x", start(n), n))).collect()
}

/// A state that these rules can use, told from others by its end.
fn state(rules: &DiagnosisRules, end: u8) -> Option<Arc<[u8]>> {
    Some(rules.state_tag().into_iter().chain([0, 7, end]).collect())
}

/// Without their networks and labels: nothing is judged by those.
fn windows(rows: &[AggregateRow]) -> Vec<WindowRow> {
    rows.iter().map(|row| WindowRow { network: None, tags: None, ..row.window.clone() }).collect()
}

fn past(state: Option<Arc<[u8]>>, rows: &[AggregateRow]) -> [PairPast; 1] {
    [PairPast { client_id: "a".into(), target: "x".into(), state, rows: windows(rows) }]
}

fn the_newest_state_comes_back_with_the_rows_after_it(bench: &Bench) {
    let rules = DiagnosisRules::default();
    let mut rows = minutes(60);
    rows[20].pair_state = state(&rules, 1);
    rows[45].pair_state = state(&rules, 2);
    rows[48].window.count_success = 0;
    rows[48].window.errors[0] = 3;
    rows[50].window = full_row("a", "x", rows[50].window.start.ms(), 40_000_123).window;
    rows[58].window.is_final = false;
    let mut expected = rows[46..].to_vec();
    expected.remove(12);
    assert_eq!(read_back(bench, &rows, &rules), past(rows[45].pair_state.clone(), &expected));
    rows[59].pair_state = state(&rules, 3);
    assert_eq!(read_back(bench, &rows, &rules), past(rows[59].pair_state.clone(), &[]));
}

fn a_state_of_other_rules_counts_as_none(bench: &Bench) {
    let rules = DiagnosisRules::default();
    let mut rows = minutes(60);
    rows[45].pair_state = state(&rules, 1);
    rows[50].pair_state = state(&DiagnosisRules::classic(), 2);
    rows[52].pair_state = Some(Arc::from(&rules.state_tag()[..7]));
    assert_eq!(read_back(bench, &rows, &rules), past(rows[45].pair_state.clone(), &rows[46..]));
    let classic = read_back(bench, &rows, &DiagnosisRules::classic());
    assert_eq!(classic, past(rows[50].pair_state.clone(), &rows[51..]));
    let mut others = DiagnosisRules::default();
    others.evidence.share += 0.001;
    assert_eq!(read_back(bench, &rows, &others), past(None, &rows));
}

fn without_a_state_more_rows_come_back(bench: &Bench) {
    let mut few = DiagnosisRules::default();
    few.usual.windows = 2;
    for rules in [DiagnosisRules::default(), DiagnosisRules::classic(), few] {
        let without_state = usize::from(rules.rows_without_state());
        let mut rows = minutes(300);
        let farthest = rows.len() - 1 - usize::from(ROWS_PER_STATE);
        rows[farthest - 1].pair_state = state(&rules, 1);
        assert_eq!(read_back(bench, &rows, &rules), past(None, &rows[300 - without_state..]), "{}", rules.name);
        rows[farthest].pair_state = state(&rules, 2);
        let expected = past(rows[farthest].pair_state.clone(), &rows[farthest + 1..]);
        assert_eq!(read_back(bench, &rows, &rules), expected, "{}", rules.name);
    }
}

fn rows_and_states_before_a_gap_stay(bench: &Bench) {
    let rules = DiagnosisRules::default();
    let with_gap = |before: usize, gap_ms: i64, with_state: Option<usize>| {
        let mut rows = minutes(60);
        for row in &mut rows[before..] {
            let start_ms = row.window.start.ms() + gap_ms - MINUTE_MS;
            row.window.start = netqoe_model::WindowStart::from_ms(start_ms);
        }
        if let Some(nth) = with_state {
            rows[nth].pair_state = state(&rules, 1);
        }
        bench.connect();
        bench.execute("DELETE FROM agg_1m");
        (read_back(bench, &rows, &rules), rows)
    };
    let reach_ms = rules.usual.reach_ms();
    for before in [20, 52] {
        let (read, rows) = with_gap(before, reach_ms, None);
        assert_eq!(read, past(None, &rows), "{before}");
        let (read, rows) = with_gap(before, reach_ms + 1, None);
        assert_eq!(read, past(None, &rows[before..]), "{before}");
    }
    let (read, rows) = with_gap(52, reach_ms + 1, Some(51));
    assert_eq!(read, past(None, &rows[52..]));
    let (read, rows) = with_gap(52, reach_ms, Some(51));
    assert_eq!(read, past(rows[51].pair_state.clone(), &rows[52..]));
}

fn keys_stay_together(bench: &Bench) {
    let keys = [("a", "x"), ("a", "y"), ("a ", "x"), ("b", "x"), ("á", "x")];
    let rules = DiagnosisRules::default();
    let mut rows = Vec::new();
    // By window first, as commits bring them. Every second key has a state, the others are read on.
    for (n, minute) in minutes(40).into_iter().enumerate() {
        for (key, (client_id, target)) in keys.into_iter().enumerate() {
            let pair_state = state(&rules, key as u8).filter(|_| n == 34 && key % 2 == 0);
            rows.push(AggregateRow {
                client_id: client_id.into(),
                target: target.into(),
                pair_state,
                ..minute.clone()
            });
        }
    }
    rows.push(row("c", "x", YEAR_2026_MS, 1)); // it has no final row
    let read = read_back(bench, &rows, &rules);
    let names: Vec<_> = read.iter().map(|pair| (&*pair.client_id, &*pair.target)).collect();
    assert_eq!(names, keys);
    for (key, pair) in read.iter().enumerate() {
        let (end, count) = if key % 2 == 0 { (state(&rules, key as u8), 5) } else { (None, 40) };
        assert_eq!((&pair.state, &pair.rows), (&end, &windows(&minutes(40)[40 - count..])), "{pair:?}");
    }
}

/// A process was killed while windows closed: those that close again must not be a part of what they are judged by.
fn rows_that_are_further_than_their_checkpoint_are_left_out(bench: &Bench) {
    let rules = DiagnosisRules::default();
    let mut rows = minutes(40);
    rows[20].pair_state = state(&rules, 1);
    rows[38].pair_state = state(&rules, 2);
    let of_other_partition = AggregateRow { client_id: "b".into(), ..rows[39].clone() };
    let partition = Partition::of("a", log().partitions);
    assert_ne!(Partition::of("b", log().partitions), partition);
    let commit_at = |log_time_ms| PartitionCommit {
        checkpoint: Checkpoint { log_time: LogTime::from_ms(log_time_ms), ..checkpoint(partition.0, 1) },
        clients: vec![client("a", 1, 2, "A")],
        ..commit(partition.0, 1, rows.iter().cloned().chain([of_other_partition.clone()]).collect())
    };
    let read_at = |log_time_ms| {
        let (mut store, generation) = bench.open();
        store.commit(generation, &[commit_at(log_time_ms)]).unwrap();
        let history = store.resume(generation, &rules).unwrap().history;
        history.into_iter().filter(|past| &*past.client_id == "a").collect::<Vec<_>>()
    };
    assert_eq!(read_at(35), past(rows[20].pair_state.clone(), &rows[21..36]));
    assert_eq!(read_at(36), past(rows[20].pair_state.clone(), &rows[21..37]));
    assert_eq!(read_at(38), past(rows[38].pair_state.clone(), &[]));
}

/// Of a row: minutes after the one before, whether it is final, and the kind of its state.
type Step = (i64, bool, u8);

fn any_past_is_what_going_through_all_rows_gives(bench: &Bench) {
    let mut rules = DiagnosisRules::default();
    (rules.usual.windows, rules.usual.reach_hours) = (14, 1);
    let minutes = prop_oneof![20 => Just(1_i64), 3 => 2..60_i64, 1 => 60..=61_i64];
    let step = (minutes, prop::bool::weighted(0.9), prop_oneof![9 => Just(0_u8), 1 => 1..4_u8]);
    let pairs = vec(vec(step, 0..50), 1..6);
    let mut runner = TestRunner::new(Config { cases: 48, failure_persistence: None, ..Config::default() });
    let run = |pairs: Vec<Vec<Step>>| {
        bench.connect();
        bench.execute("DELETE FROM agg_1m");
        let rows: Vec<_> = (0..).zip(&pairs).flat_map(|(nth, steps)| of_steps(nth, steps, &rules)).collect();
        prop_assert_eq!(read_back(bench, &rows, &rules), expected(&rows, &rules));
        Ok(())
    };
    runner.run(&pairs, run).unwrap();
}

fn of_steps(nth: u8, steps: &[Step], rules: &DiagnosisRules) -> Vec<AggregateRow> {
    let mut start_ms = YEAR_2026_MS - 30 * MINUTE_MS;
    let made = |(end, (minutes, is_final, kind)): (u8, &Step)| {
        start_ms += minutes * MINUTE_MS;
        let mut row = row(&format!("client {nth}"), "x", start_ms, 1);
        row.window.is_final = *is_final;
        row.pair_state = match kind {
            0 => None,
            1 => state(&DiagnosisRules::classic(), end),
            _ => state(rules, end).filter(|_| *is_final),
        };
        row
    };
    (0..).zip(steps).map(made).collect()
}

/// Of rows of each pair that come oldest first.
fn expected(rows: &[AggregateRow], rules: &DiagnosisRules) -> Vec<PairPast> {
    let mut pairs: BTreeMap<&str, Vec<&AggregateRow>> = BTreeMap::new();
    for row in rows.iter().filter(|row| row.window.is_final) {
        pairs.entry(&row.client_id).or_default().push(row);
    }
    let past = |(client_id, mut rows): (&str, Vec<&AggregateRow>)| {
        let gap = |pair: &[&AggregateRow]| pair[1].window.start.ms() - pair[0].window.start.ms();
        let begins = rows.windows(2).rposition(|pair| gap(pair) > rules.usual.reach_ms()).map_or(0, |gap| gap + 1);
        rows.drain(..begins);
        let is_usable =
            |row: &&AggregateRow| row.pair_state.as_deref().is_some_and(|state| state.starts_with(&rules.state_tag()));
        let newest = rows.len().saturating_sub(usize::from(ROWS_PER_STATE) + 1);
        let (state, after) = match rows[newest..].iter().rposition(is_usable) {
            Some(nth) => (rows[newest + nth].pair_state.clone(), newest + nth + 1),
            None => (None, rows.len().saturating_sub(rules.rows_without_state().into())),
        };
        let rows = rows[after..].iter().map(|row| row.window.clone()).collect();
        PairPast { client_id: client_id.into(), target: "x".into(), state, rows }
    };
    pairs.into_iter().map(past).collect()
}
