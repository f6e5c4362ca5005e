//! A process that has more memory than `--max-memory` allows: known pairs go on, new ones wait.

use std::sync::Arc;
use std::sync::atomic::AtomicU16;

use serde_json::json;

use crate::cluster_support::Rig;
use crate::support::*;

/// No program is as small.
const EXCEEDED: [&str; 2] = ["--max-memory", "1048576"];
/// Windows of a second, so that they close while the test runs.
const RULES: [&str; 4] = ["--window", "1s", "--lateness", "1s"];
const REFUSED: &str = "telemetry_ingest_pairs_refused_total{limit=\"memory\"}";

fn final_rows(data: &std::path::Path) -> Vec<Vec<String>> {
    query(&data.join(DATA_FILE), "SELECT count(*) FROM agg_1m WHERE is_final")
}

/// What is wrong with the memory, by the server's health.
fn problem(port: u16) -> Option<String> {
    let health = get(port, "/health").unwrap();
    assert_eq!(health.status == 503, health.json()["status"] == "failing");
    health.json()["components"]["memory"]["message"].as_str().map(str::to_owned)
}

#[test]
fn above_the_bound_only_known_pairs_are_taken() {
    let folder = tempfile::tempdir().unwrap();
    let (up, port) = Server::start_and_wait(folder.path(), &RULES);
    assert_eq!(post(port, &[JSON], event("first", "known").to_string()).unwrap().status, 200);
    eventually("the pair is in the store", || final_rows(folder.path()) == [["Integer(1)"]]);
    assert!(get(port, "/health").unwrap().json()["components"]["memory"].is_null(), "nothing bounds it");
    up.stop();

    let (up, port) = Server::start_and_wait(folder.path(), &[&RULES[..], &EXCEEDED].concat());
    let refused = post(port, &[JSON], event("refused", "new").to_string()).unwrap();
    assert_eq!((refused.status, &refused.json()["error"]), (429, &json!("memory_exceeded")), "{refused:?}");
    assert_eq!(refused.header("retry-after"), Some("60"));
    assert!(refused.json()["message"].as_str().unwrap().contains("--max-memory"), "{refused:?}");
    assert_eq!(post(port, &[JSON], event("second", "known").to_string()).unwrap().status, 200);
    let lines = [event("third", "known").to_string(), event("refused", "other").to_string()].join("\n");
    let batch = post(port, &[NDJSON], lines).unwrap().json();
    assert_eq!((&batch["accepted"], &batch["rejected"]), (&json!(1), &json!(1)), "{batch}");
    assert_eq!(metric(port, REFUSED), Some(2.0));

    let problem = problem(port).unwrap();
    assert!(problem.contains("--max-memory allows 1048576"), "{problem}");
    assert!(up.has_logged("--max-memory allows 1048576"), "{}", up.last_words());
    up.stop();
    let ids: Vec<_> = event_ids(&export(folder.path())).into_iter().collect();
    assert_eq!(ids, ["first", "second", "third"]);
}

#[test]
fn ingest_of_a_cluster_has_the_bound_too() {
    let rig = Rig::new("postgres://nobody-asks");
    let mut ingest = rig.ingest_with(&Arc::<AtomicU16>::default(), &EXCEEDED);
    let port = ingest.port();
    eventually("it takes requests", || get(port, "/readyz").is_ok_and(|answer| answer.status == 200));
    let refused = post(port, &[JSON], event("refused", "new").to_string()).unwrap();
    assert_eq!((refused.status, &refused.json()["error"]), (429, &json!("memory_exceeded")), "{refused:?}");
    assert!(problem(port).is_some_and(|problem| problem.contains("--max-memory")));
    ingest.stop();
}

#[test]
fn the_bound_is_a_number_of_bytes() {
    let output = netqoe().args(["up", "--max-memory", "0"]).output().unwrap();
    let message = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{message}");
    assert!(message.contains("--max-memory") && message.contains("1 or more"), "{message}");
}
