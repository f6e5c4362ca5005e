//! A process that is killed while it appends.

use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};

use super::*;

/// Tells the child process its data file.
const DATA_FILE: &str = "NETQOE_TEST_DATA_FILE";

/// Not a test of its own: the process that the test below kills. Prints each number once it is durable.
#[test]
fn child_that_appends_for_ever() {
    let Ok(path) = std::env::var(DATA_FILE) else { return };
    let log = SqliteLog::open(path.as_ref(), Bench::new().options()).unwrap();
    let mut out = std::io::stdout();
    for n in 0_u64.. {
        append(&log, (n % 16) as u16, &format!("{{\"n\":{n}}}")).unwrap();
        writeln!(out, "durable {n}").unwrap();
        out.flush().unwrap();
    }
}

#[test]
fn a_killed_process_loses_nothing_that_it_answered() {
    let bench = Bench::new();
    let mut answered = 0;
    for round in 1..=3 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["log::crash::child_that_appends_for_ever", "--exact", "--nocapture"])
            .env(DATA_FILE, &bench.path)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        let durable = lines.filter(|line| line.contains("durable")).take(20 * round).count() as u64;
        child.kill().unwrap();
        child.wait().unwrap();
        assert_eq!(durable, 20 * round as u64);
        answered += durable;

        let mut exported = Vec::new();
        let lines = SqliteLog::export(&bench.path, &mut exported).unwrap();
        assert!(lines >= answered, "{lines} lines in the log, {answered} answered");
        let log = bench.open();
        let in_log = drain(&mut *reader(&log, 0..16));
        assert_eq!(in_log.len() as u64, lines);
        // What was written and not answered counts for the rounds after it.
        answered = lines;
        log.close();
    }
}
