//! Incidents between a real log and a real store: the same ones live and replayed, for any number of workers, and over
//! processes that are lost.

use std::io::Cursor;
use std::num::NonZeroUsize;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use netqoe_model::{DEFAULT_PARTITIONS, LogIdentity, Partition, Rules};
use netqoe_pipeline::{MeasuredStore, OpenedStore, Patience, Replay, Running};
use netqoe_query::PipelineView;
use netqoe_sinks::{ListedIncident, ListedRange, PostgresOptions, Store, StoreError, StoreUrl};
use tempfile::TempDir;

use crate::support::{Files, eventually};

const MINUTE_MS: i64 = 60_000;
const FIRST_MINUTE: i64 = 28_000_000;
/// Minutes of a history, and those in which one target fails for everybody.
const MINUTES: Range<i64> = 0..45;
const FAULT: Range<i64> = 20..28;

const CLIENTS: i64 = 6;
const TARGETS: i64 = 4;

fn time_ms(minute: i64) -> i64 {
    (FIRST_MINUTE + minute) * MINUTE_MS
}

/// The events of a minute: the client of each, and its line.
fn minute(minute: i64) -> Vec<(String, String)> {
    let mut events = Vec::new();
    for (nth, second) in [5, 25, 45].into_iter().enumerate() {
        for client in 0..CLIENTS {
            for target in 0..TARGETS {
                let ts_ms = time_ms(minute) + second * 1000 + client * 10 + target;
                let client_id = format!("client-{client}");
                let failed = target == 1 && FAULT.contains(&minute);
                let outcome = if failed { r#""error_stage":"tcp""# } else { r#""error_stage":null"# };
                let line = format!(
                    r#"{{"event_id":"{minute}-{nth}","client_id":"{client_id}","ts_ms":{ts_ms},"target":"https://t{target}.example/","timing_measurements":{{"dns_ms":10,"tcp_ms":20,"tls_ms":20,"ttfb_ms":50}},{outcome}}}"#
                );
                events.push((client_id, line));
            }
        }
    }
    events
}

fn history(minutes: Range<i64>) -> String {
    minutes.flat_map(minute).map(|(_, line)| line + "\n").collect()
}

fn store_url(folder: &TempDir, name: &str) -> StoreUrl {
    StoreUrl::Sqlite(folder.path().join(name))
}

fn listed(store: &StoreUrl) -> Vec<ListedIncident> {
    let mut listed = Vec::new();
    let mut take = |incident| -> Result<(), StoreError> {
        listed.push(incident);
        Ok(())
    };
    store.list_incidents(&PostgresOptions::default(), &ListedRange::default(), &mut take).unwrap();
    listed
}

/// Replays a history into a store, whatever that holds.
fn replay(history: String, store: Box<dyn Store>, workers: usize) {
    let log = LogIdentity { id: "ndjson".to_owned(), partitions: DEFAULT_PARTITIONS };
    let (rules, store) = (Rules::default(), MeasuredStore::unwatched(store));
    let store = OpenedStore::open(store, &log, &rules, "a test".to_owned(), Patience::None).unwrap();
    let input = Box::new(Cursor::new(history));
    let workers = NonZeroUsize::new(workers).unwrap();
    let (on_read, on_commit) = (Box::new(|_| {}), Box::new(|_| {}));
    Replay { input, latecomers: None, log, store, workers, rules, on_read, on_commit }.run().unwrap();
}

fn connect(store: &StoreUrl) -> Box<dyn Store> {
    store.connect_for_replay(&PostgresOptions::default(), Arc::new(|| 0)).unwrap()
}

/// What a replay of a history finds, into a file that is made for it.
fn found(history: String, workers: usize) -> Vec<ListedIncident> {
    let folder = TempDir::new().unwrap();
    let store = store_url(&folder, "store.db");
    replay(history, connect(&store), workers);
    listed(&store)
}

#[test]
fn a_fault_of_a_target_is_one_incident_for_any_number_of_workers() {
    let incidents = found(history(MINUTES), 1);
    let [incident] = &incidents[..] else { panic!("{incidents:#?}") };
    assert_eq!((&*incident.label, &*incident.state), ("error-bound", "closed"));
    assert_eq!(
        (&*incident.cause_dimension, &incident.cause_value[..]),
        ("target", &["https://t1.example/".to_owned()][..])
    );
    assert_eq!(incident.opened_ms, time_ms(FAULT.start));
    assert!(incident.detected_ms <= time_ms(FAULT.start + 2), "within two windows: {incident:?}");
    assert_eq!(incident.members.len(), CLIENTS as usize);
    for workers in [2, 3] {
        assert_eq!(found(history(MINUTES), workers), incidents);
    }
}

#[test]
fn events_that_are_deleted_take_their_incident_with_them_on_replay() {
    let folder = TempDir::new().unwrap();
    let store = store_url(&folder, "store.db");
    replay(history(MINUTES), connect(&store), 2);
    assert_eq!(listed(&store).len(), 1);
    let others = || {
        history(MINUTES)
            .lines()
            .filter(|line| !line.contains("error_stage\":\"tcp"))
            .fold(String::new(), |all, line| all + line + "\n")
    };
    replay(others(), connect(&store), 2);
    assert_eq!(listed(&store), []);
    replay(history(MINUTES), connect(&store), 2);
    assert_eq!(listed(&store).len(), 1);
}

#[test]
fn a_file_may_end_in_the_middle_of_a_fault() {
    let incidents = found(history(0..FAULT.start + 2), 2);
    let [incident] = &incidents[..] else { panic!("the last minute is looked at, too: {incidents:#?}") };
    assert_eq!((&*incident.state, incident.closed_ms), ("open", None));
}

/// A probe without a clock sends an event of 1970 first. The minutes since then are not gone through one by one.
#[test]
fn years_without_events_take_no_time_and_change_nothing() {
    let early = r#"{"event_id":"early","client_id":"client-0","ts_ms":60000,"target":"https://t0.example/","timing_measurements":{"dns_ms":1},"recv_ts_ms":60001}"#;
    assert_eq!(found(format!("{early}\n{}", history(MINUTES)), 2), found(history(MINUTES), 2));
}

/// Appends a minute to the log, which ends with a tick of every partition.
fn append(files: &Files, nth: i64) {
    files.set_clock(time_ms(nth + 1) + 1_500);
    let record =
        |(client_id, line): (String, String)| (Partition::of(&client_id, DEFAULT_PARTITIONS), line.into_bytes());
    files.append_all(minute(nth).into_iter().map(record).collect());
    files.tick();
}

fn exported(files: &Files) -> String {
    let mut text = Vec::new();
    netqoe_eventlog::SqliteLog::export(&files.log_path(), &mut text).unwrap();
    String::from_utf8(text).unwrap()
}

fn url(path: &Path) -> StoreUrl {
    StoreUrl::Sqlite(path.to_owned())
}

#[test]
fn a_replay_of_the_log_finds_what_was_found_live() {
    let files = Files::new();
    let Running { feeds, pipeline, .. } = files.run();
    MINUTES.for_each(|nth| append(&files, nth));
    feeds.end();
    pipeline.join().unwrap();
    let live = listed(&url(&files.store_path()));
    assert_eq!(live.len(), 1, "{live:#?}");
    assert_eq!(found(exported(&files), 2), live);
}

/// Each process is lost at some moment: the next one takes the store from it, which nothing that it still does can change.
#[test]
fn processes_that_are_lost_lose_and_repeat_no_incident() {
    let expected: (Vec<_>, Vec<_>) = {
        let files = Files::new();
        let Running { feeds, pipeline, .. } = files.run();
        MINUTES.for_each(|nth| append(&files, nth));
        feeds.end();
        pipeline.join().unwrap();
        (listed(&url(&files.store_path())), files.revisions())
    };
    assert_eq!(expected.0.len(), 1, "{expected:#?}");
    for seed in [7_i64, 11, 13] {
        let files = Files::new();
        let mut lost = Vec::new();
        for nth in MINUTES {
            if nth % seed == seed / 2 || nth == FAULT.start + seed % 4 {
                let running = files.run();
                // Some are lost before they have done anything, and some after they have come to the end.
                if nth % 2 == 0 {
                    eventually(|| running.view.look().lag_records == 0);
                }
                lost.push(running);
            }
            append(&files, nth);
        }
        let Running { feeds, pipeline, .. } = files.run();
        feeds.end();
        pipeline.join().unwrap();
        assert_eq!((listed(&url(&files.store_path())), files.revisions()), expected, "seed {seed}");
        for Running { feeds, .. } in lost {
            feeds.stop();
        }
    }
}
