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

/// A window in the last minute of a day, a week and a month.
#[tokio::test]
async fn unmeasured_time_of_a_day_a_week_and_a_month_is_neither_up_nor_down() {
    let api = Api::with(&[row("a", "t", -29 * DAY_MINUTES), row("a", "t", -6 * DAY_MINUTES), row("a", "t", 0)]);
    for (days, windows) in [(1, 1), (7, 2), (30, 3)] {
        let found = scores(&api, &format!("from={}&to={}", minute_ms(5 - days * DAY_MINUTES), minute_ms(5))).await;
        let item = &found["items"][0];
        let [available, unavailable, unmeasured] =
            ["available", "unavailable", "unmeasured"].map(|name| item[name].as_f64().unwrap());
        // Each speaks for five minutes.
        let expected = f64::from(windows * 5) / (days * DAY_MINUTES) as f64;
        assert!((available - expected).abs() < 1e-12, "{days} days: {available}");
        assert_eq!(unavailable, 0.0);
        assert!((available + unmeasured - 1.0).abs() < 1e-12, "{days} days: {unmeasured}");
    }
}

/// A third fails, which is beyond any use; round trips are far below what is perfect.
#[tokio::test]
async fn the_quality_of_outcome_is_by_what_is_asked_for() {
    let api = api();
    let found = scores(&api, "").await;
    let terms = json!({"perfect_p50_ms": 150, "unusable_p50_ms": 400, "perfect_p95_ms": 300, "unusable_p95_ms": 800,
        "perfect_loss": 0.001, "unusable_loss": 0.05});
    assert_eq!(found["outcome_terms"], terms);
    assert_eq!(found["items"][0]["outcome"], json!({"score": 0.0, "latency": 100.0, "loss": 0.0}));
    let lenient = scores(&api, "perfect_loss=0.5&unusable_loss=1&perfect_p50_ms=0&unusable_p50_ms=1").await;
    assert_eq!(lenient["items"][0]["outcome"], json!({"score": 0.0, "latency": 0.0, "loss": 100.0}));
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
        ("perfect_p50_ms=400", "perfect_p50_ms (400) must be less than unusable_p50_ms (400)"),
        ("unusable_p95_ms=60001", "unusable_p95_ms must be a whole number from 1 to 60000"),
        ("perfect_loss=NaN", "perfect_loss must be a number from 0 to 1"),
        ("unusable_loss=1.1", "unusable_loss must be a number from 0 to 1"),
    ] {
        let answer = api.get(&format!("/api/v1/score?{query}")).await;
        let message = answer.body["message"].as_str().unwrap();
        assert_eq!((answer.status, message.contains(named)), (400, true), "{query}: {message}");
    }
}
