//! What is refused is counted by reason, and whoever looks sees whose it was.

use std::num::NonZeroU32;

use netqoe_ingest::IngestConfig;
use netqoe_model::{LeftOut, Uncounted};
use netqoe_server::Tokens;
use serde_json::{Value, json};

use crate::support::*;

/// What was noted: the reason, how many, and the client and the target of the last.
type Noted = Vec<(&'static str, u64, Option<String>, Option<String>)>;

/// An API and what it notes.
fn api(tokens: Tokens, config: IngestConfig) -> (Api, impl Fn() -> Noted) {
    let uncounted = Uncounted::since(0);
    let api = Api::with(tokens, IngestConfig { uncounted: Some(uncounted.clone()), ..config });
    let metrics = api.metrics.clone();
    let noted = move || {
        let found = uncounted.within(0..i64::MAX);
        let noted = found.reasons.iter().map(|of| {
            assert_eq!((of.left_out, of.last.at_ms), (LeftOut::Refused, NOW_MS));
            assert_eq!(metrics.ingest_refused.with_label_values(&[of.reason]).get(), of.count);
            assert!(!of.last.message.is_empty());
            let owned = |name: &Option<Box<str>>| name.as_deref().map(str::to_owned);
            (of.reason, of.count, owned(&of.last.client_id), owned(&of.last.target))
        });
        noted.collect()
    };
    (api, noted)
}

fn whose(client_id: &str) -> (Option<String>, Option<String>) {
    (Some(client_id.to_owned()), Some("https://api.example.com/".to_owned()))
}

#[tokio::test]
async fn events_of_a_batch_are_counted_by_reason_and_what_is_taken_is_not() {
    let (api, noted) = api(Tokens::none_on_loopback(), IngestConfig::default());
    let bad_time = |client: &str| {
        let mut event = event("e", client);
        event["ts_ms"] = json!("soon");
        event
    };
    let batch = json!([event("good", "c"), bad_time("first"), bad_time("second"), null, bad_time("third")]);
    assert_eq!(api.post_json(&batch).await.status, 200);
    let (client, target) = whose("first");
    let expected = [("invalid_timestamp", 3, client, target), ("invalid_request", 1, None, None)];
    assert_eq!(noted(), expected);

    // A batch of which nothing is taken, and one event alone.
    assert_eq!(api.post_json(&json!([bad_time("fourth")])).await.status, 400);
    assert_eq!(api.post_json(&bad_time("fifth")).await.status, 400);
    let (client, target) = whose("fifth");
    assert_eq!(noted()[0], ("invalid_timestamp", 5, client, target));
}

#[tokio::test]
async fn requests_without_events_count_as_one() {
    let (api, noted) = api(Tokens::parse("good").unwrap(), IngestConfig::default());
    let good = ("authorization", "Bearer good");
    for body in ["", "[{}", "nonsense"] {
        assert_eq!(api.post(&[JSON, good], body).await.status, 400);
    }
    assert_eq!(api.post(&[JSON], event("e", "c").to_string()).await.status, 401);
    assert_eq!(api.post(&[good, ("content-type", "text/plain")], "").await.status, 415);
    assert_eq!(api.post(&[JSON, good], "[]").await.status, 400, "in which nothing is refused");
    let told: Vec<_> = noted().into_iter().map(|(reason, count, ..)| (reason, count)).collect();
    assert_eq!(told, [("invalid_request", 3), ("unauthorized", 1), ("unsupported_media_type", 1)]);
}

#[tokio::test]
async fn limits_and_bound_tokens_name_the_client() {
    let one = NonZeroU32::new(1).unwrap();
    let config = IngestConfig { max_pairs_per_client: one, ..IngestConfig::default() };
    let (api, noted) = api(Tokens::parse("bound=c").unwrap(), config);
    let headers = [JSON, ("authorization", "Bearer bound")];
    let post = async |event: Value| api.post(&headers, event.to_string()).await.status;
    assert_eq!(post(event("1", "c")).await, 200);
    let other = event_but("target", json!("other"));
    assert_eq!(post(other.clone()).await, 429);
    assert_eq!(post(json!([event("2", "c"), other])).await, 200);
    assert_eq!(post(event("1", "another")).await, 401);
    let (client, target) = whose("another");
    let pairs = ("too_many_pairs", 2, Some("c".to_owned()), Some("other".to_owned()));
    assert_eq!(noted(), [pairs, ("unauthorized", 1, client, target)]);
}

#[tokio::test]
async fn names_of_others_are_cut() {
    let (api, noted) = api(Tokens::none_on_loopback(), IngestConfig::default());
    let mut long = event("e", &"é".repeat(10_000));
    long["ts_ms"] = json!(null);
    assert_eq!(api.post_json(&long).await.status, 400);
    long["client_id"] = json!("x".repeat(70_000));
    assert_eq!(api.post_json(&long).await.status, 400);
    let clients: Vec<_> = noted().into_iter().map(|(.., client, _)| client.map(|name| name.chars().count())).collect();
    assert_eq!(clients, [None], "the last event is longer than any that is looked at");
}
