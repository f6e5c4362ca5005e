//! What baselines are made of comes back as it was written.

use netqoe_model::{AggregateRow, DiagnosisRules};

use crate::bench::Bench;
use crate::make::{MINUTE_MS, commit, full_row, row};

for_each_store!(
    rows_come_back_as_they_were,
    the_latest_windows_with_a_success_come_back_oldest_first,
    windows_too_old_for_a_baseline_stay,
    keys_stay_together,
);

/// What a new generation reads back after these rows.
fn read_back(bench: &Bench, rows: &[AggregateRow], rules: &DiagnosisRules) -> Vec<AggregateRow> {
    let (mut store, generation) = bench.open();
    store.commit(generation, &[commit(0, 1, rows.to_vec())]).unwrap();
    let (mut next, generation) = bench.open();
    next.resume(generation, rules).unwrap().history
}

fn is_final(mut row: AggregateRow) -> AggregateRow {
    row.window.is_final = true;
    row
}

fn starts(rows: &[AggregateRow]) -> Vec<i64> {
    rows.iter().map(|row| row.window.start.ms()).collect()
}

fn rows_come_back_as_they_were(bench: &Bench) {
    let mut written = full_row("client", "https://example.com/", 600 * MINUTE_MS, 40_000_123);
    let read = read_back(bench, std::slice::from_ref(&written), &DiagnosisRules::default());
    written.diagnosis = None;
    assert_eq!(read, [written]);
}

fn the_latest_windows_with_a_success_come_back_oldest_first(bench: &Bench) {
    let mut rows: Vec<_> = (0..30).map(|n| is_final(row("a", "x", n * MINUTE_MS, n))).collect();
    for without_success in [5, 22, 29] {
        rows[without_success].window.count_success = 0;
        rows[without_success].window.errors[0] = 3;
    }
    for provisional in [24, 28] {
        rows[provisional].window.is_final = false;
    }
    let rules = DiagnosisRules { baseline_windows: 6, ..DiagnosisRules::default() };
    let expected = [20, 21, 23, 25, 26, 27].map(|n| n * MINUTE_MS);
    assert_eq!(starts(&read_back(bench, &rows, &rules)), expected);
}

fn windows_too_old_for_a_baseline_stay(bench: &Bench) {
    let day = 86_400_000;
    let starts_ms = [0, 3 * day - 1, 3 * day, 4 * day];
    let rows = starts_ms.map(|start| is_final(row("a", "x", start, start)));
    assert_eq!(starts(&read_back(bench, &rows, &DiagnosisRules::default())), [3 * day, 4 * day]);
}

fn keys_stay_together(bench: &Bench) {
    let keys = [("a", "x"), ("a", "y"), ("a ", "x"), ("b", "x"), ("á", "x")];
    // By window first, as commits bring them; and one key has nothing to give.
    let mut rows: Vec<_> =
        (0..12).flat_map(|n| keys.map(|(client, target)| is_final(row(client, target, n * MINUTE_MS, n)))).collect();
    rows.push(row("c", "x", 0, 1));
    let read = read_back(bench, &rows, &DiagnosisRules::default());
    let names: Vec<_> = read.iter().map(|row| (&*row.client_id, &*row.target)).collect();
    let expected: Vec<_> = keys.into_iter().flat_map(|key| [key; 10]).collect();
    assert_eq!(names, expected);
    for key in read.chunks(10) {
        assert_eq!(starts(key), (2..12).map(|n| n * MINUTE_MS).collect::<Vec<_>>());
    }
}
