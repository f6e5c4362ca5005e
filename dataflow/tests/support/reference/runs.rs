//! Runs: "a stretch of windows of a pair with the same label; up to two windows (minutes) without it do not end it".

use netqoe_model::{Label, Rules, Run, WindowStart};

/// The start of each window of a pair and its label, oldest first.
pub(crate) type Labels = [(WindowStart, Option<Label>)];

/// "Up to two windows (minutes) without it do not end it": whether a window is too late for a run that last had one at `last`.
fn is_too_late(last: WindowStart, start: WindowStart, rules: &Rules) -> bool {
    start.ms() - last.ms() > (i64::from(rules.diagnosis.evidence.bridged_windows) + 1) * rules.window_ms
}

/// "The start of its first window", of the run of `label` that has a window at `last`.
fn since(labels: &Labels, label: Label, last: WindowStart, rules: &Rules) -> WindowStart {
    let mut since = last;
    for (start, _) in labels.iter().rev().filter(|(start, other)| *other == Some(label) && *start <= last) {
        if is_too_late(*start, since, rules) {
            break;
        }
        since = *start;
    }
    since
}

/// Since when the run lasts that the newest of these windows belongs to.
pub(crate) fn since_of_newest(labels: &Labels, label: Label, rules: &Rules) -> WindowStart {
    since(labels, label, labels[labels.len() - 1].0, rules)
}

/// "A run that has ended with the row that comes too late for it": the newest of these windows, and none before it.
pub(crate) fn ended(labels: &Labels, rules: &Rules) -> Vec<Run> {
    let mut ended = Vec::new();
    let Some(((newest, _), before)) = labels.split_last() else { return ended };
    for label in Label::ALL.into_iter().filter(|label| *label != Label::Healthy) {
        let Some((last, _)) = before.iter().rfind(|(_, other)| *other == Some(label)) else { continue };
        let told_before = before.iter().any(|(start, _)| is_too_late(*last, *start, rules));
        if is_too_late(*last, *newest, rules) && !told_before {
            // "A run's end is the end of its last window."
            let until = WindowStart::from_ms(last.ms() + rules.window_ms);
            ended.push(Run { label, since: since(before, label, *last, rules), until });
        }
    }
    ended
}
