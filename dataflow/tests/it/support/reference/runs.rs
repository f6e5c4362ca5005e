//! Runs: "a stretch of windows of a pair with the same label".

use netqoe_model::{Label, Rules, Run, WindowStart};

use super::stretches::{self, Members};

/// The start of each window of a pair and its label, oldest first.
pub(crate) type Labels = [(WindowStart, Option<Label>)];

fn members(labels: &Labels, label: Label) -> Members {
    labels.iter().map(|(start, other)| (*start, *other == Some(label))).collect()
}

/// Since when the run lasts that the newest of these windows belongs to, and whether it goes on over silence.
pub(crate) fn since_of_newest(labels: &Labels, label: Label, rules: &Rules) -> (WindowStart, bool) {
    stretches::since(&members(labels, label), labels.len() - 1, rules)
}

/// "A run that has ended with the row that comes too late for it": the newest of these windows, and none before it.
pub(crate) fn ended(labels: &Labels, rules: &Rules) -> Vec<Run> {
    let mut ended = Vec::new();
    let Some(newest) = labels.len().checked_sub(1) else { return ended };
    for label in Label::ALL.into_iter().filter(|label| *label != Label::Healthy) {
        let members = members(labels, label);
        let Some(last) = members[..newest].iter().rposition(|(_, is_one)| *is_one) else { continue };
        let is_too_late = |at: usize| !stretches::joins(&members, last, at, rules);
        if is_too_late(newest) && !(last + 1..newest).any(is_too_late) {
            let since = stretches::since(&members, last, rules).0;
            // "A run's end is the end of its last window."
            let until = WindowStart::from_ms(members[last].0.ms() + rules.window_ms);
            ended.push(Run { label, since, until });
        }
    }
    ended
}
