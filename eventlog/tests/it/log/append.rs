//! Appending: durability, group commit, log time.

use std::collections::HashMap;

use super::*;

#[test]
fn what_was_answered_is_there_after_a_reopen() {
    let bench = Bench::new();
    let log = bench.open();
    let identity = log.identity().clone();
    assert_eq!(identity.partitions.get(), 16);
    assert_eq!(append(&log, 3, "{\"a\":1}"), Ok(LogTime::from_ms(1_000)));
    assert_eq!(block_on(log.tick(vec![Partition(3), Partition(4)])), Ok(LogTime::from_ms(1_000)));
    log.close();

    let log = bench.open();
    assert_eq!(log.identity(), &identity);
    let chunks = drain(&mut *reader(&log, 0..16));
    assert_eq!(texts(&chunks), [(3, 1, "{\"a\":1}\n"), (3, 2, ""), (4, 3, "")]);
    assert!(chunks.iter().all(|chunk| chunk.log_time == Some(LogTime::from_ms(1_000))));
    append(&log, 4, "{}").unwrap();
    assert_eq!(texts(&drain(&mut *reader(&log, [4]))), [(4, 3, ""), (4, 4, "{}\n")]);
}

#[test]
fn an_append_is_one_record_for_each_partition() {
    let bench = Bench::new();
    let log = bench.open();
    let lines = [(5, "{\"n\":1}"), (2, "{\n\"n\":2}"), (5, "{\"n\":3}\r\n")];
    let lines = lines.map(|(partition, line)| (Partition(partition), line.as_bytes().to_vec()));
    block_on(log.append(lines.to_vec())).unwrap();
    let chunks = drain(&mut *reader(&log, 0..16));
    assert_eq!(texts(&chunks), [(2, 1, "{ \"n\":2}\n"), (5, 2, "{\"n\":1}\n{\"n\":3}  \n")]);
}

#[test]
fn groups_answer_all_and_keep_the_order_of_each_sender() {
    const SENDERS: u16 = 8;
    const EACH: usize = 100;
    let bench = Bench::new();
    let mut options = bench.options();
    let write_turn = Arc::clone(&options.write_turn);
    options.partitions = 3.try_into().unwrap();
    let log = SqliteLog::open(&bench.path, options).unwrap();

    // While another connection has its turn, all of it gathers.
    let turn = write_turn.lock();
    let senders: Vec<_> = (0..SENDERS)
        .map(|sender| {
            let send = |n| (Partition(sender % 3), format!("{sender}:{n}").into_bytes());
            (0..EACH).map(|n| log.append(vec![send(n)])).collect::<Vec<_>>()
        })
        .collect();
    drop(turn);
    for answer in senders.into_iter().flatten() {
        block_on(answer).unwrap();
    }

    let chunks = drain(&mut *reader(&log, 0..3));
    assert_eq!(chunks.len(), 3, "one group, so one record for each partition");
    let mut next: HashMap<&str, usize> = HashMap::new();
    for line in texts(&chunks).iter().flat_map(|(_, _, lines)| lines.lines()) {
        let (sender, n) = line.split_once(':').unwrap();
        let expected = next.entry(sender).or_default();
        assert_eq!(n.parse::<usize>().unwrap(), *expected, "order of sender {sender}");
        *expected += 1;
    }
    assert!(next.len() == usize::from(SENDERS) && next.values().all(|n| *n == EACH));
}

#[test]
fn threads_that_wait_for_each_answer_lose_nothing() {
    let bench = Bench::new();
    let log = bench.open();
    std::thread::scope(|scope| {
        for sender in 0..8 {
            let log = &log;
            scope.spawn(move || (0..50).for_each(|n| _ = append(log, sender, &n.to_string()).unwrap()));
        }
    });
    let mut reader = reader(&log, 0..8);
    assert!(reader.lag() > 0);
    let chunks = drain(&mut *reader);
    for sender in 0..8 {
        let lines = texts(&chunks).into_iter().filter(|(partition, ..)| *partition == sender);
        let lines: String = lines.map(|(_, _, lines)| lines).collect();
        assert_eq!(lines, (0..50).map(|n| format!("{n}\n")).collect::<String>());
    }
}

#[test]
fn log_time_never_falls() {
    let bench = Bench::new();
    let log = bench.open();
    assert_eq!(append(&log, 0, "{}"), Ok(LogTime::from_ms(1_000)));
    bench.set_clock(500);
    assert_eq!(append(&log, 1, "{}"), Ok(LogTime::from_ms(1_000)));
    log.close();
    let log = bench.open();
    assert_eq!(block_on(log.tick(vec![Partition(0)])), Ok(LogTime::from_ms(1_000)));
    bench.set_clock(2_000);
    assert_eq!(append(&log, 0, "{}"), Ok(LogTime::from_ms(2_000)));
}

#[test]
fn a_history_is_imported_whole_or_not_at_all() {
    let bench = Bench::new();
    let log = bench.open();
    append(&log, 0, "now").unwrap();
    let record =
        |ms, partition, line: &str| (LogTime::from_ms(ms), vec![(Partition(partition), line.as_bytes().to_vec())]);
    let import = |records: Vec<_>| block_on(log.import(records));
    let falls = |ms, last| {
        let (log_time, last) = (LogTime::from_ms(ms), LogTime::from_ms(last));
        Err(AppendError::TimeFalls { log_time, last })
    };

    assert_eq!(import(vec![record(999, 0, "before the log's end")]), falls(999, 1_000));
    assert_eq!(import(vec![record(3_000, 0, "fine"), record(2_999, 0, "back")]), falls(2_999, 3_000));
    assert_eq!(
        import(vec![record(2_000, 0, "a"), record(2_000, 1, "b"), record(3_000, 0, "c")]),
        Ok(LogTime::from_ms(3_000))
    );

    let chunks = drain(&mut *reader(&log, 0..2));
    assert_eq!(texts(&chunks), [(0, 1, "now\n"), (0, 2, "a\n"), (1, 3, "b\n"), (0, 4, "c\n")]);
    let times: Vec<i64> = chunks.iter().map(|chunk| chunk.log_time.unwrap().ms()).collect();
    assert_eq!(times, [1_000, 2_000, 2_000, 3_000]);
    assert_eq!(append(&log, 0, "{}"), Ok(LogTime::from_ms(3_000)));
}

#[test]
fn refuses_what_it_can_not_take() {
    let bench = Bench::new();
    let log = bench.open();
    let no_such = AppendError::NoSuchPartition { partition: Partition(16), partitions: 16 };
    assert_eq!(append(&log, 16, "{}"), Err(no_such.clone()));
    assert_eq!(block_on(log.tick(vec![Partition(16)])), Err(no_such));
    let large = "x".repeat(33 << 20);
    assert!(matches!(append(&log, 0, &large), Err(AppendError::TooLarge { .. })));
    assert_eq!(append(&log, 0, "{}"), Ok(LogTime::from_ms(1_000)));
}

#[test]
fn a_full_queue_refuses_at_once_and_takes_again() {
    let bench = Bench::new();
    let options = bench.options();
    let write_turn = Arc::clone(&options.write_turn);
    let log = SqliteLog::open(&bench.path, options).unwrap();
    let turn = write_turn.lock();
    let mut waiting = Vec::new();
    let refused = loop {
        let answer = log.append(vec![(Partition(0), vec![b'x'; 30 << 20])]);
        // It is refused at once or waits, for the log's turn never comes.
        match futures::FutureExt::now_or_never(answer) {
            Some(refused) => break refused,
            None => waiting.push(()),
        }
    };
    assert_eq!(refused, Err(AppendError::Full));
    assert_eq!(waiting.len(), 3, "64 MiB may wait, and the request that crosses the line");
    drop(turn);
    eventually("the queue drains", || append(&log, 0, "{}").is_ok());
}

#[test]
fn closing_writes_what_waits_and_takes_no_more() {
    let bench = Bench::new();
    let log = bench.open();
    let answers: Vec<_> = (0..100).map(|n| log.append(vec![(Partition(0), n.to_string().into_bytes())])).collect();
    assert_eq!(log.healthy(), Ok(()));
    log.clone().close();
    assert!(answers.into_iter().all(|answer| block_on(answer).is_ok()));
    assert_eq!(append(&log, 0, "{}"), Err(AppendError::Closed));
    assert!(log.healthy().is_err());
}

#[test]
fn the_last_handle_to_go_ends_the_writer() {
    let bench = Bench::new();
    let log = bench.open();
    let answer = log.append(vec![(Partition(0), b"{}".to_vec())]);
    drop(log.clone());
    drop(log);
    assert!(block_on(answer).is_ok());
    eventually("the file is free", || SqliteLog::open(&bench.path, bench.options()).is_ok());
}
