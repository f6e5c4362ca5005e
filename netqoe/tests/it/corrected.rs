//! `replay --correction-horizon`: what came hours late counts as if it had come in time.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use netqoe_simulator::Scenario;
use netqoe_testbed::Database;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::Value;

use crate::support::{ledger, netqoe, query, rows};

const MINUTE_MS: i64 = 60_000;
const START_MS: i64 = 1_700_000_040_000;
/// Long enough for faults to be named, and for some events to come too late.
const MINUTES: u32 = 90;
/// Events that are measured so close to each other are measured at the same time.
const TOGETHER_MS: i64 = 20_000;
const HORIZON: &str = "45m";

fn scenario(clean: bool) -> Scenario {
    Scenario { seed: 5, clients: 8, targets: 5, minutes: MINUTES, per_minute: 2, start_ms: START_MS, clean }
}

fn log_of(scenario: &Scenario) -> String {
    let mut log = Vec::new();
    scenario.write_to(&mut log).unwrap();
    String::from_utf8(log).unwrap()
}

/// The log if it had taken its events at other times, in the order of these. What is no event stays behind the line before it.
fn taken_at(log: &str, mut recv_ms: impl FnMut(&mut Value) -> i64) -> String {
    let mut last_ms = 0;
    let line = |line: &str| match serde_json::from_str::<Value>(line) {
        Ok(mut event) if event["ts_ms"].is_i64() => {
            last_ms = recv_ms(&mut event);
            event["recv_ts_ms"] = last_ms.into();
            (last_ms, format!("{event}\n"))
        }
        _ => (last_ms, format!("{line}\n")),
    };
    let mut lines: Vec<_> = log.lines().map(line).collect();
    lines.sort_by_key(|(recv_ms, _)| *recv_ms);
    lines.into_iter().map(|(_, line)| line).collect()
}

fn recv_ms(event: &Value) -> i64 {
    event["recv_ts_ms"].as_i64().unwrap_or(event["ts_ms"].as_i64().unwrap())
}

/// Some of the events come up to an hour and a half late. Many of a pair were measured at the same time, over different networks.
fn partly_late(share: f64) -> String {
    let mut random = StdRng::seed_from_u64(3);
    taken_at(&log_of(&scenario(false)), |event| {
        let ts_ms = event["ts_ms"].as_i64().unwrap();
        event["ts_ms"] = (ts_ms - ts_ms.rem_euclid(TOGETHER_MS)).into();
        let delay_ms = if random.random_bool(share) { random.random_range(0..90 * MINUTE_MS) } else { 0 };
        recv_ms(event) + delay_ms
    })
}

struct Trial(tempfile::TempDir);

impl Trial {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn replay(&self, name: &str, log: &str, options: &[&str]) -> (PathBuf, Value) {
        let (input, store) = (self.path("log.ndjson"), self.path(&format!("{name}.db")));
        fs::write(&input, log).unwrap();
        let mut command = netqoe();
        command.args(["replay", "--store", &format!("sqlite:{}", store.display()), "--input"]).arg(input).args(options);
        let output = command.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        (store, serde_json::from_slice(&output.stdout).unwrap())
    }
}

/// What incidents a store has, with their times and members.
fn incidents(store: &Path) -> Value {
    let store = format!("sqlite:{}", store.display());
    let output = netqoe().args(["incidents", "--store", &store, "--json"]).output().unwrap();
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn rows_are_those_of_a_lateness_as_long_as_the_horizon() {
    let trial = Trial::new();
    for (share, workers) in [(0.001, "1"), (0.05, "3"), (0.5, "2")] {
        let log = partly_late(share);
        let (expected, _) = trial.replay(&format!("expected-{share}"), &log, &["--lateness", HORIZON]);
        let options = ["--correction-horizon", HORIZON, "-w", workers];
        let (corrected, counts) = trial.replay(&format!("corrected-{share}"), &log, &options);
        assert_eq!(rows(&corrected), rows(&expected), "{share}");
        assert_eq!(ledger(&corrected), ledger(&expected), "{share}");
        assert!(counts["corrected"].as_u64() > Some(0), "{counts}");
        if share > 0.01 {
            assert!(counts["late"].as_u64() > Some(0), "what is beyond the horizon stays late: {counts}");
        }
        let letters = "SELECT position, line, reason, original FROM dead_letters ORDER BY 1, 2";
        assert_eq!(query(&corrected, letters), query(&expected, letters), "lines keep their numbers");
    }
}

#[test]
fn what_can_be_read_once_only_and_another_store_make_no_difference() {
    let trial = Trial::new();
    let log = partly_late(0.05);
    let (expected, _) = trial.replay("expected", &log, &["--lateness", HORIZON]);
    let database = Database::fresh().unwrap();
    let piped = format!("sqlite:{}", trial.path("piped.db").display());
    for store in [&*piped, database.url()] {
        let mut command = netqoe();
        command.args(["replay", "--correction-horizon", HORIZON, "--store", store]);
        command.args(["--diff", &format!("sqlite:{}", expected.display())]);
        // A pipe has no second beginning.
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut running = command.spawn().unwrap();
        let mut input = running.stdin.take().unwrap();
        let text = log.clone();
        let writing = std::thread::spawn(move || input.write_all(text.as_bytes()).unwrap());
        let output = running.wait_with_output().unwrap();
        writing.join().unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{said} {}", String::from_utf8_lossy(&output.stderr));
        assert!(said.contains("\"different\":0"), "{said}");
    }
    assert_eq!(rows(&trial.path("piped.db")), rows(&expected));
}

#[test]
fn incidents_are_what_they_would_be_had_the_events_come_in_time() {
    let trial = Trial::new();
    let in_time = taken_at(&log_of(&scenario(true)), |event| event["ts_ms"].as_i64().unwrap());
    // Half an hour of everybody, in which faults begin, comes when it is over; from then on, all is as it was.
    let outage = START_MS + 50 * MINUTE_MS..START_MS + 80 * MINUTE_MS;
    let late = taken_at(&in_time, |event| {
        let ts_ms = event["ts_ms"].as_i64().unwrap();
        if outage.contains(&ts_ms) { outage.end } else { ts_ms }
    });
    let (expected, _) = trial.replay("expected", &in_time, &[]);
    let (uncorrected, _) = trial.replay("uncorrected", &late, &[]);
    let (corrected, counts) = trial.replay("corrected", &late, &["--correction-horizon", HORIZON]);
    assert_eq!(rows(&corrected), rows(&expected));
    assert!(incidents(&expected).as_array().unwrap().len() > 1, "{}", incidents(&expected));
    assert_eq!(incidents(&corrected), incidents(&expected));
    assert_ne!(incidents(&uncorrected), incidents(&expected), "without the option, they are not known in time");
    assert_eq!(counts["late"], 0, "{counts}");
}

#[test]
fn a_horizon_shorter_than_the_lateness_is_refused() {
    let replay = |options: &[&str]| {
        let output =
            netqoe().args(["replay", "--input", "-", "--store", "sqlite:none.db"]).args(options).output().unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    let (code, said) = replay(&["--correction-horizon", "1m"]);
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("--correction-horizon is shorter than --lateness, 2m"), "{said}");
    let (code, said) = replay(&["--correction-horizon", "32d"]);
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("31 days at most"), "{said}");
}
