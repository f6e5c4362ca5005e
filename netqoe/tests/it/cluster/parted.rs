//! A log that three servers keep, of which a network parts one after the other from the rest. It wants root and a packet
//! filter, and takes minutes: `cargo xtask soak` runs it.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use crate::cluster::three_servers::ThreeServers;
use crate::support::{event, eventually, post};

/// How long each part lasts at least, and how long the network is whole in between.
const EACH: Duration = Duration::from_secs(20);
const JSON: [(&str, &str); 1] = [("Content-Type", "application/json")];

#[test]
#[ignore = "takes minutes and wants root; `cargo xtask soak` runs it"]
fn who_is_connected_to_a_parted_server_goes_to_another_and_nothing_is_lost() {
    let cluster = ThreeServers::under_load();
    for name in cluster.rig.nats.names() {
        std::thread::sleep(EACH);
        let part = cluster.rig.nats.part(&name).unwrap();
        let parted = Instant::now();
        // All of it while the part lasts. What was confirmed just before it is no answer.
        std::thread::sleep(Duration::from_secs(1));
        let (_, furthest) = cluster.audit.reached().unwrap();
        for (number, port) in cluster.ports.iter().enumerate() {
            eventually("ingest takes events", || {
                let event = event(&format!("soak-{name}-{number}"), "soak").to_string();
                post(port.load(Ordering::SeqCst), &JSON, event).is_ok_and(|answer| answer.status == 200)
            });
            println!("{name} is parted: ingest {number} takes events after {:.1?}", parted.elapsed());
        }
        cluster.read_on_beyond(furthest);
        println!("{name} is parted: every partition is read on after {:.1?}", parted.elapsed());
        std::thread::sleep(EACH.saturating_sub(parted.elapsed()));
        drop(part);
        cluster.rig.nats.wait_until_healthy().unwrap();
    }
    std::thread::sleep(EACH);
    let copies_differ = !cluster.keeps_copies();
    cluster.settle(copies_differ);
}
