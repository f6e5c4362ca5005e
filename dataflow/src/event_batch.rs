//! Decoded events on their way to the worker that owns their partition: few allocations for many events.

use netqoe_model::{DeadLetter, ErrorStage, Event, EventTime, Fingerprint, LogTime, Partition, Position};
use serde::{Deserialize, Serialize};

use crate::feed::Mark;

/// Stands in a sample's place where a metric has none. No measurement comes near it.
pub const NO_SAMPLE: u64 = u64::MAX;

/// Events of one partition, from one chunk, in log order. It may hold none, and then still says how far the log came.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct EventBatch {
    /// The partition of the events.
    pub partition: Partition,
    /// The chunk's place in the partition.
    pub position: Position,
    /// The log time that the chunk reached. The partition's is at least this after it.
    pub log_time: LogTime,
    /// Lines that were read, those that can't be counted included.
    pub read: u64,
    /// Whether what follows from this batch can wait for a later one.
    pub more_follows: bool,
    /// Whether the partition's open windows should be shown after this batch.
    pub flush: bool,
    /// The number of a mark, if it is one: what was read before it is part of what the partition says next, or of what it has said.
    pub mark: Option<u64>,
    /// Whether the log ends with this batch.
    pub ends: bool,
    /// Whether its events came late, and stand where they were measured.
    pub(crate) came_late: bool,
    /// Lines that are not events.
    pub unreadable: Vec<DeadLetter>,
    /// Lines whose event may turn out to be too far ahead of the log, with the index of the event.
    suspects: Vec<(u32, DeadLetter)>,
    events: Vec<DecodedEvent>,
    /// Of each event: client, U+0000 (which no name can hold), target, network context; and where it has labels, the JSON of the client's,
    /// U+0000 (which no JSON can hold), the JSON of the target's.
    text: String,
}

/// One event, with its texts in the batch.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct DecodedEvent {
    log_time: LogTime,
    ts: EventTime,
    id: Fingerprint,
    error_stage: Option<ErrorStage>,
    samples: [u64; 5],
    text_start: usize,
    client_bytes: u16,
    target_bytes: u16,
    context_bytes: u32,
    labels_bytes: u32,
}

/// Which of two events of a client is the newer one: of those that were measured at the same time, the one that the log has last.
/// Events of a window are handed out in log order, except those that came late: the log has them behind all others, wherever they stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Recency {
    pub(crate) ts: EventTime,
    pub(crate) came_late: bool,
}

/// One event of a batch.
#[derive(Clone, Copy, Debug)]
pub(crate) struct EventRef<'a> {
    pub(crate) log_time: LogTime,
    pub(crate) ts: EventTime,
    pub(crate) came_late: bool,
    pub(crate) id: Fingerprint,
    pub(crate) error_stage: Option<ErrorStage>,
    pub(crate) samples: &'a [u64; 5],
    /// Client and target, with U+0000 between them.
    pub(crate) pair: &'a str,
    pub(crate) client_bytes: usize,
    pub(crate) network_context: &'a str,
    /// The JSON of the client's labels and of the target's, with U+0000 between them; empty where there are none.
    pub(crate) labels: &'a str,
}

impl EventRef<'_> {
    pub(crate) fn recency(&self) -> Recency {
        Recency { ts: self.ts, came_late: self.came_late }
    }
}

impl EventBatch {
    /// A batch without events.
    pub(crate) fn new(partition: Partition, position: Position) -> Self {
        Self { partition, position, ..Self::default() }
    }

    /// Says only that the partition's open windows should be shown, and whether the log has ended.
    pub(crate) fn flush(partition: Partition, ends: bool) -> Self {
        Self { partition, flush: true, ends, ..Self::default() }
    }

    /// A mark.
    pub(crate) fn mark(Mark { partition, number }: Mark) -> Self {
        Self { partition, mark: Some(number), ..Self::default() }
    }

    /// Adds an event that the log took at `log_time`.
    pub(crate) fn push(&mut self, event: &Event<'_>, log_time: LogTime) {
        let text_start = self.text.len();
        let context = event.network_context.unwrap_or_default();
        self.text.push_str(&event.client_id);
        self.text.push('\0');
        self.text.push_str(&event.target);
        self.text.push_str(context);
        let labels_start = self.text.len();
        if event.labels != [None; 2] {
            let [client, target] = event.labels.map(Option::unwrap_or_default);
            self.text.extend([client, "\0", target]);
        }
        self.events.push(DecodedEvent {
            log_time,
            ts: event.ts,
            id: Fingerprint::of(&event.event_id),
            error_stage: event.error_stage,
            samples: event.samples.map(|sample| sample.unwrap_or(NO_SAMPLE)),
            text_start,
            // `Event::parse` bounds both below 2¹⁶; context and labels are parts of a line, and lines are bounded far below 2³².
            client_bytes: event.client_id.len() as u16,
            target_bytes: event.target.len() as u16,
            context_bytes: context.len() as u32,
            labels_bytes: (self.text.len() - labels_start) as u32,
        });
    }

    /// Keeps the line of the event that was pushed last, in case it turns out to be too far ahead of the log.
    pub(crate) fn suspect(&mut self, letter: DeadLetter) {
        self.suspects.push((self.events.len() as u32 - 1, letter));
    }

    /// The line of an event that turned out to be too far ahead.
    pub(crate) fn take_suspect(&mut self, index: usize) -> Option<DeadLetter> {
        let found = self.suspects.iter().position(|(event, _)| *event as usize == index)?;
        Some(self.suspects.swap_remove(found).1)
    }

    pub(crate) fn len(&self) -> usize {
        self.events.len()
    }

    pub(crate) fn get(&self, index: usize) -> EventRef<'_> {
        let event = &self.events[index];
        let pair_end = event.text_start + usize::from(event.client_bytes) + 1 + usize::from(event.target_bytes);
        let context_end = pair_end + event.context_bytes as usize;
        EventRef {
            log_time: event.log_time,
            ts: event.ts,
            came_late: self.came_late,
            id: event.id,
            error_stage: event.error_stage,
            samples: &event.samples,
            pair: &self.text[event.text_start..pair_end],
            client_bytes: usize::from(event.client_bytes),
            network_context: &self.text[pair_end..context_end],
            labels: &self.text[context_end..context_end + event.labels_bytes as usize],
        }
    }
}
