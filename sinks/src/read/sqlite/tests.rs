//! No question walks through a whole table.

use std::fmt::Debug;
use std::sync::Arc;

use netqoe_model::{Label, TagValue, WindowStart};
use rusqlite::Connection;
use tempfile::TempDir;

use super::{current, degraded, keys, labels, pairs, points, runs, split, targets};
use crate::SqliteStore;
use crate::read::keyed_table::KeyedTable;
use crate::read::statement::Statement;
use crate::read::{Extent, Filter, Matching, Measure, Pair, Query, RowPosition};

/// Every combination of filters, with and without a place to go on from.
fn filters() -> impl Iterator<Item = Filter> {
    (0..32).map(|bits| Filter {
        client_id: (bits & 1 != 0).then(|| "c".to_owned()),
        target: (bits & 2 != 0).then(|| "t".to_owned()),
        from_ms: (bits & 4 != 0).then_some(1),
        to_ms: (bits & 4 != 0).then_some(2),
        label: (bits & 8 != 0).then_some(Label::DnsBound),
        tags: tags(bits & 16 != 0),
    })
}

/// None, or one of a client and one of a target.
fn tags(are_asked_for: bool) -> Vec<TagValue> {
    let both = ["client.team=core", "target.service=shop"].map(|text| TagValue::parse(text).unwrap());
    if are_asked_for { both.to_vec() } else { Vec::new() }
}

#[track_caller]
fn check(connection: &Connection, question: &impl Debug, statement: Statement) {
    let plan = plan(connection, statement);
    for table in ["agg_1m", "diagnoses"] {
        let scanned = plan.iter().find(|step| step.starts_with(&format!("SCAN {table}")));
        assert_eq!(scanned, None, "{question:?}: {plan:#?}");
    }
    // A whole key is found along the primary key. Along the index on time it would be found twice.
    let twice = plan.iter().find(|step| step.contains("_window (window_start_ts=? AND client_id=? AND target=?)"));
    assert_eq!(twice, None, "{question:?}: {plan:#?}");
}

fn plan(connection: &Connection, statement: Statement) -> Vec<String> {
    let explained = Statement::new("EXPLAIN QUERY PLAN").nest(statement);
    let mut prepared = connection.prepare(&explained.sql).unwrap();
    // What is not given is null, which no plan depends on.
    for (place, value) in (1..).zip(&explained.values) {
        prepared.raw_bind_parameter(place, value).unwrap();
    }
    let mut rows = prepared.raw_query();
    let mut plan = Vec::new();
    while let Some(row) = rows.next().unwrap() {
        plan.push(row.get::<_, String>("detail").unwrap());
    }
    assert!(!plan.is_empty());
    plan
}

/// An empty store, and its folder.
fn empty() -> (Connection, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    SqliteStore::open(&path, Arc::default(), Arc::new(|| 0)).unwrap();
    (Connection::open(&path).unwrap(), folder)
}

#[test]
fn every_page_uses_an_index() {
    let (connection, _folder) = empty();
    let place = RowPosition { window_start: WindowStart::from_ms(5), client_id: "c".into(), target: "t".into() };
    for filter in filters() {
        for after in [None, Some(place.clone())] {
            let query = Query { filter: filter.clone(), after, limit: 10 };
            for table in [KeyedTable::Aggregates, KeyedTable::Diagnoses] {
                check(&connection, &filter, keys::page(table, "*", table, &query));
            }
        }
        let query = Query { filter: filter.clone(), after: Some("t".to_owned()), limit: 10 };
        check(&connection, &filter, targets::statement(&query));
        check(&connection, &filter, runs::statement(&filter, 10));
    }
}

#[test]
fn every_question_over_many_pairs_uses_an_index() {
    let (connection, _folder) = empty();
    let pair = Pair { client_id: "c".into(), target: "t".into() };
    for bits in 0..8 {
        let name = |bit: i32| (bits & bit != 0).then(|| "n".to_owned());
        let extent = Extent { client_id: name(1), target: name(2), tags: tags(bits & 4 != 0), from_ms: 1, to_ms: 2 };
        check(&connection, &extent, current::statement(&extent, 10));
        check(&connection, &extent, pairs::statement(&extent));
        check(&connection, &extent, degraded::statement(&extent, 10));
        check(&connection, &extent, points::of_pair(&pair, &extent));
        for matching in [Matching::Degraded, Matching::Within(Measure::ALL[0], [1.0, 2.0])] {
            check(&connection, &extent, split::of_pair(&pair, &extent, [1, 2], &matching));
        }
    }
    check(&connection, &pair, Statement::new(labels::LATEST));
    let of_all = Extent { client_id: None, target: None, tags: Vec::new(), from_ms: 1, to_ms: 2 };
    let labelled = Extent { tags: tags(true), ..of_all.clone() };
    let windows = plan(&connection, degraded::statement(&labelled, 1));
    let by_key = "SEARCH labelled USING PRIMARY KEY (client_id=? AND target=? AND window_start_ts=?)";
    assert!(windows.iter().any(|step| step == by_key), "{windows:#?}");
    let newest = plan(&connection, current::statement(&of_all, 1));
    assert!(newest.iter().any(|step| step.contains("COVERING INDEX agg_1m_window")), "{newest:#?}");
    let counts = plan(&connection, degraded::statement(&of_all, 1));
    assert!(counts[0].contains("COVERING INDEX diagnoses_window") && counts.len() == 1, "{counts:#?}");
}
