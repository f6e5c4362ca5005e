//! The windows of one partition: which events count, when a window closes, what is shown of it.

mod due;
mod look;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

use netqoe_model::{
    Checkpoint, ClientRow, DeadLetter, Invalid, LogTime, Position, Reclassified, Rules, WaitingCorrection, WindowRow,
    WindowStart,
};

use super::clients::Clients;
use super::kept_once::KeptOnce;
use super::known_tags::KnownTags;
use super::late::LateEvents;
use super::pairs::{Pair, Pairs};
use super::waiting::WaitingPairs;
use super::{PairId, PairName, PartitionState};
use crate::event_batch::{EventBatch, EventRef};
use crate::judge::{Judged, PairState};
use crate::pair_window::PairWindow;
use due::DueMinute;
pub(in crate::window) use due::PairDue;
use look::Looks;
pub use look::{PairLook, PairSighting};

/// Pairs that were idle for longer than a history reaches back are looked for this many times in that span.
const SWEEPS_PER_REACH: i64 = 24;

/// A change of the collection of windows: something put there (1) or taken back (-1).
pub type WindowChange = (PairId, PairWindow, isize);

/// A window that can't change any more, as it is closed or the log has ended, with what it comes to.
#[derive(Clone, Debug)]
pub struct ClosedWindow {
    /// The pair.
    pub pair: PairId,
    /// The last row of it.
    pub row: WindowRow,
    /// Its diagnosis.
    pub judged: Judged,
}

/// What one turn of a partition led to.
#[derive(Clone, Debug, Default)]
pub struct WindowOutput {
    /// Of the collection of open windows, and of what is past.
    pub changes: Vec<WindowChange>,
    /// By pair, and then oldest first.
    pub closed: Vec<ClosedWindow>,
    /// Pairs that were named since the last output.
    pub names: Vec<PairName>,
    /// Clients that were seen since the last output.
    pub clients: Vec<ClientRow>,
    /// What could not be counted.
    pub dead_letters: Vec<DeadLetter>,
    /// What came after its window was closed, by minute of the log.
    pub late: Vec<LateEvents>,
    /// Pairs of events that came late and that a correction will count.
    pub waiting: Vec<WaitingCorrection>,
    /// Events that came late earlier and that a correction has counted.
    pub reclassified: Reclassified,
    /// The newest mark that was read: what was read before it is part of this output or of earlier ones.
    pub marked: Option<u64>,
    /// What was seen when the log passed a minute, by that minute.
    pub looks: Vec<PairLook>,
    /// How far the partition has come. Some final rows may be further: see [`PartitionWindows::portion`].
    pub checkpoint: Checkpoint,
    /// Log time of the first record of this turn that held events.
    pub oldest_record: Option<LogTime>,
    /// What is in memory now.
    pub state: PartitionState,
}

/// The windows that start at the same time.
#[derive(Debug)]
struct Slot {
    /// The first record with an event of them: reading must go on here after a crash.
    first: Position,
    pairs: Vec<u32>,
    /// Those of `pairs` that have counted something that is not shown yet.
    changed: Vec<u32>,
    /// Those of `pairs` that have counted something since the last look.
    unlooked: Vec<u32>,
}

impl Slot {
    fn starting_with(first: Position) -> Self {
        Self { first, pairs: Vec::new(), changed: Vec::new(), unlooked: Vec::new() }
    }
}

/// The state of one partition. It takes batches in log order; [`PartitionWindows::turn`] gives what they led to.
#[derive(Debug)]
pub struct PartitionWindows {
    rules: Arc<Rules>,
    /// The past of a pair that has none. Made once: it holds what tells the rules apart, which takes longer to compute than
    /// most windows to judge.
    new: Rc<PairState>,
    pub(in crate::window) checkpoint: Checkpoint,
    /// The last record that was read, and the one up to which records only rebuild what was in memory before.
    position: Position,
    rebuild_through: Position,
    slots: BTreeMap<WindowStart, Slot>,
    pub(in crate::window) pairs: Pairs,
    clients: Clients,
    targets: KeptOnce<str>,
    tags: KnownTags,
    waiting: WaitingPairs,
    looks: Looks,
    /// What is due of a minute that the log has passed.
    due: DueMinute,
    flush: bool,
    /// Whether the log has ended.
    ended: bool,
    /// Whether this turn has something to say.
    pub(in crate::window) moved: bool,
    /// Whether a window was closed in this turn.
    closed: bool,
    next_sweep: LogTime,
    /// Pairs that were forgotten since the start.
    forgotten_pairs: u64,
    /// Pairs of which windows were closed in this turn, and of which the collection holds anything; some of them more than once.
    pub(in crate::window) advanced: Vec<u32>,
    pub(in crate::window) output: WindowOutput,
}

impl PartitionWindows {
    /// A partition that goes on at `checkpoint` (its default, with the partition's number, is the log's beginning).
    pub fn new(rules: Arc<Rules>, checkpoint: Checkpoint) -> Self {
        Self {
            looks: Looks::after(checkpoint.log_time, &rules),
            new: Rc::new(PairState::new(&rules.diagnosis)),
            rules,
            due: DueMinute::nothing(),
            checkpoint,
            position: Position(checkpoint.resume_from.0.saturating_sub(1)),
            rebuild_through: checkpoint.processed,
            slots: BTreeMap::new(),
            pairs: Pairs::default(),
            clients: Clients::default(),
            targets: KeptOnce::default(),
            tags: KnownTags::default(),
            waiting: WaitingPairs::default(),
            flush: false,
            ended: false,
            moved: false,
            closed: false,
            next_sweep: LogTime::default(),
            forgotten_pairs: 0,
            advanced: Vec::new(),
            output: WindowOutput::default(),
        }
    }

    /// What the windows of a pair from before the checkpoint have led to.
    pub fn remember(&mut self, client_id: &str, target: &str, past: PairState) {
        let index = self.pair(&format!("{client_id}\0{target}"), client_id.len());
        self.pairs.get(index).past = Some(Rc::new(past));
    }

    /// Counts the events of a batch.
    pub fn apply(&mut self, mut batch: EventBatch) {
        if batch.ends {
            self.look_at_the_end();
            self.ended = true;
        }
        if batch.flush {
            self.flush = true;
            return;
        }
        if batch.mark.is_some() {
            self.output.marked = batch.mark;
            self.moved = true;
            return;
        }
        let rebuilding = batch.position <= self.rebuild_through;
        for index in 0..batch.len() {
            let event = batch.get(index);
            if rebuilding {
                self.recall_before(event.log_time);
                self.move_to(event.log_time);
                self.rebuild(event, batch.position);
            } else if let Err(reason) = self.count(event, batch.position) {
                let letter = batch.take_suspect(index).map(|letter| DeadLetter { reason, ..letter });
                self.set_aside(letter);
            }
        }
        self.position = batch.position;
        if rebuilding {
            self.recall_before(batch.log_time);
        }
        self.move_to(batch.log_time);
        if rebuilding {
            return;
        }
        self.checkpoint.processed = batch.position;
        self.moved = true;
        self.checkpoint.ledger.read += batch.read;
        if batch.read > 0 {
            self.output.oldest_record.get_or_insert(batch.log_time);
        }
        batch.unreadable.into_iter().for_each(|letter| self.set_aside(Some(letter)));
    }

    /// Ends a turn: closes what the log has passed, shows open windows where that was asked for, and says what came of
    /// it. Nothing while the partition is being rebuilt, or where nothing was read.
    pub fn turn(&mut self) -> Option<WindowOutput> {
        self.work_off(usize::MAX);
        self.say()
    }

    /// The same, but of the pairs of which something is due it works off `most` at most, and takes as many from it. While
    /// something is left, the checkpoint has not passed the minute: after a crash, all that is due of it is done again.
    pub fn portion(&mut self, most: &mut usize) -> Option<WindowOutput> {
        *most -= self.work_off(*most);
        self.say()
    }

    fn say(&mut self) -> Option<WindowOutput> {
        if self.position < self.rebuild_through {
            return None;
        }
        #[cfg(feature = "planted-faults")]
        crate::planted::move_to_wall_clock(&mut self.checkpoint.log_time);
        self.close_between_looks();
        self.replace_shown_pasts();
        let closed = std::mem::take(&mut self.closed);
        let shown = std::mem::take(&mut self.flush) && (self.judge_the_rest() | self.show());
        // They were closed by their starts. Cached, as moving a closed window costs more than comparing two.
        self.output.closed.sort_by_cached_key(|closed| closed.pair);
        // What resuming would not see again must go out with the checkpoint that no longer reaches back to it.
        if closed || shown {
            self.output.clients = self.clients.take_changed();
        }
        // A pair of which something is due is not idle, however far the log has come.
        if (closed || shown) && !self.due.is_any() {
            self.forget_idle();
        }
        if !std::mem::take(&mut self.moved) && !shown {
            return None;
        }
        self.checkpoint.resume_from =
            self.slots.values().map(|slot| slot.first).min().unwrap_or(Position(self.checkpoint.processed.0 + 1));
        Some(WindowOutput {
            checkpoint: self.due.held_back(self.checkpoint),
            waiting: self.waiting.take(),
            state: PartitionState {
                due_pairs: self.due_pairs(),
                open_windows: self.slots.values().map(|slot| slot.pairs.len()).sum(),
                tracked_pairs: self.pairs.len(),
                forgotten_pairs: self.forgotten_pairs,
                closes_after: self.slots.keys().next().map(|&start| self.rules.closes_after(start)),
            },
            ..std::mem::take(&mut self.output)
        })
    }

    /// Counts an event, or says why it can't be one. Late comes before duplicate.
    fn count(&mut self, event: EventRef<'_>, position: Position) -> Result<(), String> {
        self.move_to(event.log_time);
        let log_time = self.checkpoint.log_time;
        let ahead_ms = event.ts.ms() - log_time.ms();
        if ahead_ms > self.rules.max_future_ms {
            return Err(Invalid::FutureTimestamp { ahead_ms, max_future_ms: self.rules.max_future_ms }.to_string());
        }
        let ledger = if self.rules.is_late(event.ts, log_time) {
            if self.rules.can_be_corrected(event.ts, log_time) {
                self.waiting.add(event, position, &self.rules);
            } else {
                LateEvents::add(&mut self.output.late, event, log_time);
            }
            &mut self.checkpoint.ledger.late
        } else if self.insert(event, position) {
            &mut self.checkpoint.ledger.accepted
        } else {
            &mut self.checkpoint.ledger.duplicate
        };
        *ledger += 1;
        Ok(())
    }

    /// Puts an event that was counted before back into its window, if that was still open at the checkpoint, and when the log
    /// took the event.
    fn rebuild(&mut self, event: EventRef<'_>, position: Position) {
        let counted = event.ts.ms() - event.log_time.ms() <= self.rules.max_future_ms;
        // Where the checkpoint was held back before a minute, the log time moves on with the records after it.
        let open = self.rules.closes_after(event.ts.window(self.rules.window_ms)) >= self.checkpoint.log_time;
        #[cfg(feature = "planted-faults")]
        let open = open || crate::planted::rewrites_closed_windows();
        if counted && open {
            self.insert(event, position);
        }
    }

    /// Counts an event in its window; false if it is a copy.
    fn insert(&mut self, event: EventRef<'_>, position: Position) -> bool {
        let start = event.ts.window(self.rules.window_ms);
        let index = self.pair(event.pair, event.client_bytes);
        self.do_what_is_due(index);
        let pair = self.pairs.get(index);
        let slot = self.slots.entry(start).or_insert_with(|| Slot::starting_with(position));
        if pair.open_at(start).is_none() {
            pair.open(start);
            slot.pairs.push(index);
        }
        let client = pair.client;
        let Some(window) = pair.open_at(start) else { return false };
        let (unshown, was_looked_at) = (!window.changed, !window.unlooked);
        if !window.insert(event, self.rules.exact_samples) {
            return false;
        }
        if unshown {
            slot.changed.push(index);
        }
        if was_looked_at {
            slot.unlooked.push(index);
        }
        if let Some(network) = self.clients.see(client, event.recency(), event.network_context) {
            window.see_network(event.recency(), network);
        }
        if let Some(tags) = self.tags.carried(event.labels) {
            window.see_tags(event.recency(), &tags);
        }
        true
    }

    fn set_aside(&mut self, letter: Option<DeadLetter>) {
        self.checkpoint.ledger.invalid += 1;
        let (partition, log_time) = (self.checkpoint.partition, self.checkpoint.log_time);
        self.output.dead_letters.extend(letter.map(|letter| DeadLetter { partition, log_time, ..letter }));
    }

    /// Hands on what follows from the windows that were closed in this turn.
    fn replace_shown_pasts(&mut self) {
        for index in std::mem::take(&mut self.advanced) {
            let id = self.id(index);
            show_past(id, self.pairs.get(index), &mut self.output.changes);
        }
    }

    /// Judges the open windows at once, where the log has ended and the collection holds none of the pair: no correction is to come.
    /// False if there are none.
    fn judge_the_rest(&mut self) -> bool {
        if !self.ended {
            return false;
        }
        let before = self.output.closed.len();
        for (&start, slot) in &mut self.slots {
            for index in std::mem::take(&mut slot.changed) {
                let pair = self.pairs.get(index);
                if pair.is_shown() {
                    slot.changed.push(index);
                } else if let Some(window) = pair.take_open(start) {
                    let row = window.row(false, self.checkpoint.log_time);
                    let judged = judge_last(pair, &row, &self.rules, &self.new);
                    let pair = PairId::new(self.checkpoint.partition, index);
                    self.output.closed.push(ClosedWindow { pair, row, judged });
                }
            }
        }
        self.output.closed.len() > before
    }

    /// Shows the open windows that have changed since they were last shown; false if there are none.
    fn show(&mut self) -> bool {
        let mut shown = false;
        for (&start, slot) in &mut self.slots {
            for index in slot.changed.drain(..) {
                let id = PairId::new(self.checkpoint.partition, index);
                let pair = self.pairs.get(index);
                if let Some(window) = pair.open_at(start) {
                    let row = Rc::new(window.row(false, self.checkpoint.log_time));
                    replace(id, window.shown.replace(row.clone()), row, &mut self.output.changes);
                    window.changed = false;
                    show_past(id, pair, &mut self.output.changes);
                    shown = true;
                }
            }
        }
        shown
    }

    /// Forgets pairs whose past no later window can reach.
    fn forget_idle(&mut self) {
        if self.checkpoint.log_time < self.next_sweep {
            return;
        }
        let every_ms = self.rules.diagnosis.usual.reach_ms() / SWEEPS_PER_REACH;
        self.next_sweep = LogTime::from_ms(self.checkpoint.log_time.ms() + every_ms.max(self.rules.window_ms));
        let earliest = self.rules.earliest_open(self.checkpoint.log_time);
        let horizon = WindowStart::from_ms(earliest.ms() - self.rules.diagnosis.usual.reach_ms());
        for pair in self.pairs.remove_idle(horizon) {
            self.clients.remove_pair(pair.client);
            self.forgotten_pairs += 1;
        }
    }

    /// The number of a pair, which is new to `names` where it was not known.
    pub(in crate::window) fn pair(&mut self, key: &str, client_bytes: usize) -> u32 {
        let (client_id, target) = (&key[..client_bytes], &key[client_bytes + 1..]);
        if let Some(index) = self.pairs.find(client_id, target) {
            return index;
        }
        let (client, client_id) = self.clients.add_pair(client_id);
        let target = self.targets.of(target);
        let index = self.pairs.add(Arc::clone(&client_id), Arc::clone(&target), client);
        self.output.names.push(PairName { pair: self.id(index), client_id, target });
        index
    }

    fn id(&self, index: u32) -> PairId {
        PairId::new(self.checkpoint.partition, index)
    }
}

/// Puts a row into the collection, in place of what was last shown of its window.
fn replace(id: PairId, shown: Option<Rc<WindowRow>>, row: Rc<WindowRow>, changes: &mut Vec<WindowChange>) {
    changes.extend(shown.map(|shown| (id, PairWindow::open(shown), -1)));
    changes.push((id, PairWindow::open(row), 1));
}

/// Judges a window that will not change any more, and takes it into what is past. That is copied only if the collection holds it.
fn judge_last(pair: &mut Pair, row: &WindowRow, rules: &Rules, new: &Rc<PairState>) -> Judged {
    Rc::make_mut(pair.past.get_or_insert_with(|| Rc::clone(new))).judge(row, rules)
}

/// The collection holds the past of a pair as long as it holds an open window of it, which is judged by that past. It takes
/// no part in anything else.
fn show_past(id: PairId, pair: &mut Pair, changes: &mut Vec<WindowChange>) {
    let past = pair.past.as_ref().filter(|_| pair.is_shown());
    if past.map(Rc::as_ptr) == pair.shown_past.as_ref().map(Rc::as_ptr) {
        return;
    }
    let past = past.cloned();
    let was = std::mem::replace(&mut pair.shown_past, past.clone());
    let both = [(was, -1), (past, 1)];
    changes.extend(both.into_iter().filter_map(|(past, diff)| Some((id, PairWindow::past(past?), diff))));
}
