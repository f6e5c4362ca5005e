//! Appends on their way to the writer thread.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use netqoe_model::{LogTime, Partition, TraceContext};
use parking_lot::{Condvar, Mutex};
use tokio::sync::oneshot;

use crate::AppendError;

/// Requests that may wait. Each is a client that holds a connection open: more than any server allows.
const MAX_WAITING_REQUESTS: usize = 16_384;
/// Bytes that may wait: a second of a slow disk's work, and a memory that every machine has.
const MAX_WAITING_BYTES: usize = 64 << 20;
/// Bytes that one group commit takes, where more than one request waits: enough that the disk's flush costs little,
/// few enough that the first of them needn't wait long.
const MAX_GROUP_BYTES: usize = 8 << 20;

/// Newline-delimited JSON for each partition; empty for a tick.
pub(super) type Lines = BTreeMap<Partition, Vec<u8>>;

/// Bytes of event text.
pub(super) fn bytes_of(lines: &Lines) -> usize {
    lines.values().map(Vec::len).sum()
}

/// What is to be appended.
pub(super) enum Payload {
    /// At the log's time, for a request that may be part of a trace.
    Now(Lines, Option<TraceContext>),
    /// At times that are given.
    Import(Vec<(LogTime, Lines)>),
}

impl Payload {
    fn bytes(&self) -> usize {
        match self {
            Self::Now(lines, _) => bytes_of(lines),
            Self::Import(records) => records.iter().map(|(_, lines)| bytes_of(lines)).sum(),
        }
    }
}

/// Where the outcome of a request goes.
pub(super) type Answer = oneshot::Sender<Result<LogTime, AppendError>>;

/// What one request appends.
pub(super) struct Request {
    pub lines: Lines,
    pub trace: Option<TraceContext>,
    pub answer: Answer,
}

/// What the writer puts into one transaction.
pub(super) enum Group {
    /// Everything that was waiting, in order of arrival; may be nothing.
    Now(Vec<Request>),
    /// One import.
    Import(Vec<(LogTime, Lines)>, Answer),
}

/// Why the writer goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Waited {
    /// Something waits to be written.
    Arrived,
    /// Nothing came for as long as it wanted to wait.
    Idle,
    /// Nothing waits, and nothing will come any more.
    Closed,
}

/// A bounded queue that refuses at once when it is full.
#[derive(Default)]
pub(super) struct Queue {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<(Payload, Answer)>,
    waiting_bytes: usize,
    closed: bool,
}

impl Queue {
    /// Puts a payload at the end. An import may go beyond the bound, since its caller holds it in memory anyway.
    pub(super) fn push(
        &self,
        payload: Payload,
    ) -> Result<oneshot::Receiver<Result<LogTime, AppendError>>, AppendError> {
        let bytes = payload.bytes();
        let mut state = self.state.lock();
        if state.closed {
            return Err(AppendError::Closed);
        }
        if state.waiting.len() >= MAX_WAITING_REQUESTS || state.waiting_bytes >= MAX_WAITING_BYTES {
            return Err(AppendError::Full);
        }
        let (answer, answered) = oneshot::channel();
        state.waiting.push_back((payload, answer));
        state.waiting_bytes += bytes;
        self.changed.notify_one();
        Ok(answered)
    }

    /// Waits until something is there to be written, but not longer than `timeout`.
    pub(super) fn wait(&self, timeout: Duration) -> Waited {
        let mut state = self.state.lock();
        if state.waiting.is_empty() && !state.closed {
            self.changed.wait_for(&mut state, timeout);
        }
        match (state.waiting.is_empty(), state.closed) {
            (false, _) => Waited::Arrived,
            (true, false) => Waited::Idle,
            (true, true) => Waited::Closed,
        }
    }

    /// Takes the next group off the queue.
    pub(super) fn take(&self) -> Group {
        let mut state = self.state.lock();
        let mut group = Vec::new();
        let mut group_bytes = 0;
        while let Some((payload, answer)) = state.waiting.pop_front() {
            let bytes = payload.bytes();
            match payload {
                Payload::Now(lines, trace) if group.is_empty() || group_bytes + bytes <= MAX_GROUP_BYTES => {
                    group.push(Request { lines, trace, answer });
                    group_bytes += bytes;
                    state.waiting_bytes -= bytes;
                }
                Payload::Import(records) if group.is_empty() => {
                    state.waiting_bytes -= bytes;
                    return Group::Import(records, answer);
                }
                payload => {
                    state.waiting.push_front((payload, answer));
                    break;
                }
            }
        }
        Group::Now(group)
    }

    /// Whether nothing more is taken.
    pub(super) fn is_closed(&self) -> bool {
        self.state.lock().closed
    }

    /// Takes nothing more; what waits will still be written.
    pub(super) fn close(&self) {
        self.state.lock().closed = true;
        self.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn events(bytes: usize) -> Payload {
        Payload::Now(Lines::from([(Partition(0), vec![b'x'; bytes])]), None)
    }

    fn take_sizes(queue: &Queue) -> Vec<usize> {
        match queue.take() {
            Group::Now(group) => group.iter().map(|request| bytes_of(&request.lines)).collect(),
            Group::Import(..) => panic!("no import expected"),
        }
    }

    #[test]
    fn refuses_at_its_bounds_and_takes_again_after() {
        let queue = Queue::default();
        for _ in 0..MAX_WAITING_REQUESTS {
            queue.push(events(0)).unwrap();
        }
        assert_eq!(queue.push(events(0)).unwrap_err(), AppendError::Full);
        assert_eq!(take_sizes(&queue).len(), MAX_WAITING_REQUESTS);

        queue.push(events(MAX_WAITING_BYTES)).unwrap();
        assert_eq!(queue.push(events(0)).unwrap_err(), AppendError::Full);
        assert_eq!(take_sizes(&queue), [MAX_WAITING_BYTES]);
        queue.push(events(1)).unwrap();
    }

    #[test]
    fn a_group_is_bounded_and_in_order() {
        let queue = Queue::default();
        for bytes in [MAX_GROUP_BYTES + 1, 1, MAX_GROUP_BYTES - 1, 2] {
            queue.push(events(bytes)).unwrap();
        }
        assert_eq!(take_sizes(&queue), [MAX_GROUP_BYTES + 1]);
        assert_eq!(take_sizes(&queue), [1, MAX_GROUP_BYTES - 1]);
        assert_eq!(take_sizes(&queue), [2]);
        assert_eq!(take_sizes(&queue), [] as [usize; 0]);
        assert_eq!(queue.state.lock().waiting_bytes, 0);
    }

    #[test]
    fn an_import_is_a_group_of_its_own() {
        let queue = Queue::default();
        queue.push(events(1)).unwrap();
        queue.push(Payload::Import(Vec::new())).unwrap();
        queue.push(events(2)).unwrap();
        assert_eq!(take_sizes(&queue), [1]);
        assert!(matches!(queue.take(), Group::Import(..)));
        assert_eq!(take_sizes(&queue), [2]);
    }

    #[test]
    fn what_waits_at_the_close_is_still_written() {
        let queue = Queue::default();
        queue.push(events(1)).unwrap();
        queue.close();
        assert_eq!(queue.push(events(1)).unwrap_err(), AppendError::Closed);
        assert_eq!(queue.wait(Duration::ZERO), Waited::Arrived);
        assert_eq!(take_sizes(&queue), [1]);
        assert_eq!(queue.wait(Duration::ZERO), Waited::Closed);
    }
}
