//! Targets that would be one too many: refused one by one, with a code of their own, and none that is known.

use std::num::{NonZeroU32, NonZeroUsize};

use netqoe_ingest::IngestConfig;
use serde_json::json;

use crate::support::*;

fn api(max_pairs: usize, max_pairs_per_client: u32) -> Api {
    Api::with_config(IngestConfig {
        max_pairs: NonZeroUsize::new(max_pairs).unwrap(),
        max_pairs_per_client: NonZeroU32::new(max_pairs_per_client).unwrap(),
        ..IngestConfig::default()
    })
}

fn of(event_id: &str, client_id: &str, target: &str) -> String {
    let mut event = event(event_id, client_id);
    event["target"] = json!(target);
    event.to_string()
}

#[tokio::test]
async fn a_batch_keeps_what_has_a_place_and_names_the_rest() {
    let api = api(100, 2);
    let lines =
        [of("e0", "a", "t0"), of("e1", "a", "t1"), of("e2", "a", "t2"), of("e3", "a", "t0"), of("e4", "b", "t2")];
    let answer = api.post(&[NDJSON], lines.join("\n")).await;
    assert_eq!(answer.status, 200, "{:?}", answer.body);
    assert_eq!((&answer.body["accepted"], &answer.body["rejected"]), (&json!(4), &json!(1)));
    let refused = &answer.body["errors"][0];
    assert_eq!((&refused["index"], &refused["error"]), (&json!(2), &json!("too_many_pairs")));
    assert!(refused["retry_after"].as_u64().is_some_and(|seconds| seconds > 0), "{refused}");
    assert_eq!(api.log.event_ids(), ["e0", "e1", "e3", "e4"]);
    assert_eq!(api.metrics.ingest_pairs_refused.with_label_values(&["client"]).get(), 1);

    let answer = api.post(&[NDJSON], [of("e5", "a", "t8"), of("e6", "a", "t9")].join("\n")).await;
    answer.assert_refused(429, "too_many_pairs");
}

#[tokio::test]
async fn one_event_of_one_pair_too_many_is_refused() {
    let api = api(1, 10);
    assert_eq!(api.post(&[JSON], of("e0", "a", "t0")).await.status, 200);
    let answer = api.post(&[JSON], of("e1", "b", "t0")).await;
    answer.assert_refused(429, "too_many_pairs");
    assert!(answer.message().contains("--max-pairs"), "{}", answer.message());
    assert_eq!(api.post(&[JSON], of("e2", "a", "t0")).await.status, 200, "what is known goes on");
    assert_eq!(api.log.event_ids(), ["e0", "e2"]);
}
