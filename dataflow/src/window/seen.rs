//! Which events a window has counted.

use hashbrown::HashSet;
use netqoe_model::Fingerprint;

use super::few::make_room_for_one;

/// Up to this many ids are searched one by one: it is faster than hashing and takes a third of the memory, and most
/// windows never hold more.
const SEARCHED: usize = 16;

/// The event ids of one window.
#[derive(Clone, Debug)]
pub enum SeenIds {
    /// In the order in which they came.
    Few(Vec<Fingerprint>),
    /// Hashed with a seed of the process: ids are chosen by others.
    Many(Box<HashSet<Fingerprint>>),
}

impl Default for SeenIds {
    fn default() -> Self {
        Self::Few(Vec::new())
    }
}

impl SeenIds {
    /// Adds an id; false if it was there.
    pub fn insert(&mut self, id: Fingerprint) -> bool {
        #[cfg(feature = "planted-faults")]
        if crate::planted::skips_deduplication() {
            return true;
        }
        match self {
            Self::Few(ids) if ids.contains(&id) => false,
            Self::Few(ids) if ids.len() < SEARCHED => {
                make_room_for_one(ids);
                ids.push(id);
                true
            }
            Self::Few(ids) => {
                *self = Self::Many(Box::new(ids.iter().copied().chain([id]).collect()));
                true
            }
            Self::Many(ids) => ids.insert(id),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_each_id_it_has_seen_and_no_other() {
        let mut seen = SeenIds::default();
        for n in 0..100 {
            assert!(seen.insert(Fingerprint(n)), "{n} is new");
            assert!((0..=n).all(|old| !seen.insert(Fingerprint(old))), "all up to {n} are known");
        }
    }
}
