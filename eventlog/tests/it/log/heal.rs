//! Records whose time lies ahead of the clock.

use netqoe_eventlog::{ClockHealing, LogError};

use super::*;

const HOUR_MS: i64 = 3_600_000;

fn event(recv_ts_ms: i64) -> String {
    format!(
        r#"{{"event_id":"{recv_ts_ms}","client_id":"c","ts_ms":{recv_ts_ms},"target":"t","timing_measurements":{{}},"recv_ts_ms":{recv_ts_ms}}}"#
    )
}

#[test]
fn records_ahead_get_the_time_of_their_events_in_order() {
    let bench = Bench::new();
    let log = bench.open();
    append(&log, 0, &event(1_000)).unwrap();
    // Time passes with this clock, so that it is believed: the log was ahead for an hour, and an event and a tick came then.
    bench.set_clock(HOUR_MS);
    append(&log, 0, &event(HOUR_MS)).unwrap();
    block_on(log.tick(vec![Partition(1)])).unwrap();
    bench.set_clock(5_000);
    append(&log, 0, &event(5_000)).unwrap();
    append(&log, 1, &event(7_000)).unwrap();
    assert!(matches!(ClockHealing::find(&bench.path, LogTime::from_ms(9_000)), Err(LogError::InUse { .. })));
    log.close();

    let now = LogTime::from_ms(9_000);
    let healing = ClockHealing::find(&bench.path, now).unwrap().unwrap();
    let found = healing.found;
    assert_eq!((found.first, found.records, found.ahead_ms), (Position(2), 4, HOUR_MS - 9_000));
    assert_eq!((found.log_time_before.ms(), found.log_time_healed.ms()), (1_000, 7_000));
    healing.apply(|_| Ok(())).unwrap();
    assert!(ClockHealing::find(&bench.path, now).unwrap().is_none());

    bench.set_clock(9_000);
    let log = bench.open();
    let chunks = drain(&mut *reader(&log, 0..2));
    let times: Vec<_> = chunks.iter().map(|chunk| chunk.log_time.unwrap().ms()).collect();
    assert_eq!(times, [1_000, 5_000, 5_000, 5_000, 7_000]);
    assert!(chunks.iter().all(|chunk| chunk.set_aside.is_none()), "checksums are of the new times");
    assert_eq!(append(&log, 0, "{}"), Ok(LogTime::from_ms(9_000)));
}

#[test]
fn a_damaged_time_is_no_time_ahead() {
    let bench = Bench::new();
    let log = bench.open();
    append(&log, 0, &event(1_000)).unwrap();
    log.close();
    let sql = "UPDATE log_records SET log_time = 9000000";
    rusqlite::Connection::open(&bench.path).unwrap().execute_batch(sql).unwrap();
    assert!(ClockHealing::find(&bench.path, LogTime::from_ms(2_000)).unwrap().is_none());
}
