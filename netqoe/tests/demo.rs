//! `up --demo`: whoever tries netqoe sees a fault of every kind within seconds.

#![allow(clippy::unwrap_used)] // nothing here but tests

mod support;

use std::collections::BTreeSet;
use std::time::Instant;

use support::{Server, eventually, get};

const FAULTS: [&str; 5] = ["dns-bound", "error-bound", "handshake-bound", "server-bound", "throughput-bound"];

/// The labels of all diagnoses, page by page.
fn labels(port: u16) -> BTreeSet<String> {
    let (mut labels, mut cursor) = (BTreeSet::new(), String::new());
    loop {
        let page = get(port, &format!("/api/v1/diagnoses?limit=1000{cursor}")).unwrap().json();
        let items = page["items"].as_array().unwrap();
        labels.extend(items.iter().map(|item| item["label"].as_str().unwrap().to_owned()));
        let Some(next) = page["next_cursor"].as_str() else { return labels };
        cursor = format!("&cursor={next}");
    }
}

#[test]
fn names_each_fault() {
    let folder = tempfile::tempdir().unwrap();
    let started = Instant::now();
    let mut server = Server::start(folder.path(), &["--demo"]);
    let port = server.port();
    let listens = started.elapsed();
    eventually("each fault is named", || labels(port).iter().eq(FAULTS));
    println!("listens after {listens:.1?}, names each fault after {:.1?} (to be: 10 s at most)", started.elapsed());
    let metrics_of_demo = support::metric(port, "telemetry_events_processed_total{status=\"success\"}");
    eventually("the demo goes on live", || {
        support::metric(port, "telemetry_events_processed_total{status=\"success\"}") > metrics_of_demo
    });
    server.stop();
}
