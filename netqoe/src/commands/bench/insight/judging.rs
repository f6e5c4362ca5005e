//! The rules that are measured. All that the bench knows of them is here.

use netqoe_dataflow::judge::PairState;
use netqoe_model::{Label, Rules, WindowRow};

use crate::options::NamedRules;

/// Judges the windows of one pair, one after the other.
pub(super) struct PairJudge<'a> {
    rules: &'a Rules,
    state: PairState,
}

impl<'a> PairJudge<'a> {
    pub(super) fn new(rules: &'a NamedRules) -> Self {
        Self { rules: &rules.rules, state: PairState::new(&rules.rules.diagnosis) }
    }

    /// What the next window is called; none where nothing is said of it.
    pub(super) fn judge(&mut self, row: &WindowRow) -> Option<Label> {
        self.state.judge(row, self.rules).diagnosis.map(|diagnosis| diagnosis.label)
    }
}
