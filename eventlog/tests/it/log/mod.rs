//! The embedded log as its users see it: what is answered, what is read, and what is left after a crash.

mod append;
mod clock;
mod crash;
mod damage;
mod data_file;
mod export;
mod heal;
mod read;
mod retention;
mod search;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use futures::executor::block_on;
use netqoe_eventlog::{AppendError, Boot, EventLog, LogReader, SqliteLog, SqliteLogOptions, Start};
use netqoe_model::{Chunk, LogTime, Partition, Position};
use tempfile::TempDir;

/// A data file in a folder that goes with it, and a clock that stands still until it is set. Time passes with it.
struct Bench {
    _folder: TempDir,
    path: PathBuf,
    now_ms: Arc<AtomicI64>,
}

impl Bench {
    fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("netqoe.db");
        Self { _folder: folder, path, now_ms: Arc::new(AtomicI64::new(1_000)) }
    }

    fn set_clock(&self, ms: i64) {
        self.now_ms.store(ms, Ordering::SeqCst);
    }

    fn options(&self) -> SqliteLogOptions {
        let now_ms = Arc::clone(&self.now_ms);
        let clock = Arc::new(move || LogTime::from_ms(now_ms.load(Ordering::SeqCst)));
        let now_ms = Arc::clone(&self.now_ms);
        let uptime = Arc::new(move || Duration::from_millis(now_ms.load(Ordering::SeqCst).unsigned_abs()));
        SqliteLogOptions { boot: Boot { id: None, uptime }, ..SqliteLogOptions::new(clock, Arc::default()) }
    }

    fn open(&self) -> SqliteLog {
        SqliteLog::open(&self.path, self.options()).unwrap()
    }
}

fn append(log: &SqliteLog, partition: u16, line: &str) -> Result<LogTime, AppendError> {
    block_on(log.append(vec![(Partition(partition), line.as_bytes().to_vec())]))
}

fn start(partition: u16) -> Start {
    Start { partition: Partition(partition), from: Position(0), processed: Position(0), log_time: None }
}

/// A reader of these partitions from their beginning.
fn reader(log: &SqliteLog, partitions: impl IntoIterator<Item = u16>) -> Box<dyn LogReader> {
    log.reader(&partitions.into_iter().map(start).collect::<Vec<_>>()).unwrap()
}

/// Everything that a reader has left.
fn drain(reader: &mut dyn LogReader) -> Vec<Chunk> {
    let mut all = Vec::new();
    loop {
        let chunks = reader.read(1 << 20).unwrap();
        if chunks.is_empty() {
            return all;
        }
        all.extend(chunks);
    }
}

/// Partition, position and text of each.
fn texts(chunks: &[Chunk]) -> Vec<(u16, u64, &str)> {
    let text = |lines| std::str::from_utf8(lines).unwrap();
    chunks.iter().map(|chunk| (chunk.partition.unwrap().0, chunk.position.0, text(&chunk.lines))).collect()
}

/// Waits for what another thread will do. The bound is for a test that fails, not for a slow machine.
fn eventually(what: &str, mut happened: impl FnMut() -> bool) {
    for _ in 0..6_000 {
        if happened() {
            return;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    panic!("waited a minute in vain: {what}");
}
