//! One thread that writes what the workers found, as much at once as has come while the last commit was under way.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use crossbeam_channel::{Receiver, Sender};
use netqoe_dataflow::{LateEvents, Pace, PartitionOutput, PartitionState};
use netqoe_model::{Checkpoint, Ledger, Partition, PartitionCommit, Reclassified};

use crate::age::age_ms;
use crate::corrections::Mark;
use crate::fleet::FleetThread;
use crate::traced::TracedBatches;
use crate::{OpenedStore, PipelineError};

/// Pairs whose windows a worker closes in one turn where others wait: by estimate some 15 ms, and as much for the store. With
/// fewer, turn and transaction cost more than their rows.
const PAIRS_PER_TURN: usize = 1_000;

/// Outputs that may wait for the committing thread when a worker adds a portion: with one it has work when it is done.
const MAX_WAITING: usize = 1;

/// Rows from which a commit takes no further outputs in.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Gathering {
    max_rows: usize,
    /// Pairs that a worker works off in a turn, of what becomes due of all of them at once; `None`: all.
    portion: Option<usize>,
    /// Outputs of all workers that may wait for the committing thread. When there are as many, the workers wait, and so does
    /// reading.
    pub(crate) waiting: usize,
}

impl Gathering {
    /// For readers, and for the other writer of the same file, who wait while a transaction lasts.
    ///
    /// One or two outputs wait for each epoch in flight.
    pub(crate) const LIVE: Self = Self { max_rows: 20_000, portion: Some(PAIRS_PER_TURN), waiting: 32 };
    /// Nobody waits for a replay's rows: the more windows of a key are written together, the fewer pages are written
    /// twice. The bounds are on memory (some tens of megabytes): an output has all rows of 64 MiB of the file.
    pub(crate) const REPLAY: Self = Self { max_rows: 100_000, portion: None, waiting: 1 };

    /// How fast a worker that sends to the committing thread closes windows while others wait: not faster than that writes.
    pub(crate) fn pace(self, outputs: &Sender<Vec<PartitionOutput>>) -> Option<Pace> {
        let (portion, outputs) = (self.portion?, outputs.clone());
        Some(Box::new(move || if outputs.len() <= MAX_WAITING { portion } else { 0 }))
    }
}

/// One commit that is now in the store.
pub(crate) struct Committed<'a> {
    /// What was written, by partition.
    pub(crate) partitions: &'a [PartitionCommit],
    /// What those partitions hold in memory, in the same order.
    pub(crate) states: &'a [PartitionState],
    /// What came after its window was closed, by partition and minute of the log.
    pub(crate) late: &'a [LateEvents],
    /// What became of the events that the store did not reflect before.
    pub(crate) events: Ledger,
}

impl Committed<'_> {
    /// How long each partition took from the log time of the oldest record to its rows, in milliseconds.
    pub(crate) fn delays_ms(&self, now_ms: i64) -> impl Iterator<Item = u64> {
        let oldest = self.partitions.iter().filter_map(|commit| commit.oldest_record);
        oldest.map(move |oldest| age_ms(oldest, now_ms))
    }
}

/// Told of each commit.
pub(crate) type OnCommit = Box<dyn FnMut(Committed<'_>) + Send>;

/// Who hears of commits.
pub(crate) struct Followers {
    pub(crate) on_commit: OnCommit,
    /// The thread that finds incidents, where this process does.
    pub(crate) fleet: Option<FleetThread>,
    /// The thread that corrects rows, where there is one: it is told of marks.
    pub(crate) marks: Option<Sender<Mark>>,
}

/// All that a pipeline has committed.
#[derive(Clone, Copy, Debug, Default)]
pub struct Totals {
    /// What became of each event since this pipeline began.
    pub events: Ledger,
    /// Rows that the dataflow found; the store may keep those of some windows only. A replay finds each row once.
    pub rows: u64,
}

/// Writes to a store until all workers have ended. `ledgers` is what the store already reflects.
pub(crate) fn run(
    mut store: OpenedStore,
    mut ledgers: BTreeMap<Partition, Ledger>,
    outputs: &Receiver<Vec<PartitionOutput>>,
    gathering: Gathering,
    traced: &TracedBatches,
    followers: Followers,
) -> Result<Totals, PipelineError> {
    let Followers { mut on_commit, mut fleet, marks } = followers;
    let mut totals = Totals::default();
    while let Ok(first) = outputs.recv() {
        let Gathered { mut partitions, states, late, reclassified, marked } = gather(first, outputs, gathering);
        totals.rows += partitions.iter().map(|commit| commit.rows.len() as u64).sum::<u64>();
        let span = traced.commit(&partitions);
        store.commit(&mut partitions)?;
        drop(span);
        let mut events = Ledger::default();
        for commit in &partitions {
            let Checkpoint { partition, ledger, .. } = commit.checkpoint;
            let mut reflected = ledgers.insert(partition, ledger).unwrap_or_default();
            reflected.reclassify(reclassified.get(&partition).copied().unwrap_or_default());
            events += ledger - reflected;
        }
        totals.events += events;
        if let Some(fleet) = &mut fleet {
            fleet.committed(&partitions);
        }
        on_commit(Committed { partitions: &partitions, states: &states, late: &late, events });
        for (commit, state) in partitions.iter().zip(&states) {
            if let Some(&number) = marked.get(&commit.checkpoint.partition) {
                let mark = Mark { number, checkpoint: commit.checkpoint, state: *state };
                // Where nobody takes them any more, nobody waits for this one.
                marks.iter().for_each(|marks| _ = marks.try_send(mark));
            }
        }
    }
    if !fleet.is_none_or(FleetThread::finish) {
        return Err(PipelineError::NotWritten);
    }
    store.complete().map_err(PipelineError::Complete)?;
    Ok(totals)
}

/// What is committed at once.
#[derive(Default)]
struct Gathered {
    partitions: Vec<PartitionCommit>,
    states: Vec<PartitionState>,
    late: Vec<LateEvents>,
    /// By partition: events that came late earlier and that a correction has counted.
    reclassified: BTreeMap<Partition, Reclassified>,
    /// Partitions that have come to a mark, each with its number.
    marked: BTreeMap<Partition, u64>,
}

/// The first output and those that wait behind it, joined by partition.
fn gather(first: Vec<PartitionOutput>, outputs: &Receiver<Vec<PartitionOutput>>, gathering: Gathering) -> Gathered {
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
                    entry.get_mut().late.extend(output.late);
                    entry.get_mut().reclassified += output.reclassified;
                    let newest = entry.get().marked.max(output.marked);
                    entry.get_mut().marked = newest;
                }
            }
        }
        next = if rows < gathering.max_rows { outputs.try_recv().ok() } else { None };
    }
    let mut joined = Gathered::default();
    for PartitionOutput { commit, state, late, reclassified, marked } in gathered.into_values() {
        let partition = commit.checkpoint.partition;
        joined.marked.extend(marked.map(|number| (partition, number)));
        joined.reclassified.insert(partition, reclassified);
        joined.partitions.push(commit);
        joined.states.push(state);
        joined.late.extend(late);
    }
    joined
}
