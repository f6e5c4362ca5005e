//! What receivers are to be told, and have been: the part of a store that notifications need.
//!
//! Decision: D-089.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use netqoe_model::{Cause, Generation, Incident, IncidentId, IncidentRevision, WindowStart};

use crate::StoreError;

/// Messages that may wait for one receiver. A receiver that has been away for a day gets what a fleet tells in a day;
/// more than this, and something else is wrong than the network.
pub const MAX_WAITING_MESSAGES: usize = 10_000;

/// Open incidents that are looked at in one step, the oldest first. No person reads more.
pub const MAX_OPEN_INCIDENTS: usize = 2_000;

/// Log time that one step covers at most, in milliseconds: what is read at once is bounded, also after a long outage of
/// netqoe.
const MAX_STEP_MS: i64 = 3_600_000;

/// Rows deleted in one transaction. The log's writer waits meanwhile: some milliseconds.
pub(crate) const ROWS_PER_DELETION: usize = 1_000;

/// Messages to receivers, in the store that holds the incidents. A message is known by its receiver, its incident and the
/// incident's revision, so none is put in twice.
pub trait Outbox: Send {
    /// What is new since the last [`Outbox::enqueue`], as one snapshot. `None` if no look has been folded in since.
    ///
    /// The first time, that is what is open: what is over is not told.
    ///
    /// # Errors
    /// If the store can't be read.
    fn news(&mut self) -> Result<Option<News>, StoreError>;

    /// Puts in messages, and that everything until `until` has been told, in one transaction. A message that is there stays
    /// as it is. What exceeds [`MAX_WAITING_MESSAGES`] of a receiver is left off.
    ///
    /// # Errors
    /// [`StoreError::Fenced`] if a later generation has been opened: nothing was written.
    fn enqueue(
        &mut self,
        generation: Generation,
        until: WindowStart,
        messages: &[QueuedMessage],
        now_ms: i64,
    ) -> Result<Enqueued, StoreError>;

    /// The messages of a receiver that are due, the oldest first. None comes before an earlier one of its incident, not
    /// even while that waits for another attempt.
    ///
    /// # Errors
    /// [`StoreError::Fenced`] if a later generation has been opened: that one sends them.
    fn due(
        &mut self,
        generation: Generation,
        receiver: &str,
        now_ms: i64,
        limit: usize,
    ) -> Result<Vec<WaitingMessage>, StoreError>;

    /// What a receiver knows of incidents that are open: for each, the message that it got last, unless another one waits for it.
    /// At most [`MAX_OPEN_INCIDENTS`] of them, the oldest first.
    ///
    /// # Errors
    /// [`StoreError::Fenced`] if a later generation has been opened: that one reminds the receiver.
    fn standing(&mut self, generation: Generation, receiver: &str) -> Result<Vec<WaitingMessage>, StoreError>;

    /// Notes what became of an attempt to send these messages. Behind no fence: it is true in any generation.
    ///
    /// # Errors
    /// If the store can't be written.
    fn settle(&mut self, receiver: &str, ids: &[String], outcome: &Attempted) -> Result<(), StoreError>;

    /// Gives up the waiting messages of a receiver that were put in before this time. Returns how many.
    ///
    /// # Errors
    /// If the store can't be written.
    fn give_up(&mut self, receiver: &str, created_before_ms: i64, now_ms: i64) -> Result<u64, StoreError>;

    /// How many messages of each receiver stand how, by its name.
    ///
    /// # Errors
    /// If the store can't be read.
    fn counts(&mut self) -> Result<Vec<OutboxCounts>, StoreError>;

    /// Deletes messages that were delivered or given up before this time, unless their incident is open. Returns how many.
    ///
    /// # Errors
    /// If the store can't be written.
    fn forget(&mut self, before_ms: i64) -> Result<u64, StoreError>;
}

/// What may have to be told.
#[derive(Clone, Debug, PartialEq)]
pub struct News {
    /// The look that it is told as of.
    pub until: WindowStart,
    /// Incidents that are open, and those that have changed, by their ids.
    pub incidents: Vec<ChangedIncident>,
    /// The causes that a maintenance window names at `until`.
    pub maintained: Vec<Cause>,
}

/// An incident, and what receivers have been told of it.
#[derive(Clone, Debug, PartialEq)]
pub struct ChangedIncident {
    /// As it stands.
    pub incident: Incident,
    /// All of its revisions, in order.
    pub revisions: Vec<IncidentRevision>,
    /// The newest revision that each receiver was told, or will be. A message that was given up does not count.
    pub told: BTreeMap<String, u32>,
}

/// A message to be put in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueuedMessage {
    /// As the configuration names it.
    pub receiver: String,
    /// Of which incident.
    pub incident: IncidentId,
    /// Of which of its revisions.
    pub revision: u32,
    /// The message, as JSON.
    pub body: String,
}

/// What became of messages that were to be put in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Enqueued {
    /// New ones.
    pub queued: usize,
    /// Left off, since too many wait for their receiver.
    pub left_off: usize,
}

/// Counts what is put in, receiver by receiver.
#[derive(Default)]
pub(crate) struct Filling<'a> {
    waiting: BTreeMap<&'a str, usize>,
    pub(crate) done: Enqueued,
}

impl<'a> Filling<'a> {
    /// Puts in a message if its receiver has a place for it. `waiting` counts those that wait for a receiver, and `put_in` returns
    /// how many messages came in: none where it was there.
    pub(crate) fn add<Context, Error>(
        &mut self,
        context: &mut Context,
        message: &'a QueuedMessage,
        waiting: impl FnOnce(&mut Context, &str) -> Result<usize, Error>,
        put_in: impl FnOnce(&mut Context, &QueuedMessage) -> Result<usize, Error>,
    ) -> Result<(), Error> {
        let waiting = match self.waiting.entry(&message.receiver) {
            Entry::Vacant(entry) => entry.insert(waiting(context, &message.receiver)?),
            Entry::Occupied(entry) => entry.into_mut(),
        };
        if *waiting >= MAX_WAITING_MESSAGES {
            self.done.left_off += 1;
        } else {
            let put_in = put_in(context, message)?;
            *waiting += put_in;
            self.done.queued += put_in;
        }
        Ok(())
    }
}

/// A message for one receiver.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WaitingMessage {
    /// [`message_id`] of its incident and revision.
    pub id: String,
    /// The message, as JSON.
    pub body: String,
    /// When it was put in, in Unix milliseconds.
    pub created_ms: i64,
    /// How often it was tried in vain.
    pub attempts: u32,
}

/// What became of an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Attempted {
    /// The receiver has taken it.
    Delivered {
        /// When, in Unix milliseconds.
        at_ms: i64,
    },
    /// It has not.
    Failed {
        /// When it is tried again, in Unix milliseconds.
        due_ms: i64,
        /// What happened, in one line.
        error: String,
    },
}

/// How many messages of a receiver stand how.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OutboxCounts {
    /// The receiver's name.
    pub receiver: String,
    /// Messages that wait.
    pub waiting: u64,
    /// When the oldest of them was put in, in Unix milliseconds.
    pub oldest_waiting_ms: Option<i64>,
    /// Delivered, and not deleted yet.
    pub delivered: u64,
    /// Given up, and not deleted yet.
    pub given_up: u64,
    /// What the newest attempt met that failed, of those that were not delivered.
    pub last_error: Option<String>,
}

/// The id of a message, the same in every attempt: the incident's, and the revision's number.
pub fn message_id(incident: &IncidentId, revision: u32) -> String {
    format!("{incident}-{revision}")
}

/// The revision that a message's id names.
pub(crate) fn revision_of(id: &str) -> Option<u32> {
    id.rsplit_once('-')?.1.parse().ok()
}

/// The looks that the next step is about: after the first of them, until the second. `None` if there is no new one.
pub(crate) fn next_step(told: Option<i64>, through: Option<i64>) -> Option<(i64, i64)> {
    match (told, through?) {
        (None, through) => Some((through, through)),
        (Some(told), through) if told < through => Some((told, through.min(told.saturating_add(MAX_STEP_MS)))),
        _ => None,
    }
}

/// The parts of [`News::incidents`] put together. `told`: receiver, incident and message id.
pub(crate) fn assemble(
    incidents: Vec<Incident>,
    revisions: Vec<IncidentRevision>,
    told: Vec<(String, String, String)>,
) -> Vec<ChangedIncident> {
    let changed = |incident: Incident| ChangedIncident { incident, revisions: Vec::new(), told: BTreeMap::new() };
    let mut by_id: BTreeMap<IncidentId, ChangedIncident> =
        incidents.into_iter().map(|incident| (incident.id.clone(), changed(incident))).collect();
    for revision in revisions {
        if let Some(of) = by_id.get_mut(&revision.incident) {
            of.revisions.push(revision);
        }
    }
    for (receiver, incident, id) in told {
        let of = by_id.get_mut(&IncidentId(incident.into()));
        if let Some((of, revision)) = of.zip(revision_of(&id)) {
            let newest = of.told.entry(receiver).or_default();
            *newest = (*newest).max(revision);
        }
    }
    by_id.into_values().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_is_bounded_and_begins_at_the_present() {
        assert_eq!(next_step(None, None), None);
        assert_eq!(next_step(Some(7), None), None);
        assert_eq!(next_step(None, Some(7)), Some((7, 7)));
        assert_eq!(next_step(Some(7), Some(7)), None);
        assert_eq!(next_step(Some(8), Some(7)), None, "incidents are computed anew");
        assert_eq!(next_step(Some(7), Some(9)), Some((7, 9)));
        assert_eq!(next_step(Some(0), Some(86_400_000)), Some((0, MAX_STEP_MS)));
    }

    #[test]
    fn an_id_names_its_revision() {
        let id = message_id(&IncidentId("0123456789abcdef".into()), 12);
        assert_eq!((id.as_str(), revision_of(&id)), ("0123456789abcdef-12", Some(12)));
        assert_eq!(revision_of("0123"), None);
    }
}
