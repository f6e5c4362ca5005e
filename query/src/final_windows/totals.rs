//! Something of each pair, gathered block by block.

use std::sync::Arc;

use netqoe_sinks::read::Pair;

/// By pair, in order.
pub(super) struct Totals<T> {
    of_pairs: Vec<(Pair, T)>,
    /// After the place that was asked for last: blocks mostly have the same pairs, and in the same order.
    next: usize,
}

impl<T: Default> Totals<T> {
    pub(super) fn new() -> Self {
        Self { of_pairs: Vec::new(), next: 0 }
    }

    /// What there is of this pair, by default nothing.
    pub(super) fn of(&mut self, pair: &Pair) -> &mut T {
        let place = self.place(pair);
        self.next = place + 1;
        &mut self.of_pairs[place].1
    }

    fn place(&mut self, pair: &Pair) -> usize {
        if self.next == self.of_pairs.len() {
            // A block begins anew, or goes beyond what the one before it had.
            if self.of_pairs.last().is_none_or(|(last, _)| last < pair) {
                self.of_pairs.push((pair.clone(), T::default()));
                return self.next;
            }
            self.next = 0;
        }
        if is_same(&self.of_pairs[self.next].0, pair) {
            return self.next;
        }
        self.of_pairs.binary_search_by(|(known, _)| known.cmp(pair)).unwrap_or_else(|place| {
            self.of_pairs.insert(place, (pair.clone(), T::default()));
            place
        })
    }

    pub(super) fn into_iter(self) -> impl Iterator<Item = (Pair, T)> {
        self.of_pairs.into_iter()
    }
}

/// Whether they are one by their place in memory, as names that blocks share are.
fn is_same(a: &Pair, b: &Pair) -> bool {
    Arc::ptr_eq(&a.client_id, &b.client_id) && Arc::ptr_eq(&a.target, &b.target)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn each_pair_has_its_own_in_whatever_order_they_come(
            asked in prop::collection::vec((0..4_u8, 0..4_u8), 0..60)
        ) {
            let mut expected: BTreeMap<Pair, u64> = BTreeMap::new();
            let mut totals = Totals::<u64>::new();
            for (client, target) in asked {
                let pair = Pair { client_id: client.to_string().into(), target: target.to_string().into() };
                *totals.of(&pair) += 1;
                *expected.entry(pair).or_default() += 1;
            }
            prop_assert_eq!(totals.into_iter().collect::<Vec<_>>(), expected.into_iter().collect::<Vec<_>>());
        }
    }
}
