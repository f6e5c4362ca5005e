//! What is accepted, how it is answered, and what the log then holds.

use netqoe_model::Partition;
use serde_json::json;

use crate::support::*;

#[tokio::test]
async fn one_event_is_stored_with_its_time_of_receipt() {
    let api = Api::new();
    let sent = event("550e8400-e29b-41d4-a716-446655440000", "probe-001");
    let answer = api.post_json(&sent).await;
    assert_eq!(answer.status, 200);
    assert_eq!(
        answer.body,
        json!({"status": "ok", "event_id": "550e8400-e29b-41d4-a716-446655440000", "recv_ts_ms": NOW_MS})
    );
    let mut stored = sent;
    stored["recv_ts_ms"] = json!(NOW_MS);
    assert_eq!(api.log.events(), [stored]);
    assert_eq!(api.log.lines.lock().unwrap()[0].0, Partition::of("probe-001", 16.try_into().unwrap()));
    assert_eq!(api.metrics.queue_published.get(), 1);
    assert_eq!(api.metrics.ingest_requests.with_label_values(&["200"]).get(), 1);
    assert_eq!(api.metrics.ingest_duration.get_sample_count(), 1);
    assert_eq!(api.metrics.ingest_errors.get(), 0);
}

#[tokio::test]
async fn a_clients_own_recv_ts_ms_is_replaced() {
    let api = Api::new();
    let sent = r#"{"recv_ts_ms":1,"event_id":"e","client_id":"c","ts_ms":1703347200000,"target":"t",
        "recv_ts_ms":"never","timing_measurements":{}}"#;
    assert_eq!(api.post(&[JSON], sent).await.status, 200);
    let lines = api.log.lines.lock().unwrap();
    let line = std::str::from_utf8(&lines[0].1).unwrap();
    assert_eq!(line.matches("recv_ts_ms").count(), 1, "{line}");
    assert!(!line.contains('\n'), "{line}");
    assert_eq!(serde_json::from_str::<serde_json::Value>(line).unwrap()["recv_ts_ms"], NOW_MS);
}

#[tokio::test]
async fn both_dialects_and_every_spelling_of_version_1_are_taken() {
    let api = Api::new();
    let other_dialect = json!({
        "schema_version": "1.0", "event_id": "e", "client_id": "c", "ts_ms": NOW_MS, "target": "t",
        "network_context": {"interface_type": "wifi", "vpn_enabled": false, "user_label": "home"},
        "timings": {"dns_ms": 1, "tcp_ms": 2, "tls_ms": 3, "http_ttfb_ms": 4}, "throughput_kbps": 95_400
    });
    let mut failed = event_but("error_stage", json!("DNS"));
    failed.as_object_mut().unwrap().remove("timing_measurements");
    for sent in [
        other_dialect,
        failed,
        event_but("schema_version", json!("1")),
        event_but("schema_version", json!(null)),
        event_but("something_unknown", json!({"a": [1]})),
        event_but("event_id", json!("é\"\\\n")),
    ] {
        let answer = api.post_json(&sent).await;
        assert_eq!(answer.status, 200, "{sent}: {:?}", answer.body);
        assert_eq!(answer.body["event_id"], sent["event_id"]);
        let mut stored = api.log.events().pop().unwrap();
        stored.as_object_mut().unwrap().remove("recv_ts_ms");
        assert_eq!(stored, sent);
    }
}

#[tokio::test]
async fn the_load_tests_of_the_performance_guide_get_their_answers() {
    let api = Api::new();
    // ab sends no token; its event is years old, and its id is no UUID.
    let ab = json!({
        "event_id": "test-event-001", "client_id": "load-test-client", "ts_ms": 1_703_347_200_000_i64,
        "target": "http://test.example.com", "network_context": {}, "timing_measurements": {}
    });
    let pretty = serde_json::to_string_pretty(&ab).unwrap();
    assert_eq!(api.post(&[JSON], pretty.clone()).await.status, 200);
    // vegeta and k6 send one.
    let demo = ("authorization", "Bearer demo-token");
    assert_eq!(api.post(&[JSON, demo], pretty).await.status, 200);
    let k6 = json!({
        "event_id": "test-1-0", "client_id": "client-1", "ts_ms": NOW_MS, "target": "http://test.example.com",
        "timing_measurements": {"dns_ms": 1.0}
    });
    assert_eq!(api.post(&[JSON, demo], k6.to_string()).await.status, 200);
    assert_eq!(api.log.event_ids(), ["test-event-001", "test-event-001", "test-1-0"]);
}

#[tokio::test]
async fn a_body_says_by_its_headers_what_it_is() {
    let one = event("e", "c").to_string();
    for (content_type, status) in [
        (None, 200),
        (Some("application/json"), 200),
        (Some("Application/JSON; charset=UTF-8"), 200),
        (Some("application/json; charset=\"utf-8\""), 200),
        (Some("application/x-ndjson"), 200),
        (Some("application/jsonl"), 200),
        (Some("application/json; charset=iso-8859-1"), 415),
        (Some("application/x-www-form-urlencoded"), 415),
        (Some("text/plain"), 415),
        (Some(""), 415),
    ] {
        let api = Api::new();
        let headers: Vec<_> = content_type.map(|value| ("content-type", value)).into_iter().collect();
        let answer = api.post(&headers, one.clone()).await;
        assert_eq!(answer.status, status, "{content_type:?}");
        assert_eq!(api.log.event_ids().len(), usize::from(status == 200));
        if status == 415 {
            answer.assert_refused(415, "unsupported_media_type");
        }
    }
    let twice = Api::new().post(&[JSON, NDJSON], one).await;
    twice.assert_refused(415, "unsupported_media_type");
}

#[tokio::test]
async fn white_space_and_a_byte_order_mark_around_a_body_are_nothing() {
    let api = Api::new();
    let one = event("e", "c");
    for body in [format!("\u{feff}{one}"), format!(" \r\n\t{one}\n"), format!("\u{feff} [{one}] ")] {
        let answer = api.post(&[JSON], body.clone()).await;
        assert_eq!(answer.status, 200, "{body:?} {:?}", answer.body);
    }
    let lines = format!("\u{feff}{one}\r\n\r\n\u{feff}{one}");
    assert_eq!(api.post(&[NDJSON], lines).await.body["accepted"], 2);
    assert_eq!(api.log.events().len(), 5);
}

#[tokio::test]
async fn an_event_may_be_five_minutes_ahead_and_as_old_as_it_likes() {
    for (ts_ms, status) in [(1, 200), (NOW_MS + 300_000, 200), (NOW_MS + 300_001, 400)] {
        let answer = Api::new().post_json(&event_but("ts_ms", json!(ts_ms))).await;
        assert_eq!(answer.status, status, "{ts_ms}");
        if status == 400 {
            answer.assert_refused(400, "invalid_timestamp");
        }
    }
}

#[tokio::test]
async fn the_short_route_is_the_same() {
    let api = Api::new();
    let answer = api.send("POST", "/events", &[JSON], event("e", "c").to_string()).await;
    assert_eq!(answer.status, 200);
    assert_eq!(api.log.event_ids(), ["e"]);
}

#[tokio::test]
async fn a_target_is_stored_in_its_one_spelling_with_the_one_that_was_sent() {
    let api = Api::new();
    for (sent, stored) in [
        ("HTTPS://API.example.com:443", "https://api.example.com/"),
        ("http://a.test?q=A", "http://a.test/?q=A"),
        ("a name of somebody's own", "a name of somebody's own"),
    ] {
        for recv in [json!(null), json!(1)] {
            let mut event = event_but("target", json!(sent));
            event["recv_ts_ms"] = recv;
            assert_eq!(api.post_json(&event).await.status, 200);
            let line = api.log.events().pop().unwrap();
            let mut expected = event_but("target", json!(stored));
            expected["recv_ts_ms"] = json!(NOW_MS);
            if sent != stored {
                expected["sent_target"] = json!(sent);
            }
            assert_eq!(line, expected);
        }
    }
}

#[tokio::test]
async fn labels_are_stored_as_they_are_sent() {
    let api = Api::new();
    let sent = r#"{"event_id":"e","client_id":"c","ts_ms":1703347200000,"target":"t","timing_measurements":{},"client_labels":{"te\u0061m" : "core"},"target_labels":null}"#;
    assert_eq!(api.post(&[JSON], sent).await.status, 200);
    let lines = api.log.lines.lock().unwrap();
    let line = std::str::from_utf8(&lines[0].1).unwrap();
    assert!(line.contains(r#""client_labels":{"te\u0061m" : "core"},"target_labels":null"#), "{line}");
}
