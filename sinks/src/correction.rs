//! Corrections of rows that are final: who waits for one, what is computed from, and what is written.
//!
//! Decision: D-108.

use std::sync::Arc;

use netqoe_model::{
    AggregateRow, ClientRow, DiagnosisRules, Generation, Ledger, LogTime, Look, PairPast, Partition, Position,
    Reclassified, WaitingCorrection, WindowStart,
};

use crate::StoreError;

/// Where late events are counted after all, apart from commits.
pub trait CorrectionStore {
    /// How many pairs wait in each partition, and how many events of theirs; partitions without any are left out.
    ///
    /// # Errors
    /// If the store can't be read.
    fn waiting_partitions(&mut self) -> Result<Vec<WaitingPartition>, StoreError>;

    /// Pairs of a partition that wait, those of the newest windows first.
    ///
    /// # Errors
    /// If the store can't be read.
    fn waiting_of(&mut self, partition: Partition, most: usize) -> Result<Vec<WaitingCorrection>, StoreError>;

    /// What each of these pairs was judged by before a window, as [`crate::Store::resume`] gives it. Pairs without any are left out.
    ///
    /// # Errors
    /// If the store can't be read.
    fn pasts_before(&mut self, pairs: &[PairBefore], rules: &DiagnosisRules) -> Result<Vec<PairPast>, StoreError>;

    /// The looks of a partition that are kept, after `after` and up to `through`.
    ///
    /// # Errors
    /// If the store can't be read, or holds what netqoe does not write.
    fn looks_of(
        &mut self,
        partition: Partition,
        after: WindowStart,
        through: WindowStart,
    ) -> Result<Vec<Look>, StoreError>;

    /// These pairs of a partition wait no more: what they would be computed from is gone.
    ///
    /// # Errors
    /// [`StoreError::Fenced`] if a later generation has been opened.
    fn give_up(
        &mut self,
        generation: Generation,
        partition: Partition,
        pairs: &[(Arc<str>, Arc<str>)],
    ) -> Result<(), StoreError>;

    /// Writes what differs from the store, in one transaction. Doing it twice is the same as doing it once. Returns how many rows
    /// it wrote.
    ///
    /// # Errors
    /// [`StoreError::Fenced`] if a later generation has been opened: nothing was written and nothing ever will be.
    fn correct(&mut self, generation: Generation, correction: &Correction) -> Result<u64, StoreError>;
}

/// A partition in which pairs wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WaitingPartition {
    /// Which.
    pub partition: Partition,
    /// How many pairs wait.
    pub pairs: u64,
    /// How many events of theirs came late.
    pub events: u64,
    /// The first record that holds one of them.
    pub since: Position,
}

/// A pair, and a window before which its past is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PairBefore {
    /// The client that measured.
    pub client_id: Arc<str>,
    /// What was measured.
    pub target: Arc<str>,
    /// The window.
    pub before: WindowStart,
}

/// A part of a correction of some pairs of one partition, or the last of it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Correction {
    /// The partition.
    pub partition: Partition,
    /// Final rows as they should be. Those that are so already stay; of others `as_of` becomes theirs, and `revision` one more.
    pub rows: Vec<AggregateRow>,
    /// What the pairs' clients say of themselves.
    pub clients: Vec<ClientRow>,
    /// Whole looks, in the place of what they were; those that show nothing any more go.
    pub looks: Vec<Look>,
    /// The end of the correction: its pairs wait no more.
    pub end: Option<CorrectionEnd>,
}

/// What a part of a correction leaves in `corrections`, in its own transaction: whoever keeps rows in memory sees by it, in any
/// snapshot, whether they are what they were.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct CorrectionNote {
    pub(crate) at: LogTime,
    pub(crate) from: WindowStart,
    /// 0 with all parts but the last.
    pub(crate) pairs: u64,
    pub(crate) reclassified: Reclassified,
    /// Of all parts; 0 with all but the last.
    pub(crate) rows_written: u64,
}

impl Correction {
    /// Of this part, which has written so many rows; none where it has changed nothing and others follow.
    pub(crate) fn note(&self, rows_written: u64) -> Option<CorrectionNote> {
        if let Some(end) = &self.end {
            return Some(CorrectionNote {
                at: end.at,
                from: end.from,
                pairs: end.pairs.len() as u64,
                reclassified: end.reclassified,
                rows_written: end.rows_written + rows_written,
            });
        }
        let windows = || self.rows.iter().map(|row| &row.window).filter(|_| rows_written > 0);
        let (at, from) = windows().map(|window| window.as_of).max().zip(windows().map(|window| window.start).min())?;
        Some(CorrectionNote { at, from, pairs: 0, reclassified: Reclassified::default(), rows_written: 0 })
    }
}

/// What is written with the last part of a correction.
#[derive(Clone, Debug, PartialEq)]
pub struct CorrectionEnd {
    /// The log time that the rows reflect now.
    pub at: LogTime,
    /// The first window that may have changed.
    pub from: WindowStart,
    /// The pairs.
    pub pairs: Vec<(Arc<str>, Arc<str>)>,
    /// Those of them of which more has come late meanwhile.
    pub still_waiting: Vec<WaitingCorrection>,
    /// What has become of the late events.
    pub reclassified: Reclassified,
    /// The partition's counts with that.
    pub ledger: Ledger,
    /// Rows that earlier parts have written.
    pub rows_written: u64,
}
