//! What is true of PostgreSQL alone: how the store gets to a server, and what happens when the server fails it.

mod admission;
mod failures;
mod pgbouncer;
mod settings;
mod takeover;
mod tls;

use std::sync::Arc;
use std::time::{Duration, Instant};

use netqoe_model::{
    AggregateRow, Checkpoint, DEFAULT_PARTITIONS, Ledger, LogIdentity, LogTime, PartitionCommit, Position, WindowRow,
    WindowStart,
};
use netqoe_sinks::{PostgresOptions, PostgresStore, StoreError};
use postgres::{Client, NoTls};

fn connect(url: &str) -> Result<PostgresStore, StoreError> {
    PostgresStore::connect(url, &PostgresOptions::default(), Arc::new(|| 1))
}

/// Writes a file into the server's folder, as the user that the server runs as: it trusts no other's.
fn write_file(client: &mut Client, name: &str, content: &str) {
    let lines = content.lines().map(|line| format!("('{}')", line.replace('\'', "''"))).collect::<Vec<_>>().join(",");
    client.batch_execute(&format!("COPY (VALUES {lines}) TO PROGRAM 'umask 077; cat > {name}'")).unwrap();
}

fn log() -> LogIdentity {
    LogIdentity { id: "live".to_owned(), partitions: DEFAULT_PARTITIONS }
}

/// One event that was read, and its row.
fn commit(processed: u64) -> PartitionCommit {
    let start_ms = processed.cast_signed() * 60_000;
    let window = WindowRow {
        start: WindowStart::from_ms(start_ms),
        is_final: true,
        as_of: LogTime::from_ms(start_ms + 180_000),
        count_success: 1,
        errors: [0; 5],
        percentiles: [None; 5],
        network: None,
        tags: None,
    };
    PartitionCommit {
        checkpoint: Checkpoint {
            resume_from: Position(processed),
            processed: Position(processed),
            ledger: Ledger { read: processed, accepted: processed, ..Ledger::default() },
            ..Checkpoint::default()
        },
        rows: vec![AggregateRow {
            client_id: "a".into(),
            target: "x".into(),
            window,
            diagnosis: None,
            ended_runs: vec![],
            pair_state: None,
        }],
        clients: vec![],
        dead_letters: vec![],
        looks: Vec::new(),
        waiting: Vec::new(),
        oldest_record: None,
    }
}

/// Everything up to this commit is there, once, and nothing else.
#[track_caller]
fn assert_committed_through(url: &str, processed: u64) {
    let mut client = Client::connect(url, NoTls).unwrap();
    let sums = client.query_one("SELECT count(*), coalesce(sum(count_total), 0)::bigint FROM agg_1m", &[]).unwrap();
    let rows: (i64, i64) = (sums.get(0), sums.get(1));
    let checkpoint = client.query_one("SELECT processed, read, accepted FROM checkpoint", &[]).unwrap();
    let reached = [0, 1, 2].map(|column| checkpoint.get::<_, i64>(column));
    let expected = processed.cast_signed();
    assert_eq!((rows, reached), ((expected, expected), [expected; 3]));
}

/// Waits until so many commits are there.
fn wait_for_commits(url: &str, count: u64) {
    let mut client = Client::connect(url, NoTls).unwrap();
    let processed = "SELECT coalesce(max(processed), 0) FROM checkpoint";
    eventually(|| client.query_one(processed, &[]).unwrap().get::<_, i64>(0) >= count.cast_signed());
}

/// Waits for what the server or another thread will do. The bound is for a test that fails, not for a slow machine.
#[track_caller]
fn eventually(mut happened: impl FnMut() -> bool) {
    let started = Instant::now();
    while !happened() {
        assert!(started.elapsed() < Duration::from_secs(120), "waited two minutes in vain");
        std::thread::sleep(Duration::from_millis(5));
    }
}
