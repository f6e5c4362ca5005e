//! What requests may take of the machine's memory while they arrive: heads and bodies of all connections together.

use std::fmt;
use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Heads come from anybody. All of them together take no more than this share of the memory, so that those who hold a token
/// always find some.
const HEADS_SHARE: usize = 4;
/// One token takes no more than this share, so that others find some meanwhile.
const TOKEN_SHARE: usize = 2;

/// A number of bytes that requests take their memory from. Clones are the same memory.
#[derive(Clone)]
pub struct RequestMemory {
    max_bytes: usize,
    /// One permit for each byte.
    all: Arc<Semaphore>,
    heads: Arc<Semaphore>,
}

impl RequestMemory {
    /// So many bytes, of which nothing is taken.
    pub fn new(max_bytes: usize) -> Self {
        let max_bytes = max_bytes.min(Semaphore::MAX_PERMITS);
        let heads = Arc::new(Semaphore::new(max_bytes / HEADS_SHARE));
        Self { max_bytes, all: Arc::new(Semaphore::new(max_bytes)), heads }
    }

    /// The part of it that one token may take at once.
    pub fn token_share(&self) -> TokenShare {
        let max_bytes = self.max_bytes / TOKEN_SHARE;
        TokenShare { max_bytes, all: Arc::clone(&self.all), own: Arc::new(Semaphore::new(max_bytes)) }
    }

    /// For the head of a request; none where heads take their whole share.
    pub(crate) fn hold_for_head(&self, bytes: usize) -> Option<Held> {
        Held::of(&self.heads, &self.all, bytes)
    }
}

impl fmt::Debug for RequestMemory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequestMemory").field("max_bytes", &self.max_bytes).finish_non_exhaustive()
    }
}

/// What one token may take of the memory.
pub struct TokenShare {
    /// The most that it may ever hold.
    pub max_bytes: usize,
    all: Arc<Semaphore>,
    own: Arc<Semaphore>,
}

impl TokenShare {
    /// None where the token takes its whole share, or all together take everything.
    pub fn hold(&self, bytes: usize) -> Option<Held> {
        Held::of(&self.own, &self.all, bytes)
    }
}

/// Memory that is taken until this is dropped.
#[derive(Debug)]
pub struct Held {
    share: OwnedSemaphorePermit,
    all: OwnedSemaphorePermit,
}

impl Held {
    fn of(share: &Arc<Semaphore>, all: &Arc<Semaphore>, bytes: usize) -> Option<Self> {
        let permits = u32::try_from(bytes).ok()?;
        let share = Arc::clone(share).try_acquire_many_owned(permits).ok()?;
        let all = Arc::clone(all).try_acquire_many_owned(permits).ok()?;
        Some(Self { share, all })
    }

    /// How many bytes these are.
    pub fn bytes(&self) -> usize {
        self.all.num_permits()
    }

    /// Takes in more of the same share.
    pub fn add(&mut self, more: Self) {
        self.share.merge(more.share);
        self.all.merge(more.all);
    }

    /// Gives back what is above so many bytes.
    pub fn shrink_to(&mut self, bytes: usize) {
        let above = self.bytes().saturating_sub(bytes);
        drop((self.share.split(above), self.all.split(above)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_takes_it_all_and_what_is_given_back_is_there_again() {
        let memory = RequestMemory::new(1_000);
        let (one, other) = (memory.token_share(), memory.token_share());
        let mut held = one.hold(400).unwrap();
        held.add(one.hold(100).unwrap());
        assert!(one.hold(1).is_none(), "it has half of all");
        let head = memory.hold_for_head(250).unwrap();
        assert!(memory.hold_for_head(1).is_none(), "heads have a quarter of all");
        let others = other.hold(250).unwrap();
        assert!(other.hold(1).is_none(), "there is no more");
        drop((head, others));
        held.shrink_to(200);
        assert_eq!(held.bytes(), 200);
        assert!(other.hold(500).is_some() && one.hold(300).is_some());
    }
}
