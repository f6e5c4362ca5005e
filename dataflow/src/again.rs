//! Some pairs of a partition, computed again from the log, by the code that computes them ever: what they would have come to in another
//! order of events.
//!
//! Decision: D-108.

use std::num::NonZeroU16;
use std::sync::Arc;

use netqoe_model::{Checkpoint, Chunk, Partition, Rules};

use crate::decode::Decoder;
use crate::feed::Batch;
use crate::judge::PairState;
use crate::output::{Names, PartitionOutput};
use crate::window::{CorrectedPast, PartitionWindows};

/// The pairs, and how far they have come.
pub struct PairsAgain {
    decoder: Decoder,
    windows: PartitionWindows,
    names: Names,
}

impl PairsAgain {
    /// Pairs of one of so many partitions, each with its past before the first event that is taken: client, target, state.
    pub fn new(
        partition: Partition,
        partitions: NonZeroU16,
        rules: &Rules,
        pasts: impl IntoIterator<Item = (Arc<str>, Arc<str>, PairState)>,
    ) -> Self {
        // What comes late here is left out by those who hand it in.
        let rules = Arc::new(Rules { correction_horizon_ms: 0, ..rules.clone() });
        let decoder = Decoder::new(partitions, rules.max_future_ms);
        let mut windows = PartitionWindows::new(rules, Checkpoint { partition, ..Checkpoint::default() });
        for (client_id, target, past) in pasts {
            windows.remember(&client_id, &target, past);
        }
        Self { decoder, windows, names: Names::default() }
    }

    /// Takes lines of the pairs, and of no others. Log times of chunks do not fall.
    pub fn take(&mut self, chunk: Chunk) {
        let batch = Batch { chunks: vec![chunk], ..Batch::default() };
        for events in self.decoder.decode(&batch) {
            self.windows.apply(events);
        }
    }

    /// What has come of it since this was last asked: rows that are final, looks. What it says of clients is of these pairs alone.
    pub fn computed(&mut self) -> Option<PartitionOutput> {
        let output = self.windows.turn()?;
        self.names.assemble(vec![output], Vec::new()).pop()
    }

    /// What the pairs' next windows are judged by.
    pub fn finish(self) -> Vec<CorrectedPast> {
        self.windows.into_corrected()
    }
}
