//! Reading a SQLite store.

mod aggregates;
mod clients;
mod connections;
mod corrections;
mod current;
mod degraded;
mod diagnoses;
mod execute;
mod incidents;
mod keys;
mod labels;
mod pairs;
mod points;
mod runs;
mod score;
mod split;
mod targets;
#[cfg(test)]
mod tests;

use std::path::Path;

use netqoe_model::Checkpoint;
use rusqlite::OptionalExtension;

use self::connections::{Connections, State};
use super::labelled::Dialect;
use super::{
    AggregateRecord, ClientRecord, CorrectedHour, CorrectedSince, CurrentRecord, DegradedRecord, DiagnosisRecord,
    Extent, Filter, Matching, Page, Pair, PastLabel, PointRecord, Query, ReadError, Reader, RowPosition, Rows,
    RunRecord, ScoreRecord, ScoreTerms, Snapshot, SplitRecord, Summaries, TIME_LIMIT, TargetRecord, WaitingEvents,
};
use crate::sqlite::read_back;

pub use self::connections::MAX_CONNECTIONS;

const LABELLED: Dialect = Dialect { place_of: "instr", by_key: "INDEXED BY sqlite_autoindex_agg_1m_1" };

/// Reads a SQLite store, beside the process that writes it.
pub struct SqliteReader {
    connections: Connections,
}

impl SqliteReader {
    /// The store in this file, which exists and has its tables.
    ///
    /// # Errors
    /// [`ReadError::Open`] or [`ReadError::Query`] if it can't be read.
    pub fn open(path: &Path) -> Result<Self, ReadError> {
        Ok(Self { connections: Connections::open(path, TIME_LIMIT)? })
    }
}

impl Reader for SqliteReader {
    fn at_once(&self, ask: &mut dyn FnMut(Snapshot<'_>)) -> Result<(), ReadError> {
        self.connections.at_once(|state| ask(Snapshot { rows: state, summaries: state, incidents: state }))
    }
}

impl Rows for State<'_> {
    fn aggregates(&self, query: &Query<RowPosition>) -> Result<Page<AggregateRecord>, ReadError> {
        self.read(|connection| aggregates::page(connection, query))
    }

    fn diagnoses(&self, query: &Query<RowPosition>) -> Result<Page<DiagnosisRecord>, ReadError> {
        self.read(|connection| diagnoses::page(connection, query))
    }

    fn clients(&self, query: &Query<String>) -> Result<Page<ClientRecord>, ReadError> {
        self.read(|connection| clients::page(connection, query))
    }

    fn targets(&self, query: &Query<String>) -> Result<Page<TargetRecord>, ReadError> {
        self.read(|connection| targets::page(connection, query))
    }

    fn checkpoints(&self) -> Result<Vec<Checkpoint>, ReadError> {
        self.read(read_back::checkpoints)
    }

    fn current(&self, extent: &Extent, limit: u32) -> Result<Vec<CurrentRecord>, ReadError> {
        self.read(|connection| current::read(connection, extent, limit))
    }

    fn latest_labels(&self, pairs: &[Pair], times_ms: [i64; 2], limit: u32) -> Result<Vec<Vec<PastLabel>>, ReadError> {
        self.read(|connection| labels::read(connection, pairs, times_ms, limit))
    }

    fn runs(&self, filter: &Filter, limit: u16) -> Result<Page<RunRecord>, ReadError> {
        let found = self.read(|connection| runs::read(connection, filter, limit))?;
        Ok(Page::of(found, limit))
    }

    fn scores(&self, extent: &Extent, terms: ScoreTerms, limit: u32) -> Result<Vec<ScoreRecord>, ReadError> {
        self.read(|connection| score::read(connection, extent, terms, limit))
    }

    fn corrected_since(&self, known: i64) -> Result<CorrectedSince, ReadError> {
        self.read(|connection| corrections::since(connection, known))
    }

    fn corrected_hours(&self, times_ms: [i64; 2], limit: u32) -> Result<Vec<CorrectedHour>, ReadError> {
        self.read(|connection| corrections::hours(connection, times_ms, limit))
    }

    fn waiting_events(&self) -> Result<WaitingEvents, ReadError> {
        self.read(corrections::waiting)
    }

    fn rules(&self) -> Result<Option<String>, ReadError> {
        self.read(|connection| {
            // An older schema has no such column.
            let columns = "SELECT EXISTS (SELECT 1 FROM pragma_table_info('fence') WHERE name = 'rules')";
            if !connection.query_row(columns, [], |row| row.get(0))? {
                return Ok(None);
            }
            let rules = connection.query_row("SELECT rules FROM fence", [], |row| row.get(0)).optional()?;
            Ok(rules.flatten())
        })
    }
}

impl Summaries for State<'_> {
    fn points(&self, extent: &Extent, point_ms: i64, limit: u32) -> Result<Vec<PointRecord>, ReadError> {
        self.read(|connection| points::read(connection, extent, point_ms, limit))
    }

    fn split(
        &self,
        extent: &Extent,
        inside_ms: [i64; 2],
        matching: &Matching,
        limit: u32,
    ) -> Result<Vec<SplitRecord>, ReadError> {
        self.read(|connection| split::read(connection, extent, inside_ms, matching, limit))
    }

    fn degraded(&self, extent: &Extent, limit: u32) -> Result<Vec<DegradedRecord>, ReadError> {
        self.read(|connection| degraded::read(connection, extent, limit))
    }
}
