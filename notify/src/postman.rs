//! What is sent when: the outbox's deliveries, one at a time for each receiver. It knows no network and no clock.

use netqoe_model::Generation;
use netqoe_model::metrics::Metrics;
use netqoe_sinks::{Outbox, StoreError};

use crate::config::ReceiverKind;
use crate::letter_box::{LOOKED_EVERY_MS, LetterBox, Policy, State};
use crate::message::Message;
use crate::receiver::Outcome;
use crate::route::Route;
use crate::tell::messages;

/// How long a message is tried. Who hears of an incident a day later looks at the page, and not at a message.
const TRIED_FOR_MS: i64 = 86_400_000;

/// How long a delivered or given up message is kept: somebody may ask what was told, and a correction may follow.
const KEPT_FOR_MS: i64 = 7 * 86_400_000;

/// How often what is old is given up and deleted.
const TIDIED_EVERY_MS: i64 = 3_600_000;

/// How often the waiting messages are counted, at most.
const COUNTED_EVERY_MS: i64 = 5_000;

/// Steps through what is new before messages are sent in between: a day, where each is an hour.
const MAX_STEPS: usize = 24;

/// Messages to be sent at once. [`Postman::end`] wants it back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// The receiver's place in the list of policies.
    pub receiver: usize,
    /// The messages, the oldest first.
    pub messages: Vec<Message>,
    /// Of the messages in the outbox. None of a reminder, which is not kept there.
    pub(crate) ids: Vec<String>,
    pub(crate) attempts: u32,
}

/// Puts what is new into the outbox, and says what is to be sent when.
pub struct Postman {
    outbox: Box<dyn Outbox>,
    generation: Generation,
    routes: Vec<Route>,
    window_ms: i64,
    boxes: Vec<LetterBox>,
    metrics: Metrics,
    /// From 0 to 1.
    random: Box<dyn FnMut() -> f64 + Send>,
    tidied_ms: Option<i64>,
    counted_ms: Option<i64>,
}

impl Postman {
    /// For these receivers, of which [`Delivery::receiver`] counts.
    pub fn new(
        outbox: Box<dyn Outbox>,
        generation: Generation,
        receivers: Vec<Policy>,
        routes: Vec<Route>,
        window_ms: i64,
        metrics: Metrics,
        random: Box<dyn FnMut() -> f64 + Send>,
    ) -> Self {
        for policy in &receivers {
            let kind = &[policy.kind.as_str()];
            // So that they are shown before anything happens.
            metrics.notify_sent.with_label_values(kind).inc_by(0);
            metrics.notify_failed.with_label_values(kind).inc_by(0);
            metrics.notify_given_up.with_label_values(kind).inc_by(0);
        }
        let boxes = receivers.into_iter().map(LetterBox::new).collect();
        Self { outbox, generation, routes, window_ms, boxes, metrics, random, tidied_ms: None, counted_ms: None }
    }

    /// What is to be sent now. A receiver has one delivery at a time.
    ///
    /// # Errors
    /// If the store can't be read or written; the next call goes on. [`StoreError::Fenced`]: it never will.
    pub fn step(&mut self, now_ms: i64) -> Result<Vec<Delivery>, StoreError> {
        self.settle()?;
        self.tell(now_ms)?;
        if is_due(self.tidied_ms, TIDIED_EVERY_MS, now_ms) {
            self.tidy(now_ms)?;
            self.tidied_ms = Some(now_ms);
        }
        let mut deliveries = Vec::new();
        for receiver in 0..self.boxes.len() {
            deliveries.extend(self.begin(receiver, now_ms)?);
        }
        if is_due(self.counted_ms, COUNTED_EVERY_MS, now_ms) {
            self.count()?;
            self.counted_ms = Some(now_ms);
        }
        Ok(deliveries)
    }

    /// Notes what became of a delivery.
    ///
    /// # Errors
    /// If the store can't be written. [`Postman::step`] tries it again, and the receiver is sent nothing meanwhile.
    pub fn end(&mut self, delivery: Delivery, outcome: &Outcome, now_ms: i64) -> Result<(), StoreError> {
        let random = (self.random)();
        let Some(letter_box) = self.boxes.get_mut(delivery.receiver) else { return Ok(()) };
        let kind = &[letter_box.policy.kind.as_str()];
        match outcome {
            Outcome::Delivered => self.metrics.notify_sent.with_label_values(kind).inc_by(delivery.ids.len() as u64),
            Outcome::Refused { error } | Outcome::Away { error, .. } => {
                self.metrics.notify_failed.with_label_values(kind).inc();
                if letter_box.failures == 0 {
                    tracing::warn!(receiver = letter_box.policy.name, "a notification is tried again: {error}");
                }
            }
        }
        let attempted = letter_box.attempted(&delivery, outcome, random, now_ms);
        let is_reminder = delivery.ids.is_empty();
        letter_box.state = if is_reminder { State::Idle } else { State::Unsettled(delivery.ids, attempted) };
        self.settle()?;
        if *outcome != Outcome::Delivered {
            let name = self.boxes.get(delivery.receiver).map(|letter_box| letter_box.policy.name.clone());
            self.give_up(&name.unwrap_or_default(), now_ms)?;
        }
        Ok(())
    }

    fn settle(&mut self) -> Result<(), StoreError> {
        for letter_box in &mut self.boxes {
            if let State::Unsettled(ids, attempted) = &letter_box.state {
                self.outbox.settle(&letter_box.policy.name, ids, attempted)?;
                letter_box.state = State::Idle;
                letter_box.look_ms = i64::MIN;
            }
        }
        Ok(())
    }

    /// Puts what is new into the outbox.
    fn tell(&mut self, now_ms: i64) -> Result<(), StoreError> {
        for _ in 0..MAX_STEPS {
            let Some(news) = self.outbox.news()? else { return Ok(()) };
            let receivers: Vec<&str> = self.boxes.iter().map(|letter_box| letter_box.policy.name.as_str()).collect();
            let messages = messages(&news, &receivers, &self.routes, self.window_ms);
            let done = self.outbox.enqueue(self.generation, news.until, &messages, now_ms)?;
            if done.left_off > 0 {
                self.metrics.notify_left_off.inc_by(done.left_off as u64);
                tracing::warn!(
                    messages = done.left_off,
                    "notifications are left off: too many wait for their receiver"
                );
            }
            if done.queued > 0 {
                self.boxes.iter_mut().for_each(|letter_box| letter_box.look_ms = i64::MIN);
            }
        }
        Ok(())
    }

    /// The next delivery of a receiver, where one is due.
    fn begin(&mut self, receiver: usize, now_ms: i64) -> Result<Option<Delivery>, StoreError> {
        let Some(letter_box) = self.boxes.get_mut(receiver) else { return Ok(None) };
        if !letter_box.is_ready(now_ms) {
            return Ok(None);
        }
        let limit = letter_box.policy.max_grouped;
        let due = self.outbox.due(self.generation, &letter_box.policy.name, now_ms, limit)?;
        if due.is_empty() {
            letter_box.look_ms = now_ms.saturating_add(LOOKED_EVERY_MS);
            return self.remind(receiver, now_ms);
        }
        let group = letter_box.group(due);
        let ids: Vec<String> = group.iter().map(|message| message.id.clone()).collect();
        let attempts = group.iter().map(|message| message.attempts).max().unwrap_or_default();
        let messages: Result<Vec<Message>, _> = group.iter().map(|one| serde_json::from_str(&one.body)).collect();
        letter_box.begin(now_ms);
        match messages {
            Ok(messages) => Ok(Some(Delivery { receiver, messages, ids, attempts })),
            Err(error) => {
                let error = format!("the store holds a message that this version does not understand: {error}");
                let unread = Delivery { receiver, messages: Vec::new(), ids, attempts };
                self.end(unread, &Outcome::Refused { error }, now_ms)?;
                Ok(None)
            }
        }
    }

    /// What stands is told once more to a receiver that keeps it in memory only, and may have been restarted.
    fn remind(&mut self, receiver: usize, now_ms: i64) -> Result<Option<Delivery>, StoreError> {
        let Some(letter_box) = self.boxes.get_mut(receiver) else { return Ok(None) };
        if !letter_box.reminds(now_ms) {
            return Ok(None);
        }
        let standing = self.outbox.standing(self.generation, &letter_box.policy.name)?;
        // What another version of netqoe has written may have fields that this one does not know. It was delivered.
        let messages = standing.iter().filter_map(|one| serde_json::from_str::<Message>(&one.body).ok());
        let messages: Vec<Message> = messages.filter(|one| !one.event.ends()).map(Message::into_standing).collect();
        if messages.is_empty() {
            return Ok(None);
        }
        letter_box.begin(now_ms);
        Ok(Some(Delivery { receiver, messages, ids: Vec::new(), attempts: 0 }))
    }

    fn give_up(&mut self, receiver: &str, now_ms: i64) -> Result<(), StoreError> {
        let given_up = self.outbox.give_up(receiver, now_ms.saturating_sub(TRIED_FOR_MS), now_ms)?;
        if given_up > 0 {
            let policy = self.boxes.iter().map(|letter_box| &letter_box.policy).find(|policy| policy.name == receiver);
            let kind = policy.map_or("removed", |policy| policy.kind.as_str());
            self.metrics.notify_given_up.with_label_values(&[kind]).inc_by(given_up);
            tracing::error!(
                receiver,
                messages = given_up,
                "notifications are given up after a day; see `netqoe notify list`, and try `netqoe notify test`"
            );
        }
        Ok(())
    }

    /// Also of receivers that are configured no more.
    fn tidy(&mut self, now_ms: i64) -> Result<(), StoreError> {
        for counts in self.outbox.counts()? {
            if counts.waiting > 0 {
                self.give_up(&counts.receiver, now_ms)?;
            }
        }
        self.outbox.forget(now_ms.saturating_sub(KEPT_FOR_MS))?;
        self.boxes.iter_mut().for_each(|letter_box| letter_box.alone.clear());
        Ok(())
    }

    fn count(&mut self) -> Result<(), StoreError> {
        let counts = self.outbox.counts()?;
        for kind in ReceiverKind::ALL {
            let names = self.boxes.iter().filter(|letter_box| letter_box.policy.kind == kind);
            let names: Vec<&str> = names.map(|letter_box| letter_box.policy.name.as_str()).collect();
            if !names.is_empty() {
                let of_kind = counts.iter().filter(|counts| names.contains(&counts.receiver.as_str()));
                let waiting: u64 = of_kind.map(|counts| counts.waiting).sum();
                self.metrics.notify_waiting.with_label_values(&[kind.as_str()]).set(waiting.cast_signed());
            }
        }
        Ok(())
    }
}

/// A time that lies ahead is that of a clock that was set back.
pub(crate) fn is_due(last_ms: Option<i64>, every_ms: i64, now_ms: i64) -> bool {
    last_ms.is_none_or(|last_ms| now_ms < last_ms || now_ms - last_ms >= every_ms)
}
