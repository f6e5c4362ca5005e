//! What the dataflow hands on: for each epoch, whole rows and the progress that they reflect.

use std::cmp::Ordering;
use std::sync::Arc;

use hashbrown::HashMap;
use netqoe_model::{AggregateRow, Look, Partition, PartitionCommit, Reclassified, Sighting, WindowRow};

use crate::judge::Judged;
use crate::pair_window::Shared;
use crate::window::{ClosedWindow, LateEvents, PairId, PairLook, PairName, PartitionState, WindowOutput};

/// Takes what a worker has found. It may block: the worker then reads no further.
pub trait Outlet {
    /// The partitions of this worker that came further in one epoch, each once.
    fn send(&mut self, partitions: Vec<PartitionOutput>);
}

impl<F: FnMut(Vec<PartitionOutput>)> Outlet for F {
    fn send(&mut self, partitions: Vec<PartitionOutput>) {
        self(partitions);
    }
}

/// What one partition came to in one epoch.
#[derive(Clone, Debug, PartialEq)]
pub struct PartitionOutput {
    /// For the store.
    pub commit: PartitionCommit,
    /// What is in memory after it.
    pub state: PartitionState,
    /// What came after its window was closed, by minute of the log. No row shows it, and no start finds it again.
    pub late: Vec<LateEvents>,
    /// Events that came late earlier and that a correction has counted.
    pub reclassified: Reclassified,
    /// The newest mark that was read: what was read before it is part of this output or of earlier ones.
    pub marked: Option<u64>,
}

/// An open window's row with what it comes to, as the collection of rows holds it.
pub(crate) type JudgedRow = (Shared<WindowRow>, Judged);

/// The names that pairs stand for: of each partition, by the number of the pair.
#[derive(Debug, Default)]
pub(crate) struct Names(HashMap<Partition, Vec<PairName>>);

impl Names {
    /// Puts what an epoch led to into the form that stores take.
    pub(crate) fn assemble(
        &mut self,
        windows: Vec<WindowOutput>,
        mut rows: Vec<(PairId, JudgedRow)>,
    ) -> Vec<PartitionOutput> {
        rows.sort_by_key(|(pair, (row, _))| (*pair, row.start));
        windows
            .into_iter()
            .map(|output| {
                let partition = output.checkpoint.partition;
                let names = self.0.entry(partition).or_default();
                output.names.into_iter().for_each(|name| remember(names, name));
                let first = rows.partition_point(|(pair, _)| pair.partition() < partition);
                let end = rows.partition_point(|(pair, _)| pair.partition() <= partition);
                let commit = PartitionCommit {
                    checkpoint: output.checkpoint,
                    rows: joined(names, output.closed, &rows[first..end]),
                    clients: output.clients,
                    dead_letters: output.dead_letters,
                    looks: output.looks.into_iter().map(|look| named_look(names, partition, look)).collect(),
                    waiting: output.waiting,
                    oldest_record: output.oldest_record,
                };
                let (reclassified, marked) = (output.reclassified, output.marked);
                PartitionOutput { commit, state: output.state, late: output.late, reclassified, marked }
            })
            .collect()
    }
}

/// Numbers are given out one after the other, and again when a pair is forgotten.
fn remember(names: &mut Vec<PairName>, name: PairName) {
    match names.get_mut(name.pair.index() as usize) {
        Some(known) => *known = name,
        None => names.push(name),
    }
}

/// Rows of one pair come oldest first, and closed windows are older than open ones.
fn joined(names: &[PairName], closed: Vec<ClosedWindow>, open: &[(PairId, JudgedRow)]) -> Vec<AggregateRow> {
    let mut rows = Vec::with_capacity(closed.len() + open.len());
    let mut open = open.iter().peekable();
    let open_row =
        |(pair, (row, judged)): &(PairId, JudgedRow)| named(names, *pair, WindowRow::clone(row), Judged::clone(judged));
    for ClosedWindow { pair, row, judged } in closed {
        rows.extend(std::iter::from_fn(|| open.next_if(|(other, _)| *other < pair)).map(open_row));
        rows.push(named(names, pair, row, judged));
    }
    rows.extend(open.map(open_row));
    rows
}

fn named_look(names: &[PairName], partition: Partition, PairLook { at, sightings }: PairLook) -> Look {
    let mut named: Vec<_> =
        sightings.into_iter().map(|sighting| (&names[sighting.pair.index() as usize], sighting)).collect();
    named.sort_unstable_by(|(a_name, a), (b_name, b)| {
        // Clients share a name, and to see that they do is quicker than to compare it.
        let clients = if Arc::ptr_eq(&a_name.client_id, &b_name.client_id) {
            Ordering::Equal
        } else {
            a_name.client_id.cmp(&b_name.client_id)
        };
        clients.then_with(|| a_name.target.cmp(&b_name.target)).then(a.window.cmp(&b.window))
    });
    let sightings = named.into_iter().map(|(name, sighting)| Sighting {
        client_id: name.client_id.clone(),
        target: name.target.clone(),
        window: sighting.window,
        standing: sighting.standing,
        network: sighting.network,
        tags: sighting.tags,
    });
    Look { partition, at, sightings: sightings.collect() }
}

fn named(names: &[PairName], pair: PairId, window: WindowRow, judged: Judged) -> AggregateRow {
    let name = &names[pair.index() as usize]; // a pair is named in the epoch of its first event, or before
    let Judged { diagnosis, standing: _, ended_runs, pair_state } = judged;
    let (client_id, target) = (name.client_id.clone(), name.target.clone());
    AggregateRow { client_id, target, window, diagnosis, ended_runs, pair_state }
}
