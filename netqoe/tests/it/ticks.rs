//! Windows that close while nobody measures anything: in all partitions of the live log, and in a replay of it.

use crate::support::{DATA_FILE, JSON, NO_RATE, Server, event, eventually, export, now_ms, post, query, replay};

/// Windows of a second, so that they close while the test runs.
const RULES: [&str; 4] = ["--window", "1s", "--lateness", "1s"];

/// How many rows are final, and how many are not.
fn finality(store: &std::path::Path) -> Vec<String> {
    let sql = "SELECT coalesce(sum(is_final), 0), coalesce(sum(NOT is_final), 0) FROM agg_1m";
    query(store, sql).remove(0)
}

#[test]
fn what_one_partition_has_closed_is_closed_in_all_and_in_a_replay() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join(DATA_FILE);
    let (server, port) = Server::start_and_wait(folder.path(), &[&NO_RATE[..], &RULES].concat());
    let measured_ms = now_ms();
    assert_eq!(post(port, &[JSON], event("e", "c").to_string()).unwrap().status, 200);
    eventually("the row is final", || finality(&store) == ["Integer(1)", "Integer(0)"]);
    // Fifteen of the sixteen partitions have no event. They would be quiet for minutes before they got a tick for that.
    let furthest_behind = "SELECT count(*) FROM checkpoint WHERE log_time <= ";
    eventually("all partitions have passed the window", || {
        let behind = query(&store, &format!("{furthest_behind}{}", measured_ms + 1_000));
        let known = query(&store, "SELECT count(*) FROM checkpoint");
        behind[0] == ["Integer(0)"] && known[0] == ["Integer(16)"]
    });
    server.stop();

    let replayed = folder.path().join("replayed.db");
    let counts = replay(&folder.path().join("log.ndjson"), &export(folder.path()), &replayed, &RULES);
    assert_eq!((&counts["read"], &counts["invalid"]), (&1.into(), &0.into()), "ticks are not read: {counts}");
    assert_eq!(finality(&replayed), ["Integer(1)", "Integer(0)"], "the replay closes what a tick has closed");
}
