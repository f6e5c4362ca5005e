//! Ticks for partitions that nobody writes to: the log moves on by itself, and with it the dataflow, which knows no other
//! clock. So windows close, and of a partition that is empty it is known that nothing older is to come.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use netqoe_dataflow::PartitionState;
use netqoe_eventlog::EventLog;
use netqoe_model::{LogTime, Partition};
use tokio_util::sync::CancellationToken;

use crate::Observed;

/// How often open windows are looked at: a row becomes final this much after it could, at most.
const EVERY: Duration = Duration::from_millis(500);
/// A tick that has led to nothing is repeated after this time. One is enough unless it could not be written.
const AGAIN_AFTER_TURNS: u32 = 20;

/// A partition without open windows gets a tick after this time: readers keep in memory what all partitions have passed.
const QUIET_MS: i64 = 5 * 60_000;

/// Appends a tick to each partition whose next window the log's clock has passed, or that has been quiet for long, until
/// `stop`.
pub async fn run(log: Arc<dyn EventLog>, observed: Observed, stop: CancellationToken) {
    let started = LogTime::from_ms((observed.now_ms)());
    let mut ticked: BTreeMap<Partition, (LogTime, u32)> = BTreeMap::new();
    let mut is_refused = false;
    let mut interval = tokio::time::interval(EVERY);
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = interval.tick() => {}
        }
        let waiting = waiting(&observed.log_times(), &observed.states.lock(), started);
        let due = due(&waiting, LogTime::from_ms((observed.now_ms)()), &mut ticked);
        if due.is_empty() {
            continue;
        }
        // What goes on for long is said once: this comes twice a second.
        let refused = log.tick(due).await.err();
        if let Some(error) = refused.as_ref().filter(|_| !std::mem::replace(&mut is_refused, true)) {
            tracing::warn!("windows of idle partitions stay open a little longer: {error}");
        }
        is_refused &= refused.is_some();
    }
}

/// The time that the log must pass for each partition to get a tick: of the window that closes next, or of having been
/// quiet. What was quiet before the start has been so since then.
fn waiting(
    log_times: &BTreeMap<Partition, LogTime>,
    states: &BTreeMap<Partition, PartitionState>,
    started: LogTime,
) -> BTreeMap<Partition, LogTime> {
    let time = |partition, log_time: LogTime| {
        let closes_after = states.get(partition).and_then(|state| state.closes_after);
        closes_after.unwrap_or(LogTime::from_ms(log_time.max(started).ms() + QUIET_MS))
    };
    log_times.iter().map(|(partition, log_time)| (*partition, time(partition, *log_time))).collect()
}

/// The partitions that need a tick now; `ticked` remembers for which time each got one, and how long ago.
fn due(
    waiting: &BTreeMap<Partition, LogTime>,
    now: LogTime,
    ticked: &mut BTreeMap<Partition, (LogTime, u32)>,
) -> Vec<Partition> {
    ticked.values_mut().for_each(|(_, turns)| *turns += 1);
    ticked.retain(|_, (_, turns)| *turns < AGAIN_AFTER_TURNS);
    let is_due = |(partition, time): &(&Partition, &LogTime)| {
        **time < now && ticked.get(partition).is_none_or(|(ticked_for, _)| ticked_for != *time)
    };
    let due: Vec<_> = waiting.iter().filter(is_due).map(|(partition, time)| (*partition, *time)).collect();
    ticked.extend(due.iter().map(|&(partition, time)| (partition, (time, 0))));
    due.into_iter().map(|(partition, _)| partition).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_partition_gets_one_tick_for_each_window_that_is_due() {
        let mut waiting = BTreeMap::from([(Partition(1), LogTime::from_ms(100))]);
        let mut ticked = BTreeMap::new();
        let mut at = |waiting: &_, now| due(waiting, LogTime::from_ms(now), &mut ticked);
        assert!(at(&waiting, 100).is_empty(), "the log must pass the time, not only reach it");
        assert_eq!(at(&waiting, 101), [Partition(1)]);
        assert!(at(&waiting, 102).is_empty(), "the tick is on its way");
        waiting.insert(Partition(1), LogTime::from_ms(101));
        assert_eq!(at(&waiting, 102), [Partition(1)], "the next window is due too");
        for _ in 1..AGAIN_AFTER_TURNS {
            assert!(at(&waiting, 103).is_empty());
        }
        assert_eq!(at(&waiting, 103), [Partition(1)], "a tick that was lost is repeated");
    }

    #[test]
    fn a_partition_waits_for_its_next_window_or_until_it_was_quiet_for_long() {
        let state = |closes_after: Option<i64>| PartitionState {
            closes_after: closes_after.map(LogTime::from_ms),
            ..PartitionState::default()
        };
        let states = BTreeMap::from([(Partition(1), state(Some(100))), (Partition(2), state(None))]);
        let log_times = [(1, 50), (2, 5_000), (3, 0)];
        let log_times = log_times.map(|(number, ms)| (Partition(number), LogTime::from_ms(ms))).into();
        let waiting = waiting(&log_times, &states, LogTime::from_ms(1_000));
        let expected = [(1, 100), (2, 5_000 + QUIET_MS), (3, 1_000 + QUIET_MS)];
        assert_eq!(waiting, expected.map(|(number, ms)| (Partition(number), LogTime::from_ms(ms))).into());
    }
}
