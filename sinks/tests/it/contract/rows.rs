//! Whole rows, idempotent, never an older state; a diagnosis follows its row.

use netqoe_model::{AggregateRow, Label, PartitionCommit};

use crate::contract::bench::Bench;
use crate::contract::contents::{AGGREGATES, Cell, DIAGNOSES, assert_same};
use crate::contract::make::{MINUTE_MS, client, commit, dead_letter, finding, full_row, healthy, log, row};
use crate::contract::model::Model;

for_each_store!(
    every_column_is_written,
    committing_twice_is_committing_once,
    an_older_state_never_replaces_a_newer_one,
    of_equal_states_the_later_one_stays,
    a_diagnosis_appears_changes_and_goes_with_its_row,
    names_of_any_kind_are_kept_apart,
);

/// What a commit writes is what the model says.
#[track_caller]
fn check(bench: &Bench, commits: &[&[PartitionCommit]]) {
    let (mut store, generation) = bench.open();
    let mut model = Model::of(&log());
    for (updated_at, partitions) in (100..).zip(commits) {
        bench.set_clock(updated_at);
        store.commit(generation, partitions).unwrap();
        model.commit(generation, partitions, updated_at);
        assert_same(&bench.contents(), &model.contents());
    }
}

fn every_column_is_written(bench: &Bench) {
    let mut partition = commit(3, 9, vec![full_row("a", "x", 60 * MINUTE_MS, 7_300_001), row("a", "y", 0, 5)]);
    partition.clients.push(client("a", 1, 2, "Example ISP"));
    partition.dead_letters.push(dead_letter(3, 8, 2, "no event"));
    check(bench, &[&[partition, commit(4, 5, vec![full_row("b", "x", 0, 1)])]]);
}

fn committing_twice_is_committing_once(bench: &Bench) {
    // Enough rows that stores which write many at once do so.
    let rows = (0..100).map(|n| full_row("a", "x", n * MINUTE_MS, n)).collect();
    let mut partition = commit(0, 9, rows);
    partition.clients.push(client("a", 1, 2, "Example ISP"));
    partition.dead_letters.push(dead_letter(0, 8, 0, "no event"));
    let (mut store, generation) = bench.open();
    store.commit(generation, std::slice::from_ref(&partition)).unwrap();
    let once = bench.contents();
    store.commit(generation, &[partition]).unwrap();
    assert_same(&bench.contents(), &once);
}

fn an_older_state_never_replaces_a_newer_one(bench: &Bench) {
    let newer = |n: i64| full_row("a", "x", n * MINUTE_MS, 1_000);
    let older = |n: i64| row("a", "x", n * MINUTE_MS, 999);
    // One alone, many at once, and both in one commit in either order.
    let alone = [&[commit(0, 1, vec![newer(0)])][..], &[commit(0, 2, vec![older(0)])]];
    let many = [&[commit(0, 3, (10..60).map(newer).collect())][..], &[commit(0, 4, (0..80).map(older).collect())]];
    let at_once = [&[commit(0, 5, vec![older(90), newer(90), newer(91), older(91)])][..]];
    check(bench, &[&alone[..], &many, &at_once].concat());
}

fn of_equal_states_the_later_one_stays(bench: &Bench) {
    let with_successes = |count_success| {
        let mut row = row("a", "x", 0, 5);
        row.window.count_success = count_success;
        row
    };
    check(
        bench,
        &[
            &[commit(0, 1, vec![with_successes(1), with_successes(2)])],
            &[commit(0, 2, vec![with_successes(3)])],
            &[commit(0, 3, vec![with_successes(4)]), commit(1, 3, vec![with_successes(5)])],
        ],
    );
}

fn a_diagnosis_appears_changes_and_goes_with_its_row(bench: &Bench) {
    let (mut store, generation) = bench.open();
    let mut processed = 0;
    let mut labels_after = |diagnosis, as_of| {
        // One row alone, and one among so many that they are written at once.
        let rows = (0..40).map(|n| AggregateRow { diagnosis: None, ..row("many", "x", n * MINUTE_MS, as_of) });
        let mut rows: Vec<_> = rows.chain([row("one", "x", 0, as_of)]).collect();
        rows[20].diagnosis.clone_from(&diagnosis);
        rows[40].diagnosis = diagnosis;
        processed += 1;
        store.commit(generation, &[commit(0, processed, rows)]).unwrap();
        let label = |row: &Vec<Cell>| row[3].clone();
        bench.rows(&DIAGNOSES).iter().map(label).collect::<Vec<_>>()
    };
    let twice = |label: Label| vec![Cell::Text(label.as_str().to_owned()); 2];
    assert_eq!(labels_after(None, 1), []);
    assert_eq!(labels_after(Some(finding(Label::DnsBound, 50.0)), 2), twice(Label::DnsBound));
    assert_eq!(labels_after(Some(finding(Label::ServerBound, 90.0)), 3), twice(Label::ServerBound));
    assert_eq!(labels_after(None, 2), twice(Label::ServerBound), "an older row takes nothing away");
    assert_eq!(labels_after(Some(healthy()), 3), []);
    assert_eq!(labels_after(Some(finding(Label::DnsBound, 1.0)), 4), twice(Label::DnsBound));
    assert_eq!(labels_after(Some(finding(Label::ServerBound, 1.0)), 3), twice(Label::DnsBound), "nor does it diagnose");
    assert_eq!(labels_after(None, 5), []);
}

fn names_of_any_kind_are_kept_apart(bench: &Bench) {
    let names = ["a", "A", "a ", "á", "a\u{301}", "\u{1}", "'", "\"", "\\", "%", "null", "{a,b}", "😀", "\u{10FFFF}"];
    let rows = names.iter().flat_map(|client| names.map(|target| row(client, target, 0, 1))).collect();
    check(bench, &[&[commit(0, 1, rows)]]);
    assert_eq!(bench.rows(&AGGREGATES).len(), names.len() * names.len());
}
