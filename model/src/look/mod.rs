//! What a partition shows of its pairs each time the log has passed a minute: what incidents are found in.
//!
//! Decisions: D-088, D-091.

mod code;

use std::sync::Arc;

pub use code::InvalidLook;

use crate::{Label, Network, PairTags, Partition, Severity, WindowStart};

/// What one partition saw when its log time passed `at`.
///
/// `at` is a multiple of the window's length. The look reflects the events whose log time is `at` or less, and no others,
/// so every run over the same log has the same looks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Look {
    /// Whose look this is.
    pub partition: Partition,
    /// The time that the log has passed.
    pub at: WindowStart,
    /// The windows that are new, or came to something else than in the look before. By client, target and window.
    pub sightings: Vec<Sighting>,
}

/// One window of one pair, as it stood at a look.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sighting {
    /// The client that measured.
    pub client_id: Arc<str>,
    /// What was measured.
    pub target: Arc<str>,
    /// The window.
    pub window: WindowStart,
    /// What it came to.
    pub standing: Standing,
    /// The network that it was measured over, where an event names one.
    pub network: Option<Arc<Network>>,
    /// The labels of its client and target, where an event carries any.
    pub tags: Option<Arc<PairTags>>,
}

/// What a window of a pair comes to, as far as incidents need to know.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Standing {
    /// It was measured, and there is too little to judge it by.
    #[default]
    Unjudged,
    /// The same, but most of its measurements succeeded: so it speaks against [`Label::ErrorBound`], and neither for nor against
    /// another label.
    Working,
    /// Nothing is out of the ordinary.
    Healthy,
    /// It is degraded. The label is never [`Label::Healthy`].
    Degraded(Label, Severity),
    /// Its diagnosis is healthy, since too few samples show that it is degraded: what they show would be this label, which is
    /// never [`Label::Healthy`]. Several pairs that are suspected at once are evidence.
    Suspected(Label),
}
