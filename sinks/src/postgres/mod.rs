//! The store in a PostgreSQL database.
//!
//! Works behind PgBouncer in transaction mode: no named prepared statement outlives its transaction, and no setting
//! outlives it either.

pub(crate) mod address;
pub(crate) mod admission;
mod annotations;
mod attempts;
mod columns;
mod correction;
mod fleet;
pub(crate) mod link;
mod maintain;
pub(crate) mod months;
mod options;
mod outbox;
#[cfg(feature = "planted-faults")]
mod planted;
pub(crate) mod read_back;
mod readings;
mod refold;
pub(crate) mod retry;
mod schema;
mod tls;
pub(crate) mod tls_fault;
pub(crate) mod window;
mod write;

use std::thread;
use std::time::Duration;

use netqoe_model::{Checkpoint, DiagnosisRules, Generation, LogIdentity, Partition, PartitionCommit, Position, Resume};
use postgres::{IsolationLevel, Transaction};

pub use self::annotations::PostgresAnnotations;
use self::link::Link;
use self::months::Months;
pub use self::options::PostgresOptions;
pub use self::readings::{IndexReading, PostgresReadings, PostgresSetting, StatementReading, Statements, TableReading};
pub(crate) use self::schema::{HISTORY_TABLE, known_version};
use self::window::Unreadable;
use crate::fence::{Start, admit};
use crate::fleet::FORGET;
use crate::{Clock, Opening, Store, StoreError};

/// How long the server waits in a transaction for us to go on. A process that is stopped in the middle of a commit holds
/// a lock on the fence: after this the server ends its transaction, so that the next generation waits no longer.
const IDLE_IN_TRANSACTION: Duration = Duration::from_secs(30);

/// The advisory lock under which schema, partitions and generation change ("netqoe" in ASCII).
const STORE_LOCK: i64 = 0x6e65_7471_6f65;

/// The store in a PostgreSQL database. To be used on a plain thread: it blocks, and panics inside of async code.
pub struct PostgresStore {
    link: Link,
    /// What every transaction that writes begins with.
    settings: String,
    months: Months,
    commit_retries: usize,
    clock: Clock,
}

impl PostgresStore {
    /// Connects and brings the schema up to date, for which it takes two connections more for a moment and the right to
    /// make tables. Where the schema is up to date, rights on rows are enough. `sslmode` and `sslrootcert` in the URL mean
    /// what they mean to libpq.
    ///
    /// # Errors
    /// [`StoreError::Url`], [`StoreError::Connect`], [`StoreError::Tls`], [`StoreError::Encoding`], [`StoreError::Newer`],
    /// [`StoreError::Schema`], [`StoreError::Rights`], or [`StoreError::Unavailable`] if the server can't do it for now.
    pub fn connect(url: &str, options: &PostgresOptions, clock: Clock) -> Result<Self, StoreError> {
        let mut link = Link::connect(url, options)?;
        schema::bring_up_to_date(&mut link)?;
        let commit_retries = options.commit_retries;
        Ok(Self { link, settings: settings(options), months: Months::default(), commit_retries, clock })
    }

    fn try_commit(&mut self, generation: Generation, partitions: &[PartitionCommit]) -> Result<(), Failure> {
        let updated_at = (self.clock)();
        let store = self.link.name().to_owned();
        let rows = partitions.iter().flat_map(|partition| &partition.rows);
        let starts = rows.map(|row| row.window.start);
        self.months.prepare(&store, self.link.client()?, &self.settings, starts)?;
        #[cfg(feature = "planted-faults")]
        if planted::commits_progress_first() {
            return self.commit_progress_first(generation, partitions);
        }
        self.transact(|transaction| {
            let log_id = read_back::current_until_end(transaction, &store, generation)?;
            write::rows(transaction, partitions, updated_at)?;
            write::clients(transaction, partitions.iter().flat_map(|partition| &partition.clients))?;
            write::dead_letters(transaction, partitions)?;
            fleet::put_looks(transaction, partitions.iter().flat_map(|partition| &partition.looks))?;
            correction::add_waiting(transaction, partitions)?;
            write::checkpoints(transaction, &log_id, generation, partitions)?;
            Ok(())
        })
    }

    /// All from one snapshot, without a lock: reading a long history keeps nobody from opening a new generation.
    fn try_resume(&mut self, generation: Generation, rules: &DiagnosisRules) -> Result<Resume, Failure> {
        let store = self.link.name().to_owned();
        let snapshot = self.link.client()?.build_transaction().read_only(true);
        let mut transaction = snapshot.isolation_level(IsolationLevel::RepeatableRead).start()?;
        transaction.batch_execute(NO_COMPILER)?;
        let log_id = read_back::current(&mut transaction, &store, generation)?;
        let checkpoints = read_back::checkpoints(&mut transaction)?;
        let history = match &checkpoints[..] {
            [] => Vec::new(),
            checkpoints => read_back::history(&mut transaction, rules, checkpoints)?,
        };
        let fruitless_starts = attempts::fruitless_starts(&mut transaction, &log_id)?;
        let set_aside = attempts::set_aside(&mut transaction, &log_id)?;
        Ok(Resume { checkpoints, history, fruitless_starts, set_aside })
    }

    fn transact<T>(&mut self, work: impl FnOnce(&mut Transaction<'_>) -> Result<T, Failure>) -> Result<T, Failure> {
        let mut transaction = self.link.client()?.transaction()?;
        transaction.batch_execute(&self.settings)?;
        let done = work(&mut transaction)?;
        transaction.commit()?;
        Ok(done)
    }
}

/// The server would compile statements that it takes for long ones, for longer than any of ours takes.
pub(crate) const NO_COMPILER: &str = "SET LOCAL jit = off";

/// Settings that end with the transaction: a pooler may give the connection to somebody else then.
fn settings(options: &PostgresOptions) -> String {
    let [idle, statement, lock] =
        [IDLE_IN_TRANSACTION, options.statement_timeout, options.lock_timeout].map(|limit| limit.as_millis());
    format!(
        "SET LOCAL idle_in_transaction_session_timeout = {idle}; SET LOCAL statement_timeout = {statement};
         SET LOCAL lock_timeout = {lock}; {NO_COMPILER}"
    )
}

impl Store for PostgresStore {
    fn open(&mut self, log: &LogIdentity, opening: &Opening) -> Result<Generation, StoreError> {
        let store = self.link.name().to_owned();
        let opened = self.transact(|transaction| {
            schema::lock(transaction)?;
            let held = read_back::fence(transaction)?;
            let (generation, start) = admit(&store, held.as_ref(), log)?;
            write::fence(transaction, log, generation, opening)?;
            if start == Start::AtTheBeginning {
                transaction.batch_execute("DELETE FROM checkpoint; DELETE FROM dead_letters;")?;
                transaction.batch_execute(FORGET)?;
            } else {
                attempts::count_starts(transaction, log)?;
            }
            Ok(generation)
        });
        opened.map_err(|failure| self.link.error("start a new generation", failure))
    }

    fn resume(&mut self, generation: Generation, rules: &DiagnosisRules) -> Result<Resume, StoreError> {
        self.try_resume(generation, rules).map_err(|failure| self.link.error("read back its progress", failure))
    }

    fn attempt(
        &mut self,
        generation: Generation,
        partition: Partition,
        position: Position,
    ) -> Result<Option<u32>, StoreError> {
        let store = self.link.name().to_owned();
        let counted = self.transact(|transaction| {
            schema::lock(transaction)?; // so that of two processes one waits
            let log_id = read_back::current_until_end(transaction, &store, generation)?;
            attempts::begin(transaction, &log_id, generation, partition, position)
        });
        counted.map_err(|failure| self.link.error("count an attempt", failure))
    }

    fn checkpoints(&mut self) -> Result<Vec<Checkpoint>, StoreError> {
        let read = self.transact(read_back::checkpoints);
        read.map_err(|failure| self.link.error("read its progress", failure))
    }

    /// A commit is idempotent. So where the connection breaks, even after the commit was sent and before it was
    /// answered, the same is committed again over a new one.
    fn commit(&mut self, generation: Generation, partitions: &[PartitionCommit]) -> Result<(), StoreError> {
        let mut pauses = retry::pauses(self.commit_retries);
        let mut attempts = 1;
        loop {
            let failure = match self.try_commit(generation, partitions) {
                Ok(()) => return Ok(()),
                Err(failure) => failure,
            };
            self.months.forget();
            let may_pass = retry::may_pass(&failure);
            let error = self.link.error("commit rows", failure);
            if !may_pass {
                return Err(error);
            }
            let Some(pause) = pauses.next() else {
                return Err(StoreError::Lost {
                    store: self.link.name().to_owned(),
                    attempts,
                    reason: error.without_place(),
                });
            };
            tracing::warn!(attempts, ?pause, reason = %error, "commit is tried again");
            thread::sleep(pause);
            attempts += 1;
        }
    }

    /// Where the server is away, the next start is careful for nothing: no reason to fail.
    fn complete(mut self: Box<Self>) -> Result<(), StoreError> {
        if let Err(failure) = self.transact(attempts::forgive_starts) {
            tracing::warn!(reason = %self.link.error("end in good order", failure), "the end is not noted");
        }
        Ok(())
    }
}

/// What ends a transaction early.
pub(crate) enum Failure {
    /// The server or the connection.
    Postgres(postgres::Error),
    /// A value that is none of ours.
    Content(String),
    /// Our own refusal.
    Store(StoreError),
}

impl From<Unreadable> for Failure {
    fn from(error: Unreadable) -> Self {
        match error {
            Unreadable::Postgres(error) => Self::Postgres(error),
            Unreadable::Value(what) => Self::Content(what),
        }
    }
}

impl From<postgres::Error> for Failure {
    fn from(error: postgres::Error) -> Self {
        Self::Postgres(error)
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}
