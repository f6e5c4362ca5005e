//! What is asked for by labels is what a store would answer that has only the windows with them.

use netqoe_model::{AggregateRow, Label};
use serde_json::json;

use crate::stores::{Kind, on_each_store};
use crate::support::*;

on_each_store!(
    an_answer_is_that_of_the_labelled_windows_alone,
    a_pair_is_current_with_the_labels_of_its_newest_window,
    a_chart_judges_the_windows_that_it_shows_by_all_before_them,
);

const CORE: &str = r#"{"site":"Oslo","team":"core"}"#;
const EDGE: &str = r#"{"site":"\"team\":\"core\"","team":"ü &=+"}"#;
const SHOP: &str = r#"{"service":"shop"}"#;

/// Twelve minutes of four clients, of two teams and none, and of two targets, one of them with a label. Some are hurt.
fn rows() -> Vec<AggregateRow> {
    let mut rows = Vec::new();
    for minute in 0..12 {
        for (client_id, team) in [("a", CORE), ("b", CORE), ("c", EDGE), ("d", "{}")] {
            for (target, labels) in [("t", SHOP), ("u", "{}")] {
                let label = match (client_id, target, minute) {
                    ("a", "t", 6..) => Label::ServerBound,
                    ("c" | "d", "t", 3..9) | ("c", "u", 11) => Label::DnsBound,
                    _ => Label::Healthy,
                };
                rows.push(labelled(team, labels, diagnosed(row(client_id, target, minute), label)));
            }
        }
    }
    rows
}

/// Questions that are answered from windows.
fn questions() -> Vec<String> {
    let range = format!("from={}&to={}", minute_ms(0), minute_ms(12));
    let region = format!("inside_from={}&inside_to={}", minute_ms(6), minute_ms(9));
    [
        "aggregates?limit=1000",
        "aggregates?limit=5&client_id=a",
        "aggregates?label=dns-bound",
        "diagnoses?limit=1000",
        "diagnoses?client_id=c&label=dns-bound",
        "diagnoses?target=t",
        "runs?limit=100",
        "runs?target=t",
        "clients?limit=100",
        "clients?target=t&label=dns-bound",
        "targets?limit=100",
        "targets?client_id=c&label=dns-bound",
        "overview?by=client.team",
        "matrix?client_id=a",
        "matrix?",
        "timeline?",
        "timeline?target=t",
        "series?client_id=a&target=t",
        "compare?target=t",
        "compare?client_id=c",
        "score?by=pair",
        "score?by=target.service",
        &format!("different?{region}"),
        &format!("different?{region}&metric=ttfb_p95&min=1"),
    ]
    .iter()
    .map(|question| format!("/api/v1/{question}&{range}"))
    .collect()
}

async fn an_answer_is_that_of_the_labelled_windows_alone(kind: Kind) {
    let all = Api::on(kind, &rows()).await;
    for (asked, is_labelled) in [
        ("labelled=client.team=core", (|row| ["a", "b"].contains(&&*row.client_id)) as fn(&AggregateRow) -> bool),
        ("labelled=client.team%3D%C3%BC+%26%3D%2B", |row| &*row.client_id == "c"),
        ("labelled=client.team=core&labelled=target.service=shop", |row| {
            ["a", "b"].contains(&&*row.client_id) && &*row.target == "t"
        }),
        ("labelled=target.service=shop", |row| &*row.target == "t"),
    ] {
        let rows: Vec<_> = rows().into_iter().filter(is_labelled).collect();
        let alone = Api::on(kind, &rows).await;
        for question in questions() {
            let found = all.get(&format!("{question}&{asked}")).await;
            let expected = alone.get(&question).await;
            assert_eq!((found.status, &found.body), (200, &expected.body), "{question} {asked}");
        }
    }
    for list in ["aggregates", "diagnoses", "clients", "targets", "runs"] {
        for asked in ["client.team=", "client.team=cor", "target.team=core", "client.unknown=x", "client.team=core%00"]
        {
            let found = all.get(&format!("/api/v1/{list}?labelled={asked}")).await;
            assert_eq!(found.items(), [json!(null); 0], "{list} {asked}");
        }
    }
}

async fn a_pair_is_current_with_the_labels_of_its_newest_window(kind: Kind) {
    let moved = [
        labelled(CORE, "{}", diagnosed(row("a", "t", 8), Label::ServerBound)),
        labelled(EDGE, "{}", diagnosed(row("a", "t", 9), Label::Healthy)),
        labelled(CORE, "{}", diagnosed(row("b", "t", 9), Label::Healthy)),
    ];
    let api = Api::on(kind, &moved).await;
    let clients = async |asked: &str| {
        let matrix = api.get(&format!("/api/v1/matrix?{asked}")).await.body;
        matrix["clients"].as_array().unwrap().iter().map(|client| client["client_id"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(clients("").await, [json!("a"), json!("b")]);
    assert_eq!(clients("labelled=client.team=core").await, [json!("b")]);
    let timeline = api.get("/api/v1/timeline?labelled=client.team=core").await.body;
    assert_eq!(timeline["pairs"], json!([1]), "the window is counted with the labels that it had");
}

async fn a_chart_judges_the_windows_that_it_shows_by_all_before_them(kind: Kind) {
    let team = |minute: i64| if minute < 30 { CORE } else { EDGE };
    let label = |minute: i64| if minute == 29 { Label::DnsBound } else { Label::Healthy };
    let rows: Vec<_> =
        (0..60).map(|minute| labelled(team(minute), "{}", diagnosed(row("a", "t", minute), label(minute)))).collect();
    let api = Api::on(kind, &rows).await;
    let question = format!("/api/v1/series?client_id=a&target=t&from={}&to={}", minute_ms(0), minute_ms(60));
    let all = api.get(&question).await.body;
    let of_edge = api.get(&format!("{question}&labelled=client.site=%22team%22:%22core%22")).await.body;
    let later = |column: &serde_json::Value| json!(column.as_array().unwrap()[30..]);
    assert_eq!(of_edge["start"], later(&all["start"]));
    assert_eq!(of_edge["usual"]["ttfb"]["usual"], later(&all["usual"]["ttfb"]["usual"]));
    assert!(of_edge["usual"]["ttfb"]["usual"][0].is_number(), "{of_edge}");
    assert_eq!((all["diagnoses"].as_array().unwrap().len(), &of_edge["diagnoses"]), (1, &json!([])));
}
