//! How it stands with one receiver: whether it may be called, what goes together, and what follows from an outcome.

use std::collections::BTreeSet;

use netqoe_sinks::outbox::{Attempted, WaitingMessage};

use crate::config::ReceiverKind;
use crate::pause::{LONGEST_ASKED_MS, pause_ms};
use crate::postman::{Delivery, is_due};
use crate::rate::RateLimit;
use crate::receiver::{Outcome, Receiver};

/// How often a receiver's messages are looked for where there were none. New ones are looked for at once.
pub(crate) const LOOKED_EVERY_MS: i64 = 10_000;

/// How often a receiver that forgets is told again what stands: as often as Prometheus tells an Alertmanager, by its default.
const REMINDED_EVERY_MS: i64 = 60_000;

/// What is to be kept to with a receiver.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Its name.
    pub name: String,
    /// What it is.
    pub kind: ReceiverKind,
    /// Deliveries a minute.
    pub max_per_minute: usize,
    /// Messages in one delivery.
    pub max_grouped: usize,
}

impl From<&Receiver> for Policy {
    fn from(receiver: &Receiver) -> Self {
        let Receiver { name, kind, max_per_minute, max_grouped, .. } = receiver;
        Self { name: name.clone(), kind: *kind, max_per_minute: *max_per_minute, max_grouped: *max_grouped }
    }
}

/// How it stands with one receiver.
pub(crate) struct LetterBox {
    pub(crate) policy: Policy,
    rate: RateLimit,
    pub(crate) state: State,
    pub(crate) failures: u32,
    /// Nothing is sent before.
    not_before_ms: i64,
    /// Nothing is looked for before.
    pub(crate) look_ms: i64,
    /// Messages that were refused together with others, and are tried alone.
    pub(crate) alone: BTreeSet<String>,
    /// When it was last reminded of what stands.
    reminded_ms: Option<i64>,
}

pub(crate) enum State {
    Idle,
    Sending,
    /// What the store could not be told yet.
    Unsettled(Vec<String>, Attempted),
}

impl LetterBox {
    /// Of a receiver that nothing was sent to yet.
    pub(crate) fn new(policy: Policy) -> Self {
        let rate = RateLimit::new(policy.max_per_minute);
        let (not_before_ms, look_ms) = (i64::MIN, i64::MIN);
        let (alone, reminded_ms) = (BTreeSet::new(), None);
        Self { policy, rate, state: State::Idle, failures: 0, not_before_ms, look_ms, alone, reminded_ms }
    }

    /// Whether it is to be reminded of what stands, if it has no message to get. Then it counts as reminded.
    pub(crate) fn reminds(&mut self, now_ms: i64) -> bool {
        let reminds = self.policy.kind.forgets() && is_due(self.reminded_ms, REMINDED_EVERY_MS, now_ms);
        if reminds {
            self.reminded_ms = Some(now_ms);
        }
        reminds
    }

    /// Whether a delivery may begin now.
    pub(crate) fn is_ready(&mut self, now_ms: i64) -> bool {
        // A pause that is longer than any was made before the clock was set back.
        let is_paused = self.not_before_ms > now_ms && self.not_before_ms - now_ms <= LONGEST_ASKED_MS;
        let has_nothing = self.look_ms > now_ms && self.look_ms - now_ms <= LOOKED_EVERY_MS;
        matches!(self.state, State::Idle) && !is_paused && !has_nothing && self.rate.allows(now_ms)
    }

    /// Counts a delivery that begins.
    pub(crate) fn begin(&mut self, now_ms: i64) {
        self.state = State::Sending;
        self.rate.count(now_ms);
    }

    /// The first messages, as many as go together.
    pub(crate) fn group(&self, due: Vec<WaitingMessage>) -> Vec<WaitingMessage> {
        let is_alone = |message: &WaitingMessage| self.alone.contains(&message.id);
        if due.first().is_some_and(is_alone) {
            return due.into_iter().take(1).collect();
        }
        due.into_iter().take_while(|message| !is_alone(message)).collect()
    }

    /// What the store is told, and what follows for the next delivery.
    pub(crate) fn attempted(&mut self, delivery: &Delivery, outcome: &Outcome, random: f64, now_ms: i64) -> Attempted {
        match outcome {
            Outcome::Delivered => {
                self.failures = 0;
                delivery.ids.iter().for_each(|id| {
                    self.alone.remove(id);
                });
                Attempted::Delivered { at_ms: now_ms }
            }
            // The others are sent meanwhile. It may be one of several: then they are tried one by one, at once.
            Outcome::Refused { error } => {
                let pause_ms = if delivery.ids.len() > 1 { 0 } else { pause_ms(delivery.attempts + 1, random) };
                self.alone.extend(delivery.ids.iter().cloned());
                Attempted::Failed { due_ms: now_ms.saturating_add(pause_ms), error: error.clone() }
            }
            Outcome::Away { error, retry_after } => {
                self.failures = self.failures.saturating_add(1);
                let asked = retry_after.map_or(0, |asked| i64::try_from(asked.as_millis()).unwrap_or(i64::MAX));
                let pause_ms = pause_ms(self.failures, random).max(asked.min(LONGEST_ASKED_MS));
                self.not_before_ms = now_ms.saturating_add(pause_ms);
                Attempted::Failed { due_ms: self.not_before_ms, error: error.clone() }
            }
        }
    }
}
