//! The store in a SQLite file.
//!
//! Decision: D-007.

mod annotations;
mod attempts;
mod build;
mod columns;
mod correction;
mod dead_letters;
mod fleet;
mod maintain;
mod outbox;
pub(crate) mod read_back;
mod refold;
mod rewind;
mod rows;
mod schema;
mod write;

use std::path::{Path, PathBuf};

use netqoe_datafile::{Trouble, described};
use netqoe_model::{Checkpoint, DiagnosisRules, Generation, LogIdentity, Partition, PartitionCommit, Position, Resume};
use rusqlite::{Connection, TransactionBehavior};

pub use annotations::SqliteAnnotations;
pub use dead_letters::{LetterExcerpt, LetterKey, NoLetterKey, SqliteDeadLetters};
pub use rewind::SqliteRewind;
pub(crate) use schema::{HISTORY_TABLE, known_version};

use self::build::Build;
use crate::fence::{Start, admit};
use crate::fleet::FORGET;
use crate::{Clock, Opening, Store, StoreError, WriteTurn};

/// The store in a SQLite file, which may also hold the durable log and be read by others meanwhile.
pub struct SqliteStore {
    connection: Connection,
    file: StoreFile,
    write_turn: WriteTurn,
    clock: Clock,
    /// Where the file is new and has not got its name yet.
    build: Option<Build>,
}

impl SqliteStore {
    /// Opens the file, makes it where it is missing, and brings its schema up to date. The folder must exist.
    ///
    /// # Errors
    /// [`StoreError::Unwritable`], [`StoreError::Corrupt`], [`StoreError::Newer`] or [`StoreError::Schema`].
    pub fn open(path: &Path, write_turn: WriteTurn, clock: Clock) -> Result<Self, StoreError> {
        Self::open_with(schema::SHARED, path, write_turn, clock)
    }

    /// The same, for little work beside the store that writes rows.
    pub(crate) fn open_beside(path: &Path, write_turn: WriteTurn, clock: Clock) -> Result<Self, StoreError> {
        Self::open_with(schema::BESIDE, path, write_turn, clock)
    }

    fn open_with(settings: &str, path: &Path, write_turn: WriteTurn, clock: Clock) -> Result<Self, StoreError> {
        let (file, connection) = schema::open_in_turn(path, settings, &write_turn)?;
        Ok(Self { connection, file, write_turn, clock, build: None })
    }

    /// Does `work` in a transaction that holds SQLite's write lock from its beginning, and the process's write turn; within
    /// the one that is open, if there is one.
    fn transact<T>(
        &mut self,
        doing: &'static str,
        work: impl FnOnce(&Connection, &StoreFile) -> Result<T, Failure>,
    ) -> Result<T, StoreError> {
        let _turn = self.write_turn.lock();
        let attempt = || -> Result<T, Failure> {
            if !self.connection.is_autocommit() {
                return work(&self.connection, &self.file);
            }
            let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let done = work(&transaction, &self.file)?;
            transaction.commit()?;
            Ok(done)
        };
        attempt().map_err(|failure| self.file.failure(doing, failure))
    }
}

impl Store for SqliteStore {
    fn open(&mut self, log: &LogIdentity, opening: &Opening) -> Result<Generation, StoreError> {
        self.transact("start a new generation", |transaction, file| {
            let held = read_back::fence(transaction)?;
            let (generation, start) = admit(&file.name(), held.as_ref(), log)?;
            write::fence(transaction, log, generation, opening)?;
            if start == Start::AtTheBeginning {
                transaction.execute_batch("DELETE FROM checkpoint; DELETE FROM dead_letters;")?;
                transaction.execute_batch(FORGET)?;
            } else {
                attempts::count_starts(transaction, log)?;
            }
            Ok(generation)
        })
    }

    fn resume(&mut self, generation: Generation, rules: &DiagnosisRules) -> Result<Resume, StoreError> {
        self.transact("read back its progress", |transaction, file| {
            let log_id = read_back::current(transaction, file, generation)?;
            let checkpoints = read_back::checkpoints(transaction)?;
            let history =
                if checkpoints.is_empty() { Vec::new() } else { read_back::history(transaction, rules, &checkpoints)? };
            let fruitless_starts = attempts::fruitless_starts(transaction, &log_id)?;
            let set_aside = attempts::set_aside(transaction, &log_id)?;
            Ok(Resume { checkpoints, history, fruitless_starts, set_aside })
        })
    }

    fn attempt(
        &mut self,
        generation: Generation,
        partition: Partition,
        position: Position,
    ) -> Result<Option<u32>, StoreError> {
        self.transact("count an attempt", |transaction, file| {
            let log_id = read_back::current(transaction, file, generation)?;
            Ok(attempts::begin(transaction, &log_id, generation, partition, position)?)
        })
    }

    fn checkpoints(&mut self) -> Result<Vec<Checkpoint>, StoreError> {
        self.transact("read its progress", |transaction, _| Ok(read_back::checkpoints(transaction)?))
    }

    fn commit(&mut self, generation: Generation, partitions: &[PartitionCommit]) -> Result<(), StoreError> {
        let updated_at = (self.clock)();
        self.transact("commit rows", |transaction, file| {
            let log_id = read_back::current(transaction, file, generation)?;
            rows::write(transaction, partitions, updated_at)?;
            write::clients(transaction, partitions.iter().flat_map(|partition| &partition.clients))?;
            write::dead_letters(transaction, partitions)?;
            partitions.iter().try_for_each(|partition| fleet::put_looks(transaction, &partition.looks))?;
            correction::add_waiting(transaction, partitions)?;
            write::checkpoints(transaction, &log_id, generation, partitions)?;
            Ok(())
        })
    }

    fn complete(mut self: Box<Self>) -> Result<(), StoreError> {
        if let Some(build) = self.build.take() {
            return build.complete(self.connection, &self.file);
        }
        self.transact("end in good order", |transaction, _| Ok(attempts::forgive_starts(transaction)?))
    }
}

/// What ends a transaction early: SQLite, or our own refusal.
enum Failure {
    Sqlite(rusqlite::Error),
    Store(StoreError),
}

impl From<rusqlite::Error> for Failure {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// The file, for messages.
pub(crate) struct StoreFile {
    path: PathBuf,
    /// The name that it is to get, where it is built and a failure is the end of it.
    built_as: Option<PathBuf>,
}

impl StoreFile {
    pub(crate) fn new(path: &Path) -> Self {
        Self { path: path.to_owned(), built_as: None }
    }

    pub(crate) fn name(&self) -> String {
        format!("sqlite:{}", self.path.display())
    }

    /// What the user should know of an error of SQLite.
    pub(crate) fn error(&self, doing: &'static str, error: &rusqlite::Error) -> StoreError {
        use rusqlite::ErrorCode::{DatabaseCorrupt, NotADatabase};
        if let Some(trouble) = Trouble::of(&self.path, error) {
            let reason = trouble.to_string();
            return match self.built_as.clone() {
                Some(path) => StoreError::BrokenOff { path, reason },
                None => StoreError::Unavailable { store: self.name(), doing, reason },
            };
        }
        let (path, reason) = (self.path.clone(), described(error));
        match error.sqlite_error_code() {
            Some(DatabaseCorrupt | NotADatabase) => StoreError::Corrupt { path, reason },
            _ => StoreError::Sqlite { path, doing, reason },
        }
    }

    /// What the user should know of what has ended a transaction.
    fn failure(&self, doing: &'static str, failure: Failure) -> StoreError {
        match failure {
            Failure::Store(error) => error,
            Failure::Sqlite(error) => self.error(doing, &error),
        }
    }

    /// The same of an error when the file is opened: one that can't be opened at all is mostly the wrong one.
    pub(crate) fn opening_error(&self, doing: &'static str, error: &rusqlite::Error) -> StoreError {
        match Trouble::of(&self.path, error) {
            Some(Trouble::Unopenable | Trouble::ReadOnly | Trouble::Moved | Trouble::TooManyFiles) => {
                StoreError::Unwritable { path: self.path.clone(), reason: described(error) }
            }
            _ => self.error(doing, error),
        }
    }
}
