//! What is read, and in which order.

use std::sync::atomic::{AtomicUsize, Ordering};

use netqoe_testbed::{AlteredProxy, HoldingProxy};

use super::*;

#[test]
fn a_reader_gets_its_partitions_in_order_and_what_names_none_but_belongs_to_them() {
    let nats = NatsServer::start().unwrap();
    let log = open(&nats);
    let other = Other::connect(&nats);
    for n in 0..4 {
        append(&log, n, &format!("{{\"n\":{n}}}")).unwrap();
    }
    let plain = |partition| event_of(&log, partition).replacen('{', "{\n", 1) + "\n";
    assert_eq!(other.publish("telemetry.events", &plain(Partition(3))), 5);
    other.publish("telemetry.events.9", "{\"of no partition\": 1}");
    other.publish("telemetry.events.x", "{\"of no partition\": 1}");
    other.publish("telemetry.events", "no JSON");
    other.publish("telemetry.events", &plain(Partition(2)));
    block_on(log.tick(vec![Partition(3)])).unwrap();

    let mut own = reader(&log, [1, 3]);
    let chunks = read(&mut *own, 4);
    assert_eq!(
        texts(&chunks),
        [
            (Some(1), 2, "{\"n\":1}\n"),
            (Some(3), 4, "{\"n\":3}\n"),
            (Some(3), 5, plain(Partition(3)).replace('\n', " ").as_str()),
            (Some(3), 10, ""),
        ]
    );
    let times: Vec<_> = chunks.iter().map(|chunk| chunk.log_time.unwrap()).collect();
    assert!(times.is_sorted() && now_ms() - times[0].ms() < 3_600_000, "{times:?}");
    assert_eq!(own.lag(), 0);
    let unreadable = read(&mut *reader(&log, [0]), 4);
    let misnamed = "{\"of no partition\": 1}";
    assert_eq!(
        texts(&unreadable),
        [(Some(0), 1, "{\"n\":0}\n"), (Some(0), 6, misnamed), (Some(0), 7, misnamed), (Some(0), 8, "no JSON")]
    );
}

/// An event of a client of this partition.
fn event_of(log: &JetStreamLog, partition: Partition) -> String {
    let client = (0..)
        .map(|n| format!("c{n}"))
        .find(|client| Partition::of(client, log.identity().partitions) == partition)
        .unwrap();
    format!(r#"{{"event_id":"e","client_id":"{client}","ts_ms":1,"target":"t","timing_measurements":{{}}}}"#)
}

/// Otherwise several partitions would count copies of it, and overwrite each other's row.
#[test]
fn the_client_decides_whatever_subject_an_event_stands_at() {
    let nats = NatsServer::start().unwrap();
    let log = open(&nats);
    let other = Other::connect(&nats);
    let [two, three] = [2, 3].map(|partition| event_of(&log, Partition(partition)));
    for subject in ["0", "1", "2", "4", "65536", "-1", "02", "x", "*x"] {
        other.publish(&format!("telemetry.events.{subject}"), &two);
    }
    let batch = format!("{three}\nno JSON\n{two}\n");
    for subject in ["telemetry.events", "telemetry.events.1", "telemetry.events.9"] {
        other.publish_lines(subject, &batch);
    }

    // However the partitions are shared out among readers.
    for shares in [vec![vec![start(0), start(1), start(2), start(3)]], (0..4).map(|n| vec![start(n)]).collect()] {
        let mut readers = log.readers(&shares).unwrap();
        let mut lines: Vec<(u16, u64, usize, String)> = Vec::new();
        for reader in &mut readers {
            let mut chunks = Vec::new();
            eventually("all of it is read", || {
                chunks.extend(reader.read(1 << 20).unwrap());
                reader.lag() == 0 && chunks.last().is_some_and(|chunk| chunk.position >= Position(12))
            });
            for chunk in chunks {
                let text = String::from_utf8(chunk.lines).unwrap();
                let numbered = text.lines().enumerate().filter(|(_, line)| !line.is_empty());
                lines.extend(
                    numbered
                        .map(|(number, line)| (chunk.partition.unwrap().0, chunk.position.0, number, line.to_owned())),
                );
            }
        }
        lines.sort();
        let unreadable = [(0, 10), (0, 12), (1, 11)].map(|(of, at)| (of, at, 1, "no JSON".to_owned()));
        let single = (1..=9).map(|at| (2, at, 0, two.clone()));
        let second = (10..=12).map(|at| (2, at, 2, two.clone()));
        let first = (10..=12).map(|at| (3, at, 0, three.clone()));
        let expected: Vec<_> = unreadable.into_iter().chain(single).chain(second).chain(first).collect();
        assert_eq!(lines, expected);
    }
    let mut exported = Vec::new();
    assert_eq!(log.export(&mut exported).unwrap(), 9 + 3 * 3);
}

#[test]
fn readers_that_begin_together_share_a_consumer() {
    let nats = NatsServer::start().unwrap();
    let log = open(&nats);
    let other = Other::connect(&nats);
    for n in 0..4 {
        append(&log, n, &n.to_string()).unwrap();
    }
    other.publish("telemetry.events", "plain");
    let mut readers = log.readers(&[vec![start(0), start(2)], vec![start(1)], vec![start(3)]]).unwrap();
    for (reader, expected) in readers.iter_mut().zip([vec![0, 2, 0], vec![1], vec![3]]) {
        let chunks = read(&mut **reader, expected.len());
        let own: Vec<_> = chunks.iter().map(|chunk| chunk.partition.unwrap().0).collect();
        assert_eq!(own, expected);
        eventually("it hears that the rest was for others", || reader.lag() == 0);
    }
    assert_eq!(other.stream().cached_info().state.consumer_count, 1);
    drop(readers.remove(0));
    append(&log, 1, "5").unwrap();
    assert_eq!(texts(&read(&mut *readers[0], 1)), [(Some(1), 6, "5\n")], "one that is gone holds up nobody");
}

#[test]
fn reading_begins_where_each_partition_wants_it() {
    let nats = NatsServer::start().unwrap();
    let log = open(&nats);
    for n in 0..8 {
        append(&log, n % 4, &n.to_string()).unwrap();
    }
    let starts =
        [Start { from: Position(5), processed: Position(3), ..start(0) }, Start { from: Position(3), ..start(2) }];
    let mut own = log.reader(&starts).unwrap();
    assert_eq!(texts(&read(&mut *own, 3)), [(Some(2), 3, "2\n"), (Some(0), 5, "4\n"), (Some(2), 7, "6\n")]);
}

#[test]
fn a_reader_is_woken_and_knows_what_is_left() {
    let nats = NatsServer::start().unwrap();
    let log = open(&nats);
    let mut own = reader(&log, [0]);
    assert_eq!((own.lag(), own.read(1 << 20).unwrap().len()), (0, 0));
    let woken = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&woken);
    own.on_append(Box::new(move || _ = count.fetch_add(1, Ordering::SeqCst)));
    for n in 0..3 {
        append(&log, 0, &n.to_string()).unwrap();
    }
    eventually("all of it arrives", || woken.load(Ordering::SeqCst) >= 1 && own.lag() == 3);
    assert_eq!(own.read(1).unwrap().len(), 1, "no more than was asked for, but one");
    assert_eq!(own.lag(), 2);
    assert_eq!(own.read(1 << 20).unwrap().len(), 2);
    assert_eq!(own.lag(), 0);
}

#[test]
fn what_lies_ready_is_bounded() {
    let nats = NatsServer::start().unwrap();
    let log = open(&nats);
    let line = "x".repeat(500_000);
    for _ in 0..100 {
        append(&log, 0, &line).unwrap();
    }
    let mut own = reader(&log, [0]);
    let mut bytes = 0;
    let mut largest = 0;
    let mut messages = 0;
    while messages < 100 {
        // Time for the reader to read ahead as far as it will; where it were not bounded, all would come at once.
        std::thread::sleep(Duration::from_millis(300));
        let chunks = own.read(usize::MAX).unwrap();
        bytes += chunks.iter().map(|chunk| chunk.lines.len()).sum::<usize>();
        largest = largest.max(chunks.len());
        messages += chunks.iter().filter(|chunk| chunk.log_time.is_some()).count();
    }
    assert_eq!((messages, bytes), (100, 100 * 500_001));
    assert!(largest < 40, "{largest} messages of half a megabyte lay ready");
}

/// The server comes and goes, and consumers are deleted under the readers; they skip nothing and repeat nothing.
#[test]
fn a_reader_survives_servers_and_consumers() {
    let mut nats = NatsServer::start().unwrap();
    let mut options = options(&nats.url());
    options.stall_wait = PATIENCE;
    let log = JetStreamLog::open(options).unwrap();
    let starts = [vec![start(0), start(1)], vec![start(2), start(3)]];
    let mut readers = log.readers(&starts).unwrap();
    let mut numbers = [Vec::new(), Vec::new()];
    let mut expected = [Vec::new(), Vec::new()];
    for round in 0..6_u16 {
        for n in 0..50_u16 {
            let number = round * 50 + n;
            append(&log, number % 4, &number.to_string()).unwrap();
            expected[usize::from(number % 4 / 2)].push(number);
        }
        match round % 3 {
            0 => nats.kill().unwrap(),
            1 => nats.stop().unwrap(),
            _ => delete_consumers(&nats),
        }
        nats.restart().unwrap();
        for n in 300 + round * 10..310 + round * 10 {
            append(&log, n % 4, &n.to_string()).unwrap();
            expected[usize::from(n % 4 / 2)].push(n);
        }
        for (reader, numbers) in readers.iter_mut().zip(&mut numbers) {
            let chunks = reader.read(100).unwrap();
            numbers.extend(numbers_of(&chunks));
        }
    }
    for ((reader, numbers), expected) in readers.iter_mut().zip(&mut numbers).zip(expected) {
        eventually("all of it arrives", || {
            numbers.extend(numbers_of(&reader.read(1 << 20).unwrap()));
            numbers.len() >= expected.len()
        });
        assert_eq!(*numbers, expected);
        eventually("nothing is left", || reader.lag() == 0);
    }
}

/// Old servers say nothing to who asks a consumer that is not there.
#[test]
fn a_consumer_that_went_while_nothing_was_asked_is_missed() {
    let nats = NatsServer::start().unwrap();
    let log = open(&nats);
    for n in 0..40 {
        append(&log, 0, &format!("{n} {}", "x".repeat(900_000))).unwrap();
    }
    let mut own = reader(&log, [0]);
    // Where it has not read ahead by then as far as it will, the test only says less.
    std::thread::sleep(Duration::from_secs(1));
    delete_consumers(&nats);
    let positions: Vec<_> = read(&mut *own, 40).iter().map(|chunk| chunk.position.0).collect();
    assert_eq!(positions, (1..=40).collect::<Vec<_>>());
}

fn numbers_of(chunks: &[Chunk]) -> Vec<u16> {
    let text: Vec<_> = chunks.iter().flat_map(|chunk| chunk.lines.clone()).collect();
    String::from_utf8(text).unwrap().lines().map(|line| line.parse().unwrap()).collect()
}

/// Deletes the consumer that all readers share.
fn delete_consumers(nats: &NatsServer) {
    use futures::TryStreamExt;

    let other = Other::connect(nats);
    let stream = other.stream();
    let names = || other.runtime.block_on(stream.consumer_names().try_collect::<Vec<_>>()).unwrap();
    eventually("there is one", || !names().is_empty());
    for name in names() {
        other.runtime.block_on(stream.delete_consumer(&name)).unwrap();
    }
}

#[test]
fn an_idle_partition_hears_how_far_the_stream_has_come() {
    let nats = NatsServer::start().unwrap();
    let log = open(&nats);
    append(&log, 0, "0").unwrap();
    append(&log, 1, "1").unwrap();
    let mut own = reader(&log, [0, 1]);
    let mut heard = Vec::new();
    eventually("partition 0 hears of it", || {
        heard.extend(own.read(1 << 20).unwrap());
        heard.len() >= 3
    });
    let last = heard.last().unwrap();
    assert_eq!(
        (last.partition, last.position, last.log_time, last.lines.len()),
        (Some(Partition(0)), Position(2), None, 0)
    );
    assert_eq!(own.lag(), 0);
}

/// Otherwise it would wait for more, with what it has read not shown.
#[test]
fn a_reader_hears_when_the_rest_was_for_others() {
    let nats = NatsServer::start().unwrap();
    let log = open(&nats);
    append(&log, 0, "0").unwrap();
    for _ in 0..100 {
        append(&log, 1, "1").unwrap();
    }
    let mut own = reader(&log, [0]);
    let mut lag = u64::MAX;
    eventually("its last chunk leaves nothing to come", || {
        if !own.read(1 << 20).unwrap().is_empty() {
            lag = own.lag();
        }
        lag == 0
    });
}

/// A way to the server, by which it says something else.
fn altered(nats: &NatsServer, said: &str, heard: &str) -> AlteredProxy {
    AlteredProxy::start(([127, 0, 0, 1], nats.port()).into(), said, heard).unwrap()
}

/// A consumer may be on a server whose copy of the stream ends earlier. What that server lacks comes once it has caught up.
#[test]
fn a_consumer_that_says_too_early_that_nothing_is_left_passes_nothing_over() {
    const MESSAGES: u64 = 12;
    let nats = NatsServer::start().unwrap();
    let behind = altered(&nats, "\"num_pending\":12", "\"num_pending\": 0");
    let log = JetStreamLog::open(options(&format!("nats://{}", behind.address()))).unwrap();
    for number in 0..MESSAGES {
        append(&log, 0, &number.to_string()).unwrap();
    }
    let mut own = reader(&log, [0]);
    let came = read(&mut *own, 12);
    let positions: Vec<_> = came.iter().map(|chunk| chunk.position.0).collect();
    assert_eq!(positions, (1..=MESSAGES).collect::<Vec<_>>());
}

/// A copy of the stream can have a hole in it.
#[test]
fn a_consumer_that_passes_over_what_the_stream_holds_is_left() {
    let nats = NatsServer::start().unwrap();
    // The second message of the first consumer, which is the stream's second, as its fifth.
    let holed = altered(&nats, ".1.2.2.", ".1.5.2.");
    let log = JetStreamLog::open(options(&format!("nats://{}", holed.address()))).unwrap();
    let lines: Vec<_> = (0..6).map(|number| number.to_string()).collect();
    for line in &lines {
        append(&log, 0, line).unwrap();
    }
    let mut own = reader(&log, [0]);
    let came = read(&mut *own, lines.len());
    let came: Vec<_> =
        texts(&came).into_iter().map(|(_, position, text)| (position, text.trim_end().to_owned())).collect();
    assert_eq!(came, (1..).zip(lines).collect::<Vec<_>>());
}

#[test]
fn a_reader_that_is_gone_leaves_no_work_behind() {
    let nats = NatsServer::start().unwrap();
    let log = open(&nats);
    let other = Other::connect(&nats);
    let gone = reader(&log, [0]);
    eventually("it has a consumer", || other.consumers() == 1);
    drop(gone);
    is_deleted(&other);
    append(&log, 0, "1").unwrap();
    let own = reader(&log, [0]);
    drop(log);
    eventually("a reader holds its log", || own.lag() == 1);
}

/// The server has made it, and the reader does not know yet.
#[test]
fn a_reader_that_is_gone_before_its_consumer_is_made_leaves_none_behind() {
    let nats = NatsServer::start().unwrap();
    let way = HoldingProxy::start(([127, 0, 0, 1], nats.port()).into(), "CONSUMER.CREATE").unwrap();
    let log = JetStreamLog::open(options(&format!("nats://{}", way.address()))).unwrap();
    let other = Other::connect(&nats);
    let gone = reader(&log, [0]);
    eventually("it has a consumer", || other.consumers() > 0);
    drop(gone);
    way.release();
    is_deleted(&other);
}

/// By itself the server forgets a consumer after a minute.
fn is_deleted(other: &Other) {
    let dropped = Instant::now();
    eventually("the consumer is gone", || other.consumers() == 0);
    assert!(dropped.elapsed() < Duration::from_secs(50), "nobody has deleted it");
}
