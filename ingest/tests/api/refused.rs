//! Bad input: each kind gets its documented answer, and nothing of it reaches the log.

use serde_json::json;

use crate::support::*;

async fn assert_refused(body: impl Into<axum::body::Body>, status: u16, error: &str) {
    let api = Api::new();
    let answer = api.post(&[JSON], body).await;
    answer.assert_refused(status, error);
    assert_eq!(api.log.events().len(), 0);
    assert_eq!(api.metrics.ingest_requests.with_label_values(&[status.to_string().as_str()]).get(), 1);
    assert_eq!(api.metrics.ingest_errors.get(), 1);
}

#[tokio::test]
async fn what_is_no_json() {
    for body in ["", " \n", "{", "{]", "nonsense", "{\"event_id\":", "[", "[{}", "[{},]", "[1 2]", "{}{}", "\u{feff}"] {
        assert_refused(body, 400, "invalid_request").await;
    }
}

#[tokio::test]
async fn what_is_no_object() {
    for body in ["null", "1", "\"text\"", "true", "[]", "[null]", "[[]]"] {
        assert_refused(body, 400, "invalid_request").await;
    }
}

#[tokio::test]
async fn what_is_not_utf8() {
    let utf16: Vec<u8> = event("e", "c").to_string().encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert_refused(utf16.clone(), 400, "invalid_request").await;
    assert_refused([vec![0xff, 0xfe], utf16].concat(), 400, "invalid_request").await;
    let latin1 = event("e", "caf\u{fffd}").to_string().replace('\u{fffd}', "\u{1}").replace("\\u0001", "\u{1}");
    let latin1: Vec<u8> = latin1.bytes().map(|byte| if byte == 1 { 0xe9 } else { byte }).collect();
    assert_refused(latin1.clone(), 400, "invalid_request").await;
    assert_refused([&b"["[..], &latin1, b"]"].concat(), 400, "invalid_request").await;
}

#[tokio::test]
async fn members_that_are_not_what_they_must_be() {
    let long = |bytes: usize| json!("x".repeat(bytes));
    for (member, value, error) in [
        ("schema_version", json!(2), "invalid_schema_version"),
        ("schema_version", json!("2.0"), "invalid_schema_version"),
        ("schema_version", json!(true), "invalid_schema_version"),
        ("event_id", json!(""), "invalid_event_id"),
        ("event_id", json!(7), "invalid_event_id"),
        ("event_id", json!(null), "invalid_event_id"),
        ("event_id", long(129), "invalid_event_id"),
        ("event_id", json!("a\u{0}b"), "invalid_event_id"),
        ("ts_ms", json!(null), "invalid_timestamp"),
        ("ts_ms", json!("1703347200000"), "invalid_timestamp"),
        ("ts_ms", json!(0), "invalid_timestamp"),
        ("ts_ms", json!(-1), "invalid_timestamp"),
        ("ts_ms", json!(1.5), "invalid_timestamp"),
        ("ts_ms", json!(u64::MAX), "invalid_timestamp"),
        ("client_id", json!(""), "invalid_request"),
        ("client_id", long(256), "invalid_request"),
        ("client_id", json!({}), "invalid_request"),
        ("target", json!(""), "invalid_request"),
        ("target", long(1025), "invalid_request"),
        ("error_stage", json!("other"), "invalid_request"),
        ("error_stage", json!(1), "invalid_request"),
        ("client_labels", json!(["team"]), "invalid_request"),
        ("client_labels", json!({"team": 5}), "invalid_request"),
        ("client_labels", json!({"my team": "a"}), "invalid_request"),
        ("client_labels", json!({"team": "x".repeat(257)}), "invalid_request"),
        ("client_labels", json!({"team": "a\u{0}"}), "invalid_request"),
        ("target_labels", (0..17).map(|nth| (format!("k{nth}"), json!("v"))).collect(), "invalid_request"),
        ("timing_measurements", json!(null), "invalid_request"),
        ("timing_measurements", json!([]), "invalid_request"),
        ("timing_measurements", json!({"dns_ms": -0.1}), "invalid_request"),
        ("timing_measurements", json!({"dns_ms": 1e13}), "invalid_request"),
        ("timing_measurements", json!({"dns_ms": "15"}), "invalid_request"),
        ("timing_measurements", json!({"dns_ms": [1]}), "invalid_request"),
    ] {
        assert_refused(event_but(member, value).to_string(), 400, error).await;
    }
}

#[tokio::test]
async fn numbers_that_json_has_not() {
    for number in ["NaN", "Infinity", "-Infinity", "1e999", "01", "+1", ".5", "0x10"] {
        let body = event("e", "c").to_string().replace("15.3", number);
        assert!(body.contains(number));
        assert_refused(body, 400, "invalid_request").await;
    }
}

#[tokio::test]
async fn a_megabyte_of_nesting() {
    const LEVELS: usize = 1 << 20;
    let nested = format!("{}{}", "[".repeat(LEVELS), "]".repeat(LEVELS));
    let objects = format!("{}1{}", "{\"a\":".repeat(LEVELS), "}".repeat(LEVELS));
    let within = event("e", "c").to_string().replace("15.3", &nested);
    for body in [nested.clone(), objects, within, "[".repeat(LEVELS), "{\"a\":".repeat(LEVELS)] {
        assert_refused(body, 400, "invalid_request").await;
    }
    let allowed = event_but("extra", json!(null))
        .to_string()
        .replace("\"extra\":null", &format!("\"extra\":{}{}", "[".repeat(127), "]".repeat(127)));
    assert_eq!(Api::new().post(&[JSON], allowed.clone()).await.status, 200);
    assert_refused(allowed.replace("[[", "[[[").replace("]]", "]]]"), 400, "invalid_request").await;
}

#[tokio::test]
async fn a_body_over_the_limit() {
    const LIMIT: usize = 16 << 20;
    let fits = format!("{}{}", event("e", "c"), " ".repeat(LIMIT - event("e", "c").to_string().len()));
    assert_eq!(fits.len(), LIMIT);
    assert_eq!(Api::new().post(&[JSON], fits.clone()).await.status, 200);
    assert_refused(fits + " ", 413, "payload_too_large").await;
}

#[tokio::test]
async fn a_body_that_announces_too_much_is_not_read() {
    let api = Api::new();
    let never = axum::body::Body::from_stream(futures::stream::pending::<Result<bytes::Bytes, std::io::Error>>());
    let answer = api.post(&[JSON, ("content-length", "16777217")], never).await;
    answer.assert_refused(413, "payload_too_large");
}

#[tokio::test]
async fn a_body_that_breaks_off() {
    let pieces = [Ok(bytes::Bytes::from_static(b"{")), Err(std::io::Error::other("gone"))];
    let body = axum::body::Body::from_stream(futures::stream::iter(pieces));
    assert_refused(body, 400, "invalid_request").await;
}

#[tokio::test]
async fn other_methods_are_answered_in_json() {
    let api = Api::new();
    for (method, path) in [("GET", EVENTS), ("PUT", EVENTS), ("DELETE", "/events")] {
        let answer = api.send(method, path, &[], "").await;
        answer.assert_refused(405, "method_not_allowed");
        assert!(answer.header("allow").is_some(), "{method} {path}");
    }
}
