//! `netqoe probe`: one measurement that is shown, or a schedule of them, from lists that may change; and its bench.

use std::io::{BufRead, BufReader, Lines};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::support::{Server, eventually, get, netqoe};

/// A server whose `/health` is measured, and which has the fixed object.
fn target(folder: &Path) -> (Server, String) {
    let (server, port) = Server::start_and_wait(folder, &[]);
    (server, format!("http://127.0.0.1:{port}/health"))
}

fn once(arguments: &[&str]) -> (Option<i32>, String, String) {
    let output = netqoe().args(["probe", "--once"]).args(arguments).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

#[test]
fn one_measurement_is_shown() {
    let folder = tempfile::tempdir().unwrap();
    let (server, url) = target(folder.path());

    let (code, shown, message) = once(&[&url, "--throughput-url", "/fixed/1mb.bin"]);
    assert_eq!(code, Some(0), "{message}");
    for part in [&url, "HTTP/1.1 · status 200", "first byte", "total", "Mbit/s", "Works, in"] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    assert!(!shown.contains('\u{1b}'), "no colours where nobody sees them: {shown}");

    let (code, shown, message) =
        once(&["--target", &url, "--output", "json", "--client-id", "me", "--throughput-url", "/fixed/1mb.bin"]);
    assert_eq!(code, Some(0), "{message}");
    let event: Value = serde_json::from_str(&shown).unwrap();
    assert_eq!(
        (&event["client_id"], &event["target"], &event["error_stage"]),
        (&"me".into(), &url.into(), &Value::Null)
    );
    assert!(event["timing_measurements"]["throughput_mbps"].as_f64() > Some(0.0), "the server has the object: {event}");
    assert_eq!(event["network_context"]["source_ip"], "127.0.0.1");
    let evidence = &event["evidence"];
    assert_eq!((&evidence["status"], &evidence["throughput"]["bytes"]), (&200.into(), &1_048_576.into()));
    server.stop();
}

#[test]
fn the_exit_code_says_whether_it_works_and_fast_enough() {
    let folder = tempfile::tempdir().unwrap();
    let (server, url) = target(folder.path());
    let (code, _, message) = once(&[&url, "--throughput-url", "off", "--fail-above", "ttfb=1h,total=1h"]);
    assert_eq!(code, Some(0), "{message}");
    let (code, _, message) = once(&[&url, "--throughput-url", "off", "--fail-above", "dns=1ns,tls=1ns"]);
    assert_eq!(code, Some(0), "what there is not is not slow: {message}");
    let (code, shown, message) = once(&[&url, "--fail-above", "tcp=1h", "--fail-above", "ttfb=1ns"]);
    assert_eq!(code, Some(3), "{message}");
    assert!(message.contains("ttfb took") && shown.contains("Works, in"), "{message}");
    // Nobody listens on port 1.
    let (code, shown, message) = once(&["tcp://127.0.0.1:1", "--fail-above", "tcp=1ns"]);
    assert_eq!(code, Some(1), "{message}");
    assert!(shown.contains("Failed at tcp: no connection to 127.0.0.1:1"), "{shown}");
    assert!(!message.contains("no connection"), "once is enough: {message}");
    let (code, _, message) = once(&["tcp://127.0.0.1:1", "--output", "json"]);
    assert!(code == Some(1) && message.contains("no connection to 127.0.0.1:1"), "{message}");
    server.stop();
}

#[test]
fn measurements_are_repeated_and_what_is_not_as_expected_fails() {
    let folder = tempfile::tempdir().unwrap();
    let (server, url) = target(folder.path());
    let (code, shown, message) = once(&[&url, "--count", "2", "--output", "json", "--label", "site=x"]);
    assert_eq!((code, shown.lines().count()), (Some(0), 2), "{message}");
    let event: Value = serde_json::from_str(shown.lines().next().unwrap()).unwrap();
    assert_eq!((&event["client_labels"]["site"], &event["target_labels"]), (&"x".into(), &Value::Null));
    let (code, shown, message) = once(&[&url, "--expect-status", "200", "--expect-text", "no such text"]);
    assert_eq!(code, Some(1), "{message}");
    assert!(shown.contains("Failed at http: the body does not contain \"no such text\""), "{shown}");
    assert!(shown.contains("body") && shown.contains('✗'), "{shown}");
    server.stop();
}

#[test]
fn watching_ends_when_it_is_asked_to() {
    let mut command = netqoe();
    command.args(["probe", "--once", "tcp://127.0.0.1:1", "--watch", "--output", "json"]);
    let mut probe = Probe::start(command);
    for _ in 0..2 {
        probe.wait_for("tcp://127.0.0.1:1");
    }
    probe.signal(Signal::INT);
    assert_eq!(probe.process.wait().unwrap().code(), Some(1), "it has failed");
}

#[test]
fn what_is_wrong_with_the_options_is_wrong_usage() {
    for (arguments, says) in [
        (&["probe"][..], "nothing to measure"),
        (&["probe", "--target", "ftp://example.com"], "must begin with http://"),
        (
            &["probe", "--target", "tcp://a.test:1", "--expect-status", "200"],
            "--expect-status for tcp://a.test:1: it is about pages",
        ),
        (
            &["probe", "--target", "http://a.test", "--expect-certificate-days", "7"],
            "--expect-certificate-days for http://a.test/",
        ),
        (&["probe", "--target", "http://a.test", "--user", "me"], "--user: it needs password_file beside it"),
        (
            &["probe", "--target", "http://a.test", "--bearer-token-file", "/nowhere/token"],
            "--bearer-token-file: can't read /nowhere/token",
        ),
        (&["probe", "--target", "http://a.test", "--label", "a b=c"], "can't be the name of a label"),
        (
            &["probe", "--target", "http://a.test", "--label", "a=b", "--label", "a=c"],
            "--label: label a is given twice",
        ),
        (&["probe", "--target", "http://a.test", "--count", "2"], "--once"),
        (&["probe", "--target", "http://a.test", "--ipv4", "--ipv6"], "--ipv6"),
        (&["probe", "--target", "http://a.test", "--fail-above", "tcp=1s"], "--once"),
        (&["probe", "--once", "http://a.test", "--fail-above", "x=1s"], "dns, tcp, tls, ttfb, body, total"),
        (&["probe", "--target", "http://a.test", "--throughput-url", "tcp://a.test:1"], "is not a page"),
    ] {
        let output = netqoe().args(arguments).output().unwrap();
        let message = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {message}");
        assert!(message.contains(says), "{arguments:?}: {message}");
    }
}

/// A probe on its schedule, and the events that it writes.
struct Probe {
    process: Child,
    events: Lines<BufReader<ChildStdout>>,
}

impl Probe {
    fn start(mut command: Command) -> Self {
        let mut process = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let events = BufReader::new(process.stdout.take().unwrap()).lines();
        Self { process, events }
    }

    /// Reads on until an event of this target.
    fn wait_for(&mut self, target: &str) -> Value {
        let events = self.events.by_ref().map(|line| serde_json::from_str::<Value>(&line.unwrap()).unwrap());
        events.into_iter().find(|event| event["target"] == target).unwrap()
    }

    fn signal(&self, signal: Signal) {
        let id = Pid::from_raw(i32::try_from(self.process.id()).unwrap()).unwrap();
        kill_process(id, signal).unwrap();
    }
}

#[test]
fn lists_of_targets_are_followed() {
    let folder = tempfile::tempdir().unwrap();
    let (lines, json) = (folder.path().join("targets"), folder.path().join("targets.json"));
    // Refused at once, each: what counts here is whose turn it is.
    let [a, b, c, d] = [1, 2, 3, 4].map(|port| format!("tcp://127.0.0.1:{port}"));
    std::fs::write(&lines, format!("{a}\n")).unwrap();
    std::fs::write(&json, format!(r#"[{{"targets": ["{b}"]}}]"#)).unwrap();
    let mut command = netqoe();
    command.args(["probe", "--interval", "100ms", "--targets-file"]).arg(&lines).arg("--targets-file").arg(&json);
    let mut probe = Probe::start(command);
    assert_eq!(probe.wait_for(&a)["error_stage"], "tcp");
    probe.wait_for(&b);

    std::fs::write(&lines, format!("{c}\n")).unwrap();
    probe.wait_for(&c);
    // A list that can't be read changes nothing, and with SIGHUP a new one is read at once.
    std::fs::write(&lines, "ftp://nonsense\n").unwrap();
    probe.signal(Signal::HUP);
    probe.wait_for(&c);
    std::fs::write(&json, format!(r#"[{{"targets": ["{d}"]}}]"#)).unwrap();
    std::fs::write(&lines, format!("{c}\n")).unwrap();
    probe.signal(Signal::HUP);
    probe.wait_for(&d);

    probe.signal(Signal::TERM);
    assert!(probe.process.wait().unwrap().success());
    let left: Vec<_> = probe.events.map(|line| serde_json::from_str::<Value>(&line.unwrap()).unwrap()).collect();
    assert!(left.iter().all(|event| event["target"] != a && event["target"] != b), "{left:?}");
}

/// Waits for an event of the target for which this holds.
fn wait_for_event(probe: &mut Probe, target: &str, holds: impl Fn(&Value) -> bool) -> Value {
    loop {
        let event = probe.wait_for(target);
        if holds(&event) {
            return event;
        }
    }
}

#[test]
fn a_targets_file_says_how_each_is_measured_and_is_followed() {
    let folder = tempfile::tempdir().unwrap();
    let (server, url) = target(folder.path());
    let file = folder.path().join("targets.toml");
    let write = |status: u16, token: &str| {
        std::fs::write(folder.path().join("token"), token).unwrap();
        let text = format!(
            "[[target]]\nurl = '{url}'\nname = 'Shop'\ninterval = '100ms'\nexpect_status = {status}\nbearer_token_file = 'token'\n\
             [target.labels]\nteam = 'shop'\n"
        );
        std::fs::write(&file, text).unwrap();
    };
    write(204, "planted-token");
    let mut command = netqoe();
    command.args(["probe", "--interval", "24h", "--label", "site=x", "--targets-file"]).arg(&file);
    let mut probe = Probe::start(command);
    let event = wait_for_event(&mut probe, &url, |_| true);
    assert_eq!(event["target_labels"], serde_json::json!({ "name": "Shop", "team": "shop" }));
    assert_eq!(event["client_labels"], serde_json::json!({ "site": "x" }));
    assert_eq!((&event["error_stage"], event.to_string().contains("planted")), (&"http".into(), false));
    assert_eq!(event["evidence"]["error_message"], "the server answered with status 200; expected was 204");

    write(200, "planted-token");
    wait_for_event(&mut probe, &url, |event| event["error_stage"].is_null());
    // One that is wrong changes nothing.
    std::fs::write(&file, "[[target]]\nurl = 'tcp://127.0.0.1:1'\nexpect_status = 200\n").unwrap();
    probe.signal(Signal::HUP);
    wait_for_event(&mut probe, &url, |event| event["error_stage"].is_null());
    probe.signal(Signal::TERM);
    assert!(probe.process.wait().unwrap().success());

    let output = netqoe().args(["probe", "--targets-file"]).arg(&file).output().unwrap();
    let message = String::from_utf8(output.stderr).unwrap();
    let says = "targets.toml is no list of targets: line 3: target tcp://127.0.0.1:1: expect_status: it is about pages";
    assert!(message.contains(says) && message.lines().count() == 1, "{message}");
    server.stop();
}

#[test]
fn a_file_that_cant_be_read_is_named_at_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let lines = folder.path().join("targets");
    std::fs::write(&lines, "http://a.test\nftp://nonsense\n").unwrap();
    let output =
        netqoe().args(["probe", "--once", "tcp://127.0.0.1:1", "--isp-database"]).arg(&lines).output().unwrap();
    let message = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{message}");
    assert!(message.contains("MaxMind"), "{message}");
    for (path, says) in [(lines.as_path(), "line 2"), (Path::new("/nowhere/targets"), "/nowhere/targets")] {
        let output = netqoe().args(["probe", "--targets-file"]).arg(path).output().unwrap();
        let message = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{message}");
        assert!(message.contains(says), "{message}");
    }
}

#[test]
fn prometheus_sees_the_schedule_and_may_ask_itself() {
    let folder = tempfile::tempdir().unwrap();
    let (target_server, url) = target(folder.path());
    let mut command = netqoe();
    command.args([
        "probe",
        "--metrics-listen",
        "0",
        "--interval",
        "100ms",
        "--throughput-url",
        "off",
        "--target",
        &url,
    ]);
    let mut probe = Server::run(command, Default::default());
    let port = probe.port();
    let metric = format!("probe_http_status_code{{target=\"{url}\"}} 200\n");
    eventually("the first measurement shows", || {
        get(port, "/metrics").is_ok_and(|answer| answer.body.contains(&metric))
    });

    let answer = get(port, &format!("/probe?target={url}&module=http_2xx")).unwrap();
    assert_eq!(answer.status, 200, "{answer:?}");
    assert!(answer.body.contains("\nprobe_http_status_code 200\n"), "{answer:?}");
    let answer = get(port, "/probe?target=example.com:x").unwrap();
    assert_eq!((answer.status, answer.body.lines().count()), (400, 1), "{answer:?}");
    probe.stop();
    target_server.stop();
}

#[test]
fn a_probe_without_targets_measures_what_it_is_asked_for_and_says_so_where_it_cant_listen() {
    let mut command = netqoe();
    command.args(["probe", "--metrics-listen", "127.0.0.1:0"]);
    let mut probe = Server::run(command, Default::default());
    let port = probe.port();
    let answer = get(port, &format!("/probe?target=tcp://127.0.0.1:{port}")).unwrap();
    assert!(answer.body.contains("\nprobe_success 1\n"), "{answer:?}");
    let output = netqoe().args(["probe", "--metrics-listen", &port.to_string()]).output().unwrap();
    let message = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{message}");
    assert!(message.contains("is in use by another program"), "{message}");
    probe.stop();
}

#[cfg(feature = "bench")]
#[test]
fn the_bench_has_a_line_of_figures_for_each_program() {
    let output = netqoe().args(["bench", "probe", "--seconds", "1"]).output().unwrap();
    let (table, message) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    assert!(output.status.success(), "{message}");
    let programs =
        ["netqoe probe, on its schedule", "netqoe probe, asked by /probe", "blackbox_exporter, asked by /probe"];
    for (what, scheme) in programs.iter().flat_map(|what| [(what, "http"), (what, "https")]) {
        let start = format!("| {what} | {scheme} |");
        let figures =
            table.lines().find_map(|line| line.strip_prefix(&start)).unwrap_or_else(|| panic!("{start} {table}"));
        let figures: Vec<_> = figures.split('|').map(str::trim).filter(|cell| !cell.is_empty()).collect();
        assert_eq!(figures.len(), 4, "{start} {table}");
        let numbers = figures.iter().map(|figure| figure.split(' ').next().unwrap().parse::<f64>().unwrap());
        // Nothing runs at another rate or without memory; CPU time may be under its hundredth of a second.
        let numbers: Vec<_> = numbers.collect();
        assert!(numbers.iter().all(|number| number.is_finite()) && numbers[0] > 0.0 && numbers[3] > 0.0, "{table}");
    }
}
