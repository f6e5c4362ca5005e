//! Gives records whose time lies ahead of the clock a time that can be believed.
//!
//! Decision: D-061.

use std::path::{Path, PathBuf};

use netqoe_model::{Chunk, Event, LogTime, Partition, Position, SetAside};
use rusqlite::{Connection, TransactionBehavior, params};

use super::records::{self, partition, seq};
use super::schema::{self, WriterLock};
use super::stored_record::{StoredRecord, Verdict, checksum};
use crate::LogError;

/// A log whose end lies ahead of the clock. While this exists, nobody else writes to the log.
pub struct ClockHealing {
    path: PathBuf,
    connection: Connection,
    first_checked: Position,
    /// New times, by position.
    healed: NewTimes,
    /// What was found.
    pub found: TimesAhead,
    _lock: WriterLock,
}

/// The log times that records get.
type NewTimes = Vec<(Position, LogTime)>;

/// Which records lie ahead of the clock, and by how much.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimesAhead {
    /// The first of them; all that follow are ahead, too.
    pub first: Position,
    /// How many they are.
    pub records: u64,
    /// How far the newest is ahead, in milliseconds.
    pub ahead_ms: i64,
    /// The log time before the first of them.
    pub log_time_before: LogTime,
    /// The log time that the newest gets.
    pub log_time_healed: LogTime,
}

/// Where a partition stood before the first record that lies ahead.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Before {
    /// Its last record; the first of all is 1.
    pub last: Position,
    /// Its log time.
    pub log_time: LogTime,
}

impl ClockHealing {
    /// Looks for records that lie ahead of `now`; none if there are none.
    ///
    /// # Errors
    /// [`LogError`], if the file can't be read or is in use.
    pub fn find(path: &Path, now: LogTime) -> Result<Option<Self>, LogError> {
        let lock = WriterLock::take(path)?;
        // Not made where it is missing.
        drop(schema::open_reader(path)?);
        let connection = schema::open_writer(path)?;
        let unreadable = |error: rusqlite::Error| LogError::of(path, &error);
        let first_checked = records::first_checked(&connection).map_err(unreadable)?;
        let found = look(&connection, first_checked, now).map_err(unreadable)?;
        Ok(found.map(|(found, healed)| Self {
            path: path.to_owned(),
            connection,
            first_checked,
            healed,
            found,
            _lock: lock,
        }))
    }

    /// Where a partition stood before.
    ///
    /// # Errors
    /// If the file can't be read.
    pub fn before(&self, partition: Partition) -> Result<Option<Before>, LogError> {
        let select = "SELECT seq, log_time, end_byte, lines, checksum FROM log_records
                      WHERE partition = ?1 AND seq < ?2 ORDER BY seq DESC";
        let read = || -> rusqlite::Result<Option<Before>> {
            let mut select = self.connection.prepare_cached(select)?;
            let mut rows = select.query(params![partition.0, seq(self.found.first)])?;
            let mut last = None;
            while let Some(row) = rows.next()? {
                let record = StoredRecord::read(row, partition)?;
                let last = *last.get_or_insert(record.position);
                if record.verdict(self.first_checked) != Verdict::Damaged {
                    let log_time = LogTime::from_ms(record.log_time_ms.unwrap_or_default());
                    return Ok(Some(Before { last, log_time }));
                }
            }
            Ok(None)
        };
        read().map_err(|error| LogError::of(&self.path, &error))
    }

    /// Calls `take` with the records of a partition up to `last` whose log time is `from` or later, as they are now.
    ///
    /// # Errors
    /// If the file can't be read.
    pub fn each_chunk(
        &self,
        partition: Partition,
        from: LogTime,
        last: Position,
        mut take: impl FnMut(Chunk),
    ) -> Result<(), LogError> {
        let select = "SELECT seq, log_time, end_byte, lines, checksum FROM log_records
                      WHERE partition = ?1 AND seq <= ?2 AND log_time >= ?3 ORDER BY seq";
        let mut read = || -> rusqlite::Result<()> {
            let mut select = self.connection.prepare_cached(select)?;
            let mut rows = select.query(params![partition.0, seq(last), from.ms()])?;
            let mut log_time = from;
            while let Some(row) = rows.next()? {
                let record = StoredRecord::read(row, partition)?;
                let damaged = record.verdict(self.first_checked) == Verdict::Damaged;
                log_time = record.log_time_ms.filter(|_| !damaged).map_or(log_time, LogTime::from_ms);
                take(Chunk {
                    partition: Some(partition),
                    position: record.position,
                    log_time: Some(log_time),
                    lines: record.lines.to_vec(),
                    set_aside: damaged.then_some(SetAside::Damaged),
                    came_late: false,
                    trace: None,
                });
            }
            Ok(())
        };
        read().map_err(|error| LogError::of(&self.path, &error))
    }

    /// The log time of the oldest record, where older ones were discarded.
    ///
    /// # Errors
    /// If the file can't be read.
    pub fn begins_at(&self) -> Result<Option<LogTime>, LogError> {
        let oldest = "SELECT log_time FROM log_records WHERE seq > 1 AND seq = (SELECT min(seq) FROM log_records)";
        let mut select = self.connection.prepare(oldest).map_err(|error| LogError::of(&self.path, &error))?;
        let found = select.query_map([], |row| row.get(0)).and_then(|mut rows| rows.next().transpose());
        Ok(found.map_err(|error| LogError::of(&self.path, &error))?.map(LogTime::from_ms))
    }

    /// Gives the records their new times and has `rewind` take back what was computed from them, in one transaction.
    ///
    /// # Errors
    /// What SQLite says; nothing has changed then.
    pub fn apply(mut self, rewind: impl FnOnce(&Connection) -> rusqlite::Result<()>) -> Result<(), LogError> {
        let failed = |error: rusqlite::Error| LogError::of(&self.path, &error);
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(failed)?;
        let heal = || -> rusqlite::Result<()> {
            rewind(&transaction)?;
            for (position, log_time) in &self.healed {
                set_time(&transaction, self.first_checked, *position, *log_time)?;
            }
            Ok(())
        };
        heal().and_then(|()| transaction.commit()).map_err(failed)
    }
}

/// Goes from the newest record back to the first that does not lie ahead of `now`. A record gets the time at which its
/// events were received, by the clock of then, but none later than the record after it, nor before what was there before.
fn look(
    connection: &Connection,
    first_checked: Position,
    now: LogTime,
) -> rusqlite::Result<Option<(TimesAhead, NewTimes)>> {
    let mut select = connection
        .prepare("SELECT seq, log_time, end_byte, lines, checksum, partition FROM log_records ORDER BY seq DESC")?;
    let mut rows = select.query([])?;
    let (mut healed, mut newest, mut before, mut next) = (Vec::new(), None, LogTime::default(), now);
    while let Some(row) = rows.next()? {
        let record = StoredRecord::read(row, partition(row, 5)?)?;
        // The time of a damaged record says nothing, and it stays as it is.
        let Some(log_time) = record.log_time_ms.filter(|_| record.verdict(first_checked) != Verdict::Damaged) else {
            continue;
        };
        if log_time <= now.ms() {
            before = LogTime::from_ms(log_time);
            break;
        }
        newest.get_or_insert(log_time);
        next = received(record.lines).map_or(next, |received| received.min(next));
        healed.push((record.position, next));
    }
    healed.reverse();
    healed.iter_mut().for_each(|(_, log_time)| *log_time = (*log_time).max(before));
    Ok(newest.zip(healed.first().copied()).map(|(newest, (first, _))| {
        let found = TimesAhead {
            first,
            records: healed.len() as u64,
            ahead_ms: newest - now.ms(),
            log_time_before: before,
            log_time_healed: healed.last().map_or(before, |(_, log_time)| *log_time),
        };
        (found, healed)
    }))
}

/// When the last of these events was received, by the clock of then.
fn received(lines: &[u8]) -> Option<LogTime> {
    let events = lines.split(|byte| *byte == b'\n').filter_map(|line| Event::parse(line).ok());
    events.filter_map(|event| event.recv.map(|recv| LogTime::from_ms(recv.ms()))).max()
}

fn set_time(
    connection: &Connection,
    first_checked: Position,
    position: Position,
    log_time: LogTime,
) -> rusqlite::Result<()> {
    let mut select = connection
        .prepare_cached("SELECT seq, log_time, end_byte, lines, checksum, partition FROM log_records WHERE seq = ?1")?;
    let checksum = select.query_row([seq(position)], |row| {
        let record = StoredRecord::read(row, partition(row, 5)?)?;
        let end_byte = record.end_byte.unwrap_or_default();
        let is_checked = record.verdict(first_checked) == Verdict::Intact;
        Ok(is_checked.then(|| checksum(record.partition, position, log_time, end_byte, record.lines)))
    })?;
    connection
        .prepare_cached("UPDATE log_records SET log_time = ?2, checksum = ?3 WHERE seq = ?1")?
        .execute(params![seq(position), log_time.ms(), checksum])?;
    Ok(())
}
