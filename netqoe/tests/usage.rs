//! What is wrong is said in one line, and the exit code tells what kind of wrong it is.

#![allow(clippy::unwrap_used)] // nothing here but tests

mod support;

use std::net::TcpListener;

use support::netqoe;

#[track_caller]
fn check(arguments: &[&str], code: i32, says: &str) {
    let output = netqoe().args(arguments).output().unwrap();
    let message = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {message}");
    let lines: Vec<_> = message.lines().filter(|line| line.starts_with("netqoe: ")).collect();
    assert_eq!(lines.len(), 1, "{message}");
    assert!(lines[0].contains(says), "{message}");
}

#[test]
fn an_unknown_option_or_key_is_wrong_usage() {
    check(&["up", "--frobnicate"], 2, "--frobnicate");
    check(&["replay", "--store", "mysql://x"], 2, "sqlite:PATH");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("netqoe.toml");
    for (text, says) in [
        ("[up]\nfrobnicate = 1", "unknown key `up.frobnicate`"),
        ("[upp]\nport = 1", "unknown key `upp`"),
        ("[up]\nport = 70000", "70000"),
        ("[up\n", "is no TOML"),
    ] {
        std::fs::write(&file, text).unwrap();
        check(&["--config", file.to_str().unwrap(), "config", "check"], 2, says);
    }
}

#[test]
fn what_is_in_the_way_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().to_str().unwrap();
    let taken = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    check(&["up", "--data", data, "--port", &taken.local_addr().unwrap().port().to_string()], 1, "in use");
    check(&["up", "--data", "/dev/null/x", "--port", "0"], 1, "/dev/null/x");
    std::fs::write(folder.path().join("netqoe.db"), "this is no database, whatever its name says of it, is it?")
        .unwrap();
    check(&["up", "--data", data, "--port", "0"], 1, "netqoe.db");
    check(&["up", "--data", data, "--port", "0", "--listen", "0.0.0.0"], 1, "token");
    check(&["replay", "--input", "/nowhere.ndjson", "--store", "sqlite:/dev/null/x"], 1, "/nowhere.ndjson");
}

/// Flag over variable over file over default.
#[test]
fn the_nearest_value_counts() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("netqoe.toml");
    std::fs::write(&file, "[up]\nport = 1111\ndemo = true").unwrap();
    let shown = |variable: Option<&str>| {
        let mut command = netqoe();
        command.args(["--config", file.to_str().unwrap(), "up", "--help"]);
        command.envs(variable.map(|port| ("NETQOE_PORT", port)));
        String::from_utf8(command.output().unwrap().stdout).unwrap()
    };
    assert!(shown(None).contains("[default: 1111]"));
    assert!(shown(Some("2222")).contains("NETQOE_PORT=2222"));
}
