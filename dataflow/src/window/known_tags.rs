//! The labels that events of a partition carry, each kept once however many windows have them.

use std::sync::Arc;

use hashbrown::{HashMap, HashSet};
use netqoe_model::PairTags;

/// Fewer labels than this are not worth a search for those that no window has any more: a fleet has tens.
const MIN_FORGET_AT: usize = 1024;
/// Longer texts of labels are read each time, so that those which are remembered stay small. Real ones are a hundred bytes.
const MAX_REMEMBERED_BYTES: usize = 2048;

/// Of a fleet without labels it stays empty.
#[derive(Debug)]
pub(super) struct KnownTags {
    /// By the text of an event: a pair says the same again and again, so it is read once.
    by_text: HashMap<Box<str>, Arc<PairTags>>,
    known: HashSet<Arc<PairTags>>,
    /// At how many texts they are forgotten, and the labels that no window has any more.
    forget_at: usize,
}

impl Default for KnownTags {
    fn default() -> Self {
        Self { by_text: HashMap::new(), known: HashSet::new(), forget_at: MIN_FORGET_AT }
    }
}

impl KnownTags {
    /// The labels that an event carries, if it carries any: the JSON of the client's and of the target's, with U+0000 between them.
    pub(super) fn carried(&mut self, text: &str) -> Option<Arc<PairTags>> {
        if text.is_empty() {
            return None;
        }
        if let Some(known) = self.by_text.get(text) {
            return Some(Arc::clone(known));
        }
        if self.by_text.len() >= self.forget_at {
            self.forget();
        }
        let tags = self.shared(read(text)?);
        if text.len() <= MAX_REMEMBERED_BYTES {
            self.by_text.insert(text.into(), Arc::clone(&tags));
        }
        Some(tags)
    }

    fn shared(&mut self, tags: PairTags) -> Arc<PairTags> {
        if let Some(known) = self.known.get(&tags) {
            return Arc::clone(known);
        }
        if self.known.len() >= self.forget_at {
            self.forget();
        }
        let tags = Arc::new(tags);
        self.known.insert(Arc::clone(&tags));
        tags
    }

    fn forget(&mut self) {
        self.by_text.clear();
        self.known.retain(|tags| Arc::strong_count(tags) > 1);
        self.forget_at = MIN_FORGET_AT.max(2 * self.known.len());
    }
}

/// None where both objects are empty. What is no labels never comes here: such an event is refused where it is decoded.
fn read(text: &str) -> Option<PairTags> {
    let (client, target) = text.split_once('\0')?;
    PairTags::parse([client, target])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_one_however_they_are_written() {
        let mut known = KnownTags::default();
        assert_eq!(known.carried(""), None);
        assert_eq!(known.carried("{ }\0"), None);
        let tags = known.carried("{\"a\":\"1\",\"b\":\"2\"}\0").unwrap();
        assert!(Arc::ptr_eq(&tags, &known.carried("{\"a\":\"1\",\"b\":\"2\"}\0").unwrap()));
        assert!(Arc::ptr_eq(&tags, &known.carried("{\"b\":\"2\",\"a\":\"1\"}\0").unwrap()));
        assert_ne!(tags, known.carried("\0{\"a\":\"1\",\"b\":\"2\"}").unwrap());
    }

    #[test]
    fn labels_that_no_window_has_any_more_are_forgotten() {
        let mut known = KnownTags::default();
        let text = |n: usize| format!("{{\"serial\":\"{n}\"}}\0");
        let held = known.carried(&text(0)).unwrap();
        (1..3 * MIN_FORGET_AT).for_each(|n| drop(known.carried(&text(n))));
        assert!(known.known.len() <= MIN_FORGET_AT && known.by_text.len() <= MIN_FORGET_AT);
        assert!(Arc::ptr_eq(&held, &known.carried(&text(0)).unwrap()));
        let long = |n: usize| format!("{{\"serial\":{}\"{n}\"}}\0", " ".repeat(MAX_REMEMBERED_BYTES));
        (0..3 * MIN_FORGET_AT).for_each(|n| drop(known.carried(&long(n))));
        assert!(known.known.len() <= MIN_FORGET_AT && known.by_text.len() <= MIN_FORGET_AT);
    }
}
