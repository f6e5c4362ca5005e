//! How a run gets on: when the cluster has recovered from what went wrong last, and when it never will. The clock is
//! passed in.

use std::time::{Duration, Instant};

use crate::support::PATIENCE;

/// How long the cluster may take for which commits come, and yet it does not become whole: one that always loses
/// something again.
const LONGEST_RECOVERY: Duration = Duration::from_secs(3 * PATIENCE.as_secs());

/// Where a run stands. Commits are numbered in their order.
#[derive(Debug)]
pub(crate) struct Pace {
    /// When something went wrong last.
    injected: Instant,
    /// When there was a new commit, or something went wrong, last.
    moved: Instant,
    last_commit: u64,
    /// The last commit when the cluster was whole again.
    whole_after: Option<u64>,
    /// Since when it is whole and has committed.
    recovered: Option<Instant>,
}

impl Pace {
    /// Everything is started now.
    pub(crate) fn new(now: Instant) -> Self {
        Self { injected: now, moved: now, last_commit: 0, whole_after: None, recovered: None }
    }

    /// Something goes wrong.
    pub(crate) fn inject(&mut self, now: Instant) {
        *self = Self { last_commit: self.last_commit, ..Self::new(now) };
    }

    /// Looks at the cluster; the last commit is known only while the database answers.
    pub(crate) fn look(&mut self, now: Instant, is_whole: bool, last_commit: Option<u64>) {
        if let Some(commit) = last_commit.filter(|commit| *commit > self.last_commit) {
            (self.last_commit, self.moved) = (commit, now);
        }
        if !is_whole {
            (self.whole_after, self.recovered) = (None, None);
        } else if let Some(commit) = last_commit {
            let before = *self.whole_after.get_or_insert(commit);
            self.recovered = self.recovered.or((commit > before).then_some(now));
        }
    }

    /// Whether all that went wrong is over, and rows are committed again.
    pub(crate) fn has_recovered(&self) -> bool {
        self.recovered.is_some()
    }

    /// Whether the next thing may go wrong, after such a pause: from when the one before it was over, or from when it
    /// came where the next `overlaps` with it.
    pub(crate) fn is_due(&self, now: Instant, pause: Duration, overlaps: bool) -> bool {
        let since = if overlaps { Some(self.injected) } else { self.recovered };
        since.is_some_and(|since| now.saturating_duration_since(since) >= pause)
    }

    /// Why it will never recover, where it is so.
    pub(crate) fn stuck(&self, now: Instant) -> Option<String> {
        let (without, all) = (now.saturating_duration_since(self.moved), now.saturating_duration_since(self.injected));
        let why = if without > PATIENCE {
            format!("no commit came for {} s", without.as_secs())
        } else if all > LONGEST_RECOVERY {
            format!("commits come, and it was not whole again in {} s", all.as_secs())
        } else {
            return None;
        };
        (!self.has_recovered()).then_some(why)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn the_next_fault_waits_for_recovery_a_commit_and_its_pause() {
        let start = Instant::now();
        let mut pace = Pace::new(start);
        let due = |pace: &Pace, after: u32| pace.is_due(start + SECOND * after, SECOND * 3, false);
        pace.look(start + SECOND, false, Some(4));
        pace.look(start + SECOND * 2, true, Some(5));
        pace.look(start + SECOND * 5, true, Some(5));
        pace.look(start + SECOND * 5, true, None);
        assert!(!pace.has_recovered() && !due(&pace, 60), "no commit since it is whole");
        pace.look(start + SECOND * 6, true, Some(6));
        pace.look(start + SECOND * 7, true, Some(9));
        assert!(pace.has_recovered() && !due(&pace, 8) && due(&pace, 9));
        pace.look(start + SECOND * 8, false, Some(10));
        assert!(!due(&pace, 60), "something else was lost");
    }

    #[test]
    fn one_that_overlaps_waits_for_nothing_but_its_pause() {
        let start = Instant::now();
        let mut pace = Pace::new(start);
        pace.look(start, true, Some(1));
        pace.look(start, true, Some(2));
        pace.inject(start + SECOND);
        assert!(!pace.has_recovered());
        assert!(!pace.is_due(start + SECOND * 2, SECOND * 2, true));
        assert!(pace.is_due(start + SECOND * 3, SECOND * 2, true));
    }

    #[test]
    fn slow_is_not_stuck_but_for_ever_is() {
        let start = Instant::now();
        let mut pace = Pace::new(start);
        assert_eq!(pace.stuck(start + PATIENCE), None);
        assert!(pace.stuck(start + PATIENCE + SECOND).unwrap().starts_with("no commit came"));
        pace.look(start + PATIENCE, false, Some(1));
        assert_eq!(pace.stuck(start + PATIENCE + SECOND), None);
        pace.look(start + LONGEST_RECOVERY, false, Some(2));
        assert!(pace.stuck(start + LONGEST_RECOVERY + SECOND).unwrap().starts_with("commits come"));
        pace.look(start + LONGEST_RECOVERY, true, Some(2));
        pace.look(start + LONGEST_RECOVERY, true, Some(3));
        assert_eq!(pace.stuck(start + LONGEST_RECOVERY * 2), None, "all is well");
    }
}
