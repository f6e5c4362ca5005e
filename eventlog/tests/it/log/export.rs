//! The log as NDJSON.

use netqoe_eventlog::LogError;

use super::*;

/// The members of an event.
const EVENT: &str = r#""event_id":"e","client_id":"c","ts_ms":1,"target":"t","timing_measurements":{}"#;

fn export(bench: &Bench) -> (u64, String) {
    let mut out = Vec::new();
    let lines = SqliteLog::export(&bench.path, &mut out).unwrap();
    (lines, String::from_utf8(out).unwrap())
}

#[test]
fn every_event_in_log_order_with_the_log_time() {
    let bench = Bench::new();
    let log = bench.open();
    append(&log, 7, &format!(r#"{{{EVENT},"recv_ts_ms":5}}"#)).unwrap();
    block_on(log.tick(vec![Partition(0)])).unwrap();
    bench.set_clock(2_000);
    append(&log, 0, r#"{"b": [1, 2]}"#).unwrap();
    append(&log, 0, "no object").unwrap();
    append(&log, 0, " ").unwrap();
    bench.set_clock(3_000);
    block_on(log.tick(vec![Partition(0), Partition(1)])).unwrap();
    let expected = [
        &format!(r#"{{{EVENT},"recv_ts_ms":1000}}"#),
        r#"{"b":[1, 2],"recv_ts_ms":2000}"#,
        r#"{"recv_ts_ms":2000,"event_id":"tick"}"#,
        "no object",
        r#"{"recv_ts_ms":3000,"event_id":"tick"}"#,
    ];
    let expected = expected.join("\n") + "\n";
    assert_eq!(export(&bench), (3, expected.clone()), "while the log is in use");
    log.close();
    assert_eq!(export(&bench), (3, expected), "while it is not");
}

#[test]
fn says_where_there_is_nothing_to_export() {
    let bench = Bench::new();
    let export = |path: &std::path::Path| SqliteLog::export(path, &mut Vec::new()).unwrap_err();
    assert!(matches!(export(&bench.path), LogError::Open { .. }));
    std::fs::write(&bench.path, "").unwrap();
    assert!(matches!(export(&bench.path), LogError::NoLog { .. }));
}

#[test]
fn a_failing_output_is_an_error() {
    let bench = Bench::new();
    append(&bench.open(), 0, "{}").unwrap();
    let error = SqliteLog::export(&bench.path, &mut [0_u8; 5].as_mut_slice()).unwrap_err();
    assert!(matches!(error, LogError::Export(_)), "{error}");
}
