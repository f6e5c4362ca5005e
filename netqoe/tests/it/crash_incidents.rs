//! kill -9 at random moments while incidents are found: what was told of them is what a replay of the exported log tells.

use std::path::Path;
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use crate::support::{
    DATA_FILE, Server, eventually, eventually_as_it_goes_on, export, gate_or_soak, metric, now_ms, query, replay, seed,
};

/// Another seed can be asked for with this variable.
const SEED_VARIABLE: &str = "NETQOE_TEST_SEED";
const SEED: u64 = 1;
/// In the gate, and in a soak.
const KILLS: [usize; 2] = [3, 12];
/// The latest that it is killed after it was started: by then it folds the history of the demo, or has done so.
const LONGEST_LIFE_MS: u64 = 4_000;

/// The history ends when the demo starts; its last windows are younger than this.
const RECENT_MS: i64 = 180_000;

/// What was told up to a look, and what became of incidents that were over by then, with their members.
fn told(store: &Path, through: i64) -> [Vec<Vec<String>>; 3] {
    let over = format!("SELECT id FROM incidents WHERE state <> 'open' AND as_of <= {through}");
    [
        query(store, &format!("SELECT * FROM incident_revisions WHERE at <= {through} ORDER BY incident, revision")),
        query(
            store,
            &format!(
                "SELECT id, label, cause_dimension, cause_value, state, withdrawn_because, opened, detected, named, last,
                     closed, severity, peak_severity, pairs, clients, targets, revision, as_of
                 FROM incidents WHERE id IN ({over}) ORDER BY id"
            ),
        ),
        query(
            store,
            &format!(
                "SELECT * FROM incident_members WHERE incident IN ({over}) ORDER BY incident, client_id, target"
            ),
        ),
    ]
}

fn through(store: &Path) -> i64 {
    let through = query(store, "SELECT through FROM fleet").remove(0).remove(0);
    through.strip_prefix("Integer(").unwrap().trim_end_matches(')').parse().unwrap()
}

#[test]
fn killed_at_random_moments_it_tells_of_the_same_incidents() {
    let mut rng = StdRng::seed_from_u64(seed(SEED_VARIABLE, SEED));
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    for _ in 0..gate_or_soak(KILLS[0], KILLS[1]) {
        let workers = rng.random_range(1..=2).to_string();
        let server = Server::start(&data, &["--demo", "-w", &workers]);
        std::thread::sleep(Duration::from_millis(rng.random_range(0..LONGEST_LIFE_MS)));
        server.kill();
    }
    // The demo's history is there, as far as it has come, and goes on to its end.
    let (demo, _) = Server::start_and_wait(&data, &["--demo"]);
    let recent = format!("SELECT 1 FROM agg_1m WHERE window_start_ts >= {} LIMIT 1", now_ms() - RECENT_MS);
    // Starts that were killed before they had committed anything look like those of a poison record: the next one tries
    // its records one by one.
    let rows = || query(&data.join(DATA_FILE), "SELECT count(*) FROM agg_1m");
    eventually_as_it_goes_on("the history is in rows", || !query(&data.join(DATA_FILE), &recent).is_empty(), rows);
    demo.kill();
    let (server, port) = Server::start_and_wait(&data, &[]);
    eventually("incidents reflect all rows", || {
        metric(port, "telemetry_queue_consumer_lag_messages") == Some(0.0)
            && metric(port, "telemetry_incidents_lag_seconds") == Some(0.0)
            && !query(&data.join(DATA_FILE), "SELECT 1 FROM fleet").is_empty()
    });
    server.stop();

    let (live, replayed) = (data.join(DATA_FILE), folder.path().join("replayed.db"));
    replay(&folder.path().join("log.ndjson"), &export(&data), &replayed, &[]);
    let through = through(&live).min(through(&replayed));
    let [revisions, incidents, members] = told(&live, through);
    assert!(!incidents.is_empty() && !members.is_empty(), "the demo has incidents that are over: {revisions:?}");
    assert_eq!([revisions, incidents, members], told(&replayed, through));
}
