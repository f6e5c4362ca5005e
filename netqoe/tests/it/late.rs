//! What comes hours late is counted by a running netqoe: it comes to the rows and incidents of a replay that counts it in its time,
//! whenever the process is killed.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use netqoe_simulator::Scenario;
use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use serde_json::Value;

use crate::support::*;

const MINUTE_MS: i64 = 60_000;
const MINUTES: u32 = 50;
/// Events that a probe sends at once.
const BATCH: usize = 100;

struct Trial {
    folder: tempfile::TempDir,
    /// When the scenario begins: it ends some minutes ago.
    start_ms: i64,
}

impl Trial {
    fn new() -> Self {
        let start_ms = (now_ms() / MINUTE_MS - i64::from(MINUTES) - 8) * MINUTE_MS;
        Self { folder: tempfile::tempdir().unwrap(), start_ms }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn store(&self) -> PathBuf {
        self.path("data").join(DATA_FILE)
    }

    /// Lines of a scenario with faults, in the order in which they came.
    fn scenario(&self) -> Vec<String> {
        let scenario = Scenario {
            seed: 7,
            clients: 8,
            targets: 4,
            minutes: MINUTES,
            per_minute: 2,
            start_ms: self.start_ms,
            clean: true,
        };
        let mut log = Vec::new();
        scenario.write_to(&mut log).unwrap();
        String::from_utf8(log).unwrap().lines().map(str::to_owned).collect()
    }

    /// The rows of windows that are over, and what incidents there were.
    fn results(&self, store: &Path) -> (Vec<Vec<String>>, Value) {
        let sql = "SELECT client_id, target, window_start_ts, count_total, count_success, dns_p50, dns_p95, tcp_p95, tls_p95, ttfb_p50,
                          ttfb_p95, throughput_p50, diagnosis_label, network_type, isp
                   FROM agg_1m WHERE is_final = 1 ORDER BY client_id, target, window_start_ts";
        let url = format!("sqlite:{}", store.display());
        let listed = netqoe().args(["incidents", "--store", &url, "--json"]).output().unwrap();
        (query(store, sql), serde_json::from_slice(&listed.stdout).unwrap())
    }
}

fn without_recv(line: &str) -> String {
    let mut event: Value = serde_json::from_str(line).unwrap();
    event.as_object_mut().unwrap().remove("recv_ts_ms");
    event.to_string()
}

/// Posts events; where the process is killed before it answers, they are sent again.
fn post_all(trial: &Trial, events: &[String], mut kill_after: impl FnMut() -> Option<Duration>) {
    let options = ["--log-max-age", "36500d"];
    let (mut server, mut port) = Server::start_and_wait(&trial.path("data"), &options);
    for batch in events.chunks(BATCH) {
        let headers = [("Content-Type", "application/x-ndjson")];
        eventually("late events are taken", || {
            post(port, &headers, batch.join("\n")).is_ok_and(|answer| answer.status == 200)
        });
        if let Some(after) = kill_after() {
            std::thread::sleep(after);
            server.kill();
            (server, port) = Server::start_and_wait(&trial.path("data"), &options);
        }
    }
    let waits = || query(&trial.store(), "SELECT count(*) FROM waiting_corrections")[0][0] != "Integer(0)";
    eventually("all of it is counted", || {
        metric(port, "telemetry_queue_consumer_lag_messages") == Some(0.0) && !waits()
    });
    server.stop();
}

#[test]
fn what_comes_late_is_counted_as_a_replay_counts_it_however_often_the_process_is_killed() {
    let trial = Trial::new();
    let mut random = StdRng::seed_from_u64(5);
    // Two clients were offline for half an hour, and of the others single events come late.
    let offline = trial.start_ms + 15 * MINUTE_MS..trial.start_ms + 45 * MINUTE_MS;
    let (mut late, in_time): (Vec<String>, Vec<String>) = trial.scenario().into_iter().partition(|line| {
        let event: Value = serde_json::from_str(line).unwrap();
        let is_offline =
            event["client_id"].as_str().is_some_and(|client| client.ends_with('1') || client.ends_with('2'));
        (is_offline && offline.contains(&event["ts_ms"].as_i64().unwrap())) || random.random_bool(0.01)
    });
    late.shuffle(&mut random);
    let late: Vec<String> = late.iter().map(|line| without_recv(line)).collect();
    assert!(late.len() > 5 * BATCH, "{}", late.len());
    let file = trial.path("history.ndjson");
    fs::write(&file, in_time.join("\n")).unwrap();
    let (server, _) =
        Server::start_and_wait(&trial.path("data"), &["--log-max-age", "36500d", "--import", file.to_str().unwrap()]);
    server.stop();

    // Corrections begin some seconds after the last late event.
    let mut kills = gate_or_soak(3, 20);
    post_all(&trial, &late, || {
        kills -= i32::from(kills > 0);
        (kills > 0).then(|| Duration::from_millis(random.random_range(0..6_000)))
    });

    let exported = export(&trial.path("data"));
    let replayed = trial.path("replayed.db");
    let counts = replay(&trial.path("log.ndjson"), &exported, &replayed, &["--correction-horizon", "24h"]);
    assert!(counts["corrected"].as_u64().is_some_and(|corrected| corrected as usize >= late.len() / 2), "{counts}");
    let (expected_rows, expected_incidents) = trial.results(&replayed);
    let (rows, incidents) = trial.results(&trial.store());
    let first = rows.iter().zip(&expected_rows).find(|(row, expected)| row != expected);
    assert_eq!((first, rows.len()), (None, expected_rows.len()));
    assert!(!expected_incidents.as_array().unwrap().is_empty());
    assert_eq!(incidents, expected_incidents);
    assert_eq!(ledger(&trial.store()), ledger(&replayed));
}
