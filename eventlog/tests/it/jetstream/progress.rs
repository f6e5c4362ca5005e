//! The durable consumer as others see it.

use std::collections::BTreeMap;

use netqoe_eventlog::{LogProgress, ProgressOptions};

use super::*;

fn processed(positions: [u64; 4]) -> BTreeMap<Partition, Position> {
    (0..4).map(Partition).zip(positions.map(Position)).collect()
}

/// What the server says of the consumer, once it has taken in what was sent to it: pending, ack pending, ack floor.
fn check(other: &Other, expected: (u64, usize, u64)) {
    let stream = other.stream();
    let mut found = (0, 0, 0);
    eventually(&format!("the consumer shows {expected:?}"), || {
        let info = other.runtime.block_on(stream.consumer_info("aggregator")).unwrap();
        found = (info.num_pending, info.num_ack_pending, info.ack_floor.stream_sequence);
        found == expected
    });
}

#[test]
fn what_is_committed_is_acknowledged() {
    let nats = NatsServer::start().unwrap();
    let log = open(&nats);
    let other = Other::connect(&nats);
    for n in 0..8 {
        append(&log, n % 4, "{}").unwrap(); // partition p at p + 1 and p + 5
    }
    let mut progress = other.runtime.block_on(log.progress(ProgressOptions::default())).unwrap();
    let mut follow = |positions| other.runtime.block_on(progress.follow(&processed(positions))).unwrap();
    let found = follow([0, 0, 0, 0]);
    let nothing = LogProgress { messages: 8, pending: 0, ack_pending: 8, ack_floor: Position(0) };
    assert_eq!(found, nothing);
    follow([5, 2, 3, 0]);
    check(&other, (0, 4, 3));
    follow([5, 6, 7, 8]);
    check(&other, (0, 0, 8));

    other.publish("telemetry.events", "{}");
    other.publish("telemetry.events.none", "{}");
    follow([9, 6, 7, 8]);
    check(&other, (0, 2, 8));
    follow([10, 10, 10, 9]);
    check(&other, (0, 1, 9));
    follow([10, 10, 10, 10]);
    check(&other, (0, 0, 10));
    let config = other.runtime.block_on(other.stream().consumer_info("aggregator")).unwrap().config;
    assert_eq!((config.ack_wait.as_secs(), config.max_ack_pending, config.max_deliver), (30, 1_000, 3));
    assert!(config.headers_only);
}

#[test]
fn no_more_is_pending_than_may_be() {
    let nats = NatsServer::start().unwrap();
    let log = open(&nats);
    let other = Other::connect(&nats);
    for _ in 0..50 {
        append(&log, 0, "{}").unwrap();
    }
    let options = ProgressOptions { max_ack_pending: 10, ..ProgressOptions::default() };
    let mut progress = other.runtime.block_on(log.progress(options)).unwrap();
    let mut follow = |through| other.runtime.block_on(progress.follow(&processed([through; 4]))).unwrap();
    follow(0);
    check(&other, (40, 10, 0));
    follow(30);
    eventually("ten after them are taken", || follow(30).pending == 10);
    check(&other, (10, 10, 30));
    follow(50);
    eventually("all is acknowledged", || follow(50).ack_pending == 0);
    check(&other, (0, 0, 50));
}

#[test]
fn what_is_kept_is_not_delivered_again() {
    let nats = NatsServer::start().unwrap();
    let log = open(&nats);
    let other = Other::connect(&nats);
    append(&log, 0, "{}").unwrap();
    let ack_wait = Duration::from_secs(3);
    // A machine that did nothing for as long as the server waits says nothing.
    let unhindered = (0..5).any(|attempt| {
        let options = ProgressOptions { ack_wait, consumer: format!("try-{attempt}"), ..ProgressOptions::default() };
        let consumer = options.consumer.clone();
        let mut progress = other.runtime.block_on(log.progress(options)).unwrap();
        let mut longest = Duration::ZERO;
        for _ in 0..10 {
            let started = Instant::now();
            other.runtime.block_on(progress.follow(&processed([0; 4]))).unwrap();
            std::thread::sleep(Duration::from_millis(500));
            longest = longest.max(started.elapsed());
        }
        let info = other.runtime.block_on(other.stream().consumer_info(&consumer)).unwrap();
        let unhindered = longest < ack_wait / 2;
        assert!(!unhindered || (info.num_redelivered, info.num_ack_pending) == (0, 1), "{info:?}");
        unhindered
    });
    assert!(unhindered, "the machine never was fast enough to tell");
}

#[test]
fn progress_goes_on_with_another_process_and_another_consumer() {
    let mut nats = NatsServer::start().unwrap();
    let log = open(&nats);
    for _ in 0..20 {
        append(&log, 0, "{}").unwrap();
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    // Long enough that the server answers within it, short enough that what the first process took comes again.
    let options = ProgressOptions { ack_wait: Duration::from_secs(1), max_deliver: 100, ..ProgressOptions::default() };
    let mut first = runtime.block_on(log.progress(options.clone())).unwrap();
    runtime.block_on(first.follow(&processed([5; 4]))).unwrap();
    check(&Other::connect(&nats), (0, 15, 5));
    drop(first);
    nats.kill().unwrap();
    nats.restart().unwrap();
    let mut second = None;
    eventually("the server answers again", || {
        second = runtime.block_on(log.progress(options.clone())).ok();
        second.is_some()
    });
    let mut second = second.unwrap();
    let mut follow = || runtime.block_on(second.follow(&processed([20; 4])));
    eventually("all is acknowledged", || {
        follow().is_ok_and(|progress| (progress.ack_pending, progress.ack_floor) == (0, Position(20)))
    });
    let other = Other::connect(&nats);
    other.runtime.block_on(other.stream().delete_consumer("aggregator")).unwrap();
    eventually("it is made again", || {
        follow().is_ok_and(|progress| (progress.pending, progress.ack_floor) == (0, Position(20)))
    });
}
