//! What the outside sees of a running pipeline: metrics, live rows, the health of its parts.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use netqoe_dataflow::PartitionState;
use netqoe_eventlog::SqliteLog;
use netqoe_model::metrics::Metrics;
use netqoe_model::{Checkpoint, Partition};

use super::log_clock::LogClockCheck;
use super::view::Observed;
use crate::age::age_ms;
use crate::{Backlog, Committed, Crew};

/// A commit is made many times a second while events come; a store that is slow takes seconds. What waits longer than
/// this waits for something that is broken.
const STALLED_AFTER: Duration = Duration::from_secs(30);

/// Shows the backlog of each worker in `metrics`, as it is at each look.
pub fn show_backlog(observed: &Observed, crew: Crew, backlog: Backlog) {
    let now_ms = observed.now_ms;
    observed.metrics.on_gather(move |metrics| {
        metrics.queue_consumer_lag.set(i64::try_from(backlog.records()).unwrap_or(i64::MAX));
        let now_ms = now_ms();
        for (worker, oldest) in crew.numbers().zip(backlog.oldest()) {
            let age_ms = oldest.map_or(0, |oldest| age_ms(oldest, now_ms));
            metrics.frontier_lag.with_label_values(&[worker.to_string()]).set(age_ms as f64 / 1000.0);
        }
    });
}

/// Shows how much of the log was found damaged.
pub fn show_damage(metrics: &Metrics, log: SqliteLog) {
    metrics.on_gather(move |metrics| {
        metrics.log_damaged_records.set(i64::try_from(log.damaged_records()).unwrap_or(i64::MAX));
    });
}

/// What happens after each commit: it is counted, shown to live readers, and `reflected` is told how far rows now reflect
/// the log.
pub fn observer(
    crew: Crew,
    observed: Observed,
    backlog: Backlog,
    reflected: impl Fn(&Checkpoint) + Send + 'static,
) -> Box<dyn FnMut(Committed<'_>) + Send> {
    Box::new(move |committed| {
        backlog.committed(committed.partitions.iter().map(|commit| &commit.checkpoint));
        let delays_ms: Vec<_> = committed.delays_ms((observed.now_ms)()).collect();
        measure(&observed.metrics, &committed, &delays_ms);
        observed.committed(&committed, &delays_ms);
        let mut states = observed.states.lock();
        for (commit, state) in committed.partitions.iter().zip(committed.states) {
            states.insert(commit.checkpoint.partition, *state);
            reflected(&commit.checkpoint);
        }
        measure_memory(&observed.metrics, crew, &states);
        drop(states);
        observed.live.publish(committed.partitions, committed.events);
    })
}

fn measure(metrics: &Metrics, committed: &Committed<'_>, delays_ms: &[u64]) {
    let events = committed.events;
    for (status, count) in [
        ("success", events.accepted),
        ("duplicate", events.duplicate),
        ("late", events.late),
        ("error", events.invalid),
    ] {
        metrics.events_processed.with_label_values(&[status]).inc_by(count);
    }
    for commit in committed.partitions {
        metrics.db_rows_written.inc_by(commit.rows.len() as u64);
        metrics.windows_flushed.inc_by(commit.rows.iter().filter(|row| row.window.is_final).count() as u64);
        metrics.dead_letters.inc_by(commit.dead_letters.len() as u64);
    }
    delays_ms.iter().for_each(|delay_ms| metrics.processing_delay.observe(*delay_ms as f64 / 1000.0));
}

fn measure_memory(metrics: &Metrics, crew: Crew, states: &BTreeMap<Partition, PartitionState>) {
    for worker in crew.numbers() {
        let owned = || states.iter().filter(|(partition, _)| crew.owner(**partition) == worker).map(|(_, state)| state);
        let label = worker.to_string();
        let (windows, keys): (usize, usize) =
            (owned().map(|state| state.open_windows).sum(), owned().map(|state| state.tracked_pairs).sum());
        metrics.open_windows.with_label_values(&[&label]).set(windows as i64);
        metrics.tracked_keys.with_label_values(&[&label]).set(keys as i64);
    }
}

/// Whether what the log takes becomes rows. Clones look at the same.
#[derive(Clone)]
pub struct Works {
    pub observed: Observed,
    pub backlog: Backlog,
    pub log_clock: LogClockCheck,
    /// Whether the log's records are what was written, where they tell.
    pub records: Option<LogCheck>,
}

impl Works {
    pub fn check(&self) -> Result<(), String> {
        moves(&self.backlog)?;
        self.log_clock.check(&self.observed, (self.observed.now_ms)())?;
        self.records.as_ref().map_or(Ok(()), |intact| intact())
    }
}

/// Says at once what is wrong with a log.
pub type LogCheck = Arc<dyn Fn() -> Result<(), String> + Send + Sync>;

/// Whether a pipeline reads and commits.
pub fn moves(backlog: &Backlog) -> Result<(), String> {
    backlog.unreadable().map_or(Ok(()), Err)?;
    commits(backlog.stalled_for(Instant::now()), backlog.records())
}

/// Whether a pipeline commits in which so many records wait, and nothing was committed for so long.
fn commits(stalled_for: Duration, records: u64) -> Result<(), String> {
    if stalled_for < STALLED_AFTER {
        return Ok(());
    }
    let seconds = stalled_for.as_secs();
    Err(format!("{records} records of the log wait, and nothing was committed for {seconds} s; look at the store"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pipeline_that_stands_still_is_failing() {
        assert_eq!(commits(Duration::ZERO, 0), Ok(()));
        assert_eq!(commits(STALLED_AFTER - Duration::from_millis(1), 7), Ok(()), "a slow store is no broken one");
        let message = commits(Duration::from_secs(75), 7).unwrap_err();
        assert_eq!(message, "7 records of the log wait, and nothing was committed for 75 s; look at the store");
    }
}
