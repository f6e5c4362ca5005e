//! What an operator sees of `up`: health, metrics, the document of its routes, and its end.

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::TcpStream;

use serde_json::{Value, json};

use crate::support::{Answer, JSON, NO_RATE, Server, event, eventually, get, metric, post, send};

/// Every route of `up`, with its method, the query that it needs, and what it answers.
const ROUTES: [(&str, &str, &str, u16); 39] = [
    ("POST", "/api/v1/events", "", 200),
    ("POST", "/events", "", 200),
    ("GET", "/api/v1/events", "?client_id=c", 200),
    ("GET", "/api/v1/aggregates", "", 200),
    ("GET", "/api/v1/clients", "", 200),
    ("GET", "/api/v1/compare", "?client_id=c", 200),
    ("GET", "/api/v1/dead-letters", "", 200),
    ("POST", "/api/v1/dead-letters/{id}/replay", "", 404),
    ("GET", "/api/v1/corrections", "", 200),
    ("GET", "/api/v1/diagnoses", "", 200),
    ("GET", "/api/v1/different", "?from=0&to=9&inside_from=1&inside_to=2", 200),
    ("GET", "/api/v1/different/measurements", "?from=0&to=9&inside_from=1&inside_to=2", 200),
    ("GET", "/api/v1/incidents", "", 200),
    ("GET", "/api/v1/incidents/{id}", "", 404),
    ("GET", "/api/v1/incidents/{id}/pairs", "", 404),
    ("POST", "/api/v1/incidents/{id}/notes", "", 404),
    ("GET", "/api/v1/live", "", 200),
    ("GET", "/api/v1/maintenance", "", 200),
    ("POST", "/api/v1/maintenance", "", 201),
    ("DELETE", "/api/v1/maintenance/{id}", "", 404),
    ("GET", "/api/v1/matrix", "", 200),
    ("GET", "/api/v1/openapi.json", "", 200),
    ("GET", "/api/v1/labels", "", 200),
    ("GET", "/api/v1/overview", "", 200),
    ("GET", "/api/v1/pipeline", "", 200),
    ("GET", "/api/v1/runs", "", 200),
    ("GET", "/api/v1/score", "?by=fleet", 200),
    ("GET", "/api/v1/series", "?client_id=c&target=t", 200),
    ("GET", "/api/v1/session", "", 200),
    ("POST", "/api/v1/session", "", 204),
    ("DELETE", "/api/v1/session", "", 204),
    ("GET", "/api/v1/targets", "", 200),
    ("GET", "/api/v1/timeline", "", 200),
    ("GET", "/api/v1/uncounted", "", 200),
    ("GET", "/api/v1/unmeasured", "", 200),
    ("GET", "/health", "", 200),
    ("GET", "/livez", "", 200),
    ("GET", "/metrics", "", 200),
    ("GET", "/readyz", "", 200),
];

/// Every metric that `up` feeds, with its labels, once an event has been counted and a question asked.
const METRICS: [&str; 31] = [
    "telemetry_ingest_requests_total{status=\"200\"}",
    "telemetry_ingest_errors_total",
    "telemetry_ingest_duration_seconds_count",
    "telemetry_ingest_rate_limited_total",
    "telemetry_ingest_auth_failures_total",
    "telemetry_queue_consumer_lag_messages",
    "telemetry_queue_published_total",
    "telemetry_events_processed_total{status=\"success\"}",
    "telemetry_events_processed_total{status=\"duplicate\"}",
    "telemetry_events_processed_total{status=\"late\"}",
    "telemetry_events_processed_total{status=\"error\"}",
    "telemetry_processing_delay_seconds_count",
    "telemetry_windows_flushed_total",
    "telemetry_dlq_messages_total",
    "telemetry_open_windows{worker=\"0\"}",
    "telemetry_open_windows{worker=\"1\"}",
    "telemetry_tracked_keys{worker=\"0\"}",
    "telemetry_tracked_keys{worker=\"1\"}",
    "telemetry_pairs_evicted_total{reason=\"idle\"}",
    "telemetry_frontier_lag_seconds{worker=\"0\"}",
    "telemetry_frontier_lag_seconds{worker=\"1\"}",
    "telemetry_db_connections_in_use",
    "telemetry_db_connections_max",
    "telemetry_db_query_duration_seconds_count{operation=\"open\"}",
    "telemetry_db_query_duration_seconds_count{operation=\"commit\"}",
    "telemetry_db_query_duration_seconds_count{operation=\"clients\"}",
    "telemetry_db_query_duration_seconds_count{operation=\"diagnoses\"}",
    "telemetry_db_query_duration_seconds_count{operation=\"targets\"}",
    "telemetry_db_rows_written_total",
    "telemetry_db_transactions_total{status=\"committed\"}",
    "telemetry_db_transactions_total{status=\"failed\"}",
];

#[test]
fn every_part_and_every_metric_is_shown() {
    let folder = tempfile::tempdir().unwrap();
    let (server, port) = Server::start_and_wait(folder.path(), &["-w", "2"]);
    for path in ["/health", "/readyz", "/livez"] {
        assert_eq!(get(port, path).unwrap().status, 200, "{path}");
    }
    let parts = json!({"log": {"status": "ok"}, "pipeline": {"status": "ok"}, "store": {"status": "ok"}});
    assert_eq!(get(port, "/health").unwrap().json(), json!({"status": "ok", "components": parts}));

    assert_eq!(post(port, &[JSON], event("an-event", "a-client").to_string()).unwrap().status, 200);
    eventually("the row is there", || {
        let rows = get(port, "/api/v1/aggregates").unwrap().json();
        rows["items"].as_array().is_some_and(|items| items.len() == 1)
    });
    for path in ["clients", "diagnoses", "targets"] {
        assert_eq!(get(port, &format!("/api/v1/{path}")).unwrap().status, 200, "{path}");
    }
    eventually("nothing waits", || metric(port, "telemetry_queue_consumer_lag_messages") == Some(0.0));
    for name in METRICS {
        assert!(metric(port, name).is_some(), "{name} is not shown");
    }
    assert_eq!(metric(port, "telemetry_events_processed_total{status=\"success\"}"), Some(1.0));
    let metrics = get(port, "/metrics").unwrap().body;
    assert!(!metrics.contains("a-client") && !metrics.contains("test.example.com"), "{metrics}");
    server.stop();
}

/// What the document has, each path with each of its methods.
fn documented(document: &Value) -> BTreeSet<(String, String)> {
    let paths = document["paths"].as_object().unwrap().iter();
    let methods = |(path, item): (&String, &Value)| {
        let methods: Vec<_> = item.as_object().unwrap().keys().map(|method| method.to_uppercase()).collect();
        methods.into_iter().map(|method| (method, path.clone())).collect::<Vec<_>>()
    };
    paths.flat_map(methods).collect()
}

/// Every `$ref`, wherever it stands.
fn references(document: &Value) -> Vec<&str> {
    match document {
        Value::Object(members) => {
            let own = members.get("$ref").and_then(Value::as_str);
            own.into_iter().chain(members.values().flat_map(references)).collect()
        }
        Value::Array(elements) => elements.iter().flat_map(references).collect(),
        _ => Vec::new(),
    }
}

#[test]
fn every_route_is_documented_and_answers() {
    let folder = tempfile::tempdir().unwrap();
    let (server, port) = Server::start_and_wait(folder.path(), &NO_RATE);
    let document = get(port, "/api/v1/openapi.json").unwrap().json();
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1"));
    let routes = ROUTES.map(|(method, path, ..)| (method.to_owned(), path.to_owned()));
    assert_eq!(documented(&document), BTreeSet::from(routes));
    for (method, path, query, status) in ROUTES.into_iter().filter(|(_, path, ..)| *path != "/api/v1/live") {
        let body = match (method, path) {
            ("POST", "/api/v1/session") => json!({ "token": "demo-token" }).to_string(),
            ("POST", "/api/v1/incidents/{id}/notes") => json!({ "text": "seen" }).to_string(),
            ("POST", "/api/v1/maintenance") => {
                let cause = json!({ "dimension": "client", "value": ["c"] });
                json!({ "from": 1, "to": 2, "cause": cause, "text": "new cables" }).to_string()
            }
            ("POST", _) => event("e", "c").to_string(),
            _ => String::new(),
        };
        let headers: &[_] = if method == "POST" { &[JSON] } else { &[] };
        let answer = send(port, method, &format!("{path}{query}"), headers, body.as_bytes()).unwrap();
        assert_eq!(answer.status, status, "{method} {path}: {answer:?}");
    }
    for reference in references(&document) {
        let pointer = reference.strip_prefix('#').unwrap();
        assert!(document.pointer(pointer).is_some(), "{reference} is not defined");
    }
    for (method, path, status, schema) in [
        ("post", "/api/v1/events", "429", "Refusal"),
        ("get", "/api/v1/events", "404", "QueryRefusal"),
        ("get", "/api/v1/clients", "503", "QueryRefusal"),
    ] {
        let answer =
            &document["paths"][path][method]["responses"][status]["content"]["application/json"]["schema"]["$ref"];
        assert_eq!(answer, &format!("#/components/schemas/{schema}"), "{method} {path}");
    }
    server.stop();
}

/// A live stream is open, so that the server must end it. What was answered before is in the rows.
#[test]
fn the_first_signal_drains() {
    let folder = tempfile::tempdir().unwrap();
    let (server, port) = Server::start_and_wait(folder.path(), &NO_RATE);
    let mut live = TcpStream::connect(("127.0.0.1", port)).unwrap();
    live.write_all(b"GET /api/v1/live HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    let mut head = [0; 12];
    live.read_exact(&mut head).unwrap();
    assert_eq!(&head, b"HTTP/1.1 200");
    for number in 0..50 {
        let events: Vec<_> = (0..100).map(|event_number| event(&format!("{number}-{event_number}"), "c")).collect();
        assert_eq!(post(port, &[JSON], json!(events).to_string()).unwrap().status, 200);
    }
    server.stop();
    let mut rest = String::new();
    live.read_to_string(&mut rest).unwrap();
    assert!(rest.contains("event: row"), "{rest}");
    assert!(!folder.path().join("netqoe.db-wal").exists(), "all of it is in the one file");
    assert_eq!(crate::support::ledger(&folder.path().join(crate::support::DATA_FILE))[1], 5000);
}

/// A request that never ends is drained until its time is over, unless a second signal comes.
#[test]
fn the_second_signal_ends_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let (server, port) = Server::start_and_wait(folder.path(), &["--read-timeout", "1h"]);
    let mut request = TcpStream::connect(("127.0.0.1", port)).unwrap();
    let head =
        b"POST /api/v1/events HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\nExpect: 100-continue\r\n\r\n";
    request.write_all(head).unwrap();
    let mut goes_on = [0; 12];
    request.read_exact(&mut goes_on).unwrap();
    assert_eq!(&goes_on, b"HTTP/1.1 100");
    server.terminate();
    eventually("it drains", || server.has_logged("draining"));
    server.terminate();
    let (code, log) = server.wait();
    assert_eq!(code, Some(130), "{log}");
    assert!(log.contains("ended at once by a second signal"), "{log}");
}

/// What the log may hold is soon full.
const SMALL_LOG: [&str; 2] = ["--log-max-bytes", "100000"];

/// Sends events until one request is not taken. Returns how many were, and the answer to that request.
fn fill(port: u16) -> (usize, Answer) {
    let mut taken = 0;
    loop {
        let events: Vec<_> = (taken..taken + 20).map(|number| event(&number.to_string(), "c")).collect();
        let answer = post(port, &[JSON], json!(events).to_string()).unwrap();
        if answer.status != 200 {
            return (taken, answer);
        }
        taken += events.len();
    }
}

#[test]
fn a_full_log_refuses_and_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let (server, port) = Server::start_and_wait(folder.path(), &[&NO_RATE[..], &SMALL_LOG].concat());
    let (taken, answer) = fill(port);
    assert_eq!((answer.status, &answer.json()["error"]), (503, &json!("service_unavailable")));
    assert_eq!((answer.header("retry-after"), &answer.json()["retry_after"]), (Some("1"), &json!(1)));
    let (health, ready) = (get(port, "/health").unwrap(), get(port, "/readyz").unwrap());
    assert_eq!((health.status, ready.status, get(port, "/livez").unwrap().status), (503, 503, 200));
    let parts = &health.json()["components"];
    assert_eq!((&parts["log"]["status"], &parts["store"]["status"]), (&json!("failing"), &json!("ok")));
    assert!(parts["log"]["message"].as_str().unwrap().contains("100000"), "{parts}");
    server.stop();
    assert_eq!(
        crate::support::ledger(&folder.path().join(crate::support::DATA_FILE))[1],
        taken as u64,
        "what was taken counts"
    );
}

#[test]
fn a_full_log_has_room_again_once_windows_are_closed() {
    let folder = tempfile::tempdir().unwrap();
    let windows = ["--window", "1s", "--lateness", "1s"];
    let options = [&NO_RATE[..], &SMALL_LOG, &windows].concat();
    let (server, port) = Server::start_and_wait(folder.path(), &options);
    fill(port);
    eventually("there is room again", || post(port, &[JSON], event("another", "c").to_string()).unwrap().status == 200);
    eventually("the server is ready again", || get(port, "/readyz").unwrap().status == 200);
    server.stop();
}

#[test]
fn logs_are_json_where_that_is_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let (server, _) = Server::start_and_wait(folder.path(), &["--log-format", "json"]);
    server.terminate();
    let (code, log) = server.wait();
    assert_eq!(code, Some(0), "{log}");
    let messages: Vec<_> = log.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()).collect();
    assert!(messages.iter().all(|line| line["level"].is_string() && line["timestamp"].is_string()), "{log}");
    assert!(messages.iter().any(|line| line["fields"]["message"] == "drained"), "{log}");
}

/// What is logged changes while the process runs, and on the admin port alone.
#[test]
fn log_levels_change_while_it_runs() {
    const LEVEL: &str = "/admin/log-level";
    const SHOWN: &str = "showing all open windows";
    let folder = tempfile::tempdir().unwrap();
    let admin = netqoe_testbed::free_port().unwrap();
    let (up, port) = Server::start_and_wait(folder.path(), &["--admin-port", &admin.to_string()]);
    eventually("the admin routes are there", || get(admin, LEVEL).is_ok());
    assert_eq!(get(port, LEVEL).unwrap().status, 404);
    assert_eq!(get(admin, LEVEL).unwrap().json(), json!({"log_level": "info"}));
    let refused = send(admin, "PUT", LEVEL, &[], b"netqoe=loud").unwrap();
    assert_eq!((refused.status, &refused.json()["error"]), (400, &json!("invalid_log_level")));
    let another_site = send(admin, "PUT", LEVEL, &[("Origin", "http://evil.example")], b"trace").unwrap();
    assert_eq!(another_site.status, 403);
    let set = |level: &str| {
        let changed = send(admin, "PUT", LEVEL, &[], level.as_bytes()).unwrap();
        assert_eq!((changed.status, changed.json()), (200, json!({"log_level": level})));
    };
    let flush = || assert_eq!(send(admin, "POST", "/admin/flush", &[], b"").unwrap().status, 200);
    set("error");
    flush();
    set("info,netqoe=debug");
    eventually("it is said", || up.has_logged("what is logged is now `info,netqoe=debug`"));
    assert!(!up.has_logged(SHOWN), "what is no error was logged");
    flush();
    eventually("it logs more", || up.has_logged(SHOWN));
    up.stop();
}
