//! Rates that several instances of ingest hold together.
//!
//! No request waits for another instance. Each lets through what its own rates allow, tells the others a few times a second what
//! that was, and takes what they tell off its own rates, into debt where it must. So a client has its whole rate wherever it
//! sends, and all instances together let through what one would. They let through more only until they have heard of each other,
//! and the debt makes up for that.
//!
//! Decision: D-096.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use netqoe_model::metrics::Metrics;
use netqoe_server::Tokens;
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc::{Receiver, Sender};

use super::shares::Shares;
use super::untold::{Share, Untold};
use super::{RateLimits, Taken};

/// How often instances tell each other what they let through. For so long each may let through a client's whole rate.
const TURN: Duration = Duration::from_millis(200);
/// After so many turns without a word, not even its own, an instance takes it that the others go on as they did.
const SILENT_TURNS: u32 = 3;
/// After so many, its health says so: three seconds.
const FAILING_TURNS: u32 = 15;
/// What is too little to be told is forgotten after so many turns: a minute.
const FORGET_TURNS: u32 = 300;
/// Bytes of a message, before what JSON escapes: it stays well below what NATS takes. What does not fit is told in the next turn.
const MAX_TOLD_BYTES: usize = 256 << 10;
/// Instances that are counted: no more than that are.
const MAX_INSTANCES: usize = 1_000;

/// What an instance tells the others.
#[derive(Serialize, Deserialize)]
struct Told {
    instance: String,
    /// Place of the token among all tokens, client, requests, events.
    taken: Vec<(usize, String, u32, u32)>,
}

/// One instance's part in the limits that several hold together.
pub struct SharedLimits {
    rates: Arc<RateLimits>,
    untold: Arc<Untold>,
    tokens: Tokens,
    /// The name that this instance tells by, which no other has.
    instance: String,
    shares: Shares,
    /// The turn in which each instance was last heard.
    instances: HashMap<String, u32>,
    turn: u32,
    silence: Silence,
    metrics: Metrics,
}

/// For how long an instance has heard nothing, not even itself.
#[derive(Clone, Default)]
pub struct Silence {
    turns: Arc<AtomicU32>,
}

impl Silence {
    /// Whether the instances hear each other.
    ///
    /// # Errors
    /// Where they don't, with what holds meanwhile.
    pub fn check(&self) -> Result<(), String> {
        let turns = self.turns.load(Ordering::Relaxed);
        if turns < FAILING_TURNS {
            return Ok(());
        }
        let silent_s = (TURN * turns).as_secs();
        Err(format!(
            "the instances of ingest have not heard each other for {silent_s} s, so each goes on with the share of every rate \
             that it had; see that the key-value store can be reached"
        ))
    }
}

impl SharedLimits {
    pub(crate) fn new(
        rates: Arc<RateLimits>,
        untold: Arc<Untold>,
        tokens: Tokens,
        instance: String,
        metrics: Metrics,
    ) -> Self {
        let (shares, instances, silence) = (Shares::default(), HashMap::new(), Silence::default());
        Self { rates, untold, tokens, instance, shares, instances, turn: 0, silence, metrics }
    }

    /// How it stands with hearing.
    pub fn silence(&self) -> Silence {
        self.silence.clone()
    }

    /// Tells and hears, until nothing more can be heard. What can't be told at once is left out: the others then go on as if they
    /// had heard what they usually do.
    pub async fn run(mut self, tell: Sender<Vec<u8>>, mut heard: Receiver<Vec<u8>>) {
        let mut interval = tokio::time::interval(TURN);
        interval.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
        loop {
            tokio::select! {
                _ = interval.tick() => {
                    let told = self.next_turn();
                    // Where the last ones are still on their way, this one is not told.
                    if tell.try_send(told).is_err() {
                        tracing::debug!("the other instances are not told");
                    }
                }
                message = heard.recv() => match message {
                    Some(message) => self.hear(&message),
                    None => return,
                }
            }
        }
    }

    /// Begins the next turn, with what is to be told in it.
    fn next_turn(&mut self) -> Vec<u8> {
        self.turn = self.turn.wrapping_add(1);
        let silent_turns = self.silence.turns.fetch_add(1, Ordering::Relaxed);
        if silent_turns >= SILENT_TURNS {
            // The others take it that this one goes on, too: they will not be told of it afterwards.
            self.untold.forget();
            self.shares.assume().into_iter().for_each(|share| self.charge(&share));
            self.instances.clear();
        }
        let taken = self.untold.take(MAX_TOLD_BYTES);
        if self.turn.is_multiple_of(FORGET_TURNS) {
            self.untold.forget();
        }
        self.instances.retain(|_, heard| self.turn.wrapping_sub(*heard) < FAILING_TURNS);
        self.metrics.ingest_instances.set(i64::try_from(self.instances.len()).unwrap_or(i64::MAX));
        let places: HashMap<_, _> =
            self.tokens.in_common_order().into_iter().enumerate().map(|(place, token)| (token, place)).collect();
        // A token that was withdrawn since has no place, and its clients send nothing more.
        let entry = |Share { token, client_id, taken }: Share| {
            places.get(&token).map(|place| (*place, client_id, taken.requests, taken.events))
        };
        let told = Told { instance: self.instance.clone(), taken: taken.into_iter().filter_map(entry).collect() };
        // Neither a map with odd keys nor a number that JSON does not have is in it.
        serde_json::to_vec(&told).unwrap_or_default()
    }

    /// Takes in what an instance tells, this one or another.
    fn hear(&mut self, message: &[u8]) {
        let told: Told = match serde_json::from_slice(message) {
            Ok(told) => told,
            Err(error) => return tracing::debug!("a message about rates can't be read: {error}"),
        };
        let is_own = told.instance == self.instance;
        if self.instances.len() < MAX_INSTANCES || self.instances.contains_key(&told.instance) {
            self.instances.insert(told.instance, self.turn);
        }
        if is_own {
            self.silence.turns.store(0, Ordering::Relaxed);
            return self.shares.settle();
        }
        let tokens = self.tokens.in_common_order();
        for (place, client_id, requests, events) in told.taken {
            // While tokens change, instance by instance, some know of more than others.
            let Some(token) = tokens.get(place).copied() else { continue };
            let share = Share { token, client_id, taken: Taken { requests, events } };
            self.charge(&share);
            self.shares.hear(&share);
        }
    }

    fn charge(&self, share: &Share) {
        self.rates.charge(share.token, &share.client_id, share.taken);
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use netqoe_server::TokenId;

    use super::super::clock::HandClock;
    use super::*;
    use crate::IngestConfig;

    const TOKEN: TokenId = TokenId(0);
    const RATE_PER_S: u32 = 100;
    const BURST: u32 = 60;
    const STEP: Duration = Duration::from_millis(10);

    /// Instances that hear each other at once, unless their store is away.
    struct Fleet {
        clock: Arc<HandClock>,
        instances: Vec<SharedLimits>,
        is_away: bool,
        steps: u32,
    }

    impl Fleet {
        fn new(instances: usize) -> Self {
            let clock = Arc::new(HandClock::default());
            let config = IngestConfig {
                rate_per_s: NonZeroU32::new(RATE_PER_S).unwrap(),
                rate_burst: NonZeroU32::new(BURST).unwrap(),
                shares_limits: true,
                ..IngestConfig::default()
            };
            let instance = |number: usize| {
                let tokens = Tokens::none_on_loopback();
                let rates = Arc::new(RateLimits::with_capacity(&config, &tokens, Arc::clone(&clock) as _, |_| 1_000));
                let untold = Arc::clone(rates.untold().unwrap());
                SharedLimits::new(rates, untold, tokens, format!("instance-{number}"), Metrics::new())
            };
            Self { instances: (0..instances).map(instance).collect(), clock, is_away: false, steps: 0 }
        }

        /// The requests that are let through, where a client sends so many to each instance in every step.
        fn let_through(&mut self, client_id: &str, sent: &[usize], for_s: u32) -> u32 {
            let client_id = client_id.to_owned();
            let mut let_through = 0;
            for _ in 0..for_s * 100 {
                self.clock.advance(STEP);
                for (instance, sent) in self.instances.iter().zip(sent) {
                    let taken = || instance.rates.take(TOKEN, &client_id).retry_after_s.is_none();
                    let_through += (0..*sent).filter(|_| taken()).count() as u32;
                }
                self.steps += 1;
                if self.steps.is_multiple_of(TURN.as_millis() as u32 / STEP.as_millis() as u32) {
                    self.exchange();
                }
            }
            let_through
        }

        fn exchange(&mut self) {
            let told: Vec<_> = self.instances.iter_mut().map(SharedLimits::next_turn).collect();
            if !self.is_away {
                let hear = |instance: &mut SharedLimits| told.iter().for_each(|message| instance.hear(message));
                self.instances.iter_mut().for_each(hear);
            }
        }
    }

    /// Within so many hundredths of what one instance would let through.
    fn assert_near(let_through: u32, one: u32, hundredths: u32) {
        let off = let_through.abs_diff(one) * 100;
        assert!(off <= one * hundredths, "{let_through} where one instance lets {one} through");
    }

    #[test]
    fn together_they_let_through_what_one_would() {
        for sent in [vec![5, 5], vec![9, 1], vec![1, 0], vec![10, 10, 10, 10, 10]] {
            let mut fleet = Fleet::new(sent.len());
            assert_near(
                fleet.let_through("a", &sent, 20),
                BURST + 20 * RATE_PER_S.min(sent.iter().sum::<usize>() as u32 * 100),
                3,
            );
        }
    }

    #[test]
    fn a_client_below_its_rate_has_all_of_it_wherever_it_sends() {
        let mut fleet = Fleet::new(2);
        assert_eq!(fleet.let_through("busy", &[3, 3], 5) / RATE_PER_S, 5);
        let client = "bursts".to_owned();
        let taken = (0..BURST).filter(|_| fleet.instances[1].rates.take(TOKEN, &client).retry_after_s.is_none());
        assert_eq!(taken.count() as u32, BURST, "its whole burst at one instance");
        fleet.exchange();
        fleet.clock.advance(STEP);
        assert_eq!(fleet.instances[0].rates.take(TOKEN, &client).remaining, 0, "the other one knows of it");
    }

    #[test]
    fn while_they_do_not_hear_each_other_each_goes_on_with_its_share() {
        let mut fleet = Fleet::new(2);
        fleet.let_through("a", &[8, 2], 5);
        fleet.instances.iter().for_each(|instance| assert_eq!(instance.silence().check(), Ok(())));
        fleet.is_away = true;
        assert_near(fleet.let_through("a", &[8, 2], 30), 30 * RATE_PER_S, 5);
        let problem = fleet.instances[0].silence().check().unwrap_err();
        assert!(problem.contains("not heard each other for 30 s"), "{problem}");
        assert_eq!(fleet.instances[0].metrics.ingest_instances.get(), 0);
        fleet.is_away = false;
        assert_near(fleet.let_through("a", &[8, 2], 20), 20 * RATE_PER_S, 5);
        assert_eq!(fleet.instances[0].silence().check(), Ok(()));
        assert_eq!(fleet.instances[0].metrics.ingest_instances.get(), 2);
    }

    #[test]
    fn who_sends_little_is_not_told_of() {
        let mut fleet = Fleet::new(2);
        let told = |fleet: &mut Fleet| String::from_utf8(fleet.instances[0].next_turn()).unwrap();
        let take = |fleet: &Fleet| _ = fleet.instances[0].rates.take(TOKEN, &"quiet".to_owned());
        (0..2).for_each(|_| take(&fleet));
        assert!(!told(&mut fleet).contains("quiet"));
        take(&fleet);
        assert!(told(&mut fleet).contains("[0,\"quiet\",3,0]"));
        assert!(!told(&mut fleet).contains("quiet"), "and of nobody twice");
    }

    #[test]
    fn nonsense_is_left_out_and_can_not_shut_a_client_out_for_long() {
        let mut fleet = Fleet::new(1);
        for message in ["", "{}", "[0]", r#"{"instance":"b","taken":[[7,"a",1,1],[0,"",0,0]]}"#] {
            fleet.instances[0].hear(message.as_bytes());
        }
        assert_eq!(fleet.let_through("a", &[1], 1), 100);
        fleet.instances[0]
            .hear(format!(r#"{{"instance":"b","taken":[[0,"a",{},{}]]}}"#, u32::MAX, u32::MAX).as_bytes());
        assert_eq!(fleet.let_through("a", &[1], 59), 0);
        assert!(fleet.let_through("a", &[1], 3) > 100, "after a minute it is heard again");
    }
}
