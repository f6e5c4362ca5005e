//! What comes late is counted by a cluster: its rows are those of a replay that counts it in its time, whenever its processes are killed.

use std::time::Duration;

use netqoe_testbed::{Database, PgBouncer};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use crate::cluster_support::{Audit, Load, Rig, Shape, Verdict};
use crate::support::{Server, eventually, gate_or_soak};

/// Loads a cluster, of whose events a twentieth come late, kills all of its processes again and again, and compares what they have written
/// with their log.
#[track_caller]
fn check(database: &Database, database_url: &str, seed: u64, shape: Shape) {
    let audit = Audit::install(database.url());
    let mut rig = Rig::new(database_url);
    rig.correct();
    let (ingest, port) = rig.ready_ingest();
    let load = Load::start(seed, &[port], &rig.nats.url());
    let mut random = StdRng::seed_from_u64(seed);
    let mut group = rig.working_group(shape);
    for _ in 0..gate_or_soak(2, 20) {
        // Corrections begin some seconds after the first late event, and from then on there is always one.
        std::thread::sleep(Duration::from_millis(random.random_range(500..8_000)));
        group.processes.into_iter().for_each(Server::kill);
        group = rig.working_group(shape);
    }
    eventually("rows are corrected", || audit.corrected_rows() > Some(0));
    let sent = load.stop();
    ingest.stop();
    group.settle(&audit, rig.lines());
    group.stop(0);
    let verdict = Verdict::of(&rig, database.url(), &audit, &sent);
    println!("{} events sent; {}; {:?} rows corrected", sent.events, verdict.figures, audit.corrected_rows());
    assert_eq!(verdict.problems, Vec::<String>::new());
    let [.., late, _] = verdict.figures.ledger;
    assert_eq!(late, 0, "nothing comes later than the horizon");
}

#[test]
fn two_processes_that_are_killed_again_and_again() {
    let database = Database::fresh().unwrap();
    check(&database, database.url(), 31, Shape { processes: 2, workers: 1 });
}

#[test]
fn three_workers_through_pgbouncer_that_are_killed_again_and_again() {
    let database = Database::fresh().unwrap();
    let bouncer = PgBouncer::start(database.url()).unwrap();
    check(&database, bouncer.url(), 32, Shape { processes: 1, workers: 3 });
}
