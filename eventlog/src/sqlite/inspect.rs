//! All records of a log, one after the other, and what is wrong with them.

use std::path::Path;

use netqoe_model::Position;
use rusqlite::Connection;

use super::records::{self, last_ever};
use super::stored_record::{StoredRecord, Verdict};
use crate::LogError;

/// Damaged records that are named. Beyond them the file is lost, and one more says nothing.
const MAX_NAMED: usize = 1_000;

/// What is wrong with a log's records.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Findings {
    /// All records.
    pub records: u64,
    /// Those that were written before records had checksums.
    pub unchecked: u64,
    /// Those that are not what was written.
    pub damaged: u64,
    /// The first of them.
    pub damaged_at: Vec<Position>,
    /// Positions between others, or at the end, where no record is.
    pub missing: u64,
    /// The first of them.
    pub first_missing: Option<Position>,
}

impl Findings {
    /// Whether every record is there and intact.
    pub(super) fn check(&self, path: &Path) -> Result<(), LogError> {
        let path = || path.to_owned();
        match (self.damaged_at.first(), self.first_missing) {
            (Some(first), _) => Err(LogError::Damaged { path: path(), count: self.damaged, first: *first }),
            (None, Some(first)) => Err(LogError::Missing { path: path(), count: self.missing, first }),
            (None, None) => Ok(()),
        }
    }

    fn add(&mut self, position: Position, verdict: Verdict) {
        self.records += 1;
        match verdict {
            Verdict::Intact => {}
            Verdict::Unchecked => self.unchecked += 1,
            Verdict::Damaged => {
                self.damaged += 1;
                if self.damaged_at.len() < MAX_NAMED {
                    self.damaged_at.push(position);
                }
            }
        }
    }

    /// No record is at `first`, nor after it before `next`.
    fn add_missing(&mut self, first: u64, next: u64) {
        if next > first {
            self.missing += next - first;
            self.first_missing.get_or_insert(Position(first));
        }
    }
}

/// Calls `look` with each record, in log order, until it says no. One statement, and so one state of the log, whatever
/// is appended meanwhile.
pub(super) fn each_record(
    connection: &Connection,
    first_checked: Position,
    mut look: impl FnMut(&StoredRecord<'_>, Verdict) -> bool,
) -> rusqlite::Result<Findings> {
    // Not by the index: what it lacks must be found.
    let mut select = connection.prepare(
        "SELECT seq, log_time, end_byte, lines, checksum, partition,
                (SELECT seq FROM sqlite_sequence WHERE name = 'log_records')
         FROM log_records NOT INDEXED ORDER BY seq",
    )?;
    let mut findings = Findings::default();
    let (mut next, mut last) = (None, last_ever(connection)?.0);
    let mut rows = select.query([])?;
    while let Some(row) = rows.next()? {
        let record = StoredRecord::read(row, records::partition(row, 5)?)?;
        last = records::position(row, 6)?.0;
        let verdict = record.verdict(first_checked);
        findings.add(record.position, verdict);
        // What is before the first record was discarded since it was old.
        findings.add_missing(next.unwrap_or(record.position.0), record.position.0);
        next = Some(record.position.0.saturating_add(1));
        if !look(&record, verdict) {
            return Ok(findings);
        }
    }
    findings.add_missing(next.unwrap_or(1), last.saturating_add(1));
    Ok(findings)
}

/// What is wrong with a data file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Inspection {
    /// With the log's records.
    pub findings: Findings,
    /// With the file as SQLite sees it, a line each.
    pub sqlite: Vec<String>,
}

/// Looks at all of a data file.
pub(super) fn inspect(path: &Path) -> Result<Inspection, LogError> {
    let unreadable = |error: rusqlite::Error| LogError::of(path, &error);
    let connection = super::schema::open_reader(path)?;
    let first_checked = records::first_checked(&connection).map_err(unreadable)?;
    let sqlite = integrity(&connection).map_err(unreadable)?;
    let findings = each_record(&connection, first_checked, |_, _| true).map_err(unreadable)?;
    Ok(Inspection { findings, sqlite })
}

/// SQLite's own check of its pages, and of its indexes against their tables.
fn integrity(connection: &Connection) -> rusqlite::Result<Vec<String>> {
    let mut check = connection.prepare("PRAGMA integrity_check")?;
    let problems = check.query_map([], |row| row.get::<_, String>(0))?;
    problems.filter(|problem| !matches!(problem.as_deref(), Ok("ok"))).collect()
}
