//! A pair's state as rows carry it, and a state made of what a store gives back.
//!
//! Decision: D-053.

use std::sync::Arc;

use netqoe_model::{DiagnosisRules, Rules, WindowRow};

use super::{PairState, by_phase, history::History};

impl PairState {
    /// The state that these rows lead to, from a stored state or from nothing. A stored state of other rules, or one that
    /// can't be read, counts as none.
    pub fn restore<'a>(stored: Option<&[u8]>, rows: impl IntoIterator<Item = &'a WindowRow>, rules: &Rules) -> Self {
        let stored = stored.and_then(|bytes| Self::from_stored(bytes, &rules.diagnosis));
        let mut state = stored.unwrap_or_else(|| Self::new(&rules.diagnosis));
        for row in rows {
            state.judge(row, rules);
        }
        state
    }

    /// The tag of the rules, and the state in postcard's format.
    pub(super) fn to_stored(&self) -> Arc<[u8]> {
        // Serializing into memory does not fail; were it to, the bytes would not be read back, and the rows would be.
        postcard::to_extend(self, self.tag.to_vec()).unwrap_or_default().into()
    }

    fn from_stored(bytes: &[u8], rules: &DiagnosisRules) -> Option<Self> {
        let tag = rules.state_tag();
        let state: Self = postcard::from_bytes(bytes.strip_prefix(&tag)?).ok()?;
        let state = Self { tag, ..state };
        let is_of_these_rules = match (&state.history, History::new(rules)) {
            (History::Whole(_), History::Whole(_)) => true,
            (History::ByPhase(phases), History::ByPhase(_)) => {
                phases.all().iter().all(|phase| phase.len() <= by_phase::MAX_FIGURES.min(rules.usual.windows.into()))
            }
            _ => false,
        };
        is_of_these_rules.then_some(state)
    }
}
