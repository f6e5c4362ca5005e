//! A log that three servers keep, of which a network parts one after the other from the rest. It wants root and a packet
//! filter, and takes minutes: `cargo xtask soak` runs it.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use netqoe_testbed::{Database, NatsCluster};

use crate::cluster_support::{Audit, Load, Rig, Shape, Verdict};
use crate::support::{Server, event, eventually, post};

/// How long each part lasts at least, and how long the network is whole in between.
const EACH: Duration = Duration::from_secs(20);
const JSON: [(&str, &str); 1] = [("Content-Type", "application/json")];

#[test]
#[ignore = "takes minutes and wants root; `cargo xtask soak` runs it"]
fn who_is_connected_to_a_parted_server_goes_to_another_and_nothing_is_lost() {
    let database = Database::fresh().unwrap();
    let audit = Audit::install(database.url());
    let mut rig = Rig::on(NatsCluster::start().unwrap(), database.url());
    rig.environment.push(("NETQOE_STREAM_REPLICAS", "3".to_owned()));
    // As where the leader is lost: a shorter one lets the servers' copies differ.
    rig.environment.push(("NETQOE_STREAM_DUPLICATE_WINDOW", "2m".to_owned()));
    let (ingests, ports): (Vec<_>, Vec<_>) = [rig.ready_ingest(), rig.ready_ingest()].into_iter().unzip();
    let group = rig.working_group(Shape { processes: 2, workers: 1 });
    let load = Load::start(8, &ports, &rig.nats.url());
    for name in rig.nats.names() {
        std::thread::sleep(EACH);
        let part = rig.nats.part(&name).unwrap();
        let parted = Instant::now();
        // All of it while the part lasts. What was confirmed just before it is no answer.
        std::thread::sleep(Duration::from_secs(1));
        let furthest = audit.reached().map(|(_, furthest)| furthest);
        for (number, port) in ports.iter().enumerate() {
            eventually("ingest takes events", || {
                let event = event(&format!("soak-{name}-{number}"), "soak").to_string();
                post(port.load(Ordering::SeqCst), &JSON, event).is_ok_and(|answer| answer.status == 200)
            });
            println!("{name} is parted: ingest {number} takes events after {:.1?}", parted.elapsed());
        }
        eventually("every partition is read on", || audit.reached().map(|(all, _)| all) > furthest);
        println!("{name} is parted: every partition is read on after {:.1?}", parted.elapsed());
        std::thread::sleep(EACH.saturating_sub(parted.elapsed()));
        drop(part);
        rig.nats.wait_until_healthy().unwrap();
    }
    std::thread::sleep(EACH);
    let sent = load.stop();
    ingests.into_iter().for_each(Server::stop);
    group.settle(&audit, rig.lines());
    group.stop(0);
    let verdict = Verdict::of(&rig, database.url(), &audit, &sent);
    println!("{} events sent, {} requests sent again; {}", sent.events, sent.retries, verdict.figures);
    assert_eq!(verdict.problems, Vec::<String>::new());
}
