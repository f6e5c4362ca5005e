//! What computing pairs again has led to, and how a partition takes it over.
//!
//! Decision: D-108.

use std::rc::Rc;
use std::sync::Arc;

use netqoe_model::{Partition, Reclassified, WindowStart};

use super::PartitionWindows;
use super::open_window::Looked;
use crate::judge::PairState;

/// Pairs of a partition as they are after a correction.
#[derive(Debug)]
pub struct CorrectedPairs {
    /// Their partition.
    pub partition: Partition,
    /// What each is from now on.
    pub pairs: Vec<CorrectedPast>,
    /// What has become of events that came late.
    pub reclassified: Reclassified,
}

/// What a pair's next windows are judged by, and what looks have made of those that are open.
#[derive(Debug)]
pub struct CorrectedPast {
    /// Client, U+0000, target.
    key: Arc<str>,
    past: Option<PairState>,
    looked: Vec<(WindowStart, Option<Looked>)>,
}

impl PartitionWindows {
    /// The pairs as they are now, for the partition that this one has computed some pairs of again.
    pub(crate) fn into_corrected(self) -> Vec<CorrectedPast> {
        let corrected = self.pairs.into_each().map(|pair| CorrectedPast {
            key: pair.key(),
            past: pair.past.map(Rc::unwrap_or_clone),
            looked: pair.open.into_iter().map(|window| (window.start, window.looked)).collect(),
        });
        corrected.collect()
    }

    /// Goes on with corrected pairs. Both have come equally far in the log, and nothing is due of any minute, so that open windows have
    /// counted the same.
    pub fn install(&mut self, corrected: CorrectedPairs) {
        for CorrectedPast { key, past, looked } in corrected.pairs {
            let client_bytes = key.find('\0').unwrap_or(key.len());
            let index = self.pair(&key, client_bytes);
            let pair = self.pairs.get(index);
            pair.past = past.map(Rc::new);
            for (start, looked) in looked {
                if let Some(window) = pair.open_at(start) {
                    window.looked = looked;
                }
            }
            if pair.shown_past.is_some() || pair.is_shown() {
                self.advanced.push(index);
            }
        }
        self.checkpoint.ledger.reclassify(corrected.reclassified);
        self.output.reclassified += corrected.reclassified;
        self.moved = true;
    }
}
