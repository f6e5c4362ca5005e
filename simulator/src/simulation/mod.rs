//! A fleet of clients that measure targets, with faults of every kind at every layer, and the truth about each pair.
//!
//! A [`Simulation`] is a function of its [`Configuration`]. [`Simulation::measurements`] gives what a pair measures:
//! log-normal scatter with heavy tails, single failures, bursts of a minute in which a client's latencies rise, an
//! evening in which everything gets slower over hours, gaps, and what is received hours late. [`Simulation::truth`] says
//! for any time which labels are right, and how bad it is. Pairs are independent of each other, so that one can be gone
//! through after the other, or all of them side by side.
//!
//! | cause | whose | what is worse |
//! | --- | --- | --- |
//! | client uplink, Wi-Fi of a site, congestion | client's, site's on Wi-Fi, provider's | round trips and throughput |
//! | hosting network, provider to target, everything | those | round trips |
//! | provider's resolver | provider's | name resolution, by 60 to 2,000 ms or × 8 to 50 |
//! | shaping | client's or provider's | throughput |
//! | target slow | target's | time to first byte, by what the server takes longer |
//! | target failing, certificate | target's | 60 to 100 % fail (http), all fail (tls) |
//!
//! A third of the faults are × 1.6 to × 2, the others × 2 to × 10. Some overlap, some flap, some grow for an hour.
//!
//! A longer round trip raises the handshake and the first byte, and `handshake-bound` is right for it. What is less than
//! × 1.6 is neither right nor wrong to say. Name resolution is judged by what it adds to all that comes before the first
//! byte: ten times longer than usual and still a tenth of the whole is nothing that a person notices.

mod daily;
mod draws;
mod effect;
mod fault;
mod fleet;
mod measurement;
mod schedule;
mod stretch;
mod truth;

use draws::{Draws, Purpose};

pub use fault::{Cause, Fault, Scope, Shape};
pub use fleet::{Access, Client, Fleet, Pair, Target};
pub use measurement::{Measurement, Measurements};
pub use stretch::Stretch;
pub use truth::{ByLabel, Expectation, Strength, Truth};

const MINUTE_MS: i64 = 60_000;
const HOUR_MS: i64 = 60 * MINUTE_MS;
/// A noon, so that half a day holds an evening.
const START_MS: i64 = 1_700_049_600_000;

/// A client's latencies rise for some seconds, once in some hours ...
const BURST_EVERY_MS: f64 = 4.0 * HOUR_MS as f64;
const BURST_MS: std::ops::Range<f64> = 20_000.0..70_000.0;
/// ... so many times.
const BURST_FACTOR: std::ops::Range<f64> = 1.5..5.0;
/// A client, or all, measure nothing for some minutes.
const CLIENT_GAP_EVERY_MS: f64 = 12.0 * HOUR_MS as f64;
const FLEET_GAP_EVERY_MS: f64 = 16.0 * HOUR_MS as f64;
const GAP_MS: std::ops::Range<f64> = 90_000.0..1_200_000.0;
/// What a client measures for some minutes comes hours late.
const BACKFILL_EVERY_MS: f64 = 48.0 * HOUR_MS as f64;
const BACKFILL_MS: std::ops::Range<f64> = 600_000.0..5_400_000.0;

/// What is far off by chance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tails {
    /// One metric of a measurement, or all of its latencies: 1 to 3 % of the measurements.
    OneMetric,
    /// Each metric on its own, in 1 to 3 % of the measurements. More than networks do.
    EachMetric,
}

/// What a simulation is a function of.
#[derive(Clone, Debug, PartialEq)]
pub struct Configuration {
    /// What decides everything that the rest leaves open.
    pub seed: u64,
    /// How many clients, at least one ...
    pub clients: usize,
    /// ... measure how many targets, at least one, ...
    pub targets: usize,
    /// ... for how long ...
    pub hours: u32,
    /// ... and how often each of them, at least once.
    pub per_minute: u32,
    /// How many faults there are in the whole fleet; 0 is a clean run.
    pub faults_an_hour: f64,
    /// How long they last, at least ...
    pub shortest_fault_ms: i64,
    /// ... and at most.
    pub longest_fault_ms: i64,
    /// How many times the usual standard deviations measurements scatter.
    pub noise: f64,
    /// What is far off by chance.
    pub tails: Tails,
}

impl Default for Configuration {
    fn default() -> Self {
        Self {
            seed: 1,
            clients: 40,
            targets: 10,
            hours: 24,
            per_minute: 2,
            faults_an_hour: 1.0,
            shortest_fault_ms: 5 * MINUTE_MS,
            longest_fault_ms: 180 * MINUTE_MS,
            noise: 1.0,
            tails: Tails::OneMetric,
        }
    }
}

/// A client's latencies are so many times longer for a short time. That is no fault.
#[derive(Clone, Debug)]
struct Burst {
    during: Stretch,
    factor: f64,
}

/// One run of a fleet.
#[derive(Clone, Debug)]
pub struct Simulation {
    configuration: Configuration,
    fleet: Fleet,
    run: Stretch,
    faults: Vec<Fault>,
    /// By client.
    bursts: Vec<Vec<Burst>>,
    client_gaps: Vec<Vec<Stretch>>,
    backfills: Vec<Vec<Stretch>>,
    fleet_gaps: Vec<Stretch>,
}

impl Simulation {
    /// The run that this configuration describes.
    pub fn new(configuration: Configuration) -> Self {
        let Configuration { seed, clients, targets, hours, .. } = configuration;
        let run = Stretch { from_ms: START_MS, to_ms: START_MS + i64::from(hours) * HOUR_MS };
        let fleet = Fleet::new(seed, clients, targets);
        let stretches = |purpose, number, every_ms, length_ms| {
            run.now_and_then(&mut Draws::new(seed, purpose, number), every_ms, length_ms)
        };
        Self {
            faults: schedule::faults(&configuration, &fleet, run),
            bursts: (0..clients).map(|client| bursts(seed, client, run)).collect(),
            client_gaps: (0..clients)
                .map(|client| stretches(Purpose::ClientGaps, client, CLIENT_GAP_EVERY_MS, GAP_MS))
                .collect(),
            backfills: (0..clients)
                .map(|client| stretches(Purpose::Backfills, client, BACKFILL_EVERY_MS, BACKFILL_MS))
                .collect(),
            fleet_gaps: stretches(Purpose::FleetGaps, 0, FLEET_GAP_EVERY_MS, GAP_MS),
            configuration,
            fleet,
            run,
        }
    }

    /// Who measures what.
    pub fn fleet(&self) -> &Fleet {
        &self.fleet
    }

    /// All of its time. It begins with a minute.
    pub fn run(&self) -> Stretch {
        self.run
    }

    /// What is wrong and when, in the order in which it begins.
    pub fn faults(&self) -> &[Fault] {
        &self.faults
    }

    /// What a pair measures.
    pub fn measurements(&self, pair: Pair) -> Measurements<'_> {
        Measurements::new(self, pair)
    }

    /// What is wrong with a pair.
    pub fn truth(&self, pair: Pair) -> Truth<'_> {
        Truth::new(self, pair)
    }

    fn faults_of(&self, pair: Pair) -> impl Iterator<Item = &Fault> {
        self.faults.iter().filter(move |fault| fault.scope.holds(&self.fleet, pair))
    }
}

fn bursts(seed: u64, client: usize, run: Stretch) -> Vec<Burst> {
    let mut draws = Draws::new(seed, Purpose::Bursts, client);
    let stretches = run.now_and_then(&mut draws, BURST_EVERY_MS, BURST_MS);
    stretches.into_iter().map(|during| Burst { during, factor: draws.between(BURST_FACTOR) }).collect()
}
