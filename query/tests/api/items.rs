//! What an item says.

use netqoe_model::Label;
use serde_json::json;

use crate::support::*;

#[tokio::test]
async fn an_aggregate_has_the_columns_of_the_store() {
    let row = over(Some("wifi"), Some("isp of c"), Some("home"), row("c", "t", 0));
    let api = Api::with(&[diagnosed(row, Label::DnsBound)]);
    let expected = json!({
        "client_id": "c", "target": "t", "window_start_ts": START_MS,
        "count_total": 3, "count_success": 2, "count_error": 1,
        "dns_error_count": 1, "tcp_error_count": 0, "tls_error_count": 0, "http_error_count": 0,
        "throughput_error_count": 0,
        "dns_p50": 15.3, "dns_p95": 15.301, "tcp_p50": 25.0, "tcp_p95": 26.5, "tls_p50": null, "tls_p95": null,
        "ttfb_p50": 125.8, "ttfb_p95": 126.001, "throughput_p50": 95.4, "throughput_p95": 96.0,
        "diagnosis_label": "dns-bound", "is_final": true, "as_of": START_MS + 180_001, "updated_at": WRITTEN_MS,
        "network_type": "wifi", "isp": "isp of c", "site": "home",
        "client_labels": {}, "target_labels": {}, "revision": 0,
    });
    assert_eq!(api.get("/api/v1/aggregates").await.items(), [expected]);
}

#[tokio::test]
async fn an_aggregate_without_a_diagnosis_says_so() {
    let api = Api::with(&[row("c", "t", 0)]);
    assert_eq!(api.get("/api/v1/aggregates").await.items()[0]["diagnosis_label"], json!(null));
}

#[tokio::test]
async fn a_diagnosis_has_its_evidence_in_its_unit() {
    for (label, unit) in [
        (Label::DnsBound, "ms"),
        (Label::HandshakeBound, "ms"),
        (Label::ServerBound, "ms"),
        (Label::ThroughputBound, "Mbit/s"),
        (Label::ErrorBound, "share"),
    ] {
        let api = Api::with(&[diagnosed(row("c", "t", 0), label)]);
        let expected = json!({
            "client_id": "c", "target": "t", "window_start_ts": START_MS, "label": label.as_str(), "severity": "major",
            "evidence": evidence(unit, 0),
            "is_final": true, "as_of": START_MS + 180_001, "updated_at": WRITTEN_MS,
        });
        assert_eq!(api.get("/api/v1/diagnoses").await.items(), [expected]);
    }
}

#[tokio::test]
async fn only_what_hurts_is_a_diagnosis() {
    let rows = [row("c", "t", 0), diagnosed(row("c", "t", 1), Label::Healthy)];
    let api = Api::with(&rows);
    assert_eq!(api.get("/api/v1/diagnoses").await.items().len(), 0);
    api.write(&[diagnosed(row("c", "t", 1), Label::ServerBound)]);
    assert_eq!(api.get("/api/v1/diagnoses").await.names(), ["c t 1"]);
    api.write(&[diagnosed(row("c", "t", 1), Label::Healthy)]);
    assert_eq!(api.get("/api/v1/diagnoses").await.items().len(), 0, "a correction takes it back");
}

#[tokio::test]
async fn a_client_has_its_network_and_its_times() {
    let api = Api::with(&[row("c", "t", 0), row("c", "t", 7)]);
    let expected = json!({
        "client_id": "c", "network_type": "wifi", "isp": "isp of c",
        "context": r#"{"network_type":"wifi","isp":"isp of c"}"#,
        "first_seen": START_MS, "last_seen": minute_ms(7),
    });
    assert_eq!(api.get("/api/v1/clients").await.items(), [expected]);
}

#[tokio::test]
async fn a_target_has_its_clients_counted_and_its_newest_window() {
    let api = Api::with(&[row("a", "t", 0), row("a", "t", 1), row("b", "t", 5), row("b", "u", 2)]);
    let targets = [
        json!({"target": "t", "client_count": 2, "last_window_start_ts": minute_ms(5)}),
        json!({"target": "u", "client_count": 1, "last_window_start_ts": minute_ms(2)}),
    ];
    assert_eq!(api.get("/api/v1/targets").await.items(), targets);
}
