//! The dataflow gives the rows, diagnoses and counts that a reference from scratch gives, for any log, any number of
//! workers, any division into batches, and wherever it is interrupted.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::num::NonZeroU16;

use netqoe_model::{DiagnosisRules, Partition, Rules};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

use crate::support::compare::assert_same_rows;
use crate::support::logs::Line;
use crate::support::reference::Everything;
use crate::support::reference::looks::{Looks, assert_same_looks, log_times, looks};
use crate::support::store::Store;
use crate::support::{feeds, logs, reference, rules, soak, store};

const PARTITIONS: NonZeroU16 = NonZeroU16::new(5).unwrap();

/// Lines without order, of which most windows have few; or those of pairs with faults, that last.
fn lines(max: usize) -> impl Strategy<Value = Vec<Line>> {
    prop_oneof![logs::lines(max), logs::lines_of_pairs(5)]
}

/// Windows may close at looks, or between two of them.
fn any_rules() -> impl Strategy<Value = Rules> {
    let lateness_ms = prop::sample::select(vec![120_000, 120_000, 120_000, 60_000, 0, 90_000, 150_000]);
    (rules::rules(), lateness_ms).prop_map(|(rules, lateness_ms)| Rules { lateness_ms, ..rules })
}

fn replay(lines: &[Line], lines_a_chunk: usize, workers: usize, rules: &Rules) -> Store {
    let mut store = Store::default();
    store::run(
        &mut store,
        feeds::file(lines, lines_a_chunk, workers, PARTITIONS),
        PARTITIONS,
        rules,
        usize::MAX,
        None,
        |_, _| {},
    );
    store
}

#[track_caller]
fn check_file(lines: &[Line], lines_a_chunk: usize, workers: usize, rules: &Rules) {
    let plain: Vec<_> = lines.iter().map(|line| (None, line.text.clone())).collect();
    let Everything { rows, clients, ledger } = reference::run_all(&plain, rules);
    let store = replay(lines, lines_a_chunk, workers, rules);
    assert_same_rows(&store.plain_rows(), &rows);
    assert_eq!(store.plain_clients(), clients);
    assert_eq!(store.ledger(), ledger);
    assert_eq!(store.dead_letters.len() as u64, ledger.invalid, "what can't be counted is kept");
    let end = log_times(&plain).last().copied().unwrap_or(0);
    let last_look = (end + rules.window_ms - 1) / rules.window_ms * rules.window_ms;
    assert_same_looks(&store.plain_looks(false), &looks(&plain, rules, last_look));
}

/// Shows open windows after each chunk, and compares them each time.
#[track_caller]
fn check_shown_file(lines: &[Line], lines_a_chunk: usize, workers: usize, rules: &Rules) {
    let so_far = RefCell::<BTreeMap<_, _>>::default();
    let (mut store, feeds) = (Store::default(), feeds::shown_file(lines, lines_a_chunk, workers, PARTITIONS));
    store::run(&mut store, feeds, PARTITIONS, rules, usize::MAX, None, |store, partition| {
        // The position of a chunk is the number of its first line.
        let end = (store.checkpoints[&partition].processed.0 as usize - 1 + lines_a_chunk).min(lines.len());
        let plain = || lines[..end].iter().map(|line| (None, line.text.clone())).collect::<Vec<_>>();
        let mut so_far = so_far.borrow_mut();
        let expected = so_far.entry(end).or_insert_with(|| reference::run_all(&plain(), rules));
        assert_same_partition(store, partition, expected);
    });
    assert_eq!(so_far.borrow().last_key_value().map(|(end, _)| *end), Some(lines.len()), "all is read");
}

proptest! {
    #![proptest_config(soak::cases(16))]

    #[test]
    fn a_file_gives_the_rows_of_the_reference(
        lines in lines(400), lines_a_chunk in 1..80_usize, workers in 1..4_usize, rules in any_rules(),
    ) {
        check_file(&lines, lines_a_chunk, workers, &rules);
    }

    #[test]
    fn a_file_that_is_shown_after_each_chunk_gives_the_rows_of_the_reference_every_time(
        lines in lines(200), lines_a_chunk in 5..60_usize, workers in 1..4_usize, rules in any_rules(),
    ) {
        check_shown_file(&lines, lines_a_chunk, workers, &rules);
    }

    #[test]
    fn the_order_of_lines_that_came_at_the_same_time_is_the_logs_own(
        mut lines in logs::lines(200).prop_shuffle(), workers in 1..4_usize, rules in any_rules(),
    ) {
        // Seconds, so that many lines share a time; `sort` keeps the shuffled order among them.
        lines.iter_mut().for_each(|line| line.recv_ms = line.recv_ms / 10_000 * 10_000);
        lines.sort_by_key(|line| line.recv_ms);
        check_file(&lines, 7, workers, &rules);
    }

    #[test]
    fn a_log_that_is_interrupted_anywhere_gives_the_rows_of_the_reference(
        lines in lines(300),
        rules in any_rules(),
        lines_a_record in 1..20_usize,
        records_a_batch in 1..10_usize,
        crashes in prop::collection::vec((0..40_usize, 1..4_usize), 0..4),
        portion in prop::option::of(0..3_usize),
    ) {
        check_log(&lines, &rules, [lines_a_record, records_a_batch], &crashes, portion);
    }
}

/// What a run has met that it may meet.
#[derive(Default)]
struct Met {
    /// Commits while something was due.
    commits_while_due: usize,
    /// Crashes after such a commit.
    crashes_while_due: usize,
    /// Final rows that a crash left which were further than the checkpoint.
    rows_ahead: usize,
}

/// Counts a log that is divided into records and batches, and interrupted after so many commits of so many workers, and compares
/// the store with the reference after each commit.
fn check_log(
    lines: &[Line],
    rules: &Rules,
    [lines_a_record, records_a_batch]: [usize; 2],
    crashes: &[(usize, usize)],
    portion: Option<usize>,
) -> Met {
    let log = feeds::records(lines, lines_a_record, PARTITIONS);
    let (mut store, met) = (Store::default(), RefCell::<Met>::default());
    for (commits, workers) in crashes.iter().copied().chain([(usize::MAX, 2)]) {
        let feeds = feeds::log(&log, &store.resume_from(PARTITIONS), records_a_batch, workers);
        store::run(&mut store, feeds, PARTITIONS, rules, commits, portion, |store, partition| {
            met.borrow_mut().commits_while_due += usize::from(store.states[&partition].due_pairs > 0);
            check_so_far(store, partition, &log[usize::from(partition.0)], rules);
        });
        let mut met = met.borrow_mut();
        met.crashes_while_due += usize::from(store.states.values().any(|state| state.due_pairs > 0));
        met.rows_ahead += store.rows_ahead(PARTITIONS);
    }
    for (partition, records) in log.iter().enumerate() {
        let checkpoint = store.checkpoints[&Partition(partition as u16)];
        let last = records.last().map(|(position, log_time, _)| (*position, *log_time));
        assert_eq!(last, Some((checkpoint.processed, checkpoint.log_time)), "all is read, and nothing is due");
    }
    let said_again = rules.lateness_ms % rules.window_ms != 0;
    assert_same_looks(&store.plain_looks(said_again), &looks_of_log(&log, rules));
    met.into_inner()
}

/// What is due is left for later turns, and a crash leaves final rows that are further than their checkpoint: with a fixed seed,
/// so that the test above can fail.
#[test]
fn logs_are_interrupted_while_windows_close() {
    let mut runner = TestRunner::deterministic();
    let mut all = Met::default();
    for case in 0..6 {
        let lines = lines(300).new_tree(&mut runner).unwrap().current();
        let crashes: Vec<_> = (0..6).map(|nth| (7 + 4 * nth + case, 1 + nth % 2)).collect();
        let met = check_log(&lines, &Rules::default(), [5, 1 + case % 3], &crashes, Some(1));
        all.commits_while_due += met.commits_while_due;
        all.crashes_while_due += met.crashes_while_due;
        all.rows_ahead += met.rows_ahead;
    }
    let Met { commits_while_due, crashes_while_due, rows_ahead } = all;
    assert!(commits_while_due >= 50, "{commits_while_due}");
    assert!(crashes_while_due >= 5, "{crashes_while_due}");
    assert!(rows_ahead >= 5, "{rows_ahead}");
}

/// The looks of all partitions, which end with the same tick.
fn looks_of_log(log: &[Vec<feeds::Record>], rules: &Rules) -> Looks {
    let mut all = Looks::new();
    for records in log {
        let plain: Vec<_> = records.iter().flat_map(plain).collect();
        let end = log_times(&plain).last().copied().unwrap_or(0);
        for (at, look) in looks(&plain, rules, end - 1) {
            all.entry(at).or_default().extend(look);
        }
    }
    all
}

/// That the store has the rows of a partition, open ones as well, and the counts of the records that were committed. Final rows
/// do not change from commit to commit, as the store asserts.
///
/// While something is due, windows may still be open that the log has passed since the checkpoint's log time.
#[track_caller]
fn check_so_far(store: &Store, partition: Partition, records: &[feeds::Record], rules: &Rules) {
    let checkpoint = store.checkpoints[&partition];
    let committed = records.iter().filter(|(position, ..)| *position <= checkpoint.processed);
    let expected = reference::run_all(&committed.flat_map(plain).collect::<Vec<_>>(), rules);
    assert_eq!(checkpoint.ledger, expected.ledger);
    if store.states[&partition].due_pairs == 0 {
        return assert_same_partition(store, partition, &expected);
    }
    let (mut rows, mut final_rows) = (store.plain_rows(), expected.rows);
    final_rows.retain(|(client, ..), row| Partition::of(client, PARTITIONS) == partition && row.is_final);
    for (key, row) in &final_rows {
        let is_closed = rows.get(key).is_some_and(|row| row.is_final);
        assert!(is_closed || row.as_of_ms[0] > checkpoint.log_time.ms(), "{key:?} is closed at {:?}", row.as_of_ms);
    }
    rows.retain(|(client, ..), row| Partition::of(client, PARTITIONS) == partition && row.is_final);
    final_rows.retain(|key, _| rows.contains_key(key));
    assert_same_rows(&rows, &final_rows);
}

/// That the store has what the reference has of a partition: rows, open ones as well, with what hurts in them, how much and why,
/// and clients.
#[track_caller]
fn assert_same_partition(store: &Store, partition: Partition, expected: &Everything) {
    let is_owned = |client: &str| Partition::of(client, PARTITIONS) == partition;
    let (mut rows, mut clients) = (store.plain_rows(), store.plain_clients());
    rows.retain(|(client, ..), _| is_owned(client));
    clients.retain(|client, _| is_owned(client));
    let expected_rows = expected.rows.iter().filter(|((client, ..), _)| is_owned(client));
    assert_same_rows(&rows, &expected_rows.map(|(key, row)| (key.clone(), row.clone())).collect());
    let expected_clients = expected.clients.iter().filter(|(client, _)| is_owned(client));
    assert_eq!(clients, expected_clients.map(|(id, client)| (id.clone(), client.clone())).collect());
}

/// A record's lines, or an empty one.
fn plain((_, log_time, lines): &feeds::Record) -> Vec<reference::Record> {
    let texts =
        if lines.is_empty() { vec![String::new()] } else { lines.iter().map(|line| line.text.clone()).collect() };
    texts.into_iter().map(|text| (Some(log_time.ms()), text)).collect()
}

/// A late event far ahead makes the whole file late: each chunk must hear of the times in the chunks before it.
#[test]
fn a_chunk_takes_over_the_log_time_of_the_chunks_before_it() {
    let line = |id: &str, ts: i64, recv: i64| Line {
        client: "c".into(),
        recv_ms: recv,
        text: format!(
            r#"{{"event_id":"{id}","client_id":"c","ts_ms":{ts},"target":"t","timing_measurements":{{"dns_ms":1}},"recv_ts_ms":{recv}}}"#
        ),
    };
    let lines =
        [line("a", 60_000, 60_000), line("b", 600_000, 600_000), line("c", 60_001, 60_001), line("d", 600_000, 60_001)];
    let classic = Rules { diagnosis: DiagnosisRules::classic(), ..Rules::default() };
    for (workers, rules) in [(1, &classic), (2, &classic), (3, &Rules::default())] {
        check_file(&lines, 1, workers, rules);
    }
}

/// A window that is shown is judged by an earlier one that closes without ever having been shown.
#[test]
fn a_window_that_is_never_shown_counts_for_later_ones() {
    let line = |client: &str, second: i64, recv_second: i64| Line {
        client: client.into(),
        recv_ms: recv_second * 1_000,
        text: format!(
            r#"{{"event_id":"{second}","client_id":"{client}","ts_ms":{},"target":"t","error_stage":"tcp","recv_ts_ms":{}}}"#,
            second * 1_000,
            recv_second * 1_000
        ),
    };
    let later = (120..126).map(|second| line("c", second, 126));
    let earlier = (60..65).map(|second| line("c", second, 127));
    // With its log time the earlier window closes, in the turn in which it was begun.
    let lines: Vec<_> = later.chain(earlier).chain([line("d", 250, 250)]).collect();
    check_shown_file(&lines, 6, 1, &Rules::default());
}

/// More events than are kept exactly: the labels may differ where a percentile lies on a threshold, the counts never.
#[test]
fn a_window_of_two_thousand_events_is_sketched_within_a_thousandth() {
    let line = |n: i64| Line {
        client: "c".into(),
        recv_ms: 60_000 + n * 30,
        text: format!(
            r#"{{"event_id":"{n}","client_id":"c","ts_ms":{},"target":"t","timing_measurements":{{"dns_ms":{},"ttfb_ms":{}}}}}"#,
            60_000 + n * 30,
            (n * 7919) % 2003,
            (n * 104_729) % 1_000_003
        ),
    };
    let lines: Vec<_> = (0..2000).map(line).collect();
    let plain: Vec<_> = lines.iter().map(|line| (None, line.text.clone())).collect();
    let (rows, _) = reference::run(&plain, &Rules::default());
    let got = replay(&lines, 100, 2, &Rules::default()).plain_rows();
    assert_eq!(rows.len(), 1);
    for (key, row) in rows {
        assert_eq!(got[&key].count_success, row.count_success);
        for (got, exact) in got[&key].percentiles.iter().zip(row.percentiles) {
            assert_eq!(got.is_some(), exact.is_some());
            for (got, exact) in
                got.iter().zip(exact).flat_map(|(got, exact)| [(got.p50, exact.p50), (got.p95, exact.p95)])
            {
                assert!(got.abs_diff(exact) as f64 <= 0.001 * exact as f64, "{got} for {exact}");
            }
        }
    }
}
