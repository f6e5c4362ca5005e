//! A process that is held still in the middle of a commit: the server ends its transaction, another takes over, and
//! when it wakes up it commits nothing.

use std::process::{Child, Command};
use std::thread::sleep;
use std::time::Duration;

use netqoe_model::{DiagnosisRules, Generation};
use netqoe_sinks::{Opening, Store, StoreError};
use netqoe_testbed::Database;
use postgres::{Client, NoTls};
use rustix::process::{Pid, Signal, kill_process};

use crate::postgres::{assert_committed_through, commit, connect, eventually, log, wait_for_commits};

const TEST: &str = "postgres::takeover::a_process_that_is_held_still_commits_nothing_when_it_wakes_up";

/// Tells the process that is held still which store to commit to.
const STORE_VARIABLE: &str = "NETQOE_TEST_HELD_STORE";

/// What that process ends with once it is told that another has taken over.
const FENCED: i32 = 42;

/// The tests start this program again as that process.
#[test]
fn a_process_that_is_held_still_commits_nothing_when_it_wakes_up() {
    if let Ok(url) = std::env::var(STORE_VARIABLE) {
        commit_until_fenced(&url);
    }
    let database = Database::fresh().unwrap();
    let mut store = connect(database.url()).unwrap();
    let mut process = Process::start(database.url());
    wait_for_commits(database.url(), 10);
    process.hold_in_a_commit(database.url());

    // The server gives the held process half a minute.
    let second = store.open(&log(), &Opening::default()).unwrap();
    assert_eq!(second, Generation(2));
    let resume = store.resume(second, &DiagnosisRules::default()).unwrap();
    let processed = resume.checkpoints[0].processed.0;
    assert_committed_through(database.url(), processed);

    process.signal(Signal::CONT);
    assert_eq!(process.0.wait().unwrap().code(), Some(FENCED));
    assert_committed_through(database.url(), processed);
}

fn commit_until_fenced(url: &str) {
    let mut store = connect(url).unwrap();
    let generation = store.open(&log(), &Opening::default()).unwrap();
    for processed in 1.. {
        match store.commit(generation, &[commit(processed)]) {
            Ok(()) => {}
            Err(StoreError::Fenced { .. }) => std::process::exit(FENCED),
            Err(error) => panic!("{error}"),
        }
    }
}

/// A process that commits, and is gone with this value.
struct Process(Child);

impl Process {
    fn start(url: &str) -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        Self(command.args(["--exact", TEST]).env(STORE_VARIABLE, url).spawn().unwrap())
    }

    /// Stops it again and again, until it is in the middle of a transaction that holds the fence.
    fn hold_in_a_commit(&self, url: &str) {
        let mut client = Client::connect(url, NoTls).unwrap();
        let holding = "SELECT count(*) FROM pg_stat_activity JOIN pg_locks USING (pid)
                       WHERE application_name = 'netqoe' AND datname = current_database()
                         AND state = 'idle in transaction' AND relation = 'fence'::regclass AND mode = 'RowShareLock'";
        eventually(|| {
            self.signal(Signal::STOP);
            // What it had asked before is answered meanwhile.
            sleep(Duration::from_millis(20));
            let is_held = client.query_one(holding, &[]).unwrap().get::<_, i64>(0) > 0;
            if !is_held {
                self.signal(Signal::CONT);
            }
            is_held
        });
    }

    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_raw(self.0.id().cast_signed()).unwrap(), signal).unwrap();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended.
        drop((self.0.kill(), self.0.wait()));
    }
}
