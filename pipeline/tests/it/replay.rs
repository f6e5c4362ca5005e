//! A file of history into a store.

use std::io::{self, Cursor, Read};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, mpsc};
use std::time::Duration;

use netqoe_model::{DEFAULT_PARTITIONS, LogIdentity, Rules, WindowStart};
use netqoe_pipeline::{MeasuredStore, OpenedStore, Patience, PipelineError, Replay, Totals};
use netqoe_sinks::SqliteStore;
use netqoe_sinks::read::{Filter, Query, Reader, SqliteReader};
use tempfile::TempDir;

use crate::support::{WORKERS, event};

const MINUTE_MS: i64 = 60_000;

fn log() -> LogIdentity {
    LogIdentity { id: "ndjson".to_owned(), partitions: DEFAULT_PARTITIONS }
}

fn store(folder: &TempDir) -> OpenedStore {
    let store = SqliteStore::open(&folder.path().join("store.db"), Arc::default(), Arc::new(|| 0)).unwrap();
    let store = MeasuredStore::unwatched(Box::new(store));
    OpenedStore::open(store, &log(), &Rules::default(), "a test".to_owned(), Patience::None).unwrap()
}

/// An event a minute, of one client, from the first minute on.
fn history(minutes: i64) -> String {
    (1..=minutes).map(|minute| event("c", minute.unsigned_abs(), minute * MINUTE_MS) + "\n").collect()
}

fn replay(input: Box<dyn Read + Send>, store: OpenedStore, on_commit: Box<dyn FnMut(u64) + Send>) -> Replay {
    let rules = Rules::default();
    Replay { input, latecomers: None, log: log(), store, workers: WORKERS, rules, on_read: Box::new(|_| {}), on_commit }
}

fn starts(folder: &TempDir) -> Vec<i64> {
    let reader: &dyn Reader = &SqliteReader::open(&folder.path().join("store.db")).unwrap();
    let query = Query { filter: Filter::default(), after: None, limit: 1_000 };
    let page = reader.ask(|store| store.rows.aggregates(&query)).unwrap();
    let mut starts: Vec<_> = page.items.iter().map(|row| row.window.start.ms() / MINUTE_MS).collect();
    starts.sort_unstable();
    starts
}

#[test]
fn all_of_a_file_becomes_rows() {
    let folder = TempDir::new().unwrap();
    let told = Arc::new(AtomicU64::new(0));
    let telling = Arc::clone(&told);
    let on_commit = Box::new(move |events| _ = telling.fetch_add(events, Ordering::SeqCst));
    let totals: Totals = replay(Box::new(Cursor::new(history(10))), store(&folder), on_commit).run().unwrap();
    assert_eq!((totals.events.accepted, totals.rows, told.load(Ordering::SeqCst)), (10, 10, 10));
    assert_eq!(starts(&folder), (1..=10).collect::<Vec<_>>());
}

#[test]
fn a_store_takes_the_rows_of_the_windows_that_were_asked_for() {
    let folder = TempDir::new().unwrap();
    let windows = WindowStart::from_ms(3 * MINUTE_MS)..WindowStart::from_ms(6 * MINUTE_MS);
    let store = store(&folder).taking_only(windows);
    let totals = replay(Box::new(Cursor::new(history(10))), store, Box::new(|_| {})).run().unwrap();
    assert_eq!((totals.events.accepted, totals.rows), (10, 10), "all of them are found");
    assert_eq!(starts(&folder), [3, 4, 5]);
}

/// Gives what it holds, and then an error instead of an end.
struct Breaking(Cursor<String>);

impl Read for Breaking {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        match self.0.read(into)? {
            0 => Err(io::Error::other("the disk is gone")),
            bytes => Ok(bytes),
        }
    }
}

#[test]
fn an_input_that_cant_be_read_is_the_end() {
    let folder = TempDir::new().unwrap();
    let input = Box::new(Breaking(Cursor::new(history(10))));
    let replay = replay(input, store(&folder), Box::new(|_| {}));
    let (send, ended) = mpsc::channel();
    std::thread::spawn(move || send.send(replay.run()));
    let ended = ended.recv_timeout(Duration::from_secs(60)).unwrap();
    assert!(matches!(ended, Err(PipelineError::Input(_))), "{ended:?}");
}
