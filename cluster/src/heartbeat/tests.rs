use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};

use netqoe_dataflow::Epochs;
use netqoe_model::Generation;

use super::*;

/// How long anything may take on a busy machine.
const LONG: Duration = Duration::from_secs(60);

fn pair(takeover: Duration) -> (Heartbeat, Heartbeat) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let calling = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (called, _) = listener.accept().unwrap();
    let first = Heartbeat::start(0, vec![None, Some(calling)], takeover).unwrap();
    (first, Heartbeat::start(1, vec![Some(called), None], takeover).unwrap())
}

fn eventually(is_so: impl Fn() -> bool) {
    let started = Instant::now();
    while !is_so() {
        assert!(started.elapsed() < LONG);
        std::thread::sleep(Duration::from_millis(1));
    }
}

fn lost(heartbeat: &Heartbeat) -> Lost {
    eventually(|| heartbeat.lost().is_some());
    heartbeat.lost().unwrap()
}

#[test]
fn epochs_keep_up_with_each_other_in_both_directions() {
    let (one, two) = pair(LONG);
    let (here, there) = (Arc::new(Epochs::default()), Arc::new(Epochs::default()));
    here.take();
    one.carry(&here);
    eventually(|| two.shared.state.lock().news.furthest() == 1);
    two.carry(&there);
    assert_eq!(there.next(), 1, "what was told before is not lost");
    for _ in 0..1000 {
        there.take();
    }
    eventually(|| here.next() == 1001);
    here.take();
    eventually(|| there.next() == 1002);
}

#[test]
fn the_generation_is_the_one_that_process_0_announces() {
    let (one, two) = pair(LONG);
    assert_eq!(two.generation(|| true), None);
    one.announce(Generation(7));
    assert_eq!(two.generation(|| false), Some(Generation(7)));
}

#[test]
fn a_process_that_leaves_says_so_and_one_that_falls_silent_is_noticed() {
    for (how, what_to_do) in [(Loss::AskedToStop, "start all of them again"), (Loss::TakenOver, "run only one")] {
        let (one, two) = pair(LONG);
        one.leave(&how);
        let lost = lost(&two);
        assert!(lost.to_string().contains(what_to_do), "{lost}");
        assert_eq!(lost, Lost { process: 0, how });
    }

    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let silent = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let connections = vec![None, Some(listener.accept().unwrap().0)];
    let alone = Heartbeat::start(0, connections, HEARTBEAT_EVERY).unwrap();
    assert_eq!(lost(&alone).how, Loss::Silent);
    drop(silent);
}
