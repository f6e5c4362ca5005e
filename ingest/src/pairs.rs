//! How many pairs of client and target there may be. Each takes memory wherever events are counted, for as long as its past is
//! kept, and a target costs its sender nothing: a bound for each client, one for all together, and one on the memory of the
//! process.
//!
//! Decisions: D-067, D-106.

use std::collections::HashMap;
use std::collections::hash_map::{Entry, RandomState};
use std::hash::BuildHasher;
use std::sync::Arc;
use std::time::Duration;

use netqoe_model::metrics::{Metrics, PAIR_LIMITS};
use netqoe_server::{Clock, Code, Refusal};
use parking_lot::Mutex;

use crate::{IngestConfig, MemoryBound};

/// Times are counted in hours: a pair is forgotten up to an hour late.
const HOUR: Duration = Duration::from_secs(3600);
/// When a client is to come back where there is no memory, in seconds: it may be given back at any time.
const RETRY_AFTER_MEMORY_S: u64 = 60;

/// The pairs of late. About 50 bytes each: what is kept of a pair is a hash, whose key nobody outside knows.
pub(crate) struct Pairs {
    max: usize,
    max_per_client: u32,
    memory_bound: Option<MemoryBound>,
    kept_hours: u64,
    clock: Arc<dyn Clock>,
    metrics: Metrics,
    hasher: RandomState,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    seen: HashMap<u64, Seen>,
    /// How many of `seen` each client has.
    by_client: HashMap<u64, u32>,
    swept_hour: u64,
}

/// A pair, by the hashes of its names.
struct Seen {
    client: u64,
    last_hour: u64,
}

impl Pairs {
    pub(crate) fn new(config: &IngestConfig, clock: Arc<dyn Clock>, metrics: Metrics) -> Self {
        for limit in PAIR_LIMITS {
            metrics.ingest_pairs_refused.with_label_values(&[limit]).inc_by(0);
        }
        Self {
            max: config.max_pairs.get(),
            max_per_client: config.max_pairs_per_client.get(),
            memory_bound: config.memory_bound.clone(),
            kept_hours: config.pairs_kept.as_secs().div_ceil(HOUR.as_secs()),
            clock,
            metrics,
            hasher: RandomState::new(),
            state: Mutex::default(),
        }
    }

    /// Takes in a pair that was counted before this process began. It has its place whatever the limits are.
    pub(crate) fn know(&self, client_id: &str, target: &str) {
        let (pair, client) = (self.hash_of_pair(client_id, target), self.hash_of_client(client_id));
        let mut state = self.state.lock();
        state.put(pair, client, self.hour());
        self.show(&state);
    }

    /// Whether an event of this pair may be taken.
    pub(crate) fn admit(&self, client_id: &str, target: &str) -> Result<(), Refusal> {
        let (pair, hour) = (self.hash_of_pair(client_id, target), self.hour());
        let mut state = self.state.lock();
        let forgotten = state.forget_before(hour, hour.saturating_sub(self.kept_hours));
        if forgotten > 0 {
            self.metrics.ingest_pairs_forgotten.inc_by(forgotten);
            self.show(&state);
        }
        if let Some(known) = state.seen.get_mut(&pair) {
            known.last_hour = hour;
            return Ok(());
        }
        let client = self.hash_of_client(client_id);
        let of_client = state.by_client.get(&client).copied().unwrap_or(0);
        if let Some(NoPlace { limit, refusal }) = self.no_place(of_client, state.seen.len()) {
            self.metrics.ingest_pairs_refused.with_label_values(&[limit]).inc();
            return Err(refusal);
        }
        state.put(pair, client, hour);
        self.show(&state);
        Ok(())
    }

    /// Why there is no place for another pair of a client that has so many, where all have so many.
    fn no_place(&self, of_client: u32, of_all: usize) -> Option<NoPlace> {
        if of_client >= self.max_per_client {
            let (max, hours) = (self.max_per_client, self.kept_hours);
            let message = format!(
                "this client has had {max} targets in the last {hours} hours, and may have no more; \
                measure fewer, or raise --max-pairs-per-client at the server"
            );
            let refusal = Refusal::new(Code::TooManyPairs, message).retry_after(HOUR.as_secs());
            return Some(NoPlace { limit: "client", refusal });
        }
        if of_all >= self.max {
            let max = self.max;
            let message = format!(
                "the server has the {max} pairs of client and target that it may have; measure fewer targets, \
                or raise --max-pairs there"
            );
            let refusal = Refusal::new(Code::TooManyPairs, message).retry_after(HOUR.as_secs());
            return Some(NoPlace { limit: "all", refusal });
        }
        self.memory_bound.as_ref().filter(|bound| bound.is_exceeded()).map(|_| {
            let message = "the server has more memory in use than it may have, and takes events of known pairs of client and \
                target only; send again later, or raise --max-memory there";
            let refusal = Refusal::new(Code::MemoryExceeded, message).retry_after(RETRY_AFTER_MEMORY_S);
            NoPlace { limit: "memory", refusal }
        })
    }

    fn show(&self, state: &State) {
        self.metrics.ingest_pairs.set(i64::try_from(state.seen.len()).unwrap_or(i64::MAX));
    }

    fn hash_of_pair(&self, client_id: &str, target: &str) -> u64 {
        self.hasher.hash_one((client_id, target))
    }

    fn hash_of_client(&self, client_id: &str) -> u64 {
        self.hasher.hash_one(client_id)
    }

    fn hour(&self) -> u64 {
        self.clock.elapsed().as_secs() / HOUR.as_secs()
    }
}

/// Why a pair has no place.
struct NoPlace {
    /// As the metric names it.
    limit: &'static str,
    refusal: Refusal,
}

impl State {
    fn put(&mut self, pair: u64, client: u64, hour: u64) {
        match self.seen.entry(pair) {
            Entry::Occupied(mut known) => known.get_mut().last_hour = hour,
            Entry::Vacant(new) => {
                new.insert(Seen { client, last_hour: hour });
                *self.by_client.entry(client).or_default() += 1;
            }
        }
    }

    /// Forgets, once an hour, the pairs that were last seen before `horizon`. How many those were.
    fn forget_before(&mut self, hour: u64, horizon: u64) -> u64 {
        if self.swept_hour == hour {
            return 0;
        }
        self.swept_hour = hour;
        let (before, by_client) = (self.seen.len(), &mut self.by_client);
        self.seen.retain(|_, seen| {
            let stays = seen.last_hour >= horizon;
            if !stays && let Entry::Occupied(mut pairs) = by_client.entry(seen.client) {
                *pairs.get_mut() -= 1;
                if *pairs.get() == 0 {
                    pairs.remove();
                }
            }
            stays
        });
        (before - self.seen.len()) as u64
    }
}

#[cfg(test)]
mod tests {
    use std::num::{NonZeroU32, NonZeroU64, NonZeroUsize};

    use super::*;

    #[derive(Default)]
    struct HandClock(Mutex<Duration>);

    impl Clock for HandClock {
        fn now_ms(&self) -> i64 {
            0
        }

        fn elapsed(&self) -> Duration {
            *self.0.lock()
        }
    }

    fn pairs(max: usize, max_per_client: u32) -> (Pairs, Arc<HandClock>, Metrics) {
        let (clock, metrics) = (Arc::new(HandClock::default()), Metrics::new());
        let config = IngestConfig {
            max_pairs: NonZeroUsize::new(max).unwrap(),
            max_pairs_per_client: NonZeroU32::new(max_per_client).unwrap(),
            pairs_kept: 24 * HOUR,
            ..IngestConfig::default()
        };
        (Pairs::new(&config, Arc::clone(&clock) as _, metrics.clone()), clock, metrics)
    }

    fn taken(pairs: &Pairs, client: &str, targets: std::ops::Range<u32>) -> usize {
        targets.filter(|target| pairs.admit(client, &target.to_string()).is_ok()).count()
    }

    #[test]
    fn a_client_has_so_many_targets_and_keeps_those_that_it_has() {
        let (pairs, _, metrics) = pairs(100, 10);
        assert_eq!(taken(&pairs, "a", 0..50), 10);
        assert_eq!(taken(&pairs, "a", 0..10), 10, "what is known goes on");
        assert_eq!(taken(&pairs, "b", 0..50), 10, "one client's targets are not another's");
        assert_eq!(metrics.ingest_pairs_refused.with_label_values(&["client"]).get(), 80);
        assert_eq!(metrics.ingest_pairs.get(), 20);
    }

    #[test]
    fn all_together_have_a_bound_too() {
        let (pairs, _, metrics) = pairs(15, 10);
        assert_eq!((taken(&pairs, "a", 0..10), taken(&pairs, "b", 0..10)), (10, 5));
        assert_eq!(taken(&pairs, "c", 0..10), 0);
        assert_eq!(metrics.ingest_pairs_refused.with_label_values(&["all"]).get(), 15);
        let refusal = pairs.admit("c", "t").unwrap_err();
        assert_eq!(refusal.error, Code::TooManyPairs);
        assert!(refusal.message.contains("--max-pairs"), "{}", refusal.message);
    }

    #[test]
    fn while_memory_is_exceeded_only_known_pairs_go_on() {
        let (clock, metrics) = (Arc::new(HandClock::default()), Metrics::new());
        let bound = MemoryBound::new(NonZeroU64::new(1_000).unwrap());
        let config = IngestConfig { memory_bound: Some(bound.clone()), ..IngestConfig::default() };
        let pairs = Pairs::new(&config, clock, metrics.clone());
        let refused = || metrics.ingest_pairs_refused.with_label_values(&["memory"]).get();
        bound.note(1_000);
        assert_eq!(taken(&pairs, "a", 0..3), 3, "as much as it may have");
        bound.note(1_001);
        assert_eq!((taken(&pairs, "a", 0..5), taken(&pairs, "b", 0..1)), (3, 0), "what is known goes on");
        assert_eq!((refused(), metrics.ingest_pairs.get()), (3, 3));
        let refusal = pairs.admit("b", "t").unwrap_err();
        assert_eq!((refusal.error, refusal.retry_after_s), (Code::MemoryExceeded, Some(60)));
        assert!(refusal.message.contains("--max-memory"), "{}", refusal.message);
        bound.note(900);
        assert_eq!(taken(&pairs, "b", 0..2), 2);
        assert_eq!(refused(), 4);
    }

    #[test]
    fn what_was_not_seen_for_as_long_as_it_is_kept_makes_room() {
        let (pairs, clock, metrics) = pairs(10, 10);
        pairs.know("old", "t");
        assert_eq!(taken(&pairs, "a", 0..10), 9);
        *clock.0.lock() = 20 * HOUR;
        assert_eq!(taken(&pairs, "a", 0..5), 5, "seen again");
        *clock.0.lock() = 24 * HOUR;
        assert_eq!(taken(&pairs, "b", 0..10), 0, "not yet");
        *clock.0.lock() = 25 * HOUR;
        assert_eq!(taken(&pairs, "b", 0..10), 5, "five of the first and what was known before are gone");
        assert_eq!((metrics.ingest_pairs_forgotten.get(), metrics.ingest_pairs.get()), (5, 10));
        *clock.0.lock() = 100 * HOUR;
        assert_eq!(taken(&pairs, "a", 0..10), 10);
        assert_eq!(pairs.state.lock().by_client.len(), 1, "clients are forgotten with their pairs");
    }
}
