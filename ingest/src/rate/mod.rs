//! How often each client may send, and how many events.
//!
//! Clients are followed for each token apart: who holds one can make up as many names as it likes, and takes no place of others.

#[cfg(test)]
#[path = "../../../server/tests/shared/clock.rs"]
mod clock;
pub(crate) mod shared;
mod shares;
mod states;
mod untold;

use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use governor::clock::Clock as GovernorClock;
use governor::middleware::{StateInformationMiddleware, StateSnapshot};
use governor::{NotUntil, Quota, RateLimiter};
use http::HeaderMap;
use http::header::{HeaderName, HeaderValue};
use netqoe_server::{Clock, Grant, PerToken, TokenId, Tokens};

use self::states::BoundedStates;
use self::untold::Untold;
use crate::config::IngestConfig;

/// Clients of one token whose rate is followed one by one: about 20 MB. Above it, its clients that are not among them share
/// one rate, so that a flood of made-up names can exhaust neither memory nor the rate of those that are known.
const MAX_CLIENTS_OF_TOKEN: usize = 100_000;
/// Clients of all tokens: about 200 MB, reached only where ten tokens make up names.
const MAX_CLIENTS: usize = 1_000_000;
/// How often clients that have their whole burst again are forgotten.
const SWEEP_INTERVAL: Duration = Duration::from_secs(60);

/// How far ahead of its rate a client may get by what other instances let through: where it sends to many of them at once, each
/// lets its burst through before it hears of the others. Longer than what the bursts of ten instances take.
const MOST_AHEAD: Duration = Duration::from_secs(60);

type Limiter = RateLimiter<String, BoundedStates, RateClock, StateInformationMiddleware>;

/// Rates for each client of each token: of requests and of events, each with a burst.
pub(crate) struct RateLimits {
    limiters: PerToken<Limiters>,
    clock: Arc<dyn Clock>,
    rate_per_s: u32,
    burst: u32,
    next_sweep_ms: AtomicU64,
    /// What other instances of ingest are to be told, where limits are held together.
    untold: Option<Arc<Untold>>,
}

/// The rates of one token's clients.
struct Limiters {
    requests: Rate,
    events: Rate,
}

/// What clients may send of something.
struct Rate {
    limiter: Limiter,
    states: BoundedStates,
    quota: Quota,
    /// When the limiter's time began.
    started: Duration,
}

/// Requests and events that were let through.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Taken {
    requests: u32,
    events: u32,
}

impl Taken {
    fn and(self, more: Self) -> Self {
        Self { requests: self.requests.saturating_add(more.requests), events: self.events.saturating_add(more.events) }
    }

    fn reaches(self, other: Self) -> bool {
        self.requests >= other.requests || self.events >= other.events
    }
}

/// Where a client stands after a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Standing {
    rate_per_s: u32,
    /// Requests that would be taken right now.
    remaining: u32,
    /// Seconds, rounded up, until the whole burst is there again.
    reset_s: u64,
    /// Seconds, rounded up, until a request will be taken; set where this one was not.
    pub(crate) retry_after_s: Option<u64>,
}

/// What became of a client's events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct EventsTaken {
    /// The first so many are taken.
    pub(crate) count: u32,
    /// Seconds, rounded up, until more are taken; set where not all were.
    pub(crate) retry_after_s: Option<u64>,
}

impl RateLimits {
    pub(crate) fn new(config: &IngestConfig, tokens: &Tokens, clock: Arc<dyn Clock>) -> Self {
        Self::with_capacity(config, tokens, clock, max_clients)
    }

    /// So many clients of each token, by the tokens that there are when it is used first.
    fn with_capacity(
        config: &IngestConfig,
        tokens: &Tokens,
        clock: Arc<dyn Clock>,
        max_clients: impl Fn(&Tokens) -> usize + Send + Sync + 'static,
    ) -> Self {
        let requests = (config.rate_per_s, config.rate_burst);
        let events = (config.event_rate_per_s, config.event_rate_burst);
        let of_limiters = Arc::clone(&clock);
        let limiters = PerToken::new(tokens.clone(), move |tokens| {
            let rate = |(rate_per_s, burst): (NonZeroU32, NonZeroU32)| {
                let states = BoundedStates::new(max_clients(tokens));
                let quota = Quota::per_second(rate_per_s).allow_burst(burst);
                let started = of_limiters.elapsed();
                let limiter = RateLimiter::new(quota, states.clone(), RateClock(Arc::clone(&of_limiters)));
                Rate { limiter, states, quota, started }
            };
            Limiters { requests: rate(requests), events: rate(events) }
        });
        let burst = Taken { requests: config.rate_burst.get(), events: config.event_rate_burst.get() };
        Self {
            limiters,
            rate_per_s: config.rate_per_s.get(),
            burst: config.rate_burst.get(),
            next_sweep_ms: AtomicU64::new(0),
            untold: config.shares_limits.then(|| Arc::new(Untold::new(burst))),
            clock,
        }
    }

    /// Takes off a client's rates what another instance let through, though there may not be as much left: nothing more is let
    /// through then until it has come.
    pub(crate) fn charge(&self, token: TokenId, client_id: &String, taken: Taken) {
        let (limiters, now) = (self.limiters.of(token), self.clock.elapsed());
        limiters.requests.charge(client_id, now, taken.requests);
        limiters.events.charge(client_id, now, taken.events);
    }

    /// What is to be told, where limits are held together.
    pub(crate) fn untold(&self) -> Option<&Arc<Untold>> {
        self.untold.as_ref()
    }

    fn note(&self, token: TokenId, client_id: &str, taken: Taken) {
        if let Some(untold) = self.untold.as_ref().filter(|_| taken != Taken::default()) {
            untold.add(token, client_id, taken);
        }
    }

    /// Takes one request off what the client may send, where there is one.
    pub(crate) fn take(&self, token: TokenId, client_id: &String) -> Standing {
        self.sweep_when_due();
        match self.limiters.of(token).requests.limiter.check_key(client_id) {
            Ok(snapshot) => {
                self.note(token, client_id, Taken { requests: 1, events: 0 });
                self.standing(&snapshot, None)
            }
            Err(refusal) => Standing {
                rate_per_s: self.rate_per_s,
                remaining: 0,
                reset_s: self.seconds_to_regain(self.burst),
                retry_after_s: Some(self.seconds_until(&refusal)),
            },
        }
    }

    /// Takes so many events off what the client may send, or as many as there are.
    pub(crate) fn take_events(&self, token: TokenId, client_id: &String, count: NonZeroU32) -> EventsTaken {
        let taken = self.events_of(token, client_id, count);
        self.note(token, client_id, Taken { requests: 0, events: taken.count });
        taken
    }

    fn events_of(&self, token: TokenId, client_id: &String, count: NonZeroU32) -> EventsTaken {
        let limiters = self.limiters.of(token);
        let events = &limiters.events.limiter;
        if matches!(events.check_key_n(client_id, count), Ok(Ok(_))) {
            return EventsTaken { count: count.get(), retry_after_s: None };
        }
        for taken in 0..count.get() {
            if let Err(refusal) = events.check_key(client_id) {
                return EventsTaken { count: taken, retry_after_s: Some(self.seconds_until(&refusal)) };
            }
        }
        EventsTaken { count: count.get(), retry_after_s: None }
    }

    fn seconds_until(&self, refusal: &NotUntil<Duration>) -> u64 {
        whole_seconds(refusal.wait_time_from(self.clock.elapsed())).max(1)
    }

    fn standing(&self, snapshot: &StateSnapshot, retry_after_s: Option<u64>) -> Standing {
        let remaining = snapshot.remaining_burst_capacity();
        let reset_s = self.seconds_to_regain(self.burst.saturating_sub(remaining));
        Standing { rate_per_s: self.rate_per_s, remaining, reset_s, retry_after_s }
    }

    fn seconds_to_regain(&self, requests: u32) -> u64 {
        u64::from(requests.div_ceil(self.rate_per_s))
    }

    /// Done by the request that notices, so that it needs no task of its own.
    fn sweep_when_due(&self) {
        let now_ms = u64::try_from(self.clock.elapsed().as_millis()).unwrap_or(u64::MAX);
        let due_ms = self.next_sweep_ms.load(Ordering::Relaxed);
        let next_ms = now_ms + SWEEP_INTERVAL.as_millis() as u64;
        // Of several that notice at once, one sweeps.
        let is_ours = now_ms >= due_ms
            && self.next_sweep_ms.compare_exchange(due_ms, next_ms, Ordering::Relaxed, Ordering::Relaxed).is_ok();
        if is_ours {
            for limiters in self.limiters.all() {
                limiters.requests.limiter.retain_recent();
                limiters.events.limiter.retain_recent();
            }
        }
    }
}

impl Rate {
    fn charge(&self, client_id: &String, now: Duration, count: u32) {
        if count > 0 {
            let by = self.quota.replenish_interval() * count;
            let most = self.quota.burst_size_replenished_in() + MOST_AHEAD;
            self.states.charge(client_id, now.saturating_sub(self.started), by, most);
        }
    }
}

impl Standing {
    /// `X-RateLimit-Limit` (requests per second), `-Remaining` (that would be taken right now) and `-Reset` (seconds
    /// until the whole burst is there again).
    pub(crate) fn headers(&self) -> HeaderMap {
        HeaderMap::from_iter([
            (HeaderName::from_static("x-ratelimit-limit"), HeaderValue::from(self.rate_per_s)),
            (HeaderName::from_static("x-ratelimit-remaining"), HeaderValue::from(self.remaining)),
            (HeaderName::from_static("x-ratelimit-reset"), HeaderValue::from(self.reset_s)),
        ])
    }
}

/// A token that is bound to one client needs one place.
fn max_clients(tokens: &Tokens) -> usize {
    let of_many = tokens.grants().iter().filter(|grant| !matches!(grant, Grant::Client(_))).count().max(1);
    (MAX_CLIENTS / of_many).clamp(1, MAX_CLIENTS_OF_TOKEN)
}

fn whole_seconds(duration: Duration) -> u64 {
    duration.as_secs() + u64::from(duration.subsec_nanos() > 0)
}

/// [`Clock::elapsed`], as governor reads it.
#[derive(Clone)]
struct RateClock(Arc<dyn Clock>);

impl GovernorClock for RateClock {
    type Instant = Duration;

    fn now(&self) -> Duration {
        self.0.elapsed()
    }
}

#[cfg(test)]
mod tests {
    use super::clock::HandClock;
    use super::*;

    fn limits(rate_per_s: u32, burst: u32, max_clients: usize) -> (RateLimits, Arc<HandClock>) {
        let clock = Arc::new(HandClock::default());
        let config = IngestConfig {
            rate_per_s: NonZeroU32::new(rate_per_s).unwrap(),
            rate_burst: NonZeroU32::new(burst).unwrap(),
            event_rate_per_s: NonZeroU32::new(rate_per_s).unwrap(),
            event_rate_burst: NonZeroU32::new(burst).unwrap(),
            ..IngestConfig::default()
        };
        let tokens = Tokens::parse("a-token\nanother-token").unwrap();
        (RateLimits::with_capacity(&config, &tokens, Arc::clone(&clock) as _, move |_| max_clients), clock)
    }

    const TOKEN: TokenId = TokenId(0);
    const OTHER_TOKEN: TokenId = TokenId(1);

    fn taken(limits: &RateLimits, client_id: &str, requests: usize) -> usize {
        taken_by(limits, TOKEN, client_id, requests)
    }

    fn taken_by(limits: &RateLimits, token: TokenId, client_id: &str, requests: usize) -> usize {
        (0..requests).filter(|_| limits.take(token, &client_id.to_owned()).retry_after_s.is_none()).count()
    }

    #[test]
    fn a_client_has_its_burst_and_then_its_rate() {
        let (limits, clock) = limits(100, 60, MAX_CLIENTS_OF_TOKEN);
        assert_eq!(taken(&limits, "a", 100), 60);
        assert_eq!(taken(&limits, "b", 100), 60, "one client's rate is not another's");
        clock.advance(Duration::from_millis(100));
        assert_eq!(taken(&limits, "a", 100), 10);
        clock.advance(Duration::from_secs(3600));
        assert_eq!(taken(&limits, "a", 100), 60, "what was not used is not saved up");
    }

    #[test]
    fn a_standing_says_what_is_left_and_when_to_come_back() {
        let (limits, clock) = limits(2, 4, MAX_CLIENTS_OF_TOKEN);
        let standing =
            |remaining, reset_s, retry_after_s| Standing { rate_per_s: 2, remaining, reset_s, retry_after_s };
        let a = "a".to_owned();
        assert_eq!(limits.take(TOKEN, &a), standing(3, 1, None));
        assert_eq!(limits.take(TOKEN, &a), standing(2, 1, None));
        assert_eq!(limits.take(TOKEN, &a), standing(1, 2, None));
        assert_eq!(limits.take(TOKEN, &a), standing(0, 2, None));
        assert_eq!(limits.take(TOKEN, &a), standing(0, 2, Some(1)));
        clock.advance(Duration::from_millis(499));
        assert_eq!(limits.take(TOKEN, &a), standing(0, 2, Some(1)));
        clock.advance(Duration::from_millis(1));
        assert_eq!(limits.take(TOKEN, &a), standing(0, 2, None));
    }

    #[test]
    fn beyond_the_cap_clients_share_one_rate_and_known_ones_keep_theirs() {
        let (limits, clock) = limits(100, 60, 2);
        assert_eq!((taken(&limits, "a", 1), taken(&limits, "b", 1)), (1, 1));
        let strangers = (0..1000).map(|n| taken(&limits, &format!("stranger-{n}"), 1)).sum::<usize>();
        assert_eq!(strangers, 60);
        assert_eq!(taken(&limits, "a", 100), 59);
        assert!(limits.limiters.of(TOKEN).requests.limiter.len() <= 3);
        clock.advance(SWEEP_INTERVAL);
        assert_eq!(taken(&limits, "stranger-0", 100), 60, "quiet clients make room");
        assert_eq!(limits.limiters.of(TOKEN).requests.limiter.len(), 1);
    }

    #[test]
    fn made_up_names_of_one_token_take_no_place_of_another() {
        let (limits, _) = limits(100, 60, 2);
        for n in 0..1_000 {
            taken(&limits, &format!("made-up-{n}"), 1);
        }
        let fleet = (0..2).map(|n| taken_by(&limits, OTHER_TOKEN, &format!("probe-{n}"), 60)).sum::<usize>();
        assert_eq!(fleet, 120);
        assert_eq!(taken_by(&limits, OTHER_TOKEN, "one-too-many", 60), 60, "they share a rate of their own");
    }

    #[test]
    fn events_have_a_rate_and_the_first_of_too_many_are_taken() {
        let (limits, clock) = limits(100, 60, MAX_CLIENTS_OF_TOKEN);
        let a = "a".to_owned();
        let take = |count| limits.take_events(TOKEN, &a, NonZeroU32::new(count).unwrap());
        let taken = |count, retry_after_s| EventsTaken { count, retry_after_s };
        assert_eq!(take(50), taken(50, None));
        assert_eq!(take(1_000), taken(10, Some(1)));
        clock.advance(Duration::from_millis(100));
        assert_eq!(take(11), taken(10, Some(1)));
        clock.advance(Duration::from_secs(60));
        assert_eq!(take(u32::MAX), taken(60, Some(1)), "more than there can ever be at once");
    }
}
