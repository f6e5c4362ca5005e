//! Ticks for partitions that nobody writes to while they have windows open: the log moves on by itself, and with it
//! the dataflow, which knows no other clock.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use netqoe_dataflow::PartitionState;
use netqoe_eventlog::EventLog;
use netqoe_model::{LogTime, Partition};
use parking_lot::Mutex;
use tokio_util::sync::CancellationToken;

use crate::clock::now_ms;

/// How often open windows are looked at: a row becomes final this much after it could, at most.
const EVERY: Duration = Duration::from_millis(500);
/// A tick that has led to nothing is repeated after this time. One is enough unless it could not be written.
const AGAIN_AFTER_TURNS: u32 = 20;

/// What each partition holds in memory, as of its last commit.
pub(super) type States = Arc<Mutex<BTreeMap<Partition, PartitionState>>>;

/// Appends a tick to each partition whose next window the log's clock has passed, until `stop`.
pub(super) async fn run(log: Arc<dyn EventLog>, states: States, stop: CancellationToken) {
    let mut ticked: BTreeMap<Partition, (LogTime, u32)> = BTreeMap::new();
    let mut interval = tokio::time::interval(EVERY);
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = interval.tick() => {}
        }
        let due = due(&states.lock(), LogTime::from_ms(now_ms()), &mut ticked);
        if due.is_empty() {
            continue;
        }
        if let Err(error) = log.tick(due).await {
            tracing::warn!("windows of idle partitions stay open a little longer: {error}");
        }
    }
}

/// The partitions that need a tick now; `ticked` remembers for which closing time each got one, and how long ago.
fn due(
    states: &BTreeMap<Partition, PartitionState>,
    now: LogTime,
    ticked: &mut BTreeMap<Partition, (LogTime, u32)>,
) -> Vec<Partition> {
    ticked.values_mut().for_each(|(_, turns)| *turns += 1);
    ticked.retain(|_, (_, turns)| *turns < AGAIN_AFTER_TURNS);
    let closing = states.iter().filter_map(|(partition, state)| Some((*partition, state.closes_after?)));
    let due = closing.filter(|(partition, closes_after)| {
        *closes_after < now && ticked.get(partition).is_none_or(|(ticked_for, _)| ticked_for != closes_after)
    });
    let due: Vec<_> = due.collect();
    ticked.extend(due.iter().map(|&(partition, closes_after)| (partition, (closes_after, 0))));
    due.into_iter().map(|(partition, _)| partition).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_partition_gets_one_tick_for_each_window_that_is_due() {
        let state = |closes_after: Option<i64>| PartitionState {
            closes_after: closes_after.map(LogTime::from_ms),
            ..PartitionState::default()
        };
        let mut states = BTreeMap::from([(Partition(1), state(Some(100))), (Partition(2), state(None))]);
        let mut ticked = BTreeMap::new();
        let mut at = |states: &_, now| due(states, LogTime::from_ms(now), &mut ticked);
        assert!(at(&states, 100).is_empty(), "the log must pass the time, not only reach it");
        assert_eq!(at(&states, 101), [Partition(1)]);
        assert!(at(&states, 102).is_empty(), "the tick is on its way");
        states.insert(Partition(1), state(Some(101)));
        assert_eq!(at(&states, 102), [Partition(1)], "the next window is due too");
        for _ in 1..AGAIN_AFTER_TURNS {
            assert!(at(&states, 103).is_empty());
        }
        assert_eq!(at(&states, 103), [Partition(1)], "a tick that was lost is repeated");
    }
}
