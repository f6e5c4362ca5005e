//! Health, metrics, the OpenAPI document, and answers where there is nothing.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::Router;
use axum::routing::get;
use netqoe_model::metrics::Metrics;
use netqoe_server::{ComponentCheck, Tokens, assemble};
use serde_json::json;

use crate::support::*;

fn check(component: &'static str, needed_for_ready: bool, works: &Arc<AtomicBool>) -> ComponentCheck {
    let works = Arc::clone(works);
    let check = move || {
        if works.load(Ordering::Relaxed) { Ok(()) } else { Err("/var/lib/netqoe.db: the disk is full".to_owned()) }
    };
    ComponentCheck { component, needed_for_ready, check: Box::new(check) }
}

#[tokio::test]
async fn each_component_is_named_and_only_some_are_needed() {
    let (log_works, store_works) = (Arc::new(AtomicBool::new(true)), Arc::new(AtomicBool::new(true)));
    let mut api = Api::new();
    api.router = assemble(
        [],
        Metrics::new(),
        vec![check("log", true, &log_works), check("store", false, &store_works)],
        open_access(),
    );
    let status_of = async |path| api.send("GET", path, &[], "").await.status.as_u16();

    let answer = api.send("GET", "/health", &[], "").await;
    assert_eq!(
        answer.body,
        json!({"status": "ok", "components": {"log": {"status": "ok"}, "store": {"status": "ok"}}})
    );
    assert_eq!((status_of("/livez").await, status_of("/readyz").await), (200, 200));

    store_works.store(false, Ordering::Relaxed);
    assert_eq!((status_of("/health").await, status_of("/readyz").await), (503, 200));

    log_works.store(false, Ordering::Relaxed);
    assert_eq!((status_of("/livez").await, status_of("/readyz").await), (200, 503));
    let answer = api.send("GET", "/health", &[], "").await;
    assert_eq!(answer.body["status"], "failing");
    assert_eq!(
        answer.body["components"]["log"],
        json!({"status": "failing", "message": "netqoe.db: the disk is full"})
    );
    let answer = api.send("GET", "/readyz", &[], "").await;
    assert_eq!(answer.body["components"]["log"], json!({"status": "failing"}), "everybody may ask whether, not why");
}

#[tokio::test]
async fn metrics_and_health_are_for_this_machine_or_for_who_may_read() {
    let tokens = "a-reader-of-all\nlab-token=lab-*";
    let (local, open) = ("127.0.0.1:8081".parse().unwrap(), "0.0.0.0:8081".parse().unwrap());
    let with_tokens = |address| Api::at(address, Tokens::parse(tokens).unwrap());
    let without = Api::new();
    let (local, open) = (with_tokens(local), with_tokens(open));
    let (evil, localhost) = (("host", "evil.example:8081"), ("host", "localhost:8081"));
    let reader = ("authorization", "Bearer a-reader-of-all");
    for path in ["/metrics", "/health"] {
        let status =
            async |api: &Api, headers: &[(&str, &str)]| api.send("GET", path, headers, "").await.status.as_u16();
        assert_eq!(status(&without, &[localhost]).await, 200);
        assert_eq!(status(&without, &[]).await, 200);
        assert_eq!(status(&without, &[evil]).await, 403, "a name that a site points at this machine");
        assert_eq!(status(&local, &[localhost]).await, 200, "this machine's Prometheus");
        assert_eq!(status(&local, &[evil]).await, 401);
        assert_eq!(status(&local, &[evil, reader]).await, 200);
        assert_eq!(status(&open, &[localhost]).await, 401);
        assert_eq!(status(&open, &[("host", "192.0.2.7")]).await, 401);
        assert_eq!(
            status(&open, &[evil, ("authorization", "Bearer lab-token")]).await,
            401,
            "it sends and does not read"
        );
        assert_eq!(status(&open, &[evil, reader]).await, 200);
    }
    for path in ["/livez", "/readyz", "/api/v1/openapi.json"] {
        for api in [&without, &local, &open] {
            assert_eq!(api.send("GET", path, &[evil], "").await.status, 200, "{path}");
        }
    }
}

#[tokio::test]
async fn no_answer_of_the_api_is_kept_or_guessed_at() {
    let api = Api::new();
    for (method, path) in [
        ("GET", "/livez"),
        ("GET", "/readyz"),
        ("GET", "/health"),
        ("GET", "/metrics"),
        ("GET", "/api/v1/openapi.json"),
        ("GET", "/nowhere"),
        ("PUT", SENDING),
        ("POST", SENDING),
        ("GET", "/api/v1/session"),
        ("POST", "/api/v1/session"),
        ("GET", READING),
        ("HEAD", "/livez"),
    ] {
        let answer = api.send(method, path, &[], "").await;
        let headers = ["cache-control", "x-content-type-options"].map(|name| answer.header(name));
        assert_eq!(headers, [Some("no-store"), Some("nosniff")], "{method} {path}");
    }
}

#[tokio::test]
async fn metrics_are_shown_as_prometheus_reads_them() {
    let api = Api::with_tokens("good");
    api.post(&[("authorization", "Bearer a-wrong-one")], "a body").await.assert_refused(401, "unauthorized");
    let answer = api.send("GET", "/metrics", &[("host", "localhost")], "").await;
    let text = answer.body.as_str().unwrap();
    assert!(answer.header("content-type").unwrap().starts_with("text/plain; version=0.0.4"));
    assert!(text.contains("telemetry_ingest_auth_failures_total 1\n"), "{text}");
    assert!(!text.contains("a-wrong-one"));
}

#[tokio::test]
async fn the_openapi_document_holds_the_routes_of_all_parts() {
    #[derive(utoipa::OpenApi)]
    #[openapi(paths(other))]
    struct Other;
    #[utoipa::path(get, path = "/other", responses((status = 200)))]
    async fn other() {}

    let mut api = Api::new();
    let part = (Router::new().route("/other", get(other)), <Other as utoipa::OpenApi>::openapi());
    api.router = assemble([part], Metrics::new(), Vec::new(), open_access());

    let document = api.send("GET", "/api/v1/openapi.json", &[], "").await.body;
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1"));
    for path in ["/other", "/health", "/livez", "/readyz", "/metrics", "/api/v1/openapi.json"] {
        assert!(document["paths"][path].is_object(), "{path}");
    }
    assert_eq!(api.send("GET", "/other", &[], "").await.status, 200);
}

#[tokio::test]
async fn unknown_paths_and_methods_are_answered_in_json() {
    let api = Api::new();
    api.send("GET", "/nowhere", &[], "").await.assert_refused(404, "not_found");
    for (method, path) in [("GET", SENDING), ("PUT", SENDING), ("POST", "/health")] {
        let answer = api.send(method, path, &[], "").await;
        answer.assert_refused(405, "method_not_allowed");
        assert!(answer.header("allow").is_some(), "{method} {path}");
    }
}
