//! Since when a pair has been degraded.

use std::collections::HashMap;

use netqoe_sinks::read::{CurrentRecord, Pair, PastLabel, ReadError, Reader};
use serde::Serialize;
use utoipa::ToSchema;

use super::current::CURRENT_WINDOWS;

/// Pairs that are looked at, the worst first. What a page lists is fewer.
const MAX_RUNS: usize = 2000;

/// Windows that are looked at in all. What lasts longer than that has lasted since before.
const MAX_LABELS: usize = 200_000;

/// Windows of each pair that are looked at first, and how many times more whenever they were all degraded.
const FIRST_LABELS: usize = 32;
const MORE_LABELS: usize = 16;

/// The start of an unbroken run of degraded windows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct Since {
    /// Start of its first window, Unix milliseconds; null where so much is degraded that this was not looked up.
    #[serde(rename = "since")]
    pub(crate) since_ms: Option<i64>,
    /// Whether it may have begun earlier: no farther was looked back.
    #[serde(rename = "since_before", skip_serializing_if = "std::ops::Not::not")]
    pub(crate) is_before: bool,
}

impl Since {
    pub(crate) const UNKNOWN: Self = Self { since_ms: None, is_before: false };

    /// The earlier of two.
    pub(crate) fn earliest(self, other: Self) -> Self {
        match (self.since_ms, other.since_ms) {
            (Some(ours), Some(theirs)) if ours == theirs => {
                Self { is_before: self.is_before || other.is_before, ..self }
            }
            (Some(ours), Some(theirs)) if ours < theirs => self,
            (Some(_), None) => self,
            _ => other,
        }
    }
}

/// A run of degraded windows, looked at from its end to its start.
#[derive(Clone, Copy, Debug)]
struct Run {
    start_ms: i64,
    is_over: bool,
}

impl Run {
    /// Goes back over these windows, newest first; what is not earlier than its start it knows.
    fn back(self, labels: &[PastLabel], window_ms: i64) -> Self {
        let earlier = labels.iter().filter(|label| label.window_start.ms() < self.start_ms);
        earlier.fold(self, |run, label| run.before(*label, window_ms))
    }

    /// The window before may belong to it.
    fn before(self, label: PastLabel, window_ms: i64) -> Self {
        let belongs = label.is_degraded && Self::joins(label.window_start.ms(), self.start_ms, window_ms);
        match self.is_over {
            false if belongs => Self { start_ms: label.window_start.ms(), ..self },
            _ => Self { is_over: true, ..self },
        }
    }

    /// Whether no more windows are missing between two than may be.
    fn joins(earlier_ms: i64, later_ms: i64, window_ms: i64) -> bool {
        later_ms - earlier_ms <= (CURRENT_WINDOWS + 1) * window_ms
    }

    /// What is known of it once all windows from a time on have been looked at.
    fn since(self, from_ms: i64, window_ms: i64) -> Since {
        let is_before = !self.is_over && Self::joins(from_ms - window_ms, self.start_ms, window_ms);
        Since { since_ms: Some(self.start_ms), is_before }
    }

    /// What is known of it before that.
    fn since_at_least(self) -> Since {
        Since { since_ms: Some(self.start_ms), is_before: true }
    }
}

/// Since when the worst of these rows, which are worst first, have been degraded: back to a time at most.
pub(crate) fn since<'a>(
    reader: &dyn Reader,
    degraded: &[&'a CurrentRecord],
    from_ms: i64,
    window_ms: i64,
) -> Result<HashMap<&'a Pair, Since>, ReadError> {
    let run = |row: &'a CurrentRecord| (&row.pair, Run { start_ms: row.window_start.ms(), is_over: false });
    let mut open: Vec<_> = degraded.iter().take(MAX_RUNS).map(|row| run(row)).collect();
    let mut found = HashMap::new();
    let (mut limit, mut left) = (FIRST_LABELS, MAX_LABELS);
    while !open.is_empty() {
        let may_be_read = (left / limit).min(open.len());
        found.extend(open.drain(may_be_read..).map(|(pair, run)| (pair, run.since_at_least())));
        let pairs: Vec<_> = open.iter().map(|(pair, _)| (*pair).clone()).collect();
        let to_ms = open.iter().map(|(_, run)| run.start_ms).max().unwrap_or(from_ms);
        let labels = reader.latest_labels(&pairs, [from_ms, to_ms], u32::try_from(limit).unwrap_or(u32::MAX))?;
        left = left.saturating_sub(labels.iter().map(Vec::len).sum());
        open = open
            .into_iter()
            .zip(&labels)
            .filter_map(|((pair, run), labels)| {
                let run = run.back(labels, window_ms);
                let is_done = run.is_over || labels.len() < limit;
                if is_done {
                    found.insert(pair, run.since(from_ms, window_ms));
                }
                (!is_done).then_some((pair, run))
            })
            .collect();
        limit = limit.saturating_mul(MORE_LABELS);
    }
    Ok(found)
}
