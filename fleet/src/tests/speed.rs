//! What a look of a large fleet costs. It prints figures, and checks none: a test must not depend on the machine.

use std::sync::Arc;
use std::time::Instant;

use netqoe_model::{FleetRules, Label, Look, Network, Partition, Severity, Sighting, Standing, WindowStart};

use crate::Fleet;

const CLIENTS: usize = 1000;
const TARGETS: usize = 100;

fn look(minute: i64, is_degraded: impl Fn(usize, usize) -> bool) -> Look {
    let window = WindowStart::from_ms(minute * 60_000 - 60_000);
    let mut sightings = Vec::with_capacity(CLIENTS * TARGETS);
    let targets: Vec<Arc<str>> = (0..TARGETS).map(|target| format!("https://t{target}.example/").into()).collect();
    for client in 0..CLIENTS {
        let (site, isp) = (format!("site-{}", client / 5), format!("isp-{}", client % 12));
        let network =
            Network::named(Some(["wifi", "ethernet", "cellular"][client % 3]), Some(&isp), Some(&site)).map(Arc::new);
        let client_id: Arc<str> = format!("probe-{client}").into();
        for (target, name) in targets.iter().enumerate() {
            let degraded = Standing::Degraded(Label::HandshakeBound, Severity::Major);
            let standing = if is_degraded(client, target) { degraded } else { Standing::Healthy };
            let (client_id, network) = (Arc::clone(&client_id), network.clone());
            sightings.push(Sighting { client_id, target: Arc::clone(name), window, standing, network, tags: None });
        }
    }
    Look { partition: Partition(0), at: WindowStart::from_ms(minute * 60_000), sightings }
}

#[test]
#[ignore = "it measures: run it in release"]
fn a_large_fleet() {
    let mut fleet = Fleet::new(&FleetRules::default(), 60_000);
    let mut step = |name: &str, minute: i64, is_degraded: &dyn Fn(usize, usize) -> bool| {
        let look = look(minute, is_degraded);
        let began = Instant::now();
        let changes = fleet.advance(look.at, vec![look]);
        println!("{name}: {:?}, {} incidents changed, {:?}", began.elapsed(), changes.incidents.len(), changes.tally);
        changes.incidents.len()
    };
    step("the first look", 1, &|_, _| false);
    step("nothing changes", 2, &|_, _| false);
    assert_eq!(step("30 targets of 100", 3, &|_, target| target < 30), 30);
    step("and go on", 4, &|_, target| target < 30);
    step("and stand", 5, &|_, target| target < 30);
    step("they end", 6, &|_, _| false);
    (7..14).for_each(|minute| {
        step("quiet", minute, &|_, _| false);
    });
    step("300 clients of 1000", 14, &|client, _| client % 10 < 3);
    step("they end", 15, &|_, _| false);
    (16..23).for_each(|minute| {
        step("quiet", minute, &|_, _| false);
    });
    step("everything", 23, &|_, _| true);
    step("goes on", 24, &|_, _| true);
    step("ends", 25, &|_, _| false);
    let began = Instant::now();
    let stored = fleet.to_stored();
    println!("stored: {:?}, {} bytes", began.elapsed(), stored.len());
    let began = Instant::now();
    assert!(Fleet::restore(&stored, &FleetRules::default(), 60_000).is_some());
    println!("restored: {:?}", began.elapsed());
}
