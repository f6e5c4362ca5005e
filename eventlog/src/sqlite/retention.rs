//! Discarding what is old or too much, but never what is still needed.

use std::sync::atomic::{AtomicU64, Ordering};

use netqoe_model::{LogTime, Partition, Position};
use rusqlite::{Connection, Row};

use super::records::{Tail, first_byte, position, seq};

/// Records that one step discards: so few that appends hardly wait for it.
const STEP_RECORDS: i64 = 1024;
/// Bytes that one step discards, for the same reason.
const STEP_BYTES: i64 = 16 << 20;

/// How far each partition is no longer needed.
pub(super) struct NeededFrom {
    discardable: Vec<AtomicU64>,
}

impl NeededFrom {
    /// Everything is needed.
    pub(super) fn everything(partitions: u16) -> Self {
        Self { discardable: (0..partitions).map(|_| AtomicU64::new(0)).collect() }
    }

    /// A partition is not needed through this record. Never takes back what was said before.
    pub(super) fn allow_discard_through(&self, partition: Partition, position: Position) {
        if let Some(discardable) = self.discardable.get(usize::from(partition.0)) {
            discardable.fetch_max(position.0, Ordering::Relaxed);
        }
    }

    fn allows_discard_of(&self, partition: Partition, position: Position) -> bool {
        let discardable = self.discardable.get(usize::from(partition.0));
        discardable.is_some_and(|through| position.0 <= through.load(Ordering::Relaxed))
    }
}

/// How much a log keeps.
pub(super) struct Retention {
    keep_ms: i64,
    max_bytes: i64,
    /// Where the oldest record begins, counted as [`Tail::end_byte`] is.
    first_byte: i64,
}

impl Retention {
    pub(super) fn load(connection: &Connection, keep_ms: i64, max_bytes: u64) -> rusqlite::Result<Self> {
        let max_bytes = i64::try_from(max_bytes).unwrap_or(i64::MAX);
        Ok(Self { keep_ms, max_bytes, first_byte: first_byte(connection)? })
    }

    /// Whether the log holds as much as it may.
    pub(super) fn is_full(&self, tail: &Tail) -> bool {
        tail.end_byte.saturating_sub(self.first_byte) >= self.max_bytes
    }

    /// What the log may hold, in bytes.
    pub(super) fn max_bytes(&self) -> u64 {
        self.max_bytes.unsigned_abs()
    }

    /// Discards some of the oldest records, if they are overdue and not needed. True where there may be more.
    pub(super) fn discard_some(
        &mut self,
        connection: &Connection,
        tail: &Tail,
        now: LogTime,
        needed: &NeededFrom,
    ) -> rusqlite::Result<bool> {
        let Some(last) = self.last_to_discard(connection, tail, now, needed)? else { return Ok(false) };
        connection.prepare_cached("DELETE FROM log_records WHERE seq <= ?1")?.execute([seq(last.position)])?;
        self.first_byte = last.end_byte;
        Ok(true)
    }

    /// The last record of a step. The log's newest one stays in any case: the log's time goes on from it.
    fn last_to_discard(
        &self,
        connection: &Connection,
        tail: &Tail,
        now: LogTime,
        needed: &NeededFrom,
    ) -> rusqlite::Result<Option<Oldest>> {
        let mut oldest = connection.prepare_cached(
            "SELECT seq, partition, log_time, end_byte FROM log_records WHERE seq < ?1 ORDER BY seq LIMIT ?2",
        )?;
        let mut last = None;
        let mut reached_byte = self.first_byte;
        for record in oldest.query_map([seq(tail.position), STEP_RECORDS], Oldest::read)? {
            let record = record?;
            let too_old = record.log_time.ms() < now.ms().saturating_sub(self.keep_ms);
            let too_much = tail.end_byte.saturating_sub(reached_byte) >= self.low_water();
            let step_goes_on = reached_byte.saturating_sub(self.first_byte) < STEP_BYTES;
            let allowed = needed.allows_discard_of(record.partition, record.position);
            if !(step_goes_on && allowed && (too_old || too_much)) {
                break;
            }
            reached_byte = record.end_byte;
            last = Some(record);
        }
        Ok(last)
    }

    /// A full log is emptied a little further than to its limit, so that it isn't full again with the next append.
    fn low_water(&self) -> i64 {
        self.max_bytes - self.max_bytes / 64
    }
}

struct Oldest {
    position: Position,
    partition: Partition,
    log_time: LogTime,
    end_byte: i64,
}

impl Oldest {
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            position: position(row, 0)?,
            partition: Partition(row.get(1)?),
            log_time: LogTime::from_ms(row.get(2)?),
            end_byte: row.get(3)?,
        })
    }
}
