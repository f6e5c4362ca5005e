//! Showing all open windows at once: `POST /admin/flush` and SIGUSR1.

use std::sync::Arc;

use netqoe_testbed::free_port;
use serde_json::json;

use crate::jetstream::stage::Stage;
use crate::support::{JSON, Server, event, eventually, get, post, send};

const SHOWN: &str = "showing all open windows";
const FLUSH: &str = "/admin/flush";

/// Rows that the query API answers with.
fn rows(port: u16) -> usize {
    get(port, "/api/v1/aggregates").unwrap().json()["items"].as_array().unwrap().len()
}

#[test]
fn a_cluster_is_asked_on_a_port_of_its_own_or_by_a_signal() {
    let stage = Stage::new();
    let (ingest, ingest_port) = stage.ingest();
    let admin_port = free_port().unwrap();
    let mut command = stage.aggregate(&stage.store("store.db"));
    command.args(["--admin-port", &admin_port.to_string()]);
    let mut aggregate = Server::run(command, Arc::default());
    let port = aggregate.port();

    assert_eq!(post(ingest_port, &[JSON], event("an-event", "a-client").to_string()).unwrap().status, 200);
    eventually("the admin routes are there", || get(admin_port, FLUSH).is_ok());
    let another_site = send(admin_port, "POST", FLUSH, &[("Origin", "http://evil.example")], b"").unwrap();
    assert_eq!((another_site.status, &another_site.json()["error"]), (403, &json!("forbidden")));
    assert!(!aggregate.has_logged(SHOWN));
    let answer = send(admin_port, "POST", FLUSH, &[], b"").unwrap();
    assert_eq!((answer.status, answer.json()), (200, json!({"status": "ok"})));
    eventually("it is asked", || aggregate.has_logged(SHOWN));
    eventually("the open window is shown", || rows(port) == 1);

    assert_eq!(get(admin_port, FLUSH).unwrap().status, 405);
    for public in [port, ingest_port] {
        assert_eq!(send(public, "POST", FLUSH, &[], b"").unwrap().status, 404);
        assert!(!get(public, "/api/v1/openapi.json").is_ok_and(|document| document.body.contains("admin")));
    }
    aggregate.stop();
    ingest.stop();
}

#[test]
fn a_signal_asks_up_and_the_cluster() {
    let stage = Stage::new();
    let (up, port) = Server::start_and_wait(&stage.path("data"), &[]);
    assert_eq!(send(port, "POST", FLUSH, &[], b"").unwrap().status, 404);
    let mut aggregate = Server::run(stage.aggregate(&stage.store("store.db")), Arc::default());
    aggregate.port();
    for server in [up, aggregate] {
        server.signal("USR1");
        eventually("it shows them", || server.has_logged(SHOWN));
        server.stop();
    }
}
