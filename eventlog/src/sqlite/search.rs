//! Searching the embedded log, on a connection of its own: neither the writer nor a reader waits for it.
//!
//! Decision: D-100.

use std::ops::Range;

use netqoe_model::{LogTime, Position};
use rusqlite::{Connection, OptionalExtension, params};

use super::records::{first_checked, last_ever, partition, position, seq};
use super::schema;
use super::shared::Shared;
use super::stored_record::{StoredRecord, Verdict};
use crate::LogError;
use crate::search::{Budget, FoundRecord, Search, SearchLimits, Searched, Visit, before};

pub(super) fn search(
    shared: &Shared,
    search: &Search,
    limits: &SearchLimits,
    visit: Visit<'_>,
) -> Result<Searched, LogError> {
    let mut connection = schema::open_reader(&shared.path)?;
    in_snapshot(&mut connection, search, limits, visit).map_err(|error| LogError::of(&shared.path, &error))
}

/// A position before which every record is older than this time; none where records of this time were discarded.
pub(super) fn first_of(shared: &Shared, time: LogTime) -> Result<Option<Position>, LogError> {
    let mut connection = schema::open_reader(&shared.path)?;
    let mut find = || {
        let snapshot = connection.transaction()?;
        let first_checked = first_checked(&snapshot)?;
        if kept_since(&snapshot)?.is_some_and(|kept_since| kept_since >= time) {
            return Ok(None);
        }
        Ok(Some(positions(&snapshot, &(time..LogTime::from_ms(i64::MAX)), first_checked)?.start))
    };
    find().map_err(|error: rusqlite::Error| LogError::of(&shared.path, &error))
}

/// In one snapshot, so that nothing is discarded meanwhile.
fn in_snapshot(
    connection: &mut Connection,
    search: &Search,
    limits: &SearchLimits,
    visit: Visit<'_>,
) -> rusqlite::Result<Searched> {
    let snapshot = connection.transaction()?;
    let rest = look(&snapshot, search, limits, visit)?;
    Ok(Searched { rest, kept_since: kept_since(&snapshot)? })
}

/// Shows the records. Returns where those begin that were not looked at.
fn look(
    connection: &Connection,
    search: &Search,
    limits: &SearchLimits,
    visit: Visit<'_>,
) -> rusqlite::Result<Option<Position>> {
    let first_checked = first_checked(connection)?;
    let positions = positions(connection, &search.times, first_checked)?;
    let Some(last) = before(positions.end) else { return Ok(None) };
    let last = search.through.map_or(last, |through| through.min(last));
    let mut select = connection.prepare(
        "SELECT seq, log_time, end_byte, lines, checksum FROM log_records
         WHERE partition = ?1 AND seq BETWEEN ?2 AND ?3 ORDER BY seq DESC",
    )?;
    let mut rows = select.query(params![search.partition.0, seq(positions.start), seq(last)])?;
    let mut budget = Budget::new(limits);
    while let Some(row) = rows.next()? {
        let record = StoredRecord::read(row, search.partition)?;
        budget.spend(record.lines.len());
        let log_time = intact_at(&record, first_checked);
        let found = log_time.map(|log_time| FoundRecord { position: record.position, log_time, lines: record.lines });
        let has_enough = found.is_some_and(|found| visit(found).is_break());
        if has_enough || budget.is_spent() {
            let rest = before(record.position);
            return Ok(rest.filter(|rest| *rest >= positions.start));
        }
    }
    Ok(None)
}

/// The log time of a record that is what was written.
fn intact_at(record: &StoredRecord<'_>, first_checked: Position) -> Option<LogTime> {
    record.log_time_ms.filter(|_| record.verdict(first_checked) != Verdict::Damaged).map(LogTime::from_ms)
}

/// Where the records of these times are.
fn positions(
    connection: &Connection,
    times: &Range<LogTime>,
    first_checked: Position,
) -> rusqlite::Result<Range<Position>> {
    let oldest = "SELECT coalesce(min(seq), 1) FROM log_records";
    let oldest = connection.query_row(oldest, [], |row| position(row, 0))?;
    let end = Position(last_ever(connection)?.0.saturating_add(1));
    let first = first_at(connection, times.start, oldest..end, first_checked)?;
    Ok(first..first_at(connection, times.end, first..end, first_checked)?)
}

/// The first position from which on all records are of this time or later. Log times do not fall, so half of what is left is out
/// of the question each time.
fn first_at(
    connection: &Connection,
    time: LogTime,
    within: Range<Position>,
    first_checked: Position,
) -> rusqlite::Result<Position> {
    let (mut first, mut end) = (within.start.0, within.end.0);
    while first < end {
        let middle = first + (end - first) / 2;
        match first_intact(connection, Position(middle)..Position(end), first_checked)? {
            Some((position, log_time)) if log_time < time => first = position.0 + 1,
            _ => end = middle,
        }
    }
    Ok(Position(first))
}

/// The first of these records that is what was written: one that is damaged may say any time.
fn first_intact(
    connection: &Connection,
    positions: Range<Position>,
    first_checked: Position,
) -> rusqlite::Result<Option<(Position, LogTime)>> {
    let mut select = connection.prepare_cached(
        "SELECT seq, log_time, end_byte, lines, checksum, partition FROM log_records
         WHERE seq >= ?1 AND seq < ?2 ORDER BY seq",
    )?;
    let mut rows = select.query([seq(positions.start), seq(positions.end)])?;
    while let Some(row) = rows.next()? {
        let record = StoredRecord::read(row, partition(row, 5)?)?;
        if let Some(log_time) = intact_at(&record, first_checked) {
            return Ok(Some((record.position, log_time)));
        }
    }
    Ok(None)
}

/// The log time of the oldest record, if there were others before it.
fn kept_since(connection: &Connection) -> rusqlite::Result<Option<LogTime>> {
    let oldest = "SELECT log_time FROM log_records WHERE seq > 1 ORDER BY seq LIMIT 1";
    let has_first = "SELECT 1 FROM log_records WHERE seq = 1";
    let has_first = connection.query_row(has_first, [], |_| Ok(())).optional()?.is_some();
    if has_first {
        return Ok(None);
    }
    connection.query_row(oldest, [], |row| row.get(0).map(LogTime::from_ms)).optional()
}
