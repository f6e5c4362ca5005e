//! Paging: every item once and in order, whatever is written between two pages.

use std::collections::BTreeSet;

use netqoe_model::{AggregateRow, Label};

use crate::support::*;

/// Names that a cursor must carry as they are, in their order.
const CLIENTS: [&str; 3] = ["a&b=c", "z", "é \"quoted\""];
const TARGETS: [&str; 2] = ["https://one.example/?x=1", "https://two.example/#é"];

/// More than any of these tests reads.
const MOST_PAGES: usize = 1000;

/// Each pair in each of some minutes, all of them with a diagnosis.
fn rows(minutes: impl IntoIterator<Item = i64>) -> Vec<AggregateRow> {
    let of_minute = |minute| {
        let pairs = CLIENTS.into_iter().flat_map(|client| TARGETS.map(|target| (client, target)));
        pairs.map(move |(client, target)| diagnosed(row(client, target, minute), Label::DnsBound))
    };
    minutes.into_iter().flat_map(of_minute).collect()
}

/// Reads page after page; `between` is done after each. Returns all names in the order in which they came.
async fn walk(api: &Api, path: &str, limit: usize, mut between: impl FnMut(&Api, usize)) -> Vec<String> {
    let (mut names, mut cursor) = (Vec::new(), String::new());
    for page in 0..MOST_PAGES {
        let answer = api.get(&format!("{path}?limit={limit}{cursor}")).await;
        assert!(answer.items().len() <= limit);
        names.extend(answer.names());
        let Some(next) = answer.next_cursor() else { return names };
        assert_eq!(answer.items().len(), limit, "a page before the last one is full");
        cursor = format!("&cursor={next}");
        between(api, page);
    }
    panic!("{path} by {limit} has no end")
}

/// Newest window first, then client and target, all descending.
fn newest_first(rows: &[AggregateRow]) -> Vec<String> {
    let key = |row: &AggregateRow| (row.window.start, row.client_id.to_string(), row.target.to_string());
    let keys: BTreeSet<_> = rows.iter().map(key).collect();
    let minute = |start_ms: i64| (start_ms - START_MS) / 60_000;
    keys.into_iter().rev().map(|(start, client, target)| format!("{client} {target} {}", minute(start.ms()))).collect()
}

#[tokio::test]
async fn every_row_comes_once_and_in_order_whatever_the_limit() {
    let rows = rows(0..4);
    let api = Api::with(&rows);
    for path in ["/api/v1/aggregates", "/api/v1/diagnoses"] {
        for limit in [1, 2, 5, 23, 24, 25, 1000] {
            assert_eq!(walk(&api, path, limit, |_, _| ()).await, newest_first(&rows), "{path} by {limit}");
        }
    }
}

#[tokio::test]
async fn rows_that_are_written_between_pages_move_no_other() {
    let old = rows((0..8).step_by(2));
    for path in ["/api/v1/aggregates", "/api/v1/diagnoses"] {
        let api = Api::with(&old);
        let names = walk(&api, path, 5, |api, page| {
            // Newer than all, and older than what was read last: the odd minutes lie between the old rows.
            api.write(&rows([100 + page as i64, 2 * (page as i64 % 4) + 1]));
        })
        .await;
        let mut once = BTreeSet::new();
        assert!(names.iter().all(|name| once.insert(name.clone())), "no row comes twice: {names:?}");
        let of_old: Vec<_> = names.into_iter().filter(|name| newest_first(&old).contains(name)).collect();
        assert_eq!(of_old, newest_first(&old), "each of the old rows comes once and in order");
    }
}

#[tokio::test]
async fn a_filter_goes_on_over_its_pages() {
    let rows = rows(0..5);
    let api = Api::with(&rows);
    let filter = "client_id=z&target=https://two.example/%23é&limit=2";
    let first = api.get(&format!("/api/v1/aggregates?{filter}")).await;
    assert_eq!(first.names(), ["z https://two.example/#é 4", "z https://two.example/#é 3"]);
    let next = api.get(&format!("/api/v1/aggregates?{filter}&cursor={}", first.next_cursor().unwrap())).await;
    assert_eq!(next.names(), ["z https://two.example/#é 2", "z https://two.example/#é 1"]);
}

#[tokio::test]
async fn clients_and_targets_come_once_and_by_their_names() {
    let rows = rows(0..2);
    for (path, expected, insert) in
        [("/api/v1/clients", &CLIENTS[..], ("a", "new")), ("/api/v1/targets", &TARGETS[..], ("new", "a"))]
    {
        let api = Api::with(&rows);
        for limit in [1, 2, 3, 100] {
            assert_eq!(walk(&api, path, limit, |_, _| ()).await, expected, "{path} by {limit}");
        }
        let names = walk(&api, path, 1, |api, page| api.write(&[row(insert.0, insert.1, 50 + page as i64)])).await;
        let old: Vec<_> = names.iter().filter(|name| expected.contains(&name.as_str())).collect();
        assert_eq!(old, expected, "what is inserted moves no other");
    }
}

#[tokio::test]
async fn a_page_has_a_hundred_items_where_no_limit_is_given() {
    let rows: Vec<_> = (0..101).map(|minute| row("c", "t", minute)).collect();
    let api = Api::with(&rows);
    let answer = api.get("/api/v1/aggregates").await;
    assert_eq!(answer.items().len(), 100);
    assert!(answer.next_cursor().is_some());
    assert_eq!(api.get("/api/v1/aggregates?limit=101").await.next_cursor(), None, "there is nothing after them");
}

#[tokio::test]
async fn an_empty_store_has_empty_pages() {
    let api = Api::with(&[]);
    for path in ["clients", "targets", "aggregates", "diagnoses"] {
        let answer = api.get(&format!("/api/v1/{path}")).await;
        assert_eq!(answer.body, serde_json::json!({"items": [], "next_cursor": null}), "{path}");
    }
}
