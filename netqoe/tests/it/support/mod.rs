//! The program as a user has it: processes, HTTP, files.

mod http;
mod server;
mod soak;

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use netqoe_model::Tick;
use serde_json::{Value, json};

pub(crate) use http::*;
pub(crate) use server::Server;
pub(crate) use soak::{gate_or_soak, seed};

/// How long anything may take on a busy machine before the test gives up.
pub(crate) const PATIENCE: Duration = Duration::from_secs(240);
/// Options under which no test is above its rate.
pub(crate) const NO_RATE: [&str; 4] = ["--rate", "100000", "--rate-burst", "100000"];
/// Lines of a log that tell what its process was about.
const LAST_LINES: usize = 12;
/// The name of the one file in a data folder.
pub(crate) const DATA_FILE: &str = "netqoe.db";

/// The last lines of a log, in one.
pub(crate) fn last_words(log: &str) -> String {
    let lines: Vec<_> = log.lines().collect();
    lines[lines.len().saturating_sub(LAST_LINES)..].join(" | ")
}

pub(crate) fn netqoe() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_netqoe"));
    // Neither a configuration file nor variables of whoever runs the tests.
    command.env_clear().current_dir(std::env::temp_dir()).stdin(Stdio::null());
    command
}

pub(crate) fn now_ms() -> i64 {
    i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis()).unwrap()
}

pub(crate) fn eventually(what: &str, is_so: impl FnMut() -> bool) {
    eventually_or_say(what, is_so, String::new);
}

/// The same; `state` says how it stands where it does not become so.
pub(crate) fn eventually_or_say(what: &str, mut is_so: impl FnMut() -> bool, state: impl Fn() -> String) {
    let started = Instant::now();
    while !is_so() {
        assert!(started.elapsed() < PATIENCE, "not within {PATIENCE:?}: {what}\n{}", state());
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// The same for what takes longer the slower the machine is: it is waited for as long as `progress` goes on changing.
pub(crate) fn eventually_as_it_goes_on<P: PartialEq + Debug>(
    what: &str,
    mut is_so: impl FnMut() -> bool,
    progress: impl Fn() -> P,
) {
    let mut last = (progress(), Instant::now());
    while !is_so() {
        let now = progress();
        if now != last.0 {
            last = (now, Instant::now());
        }
        assert!(last.1.elapsed() < PATIENCE, "no progress within {PATIENCE:?}: {what}\n{:?}", last.0);
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// A valid event of this moment.
pub(crate) fn event(event_id: &str, client_id: &str) -> Value {
    json!({
        "event_id": event_id, "client_id": client_id, "ts_ms": now_ms(), "target": "http://test.example.com/",
        "network_context": {"network_type": "wifi", "isp": "Example ISP"},
        "timing_measurements":
            {"dns_ms": 15.3, "tcp_ms": 25.7, "tls_ms": 45.2, "ttfb_ms": 125.8, "throughput_mbps": 95.4},
        "error_stage": null
    })
}

/// The value of a metric; none while it is not shown.
pub(crate) fn metric(port: u16, name: &str) -> Option<f64> {
    let metrics = get(port, "/metrics").unwrap().body;
    metrics.lines().find_map(|line| line.strip_prefix(name)?.trim().parse().ok())
}

fn succeeded(output: Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

pub(crate) fn export(data: &Path) -> String {
    succeeded(netqoe().args(["log", "export", "--data"]).arg(data).output().unwrap())
}

/// The events of an exported log.
pub(crate) fn events(log: &str) -> Vec<Value> {
    let lines = log.lines().filter(|line| Tick::parse(line.as_bytes()).is_none());
    lines.map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The ids of the events of an exported log.
pub(crate) fn event_ids(log: &str) -> BTreeSet<String> {
    events(log).iter().map(|event| event["event_id"].as_str().unwrap().to_owned()).collect()
}

/// Replays a log into a new SQLite store, with these further options, and returns the counts.
pub(crate) fn replay(input: &Path, log: &str, store: &Path, options: &[&str]) -> Value {
    std::fs::write(input, log).unwrap();
    let store = format!("sqlite:{}", store.display());
    let mut command = netqoe();
    command.args(["replay", "--store", &store, "-w", "2", "--input"]).arg(input).args(options);
    serde_json::from_str(&succeeded(command.output().unwrap())).unwrap()
}

/// All that a row says of its window, whether it is final or not: a replay ends where the log ends, a live store may
/// since have been moved on by ticks.
pub(crate) fn rows(store: &Path) -> Vec<Vec<String>> {
    let columns = "client_id, target, window_start_ts, count_total, count_success, count_error, dns_error_count, \
        tcp_error_count, tls_error_count, http_error_count, throughput_error_count, dns_p50, dns_p95, tcp_p50, tcp_p95, \
        tls_p50, tls_p95, ttfb_p50, ttfb_p95, throughput_p50, throughput_p95, diagnosis_label, client_labels, \
        target_labels, network_type, isp, site";
    query(store, &format!("SELECT {columns} FROM agg_1m ORDER BY 1, 2, 3"))
}

/// read, accepted, duplicate, late, invalid.
pub(crate) fn ledger(store: &Path) -> Vec<u64> {
    let sums = query(store, "SELECT sum(read), sum(accepted), sum(duplicate), sum(late), sum(invalid) FROM checkpoint");
    sums[0].iter().map(|sum| sum.strip_prefix("Integer(").unwrap().trim_end_matches(')').parse().unwrap()).collect()
}

pub(crate) fn query(store: &Path, sql: &str) -> Vec<Vec<String>> {
    let connection = rusqlite::Connection::open(store).unwrap();
    let mut statement = connection.prepare(sql).unwrap();
    let columns = statement.column_count();
    let row = |row: &rusqlite::Row<'_>| {
        (0..columns).map(|column| Ok(format!("{:?}", row.get::<_, rusqlite::types::Value>(column)?))).collect()
    };
    statement.query_map([], row).unwrap().map(Result::unwrap).collect()
}
