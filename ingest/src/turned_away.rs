//! What ingest does not take: counted by reason, and with one of them, so that somebody who looks knows whose it is.

use std::sync::Arc;

use netqoe_model::metrics::Metrics;
use netqoe_model::{Example, LeftOut, Uncounted};
use netqoe_server::{Clock, Code, Refusal};
use serde::Deserialize;

use crate::refusals::Refusals;

/// Longest event that is read once more for the names in it: longer ones are no measurements.
const MAX_CLAIM_BYTES: usize = 64 << 10;

/// Whose an event is, as its text says. It may be anything.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub(crate) struct Claim {
    #[serde(default)]
    pub(crate) client_id: Option<String>,
    #[serde(default)]
    pub(crate) target: Option<String>,
}

impl Claim {
    /// Of a text that is no event. Where its names are none, nothing is known.
    pub(crate) fn in_text(text: &[u8]) -> Self {
        if text.len() > MAX_CLAIM_BYTES {
            return Self::default();
        }
        serde_json::from_slice(text).unwrap_or_default()
    }

    pub(crate) fn of(client_id: &str, target: &str) -> Self {
        Self { client_id: Some(client_id.to_owned()), target: Some(target.to_owned()) }
    }
}

/// A request that is refused as a whole.
#[derive(Debug)]
pub(crate) struct TurnedAway {
    pub(crate) refusal: Refusal,
    /// How many events it has, where they were found; else it counts as one.
    pub(crate) events: u64,
    /// Of one of them.
    pub(crate) claim: Claim,
}

impl From<Refusal> for TurnedAway {
    fn from(refusal: Refusal) -> Self {
        Self { refusal, events: 1, claim: Claim::default() }
    }
}

/// Counts what is not taken.
pub(crate) struct Turnstile {
    metrics: Metrics,
    /// Where those look who want to know the last ones.
    uncounted: Option<Uncounted>,
    clock: Arc<dyn Clock>,
}

impl Turnstile {
    pub(crate) fn new(metrics: Metrics, uncounted: Option<Uncounted>, clock: Arc<dyn Clock>) -> Self {
        Self { metrics, uncounted, clock }
    }

    /// Counts a request that is refused as a whole.
    pub(crate) fn turned_away(&self, TurnedAway { refusal, events, claim }: &TurnedAway) {
        self.count(refusal.error, *events, claim, &refusal.message);
    }

    /// Counts the events of a batch that are refused.
    pub(crate) fn left_out(&self, refusals: &Refusals) {
        for of_code in refusals.by_code() {
            self.count(of_code.code, of_code.count, &of_code.claim, &of_code.message);
        }
    }

    /// Counts a request that did not come as far as its events, for the reason of its answer.
    pub(crate) fn not_let_in(&self, code: Code) {
        let message = "the request has no token, or not a right one, or comes from another site";
        self.count(code, 1, &Claim::default(), message);
    }

    fn count(&self, code: Code, events: u64, claim: &Claim, message: &str) {
        let reason = code.as_str();
        self.metrics.ingest_refused.with_label_values(&[reason]).inc_by(events);
        if let Some(uncounted) = &self.uncounted {
            let (client_id, target) = (claim.client_id.as_deref(), claim.target.as_deref());
            let example = Example { client_id, target, message };
            uncounted.note(self.clock.now_ms(), LeftOut::Refused, reason, events, example);
        }
    }
}
