//! What a partition owes its pairs once its log time has passed a minute: windows are closed, and a look is taken.
//!
//! For a large fleet that is a second's work, and new events must not wait for it. So pairs are worked off in portions. The
//! outcome is the same in any portions, as a pair depends on its own events only: what is due of it is done before its next
//! event is counted, and what is due of a minute is done before the log passes the next one. Until all of it is done, the
//! checkpoint does not pass the minute, while it moves on with the records that are read.
//!
//! Decision: D-099.

use netqoe_model::{Checkpoint, LogTime, Position, WindowStart};

use super::{ClosedWindow, PartitionWindows, Slot, judge_last};
use crate::pair_window::PairWindow;
use crate::window::OpenWindow;

/// What is due of one pair.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::window) enum PairDue {
    #[default]
    Nothing,
    /// The minute closes windows of it.
    Closing,
    /// The look sees it; the minute may close windows of it first.
    Look,
}

/// What is due of a minute that the log has passed.
#[derive(Debug)]
pub(super) struct DueMinute {
    /// The minute.
    at: WindowStart,
    /// Pairs that are not worked off; some of them may be, out of turn.
    pairs: Vec<u32>,
    /// While anything is due: the first record with an event of a window that closes with the minute.
    first: Option<Position>,
}

impl DueMinute {
    pub(super) fn nothing() -> Self {
        Self { at: WindowStart::from_ms(0), pairs: Vec::new(), first: None }
    }

    pub(super) fn is_any(&self) -> bool {
        self.first.is_some()
    }

    /// While anything is due, the log time of a checkpoint is the minute itself, which is not passed with that. A start then
    /// reads all records again that windows need which close with it, and passes it where they do.
    pub(super) fn held_back(&self, checkpoint: Checkpoint) -> Checkpoint {
        let Some(first) = self.first else { return checkpoint };
        let log_time = LogTime::from_ms(self.at.ms());
        Checkpoint { log_time, resume_from: checkpoint.resume_from.min(first), ..checkpoint }
    }
}

impl PartitionWindows {
    /// Pairs of which something may be due.
    pub fn due_pairs(&self) -> usize {
        self.due.pairs.len()
    }

    /// The log has passed the minute `at`, and nothing is due of the minute before. Nothing is counted in windows that close
    /// with it any more.
    pub(super) fn pass(&mut self, at: WindowStart) {
        self.due.at = at;
        let mut needed_from = Position(u64::MAX);
        while let Some(oldest) = self.slots.first_entry() {
            if self.rules.closes_after(*oldest.key()).ms() > at.ms() {
                break;
            }
            let Slot { first, pairs, .. } = oldest.remove();
            needed_from = needed_from.min(first);
            for index in pairs {
                self.make_due(index, PairDue::Closing);
            }
        }
        self.due.first = Some(needed_from);
        self.ask_to_look(at);
        // Names of a client's pairs lie together in a store, so that their rows are mostly on one page.
        let pairs = &mut self.pairs;
        self.due.pairs.sort_by_cached_key(|index| pairs.get(*index).client);
        // Windows that close between looks are closed by the log time that a checkpoint has, so it can't be held back.
        let is_divisible = self.rules.lateness_ms % self.rules.window_ms == 0;
        self.work_off(if is_divisible { 0 } else { usize::MAX });
    }

    /// Pairs that have counted something in a window before `at` since the last look are looked at.
    fn ask_to_look(&mut self, at: WindowStart) {
        for index in std::mem::take(&mut self.looks.unlooked) {
            self.make_due(index, PairDue::Look);
        }
        let mut unlooked = Vec::new();
        self.slots.range_mut(..at).for_each(|(_, slot)| unlooked.append(&mut slot.unlooked));
        for index in unlooked {
            self.make_due(index, PairDue::Look);
        }
    }

    fn make_due(&mut self, index: u32, what: PairDue) {
        let due = &mut self.pairs.get(index).due;
        if *due == PairDue::Nothing {
            self.due.pairs.push(index);
        }
        *due = what;
    }

    /// Works off so many pairs at most, and hands the look out after the last of them. Returns how many.
    pub(super) fn work_off(&mut self, most: usize) -> usize {
        if !self.due.is_any() {
            return 0;
        }
        let mut pairs = std::mem::take(&mut self.due.pairs);
        let portion = pairs.len().min(most);
        // Most of them close a window. In a replay that is megabytes, which would be moved again and again as they grow.
        self.output.closed.reserve(portion);
        for index in pairs.drain(..portion) {
            self.do_what_is_due(index);
        }
        self.due.pairs = pairs;
        if self.due.pairs.is_empty() {
            self.hand_out(self.due.at);
            self.due.first = None;
        }
        // What is said of it moves the partition on, if only a little.
        self.moved = true;
        portion
    }

    /// Does what is due of a pair.
    pub(super) fn do_what_is_due(&mut self, index: u32) {
        let at = self.due.at;
        let due = std::mem::take(&mut self.pairs.get(index).due);
        if due == PairDue::Nothing {
            return;
        }
        let mut is_looked_at = due == PairDue::Look;
        while let Some(window) = self.closes_by(index, at) {
            // Those that are open after it are judged by what it came to.
            is_looked_at |= window.unlooked;
            self.close(index, window, Some(at));
        }
        if is_looked_at {
            self.look_at(index, at);
        }
    }

    /// Takes the oldest open window of a pair, if it closes with the minute `at` or has closed before.
    fn closes_by(&mut self, index: u32, at: WindowStart) -> Option<OpenWindow> {
        let open = &mut self.pairs.get(index).open;
        let closes = open.first().is_some_and(|window| self.rules.closes_after(window.start).ms() <= at.ms());
        closes.then(|| open.remove(0))
    }

    /// Looks at the pairs that have counted something, and closes nothing.
    pub(super) fn only_look(&mut self, at: WindowStart) {
        self.ask_to_look(at);
        for index in std::mem::take(&mut self.due.pairs) {
            self.pairs.get(index).due = PairDue::Nothing;
            self.look_at(index, at);
        }
    }

    /// Closes the windows that the log has passed since the last minute, in the order of their starts. There are none where
    /// lateness is a multiple of the windows' length.
    pub(super) fn close_between_looks(&mut self) {
        while let Some(first) = self.slots.first_entry() {
            let start = *first.key();
            if self.rules.closes_after(start) >= self.checkpoint.log_time {
                break;
            }
            for index in first.remove().pairs {
                self.do_what_is_due(index);
                let Some(window) = self.pairs.get(index).take_open(start) else { continue };
                self.close(index, window, None);
            }
        }
    }

    /// A window of the pair has come to what it is. One that closes at the look `at` is a part of it.
    fn close(&mut self, index: u32, mut window: OpenWindow, at: Option<WindowStart>) {
        let id = self.id(index);
        let pair = self.pairs.get(index);
        self.closed = true;
        self.output.changes.extend(window.shown.take().map(|shown| (id, PairWindow::open(shown), -1)));
        if pair.shown_past.is_some() || pair.is_shown() {
            self.advanced.push(index);
        }
        let last_time = self.rules.closes_after(window.start);
        // The first log time at which the window is closed: the same in every run, whatever closes it.
        let row = window.row(true, LogTime::from_ms(last_time.ms() + 1));
        let judged = judge_last(pair, &row, &self.rules, &self.new);
        match at {
            Some(at) if at.ms() == last_time.ms() => self.looks.see_at_last(id, &mut window, judged.standing),
            None if window.unlooked && !pair.open.is_empty() => self.looks.unlooked.push(index),
            _ => {}
        }
        self.output.closed.push(ClosedWindow { pair: id, row, judged });
    }
}
