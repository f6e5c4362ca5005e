//! Rows and the progress that they reflect go together: all of a commit, or none of it.

use netqoe_model::{DiagnosisRules, Position, Resume};
use netqoe_sinks::StoreError;

use crate::contract::bench::Bench;
use crate::contract::contents::{CHECKPOINTS, WRITTEN, assert_same};
use crate::contract::make::{YEAR_2026_MS, checkpoint, client, commit, dead_letter, full_row, look};

for_each_store!(
    each_partition_has_its_own_progress,
    the_greatest_positions_come_back,
    a_commit_of_nothing_changes_nothing,
    what_fails_in_any_table_leaves_all_as_they_were,
);

fn each_partition_has_its_own_progress(bench: &Bench) {
    let (mut store, generation) = bench.open();
    let mut reached = |partitions: &[_]| {
        store.commit(generation, partitions).unwrap();
        store.resume(generation, &DiagnosisRules::default()).unwrap().checkpoints
    };
    assert_eq!(reached(&[commit(7, 20, vec![])]), [checkpoint(7, 20)]);
    assert_eq!(
        reached(&[commit(15, 1, vec![]), commit(0, 9, vec![])]),
        [checkpoint(0, 9), checkpoint(7, 20), checkpoint(15, 1)]
    );
    assert_eq!(reached(&[commit(7, 21, vec![])]), [checkpoint(0, 9), checkpoint(7, 21), checkpoint(15, 1)]);
}

fn the_greatest_positions_come_back(bench: &Bench) {
    let mut partition = commit(0, 1, vec![]);
    partition.checkpoint.processed = Position(u64::MAX);
    partition.checkpoint.resume_from = Position(1 << 63);
    let expected = partition.checkpoint;
    let (mut store, generation) = bench.open();
    store.commit(generation, &[partition]).unwrap();
    let resume = store.resume(generation, &DiagnosisRules::default()).unwrap();
    assert_eq!(resume, Resume { checkpoints: vec![expected], ..Resume::default() });
}

fn a_commit_of_nothing_changes_nothing(bench: &Bench) {
    let (mut store, generation) = bench.open();
    store.commit(generation, &[commit(0, 1, vec![full_row("a", "x", 0, 1)])]).unwrap();
    let before = bench.contents();
    store.commit(generation, &[]).unwrap();
    assert_same(&bench.contents(), &before);
}

fn what_fails_in_any_table_leaves_all_as_they_were(bench: &Bench) {
    let (mut store, generation) = bench.open();
    store.commit(generation, &[commit(0, 1, vec![full_row("a", "x", 0, 1)])]).unwrap();
    let before = bench.contents();
    let mut partition = commit(0, 2, vec![full_row("a", "x", 0, 2), full_row("b", "x", 0, 2)]);
    partition.clients.push(client("a", 1, 2, "Example ISP"));
    partition.dead_letters.push(dead_letter(0, 2, 0, "no event"));
    partition.looks.push(look(0, YEAR_2026_MS, 1));
    for table in WRITTEN {
        bench.spoil(table);
        let failed = store.commit(generation, std::slice::from_ref(&partition)).unwrap_err();
        assert!(failed.to_string().contains("spoilt"), "{}: {failed}", table.name);
        assert!(matches!(failed, StoreError::Sqlite { .. } | StoreError::Postgres { .. }), "{failed:?}");
        assert_same(&bench.contents(), &before);
        bench.mend(table);
    }
    // Nothing of the failures is left behind: the same commit goes through.
    store.commit(generation, &[partition]).unwrap();
    assert_eq!(bench.rows(&CHECKPOINTS).len(), 1);
    assert_ne!(bench.contents(), before);
}
