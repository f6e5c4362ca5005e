//! What may have made processing fail: starts that led nowhere, and attempts at a record.

use netqoe_model::{DiagnosisRules, Generation, MAX_ATTEMPTS, Partition, Position};
use netqoe_sinks::{Opening, Store, StoreError};

use crate::contract::bench::Bench;
use crate::contract::make::{commit, log, named_log};

for_each_store!(
    starts_without_progress_are_counted_by_partition,
    an_end_in_good_order_is_no_fruitless_start,
    attempts_at_a_record_are_counted_over_generations,
    one_record_is_tried_at_a_time,
    what_was_tried_too_often_stays_set_aside_while_it_may_be_read_again,
    an_earlier_generation_tries_nothing,
    another_log_has_its_own,
);

/// Fruitless starts of the partitions 0 to 2 at a start of the usual log, which then is lost.
fn fruitless(bench: &Bench) -> [u32; 3] {
    let (mut store, generation) = bench.open();
    let resume = store.resume(generation, &DiagnosisRules::default()).unwrap();
    let of = |number| resume.fruitless_starts.iter().find(|(partition, _)| partition.0 == number);
    [0, 1, 2].map(|number| of(number).map_or(0, |(_, starts)| *starts))
}

fn attempt(store: &mut dyn Store, generation: Generation, partition: u16, position: u64) -> Option<u32> {
    store.attempt(generation, Partition(partition), Position(position)).unwrap()
}

fn starts_without_progress_are_counted_by_partition(bench: &Bench) {
    assert_eq!(fruitless(bench), [0, 0, 0]);
    assert_eq!(fruitless(bench), [1, 1, 1]);
    let (mut store, generation) = bench.open();
    store.commit(generation, &[commit(1, 5, vec![])]).unwrap();
    assert_eq!(fruitless(bench), [3, 0, 3]);
    assert_eq!(fruitless(bench), [4, 1, 4]);
}

fn an_end_in_good_order_is_no_fruitless_start(bench: &Bench) {
    fruitless(bench);
    assert_eq!(fruitless(bench), [1, 1, 1]);
    let (store, _) = bench.open();
    store.complete().unwrap();
    assert_eq!(fruitless(bench), [0, 0, 0]);
    assert_eq!(fruitless(bench), [1, 1, 1]);
}

fn attempts_at_a_record_are_counted_over_generations(bench: &Bench) {
    for before in 0..5 {
        let (mut store, generation) = bench.open();
        assert_eq!(attempt(&mut *store, generation, 3, 8), Some(before));
    }
    let (mut store, generation) = bench.open();
    assert_eq!(attempt(&mut *store, generation, 3, 9), Some(0), "another record");
}

fn one_record_is_tried_at_a_time(bench: &Bench) {
    let (mut store, generation) = bench.open();
    let mut other = bench.connect();
    assert_eq!(attempt(&mut *store, generation, 3, 8), Some(0));
    assert_eq!(attempt(&mut *other, generation, 4, 7), None);
    store.commit(generation, &[commit(3, 8, vec![])]).unwrap();
    assert_eq!(attempt(&mut *other, generation, 4, 7), Some(0), "and having waited is no attempt");
    assert_eq!(attempt(&mut *store, generation, 3, 9), None);
    let (mut next, generation) = bench.open();
    assert_eq!(attempt(&mut *next, generation, 3, 9), Some(0), "what was tried before this generation is over");
}

fn what_was_tried_too_often_stays_set_aside_while_it_may_be_read_again(bench: &Bench) {
    let (mut store, generation) = bench.open();
    let mut set_aside = || store.resume(generation, &DiagnosisRules::default()).unwrap().set_aside;
    let mut trying = bench.connect();
    for _ in 0..MAX_ATTEMPTS {
        attempt(&mut *trying, generation, 3, 8);
        assert_eq!(set_aside(), []);
    }
    attempt(&mut *trying, generation, 3, 8);
    let expected = [(Partition(3), Position(8))];
    assert_eq!(set_aside(), expected);
    // A checkpoint goes on from half of what is processed.
    trying.commit(generation, &[commit(3, 16, vec![])]).unwrap();
    attempt(&mut *trying, generation, 3, 17);
    assert_eq!(set_aside(), expected);
    trying.commit(generation, &[commit(3, 18, vec![])]).unwrap();
    attempt(&mut *trying, generation, 3, 19);
    assert_eq!(set_aside(), []);
}

fn an_earlier_generation_tries_nothing(bench: &Bench) {
    let (mut store, generation) = bench.open();
    bench.connect().open(&log(), &Opening::default()).unwrap();
    let refused = store.attempt(generation, Partition(0), Position(1)).unwrap_err();
    assert!(matches!(refused, StoreError::Fenced { .. }), "{refused}");
}

fn another_log_has_its_own(bench: &Bench) {
    let (mut store, generation) = bench.open();
    attempt(&mut *store, generation, 3, 8);
    let generation = store.open(&named_log("another", 16), &Opening::default()).unwrap();
    assert_eq!(attempt(&mut *store, generation, 3, 8), Some(0));
    assert_eq!(store.resume(generation, &DiagnosisRules::default()).unwrap().fruitless_starts, []);
}
