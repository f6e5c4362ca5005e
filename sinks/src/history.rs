//! What a new generation reads back of each pair, to judge its next windows by.

use std::sync::Arc;

use netqoe_model::{DiagnosisRules, PairPast, ROWS_PER_STATE, WindowRow, WindowStart};

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

/// The past of one pair, as its final rows are read, newest first.
#[derive(Debug)]
pub(crate) struct PastInReading {
    reach: Reach,
    rows: Vec<WindowRow>,
    state: Option<Arc<[u8]>>,
    is_complete: bool,
}

impl PastInReading {
    pub(crate) fn new(reach: Reach) -> Self {
        Self { reach, rows: Vec::new(), state: None, is_complete: false }
    }

    /// Whether rows before those that were read may belong to it.
    pub(crate) fn wants_older(&self) -> bool {
        !self.is_complete
    }

    /// How many rows after a state it has so far.
    pub(crate) fn len(&self) -> usize {
        self.rows.len()
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
        if let Some(state) = usable.filter(|_| self.rows.len() < ROWS_WITH_STATE) {
            self.state = Some(state.into());
            self.is_complete = true;
            return;
        }
        if self.rows.len() < self.reach.rows_without_state {
            self.rows.push(row);
        }
        self.is_complete = self.rows.len() >= self.reach.rows_without_state && self.rows.len() >= ROWS_WITH_STATE;
    }

    /// None where there is no final row.
    pub(crate) fn finish(mut self, client_id: &str, target: &str) -> Option<PairPast> {
        if self.rows.is_empty() && self.state.is_none() {
            return None;
        }
        self.rows.reverse();
        Some(PairPast { client_id: client_id.into(), target: target.into(), state: self.state, rows: self.rows })
    }
}
