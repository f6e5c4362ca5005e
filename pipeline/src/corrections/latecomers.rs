//! The events of the sought pairs that came late: what counts of them, in the order in which they were measured.

use std::collections::{BTreeMap, HashSet, VecDeque};
use std::sync::Arc;

use netqoe_model::{ClientContext, ClientRow, Event, Fingerprint, LogTime, Position, Reclassified, Rules, WindowStart};

use super::Stopped;
use super::records::Records;
use super::sought::{Sought, lines_of};

/// Bytes of lines and ids that are held for one correction. Where there is more, fewer pairs are corrected at once.
const MAX_BYTES: usize = 64 << 20;
/// What an id takes that is held.
const ID_BYTES: usize = 64;

/// An event that came late and counts.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct LateLine {
    /// When it was measured: the log time that it gets.
    pub(super) measured: LogTime,
    position: Position,
    number: u32,
    pub(super) line: Vec<u8>,
}

/// What was found.
#[derive(Debug)]
pub(super) struct Latecomers {
    /// In the order in which they are put in.
    pub(super) lines: VecDeque<LateLine>,
    /// What those say of their clients that no row reflects yet. What came in time has been said.
    pub(super) clients: Vec<ClientRow>,
    /// What becomes of those that no row reflects yet.
    pub(super) reclassified: Reclassified,
    /// When the log took the newest of them.
    pub(super) newest: LogTime,
}

/// How looking for them has ended.
pub(super) enum Looked {
    Found(Latecomers),
    /// They are too many to be held.
    TooMany,
}

/// What copies of an event share: its pair, its window, its id.
type Key = (usize, WindowStart, Fingerprint);

/// Reads the records up to `through`. A window's events that come in time are in the log before any that comes late, so one reading
/// tells which events have a copy that counts.
pub(super) fn look(
    records: &mut Records,
    sought: &Sought,
    through: Position,
    rules: &Rules,
) -> Result<Looked, Stopped> {
    let (mut found, mut bytes) = (Found::default(), 0);
    while let Some(chunk) = records.next(through)? {
        let Some(log_time) = chunk.log_time.filter(|_| chunk.set_aside.is_none()) else { continue };
        for (number, line) in lines_of(&chunk.lines) {
            let Some((place, event)) = sought.event(line, log_time, rules) else { continue };
            if !sought.is_computed(place, &event, rules) {
                continue;
            }
            bytes +=
                found.take(place, &event, sought, rules, Taken { log_time, position: chunk.position, number, line });
        }
        // One pair is held in any case.
        if bytes > MAX_BYTES && sought.pairs.len() > 1 {
            return Ok(Looked::TooMany);
        }
    }
    let Found { mut lines, clients, reclassified, newest, .. } = found;
    lines.sort_unstable();
    let clients = clients.into_values().collect();
    Ok(Looked::Found(Latecomers { lines: lines.into(), clients, reclassified, newest }))
}

/// Where and when the log took a line.
#[derive(Clone, Copy)]
struct Taken<'a> {
    log_time: LogTime,
    position: Position,
    number: u32,
    line: &'a [u8],
}

#[derive(Default)]
struct Found {
    counted: HashSet<Key>,
    lines: Vec<LateLine>,
    clients: BTreeMap<Arc<str>, ClientRow>,
    reclassified: Reclassified,
    newest: LogTime,
}

impl Found {
    /// Takes in an event. Returns the bytes that are held for it.
    fn take(&mut self, place: usize, event: &Event<'_>, sought: &Sought, rules: &Rules, taken: Taken<'_>) -> usize {
        let Taken { log_time, position, number, line } = taken;
        let key = (place, event.ts.window(rules.window_ms), Fingerprint::of(&event.event_id));
        if !rules.is_late(event.ts, log_time) {
            return if self.counted.insert(key) { ID_BYTES } else { 0 };
        }
        if !rules.can_be_corrected(event.ts, log_time) {
            return 0;
        }
        self.newest = self.newest.max(log_time);
        let is_new = position >= sought.pairs[place].since;
        if !self.counted.insert(key) {
            self.reclassified.duplicate += u64::from(is_new);
            return 0;
        }
        self.reclassified.accepted += u64::from(is_new);
        if is_new {
            self.see_client(&sought.pairs[place].client_id, event);
        }
        let measured = LogTime::from_ms(event.ts.ms());
        self.lines.push(LateLine { measured, position, number, line: line.to_vec() });
        ID_BYTES + size_of::<LateLine>() + line.len()
    }

    /// Events come in log order, so of those with the same time the last tells the context.
    fn see_client(&mut self, client_id: &Arc<str>, event: &Event<'_>) {
        let context = ClientContext::parse(event.network_context.unwrap_or_default());
        let row = ClientRow { client_id: Arc::clone(client_id), context, first_seen: event.ts, last_seen: event.ts };
        self.clients.entry(Arc::clone(client_id)).and_modify(|known| known.absorb(&row)).or_insert(row);
    }
}
