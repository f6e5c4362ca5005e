//! A store of any version is either brought up to date or refused, and never harmed.

use std::thread;

use netqoe_sinks::StoreError;

use crate::bench::Bench;
use crate::contents::assert_same;
use crate::make::{commit, row};

for_each_store!(
    a_newer_schema_is_refused_in_one_line,
    connecting_again_keeps_what_is_there,
    processes_that_start_at_once_make_one_schema,
);

fn a_newer_schema_is_refused_in_one_line(bench: &Bench) {
    drop(bench.connect());
    bench.execute("INSERT INTO store_schema_history VALUES (99, 'of_tomorrow', '2040-01-01T00:00:00Z', '1')");
    let Err(refused) = bench.try_connect() else { panic!("a newer schema is opened") };
    assert!(matches!(refused, StoreError::Newer { found: 99, .. }), "{refused:?}");
    let message = refused.to_string();
    assert!(message.contains("99") && message.contains("newer netqoe") && !message.contains('\n'), "{message}");
}

fn connecting_again_keeps_what_is_there(bench: &Bench) {
    let (mut store, generation) = bench.open();
    store.commit(generation, &[commit(0, 1, vec![row("a", "x", 0, 1)])]).unwrap();
    let before = bench.contents();
    drop(store);
    bench.connect();
    assert_same(&bench.contents(), &before);
}

fn processes_that_start_at_once_make_one_schema(bench: &Bench) {
    let starting: Vec<_> = (0..4).map(|_| thread::spawn(bench.connector())).collect();
    starting.into_iter().for_each(|thread| drop(thread.join().unwrap().unwrap()));
    let (mut store, generation) = bench.open();
    store.commit(generation, &[commit(0, 1, vec![row("a", "x", 0, 1)])]).unwrap();
}
