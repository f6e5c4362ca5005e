//! How far the new rules may differ.

use super::report::Report;
use crate::options::LimitOptions;

/// The new rules differ from the present ones by more than a limit allows.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Exceeded(String);

pub(super) fn check(limits: &LimitOptions, report: &Report<'_>) -> anyhow::Result<()> {
    let exceeded = exceeded(limits, report);
    if exceeded.is_empty() { Ok(()) } else { Err(Exceeded(exceeded.join("; ")).into()) }
}

/// In words, each limit that is exceeded.
fn exceeded(limits: &LimitOptions, report: &Report<'_>) -> Vec<String> {
    let comparison = &report.comparison;
    let counts = [
        ("gained", comparison.gained.len(), "--max-gained", limits.max_gained),
        ("lost", comparison.lost.len(), "--max-lost", limits.max_lost),
        ("moved", comparison.moved.len(), "--max-moved", limits.max_moved),
    ];
    let counts = counts.into_iter().filter_map(|(what, count, option, most)| {
        let most = most.filter(|most| count > *most)?;
        Some(format!("{count} incidents are {what}, and {option} allows {most}"))
    });
    let new = report.accuracy.map(|[_, new]| new);
    let shares = [
        ("precision", new.and_then(|new| new.precision()), "--min-precision", limits.min_precision),
        ("recall", new.and_then(|new| new.recall()), "--min-recall", limits.min_recall),
    ];
    let shares = shares.into_iter().filter_map(|(what, share, option, least)| {
        let (share, least) = (share?, least?);
        (share < least).then(|| format!("the {what} of the new rules is {share:.3}, and {option} asks for {least}"))
    });
    counts.chain(shares).collect()
}
