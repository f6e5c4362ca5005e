//! Single measurements of a running `up`: what its probe has seen, for whom may read.

use std::net::TcpListener;

use serde_json::{Value, json};

use crate::support::{JSON, NO_RATE, Server, event, eventually, get, post, send};

const EVENTS: &str = "/api/v1/events";

/// A page that nobody serves.
fn refused_page() -> String {
    let port = TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port();
    format!("http://127.0.0.1:{port}/")
}

#[test]
fn the_reason_of_a_failed_measurement_reaches_who_asks() {
    let folder = tempfile::tempdir().unwrap();
    let target = refused_page();
    let (server, port) =
        Server::start_and_wait(folder.path(), &["--target", &target, "--interval", "1s", "--client-id", "c 1"]);
    let mut answer = Value::Null;
    eventually("two measurements are found", || {
        answer = get(port, &format!("{EVENTS}?client_id=c%201&target={target}")).unwrap().json();
        answer["count_error"].as_u64() >= Some(2)
    });
    let failures = &answer["failures"];
    assert_eq!((&failures[0]["stage"], &failures[0]["reason"]), (&json!("tcp"), &json!("connection refused")));
    assert_eq!(failures.as_array().unwrap().len(), 1, "{failures}");
    let newest = &answer["items"][0];
    assert_eq!(newest["failure"], "connection refused");
    let message = newest["event"]["evidence"]["error_message"].as_str().unwrap();
    assert!(message.contains("Connection refused"), "{message}");
    server.stop();
}

#[test]
fn what_was_sent_is_read_at_the_same_address_with_a_token_that_may_read() {
    let folder = tempfile::tempdir().unwrap();
    let options = [&NO_RATE[..], &["--tokens", "of-all\nof-one=c"]].concat();
    let (server, port) = Server::start_and_wait(folder.path(), &options);
    let (all, one) = (("authorization", "Bearer of-all"), ("authorization", "Bearer of-one"));
    assert_eq!(post(port, &[JSON, one], event("e1", "c").to_string()).unwrap().status, 200);
    let read = |headers: &[(&str, &str)]| send(port, "GET", &format!("{EVENTS}?client_id=c"), headers, b"").unwrap();
    for (headers, status) in [(&[all][..], 200), (&[one], 401), (&[], 401)] {
        assert_eq!(read(headers).status, status);
    }
    let answer = read(&[all]).json();
    assert_eq!(answer["items"][0]["event"]["event_id"], "e1");
    assert!(answer["items"][0]["event"]["recv_ts_ms"].is_i64());
    server.stop();
}
