//! The dead letters of a SQLite store: looked at in pages, and taken out one by one.

use std::num::NonZeroU16;
use std::sync::Arc;

use netqoe_model::{Checkpoint, DeadLetter, LogIdentity, LogTime, Partition, PartitionCommit, Position};
use netqoe_sinks::{LetterKey, Opening, SqliteDeadLetters, SqliteStore, Store};

fn key(partition: u16, position: u64, line: u32) -> LetterKey {
    LetterKey { partition: Partition(partition), position: Position(position), line }
}

fn letter(LetterKey { partition, position, line }: LetterKey, log_time_ms: i64, original: &[u8]) -> DeadLetter {
    let (log_time, reason) = (LogTime::from_ms(log_time_ms), format!("read at {log_time_ms}"));
    DeadLetter { partition, position, line, log_time, reason, original: original.to_vec() }
}

/// A store that holds these letters.
fn store(letters: &[DeadLetter]) -> (tempfile::TempDir, SqliteDeadLetters) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    let write_turn = netqoe_sinks::WriteTurn::default();
    let mut store = SqliteStore::open(&path, Arc::clone(&write_turn), Arc::new(|| 0)).unwrap();
    let log = LogIdentity { id: "log".to_owned(), partitions: NonZeroU16::MIN };
    let generation = store.open(&log, &Opening::default()).unwrap();
    let commit = PartitionCommit {
        checkpoint: Checkpoint::default(),
        rows: Vec::new(),
        clients: Vec::new(),
        dead_letters: letters.to_vec(),
        looks: Vec::new(),
        waiting: Vec::new(),
        oldest_record: None,
    };
    store.commit(generation, &[commit]).unwrap();
    (folder, SqliteDeadLetters::open(&path, write_turn).unwrap())
}

#[test]
fn every_letter_comes_once_and_the_newest_first() {
    let keys = [(key(0, 9, 0), 10), (key(2, 3, 1), 30), (key(2, 3, 0), 30), (key(1, 4, 0), 20), (key(3, 1, 0), 30)];
    let letters: Vec<_> = keys.iter().map(|&(key, at)| letter(key, at, b"x")).collect();
    let (_folder, letters) = store(&letters);
    assert_eq!(letters.count().unwrap(), 5);
    let expected = [key(3, 1, 0), key(2, 3, 1), key(2, 3, 0), key(1, 4, 0), key(0, 9, 0)];
    for limit in 1..=6 {
        let (mut after, mut found) = (None, Vec::new());
        loop {
            let page = letters.page(after, limit, 10).unwrap();
            assert!(page.len() <= limit);
            let Some(last) = page.last() else { break };
            after = Some((last.log_time, last.key));
            found.extend(page.iter().map(|letter| letter.key));
        }
        assert_eq!(found, expected, "{limit}");
    }
}

#[test]
fn a_page_holds_beginnings_and_a_letter_all_of_it() {
    let original = [&b"\xff\0<b>"[..], &vec![b'x'; 2 << 20]].concat();
    let (_folder, letters) = store(&[letter(key(1, 2, 3), 10, &original), letter(key(1, 2, 4), 9, b"")]);
    let page = letters.page(None, 10, 4).unwrap();
    assert_eq!((&page[0].original[..], page[0].bytes), (&b"\xff\0<b"[..], original.len() as u64));
    assert_eq!((&page[1].original[..], page[1].bytes, page[1].reason.as_str()), (&b""[..], 0, "read at 9"));
    assert_eq!(letters.get(key(1, 2, 3)).unwrap().unwrap(), letter(key(1, 2, 3), 10, &original));
    assert_eq!(letters.get(key(1, 2, 5)).unwrap(), None);
}

#[test]
fn what_is_removed_is_gone() {
    let (folder, letters) = store(&[letter(key(1, 2, 0), 10, b"a"), letter(key(1, 2, 1), 10, b"b")]);
    assert!(letters.remove(key(1, 2, 0)).unwrap());
    assert!(!letters.remove(key(1, 2, 0)).unwrap());
    drop(letters);
    let letters = SqliteDeadLetters::open(&folder.path().join("store.db"), Default::default()).unwrap();
    assert_eq!(letters.page(None, 10, 10).unwrap().iter().map(|letter| letter.key).collect::<Vec<_>>(), [key(1, 2, 1)]);
}
