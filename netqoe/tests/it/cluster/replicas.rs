//! A log that three servers keep, of which the one that leads is lost under load, and comes back.

use std::time::Duration;

use netqoe_testbed::NatsCluster;

use crate::cluster::three_servers::ThreeServers;
use crate::support::{eventually, gate_or_soak};

/// How long the load goes on before, while a server is away, and after: several windows. In the gate, and in a soak.
const EACH: [Duration; 2] = [Duration::from_secs(3), Duration::from_secs(6)];
/// How often a leader is lost in a soak. The second time it is one that has followed another, or the one that came back.
const TIMES: usize = 2;
const STREAMS: [&str; 2] = ["telemetry-events", "telemetry-dlq"];

/// What the servers say of a stream.
struct Kept {
    copies: usize,
    leader: String,
    last: u64,
}

/// None while they choose who leads it.
fn kept(cluster: &NatsCluster, stream: &str) -> Option<Kept> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let client = async_nats::connect(cluster.url().split(',').collect::<Vec<_>>()).await.ok()?;
        let stream = async_nats::jetstream::new(client).get_stream(stream).await.ok()?;
        let info = stream.cached_info();
        let leader = info.cluster.as_ref()?.leader.clone()?;
        Some(Kept { copies: info.config.num_replicas, leader, last: info.state.last_sequence })
    })
}

/// Waits until the log is led by another server than that one.
fn led(cluster: &NatsCluster, not_by: &str) -> Kept {
    let mut log = None;
    eventually("the stream has a leader", || {
        log = kept(cluster, STREAMS[0]).filter(|log| log.leader != not_by);
        log.is_some()
    });
    log.unwrap()
}

#[test]
fn kill_9_of_the_leader_loses_nothing() {
    let mut cluster = ThreeServers::under_load();
    for stream in STREAMS {
        assert_eq!(kept(&cluster.rig.nats, stream).map(|kept| kept.copies), Some(3), "{stream}");
    }
    let each = gate_or_soak(EACH[0], EACH[1]);
    for _ in 0..gate_or_soak(1, TIMES) {
        std::thread::sleep(each);
        let killed = led(&cluster.rig.nats, "").leader;
        cluster.rig.nats.member(&killed).unwrap().kill().unwrap();
        let before = led(&cluster.rig.nats, &killed).last;
        eventually("two servers take events", || {
            kept(&cluster.rig.nats, STREAMS[0]).is_some_and(|log| log.last > before)
        });
        std::thread::sleep(each);
        cluster.rig.nats.member(&killed).unwrap().restart().unwrap();
        cluster.rig.nats.wait_until_healthy().unwrap();
    }
    std::thread::sleep(each);
    cluster.settle(false);
}
