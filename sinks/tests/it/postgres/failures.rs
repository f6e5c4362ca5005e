//! The server stops, an answer is lost, a transaction is killed: each commit is there once, and no more of any other.

use std::thread;
use std::time::Duration;

use netqoe_model::Generation;
use netqoe_sinks::{Opening, PostgresStore, Store, StoreError};
use netqoe_testbed::{CuttingProxy, PgBouncer, Postgres};
use postgres::{Client, NoTls};

use crate::postgres::{assert_committed_through, commit, connect, eventually, log, wait_for_commits};

/// How long the server stays away: long enough for a machine to start again, shorter than a commit is patient.
const OUTAGE: Duration = Duration::from_secs(20);

fn opened(url: &str) -> (PostgresStore, Generation) {
    let mut store = connect(url).unwrap();
    let generation = store.open(&log(), &Opening::default()).unwrap();
    (store, generation)
}

/// Commits one after the other, on a thread of their own, until told to stop. The last that was committed.
struct Committing {
    stop: std::sync::mpsc::Sender<()>,
    thread: thread::JoinHandle<u64>,
}

impl Committing {
    fn through(url: &str) -> Self {
        let (mut store, generation) = opened(url);
        let (stop, stopped) = std::sync::mpsc::channel::<()>();
        let thread = thread::spawn(move || {
            let mut processed = 0;
            while stopped.try_recv().is_err() {
                processed += 1;
                store.commit(generation, &[commit(processed)]).unwrap();
            }
            processed
        });
        Self { stop, thread }
    }

    fn stop(self) -> u64 {
        self.stop.send(()).unwrap();
        self.thread.join().unwrap()
    }
}

#[test]
fn commits_outlive_a_server_that_stays_away() {
    let mut server = Postgres::start().unwrap();
    let url = server.database().unwrap();
    let committing = Committing::through(&url);
    wait_for_commits(&url, 10);
    server.stop().unwrap();
    thread::sleep(OUTAGE);
    server.restart().unwrap();
    wait_for_commits(&url, 30);
    assert_committed_through(&url, committing.stop());
}

#[test]
fn commits_outlive_crashes_of_the_server() {
    let mut server = Postgres::start().unwrap();
    let url = server.database().unwrap();
    let committing = Committing::through(&url);
    for crash in 1..=5 {
        wait_for_commits(&url, 20 * crash);
        server.kill().unwrap();
        server.restart().unwrap();
    }
    wait_for_commits(&url, 120);
    assert_committed_through(&url, committing.stop());
}

#[test]
fn commits_outlive_a_pooler_that_is_started_again_and_a_server_behind_one() {
    let mut server = Postgres::start().unwrap();
    let url = server.database().unwrap();
    let mut pooler = PgBouncer::start(&url).unwrap();
    let committing = Committing::through(pooler.url());
    wait_for_commits(&url, 10);
    pooler.restart().unwrap();
    wait_for_commits(&url, 30);
    server.restart().unwrap();
    wait_for_commits(&url, 50);
    assert_committed_through(&url, committing.stop());
}

#[test]
fn a_commit_whose_answer_is_lost_counts_once() {
    let server = Postgres::start().unwrap();
    let url = server.database().unwrap();
    let proxy = CuttingProxy::start(([127, 0, 0, 1], server.port()).into()).unwrap();
    let through_proxy = url.replace(&format!(":{}/", server.port()), &format!(":{}/", proxy.address().port()));
    let (mut store, generation) = opened(&through_proxy);
    for processed in 1..=10 {
        proxy.cut_after(&["COMMIT"]);
        store.commit(generation, &[commit(processed)]).unwrap();
    }
    assert_eq!(proxy.cuts(), 10);
    assert_committed_through(&url, 10);
}

#[test]
fn a_killed_transaction_is_begun_again() {
    let server = Postgres::start().unwrap();
    let url = server.database().unwrap();
    let (mut store, generation) = opened(&url);
    store.commit(generation, &[commit(1)]).unwrap();
    let mut holder = Client::connect(&url, NoTls).unwrap();
    let mut held = holder.transaction().unwrap();
    held.batch_execute("LOCK TABLE checkpoint").unwrap();
    let committing = thread::spawn(move || store.commit(generation, &[commit(2)]));
    // Its rows are written, its progress is not.
    let mut killer = Client::connect(&url, NoTls).unwrap();
    let kill = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                WHERE application_name = 'netqoe' AND wait_event_type = 'Lock' AND datname = current_database()";
    eventually(|| !killer.query(kill, &[]).unwrap().is_empty());
    held.rollback().unwrap();
    committing.join().unwrap().unwrap();
    assert_committed_through(&url, 2);
}

/// A process that was stopped in the middle of a commit, and wakes up: its transaction holds the fence, so that a
/// takeover waits for its end. Then it is too late.
#[test]
fn a_takeover_waits_for_the_commit_that_is_under_way_and_ends_all_others() {
    let server = Postgres::start().unwrap();
    let url = server.database().unwrap();
    let (mut store, first) = opened(&url);
    store.commit(first, &[commit(1)]).unwrap();
    let mut holder = Client::connect(&url, NoTls).unwrap();
    let mut held = holder.transaction().unwrap();
    held.batch_execute("LOCK TABLE checkpoint IN EXCLUSIVE MODE").unwrap();
    let committing = thread::spawn(move || {
        let answers = [2, 3].map(|processed| store.commit(first, &[commit(processed)]));
        answers.map(|answer| answer.map_err(|error| matches!(error, StoreError::Fenced { .. })))
    });
    wait_for_waiting(&url, 1);
    let taking_over = thread::spawn({
        let url = url.clone();
        move || opened(&url).1
    });
    wait_for_waiting(&url, 2);
    held.rollback().unwrap();
    assert_eq!(taking_over.join().unwrap(), Generation(2));
    // The second may have come before the takeover; if it did not, it was refused.
    let answers = committing.join().unwrap();
    assert!(matches!(answers, [Ok(()), Ok(()) | Err(true)]), "{answers:?}");
    assert_committed_through(&url, if answers[1].is_ok() { 3 } else { 2 });
}

/// Waits until so many transactions wait for a lock.
fn wait_for_waiting(url: &str, count: usize) {
    let mut client = Client::connect(url, NoTls).unwrap();
    let waiting = "SELECT pid FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()";
    eventually(|| client.query(waiting, &[]).unwrap().len() >= count);
}

#[test]
fn a_server_that_does_not_come_back_is_given_up_in_one_line() {
    let mut server = Postgres::start().unwrap();
    let (mut store, generation) = opened(&server.database().unwrap());
    server.stop().unwrap();
    let lost = store.commit(generation, &[commit(1)]).unwrap_err();
    assert!(matches!(lost, StoreError::Lost { attempts: 14, .. }), "{lost:?}");
    assert!(lost.to_string().contains(&server.port().to_string()) && !lost.to_string().contains('\n'), "{lost}");
}
