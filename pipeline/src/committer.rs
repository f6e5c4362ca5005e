//! One thread that writes what the workers found, as much at once as has come while the last commit was under way.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use anyhow::Context;
use crossbeam_channel::Receiver;
use netqoe_dataflow::{PartitionOutput, PartitionState};
use netqoe_model::{Ledger, Partition, PartitionCommit};

use super::OpenedStore;
use crate::age::age_ms;

/// Rows from which a commit takes no further outputs in.
#[derive(Clone, Copy, Debug)]
pub struct Gathering {
    max_rows: usize,
}

impl Gathering {
    /// For readers, and for the other writer of the same file, who wait while a transaction lasts.
    pub const LIVE: Self = Self { max_rows: 20_000 };
    /// Nobody waits for a replay's rows: the more windows of a key are written together, the fewer pages are written
    /// twice. The bound is on memory (some tens of megabytes).
    pub const REPLAY: Self = Self { max_rows: 100_000 };
}

/// One commit that is now in the store.
pub struct Committed<'a> {
    /// What was written, by partition.
    pub partitions: &'a [PartitionCommit],
    /// What those partitions hold in memory, in the same order.
    pub states: &'a [PartitionState],
    /// What became of the events that the store did not reflect before.
    pub events: Ledger,
}

impl Committed<'_> {
    /// How long each partition took from the log time of the oldest record to its rows, in milliseconds.
    pub fn delays_ms(&self, now_ms: i64) -> impl Iterator<Item = u64> {
        let oldest = self.partitions.iter().filter_map(|commit| commit.oldest_record);
        oldest.map(move |oldest| age_ms(oldest, now_ms))
    }
}

/// All that a pipeline has committed.
#[derive(Clone, Copy, Debug, Default)]
pub struct Totals {
    /// What became of each event since this pipeline began.
    pub events: Ledger,
    /// Rows written. A replay writes each row once.
    pub rows: u64,
}

/// Writes to a store until all workers have ended. `ledgers` is what the store already reflects.
pub(super) fn run(
    mut store: OpenedStore,
    mut ledgers: BTreeMap<Partition, Ledger>,
    outputs: &Receiver<Vec<PartitionOutput>>,
    gathering: Gathering,
    mut committed: Box<dyn FnMut(Committed<'_>) + Send>,
) -> anyhow::Result<Totals> {
    let mut totals = Totals::default();
    while let Ok(first) = outputs.recv() {
        let (partitions, states) = gather(first, outputs, gathering);
        store.commit(&partitions).context("can't commit to the store")?;
        let mut events = Ledger::default();
        for commit in &partitions {
            let reflected = ledgers.insert(commit.checkpoint.partition, commit.checkpoint.ledger).unwrap_or_default();
            events += commit.checkpoint.ledger - reflected;
        }
        totals.events += events;
        totals.rows += partitions.iter().map(|commit| commit.rows.len() as u64).sum::<u64>();
        committed(Committed { partitions: &partitions, states: &states, events });
    }
    store.complete().context("can't complete the store")?;
    Ok(totals)
}

/// The first output and those that wait behind it, joined by partition.
fn gather(
    first: Vec<PartitionOutput>,
    outputs: &Receiver<Vec<PartitionOutput>>,
    gathering: Gathering,
) -> (Vec<PartitionCommit>, Vec<PartitionState>) {
    let (mut gathered, mut rows) = (BTreeMap::<Partition, PartitionOutput>::new(), 0);
    let mut next = Some(first);
    while let Some(partitions) = next {
        for output in partitions {
            rows += output.commit.rows.len();
            match gathered.entry(output.commit.checkpoint.partition) {
                Entry::Vacant(entry) => drop(entry.insert(output)),
                Entry::Occupied(mut entry) => {
                    entry.get_mut().commit.absorb(output.commit);
                    entry.get_mut().state = output.state;
                }
            }
        }
        next = if rows < gathering.max_rows { outputs.try_recv().ok() } else { None };
    }
    gathered.into_values().map(|output| (output.commit, output.state)).unzip()
}
