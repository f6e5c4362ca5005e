//! NATS: the stream of the log, its copies and its readers, against `docs/operations/tuning.md`.

use std::time::Duration;

use netqoe_eventlog::{ConsumerReading, JetStreamReadings, ProgressOptions};

use super::finding::{Finding, megabytes};

/// How long the stream must know ids again: as long as ingest sends what was not confirmed.
const LEAST_DUPLICATE_WINDOW: Duration = Duration::from_secs(120);
/// How far the log must reach back: a store that is away, or is computed again, needs a day of it to know what is usual.
const LEAST_MAX_AGE: Duration = Duration::from_secs(86_400);
/// Messages that may wait for a reader, as `deploy/prometheus` has it.
const MAX_PENDING: u64 = 10_000;
/// Servers older than this can't be told to write each message to the disk, and their copies may come to differ.
const SYNC_SINCE: (u32, u32) = (2, 10);

pub(super) fn judge(readings: &JetStreamReadings) -> Vec<Finding> {
    let settings = [storage(readings), retention(readings), duplicates(readings), age(readings), room(readings)];
    let mut findings: Vec<_> = settings.into_iter().flatten().collect();
    findings.extend(replicas(readings));
    findings.extend(sync(readings));
    findings.extend(progress(readings));
    findings.extend(readings.consumers.iter().filter_map(pending));
    findings
}

fn of_stream(what: &str, readings: &JetStreamReadings) -> String {
    format!("{what} of stream {}", readings.stream)
}

fn storage(readings: &JetStreamReadings) -> Option<Finding> {
    let advice =
        "make it anew with --stream-storage file: what is in memory is gone with the server, acknowledged or not";
    (!readings.is_on_disk).then(|| Finding::problem(of_stream("storage", readings), "memory", advice))
}

fn retention(readings: &JetStreamReadings) -> Option<Finding> {
    let advice =
        "make it anew with retention `limits`: otherwise it forgets what was read, and the log can't be read again";
    (!readings.keeps_to_limits).then(|| Finding::problem(of_stream("retention", readings), "not by limits", advice))
}

fn duplicates(readings: &JetStreamReadings) -> Option<Finding> {
    let window = readings.duplicate_window;
    let advice =
        "set 2m (`nats stream edit --dupe-window 2m`): what ingest sends again within that time is then stored once";
    let found = || {
        let present = humantime::format_duration(window).to_string();
        Finding::problem(of_stream("duplicate window", readings), present, advice)
    };
    (window < LEAST_DUPLICATE_WINDOW).then(found)
}

fn age(readings: &JetStreamReadings) -> Option<Finding> {
    let max_age = readings.max_age.filter(|age| *age < LEAST_MAX_AGE)?;
    let advice = "set 7d (`nats stream edit --max-age 7d`), at least a day: a store that is away for longer loses events, and one that is \
                  computed again does not know what is usual";
    Some(Finding::problem(of_stream("max_age", readings), humantime::format_duration(max_age).to_string(), advice))
}

/// A stream that refuses what is new at its limits, and has little room left. One that discards is full for most of its life.
fn room(readings: &JetStreamReadings) -> Option<Finding> {
    let is_near = |(found, limit): (u64, Option<u64>)| limit.is_some_and(|limit| found >= limit - limit / 10);
    if !readings.refuses_at_limits || !(is_near(readings.messages) || is_near(readings.bytes)) {
        return None;
    }
    let present = format!("{} messages, {}", readings.messages.0, megabytes(readings.bytes.0));
    let advice = "raise --stream-max-messages or --stream-max-bytes (`nats stream edit`): at its limit it refuses events, and ingest answers \
                  503";
    Some(Finding::problem(of_stream("room", readings), present, advice))
}

fn replicas(readings: &JetStreamReadings) -> Vec<Finding> {
    let (what, replicas) = (of_stream("replicas", readings), readings.replicas);
    let mut findings = Vec::new();
    match (&readings.copies, replicas) {
        (None, 0..=1) => {
            let advice = "if the loss of its machine may lose nothing, use three servers and --stream-replicas 3";
            findings.push(Finding::note(what, "1", advice));
        }
        (Some(_), 0..=1) => {
            let advice = "set 3 (`nats stream edit --replicas 3`): the servers are a cluster, and the loss of one of them loses the log";
            findings.push(Finding::problem(what, "1", advice));
        }
        (_, 2) => findings.push(Finding::problem(what, "2", "set 3: with 2, the loss of one stops the log")),
        _ => {}
    }
    if replicas > 1 && readings.is_before(SYNC_SINCE) {
        let advice =
            "use 2.10 or newer: after a network has parted the servers, copies of older ones may differ for good";
        findings.push(Finding::problem("version of NATS", &readings.version, advice));
    }
    for copy in readings.copies.iter().flatten().filter(|copy| copy.offline || !copy.current) {
        let present = if copy.offline { "it is away" } else { "it has not everything yet" };
        let advice = "see that this server runs, and that the others reach it: until then the loss of another one may stop the log";
        findings.push(Finding::problem(
            format!("copy of stream {} on {}", readings.stream, copy.name),
            present,
            advice,
        ));
    }
    findings
}

/// How soon a message is on the disk. Clients can't ask for it; the only copy should be there when it is acknowledged.
fn sync(readings: &JetStreamReadings) -> Option<Finding> {
    const WHAT: &str = "sync_interval of NATS";
    if readings.replicas > 1 {
        return None;
    }
    if readings.is_before(SYNC_SINCE) {
        let present = format!("2m, as nats-server {} always has it", readings.version);
        let advice = "use 2.10 or newer with `sync_interval: always`, or three replicas: a crash of the machine loses what was acknowledged \
                      in that time";
        return Some(Finding::problem(WHAT, present, advice));
    }
    let advice = "see that its configuration has `sync_interval: always`, since the stream has one copy: otherwise a crash of the machine \
                  loses up to two minutes of what was acknowledged";
    Some(Finding::note(WHAT, "can't be read by clients", advice))
}

fn progress(readings: &JetStreamReadings) -> Option<Finding> {
    let name = ProgressOptions::default().consumer;
    let is_there = readings.consumers.iter().any(|consumer| consumer.name == name);
    let advice = "start `netqoe aggregate`, which makes it: no aggregate has read this stream yet";
    (!is_there).then(|| Finding::note(format!("consumer {name}"), "not there", advice))
}

fn pending(consumer: &ConsumerReading) -> Option<Finding> {
    let ConsumerReading { name, pending, ack_pending } = consumer;
    if pending.saturating_add(*ack_pending) <= MAX_PENDING {
        return None;
    }
    let present = format!("{pending} messages are pending, {ack_pending} not acknowledged");
    let advice = "see that the aggregate runs and keeps up (`docs/operations/alerts.md`, NetqoeHighConsumerLag)";
    Some(Finding::problem(format!("consumer {name}"), present, advice))
}

#[cfg(test)]
mod tests {
    use netqoe_eventlog::CopyReading;

    use super::super::finding::{Grade, subjects};
    use super::*;

    fn consumer(name: &str, pending: u64, ack_pending: u64) -> ConsumerReading {
        ConsumerReading { name: name.to_owned(), pending, ack_pending }
    }

    fn copy(name: &str, current: bool, offline: bool) -> CopyReading {
        CopyReading { name: name.to_owned(), current, offline }
    }

    /// Three servers as the guide sets them.
    fn good() -> JetStreamReadings {
        JetStreamReadings {
            version: "2.10.0".to_owned(),
            stream: "s".to_owned(),
            is_on_disk: true,
            keeps_to_limits: true,
            replicas: 3,
            duplicate_window: LEAST_DUPLICATE_WINDOW,
            max_age: Some(7 * LEAST_MAX_AGE),
            messages: (100, Some(100)),
            bytes: (100, Some(100)),
            copies: Some(vec![copy("b", true, false), copy("c", true, false)]),
            consumers: vec![consumer("aggregator", 9_000, 1_000)],
            ..JetStreamReadings::default()
        }
    }

    #[track_caller]
    fn found(change: impl FnOnce(&mut JetStreamReadings), expected: &[(Grade, &str)]) {
        let mut readings = good();
        change(&mut readings);
        let findings = judge(&readings);
        let found: Vec<_> = findings.iter().map(|finding| (finding.grade, finding.what.as_str())).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn what_the_guide_sets_is_good() {
        assert_eq!(judge(&good()), []);
        found(|readings| readings.max_age = None, &[]);
    }

    #[test]
    fn each_setting_that_loses_events_is_named_alone() {
        use Grade::Problem;
        found(|readings| readings.is_on_disk = false, &[(Problem, "storage of stream s")]);
        found(|readings| readings.keeps_to_limits = false, &[(Problem, "retention of stream s")]);
        found(|readings| readings.duplicate_window /= 2, &[(Problem, "duplicate window of stream s")]);
        found(|readings| readings.max_age = Some(LEAST_MAX_AGE / 2), &[(Problem, "max_age of stream s")]);
        found(|readings| readings.refuses_at_limits = true, &[(Problem, "room of stream s")]);
        let roomy = |readings: &mut JetStreamReadings| {
            *readings =
                JetStreamReadings { refuses_at_limits: true, messages: (89, Some(100)), bytes: (1, None), ..good() };
        };
        found(roomy, &[]);
    }

    #[test]
    fn a_lone_copy_is_a_problem_where_there_are_servers_for_more() {
        use Grade::{Note, Problem};
        let alone = [(Note, "replicas of stream s"), (Note, "sync_interval of NATS")];
        found(|readings| *readings = JetStreamReadings { replicas: 1, copies: None, ..good() }, &alone);
        let in_cluster = [(Problem, "replicas of stream s"), (Note, "sync_interval of NATS")];
        found(
            |readings| *readings = JetStreamReadings { replicas: 1, copies: Some(Vec::new()), ..good() },
            &in_cluster,
        );
        found(|readings| readings.replicas = 2, &[(Problem, "replicas of stream s")]);
        let old = |readings: &mut JetStreamReadings| {
            *readings = JetStreamReadings { replicas: 1, copies: None, version: "2.9.10".to_owned(), ..good() };
        };
        found(old, &[(Note, "replicas of stream s"), (Problem, "sync_interval of NATS")]);
        found(|readings| readings.version = "2.9.25".to_owned(), &[(Problem, "version of NATS")]);
    }

    #[test]
    fn copies_and_readers_that_are_behind_are_named() {
        use Grade::{Note, Problem};
        found(
            |readings| readings.copies = Some(vec![copy("b", false, false), copy("c", true, true)]),
            &[(Problem, "copy of stream s on b"), (Problem, "copy of stream s on c")],
        );
        found(|readings| readings.consumers[0].pending += 1, &[(Problem, "consumer aggregator")]);
        found(|readings| readings.consumers.clear(), &[(Note, "consumer aggregator")]);
        let mut readings = good();
        readings.consumers.push(consumer("another", 0, MAX_PENDING + 1));
        assert_eq!(subjects(&judge(&readings)), ["consumer another"]);
    }

    #[test]
    fn versions_are_compared_by_their_numbers() {
        let is_before =
            |version: &&str| JetStreamReadings { version: (*version).to_owned(), ..good() }.is_before(SYNC_SINCE);
        assert!(["2.9.10", "2.9", "1.4.1"].iter().all(is_before));
        assert!(!["2.10.0", "2.15.3-beta", "3.0.0", "", "main"].iter().any(is_before));
    }
}
