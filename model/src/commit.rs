//! What the dataflow hands to a store, and what it needs back to go on.

use std::num::NonZeroU16;
use std::ops::{AddAssign, Sub};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::{ClientContext, Diagnosis, EventTime, LogTime, Look, Partition, Run, WindowRow, WindowStart};

/// A place in a partition of the log: the sequence of a record, or the number of a line in a file; 0 is before the first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Position(pub u64);

/// Which log this is. Positions of one log mean nothing in another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogIdentity {
    /// Made with the log and never changed.
    pub id: String,
    /// Fixed when the log is made.
    pub partitions: NonZeroU16,
}

/// One start of the pipeline over a store. A commit of an earlier generation is refused.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Generation(pub i64);

/// What became of every event. `read = accepted + duplicate + late + invalid`, always.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ledger {
    /// Lines that are not blank.
    pub read: u64,
    /// Counted in a window.
    pub accepted: u64,
    /// Copies of what its key had counted.
    pub duplicate: u64,
    /// Taken by the log after their window was closed.
    pub late: u64,
    /// Unreadable, or too far ahead of the log time.
    pub invalid: u64,
}

impl Ledger {
    /// Whether nothing was lost and nothing counted twice.
    pub fn balances(&self) -> bool {
        self.unbalanced() == 0
    }

    /// Lines that have no outcome, or more than one.
    pub fn unbalanced(&self) -> u64 {
        self.read.abs_diff(self.accepted + self.duplicate + self.late + self.invalid)
    }
}

/// Late events that a correction has counted, or found to be copies.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reclassified {
    /// They count now.
    pub accepted: u64,
    /// Copies of events that are counted.
    pub duplicate: u64,
}

impl Ledger {
    /// Takes late events to where they belong now.
    pub fn reclassify(&mut self, events: Reclassified) {
        self.late -= events.accepted + events.duplicate;
        self.accepted += events.accepted;
        self.duplicate += events.duplicate;
    }
}

impl AddAssign for Reclassified {
    fn add_assign(&mut self, other: Self) {
        self.accepted += other.accepted;
        self.duplicate += other.duplicate;
    }
}

impl AddAssign for Ledger {
    fn add_assign(&mut self, other: Self) {
        self.read += other.read;
        self.accepted += other.accepted;
        self.duplicate += other.duplicate;
        self.late += other.late;
        self.invalid += other.invalid;
    }
}

impl Sub for Ledger {
    type Output = Self;

    /// What an earlier state of the same ledger did not count yet.
    fn sub(self, earlier: Self) -> Self {
        Self {
            read: self.read - earlier.read,
            accepted: self.accepted - earlier.accepted,
            duplicate: self.duplicate - earlier.duplicate,
            late: self.late - earlier.late,
            invalid: self.invalid - earlier.invalid,
        }
    }
}

/// How far a partition has come, committed in the same transaction as the rows that follow from it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checkpoint {
    /// Whose progress this is.
    pub partition: Partition,
    /// The first record that an open window needs: reading goes on here, to rebuild what is in memory.
    pub resume_from: Position,
    /// The last record that rows and ledger reflect.
    pub processed: Position,
    /// The partition's log time after that record: windows that close before it are closed.
    pub log_time: LogTime,
    /// The partition's counts since the log began.
    pub ledger: Ledger,
}

/// A row of `agg_1m` with its names and its diagnosis. A row of `diagnoses` follows from it where the diagnosis
/// has a finding; where it has none, an earlier one goes.
#[derive(Clone, Debug, PartialEq)]
pub struct AggregateRow {
    /// The client that measured.
    pub client_id: Arc<str>,
    /// What was measured.
    pub target: Arc<str>,
    /// The window's counts and percentiles.
    pub window: WindowRow,
    /// `None` if there is too little to say anything.
    pub diagnosis: Option<Diagnosis>,
    /// The runs of which this window tells that they are over. Not stored: the diagnoses of their windows are.
    pub ended_runs: Vec<Run>,
    /// With some final rows: what the pair's later windows are judged by, as the dataflow writes it. A start goes on from
    /// the newest of them and the rows after it.
    pub pair_state: Option<Arc<[u8]>>,
}

/// One pair's past, as a store returns it.
#[derive(Clone, Debug, PartialEq)]
pub struct PairPast {
    /// The client that measured.
    pub client_id: Arc<str>,
    /// What was measured.
    pub target: Arc<str>,
    /// The newest stored state with the wanted fingerprint; `None` if none of the newest rows has one.
    pub state: Option<Arc<[u8]>>,
    /// The final rows after it, oldest first.
    pub rows: Vec<WindowRow>,
}

/// A row of `clients`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientRow {
    /// The client.
    pub client_id: Arc<str>,
    /// What the newest counted event said of its network.
    pub context: ClientContext,
    /// Event time of the oldest event that this run has counted; a store keeps the smaller.
    pub first_seen: EventTime,
    /// Event time of the newest event that this run has counted; a store keeps the larger, with its context.
    pub last_seen: EventTime,
}

impl ClientRow {
    /// Takes in what was said of the client later in the log: the earlier first time, the later last time, and the context that came with
    /// that.
    pub fn absorb(&mut self, later: &Self) {
        self.first_seen = self.first_seen.min(later.first_seen);
        if later.last_seen >= self.last_seen {
            self.last_seen = later.last_seen;
            self.context.clone_from(&later.context);
        }
    }
}

/// A line of the log that can't be counted, kept unchanged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeadLetter {
    /// Its partition.
    pub partition: Partition,
    /// The record that holds it; for a file, the number of the line.
    pub position: Position,
    /// Which line of that record, from 0; always 0 for a file.
    pub line: u32,
    /// The partition's log time when it was read.
    pub log_time: LogTime,
    /// Why it can't be counted.
    pub reason: String,
    /// The line.
    pub original: Vec<u8>,
}

/// A pair with events that came late, and that its rows do not reflect yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WaitingCorrection {
    /// The client that measured.
    pub client_id: Arc<str>,
    /// What was measured.
    pub target: Arc<str>,
    /// The first window that one of the events belongs to.
    pub from: WindowStart,
    /// The first record that holds one of them.
    pub since: Position,
    /// How many there are, copies included.
    pub events: u64,
}

/// What one partition commits to the store: all of it in one transaction, or nothing.
#[derive(Clone, Debug, PartialEq)]
pub struct PartitionCommit {
    /// How far this leads.
    pub checkpoint: Checkpoint,
    /// New and changed rows; a later one replaces an earlier one of the same key and window.
    pub rows: Vec<AggregateRow>,
    /// New and changed clients.
    pub clients: Vec<ClientRow>,
    /// What could not be counted.
    pub dead_letters: Vec<DeadLetter>,
    /// What incidents are found in, for each minute that the partition has passed. One that shows nothing new is left out.
    pub looks: Vec<Look>,
    /// Pairs that wait for a correction since the last commit; a store adds them to those that it has.
    pub waiting: Vec<WaitingCorrection>,
    /// Log time of the oldest record that is committed with this and was not before, for the processing delay.
    pub oldest_record: Option<LogTime>,
}

impl PartitionCommit {
    /// Adds the next commit of the same partition, so that both are committed at once.
    pub fn absorb(&mut self, next: Self) {
        debug_assert_eq!(self.checkpoint.partition, next.checkpoint.partition);
        self.checkpoint = next.checkpoint;
        self.rows.extend(next.rows);
        self.clients.extend(next.clients);
        self.dead_letters.extend(next.dead_letters);
        self.looks.extend(next.looks);
        self.waiting.extend(next.waiting);
        self.oldest_record = self.oldest_record.or(next.oldest_record);
    }
}

/// How often processing a record may fail before the record is set aside.
pub const MAX_ATTEMPTS: u32 = 3;

/// What a process of a new generation starts from, as the store returns it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Resume {
    /// The partitions with progress; the others start at the log's beginning.
    pub checkpoints: Vec<Checkpoint>,
    /// For each pair, the past that its next windows are judged by.
    pub history: Vec<PairPast>,
    /// Consecutive starts, up to this one, in which a partition made no progress and was not shut down in order.
    /// Partitions without such starts are left out.
    pub fruitless_starts: Vec<(Partition, u32)>,
    /// Records that were set aside and may be read again.
    pub set_aside: Vec<(Partition, Position)>,
}
