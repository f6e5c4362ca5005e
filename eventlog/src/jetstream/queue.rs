//! Appends on their way to the stream: a bounded queue with a lane for each partition.

use std::collections::VecDeque;
use std::time::Instant;

use netqoe_model::{Partition, TraceContext};
use netqoe_trace::Contexts;
use parking_lot::Mutex;
use tokio::sync::{Notify, oneshot};

use crate::AppendError;

/// Parts of requests that may wait. Each belongs to a client that holds a connection open: more than any server allows.
const MAX_WAITING_PARTS: usize = 65_536;
/// Bytes that may wait: what a server takes in about a second, and a memory that every machine has.
const MAX_WAITING_BYTES: usize = 64 << 20;

/// Where the outcome of a part goes.
pub(super) type Answer = oneshot::Sender<Result<(), AppendError>>;
/// Where it comes from.
pub(super) type Answered = oneshot::Receiver<Result<(), AppendError>>;

/// What a request brings for one partition, small enough for a message: newline-delimited JSON, or nothing for a tick.
struct Part {
    lines: Vec<u8>,
    since: Instant,
    trace: Option<TraceContext>,
    answer: Answer,
}

/// What becomes one message.
pub(super) struct Group {
    /// Newline-delimited JSON; empty if only ticks are in it.
    pub lines: Vec<u8>,
    /// When the first of it came.
    pub since: Instant,
    /// The requests that it stems from, where they are traced.
    pub traces: Contexts,
    pub answers: Vec<Answer>,
}

impl Group {
    fn of(part: Part) -> Self {
        let traces = part.trace.into_iter().collect();
        Self { lines: part.lines, since: part.since, traces, answers: vec![part.answer] }
    }

    pub(super) fn answer(self, outcome: &Result<(), AppendError>) {
        for answer in self.answers {
            // A sender that is gone needs no answer; what it sent is in the log all the same.
            drop(answer.send(outcome.clone()));
        }
    }
}

/// A queue that refuses at once when it is full.
pub(super) struct Queue {
    state: Mutex<State>,
    /// Wakes the lane of each partition.
    arrived: Vec<Notify>,
}

struct State {
    lanes: Vec<VecDeque<Part>>,
    waiting_parts: usize,
    waiting_bytes: usize,
    closed: bool,
}

impl Queue {
    pub(super) fn new(partitions: u16) -> Self {
        let lanes = (0..partitions).map(|_| VecDeque::new()).collect();
        Self {
            state: Mutex::new(State { lanes, waiting_parts: 0, waiting_bytes: 0, closed: false }),
            arrived: (0..partitions).map(|_| Notify::new()).collect(),
        }
    }

    /// Puts the parts of a request, whose partitions the log has, at the ends of their lanes: all or none. What crosses
    /// the bound still goes in, since its caller holds it in memory anyway.
    pub(super) fn push(
        &self,
        parts: Vec<(Partition, Vec<u8>)>,
        trace: Option<TraceContext>,
        now: Instant,
    ) -> Result<Vec<Answered>, AppendError> {
        let mut state = self.state.lock();
        if state.closed {
            return Err(AppendError::Closed);
        }
        if state.waiting_parts >= MAX_WAITING_PARTS || state.waiting_bytes >= MAX_WAITING_BYTES {
            return Err(AppendError::Full);
        }
        let mut outcomes = Vec::with_capacity(parts.len());
        for (partition, lines) in parts {
            let (answer, answered) = oneshot::channel();
            state.waiting_parts += 1;
            state.waiting_bytes += lines.len();
            let lane = usize::from(partition.0);
            state.lanes[lane].push_back(Part { lines, since: now, trace, answer });
            self.arrived[lane].notify_one();
            outcomes.push(answered);
        }
        Ok(outcomes)
    }

    /// What waits in a lane, up to `max_bytes` of it but one part at least. Waits until there is something; none once
    /// the queue is closed and the lane empty.
    pub(super) async fn next(&self, partition: Partition, max_bytes: usize) -> Option<Group> {
        let lane = usize::from(partition.0);
        loop {
            // Asked for before looking, so that what comes in between is not missed.
            let arrived = self.arrived[lane].notified();
            if let Some(group) = self.take(lane, max_bytes) {
                return Some(group);
            }
            if self.is_closed() {
                return None;
            }
            arrived.await;
        }
    }

    fn take(&self, lane: usize, max_bytes: usize) -> Option<Group> {
        let mut state = self.state.lock();
        let mut parts = 1;
        let mut group = Group::of(state.lanes[lane].pop_front()?);
        while let Some(part) = state.lanes[lane].front() {
            if group.lines.len() + part.lines.len() > max_bytes {
                break;
            }
            let Some(part) = state.lanes[lane].pop_front() else { break };
            group.lines.extend_from_slice(&part.lines);
            group.traces.extend(part.trace);
            group.answers.push(part.answer);
            parts += 1;
        }
        state.waiting_parts -= parts;
        state.waiting_bytes -= group.lines.len();
        Some(group)
    }

    /// Whether nothing more is taken.
    pub(super) fn is_closed(&self) -> bool {
        self.state.lock().closed
    }

    /// Takes nothing more; what waits is still for the lanes.
    pub(super) fn close(&self) {
        self.state.lock().closed = true;
        self.arrived.iter().for_each(Notify::notify_one);
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;

    use super::*;

    fn push(queue: &Queue, partition: u16, bytes: usize) -> Result<(), AppendError> {
        queue.push(vec![(Partition(partition), vec![b'x'; bytes])], None, Instant::now()).map(drop)
    }

    /// Sizes of the next group: of its lines, and of its answers.
    fn next(queue: &Queue, partition: u16, max_bytes: usize) -> Option<(usize, usize)> {
        let group = queue.next(Partition(partition), max_bytes).now_or_never().flatten();
        group.map(|group| (group.lines.len(), group.answers.len()))
    }

    #[test]
    fn what_waits_is_joined_by_partition_up_to_a_size() {
        let queue = Queue::new(2);
        for (partition, bytes) in [(0, 4), (1, 9), (0, 6), (0, 0), (0, 1), (0, 20), (0, 2)] {
            push(&queue, partition, bytes).unwrap();
        }
        assert_eq!(next(&queue, 0, 10), Some((10, 3)));
        assert_eq!(next(&queue, 0, 10), Some((1, 1)));
        assert_eq!(next(&queue, 0, 10), Some((20, 1)), "one part at least");
        assert_eq!(next(&queue, 0, 10), Some((2, 1)));
        assert_eq!(next(&queue, 0, 10), None);
        assert_eq!(next(&queue, 1, 10), Some((9, 1)));
        let state = queue.state.lock();
        assert_eq!((state.waiting_parts, state.waiting_bytes), (0, 0));
    }

    #[test]
    fn refuses_at_its_bounds_and_takes_again_after() {
        let queue = Queue::new(1);
        for _ in 0..MAX_WAITING_PARTS {
            push(&queue, 0, 0).unwrap();
        }
        assert_eq!(push(&queue, 0, 0), Err(AppendError::Full));
        assert_eq!(next(&queue, 0, 1), Some((0, MAX_WAITING_PARTS)));
        push(&queue, 0, MAX_WAITING_BYTES).unwrap();
        assert_eq!(push(&queue, 0, 0), Err(AppendError::Full));
        assert_eq!(next(&queue, 0, 1), Some((MAX_WAITING_BYTES, 1)));
        push(&queue, 0, 1).unwrap();
    }

    #[test]
    fn what_waits_at_the_close_is_still_handed_out() {
        let queue = Queue::new(1);
        push(&queue, 0, 1).unwrap();
        queue.close();
        assert_eq!(push(&queue, 0, 1), Err(AppendError::Closed));
        assert_eq!(next(&queue, 0, 10), Some((1, 1)));
        assert!(queue.next(Partition(0), 10).now_or_never().unwrap().is_none());
    }
}
