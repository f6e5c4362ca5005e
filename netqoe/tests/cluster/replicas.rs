//! A log that three servers keep, of which the one that leads is lost under load, and comes back.

use std::time::Duration;

use netqoe_testbed::{Database, NatsCluster};

use crate::cluster_support::{Audit, Load, Rig, Shape, Verdict};
use crate::support::{Server, eventually};

/// How long the load goes on before, while a server is away, and after: several windows.
const EACH: Duration = Duration::from_secs(6);
/// How often a leader is lost. The second time it is one that has followed another, or the one that came back.
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
    let database = Database::fresh().unwrap();
    let audit = Audit::install(database.url());
    let mut rig = Rig::on(NatsCluster::start().unwrap(), database.url());
    rig.environment.push(("NETQOE_STREAM_REPLICAS", "3".to_owned()));
    // Each server decides for itself whether it knows a message's id. Where its window ends while others are behind, their
    // copies come to differ, in nats-server 2.9 at least; the aggregate sees that and stops.
    rig.environment.push(("NETQOE_STREAM_DUPLICATE_WINDOW", "2m".to_owned()));
    let (ingests, ports): (Vec<_>, Vec<_>) = [rig.ready_ingest(), rig.ready_ingest()].into_iter().unzip();
    let group = rig.working_group(Shape { processes: 2, workers: 1 });
    for stream in STREAMS {
        assert_eq!(kept(&rig.nats, stream).map(|kept| kept.copies), Some(3), "{stream}");
    }
    let load = Load::start(8, &ports, &rig.nats.url());
    for _ in 0..TIMES {
        std::thread::sleep(EACH);
        let killed = led(&rig.nats, "").leader;
        rig.nats.member(&killed).unwrap().kill().unwrap();
        let before = led(&rig.nats, &killed).last;
        eventually("two servers take events", || kept(&rig.nats, STREAMS[0]).is_some_and(|log| log.last > before));
        std::thread::sleep(EACH);
        rig.nats.member(&killed).unwrap().restart().unwrap();
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
