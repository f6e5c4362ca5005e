//! The places for connections. Where all are taken, the oldest connection that has shown no token gives up its own: so nobody
//! who holds one is kept out by those who do not.
//!
//! Decision: D-063.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures::task::AtomicWaker;
use parking_lot::Mutex;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::tokens::TokenId;

/// How long a new connection waits for one that gives up its place, which takes no more than a turn of its task.
const TAKE_OVER: Duration = Duration::from_secs(1);
/// One token keeps no more than this share of the places where others are used, too. What it has beyond goes next.
const TOKEN_SHARE: usize = 2;

/// A bounded number of places.
#[derive(Clone)]
pub(crate) struct Places {
    free: Arc<Semaphore>,
    taken: Arc<Mutex<Taken>>,
    max_of_token: usize,
}

#[derive(Default)]
struct Taken {
    next: u64,
    /// Those that have shown no token, the oldest first.
    strangers: BTreeMap<u64, Arc<Leave>>,
    /// Those that are beyond their token's share, the oldest first.
    beyond: BTreeMap<u64, Arc<Leave>>,
    /// How many each token has, of all that were ever shown.
    of_tokens: HashMap<TokenId, usize>,
}

/// How a connection hears that it has to go.
#[derive(Default)]
struct Leave {
    is_asked: AtomicBool,
    waker: AtomicWaker,
}

/// A connection's place, until this is dropped.
pub(crate) struct Place {
    number: u64,
    leave: Arc<Leave>,
    token: Mutex<Option<TokenId>>,
    places: Places,
    _permit: OwnedSemaphorePermit,
}

impl Places {
    pub(crate) fn new(max_connections: usize) -> Self {
        let free = Arc::new(Semaphore::new(max_connections.min(Semaphore::MAX_PERMITS)));
        Self { free, taken: Arc::default(), max_of_token: max_connections.div_ceil(TOKEN_SHARE) }
    }

    /// A place; none where all are taken by connections that have shown a token.
    pub(crate) async fn take(&self) -> Option<Place> {
        let permit = match Arc::clone(&self.free).try_acquire_owned() {
            Ok(permit) => permit,
            Err(_) if self.ask_oldest_to_leave() => {
                let left = tokio::time::timeout(TAKE_OVER, Arc::clone(&self.free).acquire_owned());
                left.await.ok()?.ok()?
            }
            Err(_) => return None,
        };
        let leave = Arc::new(Leave::default());
        let mut taken = self.taken.lock();
        let number = taken.next;
        taken.next += 1;
        taken.strangers.insert(number, Arc::clone(&leave));
        Some(Place { number, leave, token: Mutex::default(), places: self.clone(), _permit: permit })
    }

    fn ask_oldest_to_leave(&self) -> bool {
        let mut taken = self.taken.lock();
        let others_are_used = taken.of_tokens.len() > 1;
        let beyond = |taken: &mut Taken| others_are_used.then(|| taken.beyond.pop_first()).flatten();
        let Some((_, oldest)) = taken.strangers.pop_first().or_else(|| beyond(&mut taken)) else { return false };
        oldest.is_asked.store(true, Ordering::Release);
        oldest.waker.wake();
        true
    }
}

impl Place {
    /// Notes that the connection has shown this token, or that none is needed.
    pub(crate) fn has_shown(&self, token: TokenId) {
        let mut shown = self.token.lock();
        if shown.is_some() {
            return;
        }
        let mut taken = self.places.taken.lock();
        let of_token = taken.of_tokens.entry(token).or_default();
        *of_token += 1;
        let is_beyond = *of_token > self.places.max_of_token;
        if let (Some(leave), true) = (taken.strangers.remove(&self.number), is_beyond) {
            taken.beyond.insert(self.number, leave);
        }
        *shown = Some(token);
    }

    /// Whether the connection has to go. Where not, its task is woken once it has to.
    pub(crate) fn must_leave(&self, waker: &std::task::Waker) -> bool {
        self.leave.waker.register(waker);
        self.leave.is_asked.load(Ordering::Acquire)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.places.taken.lock();
        taken.strangers.remove(&self.number);
        taken.beyond.remove(&self.number);
        if let Some(token) = self.token.lock().take()
            && let Some(count) = taken.of_tokens.get_mut(&token)
        {
            *count -= 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;
    use futures::task::noop_waker;

    use super::*;

    async fn take(places: &Places) -> Place {
        places.take().await.unwrap()
    }

    fn must_leave(place: &Place) -> bool {
        place.must_leave(&noop_waker())
    }

    #[tokio::test]
    async fn the_oldest_that_has_shown_no_token_leaves() {
        let places = Places::new(4);
        let held = [take(&places).await, take(&places).await, take(&places).await, take(&places).await];
        held[0].has_shown(TokenId(0));
        let mut next = std::pin::pin!(places.take());
        assert!(next.as_mut().now_or_never().is_none());
        assert_eq!(held.each_ref().map(must_leave), [false, true, false, false]);
        let [first, oldest, ..] = held;
        drop(oldest);
        let next = next.await.unwrap();
        assert!(!must_leave(&next) && !must_leave(&first));
    }

    #[tokio::test]
    async fn one_token_keeps_half_of_the_places_where_others_are_used() {
        let places = Places::new(4);
        drop([take(&places).await, take(&places).await]);
        let held = [take(&places).await, take(&places).await, take(&places).await, take(&places).await];
        held.iter().for_each(|place| place.has_shown(TokenId(7)));
        assert!(places.take().await.is_none(), "nobody else is there");
        let [first, second, third, fourth] = held;
        drop(fourth);
        let other = take(&places).await;
        other.has_shown(TokenId(8));
        let mut next = std::pin::pin!(places.take());
        assert!(next.as_mut().now_or_never().is_none());
        assert_eq!([&first, &second, &third, &other].map(must_leave), [false, false, true, false]);
        drop(third);
        let next = next.await.unwrap();
        next.has_shown(TokenId(8));
        assert!(places.take().await.is_none(), "all have shown a token and are within its share");
        drop((first, second, other, next));
        let taken = places.taken.lock();
        assert!(taken.strangers.is_empty() && taken.beyond.is_empty());
        assert!(taken.of_tokens.values().all(|count| *count == 0));
    }
}
