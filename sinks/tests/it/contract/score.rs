//! Sums for scores are what going through all rows gives.

use std::collections::BTreeMap;
use std::sync::Arc;

use netqoe_model::{AggregateRow, Network, Percentiles};
use netqoe_sinks::read::{Extent, ReadError, ScoreRecord, ScoreTerms};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use crate::contract::bench::Bench;
use crate::contract::make::{MINUTE_MS, YEAR_2026_MS, client, commit, row};

for_each_store!(a_window_speaks_for_itself_and_for_a_while, sums_are_what_going_through_all_rows_gives);

const TERMS: ScoreTerms = ScoreTerms { satisfied_ms: 100, held_ms: 5 * MINUTE_MS };
const ALL: u32 = 1_000;
const CLIENTS: [&str; 2] = ["a", "é\"\\?"];
const ISPS: [Option<&str>; 3] = [None, Some("x"), Some("ü")];

fn at(minute: i64) -> i64 {
    YEAR_2026_MS + minute * MINUTE_MS
}

/// Thousandths of a millisecond in the first byte's p50 and p95; nothing else is measured.
fn window(
    client_id: &str,
    minute: i64,
    [success, error]: [u32; 2],
    ms: Option<[u64; 2]>,
    isp: Option<&str>,
) -> AggregateRow {
    let mut row = row(client_id, "t", at(minute), 1);
    row.window.count_success = success;
    row.window.errors = [error, 0, 0, 0, 0];
    row.window.percentiles[3] = ms.map(|[p50, p95]| Percentiles { p50: p50 * 1_000, p95: p95 * 1_000 });
    row.window.network = Network::named(None, isp, None).map(Arc::new);
    row
}

fn write(bench: &Bench, rows: Vec<AggregateRow>) {
    let mut partition = commit(0, 1, rows);
    partition.clients = CLIENTS.map(|name| client(name, at(0), at(9), "A")).to_vec();
    let (mut store, generation) = bench.open();
    store.commit(generation, &[partition]).unwrap();
}

fn extent(target: Option<&str>, from: i64, to: i64) -> Extent {
    Extent { client_id: None, target: target.map(str::to_owned), from_ms: at(from), to_ms: at(to) }
}

fn scores(bench: &Bench, extent: &Extent, limit: u32) -> Vec<ScoreRecord> {
    let mut found = bench.reader().ask(|store| store.rows.scores(extent, TERMS, limit)).unwrap();
    found.sort_by(|a, b| (&a.pair, &a.isp).cmp(&(&b.pair, &b.isp)));
    found
}

fn a_window_speaks_for_itself_and_for_a_while(bench: &Bench) {
    write(
        bench,
        vec![
            // Satisfied by both; the next window comes after one minute.
            window("a", 0, [10, 0], Some([50, 100]), Some("x")),
            // Satisfied and tolerated; half fails, which is still available; it speaks for five minutes.
            window("a", 1, [2, 2], Some([100, 400]), Some("x")),
            // Tolerated and frustrated; more than half fails; it speaks until the end of the range.
            window("a", 20, [1, 2], Some([101, 401]), Some("x")),
            // Nothing succeeds, over an unknown network.
            window("a", 30, [0, 3], None, None),
        ],
    );
    let found = scores(bench, &extent(None, 0, 23), ALL);
    let [of_x] = &found[..] else { panic!("{found:?}") };
    assert_eq!((of_x.windows, of_x.count_total, of_x.count_error), (3, 17, 4));
    assert_eq!(of_x.satisfied_quarters, 10 * 4 + 2 * 3 + 1);
    assert_eq!([of_x.available_ms, of_x.unavailable_ms], [(1 + 5) * 60_000, 3 * 60_000]);
    let of_both = scores(bench, &extent(Some("t"), 20, 40), ALL);
    let times: Vec<_> = of_both.iter().map(|record| (record.isp.as_deref(), record.unavailable_ms)).collect();
    assert_eq!(times, [(None, 5 * 60_000), (Some("x"), 5 * 60_000)]);
    assert_eq!(scores(bench, &extent(None, 0, 40), 1).len(), 1);
    for nothing in [extent(Some("u"), 0, 40), extent(Some("t\0"), 0, 40), extent(None, 40, 90), extent(None, 40, 0)] {
        assert_eq!(scores(bench, &nothing, ALL), []);
    }
    let hostile = Extent { from_ms: i64::MIN, to_ms: i64::MAX, ..extent(None, 0, 1) };
    let asked: Result<_, ReadError> = bench.reader().ask(|store| store.rows.scores(&hostile, TERMS, ALL));
    assert_eq!(asked.unwrap().len(), 2);
}

/// The same sums, one row after the other.
fn expected(rows: &[AggregateRow], extent: &Extent) -> Vec<ScoreRecord> {
    let within = |row: &&AggregateRow| (extent.from_ms..extent.to_ms).contains(&row.window.start.ms());
    let rows: BTreeMap<_, _> =
        rows.iter().filter(within).map(|row| ((&row.client_id, row.window.start), row)).collect();
    let mut sums: BTreeMap<_, ScoreRecord> = BTreeMap::new();
    for ((client_id, start), row) in &rows {
        let next = rows.keys().find(|(other, later)| other == client_id && later > start);
        let next_ms = next.map_or(extent.to_ms, |(_, later)| later.ms());
        let held_ms = (next_ms - start.ms()).min(TERMS.held_ms).unsigned_abs();
        let isp = row.window.network.as_ref().and_then(|network| network.isp.clone());
        let pair = netqoe_sinks::read::Pair { client_id: (*client_id).clone(), target: row.target.clone() };
        let record = sums.entry((pair.clone(), isp.clone())).or_insert(ScoreRecord {
            pair,
            isp,
            windows: 0,
            count_total: 0,
            count_error: 0,
            satisfied_quarters: 0,
            available_ms: 0,
            unavailable_ms: 0,
        });
        let weight = |thousandths: u64| match thousandths {
            0..=100_000 => 2,
            100_001..=400_000 => 1,
            _ => 0,
        };
        let both = row.window.percentiles[3].unwrap_or(Percentiles { p50: 0, p95: 0 });
        let (total, error) = (u64::from(row.window.count_total()), u64::from(row.window.count_error()));
        record.windows += 1;
        record.count_total += total;
        record.count_error += error;
        record.satisfied_quarters += (total - error) * (weight(both.p50) + weight(both.p95));
        *(if 2 * error <= total { &mut record.available_ms } else { &mut record.unavailable_ms }) += held_ms;
    }
    sums.into_values().collect()
}

fn sums_are_what_going_through_all_rows_gives(bench: &Bench) {
    let times = prop_oneof![Just(None), [0_u64..500, 0_u64..900].prop_map(Some)];
    let rows = (0..2_usize, 0..60_i64, [0..20_u32, 0..20_u32], times, 0..3_usize)
        .prop_map(|(name, minute, counts, ms, isp)| window(CLIENTS[name], minute, counts, ms, ISPS[isp]));
    let mut runner = TestRunner::new_with_rng(
        Config { cases: 20, failure_persistence: None, ..Config::default() },
        proptest::test_runner::TestRng::deterministic_rng(proptest::test_runner::RngAlgorithm::ChaCha),
    );
    let cases = (vec(rows, 1..80), 0..60_i64, 0..60_i64);
    runner
        .run(&cases, |(rows, from, to)| {
            bench.connect();
            bench.execute("DELETE FROM agg_1m");
            // Of rows with the same key, the last one stands.
            let rows: BTreeMap<_, _> =
                rows.into_iter().map(|row| ((row.client_id.clone(), row.window.start), row)).collect();
            let rows: Vec<_> = rows.into_values().collect();
            write(bench, rows.clone());
            let extent = extent(None, from, to);
            prop_assert_eq!(scores(bench, &extent, ALL), expected(&rows, &extent));
            Ok(())
        })
        .unwrap();
}
