//! The last commits, for readers that are a little behind or come back. Pure: it knows no reader and no clock.

use std::collections::VecDeque;
use std::sync::Arc;

use super::changed_incidents::ChangedIncidents;
use super::shared_rows::SharedRows;

/// Commits that are kept: seconds of them, at the pace of a busy pipeline.
pub(super) const KEPT_COMMITS: usize = 256;
/// Rows of them that are kept, some tens of megabytes, and as many again with their texts. A commit of more is only counted:
/// who wants its rows asks the store.
pub(super) const KEPT_ROWS: usize = 100_000;

/// What one commit says to those who want rows.
#[derive(Clone, Debug)]
pub(super) enum Rows {
    /// All of them.
    Here(Arc<SharedRows>),
    /// It had rows, and they are not kept.
    NotKept,
    /// Another process has made it.
    Elsewhere,
    /// It had no rows: it changed incidents.
    Incidents(Arc<ChangedIncidents>),
    /// It changed more incidents than are kept.
    TooManyIncidents,
}

/// Sums over all commits up to one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Totals {
    pub(super) rows: u64,
    pub(super) events: u64,
    /// Commits of other processes, of whose rows nothing is known.
    pub(super) elsewhere: u64,
    /// The greatest log time that is reflected, in Unix milliseconds.
    pub(super) as_of_ms: i64,
}

struct Commit {
    before: Totals,
    added: Totals,
    rows: Rows,
}

impl Totals {
    /// These and those of one commit more.
    fn with(self, added: Self) -> Self {
        Self {
            rows: self.rows + added.rows,
            events: self.events + added.events,
            elsewhere: self.elsewhere + added.elsewhere,
            as_of_ms: self.as_of_ms.max(added.as_of_ms),
        }
    }

    /// Whether nothing was committed.
    pub(super) fn is_nothing(self) -> bool {
        [self.rows, self.events, self.elsewhere] == [0; 3]
    }

    /// What came after `before`, which are earlier totals.
    pub(super) fn since(self, before: Self) -> Self {
        Self {
            rows: self.rows - before.rows,
            events: self.events - before.events,
            elsewhere: self.elsewhere - before.elsewhere,
            as_of_ms: self.as_of_ms,
        }
    }
}

/// The newest commits without a gap, and how many there ever were.
#[derive(Default)]
pub(super) struct Kept {
    commits: VecDeque<Commit>,
    rows: usize,
    newest: u64,
    totals: Totals,
    /// The newest commit that changed incidents and is not kept; 0 where there is none.
    lost_incidents: u64,
}

/// A commit that a reader asks for.
pub(super) enum Found {
    /// What it says, and what it added to the totals.
    Commit(Rows, Totals),
    /// Not made yet.
    NotYet,
    /// No longer kept, and so many after it.
    Gone { missed: u64 },
}

impl Kept {
    /// The number of the newest commit.
    pub(super) fn newest(&self) -> u64 {
        self.newest
    }

    /// Of all commits.
    pub(super) fn totals(&self) -> Totals {
        self.totals
    }

    /// Takes in a commit that adds this much, and lets the oldest go.
    pub(super) fn push(&mut self, added: Totals, rows: Rows) {
        let before = self.totals;
        self.newest += 1;
        self.totals = before.with(added);
        self.rows += rows.kept();
        if matches!(rows, Rows::TooManyIncidents) {
            self.lost_incidents = self.newest;
        }
        self.commits.push_back(Commit { before, added, rows });
        while self.commits.len() > KEPT_COMMITS || self.rows > KEPT_ROWS {
            let first = self.first();
            let Some(oldest) = self.commits.pop_front() else { break };
            self.rows -= oldest.rows.kept();
            if matches!(oldest.rows, Rows::Incidents(_)) {
                self.lost_incidents = self.lost_incidents.max(first);
            }
        }
    }

    /// Takes in a commit that nobody will ask for, nor for those before it.
    pub(super) fn forget(&mut self, added: Totals) {
        *self = Self { newest: self.newest + 1, totals: self.totals.with(added), ..Self::default() };
    }

    pub(super) fn find(&self, number: u64) -> Found {
        if number > self.newest {
            return Found::NotYet;
        }
        match self.index(number) {
            Some(index) => Found::Commit(self.commits[index].rows.clone(), self.commits[index].added),
            None => Found::Gone { missed: self.first() - number },
        }
    }

    /// The totals of all commits up to this one, where what follows it is known.
    pub(super) fn totals_after(&self, number: u64) -> Option<Totals> {
        if number == self.newest {
            return Some(self.totals);
        }
        Some(self.commits[self.index(number.checked_add(1)?)?].before)
    }

    /// What changed of incidents after this commit, in order; none where not all of it is kept.
    pub(super) fn incidents_after(&self, number: u64) -> Option<Vec<Arc<ChangedIncidents>>> {
        if number < self.lost_incidents {
            return None;
        }
        let skipped = usize::try_from((number + 1).saturating_sub(self.first())).unwrap_or(usize::MAX);
        let changed = |commit: &Commit| match &commit.rows {
            Rows::Incidents(changed) => Some(Arc::clone(changed)),
            _ => None,
        };
        Some(self.commits.iter().skip(skipped).filter_map(changed).collect())
    }

    /// The oldest that is kept, or the next to come.
    fn first(&self) -> u64 {
        self.newest + 1 - self.commits.len() as u64
    }

    fn index(&self, number: u64) -> Option<usize> {
        let index = usize::try_from(number.checked_sub(self.first())?).ok()?;
        (index < self.commits.len()).then_some(index)
    }

    /// Rows in memory.
    #[cfg(test)]
    fn rows(&self) -> usize {
        self.rows
    }
}

impl Rows {
    fn kept(&self) -> usize {
        match self {
            Self::Here(rows) => rows.rows().len(),
            Self::Incidents(changed) => changed.count(),
            Self::NotKept | Self::Elsewhere | Self::TooManyIncidents => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::shared_rows;
    use super::*;
    use crate::words;

    fn rows(count: usize) -> Rows {
        Rows::Here(Arc::new(SharedRows::new(shared_rows::tests::rows("c", count), &Default::default())))
    }

    fn added(rows: u64) -> Totals {
        Totals { rows, events: 2 * rows, elsewhere: 0, as_of_ms: 0 }
    }

    #[test]
    fn commits_and_rows_are_bounded() {
        let mut kept = Kept::default();
        let kinds = [rows(1), rows(1_000), rows(KEPT_ROWS)];
        for number in 1..=1_000 {
            let rows = kinds[number % 7 % 3].clone();
            kept.push(added(rows.kept() as u64), rows);
            assert!(kept.commits.len() <= KEPT_COMMITS && kept.rows() <= KEPT_ROWS);
            assert!(matches!(kept.find(number as u64), Found::Commit(..)), "the newest is there");
            assert_eq!(kept.rows(), kept.commits.iter().map(|commit| commit.rows.kept()).sum::<usize>());
        }
        for _ in 0..2 * KEPT_COMMITS {
            kept.push(added(1), kinds[0].clone());
        }
        assert_eq!((kept.commits.len(), kept.rows()), (KEPT_COMMITS, KEPT_COMMITS));
    }

    #[test]
    fn a_commit_is_found_by_its_number_while_it_is_kept() {
        let mut kept = Kept::default();
        assert!(matches!(kept.find(0), Found::Gone { .. }));
        assert!(matches!(kept.find(1), Found::NotYet));
        assert_eq!(kept.totals_after(0), Some(Totals::default()));
        let last = KEPT_COMMITS as u64 + 2;
        for _ in 1..=last {
            kept.push(added(1), rows(1));
        }
        assert!(matches!(kept.find(2), Found::Gone { missed: 1 }));
        assert!(matches!(kept.find(3), Found::Commit(..)));
        assert!(matches!(kept.find(last), Found::Commit(..)));
        assert!(matches!(kept.find(last + 1), Found::NotYet));
        assert_eq!(kept.totals_after(1), None);
        assert_eq!(kept.totals_after(2).unwrap().rows, 2);
        assert_eq!(kept.totals_after(last), Some(kept.totals()));
        assert_eq!(kept.totals_after(last + 1), None);
        assert_eq!(kept.totals_after(u64::MAX), None);

        kept.forget(added(7));
        assert_eq!((kept.newest(), kept.totals().rows, kept.commits.len()), (last + 1, last + 7, 0));
        assert_eq!((kept.totals_after(last), kept.totals_after(last + 1)), (None, Some(kept.totals())));
    }

    fn changed(id: &str) -> Rows {
        let incident = words::tests::incident(id);
        Rows::Incidents(Arc::new(ChangedIncidents::new(vec![incident], 7)))
    }

    #[test]
    fn changes_of_incidents_are_found_while_all_of_them_are_kept() {
        let mut kept = Kept::default();
        kept.push(added(1), rows(1));
        kept.push(Totals::default(), changed("a"));
        kept.push(added(1), rows(1));
        kept.push(Totals::default(), changed("b"));
        let count = |kept: &Kept, after| kept.incidents_after(after).map(|changes| changes.len());
        assert_eq!([0, 1, 2, 3, 4].map(|after| count(&kept, after)), [2, 2, 1, 1, 0].map(Some));
        // The first four commits go, and with them both changes.
        (0..KEPT_COMMITS).for_each(|_| kept.push(added(1), rows(1)));
        assert_eq!([0, 3, 4].map(|after| count(&kept, after)), [None, None, Some(0)]);
        kept.push(Totals::default(), Rows::TooManyIncidents);
        assert_eq!(count(&kept, kept.newest() - 1), None);
        assert_eq!(count(&kept, kept.newest()), Some(0));
    }
}
