//! `netqoe replay` of a part of a log in JetStream, and its comparison with the live store.

use std::process::Output;
use std::sync::Arc;

use netqoe_testbed::{Database, PgBouncer};
use postgres::{Client, NoTls};
use serde_json::{Value, json};

use crate::jetstream::stage::{SHORT_WINDOWS, Stage, failed, succeeded};
use crate::support::{JSON, Server, event, eventually, now_ms, post, query};

const WINDOW_MS: i64 = 1_000;
/// That of [`SHORT_WINDOWS`], and a second for the difference of clocks.
const LATENESS_MS: i64 = 6_000;
/// Windows that are filled: enough to know what is usual before those that are asked for.
const WINDOWS: i64 = 16;
const ASKED_FOR: std::ops::Range<i64> = 13..16;
const CLIENTS: usize = 3;
/// How long before the first window begins its events are posted: no machine is so busy that they come late.
const LEAD_MS: i64 = 5_000;

/// Windows of three clients, those that are asked for with a slow name server.
fn fill(port: u16, first_ms: i64) {
    let mut events = Vec::new();
    for (window, client) in (0..WINDOWS).flat_map(|window| (0..CLIENTS).map(move |client| (window, client))) {
        let mut event = event(&format!("{window}-{client}"), &format!("c-{client}"));
        event["ts_ms"] = (first_ms + window * WINDOW_MS + 500).into();
        if ASKED_FOR.contains(&window) {
            event["timing_measurements"]["dns_ms"] = 900.0.into();
        }
        events.push(event);
    }
    assert_eq!(post(port, &[JSON], json!(events).to_string()).unwrap().status, 200);
}

/// Replays the windows asked for into a new store, and compares it with the live one.
fn replay(stage: &Stage, store: &str, first_ms: i64, live: &str) -> Output {
    let at = |window: i64| (first_ms + window * WINDOW_MS).to_string();
    let (from, to, store) = (at(ASKED_FOR.start), at(ASKED_FOR.end), stage.store(store));
    let mut command = stage.command(&["replay", "--from", &from, "--to", &to, "--store", &store, "--diff", live]);
    command.envs(SHORT_WINDOWS).output().unwrap()
}

/// Tries other rules on the windows asked for.
fn try_classic(stage: &Stage, first_ms: i64) -> Value {
    let at = |window: i64| (first_ms + window * WINDOW_MS).to_string();
    let (from, to) = (at(ASKED_FOR.start), at(ASKED_FOR.end));
    let mut command = stage.command(&["rules", "test", "classic", "--from", &from, "--to", &to, "--json"]);
    serde_json::from_str(&succeeded(command.envs(SHORT_WINDOWS).output().unwrap())).unwrap()
}

/// The dataflow of a cluster, and what a replay makes of the same log; the cluster and the comparison go through
/// PgBouncer in transaction mode, whose connections change hands after each transaction.
#[test]
fn a_part_of_history_is_replayed_to_the_same_rows() {
    let stage = Stage::new();
    let database = Database::fresh().unwrap();
    let bouncer = PgBouncer::start(database.url()).unwrap();
    let mut aggregate = Server::run(stage.aggregate(bouncer.url()), Arc::default());
    aggregate.port();
    let (ingest, port) = stage.ingest();
    let first_ms = (now_ms() + LEAD_MS) / WINDOW_MS * WINDOW_MS;
    fill(port, first_ms);
    let mut client = Client::connect(database.url(), NoTls).unwrap();
    let mut later = 0;
    eventually("the windows are closed", || {
        // The log goes on, as it does where a cluster is at work: it is by the log that windows close. Ticks alone, which
        // close them where it does not, are no events, and a replay does not see them.
        later += 1;
        let is_past = now_ms() > first_ms + WINDOWS * WINDOW_MS + LATENESS_MS;
        assert_eq!(post(port, &[JSON], event(&later.to_string(), "later").to_string()).unwrap().status, 200);
        let sql = "SELECT count(*) FROM agg_1m WHERE is_final AND client_id LIKE 'c-%'";
        is_past && client.query_one(sql, &[]).unwrap().get::<_, i64>(0) == WINDOWS * CLIENTS as i64
    });

    let replayed = replay(&stage, "same.db", first_ms, bouncer.url());
    assert!(!String::from_utf8_lossy(&replayed.stderr).contains("other rules"), "{replayed:?}");
    let counts = succeeded(replayed);
    let (counts, compared) = counts.trim_end().split_once('\n').unwrap();
    assert!(counts.starts_with('{'), "{counts}");
    let compared: Value = serde_json::from_str(compared).unwrap();
    let rows = (ASKED_FOR.count() * CLIENTS) as u64;
    assert!(compared["equal"].as_u64() >= Some(rows) && compared["not_final"].is_u64(), "{compared}");
    assert_eq!(compared["different"], 0, "{compared}");
    let sql =
        "SELECT window_start_ts, diagnosis_label FROM agg_1m WHERE client_id LIKE 'c-%' AND is_final ORDER BY 1, 2";
    let replayed = query(&stage.path("same.db"), sql);
    let expected = ASKED_FOR.flat_map(|window| {
        // With one measurement a window it takes three to name it.
        let label = if window == WINDOWS - 1 { "dns-bound" } else { "healthy" };
        vec![[format!("Integer({})", first_ms + window * WINDOW_MS), format!("Text({label:?})")]; CLIENTS]
    });
    assert_eq!(replayed, expected.collect::<Vec<_>>(), "with what was usual before, and nothing beyond");

    let tried = try_classic(&stage, first_ms);
    assert!(
        tried["windows"]["all"].as_u64() >= Some(rows) && tried["windows"]["changed"].as_u64() >= Some(3),
        "{tried}"
    );

    let changed = "UPDATE agg_1m SET dns_p95 = dns_p95 + 1 WHERE client_id = 'c-1' AND window_start_ts = (
        SELECT max(window_start_ts) FROM agg_1m WHERE client_id = 'c-1')";
    assert_eq!(client.execute(changed, &[]).unwrap(), 1);
    let compared = replay(&stage, "changed.db", first_ms, bouncer.url());
    failed(&compared, 1, "1 rows differ from those of postgres://");
    let differences = String::from_utf8(compared.stdout).unwrap();
    assert!(differences.contains("\"different\":1"), "{differences}");
    let rows: Vec<_> = differences.lines().filter(|line| line.starts_with("\"c-1\"")).collect();
    assert!(rows.len() == 1 && rows[0].contains("dns_p95"), "{differences}");
    let store = stage.store("others.db");
    let mut others = stage.command(&["replay", "--lateness", "4s", "--store", &store, "--diff", bouncer.url()]);
    let said = others.env("NETQOE_WINDOW", "1s").output().unwrap().stderr;
    let said = String::from_utf8_lossy(&said);
    assert!(
        said.contains("was made by other rules, so rows will differ: lateness_ms is 5000 there and 4000 here;"),
        "{said}"
    );
    aggregate.stop();
    ingest.stop();
}
