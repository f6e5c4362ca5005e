//! `netqoe probe --endpoint`: what was measured arrives once and in its order, whatever ends on the way.

use std::collections::{BTreeSet, HashMap};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use netqoe_probe::SpoolBounds;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use rusqlite::Connection;
use serde_json::Value;
use tempfile::TempDir;

use crate::support::{
    NO_RATE, Server, event, event_ids, events, eventually, export, gate_or_soak, get, metric, netqoe, now_ms, query,
    replay, seed,
};

/// Another seed can be asked for with this variable.
const SEED_VARIABLE: &str = "NETQOE_TEST_SEED";
const SEED: u64 = 7;
/// How often the probe is killed.
const KILLS: usize = 12;
/// The latest that it is killed after it was started.
const LONGEST_LIFE_MS: u64 = 1500;
/// Targets that refuse at once: nobody listens on these ports.
const TARGETS: u16 = 8;
/// How long the endpoint is away in the gate, and in a soak. What a probe does in minutes of it is also tested on a clock
/// that does not wait (`netqoe-probe`, `report`).
const SHORT_OUTAGE: Duration = Duration::from_secs(10);
const LONG_OUTAGE: Duration = Duration::from_mins(2);
/// Events that are due in each second of an outage.
const DUE_PER_S: u64 = 10 * TARGETS as u64;
/// An outage leaves at least this share of them waiting, on any machine.
const WAITING: f64 = 0.2;
/// What the most memory of a probe may be above that of one for which nothing has waited: SQLite's cache and some batches.
const GROWTH_BYTES: u64 = 12 << 20;
/// Bytes on the disk of a spool that has given its room back.
const EMPTY_SPOOL_BYTES: u64 = 2 << 20;
/// Batches that were taken.
const TAKEN: &str = "telemetry_ingest_requests_total{status=\"200\"}";

/// Folders of a server and of a probe.
struct Place {
    folder: TempDir,
}

impl Place {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    fn data(&self) -> std::path::PathBuf {
        self.folder.path().join("data")
    }

    fn spool(&self) -> std::path::PathBuf {
        self.folder.path().join("spool")
    }

    /// `up`, at the port that it had before, once it has had one.
    fn ingest(&self, port: Option<u16>) -> (Server, u16) {
        self.ingest_with(port, &[])
    }

    fn ingest_with(&self, port: Option<u16>, options: &[&str]) -> (Server, u16) {
        let mut command = netqoe();
        command.args(["up", "--port", &port.unwrap_or_default().to_string(), "--data"]).arg(self.data());
        command.args(NO_RATE).args(options);
        let mut server = Server::run(command, Arc::default());
        let port = server.port();
        eventually("the server is ready", || get(port, "/readyz").is_ok_and(|answer| answer.status == 200));
        (server, port)
    }

    /// A probe with a turn of each target every 100 ms.
    fn probe(&self, port: u16, options: &[&str]) -> Server {
        let targets: Vec<_> = (1..=TARGETS).map(|port| format!("tcp://127.0.0.1:{port}")).collect();
        let mut command = netqoe();
        command.args(["probe", "--interval", "100ms", "--client-id", "me", "--spool"]).arg(self.spool());
        command.args(["--endpoint", &format!("http://127.0.0.1:{port}")]).args(targets).args(options);
        command.env("NETQOE_TOKEN", "demo-token").env("RUST_LOG", "trace");
        Server::run(command, Arc::default())
    }

    /// The ids of events that wait, in their order.
    fn waiting(&self) -> Vec<String> {
        let file = self.spool().join("spool.db");
        // A probe that was killed at its start may have left neither.
        if !file.exists() || query(&file, "SELECT name FROM sqlite_schema").is_empty() {
            return Vec::new();
        }
        let lines = query(&file, "SELECT event ->> 'event_id' FROM events ORDER BY id");
        lines.into_iter().map(|row| row[0].trim_start_matches("Text(\"").trim_end_matches("\")").to_owned()).collect()
    }

    fn emptied(&self) {
        let first = "SELECT id FROM events LIMIT 1";
        eventually("the spool is empty", || query(&self.spool().join("spool.db"), first).is_empty());
    }

    /// What the spool takes of the disk.
    fn spool_bytes(&self) -> u64 {
        std::fs::read_dir(self.spool()).unwrap().map(|file| file.unwrap().metadata().unwrap().len()).sum()
    }

    /// Puts events into the spool of a probe that does not run, with a table where there is none.
    fn fill(&self, lines: &[String]) {
        let mut connection = Connection::open(self.spool().join("spool.db")).unwrap();
        let transaction = connection.transaction().unwrap();
        for line in lines {
            let insert = "INSERT INTO events (since_ms, event) VALUES (?1, ?2)";
            transaction.execute(insert, rusqlite::params![now_ms(), line]).unwrap();
        }
        transaction.commit().unwrap();
    }
}

fn id(event: &Value) -> String {
    event["event_id"].as_str().unwrap().to_owned()
}

/// Asserts that events of each target are in the order of their measurement, copies apart, and that copies are counted once.
/// Returns the ids.
fn assert_exact(place: &Place) -> BTreeSet<String> {
    let log = export(&place.data());
    let (mut seen, mut latest) = (BTreeSet::new(), HashMap::new());
    for event in events(&log) {
        if seen.insert(id(&event)) {
            let ts_ms = event["ts_ms"].as_i64().unwrap();
            let before = latest.insert(event["target"].as_str().unwrap().to_owned(), ts_ms);
            assert!(before < Some(ts_ms), "after {before:?}: {event}");
        }
    }
    let [input, store] = ["log.ndjson", "replayed.db"].map(|name| place.folder.path().join(name));
    // Whatever has waited for longer than windows do is in the log nevertheless: here it is to be counted.
    let counts = replay(&input, &log, &store, &["--lateness", "1h"]);
    assert_eq!(counts["accepted"], seen.len(), "{counts}");
    assert_eq!(event_ids(&log), seen);
    seen
}

#[test]
fn an_outage_is_caught_up_with() {
    let outage = gate_or_soak(SHORT_OUTAGE, LONG_OUTAGE);
    let place = Place::new();
    let (server, port) = place.ingest(None);
    let probe = place.probe(port, &[]);
    eventually("events arrive", || metric(port, TAKEN) > Some(5.0));
    let before = probe.peak_memory_bytes().unwrap();
    server.kill();
    std::thread::sleep(outage);
    let (waited, filled_bytes): (BTreeSet<_>, _) = (place.waiting().into_iter().collect(), place.spool_bytes());
    let due = (DUE_PER_S * outage.as_secs()) as f64;
    assert!(waited.len() as f64 >= WAITING * due, "{} events wait, of {due} that were due", waited.len());
    let (server, _) = place.ingest(Some(port));
    place.emptied();
    // A short outage fills less than is worth giving back.
    if outage == LONG_OUTAGE {
        eventually("the disk has its room back", || place.spool_bytes() < EMPTY_SPOOL_BYTES);
    }
    let after = probe.peak_memory_bytes().unwrap();
    eprintln!("{} events waited in {filled_bytes} bytes; most memory before {before}, after {after}", waited.len());
    assert!(after < before + GROWTH_BYTES, "{after} bytes, and before {before}");
    probe.terminate();
    let (code, log) = probe.wait();
    assert_eq!(code, Some(0), "{log}");
    server.stop();

    let mut arrived = assert_exact(&place);
    assert!(arrived.is_superset(&waited));
    // What was measured last may be left to the next start on a slow machine.
    arrived.extend(place.waiting());
    let reported = log.rsplit_once("reported=").unwrap().1;
    let reported: usize = reported.chars().take_while(char::is_ascii_digit).collect::<String>().parse().unwrap();
    assert_eq!(arrived.len(), reported);
    for says in ["events wait in the spool: no connection to the endpoint", "events are sent again"] {
        assert!(log.contains(says), "{says}");
    }
    assert!(!log.contains("demo-token"), "a token is never logged, whatever else is");
}

#[test]
fn a_probe_that_is_killed_loses_nothing_that_it_had_spooled() {
    let seed = seed(SEED_VARIABLE, SEED);
    let mut rng = StdRng::seed_from_u64(seed);
    let place = Place::new();
    let (server, port) = place.ingest(None);
    let mut server = Some(server);
    let mut spooled = BTreeSet::new();
    for kill in 0..KILLS {
        let probe = place.probe(port, &[]);
        std::thread::sleep(Duration::from_millis(rng.random_range(0..LONGEST_LIFE_MS)));
        probe.kill();
        spooled.extend(place.waiting());
        // Every third life is without an ingest, and its events are left to those that follow.
        server = match (server, kill % 3) {
            (Some(server), 0) => {
                server.kill();
                None
            }
            (None, 1) => Some(place.ingest(Some(port)).0),
            (server, _) => server,
        };
    }
    let server = server.unwrap_or_else(|| place.ingest(Some(port)).0);
    let probe = place.probe(port, &[]);
    // The spool may be empty already, and who is asked to stop before it listens to signals is killed by them.
    eventually("the probe works", || probe.has_logged("events are sent to"));
    place.emptied();
    probe.stop();
    server.stop();
    let arrived = assert_exact(&place);
    assert!(!spooled.is_empty(), "no life has ended with events in the spool (seed {seed})");
    let lost: Vec<_> = spooled.difference(&arrived).collect();
    assert!(lost.is_empty(), "seed {seed}: {lost:?}");
}

#[test]
fn a_poisoned_event_does_not_hold_up_those_behind_it() {
    let place = Place::new();
    // A first run makes the spool; it finds nobody at the endpoint.
    let probe = place.probe(9, &[]);
    eventually("events wait", || !place.waiting().is_empty());
    probe.stop();
    let mut future = event("from-the-future", "me");
    future["ts_ms"] = (now_ms() + 9_000_000_000).into();
    let before = place.waiting();
    place.fill(&["no JSON".to_owned(), future.to_string(), event("behind-them", "me").to_string()]);

    let (server, port) = place.ingest(None);
    let probe = place.probe(port, &[]);
    let set_aside = || query(&place.spool().join("spool.db"), "SELECT reason FROM set_aside ORDER BY id");
    eventually("what is no event is set aside", || set_aside().len() == 1);
    // Its time may be a clock's fault: it waits, apart from the others.
    let is_of_others = |id: &String| id == "behind-them" || before.contains(id);
    eventually("all others are taken", || !place.waiting().iter().any(is_of_others));
    assert!(place.waiting().contains(&"from-the-future".to_owned()));
    probe.stop();
    server.stop();
    let reasons = set_aside().concat();
    assert!(reasons[0].contains("invalid_request"), "{reasons:?}");
    let arrived = event_ids(&export(&place.data()));
    assert!(arrived.contains("behind-them") && before.iter().all(|id| arrived.contains(id)));
}

#[test]
fn events_of_an_earlier_name_do_not_hold_up_those_behind_them_and_those_of_the_present_one_wait() {
    let place = Place::new();
    let probe = place.probe(9, &[]);
    eventually("events wait", || !place.waiting().is_empty());
    probe.stop();
    // More than a batch, and something behind them.
    let mut lines: Vec<_> = (0..150).map(|number| event(&format!("old-{number}"), "earlier").to_string()).collect();
    lines.push(event("behind-them", "me").to_string());
    place.fill(&lines);
    let tokens = place.folder.path().join("tokens");
    let options = ["--tokens-file", tokens.to_str().unwrap()];

    // The token is bound to neither name: who has made a mistake can correct it, and finds what was measured meanwhile.
    std::fs::write(&tokens, "demo-token=another\n").unwrap();
    let (server, port) = place.ingest_with(None, &options);
    let probe = place.probe(port, &[]);
    eventually("events wait", || probe.has_logged("events wait in the spool: unauthorized: this token is bound"));
    server.stop();
    std::fs::write(&tokens, "demo-token=me\n").unwrap();
    let (server, _) = place.ingest_with(Some(port), &options);
    let set_aside = || query(&place.spool().join("spool.db"), "SELECT event ->> 'event_id', reason FROM set_aside");
    eventually("those of the earlier name are set aside", || set_aside().len() == 150);
    place.emptied();
    probe.stop();
    server.stop();
    let is_of_earlier =
        |row: &Vec<String>| row[0].contains("old-") && row[1].contains("unauthorized: this token is bound");
    assert!(set_aside().iter().all(is_of_earlier), "{:?}", set_aside());
    let arrived = assert_exact(&place);
    assert!(arrived.contains("behind-them") && !arrived.iter().any(|id| id.starts_with("old-")));
}

#[test]
fn memory_stays_flat_however_much_waits() {
    let place = Place::new();
    let (server, port) = place.ingest(None);
    let probe = place.probe(port, &[]);
    eventually("events arrive", || metric(port, TAKEN) > Some(5.0));
    let before = probe.peak_memory_bytes().unwrap();
    probe.terminate();
    probe.wait();
    let mut waiting = event("e", "me");
    waiting["evidence"] = "x".repeat(8000).into();
    let lines: Vec<_> =
        (0..7000).map(|number| waiting.to_string().replace("\"e\"", &format!("\"e{number}\""))).collect();
    assert!(lines.concat().len() as u64 > SpoolBounds::default().max_bytes * 8 / 10, "most of what may wait");
    place.fill(&lines);
    let probe = place.probe(port, &[]);
    place.emptied();
    let after = probe.peak_memory_bytes().unwrap();
    eprintln!("most memory with nothing waiting {before}, with a full spool {after}");
    assert!(after < before + GROWTH_BYTES, "{after} bytes, and {before} with nothing waiting");
    probe.stop();
    server.stop();
}

/// What a probe measured in two hours without a network is in rows once it is back: its chart has no gap.
#[test]
fn an_outage_of_two_hours_leaves_no_gap_in_the_chart() {
    const MINUTE_MS: i64 = 60_000;
    const MINUTES: i64 = 120;
    let place = Place::new();
    let probe = place.probe(9, &[]);
    eventually("events wait", || !place.waiting().is_empty());
    probe.stop();
    let end_ms = now_ms() / MINUTE_MS * MINUTE_MS - 5 * MINUTE_MS;
    let start_ms = end_ms - MINUTES * MINUTE_MS;
    let measured = |nth: i64| {
        let mut measured = event(&format!("offline-{nth}"), "me");
        measured["ts_ms"] = (start_ms + nth * MINUTE_MS / 2).into();
        measured["target"] = "https://example.com/".into();
        measured.to_string()
    };
    place.fill(&(0..2 * MINUTES).map(measured).collect::<Vec<_>>());

    let (server, port) = place.ingest(None);
    let probe = place.probe(port, &[]);
    place.emptied();
    let chart = format!("/api/v1/series?client_id=me&target=https://example.com/&from={start_ms}&to={end_ms}");
    let counts = || -> Vec<(i64, u64)> {
        let answer = get(port, &chart).unwrap().json();
        let column = |name: &str| answer[name].as_array().unwrap_or_else(|| panic!("{answer}")).clone();
        let points = column("start").into_iter().zip(column("count_total"));
        points.map(|(start, count)| (start.as_i64().unwrap(), count.as_u64().unwrap())).collect()
    };
    let all: Vec<_> = (0..MINUTES).map(|minute| (start_ms + minute * MINUTE_MS, 2)).collect();
    eventually("each minute has both of its measurements", || counts() == all);
    probe.stop();
    server.stop();
}

#[test]
fn what_is_dropped_is_said() {
    let place = Place::new();
    let probe = place.probe(9, &["--spool-max-bytes", "20000"]);
    eventually("something is dropped", || probe.has_logged("the oldest were dropped"));
    let bytes = query(&place.spool().join("spool.db"), "SELECT sum(octet_length(event)) <= 20000 FROM events");
    assert_eq!(bytes, [["Integer(1)"]]);
    probe.terminate();
    let (code, log) = probe.wait();
    assert_eq!(code, Some(0), "{log}");
    let dropped = log.rsplit_once("dropped=").unwrap().1;
    assert!(!dropped.starts_with('0'), "{dropped}");
}

#[test]
fn a_token_that_can_be_read_on_the_way_is_warned_of() {
    let warning = "the token can be read on the way to http://192.0.2.1:9/api/v1/events";
    for (endpoint, token, warnings) in [
        ("http://192.0.2.1:9", Some("top-secret"), 1),
        ("http://192.0.2.1:9", None, 0),
        ("http://127.0.0.1:9", Some("top-secret"), 0),
    ] {
        let place = Place::new();
        let mut command = netqoe();
        command.args(["probe", "tcp://127.0.0.1:1", "--endpoint", endpoint, "--spool"]).arg(place.spool());
        command.envs(token.map(|token| ("NETQOE_TOKEN", token)));
        let probe = Server::run(command, Arc::default());
        eventually("it has begun", || probe.has_logged("events are sent to"));
        probe.terminate();
        let (_, log) = probe.wait();
        assert_eq!(log.matches(warning).count(), warnings, "{log}");
        assert!(!log.contains("top-secret"), "{log}");
    }
}

#[test]
fn a_spool_is_one_probes() {
    let place = Place::new();
    let probe = place.probe(9, &[]);
    eventually("it has its spool", || place.spool().join("spool.db").exists());
    let (code, message) = place.probe(9, &[]).wait();
    assert_eq!(code, Some(1), "{message}");
    assert!(message.contains("is in use by another probe"), "{message}");
    probe.stop();
}

#[test]
fn what_is_wrong_with_the_options_is_wrong_usage() {
    let folder = tempfile::tempdir().unwrap();
    let token = folder.path().join("token");
    std::fs::write(&token, "two words of a secret").unwrap();
    let (token, nowhere) = (token.to_str().unwrap(), Path::new("/nowhere/token").to_str().unwrap());
    for (options, says) in [
        (&["--endpoint", "example.com"][..], "an endpoint is http://HOST:PORT"),
        (&["--endpoint", "http://me:secret@a.test"], "a token in a file"),
        (&["--token-file", token], "--endpoint"),
        (&["--endpoint", "http://a.test", "--once"], "--once"),
        (&["--endpoint", "http://a.test", "--token-file", token], "a token is one line"),
        (&["--endpoint", "http://a.test", "--token-file", nowhere], nowhere),
    ] {
        let output = netqoe().args(["probe", "http://a.test"]).args(options).output().unwrap();
        let message = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{options:?}: {message}");
        assert!(message.contains(says), "{options:?}: {message}");
        assert!(!message.contains("of a secret"), "{message}");
    }
}
