//! No question walks through a whole table.

use std::sync::Arc;

use netqoe_model::{Label, WindowStart};
use rusqlite::Connection;

use super::{execute, keys, targets};
use crate::SqliteStore;
use crate::read::keyed_table::KeyedTable;
use crate::read::statement::Statement;
use crate::read::{Filter, Query, RowPosition};

/// Every combination of filters, with and without a place to go on from.
fn filters() -> impl Iterator<Item = Filter> {
    (0..16).map(|bits| Filter {
        client_id: (bits & 1 != 0).then(|| "c".to_owned()),
        target: (bits & 2 != 0).then(|| "t".to_owned()),
        from_ms: (bits & 4 != 0).then_some(1),
        to_ms: (bits & 4 != 0).then_some(2),
        label: (bits & 8 != 0).then_some(Label::DnsBound),
    })
}

#[track_caller]
fn check(connection: &Connection, filter: &Filter, statement: Statement) {
    let explained = Statement::new("EXPLAIN QUERY PLAN").nest(statement);
    let plan = execute::rows(&explained, connection, |row| row.get::<_, String>("detail")).unwrap();
    assert!(!plan.is_empty());
    for table in ["agg_1m", "diagnoses"] {
        let scanned = plan.iter().find(|step| **step == format!("SCAN {table}"));
        assert_eq!(scanned, None, "{filter:?}: {plan:#?}");
    }
}

#[test]
fn every_question_uses_an_index() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    SqliteStore::open(&path, Arc::default(), Arc::new(|| 0)).unwrap();
    let connection = Connection::open(&path).unwrap();
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
    }
}
