//! What a process that can't be part of the cluster says, in one line.

use std::net::TcpListener;
use std::path::PathBuf;
use std::process::Command;

use netqoe_testbed::Database;

use crate::cluster_support::{Rig, Shape};
use crate::support::Server;

const TWO: Shape = Shape { processes: 2, workers: 1 };

/// This command ends by itself, for a reason that it says in one line.
#[track_caller]
fn check(command: Command, says: &str) {
    let (code, log) = Server::run(command, std::sync::Arc::default()).wait();
    assert_eq!(code, Some(1), "{log}");
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
fn numbers_and_addresses_that_make_no_cluster_are_named() {
    let database = Database::fresh().unwrap();
    let rig = Rig::new(database.url());
    let hosts = rig.hosts(2);
    check(rig.aggregate(&hosts, TWO, 2), "-p 2 is none of 2 processes");
    check(rig.aggregate(&hosts, Shape { processes: 3, workers: 1 }, 0), "names 2 processes, -n asks for 3");
    check(rig.aggregate(&PathBuf::from("/nowhere/hosts"), TWO, 0), "can't read the host file /nowhere/hosts");

    let taken = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let address = taken.local_addr().unwrap();
    let theirs = hosts.with_file_name("taken");
    std::fs::write(&theirs, format!("{address}\n127.0.0.1:1\n")).unwrap();
    check(rig.aggregate(&theirs, TWO, 0), &format!("can't listen on {address} for the other processes"));
    let mut command = rig.aggregate(&hosts, Shape { processes: 1, workers: 1 }, 0);
    command.env("NETQOE_PORT", address.port().to_string());
    std::fs::write(&theirs, "0.0.0.0:0\n127.0.0.1:1\n").unwrap();
    check(rig.aggregate(&theirs, TWO, 0), "--cluster-secret-file");
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
