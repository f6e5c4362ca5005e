//! What clients are told when the log does not take their events.

use std::time::Duration;

use futures::FutureExt;
use netqoe_eventlog::AppendError;
use netqoe_ingest::IngestConfig;
use netqoe_server::{RequestMemory, Tokens};
use serde_json::json;

use crate::support::*;

#[tokio::test]
async fn a_log_that_refuses_is_never_answered_by_200() {
    let failed = AppendError::Failed { path: "/secret/place".into(), reason: "disk full".to_owned() };
    for (refusal, status, error) in [
        (AppendError::Full, 503, "service_unavailable"),
        (AppendError::AtSizeLimit { max_bytes: 1 }, 503, "service_unavailable"),
        (AppendError::Closed, 503, "service_unavailable"),
        (failed, 503, "service_unavailable"),
        (AppendError::TooLarge { bytes: 2, max_bytes: 1 }, 413, "payload_too_large"),
    ] {
        let api = Api::new();
        *api.log.mood.lock().unwrap() = Mood::Refuses(refusal);
        for body in [event("e", "c"), json!([event("e", "c"), 1])] {
            let answer = api.post_json(&body).await;
            answer.assert_refused(status, error);
            assert_eq!(answer.header("retry-after"), (status == 503).then_some("1"));
            assert!(!answer.message().contains("secret"), "a path of the server is nobody's business");
        }
        assert_eq!(api.metrics.queue_published.get(), 0);
    }
}

#[tokio::test]
async fn a_log_that_does_not_answer_is_given_up() {
    let api = Api::with_config(IngestConfig { write_timeout: Duration::from_millis(10), ..IngestConfig::default() });
    *api.log.mood.lock().unwrap() = Mood::NeverAnswers;
    api.post_json(&event("e", "c")).await.assert_refused(503, "service_unavailable");
}

#[tokio::test]
async fn bodies_beyond_what_may_be_in_flight_wait_outside() {
    let one = event("e", "c");
    let bytes = one.to_string().len();
    // A body takes three times its length, and a token has half of all.
    let memory = RequestMemory::new(3 * 2 * (bytes * 3 / 2));
    let api =
        Api::with(Tokens::parse("the-one\nthe-other").unwrap(), IngestConfig { memory, ..IngestConfig::default() });
    let (by_one, by_other) = (("authorization", "Bearer the-one"), ("authorization", "Bearer the-other"));
    *api.log.mood.lock().unwrap() = Mood::NeverAnswers;
    let headers = [JSON, by_one];
    let mut first = std::pin::pin!(api.post(&headers, one.to_string()));
    assert!(first.as_mut().now_or_never().is_none());
    *api.log.mood.lock().unwrap() = Mood::Takes;
    let answer = api.post(&headers, one.to_string()).await;
    answer.assert_refused(503, "service_unavailable");
    assert_eq!(answer.header("retry-after"), Some("1"));
    assert_eq!(api.post(&[JSON, by_other], one.to_string()).await.status, 200, "what one token takes, another has too");
}

#[tokio::test]
async fn a_body_that_there_will_never_be_memory_for_is_too_large() {
    let memory = RequestMemory::new(6_000);
    let api = Api::with_config(IngestConfig { memory, ..IngestConfig::default() });
    let answer = api.post(&[NDJSON], " ".repeat(1_001)).await;
    answer.assert_refused(413, "payload_too_large");
    assert!(answer.message().contains("1000 bytes"), "{}", answer.message());
}

#[tokio::test]
async fn a_body_that_does_not_arrive_in_time_is_given_up() {
    let api = Api::with_config(IngestConfig { read_timeout: Duration::from_millis(10), ..IngestConfig::default() });
    let never = axum::body::Body::from_stream(futures::stream::pending::<Result<bytes::Bytes, std::io::Error>>());
    api.post(&[JSON], never).await.assert_refused(408, "request_timeout");
}
