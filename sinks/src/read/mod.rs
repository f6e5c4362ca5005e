//! Reading for queries: pages of rows as the query API shows them, apart from the writing side and its connection.
//!
//! A page is found by the position of the row before it, never by an offset, so pages that are read one after the
//! other show every row that was there at the start exactly once, whatever is inserted meanwhile. Every question is
//! answered from an index and within a time limit, so that no question can hold up the process.
//!
//! Decision: D-082.

mod comparison;
mod corrections;
mod degraded;
mod error;
mod extent;
mod incidents;
mod keyed_table;
mod labelled;
mod names;
pub mod point;
mod postgres;
mod query;
mod record;
mod runs;
mod score;
mod sqlite;
mod statement;
mod summary;
mod watched;

use std::sync::Arc;
use std::time::Duration;

use netqoe_model::Checkpoint;

pub use comparison::{Compared, DifferentColumn, DifferentRow, Missing, compare, side_by_side};
pub use corrections::{CorrectedHour, CorrectedSince, WaitingEvents};
pub use error::ReadError;
pub use extent::{Extent, Matching, Measure, Pair};
pub(crate) use incidents::member;
pub use incidents::{
    Acknowledgement, IncidentFilter, IncidentPosition, IncidentQuery, IncidentRecord, Incidents, MaintenancePosition,
    NoteRecord, Paged, UnmeasuredFilter,
};
pub use names::Names;
pub use point::PointRecord;
pub use postgres::PostgresReader;
pub use query::{Filter, Page, Query, RowPosition};
pub use record::{AggregateRecord, ClientRecord, DiagnosisRecord, FindingRecord, RunRecord, TargetRecord};
pub use score::{PERFECT, RoundTripTerms, ScoreRecord, ScoreTerms};
pub use sqlite::{MAX_CONNECTIONS, SqliteReader};
pub use summary::{CurrentRecord, DegradedRecord, PastLabel, SplitRecord};
pub use watched::{Watch, Watched};

/// How long one question may take. A page from an index takes milliseconds; what takes longer than this asks for
/// something rare in a long history, and holds a core or a connection that others need.
const TIME_LIMIT: Duration = Duration::from_secs(5);

/// A store as readers see it.
pub trait Reader: Send + Sync {
    /// Calls `ask` once, with a snapshot of the store. Blocks its thread, and holds a connection until `ask` returns: what
    /// is made of the answers is made after that.
    ///
    /// # Errors
    /// Where the store can't be read, or is busy. `ask` is not called then.
    fn at_once(&self, ask: &mut dyn FnMut(Snapshot<'_>)) -> Result<(), ReadError>;
}

impl<R: Reader + ?Sized> Reader for Arc<R> {
    fn at_once(&self, ask: &mut dyn FnMut(Snapshot<'_>)) -> Result<(), ReadError> {
        R::at_once(self, ask)
    }
}

impl dyn Reader + '_ {
    /// What `questions` finds in one snapshot of the store, as [`Reader::at_once`] hands it out.
    ///
    /// # Errors
    /// Where the store can't be read, or is busy, and where `questions` fails.
    pub fn ask<T, E: From<ReadError>>(&self, questions: impl FnOnce(Snapshot<'_>) -> Result<T, E>) -> Result<T, E> {
        let (mut questions, mut answer) = (Some(questions), None);
        self.at_once(&mut |snapshot| answer = questions.take().map(|questions| questions(snapshot)))?;
        // A reader that succeeds has called it.
        answer.unwrap_or_else(|| Err(ReadError::Busy.into()))
    }
}

/// A store as it was at one moment: whatever is committed meanwhile, all answers agree.
#[derive(Clone, Copy)]
pub struct Snapshot<'a> {
    /// What only the store itself can answer.
    pub rows: &'a dyn Rows,
    /// What can be added up elsewhere, too.
    pub summaries: &'a dyn Summaries,
    /// What is found in the rows of many pairs, and what people say of it.
    pub incidents: &'a dyn Incidents,
}

/// Rows of a snapshot, and what is found by looking at few of them. Each question has a time limit of its own.
pub trait Rows {
    /// Rows of `agg_1m`: newest window first, then by client and target, both descending.
    ///
    /// # Errors
    /// If the store can't be read, is busy, or takes too long.
    fn aggregates(&self, query: &Query<RowPosition>) -> Result<Page<AggregateRecord>, ReadError>;

    /// Rows of `diagnoses`, in the order of [`Rows::aggregates`].
    ///
    /// # Errors
    /// If the store can't be read, is busy, or takes too long.
    fn diagnoses(&self, query: &Query<RowPosition>) -> Result<Page<DiagnosisRecord>, ReadError>;

    /// Clients by their id: seen between the filter's times, with a row for its target, with a window that has a diagnosis of its
    /// label and its labels of clients and targets.
    ///
    /// # Errors
    /// If the store can't be read, is busy, or takes too long.
    fn clients(&self, query: &Query<String>) -> Result<Page<ClientRecord>, ReadError>;

    /// Targets by name: with a window of the filter's client between its times, with a diagnosis of its label, with its labels of
    /// clients and targets. Takes time in proportion to the pairs of client and target, not to the rows, but for windows without
    /// what is asked for.
    ///
    /// # Errors
    /// If the store can't be read, is busy, or takes too long.
    fn targets(&self, query: &Query<String>) -> Result<Page<TargetRecord>, ReadError>;

    /// How far each partition of the log has come, and where its events went.
    ///
    /// # Errors
    /// If the store can't be read, is busy, or takes too long.
    fn checkpoints(&self) -> Result<Vec<Checkpoint>, ReadError>;

    /// The newest row of each pair within the extent, by client and target, `limit` at most; where labels are asked for, of the
    /// pairs whose newest row has them. Takes time in proportion to the rows of the extent, which should span few windows.
    ///
    /// # Errors
    /// If the store can't be read, is busy, or takes too long.
    fn current(&self, extent: &Extent, limit: u32) -> Result<Vec<CurrentRecord>, ReadError>;

    /// Of each of these pairs, in their order, whether its windows between two times (Unix milliseconds, the second is
    /// exclusive) were degraded: the latest ones, newest first, `limit` at most.
    ///
    /// # Errors
    /// If the store can't be read, is busy, or takes too long.
    fn latest_labels(&self, pairs: &[Pair], times_ms: [i64; 2], limit: u32) -> Result<Vec<Vec<PastLabel>>, ReadError>;

    /// Runs that have diagnosed windows of the filter, which alone count: those that began last come first, `limit` at most.
    /// Windows of a netqoe that did not say since when are in no run. Takes time in proportion to the diagnoses of the filter.
    ///
    /// # Errors
    /// If the store can't be read, is busy, or takes too long.
    fn runs(&self, filter: &Filter, limit: u16) -> Result<Page<RunRecord>, ReadError>;

    /// What the windows of each pair in the extent add up to, by pair, apart for each provider that they were measured over and
    /// for all labels that they have; `limit` records at most. Takes time in proportion to the rows of the extent.
    ///
    /// # Errors
    /// If the store can't be read, is busy, or takes too long.
    fn scores(&self, extent: &Extent, terms: ScoreTerms, limit: u32) -> Result<Vec<ScoreRecord>, ReadError>;

    /// Which rows were written again by corrections after the one with this number. Takes time in proportion to these.
    ///
    /// # Errors
    /// If the store can't be read, is busy, or takes too long.
    fn corrected_since(&self, known: i64) -> Result<CorrectedSince, ReadError>;

    /// The corrections whose log time lies between two times (Unix milliseconds, the second is exclusive), by hour, in order: hours
    /// with one, `limit` at most.
    ///
    /// # Errors
    /// If the store can't be read, is busy, or takes too long.
    fn corrected_hours(&self, times_ms: [i64; 2], limit: u32) -> Result<Vec<CorrectedHour>, ReadError>;

    /// What came late and is not counted yet.
    ///
    /// # Errors
    /// If the store can't be read, is busy, or takes too long.
    fn waiting_events(&self) -> Result<WaitingEvents, ReadError>;

    /// The rules by which rows have been made since the last generation was opened, as JSON; `None` if an older netqoe
    /// has opened it.
    ///
    /// # Errors
    /// If the store can't be read, is busy, or takes too long.
    fn rules(&self) -> Result<Option<String>, ReadError>;
}

/// What the windows of many pairs add up to, in a snapshot. Apart from [`Rows`], since a reader that keeps windows in memory
/// answers these questions itself. Each has a time limit of its own.
pub trait Summaries {
    /// The windows of an extent by pair, in points of this many milliseconds, in order, `limit` at most.
    ///
    /// # Errors
    /// If the store can't be read, is busy, or takes too long.
    fn points(&self, extent: &Extent, point_ms: i64, limit: u32) -> Result<Vec<PointRecord>, ReadError>;

    /// How many windows of each pair in the extent match, apart for each network that they were measured over and for all labels that
    /// they have, between two times (Unix milliseconds, the second is exclusive) and beside them: by pair, then by network, then by
    /// labels; `limit` records at most.
    ///
    /// # Errors
    /// If the store can't be read, is busy, or takes too long.
    fn split(
        &self,
        extent: &Extent,
        inside_ms: [i64; 2],
        matching: &Matching,
        limit: u32,
    ) -> Result<Vec<SplitRecord>, ReadError>;

    /// How many pairs were degraded in each window of the extent, in the order of time: windows with such a pair, `limit` at
    /// most.
    ///
    /// # Errors
    /// If the store can't be read, is busy, or takes too long.
    fn degraded(&self, extent: &Extent, limit: u32) -> Result<Vec<DegradedRecord>, ReadError>;
}
