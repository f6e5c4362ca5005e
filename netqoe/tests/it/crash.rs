//! kill -9 at random moments, under load, with clients that send again what was not answered: the rows are those that
//! a replay of the exported log gives, every answered event is in the log, and nothing counts twice.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU16, Ordering};
use std::time::Duration;

use netqoe_simulator::Scenario;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use crate::support::{
    DATA_FILE, JSON, NDJSON, NO_RATE, Server, event_ids, events, eventually, now_ms, post, replay, rows, seed,
};

/// Another seed can be asked for with this variable.
const SEED_VARIABLE: &str = "NETQOE_TEST_SEED";
const SEED: u64 = 1;
/// How often the server is killed.
const KILLS: usize = 8;
/// The latest that it is killed after it was started, or after it has begun to listen.
const LONGEST_LIFE_MS: u64 = 700;

const CLIENTS: u64 = 3;
/// What each client's share of the load measures in one round: a few hundred events, some of them late.
const ROUND: Scenario =
    Scenario { seed: 0, clients: 7, targets: 3, minutes: 3, per_minute: 12, start_ms: 0, clean: true };

/// A body, with its type and the ids of the events in it.
struct Request {
    event_ids: BTreeSet<String>,
    content_type: (&'static str, &'static str),
    body: String,
}

/// One round of a client's requests: a single event, an array, or NDJSON, in turn.
fn requests(client: u64, round: u64) -> Vec<Request> {
    let start_ms = (now_ms() - 200_000) / 60_000 * 60_000;
    let scenario = Scenario { seed: round * CLIENTS + client, start_ms, ..ROUND };
    let of_client = |text: &str| text.trim().replace("probe-", &format!("c{client}-"));
    let events: Vec<_> = scenario.lines().map(|line| of_client(&line.text)).collect();
    let (mut requests, mut rest) = (Vec::new(), &events[..]);
    for turn in 0.. {
        let take = [1, 5, 11][turn % 3].min(rest.len());
        let (now, later) = rest.split_at(take);
        let (content_type, body) = match turn % 3 {
            _ if now.is_empty() => return requests,
            0 => (JSON, now[0].clone()),
            1 => (JSON, format!("[{}]", now.join(","))),
            _ => (NDJSON, now.join("\n")),
        };
        requests.push(Request { event_ids: event_ids(&now.join("\n")), content_type, body });
        rest = later;
    }
    requests
}

/// Sends round after round, each request until it is answered and every tenth once more, until all is over. Returns the
/// ids of what was answered.
fn send(client: u64, port: &AtomicU16, over: &AtomicBool) -> BTreeSet<String> {
    let mut answered = BTreeSet::new();
    for (turn, request) in (0..).flat_map(|round| requests(client, round)).enumerate() {
        for _ in 0..if turn % 10 == 0 { 2 } else { 1 } {
            eventually("a request is answered", || {
                let port = port.load(Ordering::SeqCst);
                let answer = || post(port, &[request.content_type], &request.body);
                port != 0 && answer().is_ok_and(|answer| answer.status == 200)
            });
        }
        answered.extend(request.event_ids);
        if over.load(Ordering::SeqCst) {
            break;
        }
    }
    answered
}

/// Starts the server again and again, with one worker or two, and kills it: from its start on while it reads the log,
/// or from when it listens on while it takes events.
fn kill_and_kill(rng: &mut StdRng, port: &Arc<AtomicU16>, data: &Path) {
    for kill in 0..KILLS {
        let workers = rng.random_range(1..=2).to_string();
        let mut server = Server::start_at(Arc::clone(port), data, &[&NO_RATE[..], &["-w", &workers]].concat());
        if kill % 2 == 1 {
            server.port();
        }
        std::thread::sleep(Duration::from_millis(rng.random_range(0..LONGEST_LIFE_MS)));
        server.kill();
    }
}

/// From scratch: how many events each window of the log counts, by client, target and start of the window.
fn counts(log: &str) -> BTreeMap<(String, String, i64), usize> {
    let mut windows: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
    for event in events(log) {
        let text = |name: &str| event[name].as_str().unwrap().to_owned();
        let start_ms = event["ts_ms"].as_i64().unwrap() / 60_000 * 60_000;
        let is_late = event["recv_ts_ms"].as_i64().unwrap() > start_ms + 60_000 + 120_000;
        if !is_late {
            windows.entry((text("client_id"), text("target"), start_ms)).or_default().insert(text("event_id"));
        }
    }
    windows.into_iter().map(|(window, ids)| (window, ids.len())).collect()
}

/// How many events the store counts.
fn counted(store: &Path) -> BTreeMap<(String, String, i64), usize> {
    let connection = rusqlite::Connection::open(store).unwrap();
    let mut rows = connection.prepare("SELECT client_id, target, window_start_ts, count_total FROM agg_1m").unwrap();
    let rows = rows.query_map([], |row| Ok(((row.get(0)?, row.get(1)?, row.get(2)?), row.get(3)?)));
    rows.unwrap().map(Result::unwrap).collect()
}

#[test]
fn killed_at_random_moments_it_loses_nothing_and_counts_nothing_twice() {
    let seed = seed(SEED_VARIABLE, SEED);
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let (port, over) = (Arc::new(AtomicU16::new(0)), Arc::new(AtomicBool::new(false)));
    let senders: Vec<_> = (0..CLIENTS)
        .map(|client| {
            let (port, over) = (Arc::clone(&port), Arc::clone(&over));
            std::thread::spawn(move || send(client, &port, &over))
        })
        .collect();
    kill_and_kill(&mut StdRng::seed_from_u64(seed), &port, &data);
    let mut server = Server::start_at(port, &data, &NO_RATE);
    server.port();
    over.store(true, Ordering::SeqCst);
    let answered: BTreeSet<_> = senders.into_iter().flat_map(|sender| sender.join().unwrap()).collect();
    server.stop();

    let log = crate::support::export(&data);
    assert_eq!(answered.difference(&event_ids(&log)).next(), None, "every answered event is in the log");

    let live = data.join(DATA_FILE);
    let (counted, counts) = (counted(&live), counts(&log));
    let differ = |(window, count): (&_, &usize)| counts.get(window) != Some(count);
    assert_eq!(counted.iter().find(|window| differ(*window)), None, "each event of the log counts once");
    assert_eq!(counted.len(), counts.len(), "each window that has an event in time has a row");
    let replayed = folder.path().join("replayed.db");
    let totals = replay(&folder.path().join("log.ndjson"), &log, &replayed, &[]);
    assert_eq!(totals["read"], events(&log).len() as u64);
    assert_eq!(rows(&live), rows(&replayed), "the rows are those of the log");
    let ledger = crate::support::ledger(&live);
    for (name, count) in ["read", "accepted", "duplicate", "late", "invalid"].into_iter().zip(&ledger) {
        assert_eq!(totals[name], *count, "{name}");
    }
    println!("{} events answered; read, accepted, duplicate, late, invalid: {ledger:?}", answered.len());
}
