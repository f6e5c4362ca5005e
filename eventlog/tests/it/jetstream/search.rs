//! Searching: newest first, one partition alone, without a change to the stream.

use std::ops::{ControlFlow, Range};

use netqoe_eventlog::{LogSearch, Search, SearchLimits, Searched};

use super::*;

fn limits(records: u64) -> SearchLimits {
    SearchLimits { records, bytes: u64::MAX, until: Instant::now() + PATIENCE }
}

fn search(partition: u16, times: Range<LogTime>, through: Option<Position>) -> Search {
    Search { partition: Partition(partition), times, through }
}

fn always() -> Range<LogTime> {
    LogTime::default()..LogTime::from_ms(i64::MAX)
}

/// Positions and lines in the order in which they are found, and how it ends.
fn found(log: &JetStreamLog, search: &Search, limits: &SearchLimits) -> (Vec<(u64, String)>, Searched) {
    let mut found = Vec::new();
    let searched = log.search(search, limits, &mut |record| {
        found.push((record.position.0, String::from_utf8(record.lines.to_vec()).unwrap()));
        ControlFlow::Continue(())
    });
    (found, searched.unwrap())
}

fn positions(log: &JetStreamLog, search: &Search, limits: &SearchLimits) -> (Vec<u64>, Option<Position>) {
    let (found, searched) = found(log, search, limits);
    (found.into_iter().map(|(position, _)| position).collect(), searched.rest)
}

#[test]
fn a_partition_is_found_with_what_others_have_published() {
    let nats = NatsServer::start().unwrap();
    let log = open(&nats);
    let nothing = found(&log, &search(0, always(), None), &limits(9));
    assert_eq!(nothing, (Vec::new(), Searched { rest: None, kept_since: None }));
    append(&log, 0, "{\"n\":1}").unwrap();
    append(&log, 1, "{\"n\":2}").unwrap();
    let other = Other::connect(&nats);
    other.publish("telemetry.events", "{\n\"n\":3}");
    append(&log, 0, "{\"n\":4}").unwrap();
    block_on(log.tick(vec![Partition(0)])).unwrap();
    let (all, searched) = found(&log, &search(0, always(), None), &limits(u64::MAX));
    let texts = [(5, ""), (4, "{\"n\":4}\n"), (3, "{ \"n\":3}"), (1, "{\"n\":1}\n")];
    assert_eq!(all, texts.map(|(position, text)| (position, text.to_owned())));
    assert_eq!(searched, Searched { rest: None, kept_since: None });
}

#[test]
fn a_search_that_ends_is_gone_on_with_without_a_gap() {
    let nats = NatsServer::start().unwrap();
    let log = open(&nats);
    // More than a slice has.
    let line = |n: u16| (Partition(n % 2), format!("{{\"n\":{n}}}").into_bytes());
    for n in 0..700 {
        block_on(log.append(vec![line(2 * n), line(2 * n + 1)])).unwrap();
    }
    for records in [37, 400] {
        let (all, rest) = positions(&log, &search(0, always(), None), &limits(u64::MAX));
        assert!(all.len() >= 700 && all.is_sorted_by(|newer, older| newer > older) && rest.is_none());
        let (mut through, mut together) = (None, Vec::new());
        loop {
            let (some, rest) = positions(&log, &search(0, always(), through), &limits(records));
            assert!(!some.is_empty(), "each search moves on");
            together.extend(some);
            // What is appended meanwhile is newer than all that is left.
            append(&log, 0, "{}").unwrap();
            if rest.is_none() {
                break;
            }
            through = rest;
        }
        assert_eq!(together, all, "{records} at a time");
    }
}

#[test]
fn times_bound_a_search_also_where_messages_were_deleted() {
    let nats = NatsServer::start().unwrap();
    let log = open(&nats);
    for n in 0..20 {
        append(&log, 0, &format!("{{\"n\":{n}}}")).unwrap();
        std::thread::sleep(Duration::from_millis(2));
    }
    let other = Other::connect(&nats);
    let messages = other.messages();
    let time = |n: usize| LogTime::from_ms((messages[n].time.unix_timestamp_nanos() / 1_000_000).try_into().unwrap());
    for deleted in [10, 11, 12, 13] {
        other.runtime.block_on(other.stream().delete_message(deleted)).unwrap();
    }
    for (from, to) in [(0, 5), (5, 6), (7, 15), (9, 12), (11, 18), (12, 13), (19, 19)] {
        let expected: Vec<u64> = (from as u64 + 1..=to as u64).filter(|n| !(10..=13).contains(n)).rev().collect();
        let found = positions(&log, &search(0, time(from)..time(to), None), &limits(u64::MAX));
        assert_eq!(found, (expected, None), "{from} to {to}");
    }
}

#[test]
fn a_stream_that_has_discarded_messages_says_since_when_it_has_all() {
    let nats = NatsServer::start().unwrap();
    let mut options = options(&nats.url());
    options.stream.max_messages = 5;
    let log = JetStreamLog::open(options).unwrap();
    for n in 0..12 {
        append(&log, 0, &format!("{{\"n\":{n}}}")).unwrap();
    }
    let oldest = Other::connect(&nats).messages()[0].time.unix_timestamp_nanos() / 1_000_000;
    let (kept, searched) = found(&log, &search(0, always(), None), &limits(u64::MAX));
    assert_eq!(kept.iter().map(|(position, _)| *position).collect::<Vec<_>>(), [12, 11, 10, 9, 8]);
    assert_eq!(searched.kept_since.map(LogTime::ms), Some(i64::try_from(oldest).unwrap()));
}

#[test]
fn a_search_leaves_no_trace_and_waits_no_longer_than_it_may() {
    let mut nats = NatsServer::start().unwrap();
    let log = open(&nats);
    append(&log, 0, "{}").unwrap();
    let other = Other::connect(&nats);
    let before = other.stream().cached_info().config.clone();
    for _ in 0..3 {
        positions(&log, &search(0, always(), None), &limits(u64::MAX));
    }
    eventually("its consumers are gone", || other.stream().cached_info().state.consumer_count == 0);
    assert_eq!(other.stream().cached_info().config, before);
    nats.kill().unwrap();
    let short = SearchLimits { until: Instant::now() + Duration::from_millis(50), ..limits(1) };
    let failed = log.search(&search(0, always(), None), &short, &mut |_| ControlFlow::Continue(()));
    assert!(matches!(failed, Err(LogError::Stream { .. })), "{failed:?}");
}
