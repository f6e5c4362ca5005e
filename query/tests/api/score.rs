//! Scores and availability over HTTP: by what, of whom, and when.

use serde_json::{Value, json};

use crate::fleet::members;
use crate::support::*;

const DAY_MINUTES: i64 = 24 * 60;

/// Of each window two of three measurements succeed, whose phases take 166.1 ms at the median and 167.8 ms at p95.
fn api() -> Api {
    let rows = [row("a", "t", 0), row("a", "u", 4), row("b", "t", 4), over(None, None, None, row("c", "t", 4))];
    Api::with(&rows)
}

async fn scores(api: &Api, query: &str) -> Value {
    let answer = api.get(&format!("/api/v1/score?{query}")).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.body
}

#[tokio::test]
async fn the_last_day_is_scored_where_no_time_is_asked_for() {
    let found = scores(&api(), "").await;
    let range = json!({"by": "fleet", "from": minute_ms(5 - DAY_MINUTES), "to": minute_ms(5), "satisfied_ms": 500,
        "items_left_off": 0});
    assert_eq!(members(&found, &["by", "from", "to", "satisfied_ms", "items_left_off"]), range);
    let item = &found["items"][0];
    let names = json!({"client_id": null, "target": null, "isp": null, "pairs": 4, "measurements": 12, "failed": 4,
        "unavailable": 0.0});
    assert_eq!(members(item, &["client_id", "target", "isp", "pairs", "measurements", "failed", "unavailable"]), names);
    let [score, available, unmeasured] = ["score", "available", "unmeasured"].map(|name| item[name].as_f64().unwrap());
    assert!((score - 200.0 / 3.0).abs() < 1e-9, "{score}");
    // The first window speaks for five minutes, the others for the one that is left.
    assert!((available - 8.0 / (4 * DAY_MINUTES) as f64).abs() < 1e-12, "{available}");
    assert!((available + unmeasured - 1.0).abs() < 1e-12);
}

#[tokio::test]
async fn scores_are_by_what_is_asked_for() {
    let api = api();
    let range = format!("from={}&to={}", minute_ms(0), minute_ms(10));
    let names = async |by: &str| {
        let found = scores(&api, &format!("{range}&by={by}")).await;
        let items = found["items"].as_array().unwrap().iter();
        items.map(|item| json!([item["client_id"], item["target"], item["isp"]])).collect::<Vec<_>>()
    };
    assert_eq!(
        names("pair").await,
        [json!(["a", "t", null]), json!(["a", "u", null]), json!(["b", "t", null]), json!(["c", "t", null])]
    );
    assert_eq!(names("target").await, [json!([null, "t", null]), json!([null, "u", null])]);
    assert_eq!(names("client").await, [json!(["a", null, null]), json!(["b", null, null]), json!(["c", null, null])]);
    assert_eq!(
        names("isp").await,
        [json!([null, null, null]), json!([null, null, "isp of a"]), json!([null, null, "isp of b"])]
    );
    let strict = scores(&api, &format!("{range}&by=client&client_id=a&satisfied_ms=50")).await;
    let score = strict["items"][0]["score"].as_f64().unwrap();
    assert!((score - 100.0 / 3.0).abs() < 1e-9, "tolerated counts half: {score}");
    assert_eq!(scores(&api, "client_id=nobody").await["items"], json!([]));
}

#[tokio::test]
async fn what_can_not_be_scored_is_refused() {
    let api = api();
    let month = format!("from={}&to={}", minute_ms(0), minute_ms(32 * DAY_MINUTES));
    for (query, named) in [
        ("by=asn", "by must be one of pair, target, client, isp, fleet"),
        ("satisfied_ms=0", "satisfied_ms must be a whole number from 1 to 60000"),
        ("satisfied_ms=1.5", "satisfied_ms must be"),
        (&month, "31 days at most"),
    ] {
        let answer = api.get(&format!("/api/v1/score?{query}")).await;
        let message = answer.body["message"].as_str().unwrap();
        assert_eq!((answer.status, message.contains(named)), (400, true), "{query}: {message}");
    }
}
