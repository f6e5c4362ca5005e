//! `netqoe ingest`, also while its log is away, and `netqoe log export` of what it took.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::{Value, json};

use crate::jetstream::stage::{Stage, failed, succeeded};
use crate::support::{DEMO_TOKEN, JSON, NO_RATE, Server, event, event_ids, events, eventually, get, post};

fn export(stage: &Stage) -> String {
    succeeded(stage.run(&["log", "export"]))
}

#[test]
fn an_export_is_what_was_posted() {
    let stage = Stage::new();
    let (ingest, port) = stage.ingest();
    let posted: Vec<Value> = (0..500).map(|number| event(&number.to_string(), &format!("c-{}", number % 7))).collect();
    for batch in posted.chunks(100) {
        assert_eq!(post(port, &[JSON], json!(batch).to_string()).unwrap().status, 200);
    }
    let id = |event: &Value| event["event_id"].as_str().unwrap().parse::<u32>().unwrap();
    let mut exported = events(&export(&stage));
    exported.sort_by_key(id);
    for event in &mut exported {
        let received = event.as_object_mut().unwrap().remove("recv_ts_ms").unwrap();
        assert!(received.as_i64().unwrap() >= event["ts_ms"].as_i64().unwrap() - 1, "{event}");
    }
    assert_eq!(exported, posted);
    ingest.stop();
}

#[test]
fn nothing_that_was_acknowledged_is_lost_where_the_log_goes_away() {
    let mut stage = Stage::new();
    let (ingest, port) = stage.ingest();
    let mut acknowledged = BTreeSet::new();
    let mut send = |id: &str| {
        let answer = post(port, &[JSON, DEMO_TOKEN], event(id, "a-client").to_string()).unwrap();
        if answer.status == 200 {
            acknowledged.insert(id.to_owned());
        }
        answer
    };
    for number in 0..20 {
        assert_eq!(send(&format!("before-{number}")).status, 200);
    }
    stage.nats.kill().unwrap();
    let refused = send("while it is away");
    assert_eq!(refused.status, 503);
    assert!(refused.header("retry-after").unwrap().parse::<u32>().unwrap() > 0);
    assert_eq!(refused.json()["error"], "service_unavailable");
    eventually("it is not ready", || get(port, "/readyz").unwrap().status == 503);
    assert_eq!(get(port, "/livez").unwrap().status, 200);

    stage.nats.restart().unwrap();
    eventually("it is ready again", || get(port, "/readyz").unwrap().status == 200);
    eventually("it takes events again", || send("after it is back").status == 200);
    let exported = event_ids(&export(&stage));
    assert!(exported.is_superset(&acknowledged), "{:?} are lost", acknowledged.difference(&exported));
    ingest.stop();
}

/// However many requests are refused.
#[test]
fn a_log_that_is_away_is_a_line_and_not_a_flood() {
    let mut stage = Stage::new();
    let (ingest, port) = stage.ingest();
    let send =
        move |id: usize| post(port, &[JSON], event(&id.to_string(), &id.to_string()).to_string()).unwrap().status;
    assert_eq!(send(0), 200);
    stage.nats.kill().unwrap();
    let sending: Vec<_> = (0..50).map(|id| std::thread::spawn(move || send(id))).collect();
    assert!(sending.into_iter().all(|sent| sent.join().unwrap() == 503));
    stage.nats.restart().unwrap();
    eventually("it is said that it is back", || {
        send(0);
        ingest.has_logged("the log takes events again")
    });
    ingest.terminate();
    let (code, log) = ingest.wait();
    assert_eq!(code, Some(0), "{log}");
    let lines = log.lines().filter(|line| line.contains("ERROR")).count();
    assert!((1..10).contains(&lines), "{log}");
}

#[test]
fn without_tokens_only_this_machine_is_served() {
    let stage = Stage::new();
    failed(
        &stage.run(&["ingest", "--port", "0", "--listen", "0.0.0.0"]),
        2,
        "refusing to listen on 0.0.0.0:0 without tokens",
    );
}

#[test]
fn a_server_without_room_for_the_stream_is_told_from_others() {
    let stage = Stage::new();
    let too_much = ["--stream-max-bytes", "1000000000000000"];
    failed(&stage.run(&[&["ingest", "--port", "0"], &too_much[..]].concat()), 1, "(--stream-max-bytes)");
}

#[test]
fn how_a_stream_is_not_as_the_options_say_is_said() {
    let stage = Stage::new();
    stage.ingest().0.stop();
    let mut command = stage.command(&["ingest", "--port", "0", "--partitions", "5"]);
    command.args(NO_RATE);
    let mut ingest = Server::run(command, Arc::default());
    ingest.port();
    assert!(ingest.has_logged("stream telemetry-events has partitions 16, the options say 5"));
    ingest.stop();
}

#[test]
fn a_server_that_is_away_is_named() {
    let mut stage = Stage::new();
    stage.nats.stop().unwrap();
    let store = stage.store("store.db");
    for arguments in [&["log", "export"][..], &["dlq", "list"], &["replay", "--store", &store]] {
        failed(&stage.run(arguments), 1, "see that nats-server runs there");
    }
}

/// With `--stream-discard new`: who sends is told to wait, and what was acknowledged stays.
#[test]
fn a_full_stream_refuses_and_forgets_nothing() {
    let stage = Stage::new();
    let mut command = stage.command(&["ingest", "--port", "0"]);
    command.args(NO_RATE).args(["--stream-discard", "new", "--stream-max-messages", "20"]);
    let mut ingest = Server::run(command, Arc::default());
    let port = ingest.port();
    eventually("ingest is ready", || get(port, "/readyz").is_ok_and(|answer| answer.status == 200));
    let mut acknowledged = BTreeSet::new();
    let refused = (0..).find_map(|number| {
        let id = number.to_string();
        let answer = post(port, &[JSON], event(&id, &id).to_string()).unwrap();
        if answer.status != 200 {
            return Some(answer);
        }
        acknowledged.insert(id);
        None
    });
    let refused = refused.unwrap();
    assert_eq!((refused.status, acknowledged.len()), (503, 20), "{refused:?}");
    assert!(refused.header("retry-after").unwrap().parse::<u32>().unwrap() > 0);
    eventually("it is not ready", || get(port, "/readyz").unwrap().status == 503);
    assert_eq!(event_ids(&export(&stage)), acknowledged);
    stage.raise_message_limit(30);
    eventually("it is ready again", || get(port, "/readyz").unwrap().status == 200);
    assert_eq!(post(port, &[JSON], event("afterwards", "a-client").to_string()).unwrap().status, 200);
    acknowledged.insert("afterwards".to_owned());
    assert_eq!(event_ids(&export(&stage)), acknowledged);
    ingest.stop();
}
