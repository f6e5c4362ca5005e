//! Batches: the good is stored, the bad is named, neither is lost because of the other.

use serde_json::{Value, json};

use crate::support::*;

/// The same events as an array and as lines.
fn both_forms(events: &[String]) -> [((&'static str, &'static str), String); 2] {
    [(JSON, format!("[{}]", events.join(","))), (NDJSON, events.join("\n"))]
}

fn indices(answer: &Answer) -> Vec<u64> {
    answer.body["errors"].as_array().unwrap().iter().map(|error| error["index"].as_u64().unwrap()).collect()
}

#[tokio::test]
async fn neighbours_of_bad_events_are_stored_in_their_order() {
    let mut events: Vec<String> = (0..9).map(|n| event(&format!("e{n}"), "c").to_string()).collect();
    events[0] = "null".to_owned();
    events[2] = event_but("ts_ms", json!("soon")).to_string();
    events[5] = event_but("schema_version", json!(2)).to_string();
    let deep = format!("\"extra\":{}{}", "[".repeat(200), "]".repeat(200));
    events[6] = event_but("extra", json!(null)).to_string().replace("\"extra\":null", &deep);
    events[8] = event_but("event_id", json!(7)).to_string();
    for (form, body) in both_forms(&events) {
        let api = Api::new();
        let answer = api.post(&[form], body).await;
        assert_eq!(answer.status, 200, "{:?}", answer.body);
        assert_eq!(answer.body["accepted"], 4);
        assert_eq!(answer.body["rejected"], 5);
        assert_eq!(answer.body["recv_ts_ms"], NOW_MS);
        assert_eq!(answer.body.as_object().unwrap().len(), 4);
        assert_eq!(indices(&answer), [0, 2, 5, 6, 8]);
        let errors: Vec<&Value> =
            answer.body["errors"].as_array().unwrap().iter().map(|error| &error["error"]).collect();
        let expected =
            ["invalid_request", "invalid_timestamp", "invalid_schema_version", "invalid_request", "invalid_event_id"];
        assert_eq!(errors, expected);
        assert_eq!(api.log.event_ids(), ["e1", "e3", "e4", "e7"]);
        assert_eq!(api.metrics.queue_published.get(), 4);
    }
}

#[tokio::test]
async fn lines_that_are_no_json_cost_only_themselves() {
    let api = Api::new();
    let (first, last) = (event("first", "c").to_string(), event("last", "c").to_string());
    let body =
        [first.as_bytes(), b"\n\n  \r\n{broken\n\xff\xfe\n[", first.as_bytes(), b"]\n", last.as_bytes()].concat();
    let answer = api.post(&[NDJSON], body).await;
    assert_eq!(answer.status, 200);
    assert_eq!(indices(&answer), [1, 2, 3], "blank lines are not counted");
    assert_eq!(api.log.event_ids(), ["first", "last"]);
}

#[tokio::test]
async fn a_malformed_array_is_refused_whole() {
    let api = Api::new();
    let good = event("e", "c");
    for body in [
        format!("[{good},{good}"),
        format!("[{good},}}]"),
        format!("[{good}]{good}"),
        format!("[{good},{{\"a\":NaN}}]"),
    ] {
        let answer = api.post(&[JSON], body.clone()).await;
        answer.assert_refused(400, "invalid_request");
        assert!(answer.message().contains("nothing of it was accepted"), "{body}");
    }
    assert_eq!(api.log.events().len(), 0);
}

#[tokio::test]
async fn a_batch_without_a_good_event_is_an_error_that_names_each() {
    let bad = event_but("event_id", json!("")).to_string();
    for (form, body) in both_forms(&[bad.clone(), bad.clone()]) {
        let answer = Api::new().post(&[form], body).await;
        answer.assert_refused(400, "invalid_event_id");
        assert_eq!((answer.body["accepted"].as_u64(), answer.body["rejected"].as_u64()), (Some(0), Some(2)));
        assert_eq!(indices(&answer), [0, 1]);
    }
    for (form, body) in both_forms(&[bad, "1".to_owned()]) {
        Api::new().post(&[form], body).await.assert_refused(400, "invalid_request");
    }
}

#[tokio::test]
async fn all_refusals_are_counted_and_the_first_hundred_named() {
    let mut events = vec!["1".to_owned(); 250];
    events.push(event("e", "c").to_string());
    for (form, body) in both_forms(&events) {
        let api = Api::new();
        let answer = api.post(&[form], body).await;
        assert_eq!((answer.body["accepted"].as_u64(), answer.body["rejected"].as_u64()), (Some(1), Some(250)));
        assert_eq!(indices(&answer), (0..100).collect::<Vec<u64>>());
    }
}

#[tokio::test]
async fn a_large_batch_is_stored_whole() {
    let events: Vec<String> = (0..5000).map(|n| event(&format!("e{n}"), &format!("c{}", n % 7)).to_string()).collect();
    let expected: Vec<String> = (0..5000).map(|n| format!("e{n}")).collect();
    for (form, body) in both_forms(&events) {
        assert!(body.len() > 1 << 20);
        let api = Api::new();
        assert_eq!(api.post(&[form], body).await.body["accepted"], 5000);
        assert_eq!(api.log.event_ids(), expected);
    }
}

#[tokio::test]
async fn only_clients_above_their_rate_are_left_out_of_a_batch() {
    let api = Api::new();
    for _ in 0..60 {
        assert_eq!(api.post_json(&event("e", "busy")).await.status, 200);
    }
    api.log.lines.lock().unwrap().clear();
    let answer = api
        .post_json(&json!([event("1", "busy"), event("2", "calm"), 3, event("4", "busy"), event("5", "calm")]))
        .await;
    assert_eq!(answer.status, 200);
    assert_eq!(indices(&answer), [0, 2, 3]);
    assert_eq!(answer.body["errors"][0]["error"], "rate_limit_exceeded");
    assert_eq!(answer.body["errors"][0]["retry_after"], 1);
    assert_eq!(api.log.event_ids(), ["2", "5"]);
    assert_eq!(api.metrics.ingest_rate_limited.get(), 2);

    let answer = api.post_json(&json!([event("1", "busy"), event("2", "busy")])).await;
    answer.assert_refused(429, "rate_limit_exceeded");
    assert_eq!(answer.header("x-ratelimit-remaining"), Some("0"));
    let answer = api.post_json(&json!([event("1", "busy"), 2])).await;
    answer.assert_refused(400, "invalid_request");
}
