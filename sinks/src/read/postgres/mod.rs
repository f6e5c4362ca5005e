//! Reading a PostgreSQL store, or a replica of it.

mod aggregates;
mod clients;
mod corrections;
mod current;
mod degraded;
mod diagnoses;
mod execute;
mod incidents;
mod keys;
mod labels;
mod pairs;
#[cfg(test)]
mod plans;
mod points;
mod pool;
mod runs;
mod score;
mod split;
mod targets;

use netqoe_model::Checkpoint;
use postgres::Row;
use tokio::runtime::Handle;

use self::current::Newest;
use self::pool::{Pool, State};
use super::Names;
use super::labelled::Dialect;
use super::statement::Statement;
use super::{
    AggregateRecord, ClientRecord, CorrectedHour, CorrectedSince, CurrentRecord, DegradedRecord, DiagnosisRecord,
    Extent, Filter, Matching, Page, Pair, PastLabel, PointRecord, Query, ReadError, Reader, RowPosition, Rows,
    RunRecord, ScoreRecord, ScoreTerms, Snapshot, SplitRecord, Summaries, TIME_LIMIT, TargetRecord, WaitingEvents,
};
use crate::PostgresOptions;
use crate::postgres::read_back;
use crate::postgres::window::Unreadable;

const LABELLED: Dialect = Dialect { place_of: "strpos", by_key: "" };

/// Reads a PostgreSQL store over a few connections, which come back by themselves after a failure. Also behind PgBouncer
/// in transaction mode.
pub struct PostgresReader {
    pool: Pool,
}

impl PostgresReader {
    /// The store at this URL, which has its tables. Connections are served by `runtime`; questions may be asked from any
    /// thread that may block.
    ///
    /// # Errors
    /// [`ReadError::Open`] if it can't be reached.
    pub async fn connect(url: &str, options: &PostgresOptions, runtime: Handle) -> Result<Self, ReadError> {
        Ok(Self { pool: Pool::connect(url, options, TIME_LIMIT, runtime).await? })
    }
}

impl Reader for PostgresReader {
    fn at_once(&self, ask: &mut dyn FnMut(Snapshot<'_>)) -> Result<(), ReadError> {
        self.pool.at_once(|state| ask(Snapshot { rows: state, summaries: state, incidents: state }))
    }
}

impl State<'_> {
    /// The one row that a statement without groups has; the default where there is none.
    fn one<T: Default>(
        &self,
        statement: &Statement,
        record: impl FnMut(&Row) -> Result<T, Unreadable>,
    ) -> Result<T, ReadError> {
        Ok(self.read(statement, record)?.pop().unwrap_or_default())
    }

    fn page<P, T>(
        &self,
        query: &Query<P>,
        statement: &Statement,
        mut record: impl FnMut(&Row) -> Result<T, Unreadable>,
    ) -> Result<Page<T>, ReadError> {
        let names = [&query.filter.client_id, &query.filter.target];
        Ok(query.page(self.named(names, statement, |row| record(row).map(Some))?))
    }

    /// What a question about these names finds.
    fn named<T>(
        &self,
        names: [&Option<String>; 2],
        statement: &Statement,
        record: impl FnMut(&Row) -> Result<Option<T>, Unreadable>,
    ) -> Result<Vec<T>, ReadError> {
        // No name in a store holds U+0000, and PostgreSQL takes none to compare with.
        if names.into_iter().flatten().any(|name| name.contains('\0')) {
            return Ok(Vec::new());
        }
        self.read_some(statement, record)
    }

    /// The same for pairs of an extent.
    fn within<T>(
        &self,
        extent: &Extent,
        statement: &Statement,
        record: impl Fn(&Row, &mut Names) -> Result<T, Unreadable>,
    ) -> Result<Vec<T>, ReadError> {
        let mut names = Names::default();
        self.named([&extent.client_id, &extent.target], statement, |row| record(row, &mut names).map(Some))
    }
}

impl Rows for State<'_> {
    fn aggregates(&self, query: &Query<RowPosition>) -> Result<Page<AggregateRecord>, ReadError> {
        let mut names = Names::default();
        self.page(query, &aggregates::statement(query), |row| aggregates::record(row, &mut names))
    }

    fn diagnoses(&self, query: &Query<RowPosition>) -> Result<Page<DiagnosisRecord>, ReadError> {
        self.page(query, &diagnoses::statement(query), diagnoses::record)
    }

    fn clients(&self, query: &Query<String>) -> Result<Page<ClientRecord>, ReadError> {
        self.page(query, &clients::statement(query), clients::record)
    }

    fn targets(&self, query: &Query<String>) -> Result<Page<TargetRecord>, ReadError> {
        self.page(query, &targets::statement(query), targets::record)
    }

    fn checkpoints(&self) -> Result<Vec<Checkpoint>, ReadError> {
        self.read(&Statement::new(read_back::CHECKPOINTS), read_back::checkpoint)
    }

    fn current(&self, extent: &Extent, limit: u32) -> Result<Vec<CurrentRecord>, ReadError> {
        let mut newest = Newest::with(&extent.tags);
        let names = [&extent.client_id, &extent.target];
        let mut rows = self.named(names, &current::statement(extent), |row| newest.record(row, limit))?;
        rows.sort_unstable_by(|a, b| a.pair.cmp(&b.pair));
        Ok(rows)
    }

    fn latest_labels(&self, pairs: &[Pair], times_ms: [i64; 2], limit: u32) -> Result<Vec<Vec<PastLabel>>, ReadError> {
        let mut labels = vec![Vec::new(); pairs.len()];
        for (nth, of_pair) in self.read(&labels::statement(pairs, times_ms, limit), labels::record)? {
            labels[nth] = of_pair;
        }
        Ok(labels)
    }

    fn runs(&self, filter: &Filter, limit: u16) -> Result<Page<RunRecord>, ReadError> {
        let names = [&filter.client_id, &filter.target];
        let found = self.named(names, &runs::statement(filter, limit), |row| runs::record(row).map(Some))?;
        Ok(Page::of(found, limit))
    }

    fn scores(&self, extent: &Extent, terms: ScoreTerms, limit: u32) -> Result<Vec<ScoreRecord>, ReadError> {
        self.within(extent, &score::statement(extent, terms, limit), score::record)
    }

    fn corrected_since(&self, known: i64) -> Result<CorrectedSince, ReadError> {
        self.one(&corrections::since(known), corrections::since_record)
    }

    fn corrected_hours(&self, times_ms: [i64; 2], limit: u32) -> Result<Vec<CorrectedHour>, ReadError> {
        self.read(&corrections::hours(times_ms, limit), corrections::hour)
    }

    fn waiting_events(&self) -> Result<WaitingEvents, ReadError> {
        self.one(&corrections::waiting(), corrections::waiting_record)
    }

    /// An older schema has no such column, and no row in JSON has such a member.
    fn rules(&self) -> Result<Option<String>, ReadError> {
        let statement = Statement::new("SELECT to_jsonb(fence) ->> 'rules' FROM fence");
        let rules = self.read(&statement, |row| Ok(row.try_get(0)?))?;
        Ok(rules.into_iter().next().flatten())
    }
}

impl Summaries for State<'_> {
    fn points(&self, extent: &Extent, point_ms: i64, limit: u32) -> Result<Vec<PointRecord>, ReadError> {
        self.within(extent, &points::statement(extent, point_ms, limit), points::record)
    }

    fn split(
        &self,
        extent: &Extent,
        inside_ms: [i64; 2],
        matching: &Matching,
        limit: u32,
    ) -> Result<Vec<SplitRecord>, ReadError> {
        self.within(extent, &split::statement(extent, inside_ms, matching, limit), split::record)
    }

    fn degraded(&self, extent: &Extent, limit: u32) -> Result<Vec<DegradedRecord>, ReadError> {
        let statement = degraded::statement(extent, limit);
        self.within(extent, &statement, |row, _| degraded::record(row))
    }
}
