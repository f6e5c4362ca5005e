//! Ticks for partitions that nobody writes to: the log moves on by itself, and with it the dataflow, which knows no other
//! clock. So windows close, and of a partition that is empty it is known that nothing older is to come.
//!
//! Decision: D-086.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use netqoe_dataflow::PartitionState;
use netqoe_eventlog::EventLog;
use netqoe_model::{Frontier, LogTime, Partition, Rules, WindowStart};
use netqoe_sinks::read::Reader;
use tokio_util::sync::CancellationToken;

use crate::Observed;

/// How often open windows are looked at: a row becomes final this much after it could, at most.
const EVERY: Duration = Duration::from_millis(500);
/// A tick that has led to nothing is repeated after this time. One is enough unless it could not be written.
const AGAIN_AFTER_TURNS: u32 = 20;
/// How often the store is asked what other processes have committed, while a partition may have to follow them: every two
/// seconds, for a few rows.
const OTHERS_EVERY_TURNS: u32 = 4;

/// Where nobody measures anything, a partition gets a tick after this time: who is silent shows in the looks of the minutes
/// that pass, and progress must not fall behind what the log keeps.
const QUIET_MS: i64 = 60_000;

/// Moves on the partitions of one process.
pub struct Ticker {
    /// What gets the ticks.
    pub log: Arc<dyn EventLog>,
    /// How far this process has come.
    pub observed: Observed,
    /// How far other processes have come; `None` where there are no others.
    pub others: Option<Arc<dyn Reader>>,
    /// When windows close.
    pub rules: Rules,
}

impl Ticker {
    /// Appends a tick to each partition that has an open window whose end the clock has passed, in which a window is still
    /// open that has closed in another one, or that has been quiet for long, until `stop`.
    pub async fn run(self, stop: CancellationToken) {
        let started = LogTime::from_ms((self.observed.now_ms)());
        let mut ticked: BTreeMap<Partition, (LogTime, u32)> = BTreeMap::new();
        let mut is_refused = false;
        let mut interval = tokio::time::interval(EVERY);
        let mut elsewhere = None;
        for turn in (0..OTHERS_EVERY_TURNS).cycle() {
            tokio::select! {
                () = stop.cancelled() => return,
                _ = interval.tick() => {}
            }
            let log_times = self.observed.log_times();
            if turn == 0 && self.may_follow(&log_times) {
                elsewhere = self.furthest_elsewhere().await.or(elsewhere);
            }
            let closed_before = closed_somewhere_before(&log_times, elsewhere, &self.rules);
            let waiting = waiting(&log_times, &self.observed.states.lock(), started, closed_before, &self.rules);
            let due = due(&waiting, LogTime::from_ms((self.observed.now_ms)()), &mut ticked);
            if due.is_empty() {
                continue;
            }
            // What goes on for long is said once: this comes twice a second.
            let refused = self.log.tick(due).await.err();
            if let Some(error) = refused.as_ref().filter(|_| !std::mem::replace(&mut is_refused, true)) {
                tracing::warn!("windows of idle partitions stay open a little longer: {error}");
            }
            is_refused &= refused.is_some();
        }
    }

    /// Whether a window may have closed elsewhere that is open in one of these partitions.
    fn may_follow(&self, log_times: &BTreeMap<Partition, LogTime>) -> bool {
        let could_be_closed = self.rules.first_open(LogTime::from_ms((self.observed.now_ms)()));
        let own = Frontier::of(log_times.values().copied());
        own.is_some_and(|own| own.final_before(&self.rules) < could_be_closed)
    }

    /// The latest log time that any process has committed.
    async fn furthest_elsewhere(&self) -> Option<LogTime> {
        let reader = Arc::clone(self.others.as_ref()?);
        match tokio::task::spawn_blocking(move || reader.ask(|snapshot| snapshot.rows.checkpoints())).await.ok()? {
            Ok(checkpoints) => checkpoints.iter().map(|checkpoint| checkpoint.log_time).max(),
            Err(error) => {
                // A store that can't be read is counted and shown where it is used.
                tracing::debug!("commits of other processes are not seen: {error}");
                None
            }
        }
    }
}

/// Windows that start before this have closed in at least one partition, of this process or elsewhere.
fn closed_somewhere_before(
    log_times: &BTreeMap<Partition, LogTime>,
    elsewhere: Option<LogTime>,
    rules: &Rules,
) -> Option<WindowStart> {
    let known = log_times.values().copied().chain(elsewhere);
    Some(Frontier::of(known)?.final_somewhere_before(rules))
}

/// The time that the clock must pass for each partition to get a tick: of a window that has closed in another partition, of
/// the window that closes next, or of having been quiet. What was quiet before the start has been so since then.
fn waiting(
    log_times: &BTreeMap<Partition, LogTime>,
    states: &BTreeMap<Partition, PartitionState>,
    started: LogTime,
    closed_before: Option<WindowStart>,
    rules: &Rules,
) -> BTreeMap<Partition, LogTime> {
    let time = |partition, log_time: LogTime| {
        let is_behind = |closed: &WindowStart| rules.first_open(log_time) < *closed;
        // The start of the first window that is open elsewhere: it has passed, and is another one for each window.
        let follows = closed_before.filter(is_behind).map(|closed| LogTime::from_ms(closed.ms()));
        let closes_after = || states.get(partition).and_then(|state| state.closes_after);
        let quiet_until = || LogTime::from_ms(log_time.max(started).ms() + QUIET_MS);
        follows.or_else(closes_after).unwrap_or_else(quiet_until)
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

    fn times<const N: usize>(times: [(u16, i64); N]) -> BTreeMap<Partition, LogTime> {
        times.map(|(number, ms)| (Partition(number), LogTime::from_ms(ms))).into()
    }

    #[test]
    fn a_partition_gets_one_tick_for_each_window_that_is_due() {
        let mut waiting = times([(1, 100)]);
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
        let log_times = times([(1, 50), (2, 5_000), (3, 0)]);
        let waiting = waiting(&log_times, &states, LogTime::from_ms(1_000), None, &Rules::default());
        assert_eq!(waiting, times([(1, 100), (2, 5_000 + QUIET_MS), (3, 1_000 + QUIET_MS)]));
    }

    #[test]
    fn what_has_closed_in_one_partition_closes_in_all() {
        let rules = Rules { window_ms: 60_000, lateness_ms: 120_000, ..Rules::default() };
        // The first partition has just passed the window that starts at 60 s, the third one an earlier one.
        let log_times = times([(1, 240_001), (2, 240_000), (3, 200_000), (4, 0)]);
        // The second one waits for a window far ahead, and must not keep the others from knowing that this one is over.
        let far_ahead = PartitionState { closes_after: Some(LogTime::from_ms(500_000)), ..PartitionState::default() };
        let states = BTreeMap::from([(Partition(2), far_ahead)]);
        let started = LogTime::from_ms(250_000);
        let at = |elsewhere: Option<i64>| {
            let closed = closed_somewhere_before(&log_times, elsewhere.map(LogTime::from_ms), &rules);
            waiting(&log_times, &states, started, closed, &rules)
        };
        let quiet = started.ms() + QUIET_MS;
        assert_eq!(at(None), times([(1, quiet), (2, 120_000), (3, 120_000), (4, 120_000)]));
        assert_eq!(at(Some(300_000)), at(None), "elsewhere, no later window has closed");
        assert_eq!(at(Some(300_001)), times([(1, 180_000), (2, 180_000), (3, 180_000), (4, 180_000)]));
        assert_eq!(closed_somewhere_before(&times([]), None, &rules), None);
    }
}
