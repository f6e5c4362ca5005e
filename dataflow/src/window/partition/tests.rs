//! How many windows of a pair are open at once, and what becomes of them when the log ends. What they count is the reference's to
//! hold (`tests/it/reference.rs`).

use netqoe_model::{Event, EventTime, Partition};

use super::*;

/// Log times that are tried in each window, and moments of one at which something was measured.
const STEPS: i64 = 5;
const BEGIN_MS: i64 = 1_700_000_000_000;

/// The most windows of one pair that are open after a turn, where the log goes through eight windows and takes at every step events of
/// all moments: of which some are late, and some too far ahead.
fn most_open(window_s: i64, lateness_s: i64, max_future_s: i64) -> usize {
    let rules = Rules {
        window_ms: window_s * 1_000,
        lateness_ms: lateness_s * 1_000,
        max_future_ms: max_future_s * 1_000,
        ..Rules::default()
    };
    let step_ms = rules.window_ms / STEPS;
    let reach_ms = rules.lateness_ms + rules.max_future_ms + 3 * rules.window_ms;
    let begin = EventTime::from_ms(BEGIN_MS).window(rules.window_ms).ms();
    let times = (0..8 * STEPS).flat_map(|step| [-1, 0, 1].map(|off_ms| begin + step * step_ms + off_ms));
    let mut windows = PartitionWindows::new(Arc::new(rules), Checkpoint::default());
    let open = times.zip(1..).filter_map(|(log_time_ms, position)| {
        let mut batch = EventBatch::new(Partition(0), Position(position));
        batch.log_time = LogTime::from_ms(log_time_ms);
        for ts_ms in (log_time_ms - reach_ms..=log_time_ms + reach_ms).step_by(step_ms as usize) {
            let json = format!(
                r#"{{"event_id":"{position}-{ts_ms}","client_id":"c","ts_ms":{ts_ms},"target":"t","timing_measurements":{{}}}}"#
            );
            batch.push(&Event::parse(json.as_bytes()).unwrap(), batch.log_time);
            batch.read += 1;
        }
        windows.apply(batch);
        Some(windows.turn()?.state.open_windows)
    });
    open.max().unwrap()
}

#[test]
fn a_pair_has_as_many_open_windows_as_lateness_and_future_reach_and_two() {
    assert_eq!(most_open(60, 120, 300), 9, "the default rules");
    for (window_s, lateness_s, max_future_s) in [(60, 0, 0), (60, 90, 300), (10, 120, 300), (60, 59, 60), (300, 60, 0)]
    {
        let expected = (lateness_s + max_future_s) / window_s + 2;
        assert_eq!(most_open(window_s, lateness_s, max_future_s), expected as usize, "windows of {window_s} s");
    }
}

/// A partition that has counted one event of a pair in each of two windows which are open.
fn with_two_open() -> PartitionWindows {
    let mut windows = PartitionWindows::new(Arc::new(Rules::default()), Checkpoint::default());
    let mut batch = EventBatch::new(Partition(0), Position(1));
    for ts_ms in [BEGIN_MS, BEGIN_MS + 60_000] {
        batch.log_time = LogTime::from_ms(ts_ms);
        let json = format!(
            r#"{{"event_id":"{ts_ms}","client_id":"c","ts_ms":{ts_ms},"target":"t","timing_measurements":{{"dns_ms":1}}}}"#
        );
        batch.push(&Event::parse(json.as_bytes()).unwrap(), batch.log_time);
        batch.read += 1;
    }
    windows.apply(batch);
    windows
}

#[test]
fn what_is_open_when_the_log_ends_is_judged_without_the_collection() {
    let mut windows = with_two_open();
    windows.apply(EventBatch::flush(Partition(0), true));
    let output = windows.turn().unwrap();
    assert!(output.changes.is_empty());
    let rows: Vec<_> = output.closed.iter().map(|closed| (closed.row.is_final, closed.row.count_success)).collect();
    assert_eq!(rows, [(false, 1); 2]);
    assert!(output.closed[0].row.start < output.closed[1].row.start, "the older one first");
    assert_eq!(output.closed[1].row.as_of.ms(), BEGIN_MS + 60_000);
    assert_eq!(output.state.open_windows, 2, "they never closed");
}

#[test]
fn what_was_shown_before_the_log_ends_is_not_shown_again() {
    let mut windows = with_two_open();
    windows.apply(EventBatch::flush(Partition(0), false));
    let output = windows.turn().unwrap();
    assert_eq!((output.changes.len(), output.closed.len()), (2, 0), "a live log may correct it");
    windows.apply(EventBatch::flush(Partition(0), true));
    let output = windows.turn().unwrap();
    assert_eq!((output.changes.len(), output.closed.len()), (0, 0));
}
