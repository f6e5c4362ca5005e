//! Rows that are final are written again where they should be others, and who waits for that is known across restarts.

use std::sync::Arc;

use netqoe_model::{
    AggregateRow, Checkpoint, DiagnosisRules, Generation, Label, LogTime, PairPast, Partition, PartitionCommit,
    Position, Reclassified, WaitingCorrection, WindowStart,
};
use netqoe_sinks::{Correction, CorrectionEnd, Opening, PairBefore, Store, StoreError, WaitingPartition};

use crate::contract::bench::Bench;
use crate::contract::contents::{CHECKPOINTS, Cell, Kind, Rows, Table};
use crate::contract::make::{
    MINUTE_MS, YEAR_2026_MS, checkpoint, client, commit, finding, full_row, healthy, log, look, row,
};

for_each_store!(
    pairs_that_wait_are_added_up,
    pairs_of_the_newest_windows_come_first,
    what_is_given_up_waits_no_more,
    what_differs_is_written_and_counted,
    doing_it_twice_is_doing_it_once,
    the_past_before_a_window_comes_back,
    looks_of_a_partition_are_replaced,
    the_end_settles_what_waited,
    an_earlier_generation_corrects_nothing,
);

/// What a correction changes of a row, beside what the window says.
const REVISIONS: Table = Table {
    name: "agg_1m",
    columns: &[
        ("client_id", Kind::Text),
        ("window_start_ts", Kind::Time),
        ("count_success", Kind::Integer),
        ("diagnosis_label", Kind::Text),
        ("as_of", Kind::Time),
        ("revision", Kind::Integer),
        ("pair_state", Kind::Bytes),
    ],
};

const FOUND: Table =
    Table { name: "diagnoses", columns: &[("client_id", Kind::Text), ("label", Kind::Text), ("observed", Kind::Real)] };

const CORRECTIONS: Table = Table {
    name: "corrections",
    columns: &[
        ("partition", Kind::Integer),
        ("at", Kind::Time),
        ("from_window", Kind::Time),
        ("pairs", Kind::Integer),
        ("accepted", Kind::Integer),
        ("duplicate", Kind::Integer),
        ("rows_written", Kind::Integer),
    ],
};

fn at(minute: i64) -> WindowStart {
    WindowStart::from_ms(YEAR_2026_MS + minute * MINUTE_MS)
}

fn waiting(client_id: &str, minute: i64, since: u64, events: u64) -> WaitingCorrection {
    WaitingCorrection {
        client_id: client_id.into(),
        target: "x".into(),
        from: at(minute),
        since: Position(since),
        events,
    }
}

fn wait(store: &mut dyn Store, generation: Generation, partition: u16, processed: u64, pairs: Vec<WaitingCorrection>) {
    let commit = PartitionCommit { waiting: pairs, ..commit(partition, processed, vec![]) };
    store.commit(generation, &[commit]).unwrap();
}

fn final_row(client_id: &str, minute: i64, count: u32) -> AggregateRow {
    let mut row = row(client_id, "x", at(minute).ms(), at(minute + 3).ms());
    row.window.is_final = true;
    row.window.count_success = count;
    row
}

/// The row as of another record.
fn corrected(row: &AggregateRow, as_of_minute: i64) -> AggregateRow {
    let mut row = row.clone();
    row.window.as_of = LogTime::from_ms(at(as_of_minute).ms());
    row
}

fn correct(store: &mut dyn Store, generation: Generation, rows: Vec<AggregateRow>) -> u64 {
    store.correct(generation, &Correction { rows, ..Correction::default() }).unwrap()
}

fn pairs_that_wait_are_added_up(bench: &Bench) {
    let (mut store, generation) = bench.open();
    assert_eq!(store.waiting_partitions().unwrap(), []);
    wait(&mut *store, generation, 3, 10, vec![waiting("a", 5, 10, 2), waiting("b", 7, 10, 1)]);
    // Two outputs that are committed at once name the same pair.
    wait(&mut *store, generation, 3, 20, vec![waiting("a", 4, 15, 1), waiting("a", 6, 20, 1)]);
    wait(&mut *store, generation, 9, 20, vec![waiting("c", 1, 12, 5)]);
    let (mut next, _) = bench.open();
    let partition = |partition, pairs, events, since| WaitingPartition {
        partition: Partition(partition),
        pairs,
        events,
        since: Position(since),
    };
    assert_eq!(next.waiting_partitions().unwrap(), [partition(3, 2, 5, 10), partition(9, 1, 5, 12)]);
    assert_eq!(next.waiting_of(Partition(3), 9).unwrap(), [waiting("b", 7, 10, 1), waiting("a", 4, 10, 4)]);
}

fn pairs_of_the_newest_windows_come_first(bench: &Bench) {
    let (mut store, generation) = bench.open();
    let pairs = [("a", 3), ("b", 9), ("c", 9), ("d", 1)].map(|(client_id, minute)| waiting(client_id, minute, 1, 1));
    wait(&mut *store, generation, 3, 10, pairs.to_vec());
    let [a, b, c, _] = pairs;
    assert_eq!(store.waiting_of(Partition(3), 3).unwrap(), [b, c, a]);
    assert_eq!(store.waiting_of(Partition(4), 3).unwrap(), []);
}

fn what_is_given_up_waits_no_more(bench: &Bench) {
    let (mut store, generation) = bench.open();
    wait(&mut *store, generation, 3, 10, vec![waiting("a", 5, 10, 2), waiting("b", 7, 10, 1)]);
    store.give_up(generation, Partition(3), &[("a".into(), "x".into()), ("never".into(), "x".into())]).unwrap();
    assert_eq!(store.waiting_of(Partition(3), 9).unwrap(), [waiting("b", 7, 10, 1)]);
    assert_eq!(bench.rows(&CORRECTIONS), Rows::new());
}

fn what_differs_is_written_and_counted(bench: &Bench) {
    let (mut store, generation) = bench.open();
    let [same, fewer, healed, hurt, moved] =
        [("a", 1), ("b", 2), ("c", 3), ("d", 4), ("e", 5)].map(|(client_id, count)| final_row(client_id, 0, count));
    let healed = AggregateRow { diagnosis: Some(finding(Label::DnsBound, 1.0)), ..healed };
    let hurt = AggregateRow { diagnosis: Some(finding(Label::DnsBound, 1.0)), ..hurt };
    let full = full_row("f", "x", at(0).ms(), at(3).ms());
    let before = [&same, &fewer, &healed, &hurt, &moved, &full].map(AggregateRow::clone);
    store.commit(generation, &[commit(0, 1, before.to_vec())]).unwrap();

    let mut more = corrected(&fewer, 50);
    more.window.count_success = 7;
    let healthier = AggregateRow { diagnosis: Some(healthy()), ..corrected(&healed, 50) };
    let worse = AggregateRow { diagnosis: Some(finding(Label::DnsBound, 2.0)), ..corrected(&hurt, 50) };
    let with_state = AggregateRow { pair_state: Some(Arc::from(&b"state"[..])), ..corrected(&moved, 50) };
    let new = corrected(&final_row("g", 1, 9), 50);
    let rows = vec![corrected(&same, 50), more, healthier, worse, with_state, corrected(&full, 50), new];
    assert_eq!(correct(&mut *store, generation, rows), 5);

    let line = |client: &str, minute, count, label: Option<&str>, as_of, revision, state: Option<&[u8]>| {
        let text = |text: &str| Cell::Text(text.to_owned());
        vec![
            text(client),
            Cell::Integer(at(minute).ms()),
            Cell::Integer(count),
            label.map_or(Cell::Null, text),
            Cell::Integer(at(as_of).ms()),
            Cell::Integer(revision),
            state.map_or(Cell::Null, |state| Cell::Bytes(state.to_vec())),
        ]
    };
    let mut revisions = bench.rows(&REVISIONS);
    revisions.sort_by(|a, b| a.partial_cmp(b).unwrap());
    assert_eq!(
        revisions,
        [
            line("a", 0, 1, None, 3, 0, None),
            line("b", 0, 7, None, 50, 1, None),
            line("c", 0, 3, Some("healthy"), 50, 1, None),
            line("d", 0, 4, Some("dns-bound"), 50, 1, None),
            line("e", 0, 5, None, 3, 0, Some(b"state")),
            line("f", 0, 100, Some("server-bound"), 3, 0, Some(b"state\0\xFF")),
            line("g", 1, 9, None, 50, 0, None),
        ]
    );
    let found = |client: &str, label: &str, observed| {
        vec![Cell::Text(client.to_owned()), Cell::Text(label.to_owned()), Cell::Real(observed)]
    };
    let mut diagnoses = bench.rows(&FOUND);
    diagnoses.sort_by(|a, b| a.partial_cmp(b).unwrap());
    assert_eq!(diagnoses, [found("d", "dns-bound", 2.0), found("f", "server-bound", 0.25)]);
}

fn doing_it_twice_is_doing_it_once(bench: &Bench) {
    let (mut store, generation) = bench.open();
    store.commit(generation, &[commit(0, 1, vec![final_row("a", 0, 1)])]).unwrap();
    let rows = vec![corrected(&final_row("a", 0, 2), 50), corrected(&full_row("b", "x", at(0).ms(), 0), 50)];
    let correction = Correction { rows, clients: vec![client("a", 1, 2, "isp")], ..Correction::default() };
    assert_eq!(store.correct(generation, &correction).unwrap(), 2);
    let once = bench.contents();
    assert_eq!(store.correct(generation, &correction).unwrap(), 0);
    assert_eq!(bench.contents(), once);
    // What a start writes again of an earlier time does not take the place of a correction.
    store.commit(generation, &[commit(0, 1, vec![final_row("a", 0, 1)])]).unwrap();
    assert_eq!(bench.contents(), once);
}

fn the_past_before_a_window_comes_back(bench: &Bench) {
    let rules = DiagnosisRules::default();
    let (mut store, generation) = bench.open();
    let state: Arc<[u8]> = rules.state_tag().into_iter().chain([7]).collect();
    let mut rows: Vec<_> = (0..40).map(|minute| final_row("a", minute, 1)).collect();
    rows[20].pair_state = Some(Arc::clone(&state));
    rows.push(final_row("b", 3, 1));
    rows.push(row("b", "x", at(2).ms(), at(2).ms()));
    store.commit(generation, &[commit(0, 1, rows.clone())]).unwrap();
    let before =
        |client_id: &str, minute| PairBefore { client_id: client_id.into(), target: "x".into(), before: at(minute) };
    let past = |client_id: &str, state: Option<&Arc<[u8]>>, rows: &[AggregateRow]| PairPast {
        client_id: client_id.into(),
        target: "x".into(),
        state: state.cloned(),
        rows: rows.iter().map(|row| row.window.clone()).collect(),
    };
    let pairs = [before("a", 25), before("b", 4), before("b", 3), before("c", 9), before("a", 20)];
    let pasts = store.pasts_before(&pairs, &rules).unwrap();
    assert_eq!(
        pasts,
        [past("a", Some(&state), &rows[21..25]), past("b", None, &rows[40..41]), past("a", None, &rows[..20])]
    );
}

fn looks_of_a_partition_are_replaced(bench: &Bench) {
    let (mut store, generation) = bench.open();
    let of = |partition, minute, pairs| look(partition, at(minute).ms(), pairs);
    let looks = vec![of(3, 1, 2), of(3, 2, 2), of(3, 3, 2)];
    store.commit(generation, &[PartitionCommit { looks, ..commit(3, 1, vec![]) }]).unwrap();
    let other = PartitionCommit { looks: vec![of(4, 2, 1)], ..commit(4, 1, vec![]) };
    store.commit(generation, &[other]).unwrap();
    assert_eq!(store.looks_of(Partition(3), at(1), at(2)).unwrap(), [of(3, 2, 2)]);
    let looks = vec![of(3, 2, 5), of(3, 3, 0), of(3, 4, 1)];
    store.correct(generation, &Correction { partition: Partition(3), looks, ..Correction::default() }).unwrap();
    assert_eq!(store.looks_of(Partition(3), at(0), at(9)).unwrap(), [of(3, 1, 2), of(3, 2, 5), of(3, 4, 1)]);
    assert_eq!(store.looks_of(Partition(4), at(0), at(9)).unwrap(), [of(4, 2, 1)]);
}

fn end(checkpoint: &Checkpoint) -> CorrectionEnd {
    let reclassified = Reclassified { accepted: 1, duplicate: 1 };
    let mut ledger = checkpoint.ledger;
    ledger.reclassify(reclassified);
    CorrectionEnd {
        at: LogTime::from_ms(at(60).ms()),
        from: at(4),
        pairs: vec![("a".into(), "x".into()), ("b".into(), "x".into())],
        still_waiting: vec![waiting("b", 8, 30, 3)],
        reclassified,
        ledger,
        rows_written: 5,
    }
}

fn the_end_settles_what_waited(bench: &Bench) {
    let (mut store, generation) = bench.open();
    wait(&mut *store, generation, 3, 10, vec![waiting("a", 5, 10, 2), waiting("b", 7, 10, 1), waiting("c", 7, 10, 1)]);
    let rows = vec![corrected(&final_row("a", 5, 2), 50)];
    let end = end(&checkpoint(3, 10));
    let correction = Correction { partition: Partition(3), rows, end: Some(end), ..Correction::default() };
    store.correct(generation, &correction).unwrap();
    assert_eq!(store.waiting_of(Partition(3), 9).unwrap(), [waiting("b", 8, 30, 3), waiting("c", 7, 10, 1)]);
    let noted = [3, at(60).ms(), at(4).ms(), 2, 1, 1, 6].map(Cell::Integer).to_vec();
    assert_eq!(bench.rows(&CORRECTIONS), [noted]);
    let checkpoints = bench.rows(&CHECKPOINTS);
    let (mut next, _) = bench.open();
    let stored = next.checkpoints().unwrap();
    assert_eq!(stored[0].ledger, correction.end.as_ref().unwrap().ledger);
    assert!(stored[0].ledger.balances());
    assert_eq!(Checkpoint { ledger: checkpoint(3, 10).ledger, ..stored[0] }, checkpoint(3, 10), "and nothing else");
    assert_eq!(checkpoints.len(), 1);
}

fn an_earlier_generation_corrects_nothing(bench: &Bench) {
    let (mut earlier, generation) = bench.open();
    wait(&mut *earlier, generation, 3, 10, vec![waiting("a", 5, 10, 2)]);
    let mut later = bench.connect();
    later.open(&log(), &Opening::default()).unwrap();
    let rows = vec![final_row("a", 5, 2)];
    let end = Some(end(&checkpoint(3, 10)));
    let correction = Correction { partition: Partition(3), rows, end, ..Correction::default() };
    let refused = earlier.correct(generation, &correction);
    assert!(matches!(refused, Err(StoreError::Fenced { .. })), "{refused:?}");
    let refused = earlier.give_up(generation, Partition(3), &[("a".into(), "x".into())]);
    assert!(matches!(refused, Err(StoreError::Fenced { .. })), "{refused:?}");
    assert_eq!(later.waiting_of(Partition(3), 9).unwrap(), [waiting("a", 5, 10, 2)]);
    assert_eq!(bench.rows(&REVISIONS), Rows::new());
}
