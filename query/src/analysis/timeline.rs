//! Degraded pairs over time: also what is over is seen.

use std::collections::{BTreeMap, BTreeSet};

use netqoe_model::{Label, Rules};
use netqoe_sinks::read::point::start_ms;
use netqoe_sinks::read::{DegradedRecord, Snapshot};
use serde::Serialize;
use utoipa::ToSchema;

use super::asked::Scope;
use super::points::length_ms;
use crate::answer::Refusal;
use crate::schema;

/// More than a year of minutes; fifty megabytes while they are looked at.
const MAX_WINDOWS: u32 = 600_000;

/// How many pairs were degraded. A point has the most that were in one of its windows, never a sum over time: a pair that
/// stays degraded is one.
#[derive(Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct Timeline {
    /// Length of a window.
    window_ms: i64,
    /// Length of a point.
    point_ms: i64,
    /// Where each point begins, Unix milliseconds; whole multiples of `point_ms`. Points without a degraded pair are left out.
    start: Vec<i64>,
    /// Of each point, the most pairs with a label in one window, by the labels that occur.
    #[schema(value_type = schema::CountsByLabel)]
    degraded: BTreeMap<Label, Vec<u64>>,
    /// Of each point, the most pairs in one window, whatever their label. Where labels had their most in different
    /// windows, it is less than the sum of `degraded`.
    pairs: Vec<u64>,
}

/// What a timeline is made of.
pub(crate) struct Found {
    point_ms: i64,
    /// In the order of time.
    windows: Vec<DegradedRecord>,
}

pub(crate) fn read(store: Snapshot<'_>, scope: Scope, max_points: u32, rules: &Rules) -> Result<Found, Refusal> {
    let extent = scope.resolve(store.rows, rules)?.extent;
    let point_ms = length_ms(&extent, rules.window_ms, max_points);
    let windows = store.summaries.degraded(&extent, MAX_WINDOWS + 1)?;
    if windows.len() > MAX_WINDOWS as usize {
        let message = format!("more than {MAX_WINDOWS} windows have a degraded pair; narrow it with from or to");
        return Err(Refusal::invalid(message));
    }
    Ok(Found { point_ms, windows })
}

pub(crate) fn of(found: &Found, rules: &Rules) -> Timeline {
    timeline(rules.window_ms, found.point_ms, &found.windows)
}

/// `windows` are in the order of time.
fn timeline(window_ms: i64, point_ms: i64, windows: &[DegradedRecord]) -> Timeline {
    let start = |window: &DegradedRecord| start_ms(window.window_start.ms(), point_ms);
    let points: Vec<_> = windows.chunk_by(|a, b| start(a) == start(b)).collect();
    let most = |count: &dyn Fn(&DegradedRecord) -> u64| {
        points.iter().map(|windows| windows.iter().map(count).max().unwrap_or(0)).collect()
    };
    let labels: BTreeSet<_> = windows.iter().flat_map(|window| &window.pairs).map(|(label, _)| *label).collect();
    Timeline {
        window_ms,
        point_ms,
        start: points.iter().map(|windows| start(&windows[0])).collect(),
        degraded: labels.into_iter().map(|label| (label, most(&|window| with_label(window, label)))).collect(),
        pairs: most(&|window| window.pairs.iter().map(|(_, pairs)| pairs).sum()),
    }
}

fn with_label(window: &DegradedRecord, label: Label) -> u64 {
    window.pairs.iter().find(|(other, _)| *other == label).map_or(0, |(_, pairs)| *pairs)
}

#[cfg(test)]
mod tests {
    use netqoe_model::WindowStart;

    use super::*;

    fn window(start_ms: i64, pairs: &[(Label, u64)]) -> DegradedRecord {
        DegradedRecord { window_start: WindowStart::from_ms(start_ms), pairs: pairs.to_vec() }
    }

    #[test]
    fn a_point_has_the_most_of_its_windows() {
        let windows = [
            window(60, &[(Label::DnsBound, 5)]),
            window(70, &[(Label::ErrorBound, 4), (Label::DnsBound, 2)]),
            window(120, &[(Label::ServerBound, 1)]),
        ];
        let expected = Timeline {
            window_ms: 10,
            point_ms: 40,
            start: vec![40, 120],
            degraded: BTreeMap::from([
                (Label::ErrorBound, vec![4, 0]),
                (Label::DnsBound, vec![5, 0]),
                (Label::ServerBound, vec![0, 1]),
            ]),
            pairs: vec![6, 1],
        };
        assert_eq!(timeline(10, 40, &windows), expected);
    }

    #[test]
    fn where_nothing_hurts_there_is_no_point() {
        let nothing = Timeline { window_ms: 10, point_ms: 10, start: vec![], degraded: BTreeMap::new(), pairs: vec![] };
        assert_eq!(timeline(10, 10, &[]), nothing);
    }
}
