//! The stores, as one narrow trait: rows and the progress that they reflect, in one transaction; and what is read
//! back when a new generation starts.
//!
//! This crate must not know how rows came about, nor any log.

mod annotations;
mod batch;
mod correction;
mod error;
mod fence;
mod fleet;
mod history;
mod incident_columns;
mod listing;
mod maintenance;
mod opening;
pub mod outbox;
mod postgres;
pub mod read;
mod refold;
mod served;
mod sqlite;
mod url;

pub use annotations::{
    AnnotationError, Annotations, MAX_MAINTENANCE_WINDOWS, MAX_NOTES, NewMaintenanceWindow, NewNote,
};
pub use correction::{Correction, CorrectionEnd, CorrectionStore, PairBefore, WaitingPartition};
pub use error::StoreError;
pub use fleet::{FleetCommit, FleetResume, FleetStore, Kept, OpenIncidents};
pub use listing::{ListedIncident, ListedRange};
pub use maintenance::{Maintain, Maintained, Maintenance};
pub use opening::Opening;
pub use outbox::Outbox;
pub use postgres::{
    IndexReading, PostgresAnnotations, PostgresOptions, PostgresReadings, PostgresSetting, PostgresStore,
    StatementReading, Statements, TableReading,
};
pub use refold::{Corrections, RefoldStore};
pub use served::Served;
pub use sqlite::{
    LetterExcerpt, LetterKey, NoLetterKey, SqliteAnnotations, SqliteDeadLetters, SqliteRewind, SqliteStore,
};
pub use url::StoreUrl;

use std::sync::Arc;

use netqoe_model::{Checkpoint, DiagnosisRules, Generation, LogIdentity, Partition, PartitionCommit, Position, Resume};
use parking_lot::FairMutex;

/// Where rows land.
pub trait Store: FleetStore + CorrectionStore + RefoldStore + Send {
    /// Takes a new generation for this log, which fences off every earlier one: what they have not committed by now,
    /// they never will. The processes of a cluster share one generation, which one of them takes. The store keeps the
    /// `opening` of the last one.
    ///
    /// Where a partition has come no further since the last generation was opened, and that one was not completed, its
    /// start is counted as fruitless ([`Resume::fruitless_starts`]).
    ///
    /// A log that is a file (its id is `ndjson`) always starts at its beginning: the checkpoints and dead letters of
    /// an earlier replay are deleted, and so are its incidents. Its rows stay until they are written again, and what people
    /// wrote of incidents stays.
    ///
    /// # Errors
    /// [`StoreError::OtherLog`] if the store holds the results of another log, or of one with another number of
    /// partitions.
    fn open(&mut self, log: &LogIdentity, opening: &Opening) -> Result<Generation, StoreError>;

    /// Reads back what a process of this generation needs to go on: the checkpoints, and as `Resume::history` of each client
    /// and target the newest state that these rules can use, with the final rows after it, [`ROWS_PER_STATE`] at most.
    /// If there is none, as many final rows as [`DiagnosisRules::rows_without_state`] says. Rows that are separated
    /// from the one after them by more than the rules reach back don't count. If there is no checkpoint, there is no
    /// history either: a log that is read from its beginning brings its past with it.
    ///
    /// [`ROWS_PER_STATE`]: netqoe_model::ROWS_PER_STATE
    ///
    /// # Errors
    /// [`StoreError::Fenced`] if a later generation has been opened.
    fn resume(&mut self, generation: Generation, rules: &DiagnosisRules) -> Result<Resume, StoreError>;

    /// Writes rows, clients, dead letters, looks, pairs that wait for a correction and checkpoints of all these partitions in one transaction. Whole rows:
    /// doing it twice is the same as doing it once, and a row is never replaced by one with a smaller `as_of`.
    ///
    /// # Errors
    /// [`StoreError::Fenced`] if a later generation has been opened: nothing was written and nothing ever will be.
    fn commit(&mut self, generation: Generation, partitions: &[PartitionCommit]) -> Result<(), StoreError>;

    /// Counts, durably, that processing a record begins, and returns how often it had begun before. `None` if it has
    /// to wait: another record, of another partition, is being tried in this generation, and nothing that follows from
    /// it is committed. If the cluster is lost now, it is that one's fault.
    ///
    /// # Errors
    /// [`StoreError::Fenced`] if a later generation has been opened.
    fn attempt(
        &mut self,
        generation: Generation,
        partition: Partition,
        position: Position,
    ) -> Result<Option<u32>, StoreError>;

    /// How far each partition has come, whichever process committed it.
    ///
    /// # Errors
    /// If the store can't be read.
    fn checkpoints(&mut self) -> Result<Vec<Checkpoint>, StoreError>;

    /// Nothing more will be committed: what is left to do before others can read all of it. The starts until now count
    /// as fruitless no more, since this one ends in good order.
    ///
    /// # Errors
    /// If that can't be done.
    fn complete(self: Box<Self>) -> Result<(), StoreError>;
}

/// Gives the present as Unix milliseconds, for `updated_at` and nothing else.
pub type Clock = Arc<dyn Fn() -> i64 + Send + Sync>;

/// Held during each transaction that writes to a SQLite file, by everything in this process that does: SQLite takes
/// one writer at a time, and its own way of waiting sleeps for too long and knows no order.
pub type WriteTurn = Arc<FairMutex<()>>;
