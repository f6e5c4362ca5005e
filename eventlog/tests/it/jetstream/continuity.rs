//! A stream that is not what it was: never read on as if nothing had happened.

use std::path::Path;

use super::*;

#[test]
fn a_stream_that_is_made_anew_is_another_log() {
    let nats = NatsServer::start().unwrap();
    let log = open(&nats);
    append(&log, 0, "1").unwrap();
    let mut own = reader(&log, [0]);
    read(&mut *own, 1);
    let other = Other::connect(&nats);
    other.runtime.block_on(other.jetstream.delete_stream("telemetry-events")).unwrap();
    let anew = open(&nats);
    assert_ne!(anew.identity().id, log.identity().id);
    append(&anew, 0, "2").unwrap();
    let error = failure(&mut *own);
    // Where it was seen before the new one was there, it was gone.
    assert!(matches!(&error, LogError::Replaced { .. } | LogError::Gone { .. }), "{error}");
    assert!(own.read(1).unwrap().is_empty(), "nothing of the other log");
    assert!(matches!(log.reader(&[start(0)]), Err(LogError::Replaced { .. })));
    eventually("the log says so", || log.healthy().is_err_and(|reason| reason.contains("made anew")));
}

#[test]
fn a_stream_that_is_deleted_is_not_waited_for() {
    let nats = NatsServer::start().unwrap();
    let log = open(&nats);
    append(&log, 0, "1").unwrap();
    let mut own = reader(&log, [0]);
    read(&mut *own, 1);
    let other = Other::connect(&nats);
    other.runtime.block_on(other.jetstream.delete_stream("telemetry-events")).unwrap();
    let error = failure(&mut *own);
    assert!(matches!(&error, LogError::Gone { .. }), "{error}");
    assert!(matches!(log.reader(&[start(0)]), Err(LogError::Gone { .. })));
}

/// The same data on a server of its own, where it can be changed unseen.
fn fork(nats: &mut NatsServer) -> NatsServer {
    let mut fork = NatsServer::start().unwrap();
    restore(nats, &mut fork);
    fork
}

/// Puts the data of one server in place of another's.
fn restore(from: &mut NatsServer, to: &mut NatsServer) {
    from.stop().unwrap();
    to.stop().unwrap();
    std::fs::remove_dir_all(to.store()).unwrap_or_default();
    copy_folder(&from.store(), &to.store());
    from.restart().unwrap();
    to.restart().unwrap();
}

fn copy_folder(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in from.read_dir().unwrap().map(Result::unwrap) {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy_folder(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

fn patient(nats: &NatsServer) -> JetStreamLog {
    JetStreamLog::open(JetStreamOptions { stall_wait: PATIENCE, ..options(&nats.url()) }).unwrap()
}

#[test]
fn a_stream_that_lost_its_tail_is_not_read() {
    let mut nats = NatsServer::start().unwrap();
    let log = patient(&nats);
    append(&log, 0, "1").unwrap();
    let mut own = reader(&log, [0]);
    let mut backup = fork(&mut nats);
    append(&log, 0, "2").unwrap();
    read(&mut *own, 2);
    restore(&mut backup, &mut nats);
    let error = failure(&mut *own);
    assert!(matches!(error, LogError::LostTail { processed: Position(2), last: Position(1), .. }), "{error}");
    let start = Start { from: Position(3), processed: Position(2), ..start(0) };
    let error = log.reader(&[start]).err().unwrap();
    assert!(matches!(error, LogError::LostTail { .. }), "{error}");
}

#[test]
fn a_tail_that_was_written_anew_is_not_read() {
    let mut nats = NatsServer::start().unwrap();
    let log = patient(&nats);
    append(&log, 0, "1").unwrap();
    let mut own = reader(&log, [0]);
    let mut backup = fork(&mut nats);
    append(&log, 0, "2").unwrap();
    let log_time = read(&mut *own, 2)[1].log_time;
    // The time of what is written anew must differ.
    std::thread::sleep(Duration::from_millis(2));
    let elsewhere = open(&backup);
    append(&elsewhere, 0, "another").unwrap();
    append(&elsewhere, 0, "and one more").unwrap();
    restore(&mut backup, &mut nats);

    let error = failure(&mut *own);
    assert!(matches!(error, LogError::Rewritten { position: Position(2), .. }), "{error}");
    let start = Start { from: Position(3), processed: Position(2), log_time, ..start(0) };
    let error = log.reader(&[start]).err().unwrap();
    assert!(matches!(error, LogError::Rewritten { position: Position(2), .. }), "{error}");
    let before = Start { from: Position(2), processed: Position(1), ..start };
    assert!(log.reader(&[before]).is_ok());
    let of_another = Start { partition: Partition(1), ..start };
    assert!(log.reader(&[of_another]).is_ok(), "the record of a partition that is not given says nothing");
    let (own, ahead) = (Start { from: Position(4), processed: Position(3), ..start }, of_another);
    let error = log.check(&[ahead, own]).err().unwrap();
    assert!(matches!(error, LogError::Rewritten { position: Position(2), .. }), "{error}");
    assert!(log.check(&[ahead, before]).is_ok(), "its partition has not passed it");
}

/// Partitions without messages are moved on with the stream, to where others have theirs.
#[test]
fn a_partition_that_stands_at_anothers_record_is_no_alarm() {
    let nats = NatsServer::start().unwrap();
    let log = open(&nats);
    append(&log, 1, "1").unwrap();
    let log_time = read(&mut *reader(&log, [1]), 1)[0].log_time;
    std::thread::sleep(Duration::from_millis(2));
    Other::connect(&nats).publish("telemetry.events", "what can't be read is the first partition's");
    append(&log, 2, "3").unwrap();
    for at in [2, 3] {
        let stands = Start { from: Position(at + 1), processed: Position(at), log_time, ..start(1) };
        assert!(log.check(&[stands, start(0), start(2)]).is_ok());
        assert!(log.reader(&[stands]).is_ok());
    }
}

fn keeping_three(nats: &NatsServer) -> JetStreamLog {
    let mut options = options(&nats.url());
    options.stream.max_messages = 3;
    options.stall_wait = PATIENCE;
    JetStreamLog::open(options).unwrap()
}

#[test]
fn records_that_were_discarded_unread_are_missed() {
    let nats = NatsServer::start().unwrap();
    let log = keeping_three(&nats);
    for n in 0..6 {
        append(&log, 0, &n.to_string()).unwrap();
    }
    let first = read(&mut *reader(&log, [0]), 3);
    assert_eq!(texts(&first)[0], (Some(0), 4, "3\n"), "the log's first is the first there is");
    for (from, there) in [(1, false), (3, false), (4, true), (7, true)] {
        let start = Start { from: Position(from), processed: Position(from - 1), ..start(0) };
        let opened = log.reader(&[start]).map(drop);
        assert_eq!(opened.is_ok(), there, "{opened:?}");
        assert!(there || matches!(opened, Err(LogError::Discarded { first: Position(4), .. })));
    }
}

#[test]
fn a_reader_that_is_overtaken_by_the_limits_says_so() {
    let mut nats = NatsServer::start().unwrap();
    let log = keeping_three(&nats);
    append(&log, 0, "0").unwrap();
    let mut own = reader(&log, [0]);
    read(&mut *own, 1);
    let mut later = fork(&mut nats);
    let unseen = open(&later);
    for n in 1..6 {
        append(&unseen, 0, &n.to_string()).unwrap();
    }
    restore(&mut later, &mut nats);
    let error = failure(&mut *own);
    assert!(matches!(error, LogError::Discarded { wanted: Position(2), first: Position(4), .. }), "{error}");
}

/// It reads ahead as far as it may, and then the stream goes on without it.
#[test]
fn a_reader_that_is_too_slow_says_so() {
    let nats = NatsServer::start().unwrap();
    let mut options = options(&nats.url());
    options.stream.max_messages = 30;
    let log = JetStreamLog::open(options).unwrap();
    let mut own = reader(&log, [0]);
    for n in 0..100 {
        append(&log, 0, &format!("{n} {}", "x".repeat(900_000))).unwrap();
    }
    let mut read = 0;
    let error = loop {
        match own.read(1 << 20) {
            Ok(chunks) => {
                for chunk in chunks {
                    read += 1;
                    assert_eq!(chunk.position, Position(read), "what comes before the gap is whole");
                }
            }
            Err(error) => break error,
        }
    };
    assert!(matches!(error, LogError::Discarded { wanted, .. } if wanted == Position(read + 1)), "{error}");
    assert!((10..60).contains(&read), "{read} messages were read ahead");
}

#[test]
fn what_somebody_deleted_is_passed_over() {
    let nats = NatsServer::start().unwrap();
    let log = open(&nats);
    for n in 0..6 {
        append(&log, 0, &n.to_string()).unwrap();
    }
    let other = Other::connect(&nats);
    for position in [2, 3, 6] {
        other.runtime.block_on(other.stream().delete_message(position)).unwrap();
    }
    let mut own = reader(&log, [0]);
    assert_eq!(texts(&read(&mut *own, 3)), [(Some(0), 1, "0\n"), (Some(0), 4, "3\n"), (Some(0), 5, "4\n")]);
    append(&log, 0, "6").unwrap();
    assert_eq!(texts(&read(&mut *own, 1)), [(Some(0), 7, "6\n")]);
}
