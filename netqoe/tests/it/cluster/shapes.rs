//! The rows are those of the log, for any number of processes and workers, and where it changes under load.

use std::time::Duration;

use netqoe_testbed::{Database, PgBouncer};

use crate::cluster_support::{Audit, Load, Rig, Shape, Verdict};
use crate::support::{Server, gate_or_soak};

/// How long each shape works under load: several windows. In the gate, and in a soak.
const EACH: [Duration; 2] = [Duration::from_secs(3), Duration::from_secs(10)];

/// Loads a cluster of one shape after the other, each asked to stop through another of its processes, and compares what
/// they have written with their log.
#[track_caller]
fn check(database: &Database, database_url: &str, seed: u64, shapes: &[(usize, usize)]) {
    let audit = Audit::install(database.url());
    let rig = Rig::new(database_url);
    let (ingests, ports): (Vec<_>, Vec<_>) = [rig.ready_ingest(), rig.ready_ingest()].into_iter().unzip();
    let load = Load::start(seed, &ports, &rig.nats.url());
    let mut shapes = shapes.iter().map(|&(processes, workers)| Shape { processes, workers }).enumerate().peekable();
    let last = loop {
        let (number, shape) = shapes.next().unwrap();
        let group = rig.working_group(shape);
        std::thread::sleep(gate_or_soak(EACH[0], EACH[1]));
        if shapes.peek().is_none() {
            break group;
        }
        group.stop(number % shape.processes);
    };
    let sent = load.stop();
    ingests.into_iter().for_each(Server::stop);
    last.settle(&audit, rig.lines());
    last.stop(0);
    let verdict = Verdict::of(&rig, database.url(), &audit, &sent);
    println!("{} events sent; {}", sent.events, verdict.figures);
    assert_eq!(verdict.problems, Vec::<String>::new());
}

#[test]
fn one_worker() {
    let database = Database::fresh().unwrap();
    check(&database, database.url(), 1, &[(1, 1)]);
}

#[test]
fn two_workers() {
    let database = Database::fresh().unwrap();
    check(&database, database.url(), 2, &[(1, 2)]);
}

#[test]
fn two_processes() {
    let database = Database::fresh().unwrap();
    check(&database, database.url(), 3, &[(2, 1)]);
}

#[test]
fn from_two_workers_to_one_and_back() {
    let database = Database::fresh().unwrap();
    check(&database, database.url(), 4, &[(1, 2), (1, 1), (1, 2)]);
}

#[test]
fn from_two_processes_to_one_and_back() {
    let database = Database::fresh().unwrap();
    check(&database, database.url(), 5, &[(2, 1), (1, 1), (2, 1)]);
}

#[test]
fn through_pgbouncer_in_transaction_mode() {
    let database = Database::fresh().unwrap();
    let bouncer = PgBouncer::start(database.url()).unwrap();
    check(&database, bouncer.url(), 6, &[(2, 1), (1, 2)]);
}
