//! Records that are not what was written.

use netqoe_eventlog::LogError;
use netqoe_model::{SetAside, Tick};

use super::*;

/// Three records of partition 0, of which this changes something.
fn damaged(sql: &str) -> (Bench, SqliteLog) {
    let bench = Bench::new();
    let log = bench.open();
    for (now_ms, line) in [(1_000, "{\"n\":1}"), (2_000, "{\"n\":2}"), (3_000, "{\"n\":3}")] {
        bench.set_clock(now_ms);
        append(&log, 0, line).unwrap();
    }
    log.close();
    rusqlite::Connection::open(&bench.path).unwrap().execute_batch(sql).unwrap();
    let log = bench.open();
    (bench, log)
}

#[test]
fn a_damaged_record_is_set_aside_told_and_its_bytes_are_kept() {
    for (change, lines) in [
        ("lines = x'7b7d0a'", "{}\n"),
        ("log_time = 9000000", "{\"n\":2}\n"),
        ("log_time = NULL", "{\"n\":2}\n"),
        ("end_byte = end_byte + 1", "{\"n\":2}\n"),
        ("checksum = NULL", "{\"n\":2}\n"),
        ("lines = CAST(lines AS TEXT)||'x'", "{\"n\":2}\nx"),
    ] {
        // STRICT tables and NOT NULL are no guard against changed bits.
        let sql = format!(
            "PRAGMA writable_schema = ON;
             UPDATE sqlite_schema SET sql = replace(sql, ' NOT NULL', '') WHERE name = 'log_records';
             PRAGMA writable_schema = RESET; UPDATE log_records SET {change} WHERE seq = 2"
        );
        let (bench, log) = damaged(&sql);
        let chunks = drain(&mut *reader(&log, [0]));
        assert_eq!(
            chunks.iter().map(|chunk| chunk.set_aside).collect::<Vec<_>>(),
            [None, Some(SetAside::Damaged), None]
        );
        assert_eq!(texts(&chunks)[1], (0, 2, lines), "{change}");
        let times: Vec<_> = chunks.iter().map(|chunk| chunk.log_time.unwrap().ms()).collect();
        assert_eq!(times, [1_000, 1_000, 3_000], "{change}: a damaged record moves no time");
        assert_eq!(log.damaged_records(), 1);
        assert!(log.intact().unwrap_err().contains("position 2"));
        assert_eq!(log.healthy(), Ok(()), "events can be appended");

        let mut out = Vec::new();
        let error = SqliteLog::export(&bench.path, &mut out).unwrap_err();
        assert!(matches!(error, LogError::Damaged { count: 1, first: Position(2), .. }), "{error}");
        let exported = String::from_utf8(out).unwrap();
        let lines: Vec<_> = exported.lines().filter(|line| Tick::parse(line.as_bytes()).is_none()).collect();
        assert_eq!(lines, [r#"{"n":1,"recv_ts_ms":1000}"#, r#"{"n":3,"recv_ts_ms":3000}"#]);
    }
}

#[test]
fn log_time_and_size_go_on_from_what_is_intact() {
    let (_bench, log) = damaged("UPDATE log_records SET log_time = 253402300799999, end_byte = 1 << 62 WHERE seq = 3");
    assert_eq!(append(&log, 0, "{}"), Ok(LogTime::from_ms(3_000)));
    let chunks = drain(&mut *reader(&log, [0]));
    assert_eq!(chunks.last().unwrap().position, Position(4), "no position is given twice");
    log.close();
    let (_bench, log) = damaged("UPDATE log_records SET end_byte = 1 << 62 WHERE seq = 1");
    assert_eq!(log.healthy(), Ok(()));
    assert!(append(&log, 0, "{}").is_ok(), "a damaged size does not fill the log");
}

#[test]
fn a_record_that_is_missing_is_told_by_the_export() {
    for (seq, missing) in [(2, 2), (3, 3)] {
        let (bench, _log) = damaged(&format!("DELETE FROM log_records WHERE seq = {seq}"));
        let error = SqliteLog::export(&bench.path, &mut Vec::new()).unwrap_err();
        assert!(matches!(error, LogError::Missing { count: 1, first, .. } if first.0 == missing), "{error}");
    }
    let (bench, _log) = damaged("DELETE FROM log_records WHERE seq = 1");
    assert_eq!(SqliteLog::export(&bench.path, &mut Vec::new()).unwrap(), 2, "that one was discarded");
}
