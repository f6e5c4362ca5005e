//! How a cluster ends: all of it, with exit codes that a supervisor can tell apart.

use netqoe_testbed::Database;

use crate::cluster_support::{Audit, Load, Rig, Shape, Verdict};
use crate::support::{Server, eventually};

const TWO: Shape = Shape { processes: 2, workers: 1 };

#[test]
fn one_that_is_killed_takes_the_others_with_it() {
    let database = Database::fresh().unwrap();
    let rig = Rig::new(database.url());
    for killed in 0..TWO.processes {
        let mut processes = rig.working_group(TWO).processes;
        processes.remove(killed).kill();
        let (code, log) = processes.remove(0).wait();
        assert_eq!(code, Some(3), "{log}");
        let said: Vec<_> = log.lines().filter(|line| line.starts_with("netqoe: ")).collect();
        assert_eq!(said.len(), 1, "{log}");
        assert!(said[0].contains("lost") && said[0].ends_with("start all of them again"), "{log}");
        assert!(!log.contains("panicked") && !log.contains("timely"), "{log}");
    }
}

#[test]
fn one_that_is_asked_to_stop_ends_well_and_the_others_commit_what_they_have_read() {
    let database = Database::fresh().unwrap();
    let audit = Audit::install(database.url());
    let rig = Rig::new(database.url());
    let (ingest, port) = rig.ready_ingest();
    for asked in 0..TWO.processes {
        let group = rig.working_group(TWO);
        let before = audit.commits().unwrap();
        let load = Load::start(asked as u64, std::slice::from_ref(&port), &rig.nats.url());
        eventually("the load is committed", || audit.commits() > Some(before + 10));
        group.stop(asked);
        load.stop();
    }
    ingest.stop();
}

/// A second cluster takes over. The first one's next commit is refused, upon which all of its processes end, and with a code
/// that tells their supervisors not to start them again.
#[test]
fn a_later_cluster_takes_over() {
    let database = Database::fresh().unwrap();
    let audit = Audit::install(database.url());
    let rig = Rig::new(database.url());
    let (ingest, port) = rig.ready_ingest();
    let first = rig.working_group(TWO);
    let second = rig.working_group(Shape { processes: 1, workers: 1 });
    let load = Load::start(7, &[port], &rig.nats.url());
    let ends: Vec<_> = first.processes.into_iter().map(Server::wait).collect();
    let sent = load.stop();
    ingest.stop();
    for (code, log) in &ends {
        assert_eq!(*code, Some(4), "{log}");
        assert!(log.lines().any(|line| line.starts_with("netqoe: ") && line.contains("taken over")), "{log}");
    }
    let taker = format!("of process {} on ", second.processes[0].id());
    assert!(ends.iter().any(|(_, log)| log.contains(&taker)), "one of them was told by the store: {ends:?}");
    second.settle(&audit, rig.lines());
    second.stop(0);
    let verdict = Verdict::of(&rig, database.url(), &audit, &sent);
    assert_eq!(verdict.problems, Vec::<String>::new());
}
