//! The thread that owns the spool: a flush of the disk must not delay the thread that measures.
//!
//! Decision: D-038.

use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use netqoe_model::EventTime;
use tokio::sync::{Notify, mpsc, oneshot};
use tracing::warn;

use super::bounds::Excess;
use super::counts::Counts;
use super::spool::{Kept, Settled, Spool, SpoolError};

/// Requests that wait for the thread: one for each target whose measurement has just ended, as a rule. Beyond it, targets
/// wait for their turn to report.
const MAX_WAITING: usize = 256;
/// How often it is said again that events are lost.
const SAY_AGAIN: Duration = Duration::from_mins(1);

type Reply<T> = oneshot::Sender<Result<T, SpoolError>>;

enum Request {
    Keep(Keep),
    Oldest { most: usize, reply: Reply<Vec<Kept>> },
    EarliestUntimely { most: usize, reply: Reply<Vec<Kept>> },
    Settle { settled: Settled, reply: Reply<Standing> },
    Close,
}

/// What is in the spool.
#[derive(Clone, Copy, Debug)]
pub(super) struct Standing {
    pub(super) events: u64,
    pub(super) untimely: u64,
}

struct Keep {
    event: String,
    reply: Reply<()>,
}

/// A way to the thread.
#[derive(Clone)]
pub(super) struct SpoolHandle {
    requests: mpsc::Sender<Request>,
    /// Told whenever there is something new.
    pub(super) fresh: Arc<Notify>,
}

pub(super) struct SpoolThread<C> {
    spool: Spool,
    now: C,
    counts: Arc<Counts>,
    requests: mpsc::Receiver<Request>,
    fresh: Arc<Notify>,
    dropped: Dropped,
}

impl<C: Fn() -> EventTime + Send + 'static> SpoolThread<C> {
    pub(super) fn start(spool: Spool, now: C, counts: Arc<Counts>) -> std::io::Result<(SpoolHandle, JoinHandle<()>)> {
        let (sender, requests) = mpsc::channel(MAX_WAITING);
        let fresh = Arc::new(Notify::new());
        let thread = Self { spool, now, counts, requests, fresh: Arc::clone(&fresh), dropped: Dropped::default() };
        let thread = std::thread::Builder::new().name("spool".to_owned()).spawn(move || thread.run())?;
        Ok((SpoolHandle { requests: sender, fresh }, thread))
    }

    fn run(mut self) {
        while let Some(request) = self.requests.blocking_recv() {
            let mut next = Some(request);
            while let Some(request) = next.take() {
                match request {
                    Request::Keep(first) => next = self.keep(first),
                    // The requester has gone.
                    Request::Oldest { most, reply } => drop(reply.send(self.oldest(most))),
                    Request::EarliestUntimely { most, reply } => drop(reply.send(self.spool.earliest_untimely(most))),
                    Request::Close => return,
                    Request::Settle { settled, reply } => {
                        let settled = self.spool.settle(&settled);
                        let (events, untimely) = (self.spool.events(), self.spool.untimely());
                        let settled = settled.map(|()| Standing { events, untimely });
                        self.count();
                        drop(reply.send(settled));
                    }
                }
            }
        }
    }

    /// Keeps all events that wait with one flush of the disk. Returns what else was found waiting.
    fn keep(&mut self, first: Keep) -> Option<Request> {
        let mut group = vec![first];
        let other = loop {
            match self.requests.try_recv() {
                Ok(Request::Keep(keep)) => group.push(keep),
                Ok(other) => break Some(other),
                Err(_) => break None,
            }
        };
        let now = (self.now)();
        let kept = self.spool.keep(group.iter().map(|keep| keep.event.as_str()), now);
        let kept = kept.map(|dropped| self.drop_counted(dropped, now));
        self.count();
        group.into_iter().for_each(|keep| drop(keep.reply.send(kept.clone())));
        self.fresh.notify_one();
        other
    }

    fn oldest(&mut self, most: usize) -> Result<Vec<Kept>, SpoolError> {
        let now = (self.now)();
        let dropped = self.spool.hold_bounds(now)?;
        self.drop_counted(dropped, now);
        self.count();
        self.spool.oldest(most)
    }

    fn count(&self) {
        self.counts.set_waiting(self.spool.events(), self.spool.bytes(), self.spool.untimely());
    }

    fn drop_counted(&mut self, dropped: Excess, now: EventTime) {
        self.counts.add_dropped(dropped);
        if let Some(events) = self.dropped.take_in(dropped.events, now) {
            warn!(events, "the spool is full or its events too old: the oldest were dropped without having been sent");
        }
    }
}

/// What was dropped and not yet said.
#[derive(Default)]
struct Dropped {
    unsaid: u64,
    said_at: Option<EventTime>,
}

impl Dropped {
    /// Takes in what was dropped, and returns what is to be said.
    fn take_in(&mut self, events: u64, now: EventTime) -> Option<u64> {
        self.unsaid += events;
        let silent_ms = self.said_at.map(|said_at| now.ms().saturating_sub(said_at.ms()).unsigned_abs());
        let is_due = silent_ms.is_none_or(|silent_ms| u128::from(silent_ms) >= SAY_AGAIN.as_millis());
        if self.unsaid == 0 || !is_due {
            return None;
        }
        self.said_at = Some(now);
        Some(std::mem::take(&mut self.unsaid))
    }
}

impl SpoolHandle {
    /// Keeps an event durably.
    pub(super) async fn keep(&self, event: String) -> Result<(), SpoolError> {
        self.ask(|reply| Request::Keep(Keep { event, reply })).await
    }

    /// The untimely events of the earliest times, at most `most`.
    pub(super) async fn earliest_untimely(&self, most: usize) -> Result<Vec<Kept>, SpoolError> {
        self.ask(|reply| Request::EarliestUntimely { most, reply }).await
    }

    /// The oldest of the others, at most `most`.
    pub(super) async fn oldest(&self, most: usize) -> Result<Vec<Kept>, SpoolError> {
        self.ask(|reply| Request::Oldest { most, reply }).await
    }

    /// Settles what was sent. Returns what still waits.
    pub(super) async fn settle(&self, settled: Settled) -> Result<Standing, SpoolError> {
        self.ask(|reply| Request::Settle { settled, reply }).await
    }

    /// Ends the thread once it has done what it was asked before.
    pub(super) async fn close(&self) {
        // It may have ended already.
        self.requests.send(Request::Close).await.unwrap_or_default();
    }

    async fn ask<T>(&self, request: impl FnOnce(Reply<T>) -> Request) -> Result<T, SpoolError> {
        let (reply, answer) = oneshot::channel();
        self.requests.send(request(reply)).await.map_err(|_| SpoolError::Closed)?;
        answer.await.map_err(|_| SpoolError::Closed)?
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_dropped_is_said_at_once_and_then_once_a_minute() {
        let mut dropped = Dropped::default();
        let mut at_s = |now_s: i64, events| dropped.take_in(events, EventTime::from_ms(now_s * 1000));
        assert_eq!(at_s(1, 0), None);
        assert_eq!(at_s(2, 3), Some(3));
        assert_eq!((at_s(3, 4), at_s(61, 5)), (None, None));
        assert_eq!(at_s(62, 6), Some(15));
        assert_eq!(at_s(500, 0), None);
    }
}
