//! Retention: what goes, what stays.

use super::*;

const DAY_MS: i64 = 86_400_000;

fn positions(log: &SqliteLog) -> Vec<u64> {
    drain(&mut *reader(log, 0..16)).iter().map(|chunk| chunk.position.0).collect()
}

#[test]
fn discards_what_is_old_but_nothing_that_is_needed() {
    let bench = Bench::new();
    let log = bench.open();
    for partition in [0, 1, 0, 1] {
        append(&log, partition, "{}").unwrap();
    }
    bench.set_clock(8 * DAY_MS);
    append(&log, 0, "{}").unwrap();
    append(&log, 1, "{}").unwrap();
    log.allow_discard_through(Partition(0), Position(5));
    // Partition 1 needs its records from position 4 on, so what follows stays as well.
    log.allow_discard_through(Partition(1), Position(3));
    eventually("old records are discarded", || positions(&log) == [4, 5, 6]);

    let mut reader = reader(&log, [1]);
    assert_eq!((reader.lag(), drain(&mut *reader).len(), reader.lag()), (2, 2, 0));
    log.allow_discard_through(Partition(1), Position(6));
    eventually("only what is young stays", || positions(&log) == [5, 6]);
}

#[test]
fn the_newest_record_stays_so_that_log_time_goes_on() {
    let bench = Bench::new();
    let log = bench.open();
    append(&log, 0, "{}").unwrap();
    append(&log, 0, "{}").unwrap();
    log.allow_discard_through(Partition(0), Position(2));
    bench.set_clock(30 * DAY_MS);
    eventually("the old record is discarded", || positions(&log) == [2]);
    log.close();

    bench.set_clock(0);
    let log = bench.open();
    assert_eq!(append(&log, 0, "{}"), Ok(LogTime::from_ms(1_000)));
    assert_eq!(positions(&log), [2, 3]);
}

#[test]
fn a_log_at_its_limit_refuses_events_until_something_can_go() {
    let bench = Bench::new();
    let options = SqliteLogOptions { max_bytes: 10_000, ..bench.options() };
    let log = SqliteLog::open(&bench.path, options.clone()).unwrap();
    let line = "x".repeat(1_000);
    let taken = (0..100).take_while(|_| append(&log, 0, &line).is_ok()).count() as u64;
    assert_eq!(taken, 10, "1049 bytes each");
    let full = AppendError::AtSizeLimit { max_bytes: 10_000 };
    assert_eq!(append(&log, 0, &line), Err(full.clone()));
    assert_eq!(log.healthy(), Err(full.to_string()));
    // Only ticks let windows close, and so records become needless.
    assert_eq!(block_on(log.tick(vec![Partition(0)])), Ok(LogTime::from_ms(1_000)));
    assert_eq!(log.healthy(), Err(full.to_string()));

    log.close();
    let log = SqliteLog::open(&bench.path, options.clone()).unwrap();
    assert_eq!(append(&log, 0, &line), Err(full));
    log.allow_discard_through(Partition(0), Position(taken));
    eventually("there is room again", || log.healthy().is_ok());
    append(&log, 0, &line).unwrap();
    let left = positions(&log);
    assert!(left[0] > 1 && left.windows(2).all(|pair| pair[0] + 1 == pair[1]), "{left:?}");

    // What was discarded does not count, not even after a reopen.
    log.allow_discard_through(Partition(0), Position(12));
    bench.set_clock(30 * DAY_MS);
    eventually("only the newest record is left", || positions(&log) == [12]);
    log.close();
    let log = SqliteLog::open(&bench.path, options).unwrap();
    assert_eq!((0..100).take_while(|_| append(&log, 0, &line).is_ok()).count(), 9);
}

#[test]
fn many_records_are_discarded_step_by_step() {
    let bench = Bench::new();
    let log = bench.open();
    let record = |ms| (LogTime::from_ms(ms), vec![(Partition(0), b"{}".to_vec())]);
    block_on(log.import((1_000..11_000).map(record))).unwrap();
    log.allow_discard_through(Partition(0), Position(9_000));
    let mut behind = reader(&log, [0]);
    bench.set_clock(30 * DAY_MS);
    eventually("what may go is gone", || positions(&log).first() == Some(&9_001));
    assert_eq!(behind.lag(), 10_000);
    assert_eq!(drain(&mut *behind).len(), 1_000);
    assert_eq!(behind.lag(), 0, "discarded records are not waited for");
}
