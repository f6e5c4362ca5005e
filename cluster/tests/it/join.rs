//! How processes come together, and who is not let in.

use std::net::TcpListener;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use netqoe_cluster::{Cluster, ClusterError, Heartbeat, Loss, Lost, Membership, Rejection, Secret};
use netqoe_model::Generation;

/// How long anything may take on a busy machine.
const LONG: Duration = Duration::from_secs(60);

/// Addresses on which nothing listens.
fn addresses(processes: usize) -> Vec<String> {
    // All at the same time, so that no two are the same.
    let listeners: Vec<_> = (0..processes).map(|_| TcpListener::bind(("127.0.0.1", 0)).unwrap()).collect();
    listeners.iter().map(|listener| listener.local_addr().unwrap().to_string()).collect()
}

fn member(process: usize, addresses: &[String], secret: &str) -> Membership {
    Membership { process, addresses: addresses.to_vec(), secret: Secret::new(secret), takeover: LONG }
}

fn join(membership: Membership) -> JoinHandle<Result<Option<Cluster>, ClusterError>> {
    let started = Instant::now();
    std::thread::spawn(move || Cluster::join(&membership, || started.elapsed() > LONG))
}

fn lost(heartbeat: &Heartbeat) -> Lost {
    let started = Instant::now();
    while heartbeat.lost().is_none() && started.elapsed() < LONG {
        std::thread::sleep(Duration::from_millis(1));
    }
    heartbeat.lost().expect("a process is lost")
}

#[test]
fn processes_come_together_in_any_order() {
    let addresses = addresses(3);
    let joining = [2, 0, 1].map(|process| {
        let joining = join(member(process, &addresses, "of the cluster"));
        std::thread::sleep(Duration::from_millis(50));
        joining
    });
    let [two, zero, one] = joining.map(|joining| joining.join().unwrap().unwrap().expect("all have come"));
    zero.heartbeat.announce(Generation(7));
    for other in [&one, &two] {
        assert_eq!(other.heartbeat.generation(|| false), Some(Generation(7)));
    }
    one.heartbeat.leave(&Loss::AskedToStop);
    for other in [&zero, &two] {
        let lost = lost(&other.heartbeat);
        assert_eq!((lost.process, lost.how), (1, Loss::AskedToStop));
    }
}

#[test]
fn a_process_that_does_not_fit_is_rejected_and_the_first_waits_on() {
    let addresses = addresses(3);
    let given_up = AtomicBool::new(false);
    let first = member(0, &addresses[..2], "of the cluster");
    std::thread::scope(|scope| {
        let first =
            scope.spawn(|| Cluster::join(&first, || given_up.load(Ordering::SeqCst)).map(|joined| joined.is_some()));
        for (other, expected) in [
            (member(1, &addresses[..2], "of another"), Rejection::WrongSecret),
            (member(1, &addresses[..2], ""), Rejection::WrongSecret),
            (member(1, &addresses, "of the cluster"), Rejection::OtherMembers),
        ] {
            match join(other).join().unwrap().map(|joined| joined.is_some()) {
                Err(ClusterError::Rejected { process: 0, reason, .. }) => assert_eq!(reason, expected),
                other => panic!("{other:?}"),
            }
        }
        given_up.store(true, Ordering::SeqCst);
        assert!(!first.join().unwrap().unwrap());
    });
}

#[test]
fn an_address_that_others_reach_needs_a_secret() {
    let open = ["0.0.0.0:0".to_owned(), "127.0.0.1:1".to_owned()];
    let needed = join(member(0, &open, " \n")).join().unwrap().map(|joined| joined.is_some());
    assert!(matches!(needed, Err(ClusterError::SecretNeeded { .. })), "{needed:?}");
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let taken = [listener.local_addr().unwrap().to_string(), "127.0.0.1:1".to_owned()];
    let refused = join(member(0, &taken, "")).join().unwrap().map(|joined| joined.is_some());
    assert!(matches!(refused, Err(ClusterError::Listen { .. })), "{refused:?}");
}
