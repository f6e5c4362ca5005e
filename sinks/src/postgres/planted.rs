//! What tests break in this store on purpose; see [`netqoe_model::planted`].

use netqoe_model::planted::{Plant, planted};
use netqoe_model::{Generation, PartitionCommit};

use super::{Failure, PostgresStore, fleet, read_back, write};

/// Whether every generation may write.
pub(super) fn lets_everybody_write() -> bool {
    planted() == Some(&Plant::NoFence)
}

/// Whether progress is committed before the rows that it stands for.
pub(super) fn commits_progress_first() -> bool {
    planted() == Some(&Plant::ProgressBeforeRows)
}

impl PostgresStore {
    /// What is one transaction, in two, the wrong one first.
    pub(super) fn commit_progress_first(
        &mut self,
        generation: Generation,
        partitions: &[PartitionCommit],
    ) -> Result<(), Failure> {
        let (store, updated_at) = (self.link.name().to_owned(), (self.clock)());
        self.transact(|transaction| {
            let log_id = read_back::current_until_end(transaction, &store, generation)?;
            write::checkpoints(transaction, &log_id, generation, partitions)
        })?;
        self.transact(|transaction| {
            read_back::current_until_end(transaction, &store, generation)?;
            write::rows(transaction, partitions, updated_at)?;
            write::clients(transaction, partitions.iter().flat_map(|partition| &partition.clients))?;
            write::dead_letters(transaction, partitions)?;
            fleet::put_looks(transaction, partitions.iter().flat_map(|partition| &partition.looks))
        })
    }
}
