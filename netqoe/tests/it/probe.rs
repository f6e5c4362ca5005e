//! `up --target`: what is measured from here becomes rows, and what fails says where.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};

use serde_json::Value;

use crate::support::{Server, eventually, get};

/// Answers every request with a few bytes, for as long as the test runs.
fn web_server() -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let answer = |mut stream: TcpStream| -> std::io::Result<()> {
        stream.read_exact(&mut [0; 16])?;
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")
    };
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            // A probe that has gone away is no matter of this test.
            stream.and_then(answer).unwrap_or_default();
        }
    });
    port
}

/// The newest row of a target, where there is one.
fn row(port: u16, target: &str) -> Option<Value> {
    let rows = get(port, &format!("/api/v1/aggregates?limit=1&target={target}")).unwrap().json();
    rows["items"].as_array().unwrap().first().cloned()
}

#[test]
fn targets_are_measured() {
    let folder = tempfile::tempdir().unwrap();
    let served = format!("http://127.0.0.1:{}/", web_server());
    // Nobody listens on port 1.
    let unserved = "http://127.0.0.1:1/";
    let options = ["--target", &served, "--target", unserved, "--interval", "200ms"];
    let (server, port) = Server::start_and_wait(folder.path(), &options);
    eventually("a success is in a row", || {
        row(port, &served).is_some_and(|row| row["count_success"].as_u64() > Some(0))
    });
    let success = row(port, &served).unwrap();
    for phase in ["tcp_p50", "ttfb_p50"] {
        assert!(success[phase].as_f64() > Some(0.0), "{phase}: {success}");
    }
    assert_eq!(success["tls_p50"], Value::Null, "there is no TLS in http: {success}");
    eventually("a failure is in a row", || row(port, unserved).is_some());
    let failure = row(port, unserved).unwrap();
    assert_eq!((&failure["tcp_error_count"], &failure["count_success"]), (&failure["count_error"], &0.into()));
    // One failure is noise; the next ones come within moments.
    eventually("failures are named", || row(port, unserved).is_some_and(|row| row["diagnosis_label"] == "error-bound"));
    server.stop();
}

#[test]
fn targets_of_a_file_are_measured_and_followed() {
    let folder = tempfile::tempdir().unwrap();
    let list = folder.path().join("targets.toml");
    let (first, second) = ("http://127.0.0.1:1/", "http://127.0.0.1:2/");
    let write = |url: &str| std::fs::write(&list, format!("[[target]]\nurl = '{url}'\ninterval = '1s'\n")).unwrap();
    write(first);
    let list = list.display().to_string();
    let (server, port) = Server::start_and_wait(folder.path(), &["--targets-file", &list, "--interval", "24h"]);
    eventually("the first is in a row", || row(port, first).is_some());
    write(second);
    eventually("the second is in a row", || row(port, second).is_some());
    server.stop();
}

/// Whoever names a target looks at the page next.
#[test]
fn targets_are_measured_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let target = "http://127.0.0.1:1/";
    let (server, port) = Server::start_and_wait(folder.path(), &["--target", target, "--interval", "24h"]);
    eventually("it is in a row", || row(port, target).is_some());
    server.stop();
}
