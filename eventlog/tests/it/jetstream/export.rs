//! The log as text.

use netqoe_model::Tick;

use super::*;

fn is_no_tick(line: &&str) -> bool {
    Tick::parse(line.as_bytes()).is_none()
}

/// The lines that are no ticks, and how many there are said to be.
fn exported(log: &JetStreamLog) -> (u64, Vec<serde_json::Value>) {
    let mut out = Vec::new();
    let lines = log.export(&mut out).unwrap();
    let text = String::from_utf8(out).unwrap();
    let parse = |line: &str| serde_json::from_str(line).unwrap_or_else(|_| serde_json::Value::from(line));
    (lines, text.lines().filter(is_no_tick).map(parse).collect())
}

#[test]
fn an_export_is_what_was_appended_with_its_times() {
    let nats = NatsServer::start().unwrap();
    let log = open(&nats);
    assert_eq!(exported(&log), (0, Vec::new()));
    let other = Other::connect(&nats);
    let lines = [(0, "{\"n\":0,\"recv_ts_ms\":5}"), (0, "{\"n\":1}")];
    block_on(log.append(lines.map(|(partition, line)| (Partition(partition), line.as_bytes().to_vec())).to_vec()))
        .unwrap();
    block_on(log.tick(vec![Partition(1)])).unwrap();
    other.publish("telemetry.events", "{\n\"n\":\n2}");
    other.publish("telemetry.events", "no JSON\nat all");
    append(&log, 3, "{\"n\":4}").unwrap();

    let (count, lines) = exported(&log);
    assert_eq!((count, lines.len()), (5, 5));
    let numbers: Vec<_> = lines.iter().map(|line| line["n"].as_i64()).collect();
    assert_eq!(numbers, [Some(0), Some(1), Some(2), None, Some(4)]);
    assert_eq!(lines[3], "no JSON at all");
    let messages = other.messages();
    let stored_ms = |index: usize| i64::try_from(messages[index].time.unix_timestamp_nanos() / 1_000_000).unwrap();
    for (line, index) in [(0, 0), (1, 0), (2, 2), (4, 4)] {
        assert_eq!(lines[line]["recv_ts_ms"], stored_ms(index), "line {line}");
    }

    // None of the lines is an event that a replay reads, so its time is moved by ticks alone.
    let mut out = Vec::new();
    log.export(&mut out).unwrap();
    let told: Vec<_> = out.split(|byte| *byte == b'\n').filter_map(Tick::parse).map(|Tick(time)| time.ms()).collect();
    let mut stored: Vec<_> = (0..messages.len()).map(stored_ms).collect();
    stored.dedup();
    assert_eq!(told, stored);
}

#[test]
fn a_part_of_the_log_is_exported_by_its_times() {
    let nats = NatsServer::start().unwrap();
    let log = open(&nats);
    for n in 0..20 {
        append(&log, n % 4, &format!("{{\"n\":{n}}}")).unwrap();
        std::thread::sleep(Duration::from_millis(2));
    }
    let other = Other::connect(&nats);
    let messages = other.messages();
    let time = |n: usize| LogTime::from_ms((messages[n].time.unix_timestamp_nanos() / 1_000_000).try_into().unwrap());
    other.runtime.block_on(other.stream().delete_message(11)).unwrap();
    let numbers = |from, to| {
        let mut out = Vec::new();
        log.export_of(from..to, &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        text.lines()
            .filter(is_no_tick)
            .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap()["n"].as_u64().unwrap())
            .collect()
    };
    let all: Vec<u64> = numbers(LogTime::default(), time(19));
    assert_eq!(all, (0..19).filter(|n| *n != 10).collect::<Vec<_>>());
    for (from, to) in [(0, 5), (5, 6), (7, 15), (11, 18), (19, 19)] {
        let expected: Vec<_> = (from as u64..to as u64).filter(|n| *n != 10).collect();
        assert_eq!(numbers(time(from), time(to)), expected, "{from} to {to}");
    }
    assert_eq!(numbers(time(19), LogTime::from_ms(i64::MAX)), [19]);
}

#[test]
fn an_export_goes_on_across_a_restart() {
    let mut nats = NatsServer::start().unwrap();
    let log = open(&nats);
    for n in 0..50 {
        append(&log, n % 4, &format!("{{\"n\":{n}}}")).unwrap();
    }
    nats.kill().unwrap();
    let exporting = std::thread::spawn(move || exported(&log));
    nats.restart().unwrap();
    let (count, lines) = exporting.join().unwrap();
    assert_eq!(count, 50);
    assert!(lines.iter().enumerate().all(|(n, line)| line["n"] == n));
}
