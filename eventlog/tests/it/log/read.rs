//! Reading: from a position, within a bound, woken when there is something.

use std::sync::atomic::AtomicUsize;

use netqoe_eventlog::LogError;

use super::*;

#[test]
fn reads_each_partition_from_its_own_place() {
    let bench = Bench::new();
    let log = bench.open();
    for (partition, line) in [(0, "a"), (1, "b"), (0, "c"), (2, "d"), (1, "e")] {
        append(&log, partition, line).unwrap();
    }
    let starts =
        [Start { from: Position(2), ..start(0) }, Start { from: Position(2), processed: Position(5), ..start(1) }];
    let mut reader = log.reader(&starts).unwrap();
    assert_eq!(reader.lag(), 3);
    assert_eq!(texts(&reader.read(1 << 20).unwrap()), [(1, 2, "b\n"), (0, 3, "c\n"), (1, 5, "e\n")]);
    assert_eq!((reader.lag(), reader.read(1 << 20).unwrap()), (0, Vec::new()));

    append(&log, 2, "of no concern").unwrap();
    append(&log, 0, "f").unwrap();
    assert_eq!(reader.lag(), 1);
    assert_eq!(texts(&reader.read(1 << 20).unwrap()), [(0, 7, "f\n")]);
    assert_eq!(reader.lag(), 0);
}

#[test]
fn a_small_budget_still_moves_every_partition() {
    let bench = Bench::new();
    let log = bench.open();
    for n in 0..20 {
        append(&log, n % 4, &format!("{{\"n\":{n}}}")).unwrap();
    }
    for max_bytes in [0, 1, 100, 1_000, 1 << 20] {
        let mut reader = reader(&log, 0..4);
        let mut positions: Vec<Vec<u64>> = vec![Vec::new(); 4];
        for lag in (0..20).rev() {
            let chunks = reader.read(max_bytes).unwrap();
            assert!(max_bytes > 1 || chunks.len() == 1, "{} records for {max_bytes} bytes", chunks.len());
            assert!(max_bytes > 1 || reader.lag() == lag);
            for chunk in chunks {
                positions[usize::from(chunk.partition.unwrap().0)].push(chunk.position.0);
            }
        }
        let expected: Vec<Vec<u64>> = (1..5).map(|first| (first..=20).step_by(4).collect()).collect();
        assert_eq!(positions, expected, "{max_bytes} bytes at a time");
    }
}

#[test]
fn ticks_are_not_free() {
    let bench = Bench::new();
    let log = bench.open();
    for _ in 0..100 {
        block_on(log.tick(vec![Partition(0)])).unwrap();
    }
    let chunks = reader(&log, [0]).read(1_000).unwrap();
    assert!((2..50).contains(&chunks.len()), "{} ticks in 1000 bytes", chunks.len());
}

#[test]
fn wakes_the_readers_that_are_concerned() {
    let bench = Bench::new();
    let log = bench.open();
    let woken = Arc::new(AtomicUsize::new(0));
    let mut reader = reader(&log, [1, 2]);
    let count = Arc::clone(&woken);
    reader.on_append(Box::new(move || _ = count.fetch_add(1, Ordering::SeqCst)));

    append(&log, 2, "{}").unwrap();
    eventually("the reader is woken", || woken.load(Ordering::SeqCst) == 1);
    append(&log, 0, "{}").unwrap();
    drop(reader);
    append(&log, 1, "{}").unwrap();
    log.close();
    assert_eq!(woken.load(Ordering::SeqCst), 1);
    assert_eq!(Arc::strong_count(&woken), 1, "the waker is gone with its reader");
}

#[test]
fn a_log_that_lost_its_tail_is_not_read() {
    let bench = Bench::new();
    let log = bench.open();
    append(&log, 0, "{}").unwrap();
    assert!(log.reader(&[Start { processed: Position(1), ..start(5) }]).is_ok());
    let error = log.reader(&[start(0), Start { processed: Position(2), ..start(5) }]).err().unwrap();
    assert!(matches!(&error, LogError::LostTail { last: Position(1), .. }), "{error}");
    let message = error.to_string();
    assert!(message.contains("netqoe.db ends at record 1, but record 2 was already processed"), "{message}");

    let error = log.reader(&[start(16)]).err().unwrap();
    assert!(matches!(error, LogError::NoSuchPartition { partition: Partition(16), partitions: 16 }));
}
