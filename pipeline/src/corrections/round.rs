//! One correction: some pairs of a partition are computed again, and what differs is written.

use std::collections::BTreeMap;
use std::num::NonZeroU16;
use std::sync::Arc;

use netqoe_dataflow::judge::PairState;
use netqoe_dataflow::{CorrectedPairs, PairsAgain, PartitionOutput};
use netqoe_model::{
    AggregateRow, Checkpoint, Chunk, LogTime, Look, PairPast, Partition, Position, Rules, Sighting, WaitingCorrection,
    WindowStart,
};
use netqoe_sinks::{Correction, CorrectionEnd};

use super::Stopped;
use super::latecomers::Latecomers;
use super::records::Records;
use super::sought::{Sought, lines_of};

/// Records after which it is looked what has come of them: enough that looking costs little, few enough that what has come is little.
const RECORDS_PER_LOOK: u32 = 256;

/// Rows that are written at once: some tens of milliseconds, in which no other writes to a SQLite file.
pub(super) const ROWS_PER_PART: usize = 1_000;

/// Pairs that are computed again.
pub(super) struct Round {
    pub(super) partition: Partition,
    rules: Rules,
    sought: Sought,
    late: Latecomers,
    again: PairsAgain,
    records: Records,
    /// Events that come late after this record are for a later correction.
    gathered_through: Position,
    still_waiting: BTreeMap<usize, WaitingCorrection>,
    since_look: u32,
    /// How far the pairs have come.
    pub(super) log_time: LogTime,
    /// What has come of it and is not written.
    rows: Vec<AggregateRow>,
    sightings: BTreeMap<WindowStart, Vec<Sighting>>,
    /// Looks up to this one are written.
    looked_through: WindowStart,
    /// Rows that were written.
    rows_written: u64,
}

/// What a round is made of.
pub(super) struct Beginning {
    pub(super) partition: Partition,
    pub(super) partitions: NonZeroU16,
    pub(super) sought: Sought,
    pub(super) late: Latecomers,
    pub(super) pasts: Vec<PairPast>,
    pub(super) records: Records,
    pub(super) gathered_through: Position,
}

impl Round {
    pub(super) fn new(beginning: Beginning, rules: &Rules) -> Self {
        let Beginning { partition, partitions, sought, late, pasts, records, gathered_through } = beginning;
        let pasts = pasts.into_iter().map(|past| {
            let state = PairState::restore(past.state.as_deref(), &past.rows, rules);
            (past.client_id, past.target, state)
        });
        Self {
            again: PairsAgain::new(partition, partitions, rules, pasts),
            partition,
            rules: rules.clone(),
            looked_through: sought.from(),
            sought,
            late,
            records,
            gathered_through,
            still_waiting: BTreeMap::new(),
            since_look: 0,
            log_time: LogTime::default(),
            rows: Vec::new(),
            sightings: BTreeMap::new(),
            rows_written: 0,
        }
    }

    /// Computes on, as far as this checkpoint reflects or until there is a part to write. Whether it has come as far, and how many records
    /// it read.
    pub(super) fn advance(&mut self, checkpoint: &Checkpoint) -> Result<(bool, u64), Stopped> {
        let mut read = 0;
        while self.rows.len() < ROWS_PER_PART {
            let Some(chunk) = self.records.next_committed(checkpoint)? else { return Ok((true, read)) };
            read += 1;
            self.take(&chunk);
            self.since_look += 1;
            if self.since_look >= RECORDS_PER_LOOK {
                self.look();
            }
        }
        Ok((false, read))
    }

    /// Takes in the lines of a record, behind those that came late and were measured before.
    fn take(&mut self, chunk: &Chunk) {
        let Some(log_time) = chunk.log_time else { return };
        while self.late.lines.front().is_some_and(|late| late.measured < log_time) {
            let Some(late) = self.late.lines.pop_front() else { break };
            self.again.take(Chunk { came_late: true, ..self.chunk(chunk.position, late.measured, late.line) });
        }
        let mut in_time = Vec::new();
        if chunk.set_aside.is_none() {
            for (_, line) in lines_of(&chunk.lines) {
                let Some((place, event)) = self.sought.event(line, log_time, &self.rules) else { continue };
                if !self.rules.is_late(event.ts, log_time) {
                    if self.sought.is_computed(place, &event, &self.rules) {
                        in_time.extend_from_slice(line);
                        in_time.push(b'\n');
                    }
                } else if chunk.position > self.gathered_through && self.rules.can_be_corrected(event.ts, log_time) {
                    let window = event.ts.window(self.rules.window_ms);
                    self.wait_on(place, window, chunk.position);
                }
            }
        }
        if !in_time.is_empty() {
            self.again.take(self.chunk(chunk.position, log_time, in_time));
        }
    }

    fn chunk(&self, position: Position, log_time: LogTime, lines: Vec<u8>) -> Chunk {
        let (partition, log_time) = (Some(self.partition), Some(log_time));
        Chunk { partition, position, log_time, lines, set_aside: None, came_late: false, trace: None }
    }

    /// Another event of a pair has come late meanwhile.
    fn wait_on(&mut self, place: usize, window: WindowStart, position: Position) {
        let pair = &self.sought.pairs[place];
        let waiting = self.still_waiting.entry(place).or_insert_with(|| WaitingCorrection {
            client_id: Arc::clone(&pair.client_id),
            target: Arc::clone(&pair.target),
            from: window,
            since: position,
            events: 0,
        });
        waiting.from = waiting.from.min(window);
        waiting.events += 1;
    }

    /// Takes in what has come of what was read.
    fn look(&mut self) {
        self.since_look = 0;
        let Some(PartitionOutput { commit, .. }) = self.again.computed() else { return };
        self.log_time = commit.checkpoint.log_time;
        for mut row in commit.rows {
            let from = self.sought.place_of(&row.client_id, &row.target).map(|place| self.sought.pairs[place].from);
            if from.is_some_and(|from| row.window.start >= from) {
                row.window.as_of = row.window.as_of.max(self.late.newest);
                self.rows.push(row);
            }
        }
        for Look { at, sightings, .. } in commit.looks {
            let changes = |sighting: &Sighting| {
                let place = self.sought.place_of(&sighting.client_id, &sighting.target);
                place.is_some_and(|place| at > self.sought.pairs[place].from)
            };
            self.sightings.entry(at).or_default().extend(sightings.into_iter().filter(changes));
        }
    }

    /// The newest look that the pairs have taken.
    pub(super) fn looked(&self) -> WindowStart {
        let passed_ms = self.log_time.ms() - 1;
        WindowStart::from_ms(passed_ms - passed_ms.rem_euclid(self.rules.window_ms))
    }

    /// The looks that the next part has to change, after the first and up to the second.
    pub(super) fn looks_to_change(&mut self) -> (WindowStart, WindowStart) {
        self.look();
        (self.looked_through, self.looked().max(self.looked_through))
    }

    /// A part of the correction; `stored` are the looks that [`Round::looks_to_change`] named, as they are in the store.
    pub(super) fn part(&mut self, stored: Vec<Look>) -> Correction {
        let (after, through) = self.looks_to_change();
        let mut computed = self.sightings.split_off(&WindowStart::from_ms(through.ms() + 1));
        std::mem::swap(&mut computed, &mut self.sightings);
        self.looked_through = through;
        let looks = self.changed_looks(stored, computed, after);
        Correction {
            partition: self.partition,
            rows: std::mem::take(&mut self.rows),
            clients: std::mem::take(&mut self.late.clients),
            looks,
            end: None,
        }
    }

    /// Stored looks with what the pairs show in them now, where that differs.
    fn changed_looks(
        &self,
        stored: Vec<Look>,
        mut computed: BTreeMap<WindowStart, Vec<Sighting>>,
        after: WindowStart,
    ) -> Vec<Look> {
        let mut changed = Vec::new();
        for look in stored {
            let mut sightings = computed.remove(&look.at).unwrap_or_default();
            let stays = |sighting: &&Sighting| {
                let place = self.sought.place_of(&sighting.client_id, &sighting.target);
                place.is_none_or(|place| look.at <= self.sought.pairs[place].from)
            };
            sightings.extend(look.sightings.iter().filter(stays).cloned());
            sort(&mut sightings);
            if sightings != look.sightings {
                changed.push(Look { sightings, ..look });
            }
        }
        for (at, mut sightings) in computed.into_iter().filter(|(at, sightings)| *at > after && !sightings.is_empty()) {
            sort(&mut sightings);
            changed.push(Look { partition: self.partition, at, sightings });
        }
        changed
    }

    pub(super) fn wrote(&mut self, rows: u64) {
        self.rows_written += rows;
    }

    pub(super) fn rows_written(&self) -> u64 {
        self.rows_written
    }

    /// The partition stands at this checkpoint, and all records up to it were taken.
    pub(super) fn stand_at(&mut self, checkpoint: &Checkpoint) {
        while self.late.lines.front().is_some_and(|late| late.measured < checkpoint.log_time) {
            let Some(late) = self.late.lines.pop_front() else { break };
            self.again.take(Chunk { came_late: true, ..self.chunk(checkpoint.processed, late.measured, late.line) });
        }
        self.again.take(self.chunk(checkpoint.processed, checkpoint.log_time, Vec::new()));
    }

    /// What is written with the last part.
    pub(super) fn end(&self, checkpoint: &Checkpoint) -> CorrectionEnd {
        let mut ledger = checkpoint.ledger;
        ledger.reclassify(self.late.reclassified);
        let pairs = self.sought.pairs.iter();
        CorrectionEnd {
            at: checkpoint.log_time,
            from: self.sought.from(),
            pairs: pairs.map(|pair| (Arc::clone(&pair.client_id), Arc::clone(&pair.target))).collect(),
            still_waiting: self.still_waiting.values().cloned().collect(),
            reclassified: self.late.reclassified,
            ledger,
            rows_written: self.rows_written,
        }
    }

    /// What the worker goes on with.
    pub(super) fn finish(self) -> CorrectedPairs {
        CorrectedPairs { partition: self.partition, pairs: self.again.finish(), reclassified: self.late.reclassified }
    }
}

/// In the order in which looks hold them.
fn sort(sightings: &mut [Sighting]) {
    sightings.sort_unstable_by(|a, b| {
        a.client_id.cmp(&b.client_id).then_with(|| a.target.cmp(&b.target)).then(a.window.cmp(&b.window))
    });
}
