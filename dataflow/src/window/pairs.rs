//! Pairs of client and target, named once and numbered from then on.

use std::rc::Rc;
use std::sync::Arc;

use hashbrown::HashMap;
use netqoe_model::{Partition, WindowStart};
use serde::{Deserialize, Serialize};

use super::OpenWindow;
use super::clients::ClientIndex;
use super::partition::PairDue;
use crate::judge::PairState;

/// A pair of client and target, known to the worker that owns its partition. Numbers of forgotten pairs are given out
/// again, with a new [`PairName`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct PairId {
    partition: Partition,
    index: u32,
}

impl PairId {
    /// The pair with this number in its partition.
    pub fn new(partition: Partition, index: u32) -> Self {
        Self { partition, index }
    }

    /// The client of the pair.
    pub fn partition(self) -> Partition {
        self.partition
    }

    /// Its number in the partition.
    pub fn index(self) -> u32 {
        self.index
    }
}

/// Which pair a number stands for from now on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PairName {
    /// The number.
    pub pair: PairId,
    /// The client that measures.
    pub client_id: Arc<str>,
    /// What is measured.
    pub target: Arc<str>,
}

/// All that is remembered of a pair.
#[derive(Debug)]
pub(super) struct Pair {
    pub(super) key: Arc<str>,
    pub(super) client: ClientIndex,
    /// Windows that can still change; a handful at most.
    pub(super) open: Vec<OpenWindow>,
    /// What its closed windows have led to; of a new pair, nothing.
    pub(super) past: Option<Rc<PairState>>,
    /// What the collection holds of that, which must be taken back before another is put there.
    pub(super) shown_past: Option<Rc<PairState>>,
    /// Of the minute that the log has passed last.
    pub(super) due: PairDue,
}

impl Pair {
    /// The open window that starts here.
    pub(super) fn open_at(&mut self, start: WindowStart) -> Option<&mut OpenWindow> {
        self.open.iter_mut().rev().find(|window| window.start == start)
    }

    /// Whether the collection holds an open window of it.
    pub(super) fn is_shown(&self) -> bool {
        self.open.iter().any(|window| window.shown.is_some())
    }

    /// Start of the newest window that is remembered.
    pub(super) fn newest(&self) -> Option<WindowStart> {
        let open = self.open.iter().map(|window| window.start);
        open.chain(self.past.as_ref().and_then(|past| past.newest())).max()
    }
}

/// The pairs of one partition.
#[derive(Debug, Default)]
pub(super) struct Pairs {
    by_key: HashMap<Arc<str>, u32>,
    pairs: Vec<Option<Pair>>,
    free: Vec<u32>,
}

impl Pairs {
    /// The number of a known pair; `key` is client, U+0000, target.
    pub(super) fn find(&self, key: &str) -> Option<u32> {
        self.by_key.get(key).copied()
    }

    pub(super) fn add(&mut self, key: &str, client: ClientIndex) -> u32 {
        let key: Arc<str> = key.into();
        let pair =
            Pair { key: key.clone(), client, open: Vec::new(), past: None, shown_past: None, due: PairDue::Nothing };
        let index = if let Some(index) = self.free.pop() {
            self.pairs[index as usize] = Some(pair);
            index
        } else {
            self.pairs.push(Some(pair));
            self.pairs.len() as u32 - 1
        };
        self.by_key.insert(key, index);
        index
    }

    /// A pair that was added and not removed since.
    pub(super) fn get(&mut self, index: u32) -> &mut Pair {
        // Numbers come from `find` and `add`, and are dropped wherever they are kept before `remove`.
        #[allow(clippy::expect_used)]
        self.pairs[index as usize].as_mut().expect("a known pair")
    }

    /// Forgets the pairs whose newest window starts before `horizon`, and returns them.
    pub(super) fn remove_idle(&mut self, horizon: WindowStart) -> Vec<Pair> {
        let old = |pair: &mut Pair| pair.newest().is_none_or(|newest| newest < horizon);
        let idle = |slot: &mut Option<Pair>| slot.take_if(old);
        let removed: Vec<_> = self
            .pairs
            .iter_mut()
            .enumerate()
            .filter_map(|(index, slot)| idle(slot).map(|pair| (index as u32, pair)))
            .collect();
        let remove = |(index, pair): (u32, Pair)| {
            self.by_key.remove(&pair.key);
            self.free.push(index);
            pair
        };
        removed.into_iter().map(remove).collect()
    }

    pub(super) fn into_each(self) -> impl Iterator<Item = Pair> {
        self.pairs.into_iter().flatten()
    }

    pub(super) fn len(&self) -> usize {
        self.by_key.len()
    }
}
