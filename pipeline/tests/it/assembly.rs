//! What `up` and a process of a cluster put together, from its start to its end and over a restart.

use netqoe_model::{Checkpoint, LeftOut, Partition};
use netqoe_pipeline::Running;
use netqoe_query::PipelineView;
use netqoe_sinks::read::{Filter, Query, Reader, SqliteReader};

use crate::support::{Files, NOW_MS, eventually};

fn rows(files: &Files) -> Vec<(String, u64)> {
    let reader: &dyn Reader = &SqliteReader::open(&files.store_path()).unwrap();
    let query = Query { filter: Filter::default(), after: None, limit: 1_000 };
    let page = reader.ask(|store| store.rows.aggregates(&query)).unwrap();
    page.items.into_iter().map(|row| (row.client_id, u64::from(row.window.count_total()))).collect()
}

fn processed(files: &Files) -> u64 {
    let reader: &dyn Reader = &SqliteReader::open(&files.store_path()).unwrap();
    let checkpoints = reader.ask(|store| store.rows.checkpoints()).unwrap();
    checkpoints.iter().map(|Checkpoint { ledger, .. }| ledger.read).sum()
}

#[test]
fn what_is_appended_becomes_rows_and_is_shown() {
    let files = Files::new();
    let Running { feeds, pipeline, view, mut failed } = files.run();
    for number in 1..=30 {
        files.append(number % 3, &format!("client-{}", number % 3), u64::from(number));
    }
    eventually(|| processed(&files) == 30);
    eventually(|| view.look().events.read == 30);
    let state = view.look();
    assert_eq!((state.log.kind, state.store.kind, state.processes), ("sqlite", "sqlite", 1));
    assert!(state.log.healthy && state.store.healthy && state.pipeline.healthy, "{state:?}");
    assert_eq!((state.lag_records, state.tracked_pairs, state.open_windows), (0, 3, 3));
    assert_eq!(view.observed().metrics.queue_consumer_lag.get(), 0);
    assert!(failed.failure_by_now().is_none());
    feeds.end();
    let totals = pipeline.join().unwrap();
    assert_eq!((totals.events.read, totals.events.accepted), (30, 30));
    let mut counted = rows(&files);
    counted.sort();
    assert_eq!(counted, ["client-0", "client-1", "client-2"].map(|client| (client.to_owned(), 10)));
}

#[test]
fn another_start_goes_on_where_the_store_stopped() {
    let files = Files::new();
    for (start, count) in [(0_u64, 20_u64), (20, 5), (25, 0)] {
        (start + 1..=start + count).for_each(|number| files.append(1, "c", number));
        let Running { feeds, pipeline, view, .. } = files.run();
        feeds.end();
        assert_eq!(pipeline.join().unwrap().events.read, count, "what the store reflects is not counted again");
        assert_eq!(view.look().events.read, start + count, "the ledger is of the whole log");
        assert_eq!(rows(&files), [("c".to_owned(), start + count)]);
    }
}

#[test]
fn open_windows_are_shown_when_that_is_asked_for() {
    let files = Files::new();
    let Running { feeds, pipeline, view, .. } = files.run();
    files.append(1, "c", 1);
    feeds.flush();
    eventually(|| rows(&files).len() == 1);
    feeds.stop();
    pipeline.join().unwrap();
    assert!(view.check_log().is_ok() && view.check_store().is_ok() && view.check_dataflow().is_ok());
}

#[test]
fn a_pair_whose_past_is_too_old_to_matter_is_given_up_and_counted() {
    let files = Files::new();
    let Running { feeds, pipeline, view, .. } = files.run();
    files.append(1, "c", 1);
    eventually(|| view.look().tracked_pairs == 1);
    let evicted = || view.observed().metrics.pairs_evicted.with_label_values(&["idle"]).get();
    assert_eq!(evicted(), 0);
    files.set_clock(NOW_MS + 26 * 3_600_000);
    files.tick();
    eventually(|| view.look().tracked_pairs == 0);
    assert_eq!(evicted(), 1);
    feeds.end();
    pipeline.join().unwrap();
}

#[test]
fn what_is_late_or_unreadable_is_noted_at_its_log_time() {
    let files = Files::new();
    let Running { feeds, pipeline, view, .. } = files.run();
    files.append(1, "in time", 1);
    let later_ms = NOW_MS + 3_600_000;
    files.set_clock(later_ms);
    (2..=3).for_each(|number| files.append(1, "late", number));
    files.append_all(vec![(Partition(1), b"nonsense".to_vec())]);
    feeds.end();
    pipeline.join().unwrap();
    let noted = |from_ms: i64| {
        let found = view.observed().uncounted.within(from_ms..i64::MAX).reasons;
        let told = found.into_iter().map(|of| (of.left_out, of.count, of.last.client_id, of.last.at_ms));
        told.collect::<Vec<_>>()
    };
    let late = (LeftOut::Late, 2, Some("late".into()), later_ms);
    assert_eq!(noted(NOW_MS), [late, (LeftOut::Unreadable, 1, None, later_ms)]);
    assert_eq!(noted(later_ms + 60_000), []);
}

#[test]
fn a_commit_that_is_fenced_off_is_a_failure() {
    let files = Files::new();
    let Running { feeds, mut failed, pipeline, .. } = files.run();
    drop(files.store()); // another process opens the store
    files.append(1, "c", 1);
    let mut failure = None;
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async { failure = Some(failed.failure().await) });
    let message = failure.unwrap().to_string();
    // The thread that finds incidents may meet the fence first.
    assert!(["can't commit to the store", "can't find incidents"].contains(&&*message), "{message}");
    feeds.end();
    assert!(pipeline.join().is_err());
}
