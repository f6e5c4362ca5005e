//! `netqoe aggregate --supervise`.

use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use netqoe_testbed::Database;

use crate::jetstream::stage::Stage;
use crate::support::{Server, eventually, get};

/// The process that a supervisor has started on this store.
fn supervised(store: &str) -> Option<u32> {
    process(store, |is_supervisor| !is_supervisor)
}

/// A process with this store on its command line.
fn process(store: &str, is_wanted: impl Fn(bool) -> bool) -> Option<u32> {
    let processes = Path::new("/proc").read_dir().unwrap().flatten();
    let is_it = |id: &u32| {
        let line = std::fs::read(format!("/proc/{id}/cmdline")).unwrap_or_default();
        let arguments: Vec<_> = line.split(|byte| *byte == 0).collect();
        arguments.contains(&store.as_bytes()) && is_wanted(arguments.contains(&&b"--supervise"[..]))
    };
    processes.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).find(is_it)
}

/// kill -9.
fn kill(process: u32) {
    assert!(Command::new("kill").args(["-KILL", &process.to_string()]).status().unwrap().success());
}

#[test]
fn what_is_killed_is_started_again_and_what_is_asked_to_stop_drains() {
    let stage = Stage::new();
    let store = stage.store("store.db");
    let mut command = stage.aggregate(&store);
    command.arg("--supervise");
    let mut supervisor = Server::run(command, Arc::default());
    let works = |port| get(port, "/readyz").is_ok_and(|answer| answer.status == 200);
    let port = supervisor.port();
    eventually("it works", || works(port));

    let first = supervised(&store).unwrap();
    kill(first);
    eventually("another one is there", || supervised(&store).is_some_and(|second| second != first));
    eventually("that works too", || works(supervisor.last_port()));
    assert!(supervisor.has_logged("it is started again in 500ms"));

    supervisor.signal("USR1");
    eventually("it is told to show all open windows", || supervisor.has_logged("showing all open windows"));
    supervisor.signal("HUP");
    eventually("it is told to read its configuration", || supervisor.has_logged("the configuration was read again"));
    supervisor.terminate();
    let (code, log) = supervisor.wait();
    assert_eq!(code, Some(0), "{log}");
    assert!(log.contains("drained"), "{log}");
    assert_eq!(supervised(&store), None);
}

#[test]
fn what_was_supervised_ends_with_its_supervisor() {
    let stage = Stage::new();
    let store = stage.store("store.db");
    let mut command = stage.aggregate(&store);
    command.arg("--supervise");
    let mut supervisor = Server::run(command, Arc::default());
    supervisor.port();
    assert!(supervised(&store).is_some());
    supervisor.kill();
    eventually("it has ended", || supervised(&store).is_none());
}

#[test]
fn what_a_terminal_tells_its_foreground_is_heard_once() {
    let stage = Stage::new();
    let store = stage.store("store.db");
    let mut command = stage.aggregate(&store);
    command.arg("--supervise").process_group(0);
    let mut supervisor = Server::run(command, Arc::default());
    supervisor.port();
    let group = process(&store, |is_supervisor| is_supervisor).unwrap();
    assert!(Command::new("kill").args(["-INT", "--", &format!("-{group}")]).status().unwrap().success());
    let (code, log) = supervisor.wait();
    assert_eq!(code, Some(0), "{log}");
    assert!(log.contains("drained"), "{log}");
}

/// Two supervised clusters on one store would otherwise take it from each other for ever.
#[test]
fn what_another_cluster_has_taken_over_is_not_started_again() {
    let stage = Stage::new();
    let database = Database::fresh().unwrap();
    let mut first = stage.aggregate(database.url());
    first.arg("--supervise");
    let mut first = Server::run(first, Arc::default());
    first.port();
    let mut second = stage.aggregate(database.url());
    second.arg("--supervise");
    let mut second = Server::run(second, Arc::default());
    second.port();
    stage.publish("telemetry.events", b"no event, and yet something to commit");
    let (code, log) = first.wait();
    assert_eq!(code, Some(4), "{log}");
    assert!(!log.contains("it is started again"), "{log}");
    assert!(log.contains("stop that one before this one is started again"), "{log}");
    second.stop();
}

/// A configuration that is no longer understood when the process is started again.
#[test]
fn wrong_usage_is_not_tried_again() {
    let stage = Stage::new();
    let store = stage.store("store.db");
    let configuration = stage.path("netqoe.toml");
    std::fs::write(&configuration, "").unwrap();
    let mut command = stage.aggregate(&store);
    command.arg("--supervise").env("NETQOE_CONFIG", &configuration);
    let mut supervisor = Server::run(command, Arc::default());
    supervisor.port();
    std::fs::write(&configuration, "[aggregate]\nfrobnicate = 1\n").unwrap();
    kill(supervised(&store).unwrap());
    let (code, log) = supervisor.wait();
    assert_eq!(code, Some(2), "{log}");
    assert_eq!(log.matches("it is started again").count(), 1, "{log}");
    assert!(log.contains("aggregate.frobnicate"), "{log}");
}
