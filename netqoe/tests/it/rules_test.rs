//! `netqoe rules test`: new rules beside the present ones, over a generated log.

use std::fs::File;
use std::io::BufWriter;
use std::path::{Path, PathBuf};

use netqoe_simulator::Scenario;
use serde_json::{Value, json};

use crate::support::{JSON, NO_RATE, Server, event, netqoe, post};

const MINUTE_MS: i64 = 60_000;

/// Targets 1 to 5 have a fault of each kind in the last third.
const SCENARIO: Scenario =
    Scenario { seed: 3, clients: 8, targets: 6, minutes: 75, per_minute: 2, start_ms: 1_700_000_040_000, clean: true };
const FAULTS_FROM_MS: i64 = SCENARIO.start_ms + 50 * MINUTE_MS;

/// A folder with the log, and with rules that are `steady` but for one key.
struct Trial {
    folder: tempfile::TempDir,
}

impl Trial {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut log = BufWriter::new(File::create(folder.path().join("log")).unwrap());
        SCENARIO.write_to(&mut log).unwrap();
        Self { folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, content: &str) -> String {
        std::fs::write(self.path(name), content).unwrap();
        self.path(name).display().to_string()
    }

    /// The rules `steady`, but for some keys.
    fn rules(&self, name: &str, changes: &[(&str, &str)]) -> String {
        let mut rules = String::from_utf8(netqoe().args(["rules", "show", "steady"]).output().unwrap().stdout).unwrap();
        for (key, value) in changes {
            let is_key = |line: &str| line.split(" = ").next() == Some(key);
            assert_eq!(rules.lines().filter(|line| is_key(line)).count(), 1, "{key}");
            let line = |line| if is_key(line) { format!("{key} = {value}\n") } else { format!("{line}\n") };
            rules = rules.lines().map(line).collect();
        }
        self.write(name, &rules)
    }

    /// Rules that find no incident.
    fn deaf(&self) -> String {
        self.rules("deaf.toml", &[("least_pairs", "50")])
    }

    /// The exit code, standard output and what was complained of.
    fn run(&self, words: &[&str]) -> (i32, String, String) {
        let log = self.path("log");
        run(&[&["--input", log.to_str().unwrap()], words].concat())
    }

    fn json(&self, words: &[&str]) -> Value {
        let (code, output, message) = self.run(&[words, &["--json"]].concat());
        assert_eq!(code, 0, "{message}");
        serde_json::from_str(&output).unwrap()
    }
}

fn run(words: &[&str]) -> (i32, String, String) {
    let output = netqoe().args(["rules", "test"]).args(words).output().unwrap();
    let message = String::from_utf8(output.stderr).unwrap();
    let complaints: Vec<_> = message.lines().filter(|line| line.starts_with("netqoe: ")).collect();
    (output.status.code().unwrap(), String::from_utf8(output.stdout).unwrap(), complaints.join("\n"))
}

/// How many incidents are the same, gained, lost and moved.
fn counts(report: &Value) -> [usize; 4] {
    let incidents = &report["incidents"];
    let length = |name: &str| incidents[name].as_array().unwrap().len();
    [incidents["same"].as_u64().unwrap() as usize, length("gained"), length("lost"), length("moved")]
}

#[test]
fn the_same_rules_find_the_same() {
    let report = Trial::new().json(&["steady"]);
    assert_eq!(counts(&report), [5, 0, 0, 0], "{report}");
    let windows = &report["windows"];
    assert_eq!((&windows["pairs"], &windows["changed"], &windows["changes"]), (&json!(48), &json!(0), &json!([])));
    assert_eq!(report["rules"], json!({"present": "steady", "new": "steady"}));
    assert_eq!(report["truth"], Value::Null);
}

#[test]
fn rules_that_lose_gain_and_move_incidents_are_told_apart() {
    let trial = Trial::new();
    let deaf = trial.deaf();
    let lost = trial.json(&[&deaf]);
    assert_eq!(counts(&lost), [0, 0, 5, 0], "{lost}");
    assert_eq!(lost["windows"]["changed"], 0, "incidents alone differ");
    let gained = trial.json(&["steady", "--rules", &deaf]);
    assert_eq!(counts(&gained), [0, 5, 0, 0], "{gained}");
    assert_eq!(gained["incidents"]["gained"], lost["incidents"]["lost"]);

    // Failures need no history; whatever is slow is compared once the fault is four windows old.
    let late = trial.rules("late.toml", &[("warm_up_windows", "54"), ("better_windows", "54")]);
    let moved = trial.json(&[&late]);
    assert_eq!(counts(&moved), [1, 0, 0, 4], "{moved}");
    for moved in moved["incidents"]["moved"].as_array().unwrap() {
        assert_eq!(moved["differences"], json!(["opened", "detected"]), "{moved}");
        assert!(moved["new"]["opened_ms"].as_i64() > moved["present"]["opened_ms"].as_i64(), "{moved}");
    }

    let classic = trial.json(&["classic"]);
    assert!(classic["windows"]["changed"].as_u64().unwrap() > 100, "{classic}");
    let total: u64 = classic["windows"]["changes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|change| change["windows"].as_u64().unwrap())
        .sum();
    assert_eq!(total, classic["windows"]["changed"]);
}

#[test]
fn the_report_is_the_same_for_any_number_of_workers_and_from_standard_input() {
    let trial = Trial::new();
    let report = trial.json(&["classic"]);
    assert_eq!(trial.json(&["classic", "-w", "2"]), report);
    let log = File::open(trial.path("log")).unwrap();
    let mut command = netqoe();
    command.args(["rules", "test", "classic", "--json", "--input", "-"]).stdin(log);
    let output = command.output().unwrap();
    assert_eq!(serde_json::from_slice::<Value>(&output.stdout).unwrap(), report);
}

#[test]
fn only_what_opens_in_the_range_counts() {
    let trial = Trial::new();
    let deaf = trial.deaf();
    let after = (FAULTS_FROM_MS + 10 * MINUTE_MS).to_string();
    let report = trial.json(&["steady", "--rules", &deaf, "--from", &after]);
    assert_eq!(counts(&report), [0; 4], "they began before: {report}");
    assert_eq!(report["windows"]["all"], 15 * 48);
    let before = trial.json(&["steady", "--rules", &deaf, "--to", &FAULTS_FROM_MS.to_string()]);
    assert_eq!(counts(&before), [0; 4], "{before}");
    let faults = ["--from", &FAULTS_FROM_MS.to_string(), "--to", &after].map(str::to_owned);
    let during = trial.json(&["steady", "--rules", &deaf, &faults[0], &faults[1], &faults[2], &faults[3]]);
    assert_eq!(counts(&during), [0, 5, 0, 0], "{during}");
}

#[test]
fn a_limit_that_is_exceeded_is_exit_code_3() {
    let trial = Trial::new();
    let deaf = trial.deaf();
    let (code, output, message) = trial.run(&[&deaf, "--max-lost", "4", "--max-gained", "0"]);
    assert_eq!((code, &*message), (3, "netqoe: 5 incidents are lost, and --max-lost allows 4"));
    assert!(output.contains("\nlost\n") && output.contains("         5  lost\n"), "{output}");
    assert_eq!(trial.run(&[&deaf, "--max-lost", "5", "--max-moved", "0"]).0, 0);
}

#[test]
fn with_the_truth_precision_and_recall_are_known() {
    let trial = Trial::new();
    let lost = trial.json(&[&trial.deaf()]);
    // What the present rules find is taken for the truth, with one that they miss, and without one that they find.
    let mut truth = lost["incidents"]["lost"].as_array().unwrap().clone();
    truth.pop();
    truth.push(json!({"cause_dimension": "client", "cause_value": "nobody", "opened_ms": FAULTS_FROM_MS}));
    let lines: String = truth.iter().map(|fault| format!("{fault}\n")).collect();
    let truth = trial.write("truth", &lines);
    let report = trial.json(&["steady", "--truth", &truth]);
    let expected = json!({
        "faults": 5, "found": 4, "right_cause": 4, "told": 5, "false": 1, "recall": 0.8, "precision": 0.8,
    });
    assert_eq!(report["truth"], json!({"present": expected, "new": expected}));
    let limits = ["steady", "--truth", &truth, "--min-recall", "0.9", "--min-precision", "0.8"];
    let (code, output, message) = trial.run(&limits);
    assert_eq!((code, &*message), (3, "netqoe: the recall of the new rules is 0.800, and --min-recall asks for 0.9"));
    assert!(
        output.contains("recall 80.0 % (4 of 5 faults, 4 with the right cause), precision 80.0 % (4 of 5"),
        "{output}"
    );
}

#[test]
fn what_is_wrong_is_said_in_one_line() {
    let trial = Trial::new();
    let check = |words: &[&str], code: i32, says: &str| {
        let (exit, _, message) = trial.run(words);
        assert_eq!((exit, message.lines().count()), (code, 1), "{message}");
        assert!(message.contains(says), "{message}");
    };
    let malformed = trial.rules("malformed.toml", &[("least_pairs", "\"many\"")]);
    check(&[&malformed], 2, "line ");
    check(&["steady", "--from", "5", "--to", "5"], 2, "--from 5 is not before --to 5");
    check(&["steady", "--to", &SCENARIO.start_ms.to_string()], 1, "no pair was measured in the time that is compared");
    check(&["steady", "--min-recall", "0.9"], 2, "--truth");
    check(&["steady", "--min-recall", "90", "--truth", "x"], 2, "a share is a number from 0 to 1");
    check(&["steady", "--truth", "/nowhere/truth"], 2, "can't read the truth in /nowhere/truth");
    let truth = trial.write("truth", "{\"cause_dimension\": \"client\", \"cause_value\": \"a\"}\n");
    check(&["steady", "--truth", &truth], 2, "missing field `opened_ms` at line 1");
    let early = trial.write("early", "{\"cause_dimension\": \"client\", \"cause_value\": \"a\", \"opened_ms\": 5}");
    check(&["steady", "--truth", &early, "--from", "6"], 1, "began in the time that is compared");
    let empty = trial.write("empty", "");
    check(&["steady", "--input", &empty], 2, "cannot be used multiple times");
    let (code, _, message) = run(&["steady", "--input", &empty]);
    assert_eq!(code, 1);
    assert!(message.contains("the history holds no event"), "{message}");
    let (code, _, message) = run(&["steady", "--data", "/nowhere"]);
    assert_eq!(code, 1);
    assert!(message.contains("/nowhere/netqoe.db"), "{message}");
}

#[test]
fn the_log_of_up_is_history_too() {
    let folder = tempfile::tempdir().unwrap();
    let (server, port) = Server::start_and_wait(folder.path(), &NO_RATE);
    let events: Vec<_> = (0..30).map(|number| event(&format!("e-{number}"), &format!("client-{number}"))).collect();
    assert_eq!(post(port, &[JSON], json!(events).to_string()).unwrap().status, 200);
    // While it runs.
    let data = Path::new(folder.path()).to_str().unwrap();
    let (code, output, message) = run(&["classic", "--data", data, "--json"]);
    let with_others =
        netqoe().args(["rules", "test", "steady", "--rules", "classic", "--data", data]).output().unwrap();
    server.stop();
    let warning = String::from_utf8(with_others.stderr).unwrap();
    assert!(warning.contains("works by other rules than those given as the present ones: diagnosis."), "{warning}");
    assert_eq!(code, 0, "{message}");
    let report: Value = serde_json::from_str(&output).unwrap();
    assert_eq!(report["windows"]["pairs"], 30);
}
