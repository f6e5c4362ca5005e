//! What may rightly be said of a pair in some time.

use netqoe_model::Label;

use super::daily::evening;
use super::effect::{Effect, Medians};
use super::fault::{Fault, Shape};
use super::fleet::{Pair, Usual};
use super::{Simulation, Stretch};

/// A phase that is fewer times worse than this is nothing that ought to be said, and nothing that must not be said.
const MILD_RATIO: f64 = 1.6;
const CLEAR_RATIO: f64 = 2.0;
const FAILING_SHARE: f64 = 0.6;
/// A name that takes this much longer is noticed, where all that comes before the first byte is as many times longer as
/// makes a fault mild or clear.
const NOTICED_DNS_MS: f64 = 20.0;
const NOTICED_DNS_RATIO: f64 = 1.5;
/// A phase that is this many times worse at some time is not healthy beyond doubt.
const DOUBTFUL_RATIO: f64 = 1.05;
/// Rounding must not make a fault of exactly a bound one that is below it.
const ROUNDING: f64 = 1e-9;

/// How bad it is for who measures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Strength {
    /// 1.6 to 2 times worse than it would be.
    Mild,
    /// Twice as bad, or worse.
    Clear,
    /// At least six tenths fail.
    Failing,
}

impl Strength {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Clear, Self::Mild, Self::Failing];

    /// In words.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Mild => "mild (× 1.6 to 2)",
            Self::Clear => "clear (× 2 and more)",
            Self::Failing => "failing (60 % and more)",
        }
    }

    fn of(ratio: f64) -> Option<Self> {
        if ratio >= CLEAR_RATIO - ROUNDING {
            Some(Self::Clear)
        } else {
            (ratio >= MILD_RATIO - ROUNDING).then_some(Self::Mild)
        }
    }
}

/// By label, in the order of [`Label::ALL`] without [`Label::Healthy`].
pub type ByLabel<T> = [T; 5];

/// What may be said of a pair in some time.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Expectation<'a> {
    /// Whether any fault touches the time, however slightly.
    pub touched: bool,
    /// The labels that are right for all of the time, and how bad it is.
    pub right: ByLabel<Option<Strength>>,
    /// The labels for which there is some reason at some time.
    pub possible: ByLabel<bool>,
    /// The fault, where one alone touches the time.
    pub fault: Option<&'a Fault>,
    /// Whether one that touches it flaps.
    pub flapping: bool,
}

impl Expectation<'_> {
    /// How bad it is in all of the time, where there is a label that says so.
    pub fn strength(&self) -> Option<Strength> {
        self.right.into_iter().flatten().max()
    }

    /// Whether a label is right for all of the time.
    pub fn is_right(&self, label: Label) -> bool {
        self.right.get(label as usize).is_some_and(Option::is_some)
    }

    /// Whether a label has some reason at some time.
    pub fn is_possible(&self, label: Label) -> bool {
        self.possible.get(label as usize).is_some_and(|possible| *possible)
    }
}

/// What is wrong with a pair, at any time.
pub struct Truth<'a> {
    usual: Usual,
    faults: Vec<&'a Fault>,
}

impl<'a> Truth<'a> {
    pub(super) fn new(simulation: &'a Simulation, pair: Pair) -> Self {
        Self { usual: simulation.fleet.usual(pair), faults: simulation.faults_of(pair).collect() }
    }

    /// What may be said of some time.
    pub fn during(&self, during: Stretch) -> Expectation<'a> {
        let mut touching = self.faults.iter().filter(|fault| fault.intensities(during).1 > 0.0).peekable();
        let mut expectation = Expectation { touched: touching.peek().is_some(), ..Expectation::default() };
        if !expectation.touched {
            return expectation;
        }
        let (mut least, mut most) = (Effect::NONE, Effect::NONE);
        let mut count = 0;
        for fault in touching {
            let (low, high) = fault.intensities(during);
            least = least.and(fault.effect.scaled(low));
            most = most.and(fault.effect.scaled(high));
            expectation.flapping |= fault.shape == Shape::Flapping;
            expectation.fault = Some(fault);
            count += 1;
        }
        expectation.fault = expectation.fault.filter(|_| count == 1);
        let evening = evening(during.from_ms);
        expectation.right = self.worse(evening, &least).strengths();
        expectation.possible = self.worse(evening, &most).doubtful();
        expectation
    }

    fn worse(&self, evening: f64, effect: &Effect) -> Worse {
        let without = Medians::of(&self.usual, evening, &Effect::NONE);
        let with = Medians::of(&self.usual, evening, effect);
        // What a longer round trip adds to the first byte is not the server's.
        let by_the_path_ms = with.round_trip_ms - without.round_trip_ms;
        Worse {
            failed_share: effect.failed_share,
            dns: with.dns_ms / without.dns_ms,
            dns_added_ms: with.dns_ms - without.dns_ms,
            by_dns: (without.total_ms() + with.dns_ms - without.dns_ms) / without.total_ms(),
            handshake: with.handshake_ms() / without.handshake_ms(),
            server: (with.ttfb_ms() - by_the_path_ms) / without.ttfb_ms(),
            throughput: without.mbps / with.mbps,
        }
    }
}

/// How many times worse each phase is than it would be.
struct Worse {
    failed_share: f64,
    dns: f64,
    dns_added_ms: f64,
    /// How many times longer all that comes before the first byte is, by name resolution alone.
    by_dns: f64,
    handshake: f64,
    server: f64,
    throughput: f64,
}

impl Worse {
    fn strengths(&self) -> ByLabel<Option<Strength>> {
        let failing = (self.failed_share >= FAILING_SHARE - ROUNDING).then_some(Strength::Failing);
        let dns_noticed = self.dns_added_ms >= NOTICED_DNS_MS && self.dns >= NOTICED_DNS_RATIO;
        let dns = Strength::of(self.by_dns).filter(|_| dns_noticed);
        [failing, dns, Strength::of(self.handshake), Strength::of(self.server), Strength::of(self.throughput)]
    }

    fn doubtful(&self) -> ByLabel<bool> {
        let latencies = [self.dns, self.handshake, self.server, self.throughput];
        let [dns, handshake, server, throughput] = latencies.map(|ratio| ratio > DOUBTFUL_RATIO);
        [self.failed_share > 0.0, dns, handshake, server, throughput]
    }
}
