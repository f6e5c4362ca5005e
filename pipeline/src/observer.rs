//! What follows from a commit: metrics, live rows, and how far the log is reflected.

use std::collections::BTreeMap;
use std::sync::Arc;

use netqoe_dataflow::PartitionState;
use netqoe_model::metrics::Metrics;
use netqoe_model::{Checkpoint, Label, LogTime, PairTally, Partition, Severity};
use netqoe_query::LiveFeed;
use netqoe_sinks::FleetCommit;
use parking_lot::Mutex;

use crate::age::age_ms;
use crate::committer::OnCommit;
use crate::fleet::{Found, OnFound};
use crate::gauge::gauge;
use crate::left_out::note_left_out;
use crate::{Assignment, Backlog, Committed, Observed};

/// Shows the backlog of each worker and partition in `metrics`, as it is at each look.
pub(crate) fn show_backlog(observed: &Observed, assignment: Assignment, backlog: Backlog) {
    let now_ms = observed.now_ms;
    observed.on_gather(move |metrics, checkpoints| {
        metrics.queue_consumer_lag.set(gauge(backlog.records()));
        let now_ms = now_ms();
        for (worker, oldest) in assignment.numbers().zip(backlog.oldest()) {
            let age_ms = oldest.map_or(0, |oldest| age_ms(oldest, now_ms));
            metrics.frontier_lag.with_label_values(&[worker.to_string()]).set(age_ms as f64 / 1000.0);
        }
        for Checkpoint { partition, .. } in checkpoints {
            if let Some(records) = backlog.records_of(*partition) {
                metrics.partition_lag.with_label_values(&[partition.0.to_string()]).set(gauge(records));
            }
        }
        let newest = checkpoints.iter().map(|checkpoint| checkpoint.log_time).max().unwrap_or_default();
        metrics.log_clock_ahead.set(newest.ms().saturating_sub(now_ms).max(0) as f64 / 1000.0);
        metrics
            .events_unbalanced
            .set(gauge(checkpoints.iter().map(|checkpoint| checkpoint.ledger.unbalanced()).sum::<u64>()));
    });
}

/// What happens after each commit: it is counted, shown to live readers, and `on_reflected` is told how far rows now reflect
/// the log.
pub(crate) fn on_commit(
    assignment: Assignment,
    observed: Observed,
    backlog: Backlog,
    on_reflected: Box<dyn Fn(&Checkpoint) + Send>,
) -> OnCommit {
    Box::new(move |committed| {
        backlog.committed(committed.partitions.iter().map(|commit| &commit.checkpoint));
        let delays_ms: Vec<_> = committed.delays_ms((observed.now_ms)()).collect();
        measure(&observed.metrics, &committed, &delays_ms);
        note_left_out(&observed.uncounted, committed.late, committed.partitions);
        observed.committed(&committed, &delays_ms);
        let mut states = observed.states.lock();
        for (commit, state) in committed.partitions.iter().zip(committed.states) {
            let before = states.insert(commit.checkpoint.partition, *state).unwrap_or_default();
            let forgotten = state.forgotten_pairs.saturating_sub(before.forgotten_pairs);
            observed.metrics.pairs_evicted.with_label_values(&["idle"]).inc_by(forgotten);
            on_reflected(&commit.checkpoint);
        }
        measure_memory(&observed.metrics, assignment, &states);
        drop(states);
        observed.live.publish(committed.partitions, committed.events);
    })
}

/// What happens when incidents are found: how they and the pairs stand is shown, and live readers are told.
pub(crate) fn on_found(observed: &Observed) -> OnFound {
    let (metrics, live, now_ms) = (observed.metrics.clone(), observed.live.clone(), observed.now_ms);
    let unacknowledged_since: Arc<Mutex<Option<LogTime>>> = Arc::default();
    let since = Arc::clone(&unacknowledged_since);
    metrics.on_gather(move |metrics| {
        let age_ms = since.lock().map_or(0, |since| age_ms(since, now_ms()));
        metrics.incident_unacknowledged.set(gauge(age_ms / 1000));
    });
    Box::new(move |found| match found {
        Found::Committed(commit, delay) => {
            metrics.incidents_delay.observe(delay.as_secs_f64());
            show_found(&metrics, &live, commit);
        }
        Found::Again(commit, took) => {
            metrics.incidents_refold.observe(took.as_secs_f64());
            show_found(&metrics, &live, commit);
        }
        Found::Beyond => metrics.incidents_uncorrected.inc(),
        Found::Open(open) => {
            *unacknowledged_since.lock() = open.oldest_unacknowledged;
            show_open(&metrics, &open.counts);
        }
        Found::Lag { passed, through } => metrics.incidents_lag.set((passed.ms() - through.ms()).max(0) / 1000),
    })
}

/// How pairs stand, and which incidents have changed.
fn show_found(metrics: &Metrics, live: &LiveFeed, commit: &FleetCommit) {
    let PairTally { degraded, healthy, unjudged, unmeasured } = commit.tally;
    for (state, count) in
        [("degraded", degraded), ("healthy", healthy), ("unjudged", unjudged), ("unmeasured", unmeasured)]
    {
        metrics.pairs.with_label_values(&[state]).set(count.into());
    }
    commit.changes.iter().for_each(|changes| live.publish_incidents(changes));
}

/// Of each label and severity, also where there is none any more.
fn show_open(metrics: &Metrics, counts: &[(Label, Severity, u64)]) {
    for label in Label::ALL.into_iter().filter(|label| *label != Label::Healthy) {
        for severity in [Severity::Minor, Severity::Major, Severity::Critical] {
            let of_both =
                counts.iter().find(|(of_label, of_severity, _)| (*of_label, *of_severity) == (label, severity));
            let count = of_both.map_or(0, |(.., count)| gauge(*count));
            metrics.incidents_open.with_label_values(&[label.as_str(), severity.as_str()]).set(count);
        }
    }
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

fn measure_memory(metrics: &Metrics, assignment: Assignment, states: &BTreeMap<Partition, PartitionState>) {
    for worker in assignment.numbers() {
        let owned =
            || states.iter().filter(|(partition, _)| assignment.owner(**partition) == worker).map(|(_, state)| state);
        let label = worker.to_string();
        let (windows, keys): (usize, usize) =
            (owned().map(|state| state.open_windows).sum(), owned().map(|state| state.tracked_pairs).sum());
        metrics.open_windows.with_label_values(&[&label]).set(windows as i64);
        metrics.tracked_keys.with_label_values(&[&label]).set(keys as i64);
    }
}
