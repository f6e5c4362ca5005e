//! What is wrong, whose measurements show it, and when.

use super::effect::Effect;
use super::fleet::{Access, Fleet, Pair};
use super::stretch::Stretch;

/// What is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Cause {
    /// One client's line is overloaded: longer round trips, less throughput.
    ClientUplink,
    /// The radio of a site is disturbed, the same for those who use it.
    SiteWifi,
    /// A provider's name server is slow.
    ProviderResolver,
    /// A provider's network is overloaded.
    ProviderCongestion,
    /// A client, or all of a provider, gets less throughput, and nothing else.
    Shaping,
    /// A target's server is slow.
    TargetSlow,
    /// A target's server answers with errors.
    TargetFailing,
    /// A target's certificate is not valid.
    Certificate,
    /// The network of some targets has longer round trips.
    HostingNetwork,
    /// Between a provider and a target round trips are longer.
    ProviderToTarget,
    /// Between all clients and all targets.
    Everything,
}

impl Cause {
    /// All causes.
    pub const ALL: [Self; 11] = [
        Self::ClientUplink,
        Self::SiteWifi,
        Self::ProviderResolver,
        Self::ProviderCongestion,
        Self::Shaping,
        Self::TargetSlow,
        Self::TargetFailing,
        Self::Certificate,
        Self::HostingNetwork,
        Self::ProviderToTarget,
        Self::Everything,
    ];

    /// In words.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ClientUplink => "client uplink",
            Self::SiteWifi => "Wi-Fi of a site",
            Self::ProviderResolver => "provider's resolver",
            Self::ProviderCongestion => "provider's congestion",
            Self::Shaping => "shaping",
            Self::TargetSlow => "target slow",
            Self::TargetFailing => "target failing",
            Self::Certificate => "certificate",
            Self::HostingNetwork => "hosting network",
            Self::ProviderToTarget => "provider to target",
            Self::Everything => "everything",
        }
    }
}

/// Whose measurements show a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// All of one client.
    Client(usize),
    /// All of a site's clients on Wi-Fi.
    SiteWifi(usize),
    /// All of a provider's clients.
    Provider(usize),
    /// All of one target.
    Target(usize),
    /// All of the targets in one network.
    Hosting(usize),
    /// Those of a provider's clients of one target.
    ProviderToTarget(usize, usize),
    /// All.
    Everything,
}

impl Scope {
    /// Whether it holds a pair.
    pub fn holds(self, fleet: &Fleet, pair: Pair) -> bool {
        let client = fleet.client(pair);
        match self {
            Self::Client(number) => number == pair.client,
            Self::SiteWifi(site) => site == client.site && client.access == Access::Wifi,
            Self::Provider(provider) => provider == client.provider,
            Self::Target(number) => number == pair.target,
            Self::Hosting(hosting) => hosting == fleet.target(pair).hosting,
            Self::ProviderToTarget(provider, number) => provider == client.provider && number == pair.target,
            Self::Everything => true,
        }
    }
}

/// How a fault comes and goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Shape {
    /// There, and then gone.
    Steady,
    /// Growing for an hour, and then gone.
    Ramping,
    /// There and gone again, for some minutes each.
    Flapping,
}

impl Shape {
    /// All shapes.
    pub const ALL: [Self; 3] = [Self::Steady, Self::Ramping, Self::Flapping];

    /// In words.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Steady => "steady",
            Self::Ramping => "ramping",
            Self::Flapping => "flapping",
        }
    }
}

/// One thing that is wrong for some time.
#[derive(Clone, Debug, PartialEq)]
pub struct Fault {
    /// What it is.
    pub cause: Cause,
    /// Whose measurements show it.
    pub scope: Scope,
    /// How it comes and goes.
    pub shape: Shape,
    /// How many times worse at its worst; for failures, the failed share.
    pub factor: f64,
    /// When it is there: once, or several times where it flaps.
    pub present: Vec<Stretch>,
    /// How long it grows.
    pub(super) ramp_ms: i64,
    pub(super) effect: Effect,
}

impl Fault {
    /// From its beginning to its end.
    pub fn whole(&self) -> Stretch {
        let end = |stretch: Option<&Stretch>, of: fn(&Stretch) -> i64| stretch.map_or(0, of);
        Stretch {
            from_ms: end(self.present.first(), |stretch| stretch.from_ms),
            to_ms: end(self.present.last(), |stretch| stretch.to_ms),
        }
    }

    /// How much of it there is at a time, from 0 to 1.
    pub(super) fn intensity(&self, ts_ms: i64) -> f64 {
        let present = self.present.iter().find(|stretch| stretch.holds(ts_ms));
        present.map_or(0.0, |stretch| self.grown(*stretch, ts_ms))
    }

    /// The least and the most of it that there is in some time.
    pub(super) fn intensities(&self, during: Stretch) -> (f64, f64) {
        let Some(present) = self.present.iter().find(|stretch| stretch.touches(during)) else { return (0.0, 0.0) };
        let last_ms = during.to_ms.min(present.to_ms) - 1;
        let least = if present.contains(during) { self.grown(*present, during.from_ms) } else { 0.0 };
        (least, self.grown(*present, last_ms))
    }

    fn grown(&self, present: Stretch, ts_ms: i64) -> f64 {
        if self.ramp_ms == 0 { 1.0 } else { ((ts_ms - present.from_ms) as f64 / self.ramp_ms as f64).min(1.0) }
    }
}
