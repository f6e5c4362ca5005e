//! The names of clients and targets, which many rows share.

use std::collections::HashSet;
use std::sync::Arc;

use super::Pair;

/// Names, each kept once.
#[derive(Debug, Default)]
pub struct Names(HashSet<Arc<str>>);

impl Names {
    /// The pair of these names: two that are equal share their texts.
    pub fn pair(&mut self, client_id: &str, target: &str) -> Pair {
        Pair { client_id: self.shared(client_id), target: self.shared(target) }
    }

    fn shared(&mut self, name: &str) -> Arc<str> {
        if let Some(known) = self.0.get(name) {
            return Arc::clone(known);
        }
        let new: Arc<str> = name.into();
        self.0.insert(Arc::clone(&new));
        new
    }

    /// Forgets those that nobody else has any more.
    pub fn forget_unused(&mut self) {
        self.0.retain(|name| Arc::strong_count(name) > 1);
    }
}
