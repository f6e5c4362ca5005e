//! Runs: what hurt from when to when.

use netqoe_model::{AggregateRow, Label, Severity};
use serde_json::{Value, json};

use crate::stores::{Kind, on_each_store};
use crate::support::*;

on_each_store!(
    those_that_began_last_come_first,
    only_windows_that_are_asked_for_count,
    a_run_goes_on_while_the_next_window_may_belong_to_it,
    a_limit_says_that_there_are_more,
);

fn hurt(client_id: &str, minute: i64, label: Label, began: i64) -> AggregateRow {
    since(began, diagnosed(row(client_id, "t", minute), label))
}

fn well(client_id: &str, minute: i64) -> AggregateRow {
    diagnosed(row(client_id, "t", minute), Label::Healthy)
}

/// Of `c`: a run with a gap that is over, and one that goes on; of `d` one that began as the first.
fn rows() -> Vec<AggregateRow> {
    vec![
        as_bad_as(Severity::Minor, hurt("c", 5, Label::DnsBound, 5)),
        as_bad_as(Severity::Critical, hurt("c", 6, Label::DnsBound, 5)),
        well("c", 7),
        as_bad_as(Severity::Major, hurt("c", 8, Label::DnsBound, 5)),
        hurt("c", 12, Label::ServerBound, 12),
        hurt("c", 13, Label::ServerBound, 12),
        well("c", 14),
        hurt("d", 5, Label::ErrorBound, 5),
        well("d", 9),
    ]
}

fn run(client_id: &str, label: &str, severity: &str, [began, until]: [i64; 2], windows: u64) -> Value {
    let until = (until > 0).then(|| minute_ms(until));
    json!({"client_id": client_id, "target": "t", "label": label, "severity": severity, "since": minute_ms(began),
        "until": until, "ongoing": until.is_none(), "windows": windows})
}

async fn those_that_began_last_come_first(kind: Kind) {
    let api = Api::on(kind, &rows()).await;
    let expected = json!({"items": [
        run("c", "server-bound", "major", [12, 0], 2),
        run("c", "dns-bound", "critical", [5, 9], 3),
        run("d", "error-bound", "major", [5, 6], 1),
    ], "has_more": false});
    assert_eq!(api.get("/api/v1/runs").await.body, expected);
}

async fn only_windows_that_are_asked_for_count(kind: Kind) {
    let api = Api::on(kind, &rows()).await;
    let (dns, of_d) = (run("c", "dns-bound", "critical", [5, 9], 3), run("d", "error-bound", "major", [5, 6], 1));
    let items = async |query: String| api.get(&format!("/api/v1/runs?{query}")).await.body["items"].clone();
    assert_eq!(items("client_id=d".to_owned()).await, json!([of_d]));
    assert_eq!(items("target=u".to_owned()).await, json!([]));
    assert_eq!(items("client_id=c&target=t&label=dns-bound".to_owned()).await, json!([dns]));
    assert_eq!(items("label=healthy".to_owned()).await, json!([]));
    // What began before is told with its beginning.
    let late = run("c", "dns-bound", "major", [5, 9], 1);
    assert_eq!(items(format!("label=dns-bound&from={}&to={}", minute_ms(7), minute_ms(13))).await, json!([late]));
    // At the end of what is asked for it went on.
    let early = run("c", "dns-bound", "critical", [5, 0], 2);
    assert_eq!(items(format!("client_id=c&to={}", minute_ms(8))).await, json!([early]));
}

async fn a_run_goes_on_while_the_next_window_may_belong_to_it(kind: Kind) {
    let (mut rows, mut expected) = (Vec::new(), Vec::new());
    for (client_id, newest) in [("a", 3), ("b", 4), ("c", 5), ("d", 6)] {
        rows.push(hurt(client_id, 3, Label::DnsBound, 3));
        rows.extend((newest > 3).then(|| well(client_id, newest)));
        expected.push((client_id.to_owned(), newest < 6));
    }
    // Another target of the same client has a newest row of its own.
    rows.push(row("a", "u", 9));
    let body = Api::on(kind, &rows).await.get("/api/v1/runs").await.body;
    let ongoing = body["items"].as_array().unwrap().iter().map(|run| {
        assert_eq!(run["until"].is_null(), run["ongoing"] == true, "{run}");
        (run["client_id"].as_str().unwrap().to_owned(), run["ongoing"] == true)
    });
    assert_eq!(ongoing.collect::<Vec<_>>(), expected);
}

async fn a_limit_says_that_there_are_more(kind: Kind) {
    let api = Api::on(kind, &rows()).await;
    for (limit, count, has_more) in [(1, 1, true), (2, 2, true), (3, 3, false), (1000, 3, false)] {
        let body = api.get(&format!("/api/v1/runs?limit={limit}")).await.body;
        assert_eq!((body["items"].as_array().unwrap().len(), &body["has_more"]), (count, &json!(has_more)), "{limit}");
    }
}
