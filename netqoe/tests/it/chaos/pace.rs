//! How a run gets on: when the cluster has recovered from what went wrong last, and when it never will. The clock is
//! passed in.

use std::time::{Duration, Instant};

use crate::support::PATIENCE;

/// How long the cluster may take for which commits come, and yet it does not become whole: one that always loses
/// something again.
const LONGEST_RECOVERY: Duration = Duration::from_secs(3 * PATIENCE.as_secs());

/// The most of the time between two looks that counts as waiting. What takes longer was slow on this side, or this side was
/// held still together with all that it looks at.
const LONGEST_LOOK: Duration = Duration::from_secs(5);

/// Where a run stands. Commits are numbered in their order.
#[derive(Debug)]
pub(crate) struct Pace {
    /// When something went wrong last.
    injected: Instant,
    looked: Instant,
    /// The time waited since something went wrong last, and of it since the last commit.
    waited: Duration,
    waited_for_commit: Duration,
    last_commit: u64,
    /// The last commit when the cluster was whole again.
    whole_after: Option<u64>,
    /// Since when it is whole and has committed.
    recovered: Option<Instant>,
}

impl Pace {
    /// Everything is started now.
    pub(crate) fn new(now: Instant) -> Self {
        Self {
            injected: now,
            looked: now,
            waited: Duration::ZERO,
            waited_for_commit: Duration::ZERO,
            last_commit: 0,
            whole_after: None,
            recovered: None,
        }
    }

    /// Something goes wrong.
    pub(crate) fn inject(&mut self, now: Instant) {
        *self = Self { last_commit: self.last_commit, ..Self::new(now) };
    }

    /// Looks at the cluster; the last commit is known only while the database answers.
    pub(crate) fn look(&mut self, now: Instant, is_whole: bool, last_commit: Option<u64>) {
        let passed = now.saturating_duration_since(self.looked).min(LONGEST_LOOK);
        self.looked = now;
        self.waited += passed;
        self.waited_for_commit += passed;
        if let Some(commit) = last_commit.filter(|commit| *commit > self.last_commit) {
            (self.last_commit, self.waited_for_commit) = (commit, Duration::ZERO);
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
    pub(crate) fn stuck(&self) -> Option<String> {
        if self.has_recovered() {
            None
        } else if self.waited_for_commit > PATIENCE {
            Some(format!("no commit came for {} s", self.waited_for_commit.as_secs()))
        } else if self.waited > LONGEST_RECOVERY {
            Some(format!("commits come, and it was not whole again in {} s", self.waited.as_secs()))
        } else {
            None
        }
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
        let mut now = Instant::now();
        let mut pace = Pace::new(now);
        let mut wait = |pace: &mut Pace, how_long: Duration, commits: &mut dyn FnMut() -> u64| {
            for _ in 0..how_long.as_secs() {
                now += SECOND;
                pace.look(now, false, Some(commits()));
            }
        };
        wait(&mut pace, PATIENCE, &mut || 0);
        assert_eq!(pace.stuck(), None);
        wait(&mut pace, SECOND, &mut || 0);
        assert!(pace.stuck().unwrap().starts_with("no commit came"));
        let mut commit = 0;
        let mut another = || {
            commit += 1;
            commit
        };
        wait(&mut pace, SECOND, &mut another);
        assert_eq!(pace.stuck(), None);
        wait(&mut pace, LONGEST_RECOVERY, &mut another);
        assert!(pace.stuck().unwrap().starts_with("commits come"));
        pace.look(now, true, Some(commit + 1));
        pace.look(now, true, Some(commit + 2));
        assert_eq!(pace.stuck(), None, "all is well");
    }

    #[test]
    fn time_in_which_nobody_looked_is_not_waited() {
        let start = Instant::now();
        let mut pace = Pace::new(start);
        pace.look(start + 2 * LONGEST_RECOVERY, false, None);
        assert_eq!(pace.stuck(), None);
    }
}
