//! What readers say of many pairs at once: the same as going through all rows.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use netqoe_model::{AggregateRow, Label, Metric, Network, TagValue};
use netqoe_sinks::read::{Extent, Matching, Measure, Pair, PointRecord, Reader, SplitRecord};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use crate::contract::bench::Bench;
use crate::contract::make::{
    MINUTE_MS, YEAR_2026_MS, assert_found, checkpoint, client, commit, finding, full_row, healthy, labels, row,
};

for_each_store!(
    the_progress_of_every_partition_is_read,
    the_newest_row_of_a_pair_has_its_finding,
    every_answer_is_what_going_through_all_rows_gives,
    no_more_is_read_than_asked_for,
    names_and_times_that_no_row_can_have_find_nothing,
);

/// More than there is of anything here.
const ALL: u32 = 10_000;

const CLIENTS: [&str; 4] = ["a", "b", "é\"\\\u{1}{}'?", "z"];
const TARGETS: [&str; 3] = ["https://t/?x=$1", "t", "ü\u{202e}"];

fn everything() -> Extent {
    Extent { client_id: None, target: None, tags: Vec::new(), from_ms: i64::MIN, to_ms: i64::MAX }
}

fn pair(row: &AggregateRow) -> Pair {
    Pair { client_id: Arc::clone(&row.client_id), target: Arc::clone(&row.target) }
}

fn start_ms(row: &AggregateRow) -> i64 {
    row.window.start.ms()
}

fn is_degraded(row: &AggregateRow) -> bool {
    row.diagnosis.as_ref().is_some_and(|diagnosis| diagnosis.finding.is_some())
}

fn write(bench: &Bench, rows: Vec<AggregateRow>) {
    let names: BTreeSet<_> = rows.iter().map(|row| row.client_id.to_string()).collect();
    let mut partition = commit(0, 1, rows);
    partition.clients = names.iter().map(|name| client(name, YEAR_2026_MS, YEAR_2026_MS, "A")).collect();
    let (mut store, generation) = bench.open();
    store.commit(generation, &[partition]).unwrap();
}

fn the_progress_of_every_partition_is_read(bench: &Bench) {
    let (mut store, generation) = bench.open();
    let reader = bench.reader();
    assert_eq!(reader.ask(|store| store.rows.checkpoints()).unwrap(), []);
    store.commit(generation, &[commit(3, 10, vec![]), commit(0, 7, vec![])]).unwrap();
    assert_eq!(reader.ask(|store| store.rows.checkpoints()).unwrap(), [checkpoint(0, 7), checkpoint(3, 10)]);
}

fn the_newest_row_of_a_pair_has_its_finding(bench: &Bench) {
    bench.set_clock(77);
    let mut well = row("c", "u", YEAR_2026_MS, 5);
    well.diagnosis = Some(healthy());
    write(bench, vec![full_row("c", "t", YEAR_2026_MS, 9), row("c", "t", YEAR_2026_MS - MINUTE_MS, 1), well]);
    let current = bench.reader().ask(|store| store.rows.current(&everything(), ALL)).unwrap();
    let [hurt, well] = &current[..] else { panic!("{current:?}") };
    assert_eq!((&*hurt.pair.client_id, &*hurt.pair.target, hurt.window_start.ms()), ("c", "t", YEAR_2026_MS));
    assert_eq!((hurt.label, hurt.is_final, hurt.as_of.ms()), (Some(Label::ServerBound), true, 9));
    assert_eq!(hurt.updated_at_ms, 77);
    assert_found(hurt.finding.as_deref().unwrap(), &finding(Label::ServerBound, 0.25));
    assert_eq!((well.label, &well.finding, well.is_final), (Some(Label::Healthy), &None, false));
}

/// Rows of a few pairs around the turn of a year, each window once.
fn rows() -> impl Strategy<Value = Vec<AggregateRow>> {
    let row = (0..CLIENTS.len(), 0..TARGETS.len(), -20_i64..20, any::<u8>(), 0_u64..1000);
    vec(row, 0..120).prop_map(|rows| {
        let rows = rows.into_iter().map(|(client, target, minute, kind, figure)| {
            let made = made(CLIENTS[client], TARGETS[target], YEAR_2026_MS + minute * MINUTE_MS, kind, figure);
            ((client, target, minute), made)
        });
        rows.collect::<BTreeMap<_, _>>().into_values().collect()
    })
}

fn made(client_id: &str, target: &str, start_ms: i64, kind: u8, figure: u64) -> AggregateRow {
    let mut made = full_row(client_id, target, start_ms, 1);
    let ttfb = &mut made.window.percentiles[Metric::Ttfb as usize];
    *ttfb =
        ttfb.map(|both| netqoe_model::Percentiles { p95: figure * 1000, ..both }).filter(|_| !kind.is_multiple_of(5));
    if kind.is_multiple_of(7) {
        made.window.count_success = 0;
        made.window.percentiles = [None; 5];
    }
    if kind.is_multiple_of(3) {
        let p50 = figure * 10;
        made.window.percentiles[Metric::Throughput as usize] = Some(netqoe_model::Percentiles { p50, p95: p50 });
    }
    made.window.network =
        Network::named(None, [None, Some("A"), Some("B")][usize::from(kind / 16 % 3)], None).map(Arc::new);
    made.window.tags = match kind % 5 {
        0 | 1 => None,
        2 => labels(r#"{"team":"a"}"#, "{}"),
        3 => labels(r#"{"team":"ü"}"#, r#"{"service":"x"}"#),
        _ => labels("{}", r#"{"service":"x"}"#),
    };
    made.diagnosis = match kind % 4 {
        0 => None,
        1 => Some(healthy()),
        2 => Some(finding(Label::DnsBound, 1.0)),
        _ => Some(finding(Label::ALL[usize::from(kind / 4) % 5], 1.0)),
    };
    made
}

fn extent() -> impl Strategy<Value = Extent> {
    let name = |names: &'static [&'static str]| prop::option::of(prop::sample::select(names).prop_map(str::to_owned));
    let minute = || (-25_i64..25).prop_map(|minute| YEAR_2026_MS + minute * MINUTE_MS + 1);
    let names = (name(&CLIENTS), name(&TARGETS), tags());
    (names, minute(), minute()).prop_map(|((client_id, target, tags), from_ms, to_ms)| Extent {
        client_id,
        target,
        tags,
        from_ms,
        to_ms,
    })
}

/// Mostly none, as they are mostly asked for.
fn tags() -> impl Strategy<Value = Vec<TagValue>> {
    const ASKED: [&str; 4] = ["client.team=a", "client.team=ü", "target.service=x", "client.team="];
    let tag = prop::sample::select(&ASKED[..]).prop_map(|text| TagValue::parse(text).unwrap());
    prop_oneof![Just(Vec::new()), vec(tag, 0..3)]
}

fn matching() -> impl Strategy<Value = Matching> {
    let measure = prop::sample::select(&Measure::ALL[..]);
    let bounds = prop_oneof![Just([200.0, 600.0]), Just([f64::NEG_INFINITY, 300.5]), Just([1.0, f64::INFINITY])];
    prop_oneof![
        Just(Matching::Degraded),
        (measure, bounds).prop_map(|(measure, bounds)| Matching::Within(measure, bounds))
    ]
}

fn every_answer_is_what_going_through_all_rows_gives(bench: &Bench) {
    let mut runner = TestRunner::new(Config { cases: 24, failure_persistence: None, ..Config::default() });
    let question = (extent(), extent(), matching(), prop::sample::select(&[1_i64, 3, 7, 60][..]));
    runner
        .run(&(rows(), vec(question, 8)), |(rows, questions)| {
            bench.connect();
            bench.execute("DELETE FROM agg_1m; DELETE FROM diagnoses; DELETE FROM clients");
            write(bench, rows.clone());
            let reader = bench.reader();
            for (extent, region, matching, minutes) in questions {
                check_current(&*reader, &rows, &extent);
                check_labels(&*reader, &rows, &extent);
                check_points(&*reader, &rows, &extent, minutes * MINUTE_MS);
                check_degraded(&*reader, &rows, &extent);
                check_split(&*reader, &rows, &extent, [region.from_ms, region.to_ms], &matching);
            }
            Ok(())
        })
        .unwrap();
}

fn has_tags(row: &AggregateRow, extent: &Extent) -> bool {
    extent.tags.iter().all(|tag| tag.is_of(row.window.tags.as_deref()))
}

/// The rows of an extent by pair, each in the order of their windows.
fn within<'a>(rows: &'a [AggregateRow], extent: &Extent) -> BTreeMap<Pair, BTreeMap<i64, &'a AggregateRow>> {
    let mut pairs: BTreeMap<_, BTreeMap<_, _>> = BTreeMap::new();
    let is_within = |row: &&AggregateRow| {
        (extent.from_ms..extent.to_ms).contains(&start_ms(row))
            && extent.client_id.as_deref().is_none_or(|name| name == &*row.client_id)
            && extent.target.as_deref().is_none_or(|name| name == &*row.target)
            && has_tags(row, extent)
    };
    for row in rows.iter().filter(is_within) {
        pairs.entry(pair(row)).or_default().insert(start_ms(row), row);
    }
    pairs
}

#[track_caller]
fn check_current(reader: &dyn Reader, rows: &[AggregateRow], extent: &Extent) {
    let found = reader.ask(|store| store.rows.current(extent, ALL)).unwrap();
    let found: Vec<_> = found
        .iter()
        .map(|row| {
            (
                row.pair.clone(),
                row.window_start.ms(),
                row.label,
                row.finding.is_some(),
                row.network.clone(),
                row.tags.clone(),
            )
        })
        .collect();
    let whatever_tags = within(rows, &Extent { tags: Vec::new(), ..extent.clone() });
    let newest = whatever_tags.into_iter().map(|(pair, rows)| (pair, rows.into_iter().next_back().unwrap()));
    let newest = newest.filter(|(_, (_, row))| has_tags(row, extent)).map(|(pair, (start_ms, row))| {
        (
            pair,
            start_ms,
            row.diagnosis.as_ref().map(|diagnosis| diagnosis.label),
            is_degraded(row),
            row.window.network.clone(),
            row.window.tags.clone(),
        )
    });
    assert_eq!(found, newest.collect::<Vec<_>>(), "{extent:?}");
}

#[track_caller]
fn check_labels(reader: &dyn Reader, rows: &[AggregateRow], extent: &Extent) {
    let names = CLIENTS.iter().rev().flat_map(|client| TARGETS.map(|target| (*client, target)));
    let pairs: Vec<_> =
        names.map(|(client, target)| Pair { client_id: client.into(), target: target.into() }).collect();
    for limit in [2, ALL] {
        let found =
            reader.ask(|store| store.rows.latest_labels(&pairs, [extent.from_ms, extent.to_ms], limit)).unwrap();
        let found: Vec<Vec<_>> = found
            .iter()
            .map(|labels| labels.iter().map(|label| (label.window_start.ms(), label.is_degraded)).collect())
            .collect();
        let in_time = within(rows, &Extent { client_id: None, target: None, tags: Vec::new(), ..extent.clone() });
        let expected = pairs.iter().map(|pair| {
            let rows = in_time.get(pair).into_iter().flatten().rev().take(limit as usize);
            rows.map(|(start_ms, row)| (*start_ms, is_degraded(row))).collect()
        });
        assert_eq!(found, expected.collect::<Vec<Vec<_>>>(), "{extent:?}");
    }
}

#[track_caller]
fn check_points(reader: &dyn Reader, rows: &[AggregateRow], extent: &Extent, point_ms: i64) {
    let mut expected: Vec<PointRecord> = Vec::new();
    for (pair, rows) in within(rows, extent) {
        let mut points: BTreeMap<i64, Vec<&AggregateRow>> = BTreeMap::new();
        for (start_ms, row) in rows {
            points.entry(start_ms.div_euclid(point_ms) * point_ms).or_default().push(row);
        }
        expected.extend(points.into_iter().map(|(start_ms, rows)| point(&pair, start_ms, &rows)));
    }
    assert_eq!(reader.ask(|store| store.summaries.points(extent, point_ms, ALL)).unwrap(), expected, "{extent:?}");
}

fn point(pair: &Pair, start_ms: i64, rows: &[&AggregateRow]) -> PointRecord {
    let ms = |value: u64| value as f64 / 1000.0;
    let p95 = |row: &AggregateRow, metric| row.window.of(metric).map(|both| ms(both.p95));
    let total = |row: &&&AggregateRow| {
        let phases = [Metric::Dns, Metric::Tcp, Metric::Tls, Metric::Ttfb];
        phases.map(|metric| p95(row, metric).unwrap_or(0.0)).iter().sum::<f64>()
    };
    let maximum = |values: &mut dyn Iterator<Item = f64>| values.max_by(f64::total_cmp);
    PointRecord {
        pair: pair.clone(),
        start_ms,
        windows: rows.len() as u64,
        degraded_windows: rows.iter().filter(|row| is_degraded(row)).count() as u64,
        count_total: rows.iter().map(|row| u64::from(row.window.count_total())).sum(),
        count_error: rows.iter().map(|row| u64::from(row.window.count_error())).sum(),
        dns_p95_max: maximum(&mut rows.iter().filter_map(|row| p95(row, Metric::Dns))),
        handshake_p95_max: maximum(&mut rows.iter().filter_map(|row| {
            [p95(row, Metric::Tcp), p95(row, Metric::Tls)].into_iter().flatten().reduce(|tcp, tls| tcp + tls)
        })),
        ttfb_p95_max: maximum(&mut rows.iter().filter_map(|row| p95(row, Metric::Ttfb))),
        total_p95_max: maximum(&mut rows.iter().filter(|row| row.window.count_success > 0).map(|row| total(&row))),
        throughput_p50_min: rows
            .iter()
            .filter_map(|row| row.window.of(Metric::Throughput).map(|both| ms(both.p50)))
            .min_by(f64::total_cmp),
    }
}

#[track_caller]
fn check_degraded(reader: &dyn Reader, rows: &[AggregateRow], extent: &Extent) {
    let mut expected: BTreeMap<i64, BTreeMap<Label, u64>> = BTreeMap::new();
    let pairs = within(rows, extent);
    for (start_ms, row) in pairs.values().flatten().filter(|(_, row)| is_degraded(row)) {
        let label = row.diagnosis.as_ref().unwrap().label;
        *expected.entry(*start_ms).or_default().entry(label).or_default() += 1;
    }
    let found = reader.ask(|store| store.summaries.degraded(extent, ALL)).unwrap();
    let found: Vec<_> = found.into_iter().map(|window| (window.window_start.ms(), window.pairs)).collect();
    let expected: Vec<(i64, Vec<_>)> =
        expected.into_iter().map(|(start_ms, pairs)| (start_ms, pairs.into_iter().collect())).collect();
    assert_eq!(found, expected, "{extent:?}");
}

#[track_caller]
fn check_split(reader: &dyn Reader, rows: &[AggregateRow], extent: &Extent, inside_ms: [i64; 2], matching: &Matching) {
    /// Inside and outside: windows, and those that match.
    type Counts = [[u64; 2]; 2];
    let mut expected: BTreeMap<_, Counts> = BTreeMap::new();
    for (pair, rows) in within(rows, extent) {
        for (start_ms, row) in rows {
            let is_inside = (inside_ms[0]..inside_ms[1]).contains(&start_ms);
            let counts =
                expected.entry((pair.clone(), row.window.network.clone(), row.window.tags.clone())).or_default();
            let counts = &mut counts[usize::from(!is_inside)];
            counts[0] += 1;
            counts[1] += u64::from(matches(matching, row));
        }
    }
    let expected = expected.into_iter().map(|((pair, network, tags), [inside, outside])| SplitRecord {
        pair,
        network,
        tags,
        inside_windows: inside[0],
        inside_matching: inside[1],
        outside_windows: outside[0],
        outside_matching: outside[1],
    });
    let found = reader.ask(|store| store.summaries.split(extent, inside_ms, matching, ALL)).unwrap();
    assert_eq!(found, expected.collect::<Vec<_>>(), "{extent:?} {inside_ms:?} {matching:?}");
}

fn matches(matching: &Matching, row: &AggregateRow) -> bool {
    let Matching::Within(measure, [min, max]) = matching else { return is_degraded(row) };
    let value = match measure.as_str().rsplit_once('_').unwrap() {
        ("count", _) => Some(f64::from(row.window.count_error())),
        (metric, percentile) => {
            let metric = Metric::ALL.into_iter().find(|other| other.as_str() == metric).unwrap();
            let value = row.window.of(metric).map(|both| if percentile == "p50" { both.p50 } else { both.p95 });
            value.map(|value| value as f64 / 1000.0)
        }
    };
    value.is_some_and(|value| (*min..=*max).contains(&value))
}

fn no_more_is_read_than_asked_for(bench: &Bench) {
    let minutes = |target| (0..9).map(move |minute| full_row("c", target, YEAR_2026_MS + minute * MINUTE_MS, 1));
    write(bench, minutes("t").chain(minutes("u")).chain(minutes("v")).collect());
    let reader = bench.reader();
    for limit in [1, 2, 3] {
        assert_eq!(reader.ask(|store| store.rows.current(&everything(), limit)).unwrap().len(), limit as usize);
        assert_eq!(
            reader.ask(|store| store.summaries.points(&everything(), 5 * MINUTE_MS, limit)).unwrap().len(),
            limit as usize
        );
        let split = reader
            .ask(|store| store.summaries.split(&everything(), [0, YEAR_2026_MS], &Matching::Degraded, limit))
            .unwrap();
        assert_eq!(split.len(), limit as usize);
        assert_eq!(reader.ask(|store| store.summaries.degraded(&everything(), limit)).unwrap().len(), limit as usize);
    }
}

fn names_and_times_that_no_row_can_have_find_nothing(bench: &Bench) {
    write(bench, vec![full_row("c", "t", YEAR_2026_MS, 1)]);
    let reader = bench.reader();
    let check = |extent: &Extent, expected| {
        assert_eq!(reader.ask(|store| store.rows.current(extent, ALL)).unwrap().len(), expected, "{extent:?}");
        assert_eq!(
            reader.ask(|store| store.summaries.points(extent, MINUTE_MS, ALL)).unwrap().len(),
            expected,
            "{extent:?}"
        );
        let split =
            reader.ask(|store| store.summaries.split(extent, [i64::MIN, i64::MAX], &Matching::Degraded, ALL)).unwrap();
        assert_eq!(split.len(), expected, "{extent:?}");
        assert_eq!(reader.ask(|store| store.summaries.degraded(extent, ALL)).unwrap().len(), expected, "{extent:?}");
    };
    check(&everything(), 1);
    check(&Extent { from_ms: i64::MAX, ..everything() }, 0);
    check(&Extent { to_ms: i64::MIN, ..everything() }, 0);
    check(&Extent { from_ms: YEAR_2026_MS + 1, to_ms: YEAR_2026_MS - 1, ..everything() }, 0);
    for name in ["", "a\0", "\0", "'; DROP TABLE agg_1m; --"] {
        check(&Extent { client_id: Some(name.to_owned()), ..everything() }, 0);
        check(&Extent { target: Some(name.to_owned()), ..everything() }, 0);
        let nobody = Pair { client_id: "nobody".into(), target: name.replace('\0', "").into() };
        assert_eq!(reader.ask(|store| store.rows.latest_labels(&[nobody], [0, i64::MAX], 5)).unwrap(), [vec![]]);
    }
    assert_eq!(reader.ask(|store| store.rows.latest_labels(&[], [0, i64::MAX], 5)).unwrap().len(), 0);
}
