//! What a partition starts from.

use std::sync::Arc;

use std::sync::mpsc::Receiver;

use netqoe_model::Checkpoint;

use crate::judge::PairState;
use crate::window::CorrectedPairs;

/// Where a partition goes on, and what it remembers from before.
#[derive(Clone, Debug)]
pub struct Seed {
    /// How far it has come.
    pub checkpoint: Checkpoint,
    /// Client, target, and what their next windows are judged by.
    pub history: Vec<(Arc<str>, Arc<str>, PairState)>,
}

/// What a worker's pairs are judged by that was not computed in its own course.
pub struct Pasts {
    /// The partitions that it owns and that have come somewhere. A worker owns the partitions whose number, modulo the
    /// number of all workers, is its own; workers are numbered process by process.
    pub seeds: Vec<Seed>,
    /// Pairs that were computed again. Taken over before the next batch is counted, so whoever sends one holds the partition's feed.
    pub corrected: Receiver<CorrectedPairs>,
}

impl Pasts {
    /// Of a worker whose pairs nobody corrects.
    pub fn seeded(seeds: Vec<Seed>) -> Self {
        let (_, corrected) = std::sync::mpsc::channel();
        Self { seeds, corrected }
    }
}
