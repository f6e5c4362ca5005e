//! A log that is not what it was stops the cluster, which says what to do and touches no row.

use std::path::Path;
use std::process::Command;

use netqoe_testbed::Database;
use serde_json::json;

use crate::cluster_support::{Audit, Rig, Shape, Tables};
use crate::support::{JSON, Server, event, eventually, post};

const ALONE: Shape = Shape { processes: 1, workers: 1 };
const TWO: Shape = Shape { processes: 2, workers: 1 };

/// A cluster with a hundred events in its rows, all of them final.
fn worked() -> (Database, Audit, Rig) {
    let database = Database::fresh().unwrap();
    let audit = Audit::install(database.url());
    let rig = Rig::new(database.url());
    let group = rig.working_group(ALONE);
    let (ingest, port) = rig.ready_ingest();
    send(&port, 100);
    group.settle(&audit, rig.lines());
    group.stop(0);
    ingest.stop();
    (database, audit, rig)
}

fn send(port: &std::sync::atomic::AtomicU16, events: usize) {
    let events: Vec<_> =
        (0..events).map(|number| event(&format!("e-{number}"), &format!("c-{}", number % 9))).collect();
    let port = port.load(std::sync::atomic::Ordering::SeqCst);
    assert_eq!(post(port, &[JSON], json!(events).to_string()).unwrap().status, 200);
}

/// Every process ends and at least one says why, in one line; the store is as it was.
#[track_caller]
fn check_end(processes: Vec<Server>, database: &Database, before: &Tables, says: &str) {
    let ends: Vec<_> = processes.into_iter().map(Server::wait).collect();
    let logs: String = ends.iter().map(|(_, log)| log.as_str()).collect();
    assert!(ends.iter().all(|(code, _)| matches!(code, Some(1 | 3))), "{logs}");
    let said: Vec<_> = logs.lines().filter(|line| line.starts_with("netqoe: ") && line.contains(says)).collect();
    assert!(!said.is_empty(), "{logs}");
    let what_to_do = ["with an empty store", "use a store of its own"];
    assert!(said.iter().all(|line| what_to_do.iter().any(|what| line.contains(what))), "{said:?}");
    assert!(!logs.contains("panicked"), "{logs}");
    let after = Tables::postgres(database.url());
    // The clock may have passed a look before the log was gone, at which there was nothing to tell.
    assert!(after.incidents_through >= before.incidents_through);
    assert_eq!(Tables { incidents_through: before.incidents_through, ..after }, *before);
}

/// Does something to the stream.
fn with_stream(rig: &Rig, change: impl AsyncFnOnce(async_nats::jetstream::Context)) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let client = async_nats::connect(rig.nats.url()).await.unwrap();
        change(async_nats::jetstream::new(client)).await;
    });
}

const STREAM: &str = "telemetry-events";

fn delete(rig: &Rig) {
    with_stream(rig, async |jetstream| _ = jetstream.delete_stream(STREAM).await.unwrap());
}

fn purge(rig: &Rig) {
    with_stream(rig, async |jetstream| _ = jetstream.get_stream(STREAM).await.unwrap().purge().await.unwrap());
}

#[test]
fn a_stream_that_was_made_anew_is_refused() {
    let (database, _audit, rig) = worked();
    let before = Tables::postgres(database.url());
    delete(&rig);
    // Made anew by whoever comes first, and full of other events.
    let (ingest, port) = rig.ready_ingest();
    send(&port, 200);
    for shape in [ALONE, TWO] {
        check_end(rig.group(shape).processes, &database, &before, "holds results of log");
    }
    ingest.stop();
}

#[test]
fn a_stream_that_is_made_anew_while_it_is_read_stops_the_cluster() {
    let (database, _audit, rig) = worked();
    let before = Tables::postgres(database.url());
    let group = rig.working_group(TWO);
    delete(&rig);
    let (ingest, port) = rig.ready_ingest();
    send(&port, 200);
    check_end(group.processes, &database, &before, "while it was in use");
    ingest.stop();
}

#[test]
fn a_stream_that_is_deleted_stops_the_cluster() {
    let (database, _audit, rig) = worked();
    let before = Tables::postgres(database.url());
    let group = rig.working_group(TWO);
    delete(&rig);
    check_end(group.processes, &database, &before, "it was deleted while it was in use");
}

#[test]
fn records_that_were_purged_before_they_were_read_are_missed() {
    let (database, _audit, rig) = worked();
    let before = Tables::postgres(database.url());
    let (ingest, port) = rig.ready_ingest();
    send(&port, 200);
    purge(&rig);
    for shape in [ALONE, TWO] {
        check_end(rig.group(shape).processes, &database, &before, "discarded records that were not processed yet");
    }
    ingest.stop();
}

/// What was read is not needed any more.
#[test]
fn records_that_were_processed_may_go() {
    let (_database, audit, rig) = worked();
    let group = rig.working_group(TWO);
    purge(&rig);
    let (ingest, port) = rig.ready_ingest();
    send(&port, 50);
    group.settle(&audit, 150);
    group.stop(1);
    ingest.stop();
    assert_eq!(audit.problems(), Vec::<String>::new());
}

/// The server comes back with the streams of an earlier day: first as they were, then with other events after them.
#[test]
fn a_stream_that_was_set_back_is_refused() {
    let database = Database::fresh().unwrap();
    let audit = Audit::install(database.url());
    let mut rig = Rig::new(database.url());
    let (ingest, port) = rig.ready_ingest();
    let group = rig.working_group(TWO);
    send(&port, 50);
    group.settle(&audit, 50);
    group.stop(0);
    ingest.stop();
    rig.nats.stop().unwrap();
    let backup = tempfile::tempdir().unwrap();
    copy(&rig.nats.store(), backup.path());
    rig.nats.restart().unwrap();

    let group = rig.working_group(TWO);
    let (ingest, port) = rig.ready_ingest();
    send(&port, 70);
    group.settle(&audit, 120);
    let before = Tables::postgres(database.url());
    // The cluster works on while the server is down, and finds another log.
    rig.nats.stop().unwrap();
    std::fs::remove_dir_all(rig.nats.store()).unwrap();
    copy(&backup.path().join("store"), rig.nats.store().parent().unwrap());
    rig.nats.restart().unwrap();
    check_end(group.processes, &database, &before, "lost its tail");
    check_end(rig.group(ALONE).processes, &database, &before, "lost its tail");

    // More records than there were, and none of them those.
    eventually("ingest goes on", || {
        (0..50).all(|number| {
            let event = event(&format!("other-{number}"), &format!("c-{}", number % 9)).to_string();
            let port = port.load(std::sync::atomic::Ordering::SeqCst);
            post(port, &[JSON], event).is_ok_and(|answer| answer.status == 200)
        }) && rig.lines() > 200
    });
    for shape in [ALONE, TWO] {
        check_end(rig.group(shape).processes, &database, &before, "written anew");
    }
    ingest.stop();
}

/// A folder with all that is in it, by its name, into another.
fn copy(from: &Path, into: &Path) {
    assert!(Command::new("cp").arg("-a").args([from, into]).status().unwrap().success());
}
