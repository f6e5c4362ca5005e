//! "A stretch of windows in which a phase is called slow (or the window is `error-bound`, or has a label)."

use netqoe_model::{Rules, WindowStart};

/// The start of each window of a pair, oldest first, and whether it is one of those that make stretches.
pub(crate) type Members = Vec<(WindowStart, bool)>;

/// "Not interrupted by up to two minutes (window lengths) without such a window."
fn is_bridged(last: WindowStart, start: WindowStart, rules: &Rules) -> bool {
    start.ms() - last.ms() <= (i64::from(rules.diagnosis.evidence.bridged_windows) + 1) * rules.window_ms
}

/// Whether a window can go on with the stretch that had its last one at `last`: "nor by silence: where the pair's window just
/// before was one, the present one may start up to 15 minutes after it".
pub(crate) fn joins(members: &[(WindowStart, bool)], last: usize, at: usize, rules: &Rules) -> bool {
    let (last_start, start) = (members[last].0, members[at].0);
    let within_ms = i64::from(rules.diagnosis.evidence.within_minutes) * 60_000;
    let is_short_silence = last + 1 == at && start.ms() - last_start.ms() <= within_ms;
    is_short_silence || is_bridged(last_start, start, rules)
}

/// The start of the first window of the stretch whose window is at `last`, and whether silence alone joins two of it.
pub(crate) fn since(members: &[(WindowStart, bool)], last: usize, rules: &Rules) -> (WindowStart, bool) {
    let (mut first, mut over_silence) = (last, false);
    while let Some(before) = members[..first].iter().rposition(|(_, is_one)| *is_one) {
        if !joins(members, before, first, rules) {
            break;
        }
        over_silence |= !is_bridged(members[before].0, members[first].0, rules);
        first = before;
    }
    (members[first].0, over_silence)
}
