//! What was usual before each window: what the pair's state, as the window found it, says. The dataflow's own engine
//! tells, so that a chart can't differ from a diagnosis.

use netqoe_dataflow::judge::{PairState, UsualRanges};
use netqoe_model::{Rules, UsualRange, WindowRow};
use serde::Serialize;
use utoipa::ToSchema;

/// The windows of one pair, in the order of their starts, each with what it was compared with. `state` is the pair's
/// before the first of them.
pub(crate) fn judged_by(mut state: PairState, windows: Vec<WindowRow>, rules: &Rules) -> Vec<(WindowRow, UsualRanges)> {
    let judged = windows.into_iter().map(|row| {
        let usual = state.usual_before(row.start, &rules.diagnosis);
        state.judge(&row, rules);
        (row, usual)
    });
    judged.collect()
}

/// What is usual of a phase for each point: ms, Mbit/s for throughput; null where there was too little to compare with.
#[derive(Debug, Default, Serialize, ToSchema)]
pub(crate) struct UsualColumns {
    /// The usual value.
    usual: Vec<Option<f64>>,
    /// Where the usual range begins.
    low: Vec<Option<f64>>,
    /// Where it ends.
    high: Vec<Option<f64>>,
}

impl UsualColumns {
    pub(crate) fn push(&mut self, range: Option<UsualRange>) {
        self.usual.push(range.map(|range| range.centre));
        self.low.push(range.map(|range| range.low));
        self.high.push(range.map(|range| range.high));
    }
}
