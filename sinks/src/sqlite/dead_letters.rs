//! The dead letters of a SQLite store, for commands that read and replay them while another process writes them.

use std::fmt;
use std::path::Path;
use std::str::FromStr;

use netqoe_model::{DeadLetter, LogTime, Partition, Position};
use parking_lot::Mutex;
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::{StoreFile, schema};
use crate::{StoreError, WriteTurn};

/// Which letter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LetterKey {
    /// Its partition.
    pub partition: Partition,
    /// The record that held it.
    pub position: Position,
    /// Which line of that record, from 0.
    pub line: u32,
}

/// Its three numbers, as `3-17-0`.
impl fmt::Display for LetterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { partition, position, line } = self;
        write!(f, "{partition}-{}-{line}", position.0)
    }
}

/// A text that is not the name of a letter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a letter is named by its partition, record and line, as 3-17-0")]
pub struct NoLetterKey;

impl FromStr for LetterKey {
    type Err = NoLetterKey;

    fn from_str(text: &str) -> Result<Self, NoLetterKey> {
        let [partition, position, line] = text.split('-').collect::<Vec<_>>()[..] else { return Err(NoLetterKey) };
        let number = |text: &str| text.parse::<u64>().map_err(|_| NoLetterKey);
        // A store counts in 63 bits.
        let position = number(position).ok().filter(|position| i64::try_from(*position).is_ok());
        Ok(Self {
            partition: Partition(number(partition)?.try_into().map_err(|_| NoLetterKey)?),
            position: Position(position.ok_or(NoLetterKey)?),
            line: number(line)?.try_into().map_err(|_| NoLetterKey)?,
        })
    }
}

/// The beginning of a letter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LetterExcerpt {
    /// Which.
    pub key: LetterKey,
    /// The partition's log time when it was read.
    pub log_time: LogTime,
    /// Why it can't be counted.
    pub reason: String,
    /// The first bytes of the line.
    pub original: Vec<u8>,
    /// How long the line is.
    pub bytes: u64,
}

/// Lines that could not be counted, in the order in which they were read, over a connection of its own.
pub struct SqliteDeadLetters {
    connection: Mutex<Connection>,
    file: StoreFile,
    write_turn: WriteTurn,
}

impl SqliteDeadLetters {
    /// Those of the store in this file, which is made where it is missing.
    ///
    /// # Errors
    /// As [`SqliteStore::open`](super::SqliteStore::open).
    pub fn open(path: &Path, write_turn: WriteTurn) -> Result<Self, StoreError> {
        let (file, connection) = schema::open_in_turn(path, schema::BESIDE, &write_turn)?;
        Ok(Self { connection: Mutex::new(connection), file, write_turn })
    }

    /// How many there are.
    ///
    /// # Errors
    /// If the file can't be read.
    pub fn count(&self) -> Result<u64, StoreError> {
        self.read(|connection| {
            // The index is small, whatever the originals are.
            let count = "SELECT count(*) FROM dead_letters INDEXED BY dead_letters_by_time";
            connection.prepare_cached(count)?.query_row([], |row| row.get(0)).map(i64::cast_unsigned)
        })
    }

    /// Newest first, beginning after a place, `limit` at most, each with `max_bytes` of its line at most.
    ///
    /// # Errors
    /// If the file can't be read.
    pub fn page(
        &self,
        after: Option<(LogTime, LetterKey)>,
        limit: usize,
        max_bytes: usize,
    ) -> Result<Vec<LetterExcerpt>, StoreError> {
        let beginning =
            LetterKey { partition: Partition(u16::MAX), position: Position(i64::MAX.unsigned_abs()), line: u32::MAX };
        let (log_time, LetterKey { partition, position, line }) =
            after.unwrap_or((LogTime::from_ms(i64::MAX), beginning));
        self.read(|connection| {
            let mut select = connection.prepare_cached(
                "SELECT partition, position, line, log_time, reason, coalesce(substr(original, 1, ?6), x''), length(original)
                 FROM dead_letters WHERE (log_time, partition, position, line) < (?1, ?2, ?3, ?4)
                 ORDER BY log_time DESC, partition DESC, position DESC, line DESC LIMIT ?5",
            )?;
            let position = position.0.cast_signed();
            let parameters =
                params![log_time.ms(), partition.0, position, line, limit.cast_signed(), max_bytes.cast_signed()];
            let excerpt = |row: &Row<'_>| {
                Ok(LetterExcerpt {
                    key: key(row)?,
                    log_time: LogTime::from_ms(row.get(3)?),
                    reason: row.get(4)?,
                    original: row.get(5)?,
                    bytes: row.get::<_, i64>(6)?.unsigned_abs(),
                })
            };
            select.query_map(parameters, excerpt)?.collect()
        })
    }

    /// A whole letter; none if it is not there.
    ///
    /// # Errors
    /// If the file can't be read.
    pub fn get(&self, key: LetterKey) -> Result<Option<DeadLetter>, StoreError> {
        self.read(|connection| {
            let mut select = connection.prepare_cached(
                "SELECT log_time, reason, original FROM dead_letters WHERE partition = ?1 AND position = ?2 AND line = ?3",
            )?;
            let LetterKey { partition, position, line } = key;
            let letter = |row: &Row<'_>| {
                Ok(DeadLetter {
                    partition,
                    position,
                    line,
                    log_time: LogTime::from_ms(row.get(0)?),
                    reason: row.get(1)?,
                    original: row.get(2)?,
                })
            };
            select.query_row(params![partition.0, position.0.cast_signed(), line], letter).optional()
        })
    }

    /// Deletes a letter; false if it was not there.
    ///
    /// # Errors
    /// If the file can't be written.
    pub fn remove(&self, key: LetterKey) -> Result<bool, StoreError> {
        let _turn = self.write_turn.lock();
        let LetterKey { partition, position, line } = key;
        let delete = "DELETE FROM dead_letters WHERE partition = ?1 AND position = ?2 AND line = ?3";
        let deleted = self.connection.lock().execute(delete, params![partition.0, position.0.cast_signed(), line]);
        deleted.map(|count| count > 0).map_err(|error| self.file.error("delete a dead letter", &error))
    }

    /// Deletes all letters. Returns how many those were.
    ///
    /// # Errors
    /// If the file can't be written.
    pub fn remove_all(&self) -> Result<u64, StoreError> {
        let _turn = self.write_turn.lock();
        let deleted = self.connection.lock().execute("DELETE FROM dead_letters", []);
        deleted.map(|count| count as u64).map_err(|error| self.file.error("delete dead letters", &error))
    }

    fn read<T>(&self, read: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T, StoreError> {
        read(&self.connection.lock()).map_err(|error| self.file.error("read dead letters", &error))
    }
}

fn key(row: &Row<'_>) -> rusqlite::Result<LetterKey> {
    Ok(LetterKey {
        partition: Partition(row.get(0)?),
        position: Position(row.get::<_, i64>(1)?.cast_unsigned()),
        line: row.get(2)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_comes_back_as_it_was() {
        let key = LetterKey { partition: Partition(3), position: Position(12_345), line: 7 };
        assert_eq!(key.to_string(), "3-12345-7");
        assert_eq!("3-12345-7".parse(), Ok(key));
    }

    #[test]
    fn what_is_no_key_is_refused() {
        for text in
            ["", "-", "3", "3-1", "3-1-1-1", "x-1-1", "70000-1-1", "3--1-1", "3-18446744073709551615-1", "3-1-é"]
        {
            assert_eq!(text.parse::<LetterKey>(), Err(NoLetterKey), "{text}");
        }
    }
}
