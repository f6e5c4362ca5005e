//! One window of one key while it can still change.

use std::rc::Rc;
use std::sync::Arc;

use netqoe_model::{ErrorStage, LogTime, Network, PairTags, Standing, WindowRow, WindowStart};

use super::{SampleSet, SeenIds};
use crate::event_batch::{EventRef, Recency};

/// What a window has counted, and the row that was last shown of it.
#[derive(Clone, Debug)]
pub struct OpenWindow {
    pub(crate) start: WindowStart,
    count_success: u32,
    errors: [u32; 5],
    samples: SampleSet,
    seen: SeenIds,
    /// What the newest event says that names a network, and how recent that event is.
    network: Option<(Recency, Arc<Network>)>,
    /// The same of labels. Boxed, as most pairs of most fleets have none.
    tags: Option<Box<(Recency, Arc<PairTags>)>>,
    /// The row that stands in the collection of rows, which must be taken back before another is put there.
    pub(crate) shown: Option<Rc<WindowRow>>,
    /// Whether the window has counted anything since.
    pub(crate) changed: bool,
    /// What the last look made of it, if there was one.
    pub(super) looked: Option<Looked>,
    /// Whether the window has counted anything since.
    pub(super) unlooked: bool,
}

/// What a look makes of a window.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Looked {
    standing: Standing,
    network: Option<Arc<Network>>,
    tags: Option<Arc<PairTags>>,
}

impl OpenWindow {
    /// An empty window.
    pub(crate) fn new(start: WindowStart) -> Self {
        Self {
            start,
            count_success: 0,
            errors: [0; 5],
            samples: SampleSet::default(),
            seen: SeenIds::default(),
            network: None,
            tags: None,
            shown: None,
            changed: false,
            looked: None,
            unlooked: false,
        }
    }

    /// Counts an event, unless it is a copy of one that was counted: then false.
    pub(crate) fn insert(&mut self, event: EventRef<'_>, exact_samples: usize) -> bool {
        if !self.seen.insert(event.id) {
            return false;
        }
        match event.error_stage {
            Some(stage) => self.count_error(stage),
            None => {
                self.count_success += 1;
                self.samples.insert(event.samples, exact_samples);
            }
        }
        self.changed = true;
        self.unlooked = true;
        true
    }

    /// A counted event names a network. One event gives all of it: what two events say of a client that moved between
    /// them would be a network that does not exist.
    pub(crate) fn see_network(&mut self, recency: Recency, named: &Arc<Network>) {
        match &mut self.network {
            Some((newest, _)) if recency < *newest => {}
            Some((newest, network)) if Arc::ptr_eq(network, named) => *newest = recency,
            network => *network = Some((recency, Arc::clone(named))),
        }
    }

    /// A counted event carries labels. One event gives those of the client and those of the target, as it does with networks.
    pub(crate) fn see_tags(&mut self, recency: Recency, carried: &Arc<PairTags>) {
        match self.tags.as_deref_mut() {
            Some((newest, _)) if recency < *newest => {}
            Some((newest, tags)) if Arc::ptr_eq(tags, carried) => *newest = recency,
            Some(newest) => *newest = (recency, Arc::clone(carried)),
            None => self.tags = Some(Box::new((recency, Arc::clone(carried)))),
        }
    }

    /// A look makes this of it. Whether that is news.
    pub(super) fn look(&mut self, standing: Standing) -> bool {
        self.unlooked = false;
        let network = self.network.as_ref().map(|(_, network)| network);
        let tags = self.tags.as_ref().map(|newest| &newest.1);
        let is_same = self.looked.as_ref().is_some_and(|was| {
            was.standing == standing && was.network.as_ref() == network && was.tags.as_ref() == tags
        });
        if !is_same {
            self.looked = Some(Looked { standing, network: network.cloned(), tags: tags.cloned() });
        }
        !is_same
    }

    /// The network that it was measured over, where an event names one.
    pub(super) fn network(&self) -> Option<Arc<Network>> {
        self.network.as_ref().map(|(_, network)| Arc::clone(network))
    }

    /// The labels of its client and target, where an event carries any.
    pub(super) fn tags(&self) -> Option<Arc<PairTags>> {
        self.tags.as_ref().map(|newest| Arc::clone(&newest.1))
    }

    fn count_error(&mut self, stage: ErrorStage) {
        self.errors[stage as usize] += 1;
    }

    /// The row as it stands.
    pub(crate) fn row(&self, is_final: bool, as_of: LogTime) -> WindowRow {
        WindowRow {
            start: self.start,
            is_final,
            as_of,
            count_success: self.count_success,
            errors: self.errors,
            percentiles: self.samples.percentiles(),
            network: self.network(),
            tags: self.tags(),
        }
    }
}
