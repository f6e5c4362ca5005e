//! Who may write: the latest generation, of the log that the store follows.

use std::thread;
use std::time::Duration;

use netqoe_model::{DiagnosisRules, Generation, Resume};
use netqoe_sinks::{Opening, StoreError};

use crate::contract::bench::Bench;
use crate::contract::contents::{AGGREGATES, CHECKPOINTS, DEAD_LETTERS, assert_same};
use crate::contract::make::{commit, dead_letter, full_row, log, named_log, row};

for_each_store!(
    an_earlier_generation_writes_and_reads_nothing,
    a_generation_that_nobody_took_writes_nothing,
    processes_of_one_generation_commit_side_by_side,
    a_commit_that_waits_while_another_takes_over_is_refused,
    results_of_another_log_are_refused,
    a_store_without_results_takes_another_log,
    a_file_is_read_from_its_beginning,
    how_a_generation_was_opened_is_kept,
);

#[track_caller]
fn assert_fenced<T: std::fmt::Debug>(refused: Result<T, StoreError>, ours: i64, current: i64) {
    match refused {
        Err(error @ StoreError::Fenced { .. }) => {
            let expected = format!("has generation {ours} of the store");
            let message = error.to_string();
            assert!(message.contains(&expected) && message.contains(&format!("by generation {current};")), "{message}");
        }
        other => panic!("not fenced: {other:?}"),
    }
}

fn an_earlier_generation_writes_and_reads_nothing(bench: &Bench) {
    let (mut earlier, first) = bench.open();
    earlier.commit(first, &[commit(0, 1, vec![row("a", "x", 0, 1)])]).unwrap();
    let (mut later, second) = bench.open();
    assert_eq!((first, second), (Generation(1), Generation(2)));
    let before = bench.contents();
    assert_fenced(earlier.commit(first, &[commit(0, 2, vec![row("a", "x", 0, 2), row("b", "x", 0, 2)])]), 1, 2);
    assert_fenced(earlier.resume(first, &DiagnosisRules::default()), 1, 2);
    assert_same(&bench.contents(), &before);
    later.commit(second, &[commit(0, 2, vec![row("c", "x", 0, 2)])]).unwrap();
    // What matters is the generation, not the connection.
    assert_fenced(later.commit(first, &[commit(0, 3, vec![])]), 1, 2);
    earlier.commit(second, &[commit(0, 3, vec![])]).unwrap();
}

fn a_generation_that_nobody_took_writes_nothing(bench: &Bench) {
    let mut store = bench.connect();
    assert_fenced(store.commit(Generation::default(), &[commit(0, 1, vec![row("a", "x", 0, 1)])]), 0, 0);
    assert_fenced(store.resume(Generation(3), &DiagnosisRules::default()), 3, 0);
    let generation = store.open(&log(), &Opening::default()).unwrap();
    assert_fenced(store.commit(Generation(generation.0 + 1), &[commit(0, 1, vec![])]), 2, 1);
    assert!(bench.rows(&AGGREGATES).is_empty() && bench.rows(&CHECKPOINTS).is_empty());
}

fn processes_of_one_generation_commit_side_by_side(bench: &Bench) {
    let (first, generation) = bench.open();
    let committing = (0..).zip([first, bench.connect()]).map(|(partition, mut store)| {
        thread::spawn(move || {
            assert_eq!(store.resume(generation, &DiagnosisRules::default()).unwrap().history, []);
            for processed in 1..=20 {
                let row = row(&format!("client of {partition}"), "x", 0, processed);
                store.commit(generation, &[commit(partition, processed.cast_unsigned(), vec![row])]).unwrap();
            }
        })
    });
    committing.collect::<Vec<_>>().into_iter().for_each(|thread| thread.join().unwrap());
    assert_eq!(bench.rows(&AGGREGATES).len(), 2);
    assert_eq!(bench.rows(&CHECKPOINTS).len(), 2);
}

fn a_commit_that_waits_while_another_takes_over_is_refused(bench: &Bench) {
    let (mut store, generation) = bench.open();
    let before = bench.contents();
    let take_over = bench.begin("UPDATE fence SET generation = generation + 1");
    let committing = thread::spawn(move || store.commit(generation, &[commit(0, 1, vec![row("a", "x", 0, 1)])]));
    // Long enough for the commit to begin its transaction; without it, the same must come out.
    thread::sleep(Duration::from_millis(200));
    take_over();
    assert_fenced(committing.join().unwrap(), 1, 2);
    assert_same(&bench.contents(), &before);
}

fn results_of_another_log_are_refused(bench: &Bench) {
    let (mut store, generation) = bench.open();
    store.commit(generation, &[commit(0, 1, vec![row("a", "x", 0, 1)])]).unwrap();
    for other in [named_log("another", 16), named_log("live", 8), named_log("ndjson", 16)] {
        let refused = store.open(&other, &Opening::default()).unwrap_err();
        assert!(matches!(refused, StoreError::OtherLog { .. }), "{refused}");
        assert!(!refused.to_string().contains('\n') && refused.to_string().contains(&other.id), "{refused}");
    }
    // A refusal fences nobody off.
    store.commit(generation, &[commit(0, 2, vec![])]).unwrap();
}

fn a_store_without_results_takes_another_log(bench: &Bench) {
    let (mut store, first) = bench.open();
    let second = store.open(&named_log("another", 8), &Opening::default()).unwrap();
    assert!(second > first);
    store.commit(second, &[commit(0, 1, vec![row("a", "x", 0, 1)])]).unwrap();
    assert!(matches!(store.open(&log(), &Opening::default()), Err(StoreError::OtherLog { .. })));
}

fn a_file_is_read_from_its_beginning(bench: &Bench) {
    let file = named_log("ndjson", 16);
    let mut store = bench.connect();
    let first = store.open(&file, &Opening::default()).unwrap();
    let mut partition = commit(0, 5, vec![full_row("a", "x", 0, 9)]);
    partition.dead_letters.push(dead_letter(0, 1, 0, "no event"));
    store.commit(first, &[partition]).unwrap();
    // Into other partitions too: those of a file are nobody's promise.
    let second = store.open(&named_log("ndjson", 8), &Opening::default()).unwrap();
    assert!(bench.rows(&CHECKPOINTS).is_empty() && bench.rows(&DEAD_LETTERS).is_empty());
    assert_eq!(bench.rows(&AGGREGATES).len(), 1, "rows stay until they are written again");
    assert_eq!(store.resume(second, &DiagnosisRules::default()).unwrap(), Resume::default());
    assert_fenced(store.commit(first, &[]), 1, 2);
}

fn how_a_generation_was_opened_is_kept(bench: &Bench) {
    let (mut earlier, first) = bench.open();
    let reader = bench.reader();
    assert_eq!(reader.ask(|store| store.rows.rules()).unwrap(), None);
    let rules = "{\"window_ms\":1000}".to_owned();
    let opening = Opening { rules: Some(rules.clone()), opened_by: Some("process 7 on a host".to_owned()) };
    bench.connect().open(&log(), &opening).unwrap();
    assert_eq!(reader.ask(|store| store.rows.rules()).unwrap(), Some(rules));
    let refused = [
        earlier.commit(first, &[commit(0, 1, vec![])]).unwrap_err(),
        earlier.resume(first, &DiagnosisRules::default()).unwrap_err(),
    ];
    for refused in refused {
        assert!(refused.to_string().contains("by generation 2 of process 7 on a host; "), "{refused}");
    }
    bench.open();
    assert_fenced(earlier.commit(first, &[]), 1, 3);
    assert_eq!(reader.ask(|store| store.rows.rules()).unwrap(), None);
    // As an older netqoe has left it, which may be read before it is brought up to date.
    bench.execute("ALTER TABLE fence DROP COLUMN rules");
    assert_eq!(reader.ask(|store| store.rows.rules()).unwrap(), None);
}
