//! Somebody else's lock on the data file: `up` goes on, says what is in the way, and resumes by itself; also at its start.

use std::path::Path;

use crate::support::*;

/// A write lock, as a backup or a shell holds one, until it is dropped.
fn lock(data: &Path) -> rusqlite::Connection {
    let connection = rusqlite::Connection::open(data.join(DATA_FILE)).unwrap();
    connection.busy_timeout(PATIENCE).unwrap();
    connection.execute_batch("BEGIN IMMEDIATE").unwrap();
    connection
}

/// The status of the answer.
fn send_event(port: u16, event_id: &str) -> u16 {
    post(port, &[JSON], event(event_id, "c").to_string()).unwrap().status
}

fn says_locked(port: u16) -> bool {
    get(port, "/health").is_ok_and(|health| {
        assert!(!health.body.contains(DATA_FILE), "{}", health.body);
        health.status == 503 && health.body.contains("another program has locked the file")
    })
}

#[test]
fn a_lock_is_waited_out_and_named() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let (mut up, port) = Server::start_and_wait(&data, &NO_RATE);
    assert_eq!(send_event(port, "before"), 200);

    let held = lock(&data);
    assert_eq!(send_event(port, "meanwhile"), 503);
    eventually("health says what is in the way", || says_locked(port));
    assert_eq!(get(port, "/api/v1/aggregates?client_id=c").unwrap().status, 200, "questions go on");
    drop(held);
    eventually("service resumes", || send_event(port, "after") == 200);
    eventually("all is well", || get(port, "/health").is_ok_and(|health| health.status == 200));
    assert_eq!(up.ended(), None);
    up.stop();

    let held = lock(&data);
    let port = netqoe_testbed::free_port().unwrap();
    let mut command = netqoe();
    command.args(["up", "--port", &port.to_string(), "--data"]).arg(&data);
    let mut up = Server::run(command, std::sync::Arc::default());
    eventually("a start that waits says for what", || says_locked(port));
    assert_eq!(send_event(port, "too-early"), 503);
    assert_eq!(get(port, "/livez").unwrap().status, 200);
    drop(held);
    assert_eq!(up.port(), port);
    eventually("it has started", || get(port, "/readyz").is_ok_and(|answer| answer.status == 200));
    up.stop();
    let ids = event_ids(&export(&data));
    assert!(ids.contains("before") && ids.contains("after"), "{ids:?}");
}
