//! What can't be answered: each kind gets its status, its code, and a message that says what to do.

use crate::support::*;

const PAGED: [&str; 4] = ["clients", "targets", "aggregates", "diagnoses"];

async fn assert_invalid(api: &Api, path_and_query: &str, message: &str) {
    let answer = api.get(path_and_query).await;
    let expected = serde_json::json!({"error": "invalid_request", "message": message});
    assert_eq!((answer.status, &answer.body), (400, &expected), "{path_and_query}");
    assert_eq!(answer.headers["content-type"], "application/json");
}

#[tokio::test]
async fn a_limit_that_is_none() {
    let api = Api::with(&[]);
    for path in PAGED.into_iter().chain(["runs"]) {
        for limit in ["0", "1001", "70000", "-1", "1.5", "ten", ""] {
            let message = "limit must be a whole number from 1 to 1000";
            assert_invalid(&api, &format!("/api/v1/{path}?limit={limit}"), message).await;
        }
    }
}

#[tokio::test]
async fn a_cursor_that_no_answer_gave() {
    let api = Api::with(&[row("c", "t", 0), row("c", "t", 1), row("d", "u", 0)]);
    let of_rows = api.get("/api/v1/aggregates?limit=1").await.next_cursor().unwrap().to_owned();
    let of_names = api.get("/api/v1/clients?limit=1").await.next_cursor().unwrap().to_owned();
    for path in PAGED {
        let another = if ["clients", "targets"].contains(&path) { &of_rows } else { &of_names };
        for cursor in ["", "zz", "é", "5b5d", &of_rows[1..], another] {
            let message = "cursor must be the next_cursor of an earlier answer";
            assert_invalid(&api, &format!("/api/v1/{path}?cursor={cursor}"), message).await;
        }
    }
}

#[tokio::test]
async fn a_label_that_is_none() {
    let api = Api::with(&[]);
    for path in PAGED.into_iter().chain(["live", "runs"]) {
        for label in ["", "slow", "DNS-bound", "dns_bound"] {
            let message = "label must be one of error-bound, dns-bound, handshake-bound, server-bound, \
                throughput-bound, healthy";
            assert_invalid(&api, &format!("/api/v1/{path}?label={label}"), message).await;
        }
    }
}

#[tokio::test]
async fn labels_of_clients_and_targets_that_are_none_or_too_many() {
    let api = Api::with(&[]);
    for path in PAGED.into_iter().chain(["live", "runs", "incidents", "unmeasured"]) {
        for label in ["", "core", "team=core", "client.team", "client.te-am=core", "server.team=core"] {
            let message = "labelled must be a label and its value, written as client.NAME=VALUE or target.NAME=VALUE";
            assert_invalid(&api, &format!("/api/v1/{path}?labelled={label}"), message).await;
        }
        let nine = ["labelled=client.team=core"; 9].join("&");
        assert_invalid(&api, &format!("/api/v1/{path}?{nine}"), "labelled may stand 8 times at most").await;
    }
}

#[tokio::test]
async fn a_time_that_is_none() {
    let api = Api::with(&[]);
    for path in PAGED.into_iter().chain(["live", "runs"]) {
        for name in ["from", "to"] {
            for time in ["", "now", "1.5", "2025-12-06", "2025-12-06T00:00:00", "99999999999999999999"] {
                let message = format!("{name} must be Unix milliseconds or RFC 3339, as 2026-01-31T12:00:00Z");
                assert_invalid(&api, &format!("/api/v1/{path}?{name}={time}"), &message).await;
            }
        }
    }
}

#[tokio::test]
async fn a_parameter_that_is_not_known_or_stands_twice() {
    let api = Api::with(&[]);
    for path in PAGED.into_iter().chain(["live", "runs"]) {
        let own = match path {
            "live" => "`detail`, `last_event_id`",
            "runs" => "`limit`",
            _ => "`limit`, `cursor`",
        };
        let known = "`client_id`, `target`, `from`, `to`, `label`, `labelled`";
        let reason = format!("unknown field `client`, expected one of {known}, {own}");
        let message = format!("the parameters are not understood: {reason}");
        assert_invalid(&api, &format!("/api/v1/{path}?client=c"), &message).await;
        let message = "the parameters are not understood: duplicate field `target`";
        assert_invalid(&api, &format!("/api/v1/{path}?target=t&target=u"), message).await;
    }
}

#[tokio::test]
async fn too_many_live_readers() {
    let api = Api::with(&[]);
    let mut readers = Vec::new();
    for _ in 0..100 {
        readers.push(api.open("/api/v1/live").await);
    }
    let answer = api.get("/api/v1/live").await;
    let expected = serde_json::json!({
        "error": "service_unavailable", "retry_after": 1,
        "message": "too many live readers; try again later, or ask for pages",
    });
    assert_eq!((answer.status, &answer.body), (503, &expected));
    assert_eq!(answer.headers["retry-after"], "1");
    readers.pop();
    assert_eq!(api.open("/api/v1/live").await.status(), 200, "a reader that leaves makes room");
}
