//! Sums for scores are what going through all rows gives.

use std::collections::BTreeMap;
use std::sync::Arc;

use netqoe_model::{AggregateRow, Network, Percentiles, TagValue};
use netqoe_sinks::read::{Extent, PERFECT, ReadError, RoundTripTerms, ScoreRecord, ScoreTerms};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use crate::contract::bench::Bench;
use crate::contract::make::{MINUTE_MS, YEAR_2026_MS, client, commit, labels, row};

for_each_store!(
    a_window_speaks_for_itself_and_for_a_while,
    round_trips_are_between_perfect_and_of_no_use,
    silence_is_neither_available_nor_not_in_a_day_a_week_and_a_month,
    sums_are_what_going_through_all_rows_gives,
);

const P50: RoundTripTerms = RoundTripTerms { perfect_ms: 20, unusable_ms: 50 };
const P95: RoundTripTerms = RoundTripTerms { perfect_ms: 40, unusable_ms: 110 };
const TERMS: ScoreTerms = ScoreTerms { satisfied_ms: 100, held_ms: 5 * MINUTE_MS, round_trip: [P50, P95] };
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
    let target = target.map(str::to_owned);
    Extent { client_id: None, target, tags: Vec::new(), from_ms: at(from), to_ms: at(to) }
}

fn scores(bench: &Bench, extent: &Extent, limit: u32) -> Vec<ScoreRecord> {
    let mut found = bench.reader().ask(|store| store.rows.scores(extent, TERMS, limit)).unwrap();
    found.sort_by(|a, b| (&a.pair, &a.isp, &a.tags).cmp(&(&b.pair, &b.isp, &b.tags)));
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

/// Thousandths of a millisecond of the TCP handshake, too.
fn with_round_trip(mut row: AggregateRow, thousandths: Option<[u64; 2]>) -> AggregateRow {
    row.window.percentiles[1] = thousandths.map(|[p50, p95]| Percentiles { p50, p95 });
    row
}

fn round_trips_are_between_perfect_and_of_no_use(bench: &Bench) {
    for (round_trip, hundredths) in [
        (Some([20_000, 40_000]), PERFECT),
        // A tenth of the way to where it is of no use.
        (Some([23_000, 40_000]), 9_000),
        (Some([20_000, 47_000]), 9_000),
        // The worse of both.
        (Some([35_000, 47_000]), 5_000),
        // What comes after the hundredths is left off.
        (Some([20_001, 40_000]), 9_999),
        (Some([50_000, 50_000]), 0),
        (Some([10_000, 900_000]), 0),
    ] {
        bench.connect();
        bench.execute("DELETE FROM agg_1m");
        let measured = with_round_trip(window("a", 0, [3, 1], None, None), round_trip);
        write(bench, vec![measured, window("a", 1, [5, 0], None, None)]);
        let found = scores(bench, &extent(None, 0, 9), ALL);
        let sums = (found[0].round_trips, found[0].round_trip_hundredths);
        assert_eq!(sums, (3, 3 * hundredths), "{round_trip:?}");
    }
}

fn silence_is_neither_available_nor_not_in_a_day_a_week_and_a_month(bench: &Bench) {
    const DAY: i64 = 24 * 60;
    // An hour on each of three days is measured, and all of the oldest one fails.
    let hour =
        |from: i64, counts: [u32; 2]| (from..from + 60).map(move |minute| window("a", minute, counts, None, None));
    let end = 30 * DAY;
    let rows = hour(end - 29 * DAY, [0, 2]).chain(hour(end - 6 * DAY, [2, 0])).chain(hour(end - 300, [2, 0]));
    write(bench, rows.collect());
    // The last window of an hour speaks for four minutes more.
    let [hour_ms, rest_ms] = [60 * 60_000, 4 * 60_000];
    for (days, hours_up, hours_down) in [(1, 1, 0), (7, 2, 0), (30, 2, 1)] {
        let found = scores(bench, &extent(None, end - days * DAY, end), ALL);
        let times = [found[0].available_ms, found[0].unavailable_ms];
        assert_eq!(times, [hours_up, hours_down].map(|hours| hours * (hour_ms + rest_ms)), "{days} days");
    }
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
        let tags = row.window.tags.clone();
        let record = sums.entry((pair.clone(), isp.clone(), tags.clone())).or_insert(ScoreRecord {
            pair,
            isp,
            tags,
            windows: 0,
            count_total: 0,
            count_error: 0,
            satisfied_quarters: 0,
            round_trips: 0,
            round_trip_hundredths: 0,
            available_ms: 0,
            unavailable_ms: 0,
        });
        let weight = |thousandths: u64| match thousandths {
            0..=100_000 => 2,
            100_001..=400_000 => 1,
            _ => 0,
        };
        let phases = [1, 3].map(|phase| row.window.percentiles[phase].unwrap_or(Percentiles { p50: 0, p95: 0 }));
        let [p50, p95] = [phases[0].p50 + phases[1].p50, phases[0].p95 + phases[1].p95];
        let (total, error) = (u64::from(row.window.count_total()), u64::from(row.window.count_error()));
        record.windows += 1;
        record.count_total += total;
        record.count_error += error;
        record.satisfied_quarters += (total - error) * (weight(p50) + weight(p95));
        if let Some(Percentiles { p50, p95 }) = row.window.percentiles[1] {
            record.round_trips += total - error;
            record.round_trip_hundredths += (total - error) * quality(p50, P50).min(quality(p95, P95));
        }
        *(if 2 * error <= total { &mut record.available_ms } else { &mut record.unavailable_ms }) += held_ms;
    }
    // For how long a window speaks does not depend on the labels of the next one.
    let is_asked_for = |record: &ScoreRecord| extent.tags.iter().all(|tag| tag.is_of(record.tags.as_deref()));
    sums.into_values().filter(is_asked_for).collect()
}

/// What a percentile has, in hundredths.
fn quality(thousandths: u64, terms: RoundTripTerms) -> u64 {
    let (perfect, unusable) = (u64::from(terms.perfect_ms) * 1_000, u64::from(terms.unusable_ms) * 1_000);
    unusable.saturating_sub(thousandths.max(perfect)) * PERFECT / (unusable - perfect)
}

fn sums_are_what_going_through_all_rows_gives(bench: &Bench) {
    let times = prop_oneof![Just(None), [0_u64..500, 0_u64..900].prop_map(Some)];
    // Whole milliseconds, and terms that divide: so floating point leaves off what whole numbers do.
    let round_trips = prop_oneof![Just(None), [0_u64..60, 0_u64..130].prop_map(Some)];
    let rows = (0..2_usize, 0..60_i64, [0..20_u32, 0..20_u32], times, 0..3_usize, round_trips).prop_map(
        |(name, minute, counts, ms, isp, round_trip)| {
            let round_trip = round_trip.map(|ms| ms.map(|ms| ms * 1_000));
            let mut row = with_round_trip(window(CLIENTS[name], minute, counts, ms, ISPS[isp]), round_trip);
            row.window.tags = if minute % 3 == 0 { labels(r#"{"team":"a"}"#, "{}") } else { None };
            row
        },
    );
    let mut runner = TestRunner::new_with_rng(
        Config { cases: 20, failure_persistence: None, ..Config::default() },
        proptest::test_runner::TestRng::deterministic_rng(proptest::test_runner::RngAlgorithm::ChaCha),
    );
    let tags = prop::sample::select(&[None, Some("client.team=a"), Some("client.team=b")][..]);
    let cases = (vec(rows, 1..80), 0..60_i64, 0..60_i64, tags);
    runner
        .run(&cases, |(rows, from, to, tags)| {
            bench.connect();
            bench.execute("DELETE FROM agg_1m");
            // Of rows with the same key, the last one stands.
            let rows: BTreeMap<_, _> =
                rows.into_iter().map(|row| ((row.client_id.clone(), row.window.start), row)).collect();
            let rows: Vec<_> = rows.into_values().collect();
            write(bench, rows.clone());
            let tags = tags.into_iter().filter_map(TagValue::parse).collect();
            let extent = Extent { tags, ..extent(None, from, to) };
            prop_assert_eq!(scores(bench, &extent, ALL), expected(&rows, &extent));
            Ok(())
        })
        .unwrap();
}
