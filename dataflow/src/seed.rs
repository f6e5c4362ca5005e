//! What a partition starts from.

use std::sync::Arc;

use netqoe_model::Checkpoint;

use crate::judge::PairState;

/// Where a partition goes on, and what it remembers from before.
#[derive(Clone, Debug)]
pub struct Seed {
    /// How far it has come.
    pub checkpoint: Checkpoint,
    /// Client, target, and what their next windows are judged by.
    pub history: Vec<(Arc<str>, Arc<str>, PairState)>,
}
