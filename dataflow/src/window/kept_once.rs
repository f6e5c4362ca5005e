//! Values of which a partition keeps each one once, however many hold it.

use std::borrow::Borrow;
use std::hash::Hash;
use std::sync::Arc;

use hashbrown::HashSet;

/// Fewer values than this are not worth a search for those that nobody holds any more: a fleet has tens.
const MIN_FORGET_AT: usize = 1024;

/// The values, and with them those that nobody holds any more until there are too many of them.
#[derive(Debug)]
pub(super) struct KeptOnce<T: ?Sized> {
    known: HashSet<Arc<T>>,
    /// At how many those that nobody holds any more are forgotten.
    forget_at: usize,
}

impl<T: ?Sized> Default for KeptOnce<T> {
    fn default() -> Self {
        Self { known: HashSet::new(), forget_at: MIN_FORGET_AT }
    }
}

impl<T: ?Sized + Eq + Hash> KeptOnce<T> {
    /// The one that is equal to this, which is kept from then on.
    pub(super) fn of<V: Borrow<T> + Into<Arc<T>>>(&mut self, value: V) -> Arc<T> {
        if let Some(known) = self.known.get(value.borrow()) {
            return Arc::clone(known);
        }
        if self.known.len() >= self.forget_at {
            self.known.retain(|known| Arc::strong_count(known) > 1);
            self.forget_at = MIN_FORGET_AT.max(2 * self.known.len());
        }
        let value = value.into();
        self.known.insert(Arc::clone(&value));
        value
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_holds_any_more_is_forgotten() {
        let mut kept = KeptOnce::<str>::default();
        let held = kept.of("0");
        (1..3 * MIN_FORGET_AT).for_each(|n| drop(kept.of(n.to_string())));
        assert!(kept.known.len() <= MIN_FORGET_AT);
        assert!(Arc::ptr_eq(&held, &kept.of("0")));
    }

    #[test]
    fn what_is_held_is_never_forgotten() {
        let mut kept = KeptOnce::<str>::default();
        let held: Vec<_> = (0..3 * MIN_FORGET_AT).map(|n| kept.of(n.to_string())).collect();
        assert!((0..).zip(&held).all(|(n, held)| Arc::ptr_eq(held, &kept.of(n.to_string()))));
    }
}
