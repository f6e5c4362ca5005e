//! Reading some partitions of the log, on a connection of its own.

use std::sync::Arc;

use netqoe_model::{Chunk, LogTime, Partition, Position, SetAside};
use rusqlite::{Connection, params};

use super::heads::{Head, Waker};
use super::records::{self, last_ever, seq};
use super::schema;
use super::shared::Shared;
use super::stored_record::{StoredRecord, Verdict};
use crate::{LogError, LogReader, Start};

/// The first position that a log gives.
const FIRST: Position = Position(1);

/// Where reading stands in one partition.
struct Place {
    partition: Partition,
    /// The first position that has not been read.
    next: Position,
    /// Records from there on, when `appended` records had been appended.
    unread: u64,
    appended: u64,
    /// Of the last record that was read and is intact: one that is damaged has no log time of its own.
    log_time: LogTime,
}

impl Place {
    fn unread(&self, head: Head) -> u64 {
        self.unread + (head.appended - self.appended)
    }

    /// Takes in what was read up to `head`.
    fn advance(&mut self, head: Head, run: &Run) {
        // At the head nothing is unread, even where records were discarded before they could be read.
        self.unread = if run.reaches_head { 0 } else { self.unread(head).saturating_sub(run.chunks.len() as u64) };
        self.appended = head.appended;
        let last = if run.reaches_head { Some(head.last) } else { run.chunks.last().map(|chunk| chunk.position) };
        self.next = last.map_or(self.next, after);
        self.log_time = run.chunks.last().and_then(|chunk| chunk.log_time).unwrap_or(self.log_time);
    }
}

/// The position that follows. None follows the last that there can be, which no log reaches.
fn after(position: Position) -> Position {
    Position(position.0.saturating_add(1))
}

pub(super) struct SqliteReader {
    connection: Connection,
    shared: Arc<Shared>,
    places: Vec<Place>,
    /// The first position that was written with a checksum.
    first_checked: Position,
    /// Held here and nowhere else: dropped with the reader.
    waker: Option<Arc<Waker>>,
}

impl SqliteReader {
    pub(super) fn open(shared: Arc<Shared>, starts: &[Start]) -> Result<Self, LogError> {
        let connection = schema::open_reader(&shared.path)?;
        let last = last_ever(&connection).map_err(|error| LogError::of(&shared.path, &error))?;
        let first_checked = records::first_checked(&connection).map_err(|error| LogError::of(&shared.path, &error))?;
        let places = starts.iter().map(|start| place(&connection, &shared, start, last)).collect::<Result<_, _>>()?;
        Ok(Self { connection, shared, places, first_checked, waker: None })
    }

    fn head(&self, place: &Place) -> Head {
        // Every place was checked to be one of the log's partitions.
        self.shared.heads.get(place.partition).unwrap_or_default()
    }
}

fn place(connection: &Connection, shared: &Shared, start: &Start, last: Position) -> Result<Place, LogError> {
    let Start { partition, from, processed, .. } = *start;
    if processed > last {
        return Err(LogError::LostTail { log: format!("the log in {}", shared.path.display()), processed, last });
    }
    let partitions = shared.identity.partitions.get();
    let head = shared.heads.get(partition).ok_or(LogError::NoSuchPartition { partition, partitions })?;
    let unread = "SELECT count(*) FROM log_records WHERE partition = ?1 AND seq BETWEEN ?2 AND ?3";
    let unread = connection
        .query_row(unread, params![partition.0, seq(from), seq(head.last)], |row| row.get::<_, i64>(0))
        .map_err(|error| LogError::of(&shared.path, &error))?;
    let (next, log_time) = (from.max(FIRST), start.log_time.unwrap_or_default());
    Ok(Place { partition, next, unread: unread.unsigned_abs(), appended: head.appended, log_time })
}

impl LogReader for SqliteReader {
    fn read(&mut self, max_bytes: usize) -> Result<Vec<Chunk>, LogError> {
        let runs = self.read_runs(max_bytes).map_err(|error| LogError::of(&self.shared.path, &error))?;
        // Only now, so that an error leaves every place where it was.
        let mut chunks = Vec::new();
        for (index, head, run) in runs {
            self.places[index].advance(head, &run);
            chunks.extend(run.chunks);
        }
        chunks.sort_by_key(|chunk| chunk.position);
        self.shared.handover.mark(&mut chunks);
        Ok(chunks)
    }

    fn returned_through(&self) -> Position {
        let passed = self.places.iter().map(|place| place.next.0.saturating_sub(1));
        Position(passed.min().unwrap_or_default())
    }

    fn lag(&self) -> u64 {
        self.places.iter().map(|place| place.unread(self.head(place))).sum()
    }

    fn lag_of(&self, partition: Partition) -> Option<u64> {
        let place = self.places.iter().find(|place| place.partition == partition);
        Some(place.map_or(0, |place| place.unread(self.head(place))))
    }

    fn on_append(&mut self, wake: Box<dyn Fn() + Send + Sync>) {
        let partitions = self.places.iter().map(|place| place.partition).collect();
        let waker = Arc::new(Waker { partitions, wake });
        self.shared.heads.register(&waker);
        self.waker = Some(waker);
    }
}

/// Records of one partition, one after the other.
struct Run {
    chunks: Vec<Chunk>,
    /// Whether there are none after them.
    reaches_head: bool,
}

impl SqliteReader {
    /// From each place that has something unread, by its index, and the head up to which it was read.
    fn read_runs(&self, max_bytes: usize) -> rusqlite::Result<Vec<(usize, Head, Run)>> {
        let places = self.places.iter().map(|place| (place, self.head(place))).enumerate();
        let mut behind: Vec<_> = places.filter(|(_, (place, head))| place.next <= head.last).collect();
        // The partition that is furthest behind comes first, so that a small budget starves none.
        behind.sort_by_key(|(_, (place, _))| place.next);

        let mut runs = Vec::new();
        let mut budget_bytes = max_bytes;
        let mut sharers = behind.len();
        for (index, (place, head)) in behind {
            if budget_bytes == 0 && !runs.is_empty() {
                break;
            }
            let run = self.read_run(place, head, budget_bytes / sharers)?;
            budget_bytes = budget_bytes.saturating_sub(run.chunks.iter().map(footprint_bytes).sum());
            sharers -= 1;
            runs.push((index, head, run));
        }
        Ok(runs)
    }

    /// A partition's next records: at least one, and none more once they make up `max_bytes`.
    fn read_run(&self, place: &Place, head: Head, max_bytes: usize) -> rusqlite::Result<Run> {
        let mut select = self.connection.prepare_cached(
            "SELECT seq, log_time, end_byte, lines, checksum FROM log_records
             WHERE partition = ?1 AND seq BETWEEN ?2 AND ?3 ORDER BY seq",
        )?;
        let mut rows = select.query(params![place.partition.0, seq(place.next), seq(head.last)])?;
        let mut chunks = Vec::new();
        let mut bytes = 0;
        let mut log_time = place.log_time;
        while bytes < max_bytes || chunks.is_empty() {
            let Some(row) = rows.next()? else { return Ok(Run { chunks, reaches_head: true }) };
            let chunk = self.chunk(&StoredRecord::read(row, place.partition)?, log_time);
            log_time = chunk.log_time.unwrap_or(log_time);
            bytes += footprint_bytes(&chunk);
            chunks.push(chunk);
        }
        Ok(Run { chunks, reaches_head: false })
    }

    /// A record for the dataflow. Of one that is damaged nothing is computed, and log time stays where it was.
    fn chunk(&self, record: &StoredRecord<'_>, log_time_before: LogTime) -> Chunk {
        let damaged = record.verdict(self.first_checked) == Verdict::Damaged;
        if damaged {
            self.shared.damage.note(record.partition, record.position);
        }
        let log_time = record.log_time_ms.filter(|_| !damaged).map_or(log_time_before, LogTime::from_ms);
        Chunk {
            partition: Some(record.partition),
            position: record.position,
            log_time: Some(log_time),
            lines: record.lines.to_vec(),
            set_aside: damaged.then_some(SetAside::Damaged),
            came_late: false,
            trace: None,
        }
    }
}

/// What a chunk takes in memory: a tick, which has no text, isn't free.
fn footprint_bytes(chunk: &Chunk) -> usize {
    size_of::<Chunk>() + chunk.lines.len()
}
