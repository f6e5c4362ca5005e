//! Any sequence of commits, split in any way, ends in the contents that the model says.

use std::collections::BTreeMap;
use std::sync::Arc;

use netqoe_model::{
    AggregateRow, ClientRow, DeadLetter, Diagnosis, Evidence, Label, LogTime, Look, Network, Partition,
    PartitionCommit, Percentiles, Severity, UsualRange, WindowStart,
};
use netqoe_sinks::{Opening, StoreError};
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::{Config, TestRunner};

use crate::contract::bench::Bench;
use crate::contract::make::{MINUTE_MS, YEAR_2026_MS, client, commit, dead_letter, labels, log, look, row};
use crate::contract::model::Model;

/// Cases are bounded by what it takes to make a database for each.
const CASES: u32 = 24;

/// Minutes around the end of a year, so that rows fall into two of PostgreSQL's monthly partitions.
const FIRST_WINDOW_MS: i64 = YEAR_2026_MS - 3 * MINUTE_MS;

#[test]
fn sqlite_ends_as_the_model_does() {
    check(Bench::sqlite);
}

#[test]
fn postgres_ends_as_the_model_does() {
    check(Bench::postgres);
}

/// A SQLite file that is built aside shows nothing before it is whole.
#[test]
fn a_replay_into_a_new_file_ends_as_the_model_does() {
    let run = |commits: Vec<Vec<PartitionCommit>>| {
        let bench = Bench::sqlite();
        let mut store = bench.connect_for_replay();
        let generation = store.open(&log(), &Opening::default()).unwrap();
        let mut model = Model::of(&log());
        for partitions in commits {
            store.commit(generation, &partitions).unwrap();
            model.commit(generation, &partitions, 1);
        }
        store.complete().unwrap();
        let difference = bench.contents().difference(&model.contents());
        prop_assert!(difference.is_empty(), "{:#?}", difference);
        Ok(())
    };
    TestRunner::new(config()).run(&prop::collection::vec(partitions(), 1..8), run).unwrap();
}

fn config() -> Config {
    Config { cases: CASES, failure_persistence: None, ..Config::default() }
}

#[test]
fn postgres_behind_pgbouncer_ends_as_the_model_does() {
    check(Bench::pgbouncer);
}

#[derive(Clone, Debug)]
enum Step {
    Commit(Vec<PartitionCommit>),
    /// Another process takes over, and the one before tries to commit this.
    TakeOver(Vec<PartitionCommit>),
}

fn check(bench: fn() -> Bench) {
    let run = |steps: Vec<Step>| {
        let bench = bench();
        let (mut store, mut generation) = bench.open();
        let mut model = Model::of(&log());
        for (updated_at, step) in (1_000..).zip(steps) {
            bench.set_clock(updated_at);
            match step {
                Step::Commit(partitions) => {
                    store.commit(generation, &partitions).unwrap();
                    model.commit(generation, &partitions, updated_at);
                }
                Step::TakeOver(refused) => {
                    let (next, taken) = bench.open();
                    let answer = store.commit(generation, &refused);
                    prop_assert!(matches!(answer, Err(StoreError::Fenced { .. })), "{:?}", answer);
                    (store, generation) = (next, taken);
                }
            }
            let difference = bench.contents().difference(&model.contents());
            prop_assert!(difference.is_empty(), "{:#?}", difference);
        }
        Ok(())
    };
    TestRunner::new(config()).run(&prop::collection::vec(steps(), 1..8), run).unwrap();
}

fn steps() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => partitions().prop_map(Step::Commit),
        1 => partitions().prop_map(Step::TakeOver),
    ]
}

/// Batches of a few partitions, each at most once, as a commit has them.
fn partitions() -> impl Strategy<Value = Vec<PartitionCommit>> {
    prop::collection::btree_map(0..4_u16, (0..1_000_u64, rows(), clients(), letters(), looks()), 0..4).prop_map(
        |partitions| {
            let of_partition = |(number, (processed, rows, clients, letters, looks))| PartitionCommit {
                clients,
                dead_letters: in_partition(number, letters),
                looks: looks_of(number, &looks),
                ..commit(number, processed, rows)
            };
            partitions.into_iter().map(of_partition).collect()
        },
    )
}

fn looks_of(number: u16, looks: &BTreeMap<i64, usize>) -> Vec<Look> {
    looks.iter().map(|(at, count)| look(number, *at, *count)).collect()
}

fn in_partition(number: u16, letters: Vec<DeadLetter>) -> Vec<DeadLetter> {
    letters.into_iter().map(|letter| DeadLetter { partition: Partition(number), ..letter }).collect()
}

/// Rows of few keys, so that they meet; sometimes enough to be written many at once.
fn rows() -> impl Strategy<Value = Vec<AggregateRow>> {
    prop_oneof![3 => prop::collection::vec(any_row(), 0..6), 1 => prop::collection::vec(any_row(), 16..60)]
}

fn any_row() -> impl Strategy<Value = AggregateRow> {
    let key = (select(vec!["a", "b", "á\u{1}"]), select(vec!["x", "y"]), 0..6_i64);
    let percentiles =
        option::of((0..10_u64.pow(15), 0..10_u64.pow(15)).prop_map(|(p50, p95)| Percentiles { p50, p95 }));
    let window =
        (0..20_i64, any::<bool>(), 0..5_u32, prop::array::uniform5(0..3_u32), prop::array::uniform5(percentiles));
    let state = option::of(prop::collection::vec(any::<u8>(), 0..600).prop_map(Arc::from));
    let name = || select(vec![None, Some("A"), Some("ü\u{1}'")]);
    let network =
        (name(), name(), name()).prop_map(|(network_type, isp, site)| Network::named(network_type, isp, site));
    let json = || select(vec!["{}", r#"{"k":"A"}"#, "{\"k\":\"ü\\u0001'\",\"l\":\"\"}"]);
    let tags = (json(), json()).prop_map(|(client, target)| labels(client, target));
    let window = (window, network.prop_map(|network| network.map(Arc::new)), tags);
    (key, window, option::of(diagnosis()), state).prop_map(|((client_id, target, minute), window, diagnosis, state)| {
        let ((as_of, is_final, count_success, errors, percentiles), network, tags) = window;
        let mut row = row(client_id, target, FIRST_WINDOW_MS + minute * MINUTE_MS, 0);
        row.window.as_of = LogTime::from_ms(as_of);
        (row.window.is_final, row.window.count_success) = (is_final, count_success);
        (row.window.errors, row.window.percentiles) = (errors, percentiles);
        (row.window.network, row.window.tags) = (network, tags);
        row.diagnosis = diagnosis;
        row.pair_state = state;
        row
    })
}

fn diagnosis() -> impl Strategy<Value = Diagnosis> {
    let figure = || -1e9..1e9_f64;
    let usual = (figure(), figure(), figure()).prop_map(|(centre, low, high)| UsualRange { centre, low, high });
    let figures = (figure(), option::of(usual), option::of(figure()), option::of(figure()));
    let counts = (0..=u32::MAX, 0..9_u32, 0..9_u32, 0..9_i64);
    let evidence = (select(vec!["dns", "throughput"]), figures, counts).prop_map(
        |(stage, (observed, usual, sigmas, share_of_total), (samples, bad_samples, windows, minute))| Evidence {
            stage,
            observed,
            usual,
            sigmas,
            share_of_total,
            samples,
            bad_samples,
            windows,
            since: WindowStart::from_ms(FIRST_WINDOW_MS - minute * MINUTE_MS),
        },
    );
    let severity = select(vec![Severity::Minor, Severity::Critical]);
    let label = select(Label::ALL.to_vec());
    (label, severity, evidence).prop_map(|(label, severity, evidence)| Diagnosis {
        label,
        finding: (label != Label::Healthy).then_some(Box::new((severity, evidence))),
    })
}

fn clients() -> impl Strategy<Value = Vec<ClientRow>> {
    let times = (1..20_i64, 0..20_i64);
    let isp = select(vec!["A", "B", "nul\0"]);
    let client = (select(vec!["a", "b"]), times, isp)
        .prop_map(|(client_id, (first_seen, for_ms), isp)| client(client_id, first_seen, first_seen + for_ms, isp));
    prop::collection::vec(client, 0..4)
}

/// Minutes, and how many pairs were seen at each.
fn looks() -> impl Strategy<Value = BTreeMap<i64, usize>> {
    prop::collection::btree_map((0..6_i64).prop_map(|minute| FIRST_WINDOW_MS + minute * MINUTE_MS), 1..4_usize, 0..4)
}

fn letters() -> impl Strategy<Value = Vec<DeadLetter>> {
    let letter = (0..3_u64, 0..3_u32, select(vec!["no event", "U+0000: \0"]))
        .prop_map(|(position, line, reason)| dead_letter(0, position, line, reason));
    prop::collection::vec(letter, 0..4)
}
