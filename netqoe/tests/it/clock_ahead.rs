//! A clock that is ahead for a while: nothing is late for it, and what was made late by one that was believed is healed.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::support::*;

/// A process whose clock this folder shifts.
fn shifted(data: &Path, clock: &Path, options: &[&str]) -> Server {
    let mut command = netqoe();
    command.args(["up", "--port", "0", "--data"]).arg(data).args(options);
    command.env("LD_PRELOAD", libfaketime()).env("FAKETIME_TIMESTAMP_FILE", clock);
    command.envs([("FAKETIME_NO_CACHE", "1"), ("FAKETIME_DONT_FAKE_MONOTONIC", "1"), ("FAKETIME_DONT_RESET", "1")]);
    Server::run(command, Arc::default())
}

/// Debian's, whatever the machine.
fn libfaketime() -> PathBuf {
    let folders = std::fs::read_dir("/usr/lib").unwrap().map(|entry| entry.unwrap().path());
    let mut found = folders.map(|folder| folder.join("faketime/libfaketimeMT.so.1")).filter(|file| file.exists());
    found.next().expect("package faketime: `cargo xtask test` installs it")
}

fn set(clock: &Path, offset: &str) {
    std::fs::write(clock, format!("{offset}\n")).unwrap();
}

fn send(port: u16, event_id: &str) -> u16 {
    post(port, &[JSON], event(event_id, "c").to_string()).unwrap().status
}

#[test]
fn a_clock_that_jumps_ahead_takes_no_events_and_makes_none_late() {
    let folder = tempfile::tempdir().unwrap();
    let (data, clock) = (folder.path().join("data"), folder.path().join("clock"));
    set(&clock, "+0");
    let mut up = shifted(&data, &clock, &[]);
    let port = up.port();
    assert_eq!(send(port, "before"), 200);
    set(&clock, "+86400");
    eventually("events are refused", || send(port, "during") == 503);
    set(&clock, "+0");
    eventually("service resumes by itself", || send(port, "after") == 200);
    up.stop();
    assert_eq!(ledger(&data.join(DATA_FILE))[1..], [2, 0, 0, 0], "accepted, duplicate, late, invalid");
}

#[test]
fn a_log_that_went_ahead_is_healed_and_then_says_what_it_would_have_said() {
    let folder = tempfile::tempdir().unwrap();
    let (data, clock) = (folder.path().join("data"), folder.path().join("clock"));
    let store = data.join(DATA_FILE);
    set(&clock, "+0");
    // A jump is believed at once, as one is that lasts.
    let mut up = shifted(&data, &clock, &["--believe-clock-after", "0s"]);
    let port = up.port();
    for n in 0..3 {
        assert_eq!(send(port, &format!("before-{n}")), 200);
    }
    set(&clock, "+7200");
    eventually("the clock is believed", || send(port, "during") == 200);
    set(&clock, "+0");
    assert_eq!(send(port, "after"), 200);
    eventually("health says it", || get(port, "/health").is_ok_and(|health| health.body.contains("ahead")));
    up.stop();
    assert_eq!(ledger(&store)[3], 2, "late");

    let heal = |options: &[&str]| {
        let mut command = netqoe();
        let output = command.args(["log", "heal-clock", "--data"]).arg(&data).args(options).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    let before = export(&data);
    assert!(heal(&["--dry-run"]).contains("nothing was changed"));
    assert_eq!(export(&data), before);
    heal(&[]);
    assert!(heal(&[]).contains("nothing to do"));

    let (up, port) = Server::start_and_wait(&data, &[]);
    assert_eq!(send(port, "healed"), 200);
    up.stop();
    assert_eq!(ledger(&store)[1..], [6, 0, 0, 0], "accepted, duplicate, late, invalid");
    let replayed = folder.path().join("replayed.db");
    replay(folder.path().join("none").as_path(), &export(&data), &replayed, &[]);
    assert_eq!(rows(&store), rows(&replayed));
}
