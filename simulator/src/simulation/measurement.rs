//! What a pair measures, one after the other.

use std::ops::Range;

use netqoe_model::{ErrorStage, Metric, Samples};

use super::daily::evening;
use super::draws::{Draws, Purpose};
use super::effect::{Effect, Medians};
use super::fault::Fault;
use super::fleet::{Pair, Spread, Usual};
use super::{Burst, Simulation, Stretch, Tails};

const MINUTE_MS: f64 = 60_000.0;
/// A measurement is made up to this share of its period after its turn.
const JITTER_SHARE: f64 = 0.1;
/// How long after it was made a measurement is received, in milliseconds, and how long where it waited for a connection.
const DELAY_MS: Range<f64> = 20.0..2_000.0;
const BACKFILL_DELAY_MS: Range<f64> = 7_200_000.0..21_600_000.0;
/// How many times longer one measurement of some takes.
const TAIL_FACTOR: Range<f64> = 2.0..6.0;
/// Share of these where all phases take longer, where otherwise one does.
const WHOLE_TAIL_SHARE: f64 = 0.3;
/// What the phases of one measurement share of the path's scatter, and what each has of its own, as shares of the standard
/// deviation: the squares add up to 1.
const PATH_SHARE: f64 = 0.7;
const OWN_SHARE: f64 = 0.714;

/// One measurement.
#[derive(Clone, Debug, PartialEq)]
pub struct Measurement {
    /// When it was made, in Unix milliseconds.
    pub ts_ms: i64,
    /// When ingest has it, in Unix milliseconds: soon, or hours late.
    pub recv_ms: i64,
    /// Where it failed, if it did: then it has no samples.
    pub error_stage: Option<ErrorStage>,
    /// What it measured: whole microseconds, and kbit/s.
    pub samples: Samples,
}

/// The measurements of a pair in the order in which they are made.
pub struct Measurements<'a> {
    simulation: &'a Simulation,
    client: usize,
    usual: Usual,
    spread: Spread,
    faults: Vec<&'a Fault>,
    draws: Draws,
    period_ms: f64,
    /// When its first turn is.
    first_ms: f64,
    next_turn: f64,
}

impl<'a> Measurements<'a> {
    pub(super) fn new(simulation: &'a Simulation, pair: Pair) -> Self {
        let configuration = &simulation.configuration;
        let fleet = &simulation.fleet;
        let mut draws = Draws::new(configuration.seed, Purpose::Measurements, fleet.number(pair));
        let period_ms = MINUTE_MS / f64::from(configuration.per_minute);
        let first_ms = simulation.run.from_ms as f64 + draws.between(0.0..period_ms);
        Self {
            simulation,
            client: pair.client,
            usual: fleet.usual(pair),
            spread: fleet.spread(pair, configuration.noise),
            faults: simulation.faults_of(pair).collect(),
            draws,
            period_ms,
            first_ms,
            next_turn: 0.0,
        }
    }

    fn measure(&mut self, ts_ms: i64) -> Measurement {
        let delay_ms = if holds(&self.simulation.backfills[self.client], ts_ms) { BACKFILL_DELAY_MS } else { DELAY_MS };
        let recv_ms = ts_ms + self.draws.between(delay_ms) as i64;
        let effect = self.effect(ts_ms);
        let error_stage = self.failure(&effect);
        let samples = if error_stage.is_some() { [None; 5] } else { self.samples(ts_ms, &effect) };
        Measurement { ts_ms, recv_ms, error_stage, samples }
    }

    /// Of the faults, and of a burst of the client's.
    fn effect(&self, ts_ms: i64) -> Effect {
        let faults = self.faults.iter().filter(|fault| fault.whole().holds(ts_ms));
        let effect = faults.fold(Effect::NONE, |effect, fault| effect.and(fault.effect.scaled(fault.intensity(ts_ms))));
        let burst = self.simulation.bursts[self.client].iter().find(|burst| burst.during.holds(ts_ms));
        burst.map_or(effect, |Burst { factor, .. }| {
            effect.and(Effect { dns: *factor, round_trip: *factor, ..Effect::NONE })
        })
    }

    fn failure(&mut self, effect: &Effect) -> Option<ErrorStage> {
        if effect.failed_share > 0.0 && self.draws.happens(effect.failed_share) {
            return Some(effect.stage);
        }
        self.draws.happens(self.spread.failure_share).then(|| self.draws.one_of(&ErrorStage::ALL))
    }

    fn samples(&mut self, ts_ms: i64, effect: &Effect) -> Samples {
        let medians = Medians::of(&self.usual, evening(ts_ms), effect);
        let Spread { latency, server, throughput, .. } = self.spread;
        let path = self.scatter(latency * PATH_SHARE);
        let own = latency * OWN_SHARE;
        let dns_ms = medians.dns_ms * self.scatter(latency);
        let tcp_ms = medians.round_trip_ms * path * self.scatter(own);
        let tls_ms = medians.tls_ms * path * self.scatter(own);
        let ttfb_ms = (medians.round_trip_ms * path + medians.server_ms * self.scatter(server)) * self.scatter(own);
        let mbps = medians.mbps * self.scatter(throughput);
        let mut samples = [dns_ms, tcp_ms, tls_ms, ttfb_ms, mbps];
        for (metric, times_worse) in Metric::ALL.into_iter().zip(self.tails()) {
            if metric == Metric::Throughput {
                samples[metric as usize] /= times_worse;
            } else {
                samples[metric as usize] *= times_worse;
            }
        }
        samples.map(|sample| Some((sample * 1000.0).round() as u64))
    }

    /// How many times worse each metric is by chance.
    fn tails(&mut self) -> [f64; 5] {
        let mut tails = [1.0; 5];
        match self.simulation.configuration.tails {
            Tails::EachMetric => {
                for tail in &mut tails {
                    if self.draws.happens(self.spread.tail_share) {
                        *tail = self.draws.between(TAIL_FACTOR);
                    }
                }
            }
            Tails::OneMetric if self.draws.happens(self.spread.tail_share) => {
                let factor = self.draws.between(TAIL_FACTOR);
                if self.draws.happens(WHOLE_TAIL_SHARE) {
                    tails = [factor; 5];
                    tails[Metric::Throughput as usize] = 1.0;
                } else {
                    tails[self.draws.below(5)] = factor;
                }
            }
            Tails::OneMetric => {}
        }
        tails
    }

    fn scatter(&mut self, spread: f64) -> f64 {
        (spread * self.draws.normal()).exp()
    }
}

impl Iterator for Measurements<'_> {
    type Item = Measurement;

    fn next(&mut self) -> Option<Measurement> {
        loop {
            let turn_ms = self.first_ms + self.next_turn * self.period_ms;
            let ts_ms = (turn_ms + self.draws.between(0.0..self.period_ms * JITTER_SHARE)) as i64;
            self.next_turn += 1.0;
            if ts_ms >= self.simulation.run.to_ms {
                return None;
            }
            let simulation = self.simulation;
            if !holds(&simulation.client_gaps[self.client], ts_ms) && !holds(&simulation.fleet_gaps, ts_ms) {
                return Some(self.measure(ts_ms));
            }
        }
    }
}

fn holds(stretches: &[Stretch], ts_ms: i64) -> bool {
    stretches.iter().any(|stretch| stretch.holds(ts_ms))
}
