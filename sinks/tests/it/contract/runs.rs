//! Runs are what going through all diagnoses gives.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use netqoe_model::{AggregateRow, Diagnosis, Label, Severity, TagValue, WindowStart};
use netqoe_sinks::read::{Filter, RunRecord};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use crate::contract::bench::Bench;
use crate::contract::make::{MINUTE_MS, YEAR_2026_MS, client, commit, finding, labels, row};

for_each_store!(
    runs_are_what_going_through_all_diagnoses_gives,
    the_newest_come_first_and_no_more_than_asked_for,
    windows_without_a_beginning_are_in_no_run,
    names_and_times_that_no_row_can_have_find_nothing,
);

/// More than there is of anything here.
const ALL: u16 = 1_000;

const CLIENTS: [&str; 3] = ["a", "b", "é\"\\?"];
const TARGETS: [&str; 2] = ["t", "ü\u{202e}"];
const SEVERITIES: [Severity; 3] = [Severity::Minor, Severity::Major, Severity::Critical];

fn at(minute: i64) -> i64 {
    YEAR_2026_MS + minute * MINUTE_MS
}

/// A window that belongs to a run since then.
fn diagnosed(client_id: &str, target: &str, label: Label, minute: i64, since: i64) -> AggregateRow {
    let mut row = row(client_id, target, at(minute), 1);
    let mut diagnosis = finding(label, 1.0);
    if let Some(finding) = &mut diagnosis.finding {
        finding.1.since = WindowStart::from_ms(at(since));
    }
    row.diagnosis = Some(diagnosis);
    row
}

fn write(bench: &Bench, rows: &[AggregateRow]) {
    let mut partition = commit(0, 1, rows.to_vec());
    partition.clients = CLIENTS.map(|name| client(name, YEAR_2026_MS, YEAR_2026_MS, "A")).to_vec();
    let (mut store, generation) = bench.open();
    store.commit(generation, &[partition]).unwrap();
}

/// Each window of a pair once, most of them diagnosed.
fn rows() -> impl Strategy<Value = Vec<AggregateRow>> {
    let key = (0..CLIENTS.len(), 0..TARGETS.len(), -12_i64..12);
    let row = (key, 0..Label::ALL.len(), 0..SEVERITIES.len(), any::<bool>(), 0..4_i64);
    vec(row, 0..100).prop_map(|rows| {
        let made = rows.into_iter().map(|(key, label, severity, is_final, ago)| {
            let (client, target, minute) = key;
            // Mostly one of few beginnings, so that windows meet in runs.
            let since = minute.div_euclid(5) * 5 - 5 * (ago / 3);
            let mut row = diagnosed(CLIENTS[client], TARGETS[target], Label::ALL[label], minute, since);
            row.window.is_final = is_final;
            row.window.tags = if minute % 3 == 0 { labels(r#"{"team":"a"}"#, "{}") } else { None };
            match &mut row.diagnosis {
                Some(Diagnosis { label: Label::Healthy, finding }) => *finding = None,
                Some(Diagnosis { finding: Some(finding), .. }) => finding.0 = SEVERITIES[severity],
                _ => {}
            }
            (key, row)
        });
        made.collect::<BTreeMap<_, _>>().into_values().collect()
    })
}

fn filter() -> impl Strategy<Value = Filter> {
    let name = |names: &'static [&'static str]| prop::option::of(prop::sample::select(names).prop_map(str::to_owned));
    let time = || prop::option::of((-14_i64..14).prop_map(|minute| at(minute) + 1));
    let label = prop::option::of(prop::sample::select(&Label::ALL[..]));
    let tags = prop::sample::select(&[None, None, Some("client.team=a"), Some("target.team=a")][..]);
    let tags = tags.prop_map(|text| text.into_iter().filter_map(TagValue::parse).collect());
    (name(&CLIENTS), name(&TARGETS), time(), time(), label, tags).prop_map(
        |(client_id, target, from_ms, to_ms, label, tags)| Filter { client_id, target, from_ms, to_ms, label, tags },
    )
}

fn runs_are_what_going_through_all_diagnoses_gives(bench: &Bench) {
    let mut runner = TestRunner::new(Config { cases: 32, failure_persistence: None, ..Config::default() });
    runner
        .run(&(rows(), vec(filter(), 8)), |(rows, filters)| {
            bench.connect();
            bench.execute("DELETE FROM agg_1m; DELETE FROM diagnoses; DELETE FROM clients");
            write(bench, &rows);
            let reader = bench.reader();
            for filter in filters {
                let page = reader.ask(|store| store.rows.runs(&filter, ALL)).unwrap();
                prop_assert_eq!(page.items, expected(&rows, &filter), "{:?}", filter);
                prop_assert!(!page.has_more);
            }
            Ok(())
        })
        .unwrap();
}

fn expected(rows: &[AggregateRow], filter: &Filter) -> Vec<RunRecord> {
    let mut runs: BTreeMap<_, RunRecord> = BTreeMap::new();
    let is_asked_for = |row: &&AggregateRow| {
        let start_ms = row.window.start.ms();
        filter.from_ms.is_none_or(|from| from <= start_ms)
            && filter.to_ms.is_none_or(|to| start_ms < to)
            && filter.client_id.as_deref().is_none_or(|name| name == &*row.client_id)
            && filter.target.as_deref().is_none_or(|name| name == &*row.target)
            && filter.tags.iter().all(|tag| tag.is_of(row.window.tags.as_deref()))
            && filter.label.is_none_or(|label| row.diagnosis.as_ref().is_some_and(|found| found.label == label))
    };
    for row in rows.iter().filter(is_asked_for) {
        let Some(Diagnosis { label, finding: Some(finding) }) = &row.diagnosis else { continue };
        let (severity, evidence) = &**finding;
        let (client_id, target) = (row.client_id.to_string(), row.target.to_string());
        let key = (Reverse(evidence.since), client_id.clone(), target.clone(), label.as_str());
        let run = runs.entry(key).or_insert(RunRecord {
            client_id,
            target,
            label: *label,
            since: evidence.since,
            last_window: row.window.start,
            windows: 0,
            worst_severity: *severity,
            is_final: row.window.is_final,
        });
        run.windows += 1;
        run.worst_severity = run.worst_severity.max(*severity);
        if row.window.start > run.last_window {
            (run.last_window, run.is_final) = (row.window.start, row.window.is_final);
        }
    }
    runs.into_values().collect()
}

fn the_newest_come_first_and_no_more_than_asked_for(bench: &Bench) {
    let rows: Vec<_> = (0..6).map(|minute| diagnosed("a", "t", Label::DnsBound, minute, minute)).collect();
    write(bench, &rows);
    let reader = bench.reader();
    for (limit, has_more) in [(1, true), (5, true), (6, false), (7, false)] {
        let page = reader.ask(|store| store.rows.runs(&Filter::default(), limit)).unwrap();
        let newest: Vec<_> = rows.iter().rev().take(limit.into()).map(|row| row.window.start).collect();
        assert_eq!(page.items.iter().map(|run| run.since).collect::<Vec<_>>(), newest, "{limit}");
        assert_eq!(page.has_more, has_more, "{limit}");
    }
}

fn windows_without_a_beginning_are_in_no_run(bench: &Bench) {
    let of = |minute, since| diagnosed("a", "t", Label::ErrorBound, minute, since);
    write(bench, &[of(1, 1), of(2, 1), of(5, 5)]);
    bench.execute("UPDATE diagnoses SET since_ts = NULL WHERE observed = 1.0 AND since_ts < (SELECT max(since_ts) FROM diagnoses)");
    let found = bench.reader().ask(|store| store.rows.runs(&Filter::default(), ALL)).unwrap().items;
    assert_eq!(found.iter().map(|run| run.since.ms()).collect::<Vec<_>>(), [at(5)]);
}

fn names_and_times_that_no_row_can_have_find_nothing(bench: &Bench) {
    write(bench, &[diagnosed("a", "t", Label::DnsBound, 0, 0)]);
    let reader = bench.reader();
    let count = |filter: Filter| reader.ask(|store| store.rows.runs(&filter, ALL)).unwrap().items.len();
    let between = |from, to| Filter { from_ms: from, to_ms: to, ..Filter::default() };
    assert_eq!(count(between(Some(i64::MIN), Some(i64::MAX))), 1);
    assert_eq!(count(between(Some(i64::MAX), None)), 0);
    assert_eq!(count(between(None, Some(i64::MIN))), 0);
    for name in ["", "a\0", "\0", "'; DROP TABLE agg_1m; --"] {
        assert_eq!(count(Filter { client_id: Some(name.to_owned()), ..Filter::default() }), 0);
        assert_eq!(count(Filter { target: Some(name.to_owned()), ..Filter::default() }), 0);
    }
}
