//! The two kinds of readers: of rows, and of commits alone.

use std::sync::Arc;
use std::time::Duration;

use netqoe_model::AggregateRow;
use netqoe_sinks::read::Filter;
use tokio::sync::watch;
use tokio::time::Instant;

use super::changed_incidents::ChangedIncidents;
use super::feed::Seat;
use super::kept::{Found, Kept, Rows, Totals};
use super::place::Place;
use super::shared_rows::SharedRows;

/// How far apart the commits are that a reader is told of: what comes meanwhile is told with the next.
const BETWEEN_COMMITS: Duration = Duration::from_millis(250);

/// Who has taken nothing for so long while rows waited is no reader that just left.
const SLOW: Duration = Duration::from_secs(1);

/// What a reader is told next.
pub(super) enum Live {
    /// The row of this index.
    Row(Arc<SharedRows>, usize),
    /// Incidents that have changed.
    Incidents(Arc<ChangedIncidents>),
    /// One or several commits, up to where this reader is now.
    Commits { added: Totals },
    /// Something up to there can't be told any more.
    Reset,
    /// So many commits were missed: there is no way on from where this reader is.
    Lagged { missed: u64 },
}

/// Reads every row that its filter wants.
pub(super) struct RowReader {
    pub(super) seat: Seat,
    pub(super) filter: Filter,
    newest: watch::Receiver<u64>,
    /// The next commit, and its first row that was not seen.
    next: (u64, usize),
    /// The rows of that commit, once it is being read.
    open: Option<Arc<SharedRows>>,
    to_reset: bool,
    took_at: Instant,
    /// When it last went on after it had stood still while rows waited.
    stood_until: Option<Instant>,
}

impl RowReader {
    /// Goes on after a place, or begins with the next commit.
    pub(super) fn new(seat: Seat, filter: Filter, after: Option<&str>) -> Self {
        let newest = seat.newest();
        let resumed = after.map(|after| Self::resume(&seat, after));
        let next = resumed.flatten().unwrap_or_else(|| (seat.look(|kept| kept.newest()) + 1, 0));
        Self {
            newest,
            next,
            open: None,
            to_reset: resumed == Some(None),
            took_at: Instant::now(),
            stood_until: None,
            seat,
            filter,
        }
    }

    /// Where the place leads, if all that follows it is kept.
    fn resume(seat: &Seat, after: &str) -> Option<(u64, usize)> {
        let place = Place::parse(after).filter(|place| seat.is_of_this_run(place))?;
        let next = match place.row {
            Some(row) => (place.commit, row.checked_add(1)?),
            None => (place.commit.checked_add(1)?, 0),
        };
        let known = seat.look(|kept| match kept.find(next.0) {
            Found::Commit(..) => true,
            Found::NotYet => next == (kept.newest() + 1, 0),
            Found::Gone { .. } => false,
        });
        known.then_some(next)
    }

    /// Up to where this reader has come.
    pub(super) fn place(&self) -> Place {
        let (commit, row) = self.next;
        match row.checked_sub(1) {
            Some(row) => self.seat.place(commit, Some(row)),
            None => self.seat.place(commit.saturating_sub(1), None),
        }
    }

    /// Waits for the next; none once the feed is gone.
    pub(super) async fn next(&mut self) -> Option<Live> {
        if self.stands_still() {
            self.stood_until = Some(Instant::now());
        }
        let told = self.look_for_next().await;
        self.took_at = Instant::now();
        if matches!(told, Some(Live::Lagged { .. })) {
            self.seat.count_dropped();
        }
        told
    }

    async fn look_for_next(&mut self) -> Option<Live> {
        if std::mem::take(&mut self.to_reset) {
            return Some(Live::Reset);
        }
        loop {
            if let Some(row) = self.next_of_open() {
                return Some(row);
            }
            self.newest.mark_unchanged();
            let (commit, from) = self.next;
            let (rows, added) = match self.seat.look(|kept| kept.find(commit)) {
                Found::NotYet => {
                    self.newest.changed().await.ok()?;
                    continue;
                }
                Found::Gone { missed } => return Some(Live::Lagged { missed }),
                Found::Commit(rows, added) => (rows, added),
            };
            self.next = (commit + 1, 0);
            match rows {
                Rows::Here(rows) => (self.next, self.open) = ((commit, from), Some(rows)),
                Rows::Incidents(changed) => return Some(Live::Incidents(changed)),
                Rows::NotKept | Rows::TooManyIncidents => return Some(Live::Reset),
                Rows::Elsewhere => return Some(Live::Commits { added }),
            }
        }
    }

    /// Of the commit that is being read; none at its end.
    fn next_of_open(&mut self) -> Option<Live> {
        let (rows, (commit, from)) = (self.open.take()?, self.next);
        match self.wanted(rows.rows(), from) {
            Some(index) => {
                self.next = (commit, index + 1);
                self.open = Some(Arc::clone(&rows));
                Some(Live::Row(rows, index))
            }
            None => {
                self.next = (commit + 1, 0);
                None
            }
        }
    }

    fn wanted(&self, rows: &[AggregateRow], from: usize) -> Option<usize> {
        (from..rows.len()).find(|index| wants(&self.filter, &rows[*index]))
    }

    fn stands_still(&self) -> bool {
        self.took_at.elapsed() >= SLOW && self.is_behind()
    }

    /// Whether there is something that this reader has not taken.
    fn is_behind(&self) -> bool {
        let (next, from) = self.next;
        let newest = self.seat.look(Kept::newest);
        match &self.open {
            Some(rows) => next < newest || self.wanted(rows.rows(), from).is_some(),
            None => next <= newest,
        }
    }
}

impl Drop for RowReader {
    /// A connection that takes nothing is given up by whoever serves it, and this reader with it; a few rows may be asked for
    /// just before.
    fn drop(&mut self) {
        let stood_just_now = self.stood_until.is_some_and(|until| until.elapsed() < SLOW) && self.is_behind();
        if stood_just_now || self.stands_still() {
            self.seat.count_dropped();
        }
    }
}

/// Reads that something was committed.
pub(super) struct CommitReader {
    pub(super) seat: Seat,
    newest: watch::Receiver<u64>,
    /// The newest commit that it was told of, and the totals up to it.
    told: (u64, Totals),
    /// Up to where it is told next: of incidents it has been told already.
    telling: Option<(u64, Totals)>,
    told_at: Option<Instant>,
    to_reset: bool,
}

impl CommitReader {
    /// Goes on after a place, or begins with the next commit.
    pub(super) fn new(seat: Seat, after: Option<&str>) -> Self {
        let resumed = after.map(|after| {
            let place = Place::parse(after).filter(|place| seat.is_of_this_run(place))?;
            Some((place.commit, seat.look(|kept| kept.totals_after(place.commit))?))
        });
        let told = resumed.flatten().unwrap_or_else(|| seat.look(|kept| (kept.newest(), kept.totals())));
        let to_reset = resumed == Some(None);
        Self { newest: seat.newest(), told, telling: None, told_at: None, to_reset, seat }
    }

    /// Waits for the next; none once the feed is gone.
    pub(super) async fn next(&mut self) -> Option<Live> {
        if std::mem::take(&mut self.to_reset) {
            return Some(Live::Reset);
        }
        if let Some(telling) = self.telling.take() {
            return Some(self.commits_to(telling));
        }
        let told = self.told;
        self.newest.wait_for(|newest| *newest > told.0).await.ok()?;
        if let Some(told_at) = self.told_at {
            tokio::time::sleep_until(told_at + BETWEEN_COMMITS).await;
        }
        let look = |kept: &Kept| ((kept.newest(), kept.totals()), kept.incidents_after(told.0));
        let (newest, changes) = self.seat.look(look);
        self.told_at = Some(Instant::now());
        let Some(changes) = changes else {
            self.told = newest;
            return Some(Live::Reset);
        };
        let Some(changed) = ChangedIncidents::merged(changes) else { return Some(self.commits_to(newest)) };
        if newest.1.since(told.1).is_nothing() {
            self.told = newest;
        } else {
            // Its place moves on with the commits: who is cut off before is told of the incidents again.
            self.telling = Some(newest);
        }
        Some(Live::Incidents(changed))
    }

    fn commits_to(&mut self, newest: (u64, Totals)) -> Live {
        let added = newest.1.since(self.told.1);
        self.told = newest;
        Live::Commits { added }
    }

    /// Up to where this reader has come.
    pub(super) fn place(&self) -> Place {
        self.seat.place(self.told.0, None)
    }
}

/// Whether a filter lets a row through.
pub(super) fn wants(filter: &Filter, row: &AggregateRow) -> bool {
    let Filter { client_id, target, from_ms, to_ms, label, tags } = filter;
    let start_ms = row.window.start.ms();
    client_id.as_ref().is_none_or(|client_id| **client_id == *row.client_id)
        && target.as_ref().is_none_or(|target| **target == *row.target)
        && from_ms.is_none_or(|from_ms| from_ms <= start_ms)
        && to_ms.is_none_or(|to_ms| start_ms < to_ms)
        && label.is_none_or(|label| row.diagnosis.as_ref().is_some_and(|diagnosis| diagnosis.label == label))
        && tags.iter().all(|tag| tag.is_of(row.window.tags.as_deref()))
}
