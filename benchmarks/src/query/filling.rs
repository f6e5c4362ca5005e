//! Fills the store as a pipeline does, in the order of time: where rows lie decides how soon they are found.

use std::num::NonZeroU16;
use std::time::Instant;

use anyhow::ensure;
use netqoe_model::{Checkpoint, Ledger, LogIdentity, LogTime, Partition, PartitionCommit, Position};
use netqoe_sinks::{Opening, Store};

use super::fleet::Fleet;

use crate::output;

/// The log that the store follows. It does not exist.
const LOG: &str = "bench-query";

/// Of that log.
pub(super) const PARTITIONS: NonZeroU16 = NonZeroU16::MIN;

/// Measurements that a row counts.
const EVENTS_A_ROW: u64 = 2;

/// A commit of one minute writes nearly as many pages as one of ten.
const MINUTES_A_COMMIT: usize = 10;

/// The fleet that is in the store: as it was, where an earlier run has filled it.
pub(super) fn fill(mut store: Box<dyn Store>, mut fleet: Fleet) -> anyhow::Result<Fleet> {
    let log = LogIdentity { id: LOG.to_owned(), partitions: PARTITIONS };
    let generation = store.open(&log, &Opening::default())?;
    if let Some(checkpoint) = store.checkpoints()?.first() {
        let is_whole = checkpoint.processed == Position(fleet.minutes.into());
        ensure!(is_whole, "the store is filled in part, or with another fleet; give an empty one with --database-url");
        fleet.end_ms = checkpoint.log_time.ms();
        return Ok(fleet);
    }
    tracing::info!("filling the store");
    let (began, mut rows) = (Instant::now(), 0);
    let minutes: Vec<_> = (0..fleet.minutes).collect();
    for minutes in minutes.chunks(MINUTES_A_COMMIT) {
        let commit = commit(&mut fleet, minutes, rows);
        rows += commit.rows.len() as u64;
        store.commit(generation, &[commit])?;
    }
    store.complete()?;
    output::line(format_args!("Filled with {rows} rows in {:.1} s.\n", began.elapsed().as_secs_f64()))?;
    Ok(fleet)
}

fn commit(fleet: &mut Fleet, minutes: &[u32], rows_before: u64) -> PartitionCommit {
    let rows: Vec<_> = minutes.iter().flat_map(|&minute| fleet.rows(minute)).collect();
    let clients = minutes.iter().flat_map(|&minute| fleet.clients(minute)).collect();
    let events = (rows_before + rows.len() as u64) * EVENTS_A_ROW;
    let end = minutes.last().map_or(0, |last| last + 1);
    let checkpoint = Checkpoint {
        partition: Partition(0),
        resume_from: Position(0),
        processed: Position(end.into()),
        log_time: LogTime::from_ms(fleet.start_ms(end)),
        ledger: Ledger { read: events, accepted: events, ..Ledger::default() },
    };
    PartitionCommit {
        checkpoint,
        rows,
        clients,
        dead_letters: Vec::new(),
        looks: Vec::new(),
        waiting: Vec::new(),
        oldest_record: None,
    }
}
