//! The program as a user has it: processes, HTTP, files.
#![allow(clippy::unwrap_used, clippy::panic, dead_code)] // only tests use it, each test a part of it

mod http;

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

pub(crate) use http::*;

/// How long anything may take on a busy machine before the test gives up.
pub(crate) const PATIENCE: Duration = Duration::from_secs(120);
/// Options under which no test is above its rate.
pub(crate) const NO_RATE: [&str; 4] = ["--rate", "100000", "--rate-burst", "100000"];
/// What `up` logs once it takes requests, before its port.
const LISTENING: &str = "listening on http://127.0.0.1:";
/// The name of the one file in a data folder.
pub(crate) const DATA_FILE: &str = "netqoe.db";

pub(crate) fn netqoe() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_netqoe"));
    // Neither a configuration file nor variables of whoever runs the tests.
    command.env_clear().current_dir(std::env::temp_dir()).stdin(Stdio::null());
    command
}

pub(crate) fn now_ms() -> i64 {
    i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis()).unwrap()
}

/// A running `netqoe up` on a free port; killed where a test forgets it.
pub(crate) struct Server {
    process: Child,
    /// 0 until it listens.
    port: Arc<AtomicU16>,
    /// What it has logged, and the thread that listens to it.
    log: Arc<Mutex<String>>,
    listener: Option<JoinHandle<()>>,
}

impl Server {
    /// Starts it, and does not wait for anything.
    pub(crate) fn start(data: &Path, options: &[&str]) -> Self {
        Self::start_at(Arc::default(), data, options)
    }

    /// The same; once it listens, it says so in `port`, which is 0 until then.
    pub(crate) fn start_at(port: Arc<AtomicU16>, data: &Path, options: &[&str]) -> Self {
        port.store(0, Ordering::SeqCst);
        let mut command = netqoe();
        command.args(["up", "--port", "0", "--data"]).arg(data).args(options);
        let mut process = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let log = Arc::new(Mutex::new(String::new()));
        let lines = BufReader::new(process.stderr.take().unwrap()).lines();
        let listener = std::thread::spawn({
            let (port, log) = (Arc::clone(&port), Arc::clone(&log));
            move || {
                for line in lines.map_while(Result::ok) {
                    if let Some((_, listens_on)) = line.split_once(LISTENING) {
                        let digits: String = listens_on.chars().take_while(char::is_ascii_digit).collect();
                        port.store(digits.parse().unwrap(), Ordering::SeqCst);
                    }
                    *log.lock().unwrap() += &(line + "\n");
                }
            }
        });
        Self { process, port, log, listener: Some(listener) }
    }

    /// Starts it, and waits until it takes events.
    pub(crate) fn start_and_wait(data: &Path, options: &[&str]) -> (Self, u16) {
        let mut server = Self::start(data, options);
        let port = server.port();
        eventually("the server is ready", || get(port, "/readyz").is_ok_and(|answer| answer.status == 200));
        (server, port)
    }

    /// Where it listens, once it does.
    pub(crate) fn port(&mut self) -> u16 {
        let (process, log) = (&mut self.process, &self.log);
        eventually("the server listens", || {
            assert_eq!(process.try_wait().unwrap(), None, "it has ended: {}", log.lock().unwrap());
            self.port.load(Ordering::SeqCst) != 0
        });
        self.port.load(Ordering::SeqCst)
    }

    /// kill -9.
    pub(crate) fn kill(mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    /// SIGTERM, after which it drains and exits with 0.
    pub(crate) fn stop(mut self) {
        self.terminate();
        let status = self.process.wait().unwrap();
        assert_eq!(status.code(), Some(0), "{}", self.log.lock().unwrap());
    }

    /// SIGTERM.
    pub(crate) fn terminate(&self) {
        let killed = Command::new("kill").args(["-TERM", &self.process.id().to_string()]).status().unwrap();
        assert!(killed.success());
    }

    pub(crate) fn has_logged(&self, text: &str) -> bool {
        self.log.lock().unwrap().contains(text)
    }

    /// Waits for its end, and returns its exit code and what it has logged.
    pub(crate) fn wait(mut self) -> (Option<i32>, String) {
        let mut status = None;
        eventually("the server has ended", || {
            status = self.process.try_wait().unwrap();
            status.is_some()
        });
        self.listener.take().unwrap().join().unwrap();
        let log = self.log.lock().unwrap().clone();
        (status.and_then(|status| status.code()), log)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It has ended already where the test was not cut short.
        self.process.kill().unwrap_or_default();
        self.process.wait().map(drop).unwrap_or_default();
    }
}

pub(crate) fn eventually(what: &str, mut is_so: impl FnMut() -> bool) {
    let started = Instant::now();
    while !is_so() {
        assert!(started.elapsed() < PATIENCE, "not within {PATIENCE:?}: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// A valid event of this moment.
pub(crate) fn event(event_id: &str, client_id: &str) -> Value {
    json!({
        "event_id": event_id, "client_id": client_id, "ts_ms": now_ms(), "target": "http://test.example.com",
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
    log.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The ids of the events of an exported log.
pub(crate) fn event_ids(log: &str) -> BTreeSet<String> {
    events(log).iter().map(|event| event["event_id"].as_str().unwrap().to_owned()).collect()
}

/// Replays a log into a new SQLite store, and returns the counts.
pub(crate) fn replay(input: &Path, log: &str, store: &Path) -> Value {
    std::fs::write(input, log).unwrap();
    let store = format!("sqlite:{}", store.display());
    let mut command = netqoe();
    command.args(["replay", "--store", &store, "-w", "2", "--input"]).arg(input);
    serde_json::from_str(&succeeded(command.output().unwrap())).unwrap()
}

/// All that a row says of its window, whether it is final or not: a replay ends where the log ends, a live store may
/// since have been moved on by ticks.
pub(crate) fn rows(store: &Path) -> Vec<Vec<String>> {
    let columns = "client_id, target, window_start_ts, count_total, count_success, count_error, dns_error_count, \
        tcp_error_count, tls_error_count, http_error_count, throughput_error_count, dns_p50, dns_p95, tcp_p50, tcp_p95, \
        tls_p50, tls_p95, ttfb_p50, ttfb_p95, throughput_p50, throughput_p95, diagnosis_label";
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
