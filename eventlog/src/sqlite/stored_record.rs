//! A record as the file holds it, and whether it is intact.
//!
//! Decision: D-060.

use netqoe_model::{LogTime, Partition, Position};
use rusqlite::Row;
use rusqlite::types::ValueRef;

/// A record's columns, of which nothing is trusted: bits of the file may have changed.
#[derive(Clone, Copy, Debug)]
pub struct StoredRecord<'a> {
    /// Its partition, as an index or the table has it.
    pub partition: Partition,
    /// Its position.
    pub position: Position,
    /// Unix milliseconds; none if the column holds something else.
    pub log_time_ms: Option<i64>,
    /// The size of all records ever appended, this one included; none if the column holds something else.
    pub end_byte: Option<i64>,
    /// Its text.
    pub lines: &'a [u8],
    /// What was computed when it was written; `None` if the column is empty or not a number.
    pub checksum: Option<i64>,
}

/// What a record's checksum says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is what was written.
    Intact,
    /// It was written before records had checksums, so that nothing can be said.
    Unchecked,
    /// It is not what was written.
    Damaged,
}

impl StoredRecord<'_> {
    /// Whether it is what was written, in a log that writes checksums from `first_checked` on.
    pub fn verdict(&self, first_checked: Position) -> Verdict {
        let (Some(log_time_ms), Some(end_byte)) = (self.log_time_ms, self.end_byte) else { return Verdict::Damaged };
        let Some(stored) = self.checksum else {
            return if self.position < first_checked { Verdict::Unchecked } else { Verdict::Damaged };
        };
        let log_time = LogTime::from_ms(log_time_ms);
        let written = checksum(self.partition, self.position, log_time, end_byte, self.lines);
        if stored == i64::from(written) { Verdict::Intact } else { Verdict::Damaged }
    }
}

impl<'a> StoredRecord<'a> {
    /// From a row of `seq, log_time, end_byte, lines, checksum`; `partition` is what led to it.
    pub(super) fn read(row: &'a Row<'_>, partition: Partition) -> rusqlite::Result<Self> {
        Ok(Self {
            partition,
            position: super::records::position(row, 0)?,
            log_time_ms: integer(row.get_ref(1)?),
            end_byte: integer(row.get_ref(2)?),
            lines: bytes(row.get_ref(3)?),
            checksum: integer(row.get_ref(4)?),
        })
    }
}

fn integer(value: ValueRef<'_>) -> Option<i64> {
    if let ValueRef::Integer(integer) = value { Some(integer) } else { None }
}

/// A changed bit can turn a blob into a text; what it holds is kept all the same.
fn bytes(value: ValueRef<'_>) -> &[u8] {
    if let ValueRef::Blob(bytes) | ValueRef::Text(bytes) = value { bytes } else { &[] }
}

/// CRC-32 of everything that a record says.
pub(super) fn checksum(
    partition: Partition,
    position: Position,
    log_time: LogTime,
    end_byte: i64,
    lines: &[u8],
) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&partition.0.to_be_bytes());
    hasher.update(&position.0.to_be_bytes());
    hasher.update(&log_time.ms().to_be_bytes());
    hasher.update(&end_byte.to_be_bytes());
    hasher.update(lines);
    hasher.finalize()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn record(lines: &[u8]) -> StoredRecord<'_> {
        let (partition, position, log_time_ms, end_byte) = (Partition(3), Position(7), 1_000, 99);
        let checksum = checksum(partition, position, LogTime::from_ms(log_time_ms), end_byte, lines);
        StoredRecord {
            partition,
            position,
            log_time_ms: Some(log_time_ms),
            end_byte: Some(end_byte),
            lines,
            checksum: Some(i64::from(checksum)),
        }
    }

    #[test]
    fn every_column_counts() {
        let intact = record(b"{}\n");
        assert_eq!(intact.verdict(Position(1)), Verdict::Intact);
        for damaged in [
            StoredRecord { partition: Partition(2), ..intact },
            StoredRecord { position: Position(6), ..intact },
            StoredRecord { log_time_ms: Some(1_001), ..intact },
            StoredRecord { log_time_ms: None, ..intact },
            StoredRecord { end_byte: Some(98), ..intact },
            StoredRecord { end_byte: None, ..intact },
            StoredRecord { lines: b"{}\r", ..intact },
            StoredRecord { lines: b"", ..intact },
            StoredRecord { checksum: Some(5), ..intact },
            StoredRecord { checksum: None, ..intact },
        ] {
            assert_eq!(damaged.verdict(Position(1)), Verdict::Damaged, "{damaged:?}");
        }
        let older = StoredRecord { checksum: None, ..intact };
        assert_eq!(older.verdict(Position(8)), Verdict::Unchecked);
        assert_eq!(StoredRecord { log_time_ms: None, ..older }.verdict(Position(8)), Verdict::Damaged);
    }

    proptest! {
        #[test]
        fn a_bit_that_changes_is_found(lines in proptest::collection::vec(any::<u8>(), 1..2_000), at: usize, bit in 0..8u8) {
            let mut changed = lines.clone();
            let at = at % lines.len();
            changed[at] ^= 1u8 << bit;
            let damaged = StoredRecord { lines: &changed, ..record(&lines) };
            prop_assert_eq!(damaged.verdict(Position(1)), Verdict::Damaged);
        }

        #[test]
        fn any_columns_have_a_verdict(
            partition: u16, position: u64, log_time_ms: Option<i64>, end_byte: Option<i64>, lines: Vec<u8>,
            checksum: Option<i64>, first_checked: u64
        ) {
            let (partition, position) = (Partition(partition), Position(position));
            let record = StoredRecord { partition, position, log_time_ms, end_byte, lines: &lines, checksum };
            let unchecked = record.verdict(Position(first_checked)) == Verdict::Unchecked;
            prop_assert_eq!(unchecked && checksum.is_some(), false);
        }
    }
}
