//! The spool: what is kept in it, what goes, and what outlives a process.

use std::path::Path;
use std::time::Duration;

use rusqlite::Connection;
use tempfile::TempDir;

use super::bounds::Excess;
use super::spool::{Kept, MAX_BATCH_BYTES, Settled};
use super::*;

const NOW: EventTime = EventTime::from_ms(1_700_000_000_000);

fn folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

fn open(folder: &TempDir) -> Spool {
    open_with(folder, SpoolBounds::default())
}

fn open_with(folder: &TempDir, bounds: SpoolBounds) -> Spool {
    Spool::open(folder.path(), bounds).unwrap()
}

/// Ten bytes each.
fn events(numbers: std::ops::Range<u32>) -> Vec<String> {
    numbers.map(|number| format!("event{number:05}")).collect()
}

fn keep(spool: &mut Spool, events: &[String], now: EventTime) -> u64 {
    spool.keep(events.iter().map(String::as_str), now).unwrap().events
}

fn waiting(spool: &mut Spool) -> Vec<String> {
    spool.oldest(usize::MAX >> 1).unwrap().into_iter().map(|kept| kept.event).collect()
}

fn ids(batch: &[Kept]) -> Vec<i64> {
    batch.iter().map(|kept| kept.id).collect()
}

fn set_aside(folder: &Path) -> Vec<(String, String)> {
    let connection = Connection::open(folder.join("spool.db")).unwrap();
    let mut select = connection.prepare("SELECT event, reason FROM set_aside ORDER BY id").unwrap();
    select.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap().map(Result::unwrap).collect()
}

#[test]
fn events_wait_in_their_order_and_outlive_the_process() {
    let folder = folder();
    let mut spool = open(&folder);
    for event in events(0..5) {
        keep(&mut spool, &[event], NOW);
    }
    assert_eq!(waiting(&mut spool), events(0..5));
    drop(spool);
    let mut spool = open(&folder);
    keep(&mut spool, &events(5..7), NOW);
    assert_eq!((spool.events(), waiting(&mut spool)), (7, events(0..7)));
}

#[test]
fn a_batch_is_bounded_in_events_and_in_bytes() {
    let (folder, large) = (folder(), "x".repeat(MAX_BATCH_BYTES / 2));
    let mut spool = open(&folder);
    keep(&mut spool, &events(0..10), NOW);
    assert_eq!(spool.oldest(3).unwrap().len(), 3);
    let (oversized, wanted) = ("y".repeat(MAX_BATCH_BYTES + 1), [10 + 1, 1, 1, 1]);
    keep(&mut spool, &[large.clone(), large.clone(), oversized, large], NOW);
    for wanted in wanted {
        let batch = spool.oldest(100).unwrap();
        assert_eq!(batch.len(), wanted);
        spool.settle(&Settled { taken: ids(&batch), refused: Vec::new(), ..Settled::default() }).unwrap();
    }
    assert_eq!(spool.events(), 0);
}

#[test]
fn what_is_settled_is_gone_and_what_was_refused_is_set_aside() {
    let folder = folder();
    let mut spool = open(&folder);
    keep(&mut spool, &events(0..5), NOW);
    let batch = ids(&spool.oldest(5).unwrap());
    let settled = Settled {
        taken: vec![batch[0], batch[3]],
        refused: vec![(batch[1], "not an event".to_owned())],
        ..Settled::default()
    };
    spool.settle(&settled).unwrap();
    assert_eq!(waiting(&mut spool), [&events(2..3)[..], &events(4..5)].concat());
    // A second time, as after bounds have let go of them, it changes nothing.
    spool.settle(&settled).unwrap();
    assert_eq!(spool.events(), 2);
    assert_eq!(set_aside(folder.path()), [("event00001".to_owned(), "not an event".to_owned())]);
}

#[test]
fn untimely_events_stay_and_go_apart_by_their_time() {
    let folder = folder();
    let mut spool = open(&folder);
    keep(&mut spool, &events(0..6), NOW);
    let batch = ids(&spool.oldest(4).unwrap());
    let at = |place: usize, ahead_s: i64| (batch[place], EventTime::from_ms(NOW.ms() + 1000 * ahead_s));
    let untimely = vec![at(0, 30), at(1, 10), at(3, 20)];
    spool.settle(&Settled { taken: vec![batch[2]], untimely, ..Settled::default() }).unwrap();
    let of = |batch: Vec<Kept>| batch.into_iter().map(|kept| kept.event).collect::<Vec<_>>();
    assert_eq!((spool.events(), spool.untimely(), waiting(&mut spool)), (5, 3, events(4..6)));
    assert_eq!(of(spool.earliest_untimely(9).unwrap()), ["event00001", "event00003", "event00000"]);
    // Taken at last, or refused again.
    let again = Settled { taken: vec![batch[1]], untimely: vec![at(0, 30)], ..Settled::default() };
    spool.settle(&again).unwrap();
    assert_eq!((spool.events(), spool.untimely()), (4, 2));
    let rest = ids(&spool.oldest(9).unwrap());
    spool.settle(&Settled { taken: rest, ..Settled::default() }).unwrap();
    assert_eq!(waiting(&mut spool), Vec::<String>::new());
    keep(&mut spool, &events(6..7), NOW);
    assert_eq!(waiting(&mut spool), events(6..7), "those that are passed over hide nothing new");
    drop(spool);
    let mut spool = open(&folder);
    assert_eq!((spool.untimely(), waiting(&mut spool).len()), (0, 3), "a new process tries them anew");
    let batch = ids(&spool.oldest(2).unwrap());
    let untimely = batch.iter().map(|id| (*id, NOW)).collect();
    spool.settle(&Settled { untimely, ..Settled::default() }).unwrap();
    let later = EventTime::from_ms(NOW.ms() + 48 * 60 * 60 * 1000);
    spool.hold_bounds(later).unwrap();
    assert_eq!((spool.events(), spool.untimely()), (0, 0), "the bounds hold for them, too");
}

#[test]
fn the_last_thousand_that_were_refused_are_set_aside() {
    let folder = folder();
    let mut spool = open(&folder);
    keep(&mut spool, &events(0..1500), NOW);
    let refused = spool.oldest(1500).unwrap().into_iter().map(|kept| (kept.id, "no".to_owned()));
    spool.settle(&Settled { taken: Vec::new(), refused: refused.collect(), ..Settled::default() }).unwrap();
    let kept: Vec<_> = set_aside(folder.path()).into_iter().map(|(event, _)| event).collect();
    assert_eq!(kept, events(500..1500));
}

#[test]
fn the_oldest_go_where_there_are_too_many_or_they_are_too_old() {
    let (folder, bounds) = (folder(), SpoolBounds { max_bytes: 100, max_age: Duration::from_secs(60) });
    let mut spool = open_with(&folder, bounds);
    let at_s = |seconds: i64| EventTime::from_ms(NOW.ms() + seconds * 1000);
    assert_eq!(keep(&mut spool, &events(0..10), at_s(0)), 0);
    assert_eq!(keep(&mut spool, &events(10..13), at_s(30)), 3);
    assert_eq!(waiting(&mut spool), events(3..13));
    assert_eq!(keep(&mut spool, &[], at_s(61)), 7);
    assert_eq!((spool.events(), waiting(&mut spool)), (3, events(10..13)));
    assert_eq!(keep(&mut spool, &events(13..20), at_s(62)), 0, "what has gone is no longer counted");
    drop(spool);
    let mut spool = open_with(&folder, bounds);
    assert_eq!(keep(&mut spool, &events(20..21), at_s(62)), 1, "what was there before the start is counted");
    assert_eq!(keep(&mut spool, &["x".repeat(101)], at_s(62)), 11, "no single event is above the bound");
}

#[test]
fn age_is_held_by_whichever_event_is_the_first() {
    let folder = folder();
    let mut spool = open_with(&folder, SpoolBounds { max_age: Duration::from_secs(60), ..SpoolBounds::default() });
    let at_s = |seconds: i64| EventTime::from_ms(NOW.ms() + seconds * 1000);
    keep(&mut spool, &events(0..2), at_s(0));
    keep(&mut spool, &events(2..3), at_s(40));
    // A clock that is set back: this one is older than those before it.
    keep(&mut spool, &events(3..4), at_s(-30));
    let gone = |spool: &mut Spool, seconds| spool.hold_bounds(at_s(seconds)).unwrap();
    assert_eq!(gone(&mut spool, 60), Excess::default());
    let first = ids(&spool.oldest(2).unwrap());
    spool.settle(&Settled { taken: first, refused: Vec::new(), ..Settled::default() }).unwrap();
    assert_eq!(gone(&mut spool, 100), Excess::default(), "the first has waited for 60 s, though the other for 130");
    let second = ids(&spool.oldest(1).unwrap());
    spool.settle(&Settled { taken: second, refused: Vec::new(), ..Settled::default() }).unwrap();
    let excess = gone(&mut spool, 100);
    assert_eq!((excess.events, excess.too_old, spool.events()), (1, 1, 0), "now the other is the first");
    assert_eq!(gone(&mut spool, 999), Excess::default());
    keep(&mut spool, &events(4..5), at_s(999));
    assert_eq!((gone(&mut spool, 1059).events, gone(&mut spool, 1060).events), (0, 1));
}

#[test]
fn an_empty_spool_gives_its_room_back() {
    let folder = folder();
    let mut spool = open(&folder);
    let event = "x".repeat(2000);
    keep(&mut spool, &vec![event; 5000], NOW);
    let on_disk = || {
        let files = std::fs::read_dir(folder.path()).unwrap();
        files.map(|file| file.unwrap().metadata().unwrap().len()).sum::<u64>()
    };
    assert!(on_disk() > 10_000_000);
    while spool.events() > 0 {
        let batch = spool.oldest(100).unwrap();
        spool.settle(&Settled { taken: ids(&batch), refused: Vec::new(), ..Settled::default() }).unwrap();
    }
    assert!(on_disk() < 100_000, "{} bytes", on_disk());
}

#[test]
fn a_spool_has_one_process() {
    let folder = folder();
    let spool = open(&folder);
    let second = Spool::open(folder.path(), SpoolBounds::default());
    assert!(matches!(second, Err(SpoolError::InUse { .. })));
    drop(spool);
    open(&folder);
}

#[test]
fn what_is_no_spool_is_named() {
    let folder = folder();
    std::fs::write(folder.path().join("spool.db"), "something else, and not a database at all".repeat(100)).unwrap();
    let error = Spool::open(folder.path(), SpoolBounds::default()).err().unwrap();
    assert!(matches!(error, SpoolError::Storage { .. }) && error.to_string().contains("spool.db"), "{error}");

    let newer = tempfile::tempdir().unwrap();
    drop(open(&newer));
    let connection = Connection::open(newer.path().join("spool.db")).unwrap();
    connection.pragma_update(None, "user_version", 2).unwrap();
    assert!(matches!(Spool::open(newer.path(), SpoolBounds::default()), Err(SpoolError::Newer { .. })));
}
