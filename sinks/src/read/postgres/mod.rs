//! Reading a PostgreSQL store, or a replica of it.

mod aggregates;
mod clients;
mod diagnoses;
mod execute;
mod keys;
#[cfg(test)]
mod plans;
mod pool;
mod targets;

use postgres::Row;
use tokio::runtime::Handle;

use self::pool::Pool;
use super::statement::Statement;
use super::{
    AggregateRecord, ClientRecord, DiagnosisRecord, Page, Query, ReadError, Reader, RowPosition, TIME_LIMIT,
    TargetRecord,
};
use crate::PostgresOptions;
use crate::postgres::window::Unreadable;

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
    /// [`ReadError::Open`] where it can't be reached.
    pub async fn connect(url: &str, options: &PostgresOptions, runtime: Handle) -> Result<Self, ReadError> {
        Ok(Self { pool: Pool::connect(url, options, TIME_LIMIT, runtime).await? })
    }

    fn page<P, T>(
        &self,
        query: &Query<P>,
        statement: &Statement,
        record: impl Fn(&Row) -> Result<T, Unreadable>,
    ) -> Result<Page<T>, ReadError> {
        // No name in a store holds U+0000, and PostgreSQL takes none to compare with.
        let names = [&query.filter.client_id, &query.filter.target];
        if names.into_iter().flatten().any(|name| name.contains('\0')) {
            return Ok(query.page(Vec::new()));
        }
        Ok(query.page(self.pool.read(statement, record)?))
    }
}

impl Reader for PostgresReader {
    fn aggregates(&self, query: &Query<RowPosition>) -> Result<Page<AggregateRecord>, ReadError> {
        self.page(query, &aggregates::statement(query), aggregates::record)
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

    /// An older schema has no such column, and no row in JSON has such a member.
    fn rules(&self) -> Result<Option<String>, ReadError> {
        let statement = Statement::new("SELECT to_jsonb(fence) ->> 'rules' FROM fence");
        let rules = self.pool.read(&statement, |row| Ok(row.try_get(0)?))?;
        Ok(rules.into_iter().next().flatten())
    }
}
