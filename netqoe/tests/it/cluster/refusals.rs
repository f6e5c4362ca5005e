//! What a process that can't be part of the cluster says, in one line.

use std::net::TcpListener;
use std::path::PathBuf;
use std::process::Command;

use netqoe_testbed::Database;

use crate::cluster_support::{Rig, Shape};
use crate::support::Server;

const TWO: Shape = Shape { processes: 2, workers: 1 };

/// This command fails by itself, for a reason that it says in one line.
#[track_caller]
fn check(command: Command, says: &str) {
    check_code(command, 1, says);
}

/// The same, with another exit code.
#[track_caller]
fn check_code(command: Command, expected: i32, says: &str) {
    let (code, log) = Server::run(command, std::sync::Arc::default()).wait();
    assert_eq!(code, Some(expected), "{log}");
    let said: Vec<_> = log.lines().filter(|line| line.starts_with("netqoe: ")).collect();
    assert_eq!(said.len(), 1, "{log}");
    assert!(said[0].contains(says), "{log}");
    assert!(!log.contains("panicked"), "{log}");
}

/// Process 1 does not fit process 0, which waits on for one that does.
#[track_caller]
fn check_beside_the_first(rig: &Rig, hosts: &PathBuf, other: Command, says: &str) {
    let mut first = rig.aggregate(hosts, TWO, 0);
    first.env("NETQOE_CLUSTER_SECRET", "of the cluster");
    let first = Server::run(first, std::sync::Arc::default());
    check(other, says);
    first.stop();
}

#[test]
fn a_process_that_does_not_fit_is_sent_away() {
    let database = Database::fresh().unwrap();
    let rig = Rig::new(database.url());
    let hosts = rig.hosts(3);
    let mut stranger = rig.aggregate(&hosts, TWO, 1);
    stranger.env("NETQOE_CLUSTER_SECRET", "of another cluster");
    check_beside_the_first(&rig, &hosts, stranger, "refuses this one: it has another cluster secret");
    check_beside_the_first(&rig, &hosts, rig.aggregate(&hosts, TWO, 1), "it has another cluster secret");
    let mut of_three = rig.aggregate(&hosts, Shape { processes: 3, workers: 1 }, 1);
    of_three.env("NETQOE_CLUSTER_SECRET", "of the cluster");
    check_beside_the_first(&rig, &hosts, of_three, "it was given another -n, or this one another -p");
}

#[test]
fn addresses_that_cant_be_listened_on_are_named() {
    let database = Database::fresh().unwrap();
    let rig = Rig::new(database.url());
    let hosts = rig.hosts(2);
    let taken = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let address = taken.local_addr().unwrap();
    let theirs = hosts.with_file_name("taken");
    std::fs::write(&theirs, format!("{address}\n127.0.0.1:1\n")).unwrap();
    check(rig.aggregate(&theirs, TWO, 0), &format!("can't listen on {address} for the other processes"));
    std::fs::write(&theirs, "0.0.0.0:0\n127.0.0.1:1\n").unwrap();
    check_code(rig.aggregate(&theirs, TWO, 0), 2, "--cluster-secret-file");
}

#[test]
fn servers_that_are_not_there_are_named() {
    let database = Database::fresh().unwrap();
    let mut rig = Rig::new("postgres://postgres@127.0.0.1:1/postgres");
    let hosts = rig.hosts(1);
    let alone = Shape { processes: 1, workers: 1 };
    check(rig.aggregate(&hosts, alone, 0), "127.0.0.1:1");
    rig.database_url = database.url().to_owned();
    rig.nats.stop().unwrap();
    check(rig.aggregate(&hosts, alone, 0), "see that nats-server runs there");
}
