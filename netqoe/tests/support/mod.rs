//! The program as a user has it: processes, HTTP, files.
#![allow(clippy::unwrap_used, dead_code)] // only tests use it, each test a part of it

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// How long anything may take on a busy machine before the test gives up.
const PATIENCE: Duration = Duration::from_secs(120);

pub(crate) fn netqoe() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_netqoe"));
    // Neither a configuration file nor variables of whoever runs the tests.
    command.env_clear().current_dir(std::env::temp_dir()).stdin(Stdio::null());
    command
}

pub(crate) fn now_ms() -> i64 {
    i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis()).unwrap()
}

pub(crate) fn free_port() -> u16 {
    TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port()
}

/// A running `netqoe up`; killed where a test forgets it.
pub(crate) struct Server(Child);

impl Server {
    pub(crate) fn start(data: &Path, port: u16, workers: usize) -> Self {
        Self::start_with(data, port, &["-w", &workers.to_string()])
    }

    pub(crate) fn start_with(data: &Path, port: u16, options: &[&str]) -> Self {
        let mut command = netqoe();
        command.args(["up", "--rate", "100000", "--rate-burst", "100000", "--port", &port.to_string(), "--data"]);
        Self(command.arg(data).args(options).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap())
    }

    pub(crate) fn wait_until_ready(&self, port: u16) {
        eventually("the server is ready", || get(port, "/readyz").is_ok_and(|(status, _)| status == 200));
    }

    /// kill -9.
    pub(crate) fn kill(mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }

    /// SIGTERM, after which it drains and exits with 0.
    pub(crate) fn stop(mut self) {
        let killed = Command::new("kill").args(["-TERM", &self.0.id().to_string()]).status().unwrap();
        assert!(killed.success());
        assert_eq!(self.0.wait().unwrap().code(), Some(0));
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It has ended already where the test was not cut short.
        self.0.kill().unwrap_or_default();
        self.0.wait().map(drop).unwrap_or_default();
    }
}

pub(crate) fn eventually(what: &str, mut is_so: impl FnMut() -> bool) {
    let started = Instant::now();
    while !is_so() {
        assert!(started.elapsed() < PATIENCE, "not within {PATIENCE:?}: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

pub(crate) fn post(port: u16, content_type: &str, body: &str) -> std::io::Result<u16> {
    let head =
        format!("POST /api/v1/events HTTP/1.1\r\nContent-Type: {content_type}\r\nContent-Length: {}\r\n", body.len());
    Ok(request(port, &head, body)?.0)
}

pub(crate) fn get(port: u16, path: &str) -> std::io::Result<(u16, String)> {
    request(port, &format!("GET {path} HTTP/1.1\r\n"), "")
}

fn request(port: u16, head: &str, body: &str) -> std::io::Result<(u16, String)> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.write_all(format!("{head}Host: localhost\r\nConnection: close\r\n\r\n{body}").as_bytes())?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok());
    let status = status.ok_or_else(|| std::io::Error::other("no answer"))?;
    Ok((status, answer.split_once("\r\n\r\n").map(|(_, body)| body.to_owned()).unwrap_or_default()))
}

fn succeeded(output: Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

pub(crate) fn export(data: &Path) -> String {
    succeeded(netqoe().args(["log", "export", "--data"]).arg(data).output().unwrap())
}

/// Replays a log into a new SQLite store, and returns the counts.
pub(crate) fn replay(input: &Path, log: &str, store: &Path) -> serde_json::Value {
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
