//! `up --import`: history becomes the rows that a replay of it makes, whatever form it has and wherever an import broke off.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use flate2::Compression;
use flate2::write::GzEncoder;
use netqoe_simulator::Scenario;
use serde_json::{Value, json};

use crate::support::*;

/// With events that come twice or too late, and with lines that are none.
const SCENARIO: Scenario = Scenario {
    seed: 11,
    clients: 10,
    targets: 6,
    minutes: 30,
    per_minute: 2,
    start_ms: 1_700_000_040_000,
    clean: false,
};
/// The history is years old: nothing of it may be past its time. What comes late in it is not counted, as in a replay.
const PATIENT: [&str; 6] = ["--retention", "36500d", "--log-max-age", "36500d", "--correction-horizon", "0s"];
/// What makes a few thousand events more than is imported at once.
const PADDING: usize = 4_000;

/// The scenario's log, as `log export` writes one.
fn exported() -> String {
    let mut log = Vec::new();
    SCENARIO.write_to(&mut log).unwrap();
    String::from_utf8(log).unwrap()
}

/// The lines of a log with each that is an object changed.
fn changed(log: &str, change: impl Fn(&mut serde_json::Map<String, Value>)) -> String {
    let line = |line: &str| match serde_json::from_str(line) {
        Ok(Value::Object(mut object)) => {
            change(&mut object);
            format!("{}\n", Value::Object(object))
        }
        _ => format!("{line}\n"),
    };
    log.lines().map(line).collect()
}

/// Events as programs write them that know no log.
fn plain() -> String {
    changed(&exported(), |event| drop(event.remove("recv_ts_ms")))
}

struct Trial {
    folder: tempfile::TempDir,
}

impl Trial {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, content: impl AsRef<[u8]>) -> String {
        fs::write(self.path(name), content).unwrap();
        self.path(name).display().to_string()
    }

    fn up(&self, options: &[&str]) -> Server {
        Server::start(&self.path("data"), &[&PATIENT, options].concat())
    }

    /// How `up` ends that takes in nothing.
    fn refused(&self, options: &[&str]) -> (Option<i32>, String) {
        self.up(options).wait()
    }

    fn store(&self) -> PathBuf {
        self.path("data").join(DATA_FILE)
    }

    /// The rows of the data folder, once they reflect all of this log, are those of its replay.
    #[track_caller]
    fn check(&self, mut up: Server, log: &str) {
        let port = up.port();
        let replayed = self.path("replayed.db");
        let counts = replay(&self.path("replayed.ndjson"), log, &replayed, &[]);
        let read =
            || get(port, "/api/v1/overview").is_ok_and(|answer| answer.json()["events"]["read"] == counts["read"]);
        eventually_or_say("all is in rows", read, || up.last_words());
        up.stop();
        assert_eq!(ledger(&self.store()), ledger(&replayed));
        assert_eq!(rows(&self.store()), rows(&replayed));
        let incidents = "SELECT label, cause_dimension, cause_value, opened, named FROM incidents ORDER BY 1, 2, 3, 4";
        assert_eq!(query(&self.store(), incidents), query(&replayed, incidents));

        let [again, live] = [&self.path("again.db"), &self.store()].map(|path| format!("sqlite:{}", path.display()));
        let mut command = netqoe();
        command.args(["replay", "--store", &again, "--diff", &live, "--input"]).arg(self.path("replayed.ndjson"));
        let output = command.output().unwrap();
        assert!(output.status.success(), "{output:?}");
        let compared: Value =
            serde_json::from_str(String::from_utf8(output.stdout).unwrap().lines().last().unwrap()).unwrap();
        assert_eq!(compared["different"], 0, "{compared}");
        assert!(compared["equal"].as_u64().unwrap() > 1_000, "{compared}");
    }
}

#[track_caller]
fn check(log: &str, as_file: impl AsRef<[u8]>) {
    let trial = Trial::new();
    let file = trial.write("history", as_file);
    trial.check(trial.up(&["--import", &file]), log);
}

#[test]
fn an_exported_log_in_gzip() {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(exported().as_bytes()).unwrap();
    check(&exported(), encoder.finish().unwrap());
}

#[test]
fn plain_events_in_zstd() {
    check(&plain(), zstd::encode_all(plain().as_bytes(), 1).unwrap());
}

/// What `up` has taken in and ticked, taken in by another one.
#[test]
fn the_export_of_a_log_with_ticks() {
    let first = Trial::new();
    let file = first.write("history", plain());
    first.check(first.up(&["--import", &file]), &plain());
    let log = export(&first.path("data"));
    assert!(log.lines().any(|line| netqoe_model::Tick::parse(line.as_bytes()).is_some()));
    check(&log, &log);
}

/// A pipe of this name, open for writing once somebody reads it.
fn pipe(path: &Path) -> File {
    File::options().write(true).open(path).unwrap()
}

fn make_pipe(path: &Path) -> String {
    assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
    path.display().to_string()
}

/// How many lines the log of a data folder holds, also while it is written.
fn lines_in_log(store: &Path) -> usize {
    let lines = "SELECT coalesce(sum(length(lines) - length(replace(lines, char(10), ''))), 0) FROM log_records";
    let connection = rusqlite::Connection::open(store).unwrap();
    connection.query_row(lines, [], |row| row.get(0)).unwrap_or(0)
}

#[test]
fn an_import_that_is_killed_goes_on_where_it_was() {
    let trial = Trial::new();
    let log = changed(&plain(), |event| drop(event.insert("padding".to_owned(), json!("p".repeat(PADDING)))));
    let name = make_pipe(&trial.path("pipe"));
    let up = trial.up(&["--import", &name]);
    let mut writing = pipe(&trial.path("pipe"));
    // All but the end, so that the import waits for more.
    writing.write_all(&log.as_bytes()[..log.len() - PADDING]).unwrap();
    let count = || if trial.store().exists() { lines_in_log(&trial.store()) } else { 0 };
    eventually("a part of it is in the log", || count() > 0);
    up.kill();
    drop(writing);
    let before = count();
    assert!(before < log.lines().count(), "{before}");

    // The same under another name; from standard input it would be no different.
    let file = trial.write("history", &log);
    let up = trial.up(&["--import", &file]);
    trial.check(up, &log);
    assert_eq!(lines_in_log(&trial.store()), log.lines().count(), "nothing is there twice");
}

#[test]
fn an_import_that_is_asked_to_stop_ends_in_good_order_and_goes_on() {
    let trial = Trial::new();
    let name = make_pipe(&trial.path("pipe"));
    let up = trial.up(&["--import", &name]);
    let mut writing = pipe(&trial.path("pipe"));
    let log = exported();
    writing.write_all(&log.as_bytes()[..1_000]).unwrap();
    eventually("it imports", || up.has_logged("importing"));
    up.stop();
    drop(writing);
    let file = trial.write("history", &log);
    trial.check(trial.up(&["--import", &file]), &log);
}

#[test]
fn what_is_in_the_log_is_not_taken_twice() {
    let trial = Trial::new();
    let log = exported();
    let file = trial.write("history", &log);
    trial.check(trial.up(&["--import", &file]), &log);
    let lines = lines_in_log(&trial.store());

    let (up, port) = Server::start_and_wait(&trial.path("data"), &[&PATIENT[..], &["--import", &file]].concat());
    assert!(up.has_logged("all of the history is in the log already"), "{}", up.last_words());
    assert_eq!(post(port, &[JSON], event("a", "berlin-1").to_string()).unwrap().status, 200);
    up.stop();
    assert_eq!(lines_in_log(&trial.store()), lines + 1);
    let (code, said) = trial.refused(&["--import", &file]);
    assert!(code == Some(1) && said.contains("start without --import"), "{said}");

    let more = trial.write("more", format!("{log}{}\n", event("b", "berlin-1")));
    let (code, said) = trial.refused(&["--import", &more]);
    assert!(code == Some(1) && said.contains("choose a new folder"), "{said}");
    assert_eq!(lines_in_log(&trial.store()), lines + 1);
}

#[test]
fn what_does_not_fit_is_refused_in_one_line() {
    let event = |ts_ms: i64| {
        let mut event = event(&ts_ms.to_string(), "berlin-1");
        event["ts_ms"] = json!(ts_ms);
        format!("{event}\n")
    };
    let trial = Trial::new();
    let ahead = trial.write("ahead", event(1_700_000_000_000) + &event(now_ms() + 3_600_000));
    let nothing = trial.write("nothing", "{}\n[1]\n");
    let folder = trial.folder.path().display().to_string();
    for (file, says) in [
        (&*nothing, "it holds no event"),
        (&*ahead, "line 2 is of "),
        (&*folder, "it is a folder"),
        ("missing", "can't read missing"),
    ] {
        let (code, said) = trial.refused(&["--import", file]);
        assert!(code == Some(1) && said.contains(says), "{file}: {said}");
        assert_eq!(said.lines().filter(|line| line.starts_with("netqoe: ")).count(), 1, "{file}: {said}");
    }
    let earlier = trial.write("earlier", event(1_600_000_000_000));
    let (code, said) = trial.refused(&["--import", &earlier]);
    assert!(code == Some(1) && said.contains("history is taken only after a log's end"), "{said}");
    let (code, said) = trial.refused(&["--import", &earlier, "--demo"]);
    assert!(code == Some(2) && said.contains("--demo"), "{said}");
}
