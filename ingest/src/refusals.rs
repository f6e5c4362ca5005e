//! The events of a batch that were refused.

use netqoe_server::{Code, Refusal};
use serde::Serialize;
use utoipa::ToSchema;

use crate::turned_away::Claim;

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

/// The refused events of a batch with the same code.
#[derive(Debug)]
pub(crate) struct CodeCount {
    pub(crate) code: Code,
    pub(crate) count: u64,
    /// Of the first of them.
    pub(crate) claim: Claim,
    pub(crate) message: String,
}

/// Refused events: all counted, the first [`MAX_NAMED_REFUSALS`] kept.
#[derive(Debug, Default)]
pub(crate) struct Refusals {
    pub(crate) count: u64,
    /// By index.
    pub(crate) first: Vec<RefusedEvent>,
    codes_differ: bool,
    /// As many as there are codes.
    by_code: Vec<CodeCount>,
}

impl Refusals {
    /// Counts a refusal; indices come in rising order. `claim` says whose event it is.
    pub(crate) fn push(&mut self, index: u64, refusal: Refusal, claim: impl FnOnce() -> Claim) {
        self.count += 1;
        match self.by_code.iter_mut().find(|of_code| of_code.code == refusal.error) {
            Some(of_code) => of_code.count += 1,
            None => {
                let message = refusal.message.to_string();
                self.by_code.push(CodeCount { code: refusal.error, count: 1, claim: claim(), message });
            }
        }
        self.codes_differ |= self.first.first().is_some_and(|first| first.refusal.error != refusal.error);
        if self.first.len() < MAX_NAMED_REFUSALS {
            self.first.push(RefusedEvent { index, refusal });
        }
    }

    /// How many there are of each code.
    pub(crate) fn by_code(&self) -> &[CodeCount] {
        &self.by_code
    }

    /// Adds other refusals of the same batch.
    pub(crate) fn merge(&mut self, other: Self) {
        self.count += other.count;
        for more in other.by_code {
            match self.by_code.iter_mut().find(|of_code| of_code.code == more.code) {
                Some(of_code) => of_code.count += more.count,
                None => self.by_code.push(more),
            }
        }
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
