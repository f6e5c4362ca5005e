//! kill -9 at random moments, under load, with clients that send again what was not answered: the rows are those that
//! a replay of the exported log gives, every answered event is in the log, and nothing counts twice.

#![allow(clippy::unwrap_used)] // nothing here but tests

mod support;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use netqoe_benchmarks::Scenario;
use support::{Server, now_ms, post, replay, rows};

/// How long the server lives each time, in milliseconds: from before it listens to well under way.
const LIVES_MS: [u64; 6] = [40, 400, 150, 700, 90, 500];
const CLIENTS: usize = 3;
/// Measurements per client, target and minute, in each client's share of the load.
const PER_MINUTE: u32 = 12;

/// Each client's requests: a single event, an array, or NDJSON, in turn.
fn requests(client: usize) -> Vec<(Vec<String>, &'static str, String)> {
    let scenario = Scenario {
        seed: client as u64 + 1,
        clients: 7,
        targets: 3,
        minutes: 3,
        per_minute: PER_MINUTE,
        start_ms: (now_ms() - 200_000) / 60_000 * 60_000,
        clean: true,
    };
    let events: Vec<_> =
        scenario.lines().map(|line| line.text.trim().replace("probe-", &format!("c{client}-"))).collect();
    let ids = |events: &[String]| -> Vec<String> {
        let id = |event: &String| {
            serde_json::from_str::<serde_json::Value>(event).unwrap()["event_id"].as_str().unwrap().to_owned()
        };
        events.iter().map(id).collect()
    };
    let (mut requests, mut rest) = (Vec::new(), &events[..]);
    for turn in 0.. {
        let take = [1, 5, 11][turn % 3].min(rest.len());
        let (now, later) = rest.split_at(take);
        match turn % 3 {
            _ if now.is_empty() => return requests,
            0 => requests.push((ids(now), "application/json", now[0].clone())),
            1 => requests.push((ids(now), "application/json", format!("[{}]", now.join(",")))),
            _ => requests.push((ids(now), "application/x-ndjson", now.join("\n"))),
        }
        rest = later;
    }
    requests
}

/// Sends everything, again and again until it is answered. Returns the ids of what was.
fn send_all(client: usize, port: u16, ended: &AtomicBool) -> BTreeSet<String> {
    let mut answered = BTreeSet::new();
    for (ids, content_type, body) in requests(client) {
        while !ended.load(Ordering::SeqCst) {
            if post(port, content_type, &body).is_ok_and(|status| status == 200) {
                answered.extend(ids);
                break;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }
    answered
}

#[test]
fn killed_at_random_moments_it_loses_nothing_and_counts_nothing_twice() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let port = support::free_port();
    let ended = Arc::new(AtomicBool::new(false));
    let senders: Vec<_> = (0..CLIENTS)
        .map(|client| {
            let ended = Arc::clone(&ended);
            std::thread::spawn(move || send_all(client, port, &ended))
        })
        .collect();
    for life_ms in LIVES_MS {
        let server = Server::start(&data, port, 2);
        std::thread::sleep(Duration::from_millis(life_ms));
        server.kill();
    }
    let server = Server::start(&data, port, 1);
    server.wait_until_ready(port);
    let answered: BTreeSet<_> = senders.into_iter().flat_map(|sender| sender.join().unwrap()).collect();
    server.stop();
    ended.store(true, Ordering::SeqCst);

    let log = support::export(&data);
    let logged: BTreeSet<_> = log
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap()["event_id"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(answered.difference(&logged).next(), None, "every answered event is in the log");
    assert_eq!(answered.len(), CLIENTS * 7 * 3 * 3 * PER_MINUTE as usize, "every event was answered in the end");

    let replayed = folder.path().join("replayed.db");
    let counts = replay(&folder.path().join("log.ndjson"), &log, &replayed);
    assert_eq!(counts["read"], log.lines().count() as u64);
    let live = data.join("netqoe.db");
    assert_eq!(rows(&live), rows(&replayed), "the rows are those of the log");
    let ledger = support::ledger(&live);
    for (name, count) in ["read", "accepted", "duplicate", "late", "invalid"].into_iter().zip(ledger) {
        assert_eq!(counts[name], count, "{name}");
    }
}
