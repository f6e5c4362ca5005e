//! Rows that are final are written again, and every reader can see that, in whichever snapshot it reads.

use std::sync::Arc;

use netqoe_model::{
    AggregateRow, Generation, Ledger, LogTime, Partition, PartitionCommit, Position, Reclassified, WaitingCorrection,
    WindowStart,
};
use netqoe_sinks::read::{AggregateRecord, CorrectedHour, CorrectedSince, Filter, Query, ReadError, WaitingEvents};
use netqoe_sinks::{Correction, CorrectionEnd, Store};

use crate::contract::bench::Bench;
use crate::contract::contents::{CORRECTIONS, Kind, Table};
use crate::contract::make::{MINUTE_MS, YEAR_2026_MS, commit, full_row, healthy};

for_each_store!(
    a_row_says_how_often_it_was_corrected,
    readers_see_each_part_of_a_correction,
    a_correction_that_is_written_twice_is_noted_once,
    corrections_are_counted_by_hour,
    what_waits_is_counted,
);

const HOUR_MS: i64 = 3_600_000;

/// A final row of the pair `a`, `x`.
fn row(minute: i64, count_success: u32) -> AggregateRow {
    let mut row = full_row("a", "x", YEAR_2026_MS + minute * MINUTE_MS, YEAR_2026_MS + (minute + 3) * MINUTE_MS);
    row.window.count_success = count_success;
    row
}

/// The same, of which more is known at this minute.
fn corrected(minute: i64, count_success: u32, at: i64) -> AggregateRow {
    let mut row = row(minute, count_success);
    row.window.as_of = LogTime::from_ms(YEAR_2026_MS + at * MINUTE_MS);
    row.diagnosis = Some(healthy());
    row
}

fn waiting(client_id: &str, from: i64, events: u64) -> WaitingCorrection {
    let from = WindowStart::from_ms(YEAR_2026_MS + from * MINUTE_MS);
    WaitingCorrection { client_id: client_id.into(), target: "x".into(), from, since: Position(1), events }
}

fn part(rows: Vec<AggregateRow>) -> Correction {
    Correction { partition: Partition(3), rows, ..Correction::default() }
}

/// The last part of a correction of the pair, at this minute and from that one on.
fn last_part(at: i64, from: i64, reclassified: Reclassified, rows: Vec<AggregateRow>) -> Correction {
    let end = CorrectionEnd {
        at: LogTime::from_ms(YEAR_2026_MS + at * MINUTE_MS),
        from: WindowStart::from_ms(YEAR_2026_MS + from * MINUTE_MS),
        pairs: vec![(Arc::from("a"), Arc::from("x"))],
        still_waiting: Vec::new(),
        reclassified,
        ledger: Ledger::default(),
        rows_written: 5,
    };
    Correction { end: Some(end), ..part(rows) }
}

/// A store with these rows, and with an event of the pair that waits.
fn open(bench: &Bench, rows: Vec<AggregateRow>) -> (Box<dyn Store>, Generation) {
    let (mut store, generation) = bench.open();
    store.commit(generation, &[PartitionCommit { waiting: vec![waiting("a", 1, 2)], ..commit(3, 1, rows) }]).unwrap();
    (store, generation)
}

fn rows(bench: &Bench) -> Vec<AggregateRecord> {
    let query = Query { filter: Filter::default(), after: None, limit: 100 };
    bench.reader().ask(|store| store.rows.aggregates(&query)).unwrap().items
}

fn since(bench: &Bench, known: i64) -> (i64, Option<i64>) {
    let CorrectedSince { newest, from } = bench.reader().ask(|store| store.rows.corrected_since(known)).unwrap();
    (newest, from.map(|from| (from.ms() - YEAR_2026_MS) / MINUTE_MS))
}

fn hours(bench: &Bench, times_ms: [i64; 2]) -> Vec<CorrectedHour> {
    bench.reader().ask(|store| store.rows.corrected_hours(times_ms, 10)).unwrap()
}

fn waiting_events(bench: &Bench) -> WaitingEvents {
    bench.reader().ask(|store| store.rows.waiting_events()).unwrap()
}

fn a_row_says_how_often_it_was_corrected(bench: &Bench) {
    let (mut store, generation) = open(bench, vec![row(0, 1), row(1, 1)]);
    let revisions = || rows(bench).iter().map(|row| row.revision).collect::<Vec<_>>();
    let as_of = || rows(bench).iter().map(|row| (row.window.as_of.ms() - YEAR_2026_MS) / MINUTE_MS).collect::<Vec<_>>();
    assert_eq!((revisions(), as_of()), (vec![0, 0], vec![4, 3]));
    // Newest window first; one that was never measured in time is none that was corrected.
    let changed = vec![row(0, 1), corrected(1, 2, 60), corrected(2, 2, 60)];
    assert_eq!(store.correct(generation, &part(changed.clone())).unwrap(), 2);
    assert_eq!((revisions(), as_of()), (vec![0, 1, 0], vec![60, 60, 3]));
    assert_eq!(store.correct(generation, &part(changed)).unwrap(), 0);
    assert_eq!(store.correct(generation, &part(vec![corrected(1, 3, 90)])).unwrap(), 1);
    assert_eq!((revisions(), as_of()), (vec![0, 2, 0], vec![60, 90, 3]));
}

fn readers_see_each_part_of_a_correction(bench: &Bench) {
    let (mut store, generation) = open(bench, vec![row(0, 1), row(5, 1), row(6, 1)]);
    assert_eq!(since(bench, 0), (0, None));
    store.correct(generation, &part(vec![row(0, 1)])).unwrap();
    assert_eq!(since(bench, 0), (0, None), "nothing was changed");
    store.correct(generation, &part(vec![row(0, 1), corrected(6, 2, 60), corrected(5, 2, 60)])).unwrap();
    assert_eq!(since(bench, 0), (1, Some(0)), "of what was written, it was the first");
    store.correct(generation, &last_part(61, 4, Reclassified::default(), Vec::new())).unwrap();
    assert_eq!([0, 1, 2].map(|known| since(bench, known)), [(2, Some(0)), (2, Some(4)), (2, None)]);
    assert_eq!(since(bench, 9), (2, None), "another store was known");
}

fn a_correction_that_is_written_twice_is_noted_once(bench: &Bench) {
    let (mut store, generation) = open(bench, vec![row(5, 1)]);
    let last = last_part(61, 5, Reclassified::default(), vec![corrected(5, 2, 60)]);
    for _ in 0..2 {
        store.correct(generation, &last).unwrap();
        assert_eq!(since(bench, 0), (1, Some(5)));
    }
}

fn corrections_are_counted_by_hour(bench: &Bench) {
    let (mut store, generation) = open(bench, vec![row(0, 1), row(1, 1)]);
    let mut correct = |at: i64, accepted: u64, count_success: u32| {
        let again = PartitionCommit { waiting: vec![waiting("a", 1, 2)], ..commit(3, 2, Vec::new()) };
        store.commit(generation, &[again]).unwrap();
        store.correct(generation, &part(vec![corrected(0, count_success, at)])).unwrap();
        let reclassified = Reclassified { accepted, duplicate: 2 };
        store.correct(generation, &last_part(at, 0, reclassified, vec![corrected(1, count_success, at)])).unwrap();
    };
    for (at, accepted, count_success) in [(61, 10, 2), (119, 3, 3), (180, 1, 4)] {
        correct(at, accepted, count_success);
    }
    // The last part says what earlier ones have written, too.
    let hour = |hour: i64, corrections, accepted| CorrectedHour {
        hour_ms: YEAR_2026_MS + hour * HOUR_MS,
        corrections,
        pairs: corrections,
        accepted,
        duplicate: 2 * corrections,
        rows_written: 6 * corrections,
    };
    let all = [hour(1, 2, 13), hour(3, 1, 1)];
    assert_eq!(hours(bench, [0, i64::MAX / 2].map(|ms| ms.min(netqoe_model::MAX_TIME_MS))), all);
    let minutes = |from: i64, to: i64| hours(bench, [from, to].map(|minute| YEAR_2026_MS + minute * MINUTE_MS));
    assert_eq!(minutes(62, 180), [hour(1, 1, 3)]);
    assert_eq!(minutes(180, 181), all[1..]);
    assert_eq!(minutes(181, 62), []);
    let first: Result<_, ReadError> =
        bench.reader().ask(|store| store.rows.corrected_hours([0, netqoe_model::MAX_TIME_MS], 1));
    assert_eq!(first.unwrap(), all[..1]);
}

fn what_waits_is_counted(bench: &Bench) {
    let (mut store, generation) = bench.open();
    assert_eq!(waiting_events(bench), WaitingEvents::default());
    let of = |partition: u16, waiting| PartitionCommit { waiting, ..commit(partition, 1, Vec::new()) };
    let waiting = vec![waiting("a", 1, 2), waiting("b", 1, 5)];
    store.commit(generation, &[of(3, waiting.clone()), of(4, waiting[..1].to_vec())]).unwrap();
    assert_eq!(waiting_events(bench), WaitingEvents { pairs: 3, events: 9 });
    store.correct(generation, &last_part(61, 1, Reclassified::default(), Vec::new())).unwrap();
    assert_eq!(waiting_events(bench), WaitingEvents { pairs: 2, events: 7 });
}

/// Who sees a number has seen all smaller ones: processes of a cluster correct their partitions at the same time.
#[test]
fn numbers_are_seen_in_order() {
    const WAITS: Table = Table {
        name: "pg_locks WHERE NOT granted AND relation = 'corrections'::regclass",
        columns: &[("granted", Kind::Flag)],
    };
    let bench = Bench::postgres();
    let (mut store, generation) = open(&bench, vec![row(5, 1)]);
    let other = bench.begin(
        "INSERT INTO corrections (partition, at, from_window, pairs, accepted, duplicate, rows_written, written_at)
         VALUES (9, now(), now(), 1, 0, 0, 0, now())",
    );
    let correcting = std::thread::spawn(move || store.correct(generation, &part(vec![corrected(5, 2, 60)])).unwrap());
    while bench.rows(&WAITS).is_empty() {
        assert_eq!(bench.rows(&CORRECTIONS).len(), 0, "the second is seen before the first");
        std::thread::yield_now();
    }
    other();
    correcting.join().unwrap();
    assert_eq!(bench.rows(&CORRECTIONS).len(), 2);
}
