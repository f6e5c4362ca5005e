//! Pairs of client and target, named once and numbered from then on.

use std::hash::BuildHasher;
use std::rc::Rc;
use std::sync::Arc;

use hashbrown::{DefaultHashBuilder, HashTable};
use netqoe_model::{Partition, WindowStart};
use serde::{Deserialize, Serialize};

use super::OpenWindow;
use super::clients::ClientIndex;
use super::few::make_room_for_one;
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
    client_id: Arc<str>,
    target: Arc<str>,
    pub(super) client: ClientIndex,
    /// Windows that can still change, oldest first; a handful at most.
    pub(super) open: Vec<OpenWindow>,
    /// What its closed windows have led to; of a new pair, nothing.
    pub(super) past: Option<Rc<PairState>>,
    /// What the collection holds of that, which must be taken back before another is put there.
    pub(super) shown_past: Option<Rc<PairState>>,
    /// Of the minute that the log has passed last.
    pub(super) due: PairDue,
}

impl Pair {
    fn new(client_id: Arc<str>, target: Arc<str>, client: ClientIndex) -> Self {
        let (open, due) = (Vec::new(), PairDue::Nothing);
        Self { client_id, target, client, open, past: None, shown_past: None, due }
    }

    /// Client, U+0000, target.
    pub(super) fn key(&self) -> Arc<str> {
        [&*self.client_id, "\0", &*self.target].concat().into()
    }

    fn hash_with(&self, hasher: &DefaultHashBuilder) -> u64 {
        hasher.hash_one((&*self.client_id, &*self.target))
    }

    /// Opens the window that starts then and is not open.
    pub(super) fn open(&mut self, start: WindowStart) {
        let later = self.open.iter().rev().take_while(|window| window.start > start).count();
        make_room_for_one(&mut self.open);
        self.open.insert(self.open.len() - later, OpenWindow::new(start));
    }

    /// The open window that starts here.
    pub(super) fn open_at(&mut self, start: WindowStart) -> Option<&mut OpenWindow> {
        self.open.iter_mut().rev().find(|window| window.start == start)
    }

    /// Takes the open window out that starts here.
    pub(super) fn take_open(&mut self, start: WindowStart) -> Option<OpenWindow> {
        let place = self.open.iter().position(|window| window.start == start)?;
        Some(self.open.remove(place))
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
    /// Numbers by the hash of both names, which are with the pair.
    by_name: HashTable<u32>,
    /// With a seed of the process: names are chosen by others.
    hasher: DefaultHashBuilder,
    pairs: Vec<Option<Pair>>,
    free: Vec<u32>,
}

impl Pairs {
    /// The number of a known pair.
    pub(super) fn find(&self, client_id: &str, target: &str) -> Option<u32> {
        let is_it = |index: &u32| {
            let known = self.pairs[*index as usize].as_ref();
            known.is_some_and(|pair| *pair.target == *target && *pair.client_id == *client_id)
        };
        self.by_name.find(self.hasher.hash_one((client_id, target)), is_it).copied()
    }

    /// Adds a pair that is not known.
    pub(super) fn add(&mut self, client_id: Arc<str>, target: Arc<str>, client: ClientIndex) -> u32 {
        let index = self.free.pop().unwrap_or(self.pairs.len() as u32);
        if index as usize == self.pairs.len() {
            self.pairs.push(None);
        }
        let pair = Pair::new(client_id, target, client);
        let (hash, hasher) = (pair.hash_with(&self.hasher), &self.hasher);
        self.pairs[index as usize] = Some(pair);
        let pairs = &self.pairs;
        let hash_of = |index: &u32| pairs[*index as usize].as_ref().map_or(0, |pair| pair.hash_with(hasher));
        self.by_name.insert_unique(hash, index, hash_of);
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
            let hash = pair.hash_with(&self.hasher);
            if let Ok(entry) = self.by_name.find_entry(hash, |known| *known == index) {
                entry.remove();
            }
            self.free.push(index);
            pair
        };
        removed.into_iter().map(remove).collect()
    }

    pub(super) fn into_each(self) -> impl Iterator<Item = Pair> {
        self.pairs.into_iter().flatten()
    }

    pub(super) fn len(&self) -> usize {
        self.by_name.len()
    }
}
