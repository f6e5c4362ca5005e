//! Degraded pairs over time.

use std::collections::BTreeMap;

use netqoe_model::{AggregateRow, Label};
use serde_json::{Value, json};

use crate::stores::{Kind, on_each_store};
use crate::support::*;

on_each_store!(
    a_point_has_the_most_pairs_that_were_degraded_at_once,
    each_window_is_what_its_rows_say,
    where_nothing_hurts_there_is_no_point,
);

fn hurt(client_id: &str, target: &str, minute: i64, label: Label) -> AggregateRow {
    diagnosed(row(client_id, target, minute), label)
}

fn question(names: &str, from: i64, to: i64) -> String {
    format!("/api/v1/timeline?from={}&to={}{names}", minute_ms(from), minute_ms(to))
}

/// Of two targets, up to minute 30: minute 4 has as many of a label as none before, minute 5 the most of all.
fn rows() -> Vec<AggregateRow> {
    let mut rows = vec![
        hurt("a", "t", 4, Label::ServerBound),
        hurt("b", "t", 4, Label::ServerBound),
        hurt("a", "t", 5, Label::ServerBound),
        hurt("b", "t", 5, Label::DnsBound),
        hurt("c", "u", 5, Label::DnsBound),
        hurt("c", "u", 13, Label::ErrorBound),
        hurt("a", "t", 29, Label::DnsBound),
        // Beyond the range.
        hurt("a", "u", 30, Label::DnsBound),
        // No baseline, and nothing to say.
        row("d", "u", 4),
    ];
    rows.extend((0..30).map(|minute| diagnosed(row("well", "t", minute), Label::Healthy)));
    rows
}

async fn a_point_has_the_most_pairs_that_were_degraded_at_once(kind: Kind) {
    let api = Api::on(kind, &rows()).await;
    // START_MS is a whole multiple of three minutes.
    let of_three_minutes = json!({
        "window_ms": 60_000, "point_ms": 180_000, "start": [minute_ms(3), minute_ms(12), minute_ms(27)],
        "degraded": {"error-bound": [0, 1, 0], "dns-bound": [2, 0, 1], "server-bound": [2, 0, 0]},
        "pairs": [3, 1, 1],
    });
    assert_eq!(api.get(&question("&max_points=10", 0, 30)).await.body, of_three_minutes);
    let of_a = api.get(&question("&client_id=a", 0, 31)).await.body;
    let expected = json!({"dns-bound": [0, 0, 1, 1], "server-bound": [1, 1, 0, 0]});
    assert_eq!((&of_a["degraded"], &of_a["pairs"]), (&expected, &json!([1, 1, 1, 1])));
    let of_u = api.get(&question("&target=u", 0, 30)).await.body;
    let expected = json!({"error-bound": [0, 1], "dns-bound": [1, 0]});
    assert_eq!((&of_u["start"], &of_u["degraded"]), (&json!([minute_ms(5), minute_ms(13)]), &expected));
    let of_a_pair = api.get(&question("&client_id=a&target=u", 0, 31)).await.body;
    assert_eq!((&of_a_pair["start"], &of_a_pair["pairs"]), (&json!([minute_ms(30)]), &json!([1])));
}

/// The same from the rows, as another route gives them.
async fn each_window_is_what_its_rows_say(kind: Kind) {
    let api = Api::on(kind, &rows()).await;
    for names in ["", "&client_id=b", "&target=t", "&client_id=c&target=u"] {
        let rows = api.get(&format!("/api/v1/aggregates?limit=1000{names}")).await;
        let mut windows: BTreeMap<i64, BTreeMap<String, u64>> = BTreeMap::new();
        for row in rows.items() {
            if let Some(label) = row["diagnosis_label"].as_str().filter(|label| *label != "healthy") {
                let window = windows.entry(row["window_start_ts"].as_i64().unwrap()).or_default();
                *window.entry(label.to_owned()).or_default() += 1;
            }
        }
        let body = api.get(&question(names, -10, 60)).await.body;
        assert_eq!((&body["point_ms"], &body["window_ms"]), (&json!(60_000), &json!(60_000)));
        assert_eq!(body["start"], json!(windows.keys().collect::<Vec<_>>()), "{names}");
        let pairs: Vec<u64> = windows.values().map(|labels| labels.values().sum()).collect();
        assert_eq!(body["pairs"], json!(pairs), "{names}");
        for (label, counts) in body["degraded"].as_object().unwrap() {
            let of_label: Vec<_> = windows.values().map(|labels| labels.get(label).copied().unwrap_or(0)).collect();
            assert_eq!(counts, &json!(of_label), "{names} {label}");
            assert!(of_label.iter().any(|count| *count > 0), "only labels that occur");
        }
    }
}

async fn where_nothing_hurts_there_is_no_point(kind: Kind) {
    let nothing = |body: &Value| {
        assert_eq!((&body["start"], &body["degraded"], &body["pairs"]), (&json!([]), &json!({}), &json!([])));
    };
    nothing(&Api::on(kind, &[]).await.get("/api/v1/timeline").await.body);
    let api = Api::on(kind, &rows()).await;
    for (names, from, to) in [("", 6, 13), ("", 100, 200), ("", 20, 10), ("&client_id=well", 0, 30)] {
        nothing(&api.get(&question(names, from, to)).await.body);
    }
    for names in ["client_id=nobody", "target=%00", "client_id=%27--"] {
        nothing(&api.get(&format!("/api/v1/timeline?{names}")).await.body);
    }
    let all = "/api/v1/timeline?from=-9223372036854775808&to=9223372036854775807";
    let body = api.get(all).await.body;
    assert_eq!((body["start"].as_array().unwrap().len(), &body["pairs"]), (1, &json!([3])), "a point of many years");
}

#[tokio::test]
async fn the_last_hour_is_meant_where_no_times_are_given() {
    let mut rows = rows();
    rows.push(diagnosed(row("well", "t", 73), Label::Healthy));
    let api = Api::with(&rows);
    let body = api.get("/api/v1/timeline").await.body;
    assert_eq!(body["start"], json!([minute_ms(29), minute_ms(30)]), "of minutes 14 to 73");
}

#[tokio::test]
async fn who_asks_for_other_points_gets_another_answer() {
    let api = Api::with(&rows());
    let coarse = api.get(&question("&max_points=10", 0, 30)).await.body;
    let fine = api.get(&question("", 0, 30)).await.body;
    assert_eq!((&coarse["point_ms"], &fine["point_ms"]), (&json!(180_000), &json!(60_000)));
}
