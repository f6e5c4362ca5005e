//! Commands that only read make no stream, and change none.

use futures::TryStreamExt;

use crate::jetstream::stage::{Stage, failed};

/// Names and subjects of all streams of the server.
fn streams(stage: &Stage) -> Vec<(String, Vec<String>)> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let client = async_nats::connect(stage.nats.url()).await.unwrap();
        let streams = async_nats::jetstream::new(client).streams();
        streams.map_ok(|info| (info.config.name, info.config.subjects)).try_collect().await.unwrap()
    })
}

/// Each command that reads a log or its dead letters fails so with these options, and has made no store.
#[track_caller]
fn check(stage: &Stage, options: &[&str], says: &str) {
    let store = stage.store("replayed.db");
    for command in [
        &["log", "export"][..],
        &["replay", "--store", &store],
        &["dlq", "list"],
        &["dlq", "show", "1"],
        &["dlq", "replay", "1"],
        &["dlq", "purge", "--all"],
    ] {
        failed(&stage.run(&[command, options].concat()), 1, says);
    }
    assert!(!stage.path("replayed.db").exists());
}

#[test]
fn what_only_reads_makes_no_stream_and_changes_none() {
    let stage = Stage::new();
    let url = stage.nats.url();
    check(
        &stage,
        &[],
        &format!("there is no stream telemetry-events at {url}; no stream there takes telemetry.events"),
    );
    assert_eq!(streams(&stage), []);

    let (ingest, _) = stage.ingest();
    let made = streams(&stage);
    let other = "telemetry.events goes to stream telemetry-events there: name that one";
    check(&stage, &["--stream", "telemetry-event"], &format!("there is no stream telemetry-event at {url}; {other}"));
    check(
        &stage,
        &["--subject", "telemetry.event"],
        "it takes telemetry.events, telemetry.events.*, not telemetry.event;",
    );
    for command in [&["dlq", "list"][..], &["dlq", "purge", "1"]] {
        let none = format!("there is no stream telemetry-dlq at {url}; no stream there takes telemetry.dlq");
        failed(&stage.run(command), 1, &none);
    }
    assert_eq!(streams(&stage), made);
    ingest.stop();
}
