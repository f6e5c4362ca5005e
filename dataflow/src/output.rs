//! What the dataflow hands on: for each epoch, whole rows and the progress that they reflect.

use hashbrown::HashMap;
use netqoe_model::{AggregateRow, LogTime, PartitionCommit, WindowRow};

use crate::judge::Judged;
use crate::pair_window::{Shared, Verdict};
use crate::window::{PairId, PairName, WindowOutput};

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
}

/// What a partition holds in memory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PartitionState {
    /// Windows that can still change.
    pub open_windows: usize,
    /// Pairs of client and target.
    pub tracked_pairs: usize,
    /// The log must pass this time for the next window to close; none while no window is open.
    pub closes_after: Option<LogTime>,
}

/// A row with what it comes to, as the collection of rows holds it.
pub(crate) type JudgedRow = (Shared<WindowRow>, Verdict);

/// The names that pairs stand for.
#[derive(Debug, Default)]
pub(crate) struct Names(HashMap<PairId, PairName>);

impl Names {
    /// Puts what an epoch led to into the form that stores take.
    pub(crate) fn assemble(
        &mut self,
        windows: Vec<WindowOutput>,
        mut rows: Vec<(PairId, JudgedRow)>,
    ) -> Vec<PartitionOutput> {
        // Rows of one pair come oldest first, and those of one partition together.
        rows.sort_by_key(|(pair, (row, _))| (*pair, row.start));
        windows
            .into_iter()
            .map(|output| {
                let partition = output.checkpoint.partition;
                self.0.extend(output.names.into_iter().map(|name| (name.pair, name)));
                let first = rows.partition_point(|(pair, _)| pair.partition() < partition);
                let end = rows.partition_point(|(pair, _)| pair.partition() <= partition);
                let commit = PartitionCommit {
                    checkpoint: output.checkpoint,
                    rows: rows[first..end].iter().map(|(pair, judged)| self.named(*pair, judged)).collect(),
                    clients: output.clients,
                    dead_letters: output.dead_letters,
                    oldest_record: output.oldest_record,
                };
                PartitionOutput { commit, state: output.state }
            })
            .collect()
    }

    fn named(&self, pair: PairId, (window, verdict): &JudgedRow) -> AggregateRow {
        let name = &self.0[&pair]; // a pair is named in the epoch of its first event, or before
        let Judged { diagnosis, ended_runs, pair_state } = verdict.judged();
        AggregateRow {
            client_id: name.client_id.clone(),
            target: name.target.clone(),
            window: WindowRow::clone(window),
            diagnosis,
            ended_runs,
            pair_state,
        }
    }
}
