//! What the metrics and the OpenAPI document say of ingest.

use crate::support::*;

#[tokio::test]
async fn metrics_are_shown_as_prometheus_reads_them() {
    let api = Api::new();
    api.post_json(&event("e", "a-client")).await;
    let answer = api.send("GET", "/metrics", &[], "").await;
    let text = answer.body.as_str().unwrap();
    assert!(answer.header("content-type").unwrap().starts_with("text/plain; version=0.0.4"));
    assert!(text.contains("telemetry_ingest_requests_total{status=\"200\"} 1\n"), "{text}");
    assert!(text.contains("telemetry_queue_published_total 1\n"));
    assert!(text.contains("telemetry_ingest_duration_seconds_count 1\n"));
    assert!(!text.contains("a-client"));
}

#[tokio::test]
async fn the_openapi_document_describes_the_routes_and_all_that_they_answer() {
    let document = Api::new().send("GET", "/api/v1/openapi.json", &[], "").await.body;
    for path in ["/api/v1/events", "/events", "/health"] {
        assert!(document["paths"][path].is_object(), "{path}");
    }
    let answers = &document["paths"]["/api/v1/events"]["post"]["responses"];
    for status in ["200", "400", "401", "408", "413", "415", "429", "503"] {
        assert!(answers[status].is_object(), "{status}");
    }
    for schema in references(&document) {
        let name = schema.strip_prefix("#/components/schemas/").unwrap();
        assert!(document["components"]["schemas"][name].is_object(), "{schema} is not defined");
    }
}

/// What the document refers to.
fn references(document: &serde_json::Value) -> Vec<String> {
    match document {
        serde_json::Value::Object(members) => members
            .iter()
            .flat_map(|(name, value)| match (name.as_str(), value) {
                ("$ref", serde_json::Value::String(reference)) => vec![reference.clone()],
                _ => references(value),
            })
            .collect(),
        serde_json::Value::Array(elements) => elements.iter().flat_map(references).collect(),
        _ => Vec::new(),
    }
}
