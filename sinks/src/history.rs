//! The past of each pair that a new generation reads back, to judge its next windows by.

use std::collections::BTreeMap;
use std::num::NonZeroU16;
use std::sync::Arc;

use netqoe_model::{Checkpoint, DiagnosisRules, LogTime, PairPast, Partition, ROWS_PER_STATE, WindowRow, WindowStart};

/// Among how many of a pair's newest final rows a state is looked for: the one that carries it and those after it.
pub(crate) const ROWS_WITH_STATE: usize = ROWS_PER_STATE as usize + 1;

/// How far back the past of a pair is read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reach {
    /// What a usable state begins with.
    state_tag: [u8; 8],
    gap_ms: i64,
    rows_without_state: usize,
}

impl Reach {
    pub(crate) fn new(rules: &DiagnosisRules) -> Self {
        Self {
            state_tag: rules.state_tag(),
            gap_ms: rules.usual.reach_ms(),
            rows_without_state: rules.rows_without_state().into(),
        }
    }

    /// What a usable state begins with.
    pub(crate) fn state_tag(&self) -> &[u8] {
        &self.state_tag
    }

    /// How many rows of a pair are read at most.
    pub(crate) fn most_rows(&self) -> usize {
        self.rows_without_state.max(ROWS_WITH_STATE)
    }
}

/// How far the log of each client had come for its partition's checkpoint. Final rows that are further were committed before a
/// checkpoint that passes their windows' end: these close again, and must not be a part of what they are judged by.
#[derive(Debug)]
pub(crate) struct Passed {
    log_times: BTreeMap<Partition, LogTime>,
    partitions: NonZeroU16,
}

impl Passed {
    pub(crate) fn new(checkpoints: &[Checkpoint], partitions: NonZeroU16) -> Self {
        let log_times = checkpoints.iter().map(|checkpoint| (checkpoint.partition, checkpoint.log_time));
        Self { log_times: log_times.collect(), partitions }
    }

    /// `None`, where its partition has no checkpoint.
    pub(crate) fn log_time(&self, client_id: &str) -> Option<LogTime> {
        self.log_times.get(&Partition::of(client_id, self.partitions)).copied()
    }
}

/// The past of one pair, as its final rows are read, newest first.
#[derive(Debug)]
pub(crate) struct PastInReading {
    reach: Reach,
    rows: Vec<WindowRow>,
    /// How many rows were taken, also those that are more than are given back.
    taken: usize,
    state: Option<Arc<[u8]>>,
    is_complete: bool,
}

impl PastInReading {
    pub(crate) fn new(reach: Reach) -> Self {
        Self { reach, rows: Vec::new(), taken: 0, state: None, is_complete: false }
    }

    /// Whether rows before those that were read may belong to it.
    pub(crate) fn wants_older(&self) -> bool {
        !self.is_complete
    }

    /// How many rows were taken.
    pub(crate) fn taken(&self) -> usize {
        self.taken
    }

    /// The start of the oldest row that was read.
    pub(crate) fn oldest(&self) -> Option<WindowStart> {
        self.rows.last().map(|row| row.start)
    }

    /// Takes the final row before those that were read, with the state that it carries.
    pub(crate) fn take(&mut self, row: WindowRow, state: Option<&[u8]>) {
        if self.oldest().is_some_and(|later| later.ms() - row.start.ms() > self.reach.gap_ms) {
            self.is_complete = true;
            return;
        }
        let usable = state.filter(|state| state.starts_with(&self.reach.state_tag));
        if let Some(state) = usable.filter(|_| self.taken < ROWS_WITH_STATE) {
            self.state = Some(state.into());
            self.is_complete = true;
            return;
        }
        if self.rows.len() < self.reach.rows_without_state {
            self.rows.push(row);
        }
        self.taken += 1;
        self.is_complete = self.taken >= self.reach.most_rows();
    }

    /// `None` if there is no final row.
    pub(crate) fn finish(mut self, client_id: &str, target: &str) -> Option<PairPast> {
        if self.rows.is_empty() && self.state.is_none() {
            return None;
        }
        self.rows.reverse();
        Some(PairPast { client_id: client_id.into(), target: target.into(), state: self.state, rows: self.rows })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(start_ms: i64) -> WindowRow {
        WindowRow {
            start: WindowStart::from_ms(start_ms),
            is_final: true,
            as_of: LogTime::from_ms(start_ms),
            count_success: 1,
            errors: [0; 5],
            percentiles: [None; 5],
            network: None,
            tags: None,
        }
    }

    fn reach() -> Reach {
        Reach { state_tag: *b"our tag:", gap_ms: 100, rows_without_state: 20 }
    }

    /// The state's last byte and the starts of what is left of rows that are read newest first.
    fn past(rows: impl IntoIterator<Item = (i64, Option<&'static [u8]>)>) -> (Option<u8>, Vec<i64>) {
        let mut past = PastInReading::new(reach());
        let mut rows = rows.into_iter();
        while past.wants_older() {
            let Some((start_ms, state)) = rows.next() else { break };
            past.take(row(start_ms), state);
        }
        let past = past.finish("a", "x").unwrap();
        let end = past.state.and_then(|state| state.last().copied());
        (end, past.rows.iter().map(|row| row.start.ms()).collect())
    }

    #[test]
    fn a_past_ends_with_a_usable_state_a_gap_or_enough_rows() {
        let (ours, others): (&[u8], &[u8]) = (b"our tag:7", b"its tag:8");
        assert_eq!(past([(9, None), (8, Some(others)), (7, Some(ours)), (6, None)]), (Some(b'7'), vec![8, 9]));
        assert_eq!(past([(300, None), (200, None), (99, Some(ours))]), (None, vec![200, 300]));
        let rows = |state_at: i64| (0..50).map(move |n| (-n, (n == state_at).then_some(ours)));
        assert_eq!(past(rows(16)), (Some(b'7'), (-15..=0).collect()));
        assert_eq!(past(rows(17)), (None, (-19..=0).collect()));
    }

    #[test]
    fn a_pair_without_final_rows_has_no_past() {
        assert_eq!(PastInReading::new(reach()).finish("a", "x"), None);
    }
}
