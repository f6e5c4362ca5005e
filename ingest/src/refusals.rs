//! The events of a batch that were refused.

use netqoe_server::{Code, Refusal};
use serde::Serialize;
use utoipa::ToSchema;

/// Refused events of a batch that are named in its answer: enough to see what is wrong, and a short answer even where
/// everything is.
const MAX_NAMED_REFUSALS: usize = 100;

/// An event of a batch that was refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct RefusedEvent {
    /// Which event of the batch, from 0; blank lines are not counted.
    pub(crate) index: u64,
    /// Why.
    #[serde(flatten)]
    pub(crate) refusal: Refusal,
}

/// Refused events: all counted, the first [`MAX_NAMED_REFUSALS`] kept.
#[derive(Debug, Default)]
pub(crate) struct Refusals {
    pub(crate) count: u64,
    /// By index.
    pub(crate) first: Vec<RefusedEvent>,
    codes_differ: bool,
}

impl Refusals {
    /// Counts a refusal; indices come in rising order.
    pub(crate) fn push(&mut self, index: u64, refusal: Refusal) {
        self.count += 1;
        self.codes_differ |= self.first.first().is_some_and(|first| first.refusal.error != refusal.error);
        if self.first.len() < MAX_NAMED_REFUSALS {
            self.first.push(RefusedEvent { index, refusal });
        }
    }

    /// Adds other refusals of the same batch.
    pub(crate) fn merge(&mut self, other: Self) {
        self.count += other.count;
        self.codes_differ |= other.codes_differ;
        self.first.extend(other.first);
        self.codes_differ |= self.first.windows(2).any(|pair| pair[0].refusal.error != pair[1].refusal.error);
        self.first.sort_by_key(|refused| refused.index);
        self.first.truncate(MAX_NAMED_REFUSALS);
    }

    /// One refusal for all of them: with their code where it is one and the same, and with the first one's message.
    pub(crate) fn summary(&self) -> Refusal {
        let message = match self.first.first() {
            Some(RefusedEvent { index, refusal }) => {
                format!("none of {} events was accepted; event {index}: {}", self.count, refusal.message)
            }
            None => "there is no event in it; send at least one".to_owned(),
        };
        match self.first.first() {
            Some(first) if !self.codes_differ => Refusal { message: message.into(), ..first.refusal.clone() },
            _ => Refusal::new(Code::InvalidRequest, message),
        }
    }
}
