//! `netqoe dlq`.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::jetstream::stage::{Stage, failed, succeeded};
use crate::support::{JSON, Server, eventually, get, query, send};

/// Neither JSON nor text.
const GARBAGE: &[u8] = b"\xff\x00 is no event";
/// JSON, and yet no event.
const NO_EVENT: &[u8] = br#"{"event_id": "x"}"#;

/// What `dlq list` prints.
fn letters(stage: &Stage) -> Vec<Value> {
    let lines = succeeded(stage.run(&["dlq", "list"]));
    lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn position(letter: &Value) -> String {
    letter["position"].to_string()
}

/// What a command prints, as JSON.
fn printed(stage: &Stage, arguments: &[&str]) -> Value {
    serde_json::from_str(&succeeded(stage.run(arguments))).unwrap()
}

#[test]
fn what_cannot_be_read_is_listed_shown_replayed_and_purged() {
    let stage = Stage::new();
    let mut aggregate = Server::run(stage.aggregate(&stage.store("store.db")), Arc::default());
    aggregate.port();
    assert_eq!(letters(&stage), Vec::<Value>::new());
    stage.publish("telemetry.events", GARBAGE);
    eventually("it is set aside", || letters(&stage).len() == 1);

    let first = letters(&stage).remove(0);
    assert_eq!(first["origin_subject"], "telemetry.events");
    assert_eq!((&first["bytes"], &first["is_cut"]), (&json!(GARBAGE.len()), &json!(false)));
    let reason = first["reason"].as_str().unwrap();
    assert!(!reason.is_empty());
    let shown = stage.run(&["dlq", "show", &position(&first)]);
    assert_eq!(shown.stdout, GARBAGE);
    assert!(String::from_utf8_lossy(&shown.stderr).contains(&position(&first)), "{shown:?}");
    succeeded(stage.run(&["dlq", "list", "--limit", "1"]));
    let kept = || query(&stage.path("store.db"), "SELECT reason, original FROM dead_letters ORDER BY log_time");
    eventually("the store has it too", || kept().len() == 1);
    assert_eq!(kept()[0], [format!("Text({reason:?})"), format!("Blob({GARBAGE:?})")]);

    assert_eq!(printed(&stage, &["dlq", "replay", &position(&first)]), json!({"replayed": 1}));
    eventually("it has come back", || letters(&stage).len() == 1 && letters(&stage)[0] != first);
    let again = letters(&stage).remove(0);
    assert_ne!(again["position"], first["position"]);
    assert!(again["origin_sequence"].as_u64() > first["origin_sequence"].as_u64(), "{again}");
    assert_eq!(stage.run(&["dlq", "show", &position(&again)]).stdout, GARBAGE);
    failed(&stage.run(&["dlq", "show", &position(&first)]), 1, "there is no dead letter");
    assert_eq!(printed(&stage, &["dlq", "replay", &position(&first)]), json!({"replayed": 0}));

    stage.publish("telemetry.events", NO_EVENT);
    stage.publish("telemetry.events", NO_EVENT);
    eventually("all are set aside", || letters(&stage).len() == 3);
    assert_eq!(position(&letters(&stage)[2]), position(&again), "newest first");
    assert_eq!(printed(&stage, &["dlq", "purge", &position(&again)]), json!({"purged": 1}));
    assert_eq!(letters(&stage).len(), 2);
    assert_eq!(printed(&stage, &["dlq", "replay", "--all"]), json!({"replayed": 2}));
    eventually("both have come back", || letters(&stage).len() == 2 && kept().len() == 6);
    assert_eq!(printed(&stage, &["dlq", "purge", "--all"]), json!({"purged": 2}));
    assert_eq!(letters(&stage), Vec::<Value>::new());
    assert_eq!(kept().len(), 6, "what the store has is its own");
    aggregate.stop();
}

/// The page shows the stream's letters, in pages, though the store has them as well.
#[test]
fn the_page_shows_and_replays_what_the_stream_keeps() {
    const PATH: &str = "/api/v1/dead-letters";
    let stage = Stage::new();
    let mut aggregate = Server::run(stage.aggregate(&stage.store("store.db")), Arc::default());
    let port = aggregate.port();
    let shown = |query: &str| get(port, &format!("{PATH}?{query}")).unwrap().json();
    assert_eq!((&shown("")["items"], &shown("")["may_replay"]), (&json!([]), &json!(true)));
    let big: &[u8] = vec![b'x'; 100_000].leak();
    for _ in 0..5 {
        stage.publish("telemetry.events", GARBAGE);
        stage.publish("telemetry.events", big);
    }
    eventually("all are set aside", || letters(&stage).len() == 10);
    assert_eq!(get(port, "/api/v1/pipeline").unwrap().json()["dead_letters"], 10);
    let listed: Vec<_> = letters(&stage).iter().map(|letter| json!(position(letter))).collect();
    for limit in [3, 9, 10] {
        let (mut ids, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = shown(&format!("limit={limit}{cursor}"));
            ids.extend(page["items"].as_array().unwrap().iter().map(|item| item["id"].clone()));
            let Some(next) = page["next_cursor"].as_str() else { break };
            cursor = format!("&cursor={next}");
        }
        assert_eq!(ids, listed, "{limit}");
    }
    let newest = &shown("limit=2")["items"];
    assert_eq!((&newest[0]["bytes"], &newest[0]["is_cut"]), (&json!(100_000), &json!(true)));
    assert_eq!(newest[1]["original"], String::from_utf8_lossy(GARBAGE).as_ref());
    assert_eq!(get(port, &format!("{PATH}?cursor=x")).unwrap().status, 400);

    let replay = format!("{PATH}/{}/replay", newest[1]["id"].as_str().unwrap());
    assert_eq!(send(port, "POST", &replay, &[], b"").unwrap().status, 403);
    assert_eq!(send(port, "POST", &replay, &[JSON], b"").unwrap().json(), json!({"replayed": true}));
    assert_eq!(send(port, "POST", &replay, &[JSON], b"").unwrap().status, 404);
    assert_eq!(send(port, "POST", &format!("{PATH}/x/replay"), &[JSON], b"").unwrap().status, 404);
    eventually("it has come back", || letters(&stage).len() == 10 && json!(position(&letters(&stage)[0])) != listed[0]);
    aggregate.stop();
}

#[test]
fn the_cluster_and_the_commands_agree_on_another_stream() {
    let stage = Stage::new();
    let other = ["--dlq-stream", "letters", "--dlq-subject", "letters.of.ours"];
    let mut command = stage.aggregate(&stage.store("store.db"));
    command.args(other);
    let mut aggregate = Server::run(command, Arc::default());
    aggregate.port();
    stage.publish("telemetry.events", GARBAGE);
    let listed = || succeeded(stage.run(&[&["dlq", "list"], &other[..]].concat()));
    eventually("it is set aside there", || listed().lines().count() == 1);
    failed(&stage.run(&["dlq", "list"]), 1, "there is no stream telemetry-dlq");
    failed(&stage.run(&["dlq", "list", "--dlq-stream", "letters"]), 1, "it takes letters.of.ours, not telemetry.dlq");
    aggregate.stop();
}

#[test]
fn wrong_usage_is_told_from_what_is_not_there() {
    let stage = Stage::new();
    for arguments in [
        &["dlq", "replay"][..],
        &["dlq", "purge"],
        &["dlq", "purge", "1", "--all"],
        &["dlq", "show"],
        &["dlq", "show", "first"],
        &["dlq", "list", "--after", "-1"],
    ] {
        let output = stage.run(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {output:?}");
    }
    let mut aggregate = Server::run(stage.aggregate(&stage.store("store.db")), Arc::default());
    aggregate.port();
    failed(&stage.run(&["dlq", "show", "7"]), 1, "there is no dead letter 7; see `netqoe dlq list`");
    assert_eq!(printed(&stage, &["dlq", "purge", "7"]), json!({"purged": 0}));
    failed(&crate::support::netqoe().args(["dlq", "list"]).output().unwrap(), 2, "give --nats-url");
    aggregate.stop();
}
