//! Searching: newest first, by time, within limits, beside those who append.

use std::ops::{ControlFlow, Range};
use std::time::Instant;

use netqoe_eventlog::{LogSearch, Search, SearchLimits, Searched};

use super::*;

const WITHOUT_LIMITS: u64 = u64::MAX;

fn limits(records: u64, bytes: u64) -> SearchLimits {
    SearchLimits { records, bytes, until: Instant::now() + Duration::from_secs(60) }
}

fn search(partition: u16, times: Range<i64>, through: Option<u64>) -> Search {
    let times = LogTime::from_ms(times.start)..LogTime::from_ms(times.end);
    Search { partition: Partition(partition), times, through: through.map(Position) }
}

/// Positions and times in the order in which they are found, and how it ends.
fn found(log: &dyn LogSearch, search: &Search, limits: &SearchLimits) -> (Vec<(u64, i64)>, Searched) {
    let mut found = Vec::new();
    let searched = log.search(search, limits, &mut |record| {
        found.push((record.position.0, record.log_time.ms()));
        ControlFlow::Continue(())
    });
    (found, searched.unwrap())
}

fn all(log: &dyn LogSearch, partition: u16, times: Range<i64>) -> Vec<(u64, i64)> {
    let (found, searched) = found(log, &search(partition, times, None), &limits(WITHOUT_LIMITS, WITHOUT_LIMITS));
    assert_eq!(searched.rest, None);
    found
}

/// Records 1 to 30, of two partitions in turn, one each 10 ms from 1000 on.
fn thirty(bench: &Bench) -> SqliteLog {
    let log = bench.open();
    let record =
        |n: i64| (LogTime::from_ms(1_000 + n / 2 * 10), vec![(Partition((n % 2) as u16), format!("{n}").into_bytes())]);
    block_on(log.import((0..30).map(record))).unwrap();
    log
}

#[test]
fn records_of_a_time_come_newest_first() {
    let bench = Bench::new();
    let log = thirty(&bench);
    assert_eq!(all(&log, 1, 1_020..1_050), [(10, 1_040), (8, 1_030), (6, 1_020)]);
    assert_eq!(all(&log, 0, 1_021..1_051), [(11, 1_050), (9, 1_040), (7, 1_030)]);
    assert_eq!(all(&log, 0, 0..i64::MAX).len(), 15);
    let reversed = Range { start: 1_040, end: 1_030 };
    for nothing in [0..1_000, 1_141..i64::MAX, 1_030..1_030, reversed] {
        assert_eq!(all(&log, 0, nothing), []);
    }
    assert_eq!(all(&bench_of_nothing().1, 0, 0..i64::MAX), []);
}

fn bench_of_nothing() -> (Bench, SqliteLog) {
    let bench = Bench::new();
    let log = bench.open();
    (bench, log)
}

#[test]
fn a_search_that_ends_is_gone_on_with_without_a_gap() {
    let bench = Bench::new();
    let log = thirty(&bench);
    for limits in [limits(1, WITHOUT_LIMITS), limits(4, WITHOUT_LIMITS), limits(0, 0), limits(WITHOUT_LIMITS, 3)] {
        let (mut through, mut together) = (None, Vec::new());
        loop {
            let (some, searched) = found(&log, &search(0, 1_020..1_100, through), &limits);
            assert!(!some.is_empty(), "each search moves on");
            together.extend(some);
            // What is appended meanwhile is newer than all that is left.
            append(&log, 0, "new").unwrap();
            let Some(rest) = searched.rest else { break };
            through = Some(rest.0);
        }
        let expected: Vec<_> = (2..10).rev().map(|n| (2 * n + 1, 1_000 + n as i64 * 10)).collect();
        assert_eq!(together, expected);
    }
}

#[test]
fn who_has_enough_ends_the_search() {
    let bench = Bench::new();
    let log = thirty(&bench);
    let mut seen = Vec::new();
    let searched = log.search(&search(0, 0..i64::MAX, None), &limits(WITHOUT_LIMITS, WITHOUT_LIMITS), &mut |record| {
        seen.push(record.lines.to_vec());
        if seen.len() == 2 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    assert_eq!(seen, [b"28\n", b"26\n"]);
    assert_eq!(searched.unwrap().rest, Some(Position(26)));
    let past = SearchLimits { until: Instant::now(), ..limits(WITHOUT_LIMITS, WITHOUT_LIMITS) };
    let (one, searched) = found(&log, &search(0, 0..i64::MAX, Some(28)), &past);
    assert_eq!((one, searched.rest), (vec![(27, 1_130)], Some(Position(26))));
}

#[test]
fn a_log_that_has_discarded_records_says_since_when_it_has_all() {
    let bench = Bench::new();
    let log = thirty(&bench);
    let since = || found(&log, &search(0, 0..1_050, None), &limits(WITHOUT_LIMITS, WITHOUT_LIMITS));
    assert_eq!(since().1.kept_since, None);
    log.allow_discard_through(Partition(0), Position(4));
    log.allow_discard_through(Partition(1), Position(4));
    bench.set_clock(i64::MAX / 2);
    eventually("the old records are discarded", || since().1.kept_since == Some(LogTime::from_ms(1_020)));
    assert_eq!(since().0, [(9, 1_040), (7, 1_030), (5, 1_020)]);
}

#[test]
fn a_damaged_record_neither_shows_nor_leads_astray() {
    let bench = Bench::new();
    let log = thirty(&bench);
    // In the middle of the log, where a search looks first; and another.
    let changed = rusqlite::Connection::open(&bench.path).unwrap();
    changed.execute("UPDATE log_records SET log_time = 9000000000000 WHERE seq IN (15, 16)", []).unwrap();
    changed.execute("UPDATE log_records SET lines = x'00' WHERE seq = 21", []).unwrap();
    assert_eq!(all(&log, 0, 1_060..1_110), [(19, 1_090), (17, 1_080), (13, 1_060)]);
    assert_eq!(all(&log, 1, 1_060..1_100), [(20, 1_090), (18, 1_080), (14, 1_060)]);
}
