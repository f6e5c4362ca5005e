//! What is appended, and what is answered.

use std::collections::{BTreeMap, BTreeSet};

use super::*;

#[test]
fn an_append_is_in_the_stream_when_it_is_answered() {
    let nats = NatsServer::start().unwrap();
    let log = open(&nats);
    let before = now_ms();
    let lines = [(2, "{\"a\":1}"), (0, "{\n\"b\":2}"), (2, "{\"c\":3}")];
    let lines = lines.map(|(partition, line)| (Partition(partition), line.as_bytes().to_vec())).to_vec();
    let log_time = block_on(log.append(lines)).unwrap();
    assert!((before..=now_ms()).contains(&log_time.ms()));
    block_on(log.tick(vec![Partition(1)])).unwrap();

    let mut messages = Other::connect(&nats).messages();
    messages.sort_by_key(|message| message.subject.to_string());
    let text = |message: &StreamMessage| String::from_utf8(message.payload.to_vec()).unwrap();
    let found: Vec<_> = messages.iter().map(|message| (message.subject.to_string(), text(message))).collect();
    let expected = [
        ("telemetry.events.0", "{ \"b\":2}\n"),
        ("telemetry.events.1", ""),
        ("telemetry.events.2", "{\"a\":1}\n{\"c\":3}\n"),
    ];
    assert_eq!(found, expected.map(|(subject, text)| (subject.to_owned(), text.to_owned())));
    let header = |index: usize, name: &str| messages[index].headers.get(name).map(|value| value.as_str().to_owned());
    assert_eq!(header(0, "Content-Type").as_deref(), Some("application/x-ndjson"));
    assert_eq!((header(1, "Netqoe-Tick").as_deref(), header(1, "Content-Type")), (Some("1"), None));
    let ids: BTreeSet<_> = (0..3).map(|index| header(index, "Nats-Msg-Id").unwrap()).collect();
    assert_eq!(ids.len(), 3);
}

#[test]
fn what_waits_becomes_one_message() {
    let nats = NatsServer::start().unwrap();
    let log = open(&nats);
    nats.pause().unwrap();
    let answers: Vec<_> = (0..500).map(|n| log.append(vec![(Partition(1), n.to_string().into_bytes())])).collect();
    nats.resume().unwrap();
    for answer in answers {
        block_on(answer).unwrap();
    }
    let messages = Other::connect(&nats).messages();
    assert!(messages.len() <= 3, "{} messages for what came while one was in flight", messages.len());
    let text: Vec<u8> = messages.iter().flat_map(|message| message.payload.to_vec()).collect();
    assert_eq!(String::from_utf8(text).unwrap(), (0..500).map(|n| format!("{n}\n")).collect::<String>());
}

#[test]
fn a_large_request_is_cut_between_its_events() {
    let nats = NatsServer::start().unwrap();
    let mut options = options(&nats.url());
    options.stream.max_message_bytes = 1_000;
    let log = JetStreamLog::open(options).unwrap();
    let lines: Vec<_> = (0..100).map(|n| (Partition(3), format!("{n:0100}").into_bytes())).collect();
    block_on(log.append(lines)).unwrap();
    let messages = Other::connect(&nats).messages();
    let text: Vec<u8> = messages.iter().flat_map(|message| message.payload.to_vec()).collect();
    assert_eq!(String::from_utf8(text).unwrap(), (0..100).map(|n| format!("{n:0100}\n")).collect::<String>());
    assert!(messages.len() >= 10);

    let refused = append(&log, 0, &"x".repeat(1_000));
    assert!(matches!(refused, Err(AppendError::TooLarge { bytes: 1_001, max_bytes: 744 })), "{refused:?}");
    append(&log, 0, &"x".repeat(743)).unwrap();
}

#[test]
fn the_servers_own_limit_counts_too() {
    let configuration = "max_payload: 2000\n".to_owned();
    let nats = NatsServer::start_with(&netqoe_testbed::NatsOptions { configuration, ..Default::default() }).unwrap();
    let log = open(&nats);
    assert!(matches!(append(&log, 0, &"x".repeat(2_000)), Err(AppendError::TooLarge { .. })));
    append(&log, 0, &"x".repeat(1_700)).unwrap();
}

#[test]
fn refuses_what_the_log_has_no_place_for() {
    let nats = NatsServer::start().unwrap();
    let log = open(&nats);
    let no_such = AppendError::NoSuchPartition { partition: Partition(4), partitions: 4 };
    assert_eq!(append(&log, 4, "{}"), Err(no_such.clone()));
    assert_eq!(block_on(log.tick(vec![Partition(4)])), Err(no_such));
    assert!(block_on(log.append(Vec::new())).is_ok());
}

#[test]
fn a_server_that_is_away_is_an_error_within_the_stall_wait() {
    let mut nats = NatsServer::start().unwrap();
    let mut options = options(&nats.url());
    options.stall_wait = Duration::from_millis(300);
    let log = JetStreamLog::open(options).unwrap();
    nats.kill().unwrap();
    let refused = append(&log, 0, "{}");
    assert!(matches!(refused, Err(AppendError::Unconfirmed { .. })), "{refused:?}");
    eventually("the log says so before anyone asks", || log.healthy().is_err());
    nats.restart().unwrap();
    eventually("the log can be written again", || append(&log, 0, "{}").is_ok());
    eventually("and says so", || log.healthy().is_ok());
}

#[test]
fn a_server_that_says_nothing_is_an_error_too() {
    let nats = NatsServer::start().unwrap();
    let mut options = options(&nats.url());
    options.stall_wait = Duration::from_millis(300);
    let log = JetStreamLog::open(options).unwrap();
    nats.pause().unwrap();
    let refused = append(&log, 0, "{}");
    assert!(matches!(refused, Err(AppendError::Unconfirmed { .. })), "{refused:?}");
    nats.resume().unwrap();
    eventually("the log can be written again", || append(&log, 0, "{}").is_ok());
}

#[test]
fn a_full_queue_refuses_at_once_and_takes_again() {
    let nats = NatsServer::start().unwrap();
    let mut options = options(&nats.url());
    options.stall_wait = PATIENCE;
    let log = JetStreamLog::open(options).unwrap();
    nats.pause().unwrap();
    let lines: Vec<_> = (0..900).map(|_| (Partition(0), vec![b'x'; 10_000])).collect();
    let mut waiting = Vec::new();
    let refused = loop {
        let mut answer = log.append(lines.clone());
        match futures::FutureExt::now_or_never(&mut answer) {
            Some(refused) => break refused,
            None => waiting.push(answer),
        }
    };
    assert_eq!(refused, Err(AppendError::Full));
    assert!((7..=9).contains(&waiting.len()), "64 MiB of 9 MB each may wait, not {}", waiting.len());
    nats.resume().unwrap();
    for answer in waiting {
        block_on(answer).unwrap();
    }
    append(&log, 0, "{}").unwrap();
}

#[test]
fn a_full_stream_that_keeps_what_it_has_refuses() {
    let nats = NatsServer::start().unwrap();
    let mut options = options(&nats.url());
    options.stream.max_messages = 2;
    options.stream.discard = netqoe_eventlog::Discard::New;
    let log = JetStreamLog::open(options).unwrap();
    append(&log, 0, "1").unwrap();
    append(&log, 1, "2").unwrap();
    let refused = append(&log, 2, "3");
    assert!(
        matches!(&refused, Err(AppendError::Refused { reason }) if reason.contains("maximum messages")),
        "{refused:?}"
    );
    eventually("the log says so before anyone asks", || log.healthy().is_err_and(|reason| reason.contains("limit")));
}

#[test]
fn closing_waits_for_what_is_on_its_way() {
    let nats = NatsServer::start().unwrap();
    let log = open(&nats);
    let answers: Vec<_> = (0..100).map(|n| log.append(vec![(Partition(n % 4), n.to_string().into_bytes())])).collect();
    log.clone().close();
    assert!(answers.into_iter().all(|answer| futures::FutureExt::now_or_never(answer).unwrap().is_ok()));
    assert_eq!(append(&log, 0, "{}"), Err(AppendError::Closed));
    assert!(log.healthy().is_err());
}

/// Each message is stored once, each append that was answered is there, and each partition has the order of arrival,
/// though the server is killed again and again.
#[test]
fn a_server_that_is_killed_under_load_loses_and_repeats_nothing() {
    let mut nats = NatsServer::start().unwrap();
    let mut options = options(&nats.url());
    options.stall_wait = PATIENCE;
    let log = JetStreamLog::open(options).unwrap();
    let mut number = 0;
    for _ in 0..5 {
        let mut answers = Vec::new();
        for turn in 0..200 {
            if turn == 100 {
                nats.kill().unwrap();
            }
            answers.push(log.append(vec![(Partition(number % 4), number.to_string().into_bytes())]));
            number += 1;
            std::thread::sleep(Duration::from_micros(200));
        }
        nats.restart().unwrap();
        for answer in answers {
            block_on(answer).unwrap();
        }
    }
    let mut by_partition: BTreeMap<String, Vec<u16>> = BTreeMap::new();
    for message in Other::connect(&nats).messages() {
        let lines = String::from_utf8(message.payload.to_vec()).unwrap();
        let numbers = lines.lines().map(|line| line.parse::<u16>().unwrap());
        by_partition.entry(message.subject.to_string()).or_default().extend(numbers);
    }
    for partition in 0..4 {
        let expected: Vec<_> = (0..number).filter(|number| number % 4 == partition).collect();
        assert_eq!(by_partition[&format!("telemetry.events.{partition}")], expected);
    }
}
