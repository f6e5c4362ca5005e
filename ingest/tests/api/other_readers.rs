//! What ingest accepts is JSON for everybody: serde and Python read it, before and after an export, as netqoe does.

use std::io::Write;
use std::process::{Command, Stdio};

use netqoe_eventlog::with_recv_ts;
use netqoe_model::Event;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};

use crate::support::*;

/// Lines that are tried: enough that each kind of member is met in a valid line many times.
const LINES: usize = 6_000;
/// Bodies are below the limit of one request's events.
const LINES_A_REQUEST: usize = 1_000;

/// Reads a line at a time, strictly, and prints what netqoe keeps of it.
const PYTHON: &str = r#"
import json, sys
def no_constant(name): raise ValueError(name)
for line in sys.stdin.buffer:
    event = json.loads(line.rstrip(b"\n").decode("utf-8", "strict"), parse_constant=no_constant)
    names = ("event_id", "client_id", "ts_ms", "recv_ts_ms", "target", "error_stage")
    print(json.dumps([event.get(name) for name in names]))
"#;

/// A member more, valid and invalid, at the end of an event: where names and values that nobody looks at are met.
fn member() -> impl Strategy<Value = Vec<u8>> {
    let name = prop_oneof![
        4 => prop::sample::select(vec![
            "x", "recv_ts_ms", r"recv\u005fts_ms", r"recv_ts_m\u0073", "ts_ms", r"\u0074s_ms", "target", "event_id", "error_stage",
            "network_context", "timing_measurements", "timings", r"\ud800", r"a\n", r"\x", r"\u12", "é", "\u{1}", "a\tb", "\u{7f}", "\u{2028}", "",
        ]).prop_map(|name| name.as_bytes().to_vec()),
        1 => any::<String>().prop_map(String::into_bytes),
        1 => prop::collection::vec(any::<u8>(), 0..4),
    ];
    (name, value()).prop_map(|(name, value)| [b"\"", &name[..], b"\":", &value[..]].concat())
}

fn value() -> impl Strategy<Value = Vec<u8>> {
    let value = prop::sample::select(vec![
        "1",
        "-0",
        "-0.0",
        "0",
        "01",
        "1.",
        ".5",
        "+1",
        "1e5",
        "1E+2",
        "1e",
        "1e999",
        "-1e999",
        "12345678901234567890123",
        "0.1234567890123456789",
        "NaN",
        "Infinity",
        "-Infinity",
        "null",
        "true",
        "True",
        "\"a\"",
        r#""\ud800""#,
        r#""\ud83d\ude00""#,
        r#""\u0000""#,
        "\"\u{1}\"",
        "'a'",
        "[]",
        "[1,]",
        "{}",
        "{\"recv_ts_ms\":1}",
        "{\"a\":1,}",
        "{\"a\u{1}\":1}",
        "[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]",
        "",
        "1 1",
        "1\u{c}",
        "1700000000000",
        "253402300799000",
        "\"dns\"",
        "\"DNS\"",
    ]);
    let deep = (1_usize..200).prop_map(|depth| [vec![b'['; depth], vec![b']'; depth]].concat());
    prop_oneof![12 => value.prop_map(|value| value.as_bytes().to_vec()), 1 => deep, 1 => prop::collection::vec(any::<u8>(), 0..6)]
}

/// An event with members more, and what is around it.
fn line() -> impl Strategy<Value = Vec<u8>> {
    let around = || {
        prop::sample::select(vec![
            "",
            "",
            "",
            "",
            " ",
            "\t",
            "\r",
            "\u{feff}",
            "\u{feff}\u{feff}",
            "\u{c}",
            "\0",
            "x",
            "}",
        ])
    };
    (around(), prop::collection::vec(member(), 0..3), around()).prop_map(|(before, members, after)| {
        let whole = event("an-event", "a-client").to_string();
        let open = whole.strip_suffix('}').unwrap().as_bytes().to_vec();
        let members: Vec<u8> = members.into_iter().flat_map(|member| [&b","[..], &member].concat()).collect();
        let line = [before.as_bytes(), &open, &members, b"}", after.as_bytes()].concat();
        line.into_iter().filter(|byte| *byte != b'\n').collect()
    })
}

/// What netqoe keeps of a line, as the Python above prints it.
fn kept(line: &[u8]) -> Value {
    let event = Event::parse(line).unwrap();
    let stage = event.error_stage.map(netqoe_model::ErrorStage::as_str);
    json!([event.event_id, event.client_id, event.ts.ms(), event.recv.map(|recv| recv.ms()), event.target, stage])
}

/// The same with the stage in the case in which netqoe keeps it.
fn in_our_case(mut read: Value) -> Value {
    if let Value::String(stage) = &mut read[5] {
        stage.make_ascii_lowercase();
    }
    read
}

#[test]
fn what_is_accepted_reads_the_same_for_serde_and_python_and_after_an_export() {
    let mut runner = TestRunner::deterministic();
    let lines: Vec<_> = (0..LINES).map(|_| line().new_tree(&mut runner).unwrap().current()).collect();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut accepted = Vec::new();
    for lines in lines.chunks(LINES_A_REQUEST) {
        let api = Api::new();
        runtime.block_on(api.post(&[NDJSON], lines.join(&b'\n')));
        let stored = std::mem::take(&mut *api.log.lines.lock().unwrap());
        accepted.extend(stored.into_iter().map(|(_, line)| line));
    }
    assert!((LINES / 10..LINES * 9 / 10).contains(&accepted.len()), "{} of {LINES} say little", accepted.len());
    assert!(accepted.iter().all(|line| Event::parse(line).unwrap().recv.unwrap().ms() == NOW_MS));

    let exported: Vec<_> = accepted.iter().map(|line| with_recv_ts(line, NOW_MS + 7).unwrap()).collect();
    assert!(exported.iter().all(|line| Event::parse(line).unwrap().recv.unwrap().ms() == NOW_MS + 7));
    for line in accepted.iter().chain(&exported) {
        let read = serde_json::from_slice::<Box<serde_json::value::RawValue>>(line);
        assert!(read.is_ok(), "serde does not read {:?}", String::from_utf8_lossy(line));
    }
    check_with_python(&[accepted, exported].concat());
}

fn check_with_python(lines: &[Vec<u8>]) {
    let mut python = Command::new("python3")
        .args(["-c", PYTHON])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("this test reads lines by python3; install it");
    let mut stdin = python.stdin.take().unwrap();
    let text = lines.join(&b'\n');
    let writing = std::thread::spawn(move || stdin.write_all(&text));
    let output = python.wait_with_output().unwrap();
    let read: Vec<Value> =
        serde_json::Deserializer::from_slice(&output.stdout).into_iter().map(Result::unwrap).collect();
    let refused = lines.get(read.len()).map(|line| String::from_utf8_lossy(line));
    assert!(output.status.success(), "Python does not read {refused:?}");
    writing.join().unwrap().unwrap();
    for (line, read) in lines.iter().zip(read) {
        assert_eq!(in_our_case(read), kept(line), "{}", String::from_utf8_lossy(line));
    }
}
