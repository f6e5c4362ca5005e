//! What a partition shows of its pairs each time its log time passes a minute.
//!
//! A look reflects the events up to its minute and no others, so it must be taken before a later event is counted. What it
//! makes of a window is what the window would come to if it were final: it is judged by its pair's past and by the
//! windows of the pair that are open before it.
//!
//! Decision: D-088.

use std::sync::Arc;

use netqoe_model::{LogTime, Network, PairTags, Rules, Standing, WindowStart};

use super::PartitionWindows;
use crate::judge::PairState;
use crate::window::pairs::Pair;
use crate::window::{OpenWindow, PairId};

/// What was seen when the log passed a minute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PairLook {
    /// The minute.
    pub at: WindowStart,
    /// Windows that were new, or came to something else than in the look before. In no order.
    pub sightings: Vec<PairSighting>,
}

/// One window, as a look saw it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PairSighting {
    /// Whose window it is.
    pub pair: PairId,
    /// The window.
    pub window: WindowStart,
    /// What it came to.
    pub standing: Standing,
    /// The network that it was measured over, where an event names one.
    pub network: Option<Arc<Network>>,
    /// The labels of its client and target, where an event carries any.
    pub tags: Option<Arc<PairTags>>,
}

/// Which looks a partition has taken, and what the next one begins with.
#[derive(Debug)]
pub(super) struct Looks {
    /// The next one: the log has not passed this time.
    next: WindowStart,
    /// The one that records which only rebuild windows have to take again.
    recalled: Option<WindowStart>,
    /// Pairs with open windows of which a window was closed that had counted something since the last look.
    pub(super) unlooked: Vec<u32>,
    /// Of the look that is being taken.
    sightings: Vec<PairSighting>,
}

impl Looks {
    /// Of a partition that goes on at this log time.
    pub(super) fn after(log_time: LogTime, rules: &Rules) -> Self {
        let next = next(log_time, rules);
        let last = WindowStart::from_ms(next.ms() - rules.window_ms);
        // Where windows close between two looks, a pair's past at the last look is not what it is now: all that is open is
        // then seen once more, as it stands.
        let is_known = log_time > LogTime::default() && rules.lateness_ms % rules.window_ms == 0;
        Self { next, recalled: is_known.then_some(last), unlooked: Vec::new(), sightings: Vec::new() }
    }

    /// Takes in what a window came to at last that closes with the look. One that closes between two looks had its last one
    /// before: whether a later one would still find it must not depend on when the partition was interrupted.
    pub(super) fn see_at_last(&mut self, pair: PairId, window: &mut OpenWindow, standing: Standing) {
        if window.look(standing) {
            let (network, tags) = (window.network(), window.tags());
            self.sightings.push(PairSighting { pair, window: window.start, standing, network, tags });
        }
    }
}

/// The first look that a log at this time has not passed.
fn next(log_time: LogTime, rules: &Rules) -> WindowStart {
    WindowStart::from_ms(log_time.ms() + (-log_time.ms()).rem_euclid(rules.window_ms))
}

impl PartitionWindows {
    /// The log has come to this time, if it was not further before. Looks are due that it has passed.
    pub(super) fn move_to(&mut self, log_time: LogTime) {
        while log_time.ms() > self.looks.next.ms() {
            // A later look finds what an earlier one has left.
            self.work_off(usize::MAX);
            let at = self.looks.next;
            if self.slots.is_empty() {
                // Nothing can be seen until an event is counted.
                self.looks.next = next(log_time, &self.rules);
                break;
            }
            self.looks.next = self.after(at);
            self.pass(at);
        }
        self.checkpoint.log_time = self.checkpoint.log_time.max(log_time);
    }

    /// The log has ended. The last look is that which a tick would cause, once time has come to it; nothing is closed by it.
    pub(super) fn look_at_the_end(&mut self) {
        self.work_off(usize::MAX);
        let at = self.looks.next;
        self.looks.next = self.after(at);
        self.only_look(at);
        self.hand_out(at);
        self.moved = true;
    }

    fn after(&self, at: WindowStart) -> WindowStart {
        WindowStart::from_ms(at.ms() + self.rules.window_ms)
    }

    /// Records that only rebuild windows are about to come to this time. What the last look before the checkpoint saw was
    /// committed with it, and is only remembered.
    pub(super) fn recall_before(&mut self, log_time: LogTime) {
        if let Some(at) = self.looks.recalled.take_if(|at| log_time.ms() > at.ms()) {
            self.only_look(at);
            self.looks.sightings.clear();
        }
    }

    /// Looks at a pair.
    pub(super) fn look_at(&mut self, index: u32, at: WindowStart) {
        let id = self.id(index);
        look_at(id, self.pairs.get(index), at, &self.rules, &self.new, &mut self.looks.sightings);
    }

    /// The look `at` is taken.
    pub(super) fn hand_out(&mut self, at: WindowStart) {
        if !self.looks.sightings.is_empty() {
            let sightings = std::mem::take(&mut self.looks.sightings);
            self.output.looks.push(PairLook { at, sightings });
        }
    }
}

/// Judges a pair's open windows before `at`, oldest first, and adds those that came to something new.
fn look_at(
    id: PairId,
    pair: &mut Pair,
    at: WindowStart,
    rules: &Rules,
    new: &PairState,
    sightings: &mut Vec<PairSighting>,
) {
    let past = pair.past.as_deref().unwrap_or(new);
    let mut state: Option<PairState> = None;
    let mut windows = pair.open.iter_mut().take_while(|window| window.start < at).peekable();
    while let Some(window) = windows.next() {
        let row = window.row(false, LogTime::default());
        let standing = match windows.peek() {
            Some(_) => state.get_or_insert_with(|| past.clone()).judge(&row, rules).standing,
            None => state.as_ref().unwrap_or(past).standing(&row, rules),
        };
        // At the end of a log, windows are open that would be closed by now.
        let is_open = rules.closes_after(window.start).ms() >= at.ms();
        if is_open && window.look(standing) {
            let (network, tags) = (row.network, row.tags);
            sightings.push(PairSighting { pair: id, window: window.start, standing, network, tags });
        }
    }
}
