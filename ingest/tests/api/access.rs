//! Who may send, and how often.

use std::time::Duration;

use axum::body::Body;
use netqoe_ingest::IngestConfig;
use serde_json::json;

use crate::support::*;

/// A browser sends what other sites make it send, also to the user's own machine.
#[tokio::test]
async fn without_tokens_no_page_of_another_site_sends_events() {
    let (localhost, evil) = (("host", "localhost:8081"), ("origin", "http://evil.example"));
    // Whatever its media type: one that is refused for its type never gets so far.
    for media_type in [("accept", "*/*"), JSON, NDJSON, ("content-type", "text/plain")] {
        for path in [EVENTS, "/events"] {
            let api = Api::new();
            let answer = api.send("POST", path, &[localhost, evil, media_type], event("e", "c").to_string()).await;
            answer.assert_refused(403, "forbidden");
            assert_eq!(api.log.events().len(), 0);
            assert_eq!(api.metrics.ingest_errors.get(), 1);
        }
    }
    // Programs say nothing of a site (curl, ab, vegeta, k6 and the probe), nor need they say what they send.
    for media_type in [("accept", "*/*"), JSON, NDJSON] {
        assert_eq!(Api::new().post(&[localhost, media_type], event("e", "c").to_string()).await.status, 200);
    }
    let text = [localhost, ("content-type", "text/plain")];
    Api::new().post(&text, event("e", "c").to_string()).await.assert_refused(415, "unsupported_media_type");
}

#[tokio::test]
async fn a_token_is_needed_where_tokens_are_configured_and_looked_at_before_the_body() {
    let api = Api::with_tokens("good");
    let one = event("e", "c").to_string();
    api.post(&[JSON], one.clone()).await.assert_refused(401, "unauthorized");
    assert_eq!(api.post(&[JSON, ("authorization", "Bearer good")], one).await.status, 200);
    let never = Body::from_stream(futures::stream::pending::<Result<bytes::Bytes, std::io::Error>>());
    api.post(&[("content-type", "text/plain")], never).await.assert_refused(401, "unauthorized");
    assert_eq!(api.log.events().len(), 1);
}

#[tokio::test]
async fn a_bound_token_sends_for_its_clients_only() {
    let api = Api::with_tokens("one=probe-1\nlab=lab-*");
    let lab = [JSON, ("authorization", "Bearer lab")];
    assert_eq!(api.post(&lab, event("a", "lab-1").to_string()).await.status, 200);
    let answer = api.post(&lab, event("b", "probe-1").to_string()).await;
    answer.assert_refused(401, "unauthorized");
    assert!(answer.message().contains("bound"));
    let mixed = json!([event("c", "lab-2"), event("d", "probe-1")]).to_string();
    let answer = api.post(&lab, mixed).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.body["errors"][0]["error"], "unauthorized");
    assert_eq!(api.log.event_ids(), ["a", "c"]);
    let none = json!([event("e", "probe-1"), event("f", "probe-2")]).to_string();
    api.post(&lab, none).await.assert_refused(401, "unauthorized");
}

#[tokio::test]
async fn a_client_above_its_rate_is_told_when_to_come_back() {
    let api = Api::new();
    let mut answer = api.post_json(&event("first", "c")).await;
    assert_eq!(answer.header("x-ratelimit-limit"), Some("100"));
    assert_eq!(answer.header("x-ratelimit-remaining"), Some("59"));
    assert_eq!(answer.header("x-ratelimit-reset"), Some("1"));
    for _ in 1..60 {
        answer = api.post_json(&event("e", "c")).await;
        assert_eq!(answer.status, 200);
    }
    assert_eq!(answer.header("x-ratelimit-remaining"), Some("0"));

    let answer = api.post_json(&event("refused", "c")).await;
    answer.assert_refused(429, "rate_limit_exceeded");
    assert_eq!(answer.header("retry-after"), Some("1"));
    assert_eq!(answer.header("x-ratelimit-limit"), Some("100"));
    assert_eq!(answer.header("x-ratelimit-remaining"), Some("0"));
    assert_eq!(answer.header("x-ratelimit-reset"), Some("1"));
    assert_eq!(api.metrics.ingest_rate_limited.get(), 1);
    assert_eq!(api.post_json(&event("e", "another")).await.status, 200);

    api.clock.advance(Duration::from_millis(10));
    assert_eq!(api.post_json(&event("again", "c")).await.status, 200);
    assert_eq!(api.post_json(&event("refused", "c")).await.status, 429);
    assert_eq!(api.log.events().len(), 62);
}

#[tokio::test]
async fn a_batch_costs_each_of_its_clients_one_request() {
    let api = Api::new();
    let backlog: Vec<_> = (0..1000).map(|n| event(&n.to_string(), if n % 2 == 0 { "even" } else { "odd" })).collect();
    assert_eq!(api.post_json(&json!(backlog)).await.body["accepted"], 1000);
    for client_id in ["even", "odd"] {
        assert_eq!(api.post_json(&event("e", client_id)).await.header("x-ratelimit-remaining"), Some("58"));
    }
}

#[tokio::test]
async fn each_event_of_a_batch_costs_its_client_one_event() {
    let (event_rate_per_s, event_rate_burst) = (10.try_into().unwrap(), 100.try_into().unwrap());
    let api = Api::with_config(IngestConfig { event_rate_per_s, event_rate_burst, ..IngestConfig::default() });
    let batch =
        |client_id: &str, count: usize| json!((0..count).map(|n| event(&n.to_string(), client_id)).collect::<Vec<_>>());
    let answer = api.post_json(&batch("a", 150)).await;
    assert_eq!((&answer.body["accepted"], &answer.body["rejected"]), (&json!(100), &json!(50)));
    assert_eq!(
        (&answer.body["errors"][0]["index"], &answer.body["errors"][0]["error"]),
        (&json!(100), &json!("rate_limit_exceeded"))
    );
    api.post_json(&event("e", "a")).await.assert_refused(429, "rate_limit_exceeded");
    api.post_json(&batch("a", 2)).await.assert_refused(429, "rate_limit_exceeded");
    assert_eq!(api.post_json(&batch("b", 100)).await.body["accepted"], 100, "one client's events are not another's");
    api.clock.advance(Duration::from_secs(1));
    assert_eq!(api.post_json(&batch("a", 20)).await.body["accepted"], 10);
}
