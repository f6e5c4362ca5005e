//! What runs beside the pipeline: a thread that owns the outbox, and a delivery for each receiver on the runtime.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver as Events, RecvTimeoutError, Sender, bounded};
use netqoe_sinks::StoreError;
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;

use crate::message::Message;
use crate::postman::{Delivery, Postman};
use crate::receiver::{Outcome, Receiver};

/// How often the store is asked for what is new.
const TICK: Duration = Duration::from_secs(1);

/// How long deliveries that are under way at the end are waited for. What is not noted is sent again after the next start.
const LAST_DELIVERIES: Duration = Duration::from_secs(2);

/// Sends notifications until it is asked to stop.
pub struct Notifier {
    postman: Postman,
    receivers: Vec<Arc<Receiver>>,
    clock: fn() -> i64,
    runtime: Handle,
}

/// All that wakes the thread.
enum Event {
    Ended(Delivery, Outcome),
    Stop,
}

impl Notifier {
    /// `receivers` are those of the postman's policies, in their order. `clock` gives the present in Unix milliseconds.
    pub fn new(postman: Postman, receivers: Vec<Arc<Receiver>>, clock: fn() -> i64, runtime: Handle) -> Self {
        Self { postman, receivers, clock, runtime }
    }

    /// Blocks its thread until `stop`, or until another process has taken over.
    pub fn run(mut self, stop: &CancellationToken) {
        // A delivery for each receiver, and the end.
        let (sender, events) = bounded(self.receivers.len() + 1);
        self.runtime.spawn(wait_for_end(stop.clone(), sender.clone()));
        let mut trouble = Trouble::default();
        let mut under_way = 0;
        // Asked in each turn too: where the runtime ends, nobody sends the event.
        while !stop.is_cancelled() {
            match trouble.note(self.postman.step((self.clock)())) {
                Noted::Done(deliveries) => {
                    under_way += deliveries.len();
                    deliveries.into_iter().for_each(|delivery| self.send(delivery, &sender));
                }
                Noted::Later => {}
                Noted::Never => return,
            }
            match events.recv_timeout(TICK) {
                Ok(Event::Ended(delivery, outcome)) => {
                    under_way -= 1;
                    trouble.note(self.postman.end(delivery, &outcome, (self.clock)()));
                }
                Ok(Event::Stop) => break,
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
        self.note_the_last(under_way, &events);
    }

    fn send(&self, delivery: Delivery, sender: &Sender<Event>) {
        let Some(receiver) = self.receivers.get(delivery.receiver).cloned() else { return };
        let (sender, now_ms) = (sender.clone(), (self.clock)());
        self.runtime.spawn(async move {
            let outcome = receiver.deliver(&delivery.messages, now_ms).await;
            // There is room for it. The thread may have ended.
            sender.try_send(Event::Ended(delivery, outcome)).ok();
        });
    }

    fn note_the_last(&mut self, mut under_way: usize, events: &Events<Event>) {
        let until = Instant::now() + LAST_DELIVERIES;
        while under_way > 0 {
            let Ok(event) = events.recv_deadline(until) else { return };
            if let Event::Ended(delivery, outcome) = event {
                under_way -= 1;
                if let Err(error) = self.postman.end(delivery, &outcome, (self.clock)()) {
                    tracing::warn!("what became of a notification is not noted, and it is sent again: {error}");
                }
            }
        }
    }
}

async fn wait_for_end(stop: CancellationToken, sender: Sender<Event>) {
    stop.cancelled().await;
    sender.try_send(Event::Stop).ok();
}

/// The store's trouble, which is said once and not in each second.
#[derive(Default)]
struct Trouble {
    is_said: bool,
}

enum Noted<T> {
    Done(T),
    /// It is tried again.
    Later,
    /// Another process does it from now on.
    Never,
}

impl Trouble {
    fn note<T>(&mut self, result: Result<T, StoreError>) -> Noted<T> {
        match result {
            Ok(done) => {
                self.is_said = false;
                Noted::Done(done)
            }
            Err(error @ StoreError::Fenced { .. }) => {
                tracing::warn!("this process sends no more notifications: {error}");
                Noted::Never
            }
            Err(error) => {
                if !self.is_said {
                    tracing::warn!("notifications wait: {error}");
                    self.is_said = true;
                }
                Noted::Later
            }
        }
    }
}

/// Sends a test message to each receiver, past the outbox, and says what became of it.
pub async fn test_receivers(receivers: &[Receiver], now_ms: i64) -> Vec<Outcome> {
    let mut outcomes = Vec::with_capacity(receivers.len());
    for receiver in receivers {
        outcomes.push(receiver.deliver(&[Message::test(now_ms)], now_ms).await);
    }
    outcomes
}
