//! When the demo has which fault, and where.

use std::ops::{Range, RangeInclusive};

use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};

use super::place::{Pair, Place};
use crate::FaultKind;

pub(super) const MINUTE_MS: i64 = 60_000;
const HOUR_MINUTES: i64 = 60;
pub(super) const HOUR_MS: i64 = HOUR_MINUTES * MINUTE_MS;

/// No fault starts in so many minutes of an hour: in the first hour, diagnoses need to learn what is usual. In the others
/// the last fault of the hour before ends meanwhile, so that an hour can be made without those before it.
const QUIET_MINUTES: i64 = 12;
/// The last fault of an hour starts this long before the next hour ...
const MINUTES_BEFORE_NEXT_HOUR: RangeInclusive<i64> = 7..=12;
/// ... and goes on for so much of it.
const MINUTES_OF_NEXT_HOUR: RangeInclusive<i64> = 4..=QUIET_MINUTES;
/// How long the faults last that an hour has of every kind, but for its last.
const LONG_MINUTES: RangeInclusive<i64> = 6..=25;
/// An hour has so many faults besides ...
const SHORT_ONES: RangeInclusive<usize> = 1..=2;
/// ... which last this long.
const SHORT_MINUTES: RangeInclusive<i64> = 3..=5;
/// After its first quiet minutes, an hour has at least so many more without a fault.
const MORE_QUIET_MINUTES: usize = 5;
/// After so many draws there is no room for a fault, and the hour is drawn anew.
const MOST_DRAWS: usize = 50;

/// A fault of the demo's schedule.
#[derive(Clone, Debug, PartialEq)]
pub struct Fault {
    /// What is wrong.
    pub kind: FaultKind,
    /// For whom.
    pub place: Place,
    /// How many times the usual is measured of what the kind is about; 1 for [`FaultKind::Error`], which slows nothing.
    pub factor: f64,
    /// The first measurement that it touches, in Unix milliseconds. A whole minute, as its end is: so a window lies
    /// either within a fault or outside of it.
    pub from_ms: i64,
    /// The first that it does not touch any more.
    pub to_ms: i64,
}

impl Fault {
    /// Whether it shows in what a pair measures at a time.
    pub fn touches(&self, pair: &Pair<'_>, ts_ms: i64) -> bool {
        (self.from_ms..self.to_ms).contains(&ts_ms) && self.place.includes(pair)
    }

    /// Whether some pair would have both at a time.
    fn meets(&self, other: &Self) -> bool {
        self.from_ms < other.to_ms && other.from_ms < self.to_ms && self.place.meets(&other.place)
    }
}

/// The faults that start in an hour, by its number from the demo's start on, in the order of their starts.
pub(super) fn hour(seed: u64, demo_start_ms: i64, number: i64) -> Vec<Fault> {
    let start_ms = demo_start_ms + number * HOUR_MS;
    let mut rng = rng(seed, number);
    // Most draws fit, so that this ends soon.
    loop {
        if let Some(mut faults) = draw(start_ms, &mut rng).filter(|faults| leave_quiet(faults, start_ms)) {
            faults.sort_by_key(|fault| fault.from_ms);
            return faults;
        }
    }
}

/// A fault of every kind and for every sort of place, the first of which goes on into the next hour; and short ones.
/// None where there is no room for one of them beside those before it.
fn draw(hour_ms: i64, rng: &mut StdRng) -> Option<Vec<Fault>> {
    let (mut kinds, mut sorts) = (FaultKind::ALL, Place::SORTS);
    kinds.shuffle(rng);
    sorts.shuffle(rng);
    let mut faults = Vec::new();
    for (number, (kind, sort)) in kinds.into_iter().zip(sorts).enumerate() {
        let minutes = if number == 0 { across_the_end } else { long_within_the_hour };
        add(&mut faults, rng, |rng| fault(kind, sort(rng), hour_ms, minutes(rng), rng))?;
    }
    for _ in 0..rng.random_range(SHORT_ONES) {
        let kind = FaultKind::ALL[rng.random_range(0..FaultKind::ALL.len())];
        let sort = Place::SORTS[rng.random_range(0..Place::SORTS.len())];
        add(&mut faults, rng, |rng| fault(kind, sort(rng), hour_ms, within_the_hour(SHORT_MINUTES, rng), rng))?;
    }
    Some(faults)
}

/// Adds a fault that no pair has together with another: one could hide the other.
fn add(faults: &mut Vec<Fault>, rng: &mut StdRng, mut draw: impl FnMut(&mut StdRng) -> Fault) -> Option<()> {
    let fault = (0..MOST_DRAWS).map(|_| draw(rng)).find(|fault| !faults.iter().any(|other| other.meets(fault)))?;
    faults.push(fault);
    Some(())
}

fn fault(kind: FaultKind, place: Place, hour_ms: i64, minutes: Range<i64>, rng: &mut StdRng) -> Fault {
    let [from_ms, to_ms] = [minutes.start, minutes.end].map(|minute| hour_ms + minute * MINUTE_MS);
    Fault { kind, place, factor: rng.random_range(factors(kind)), from_ms, to_ms }
}

fn across_the_end(rng: &mut StdRng) -> Range<i64> {
    HOUR_MINUTES - rng.random_range(MINUTES_BEFORE_NEXT_HOUR)..HOUR_MINUTES + rng.random_range(MINUTES_OF_NEXT_HOUR)
}

fn long_within_the_hour(rng: &mut StdRng) -> Range<i64> {
    within_the_hour(LONG_MINUTES, rng)
}

fn within_the_hour(lasts: RangeInclusive<i64>, rng: &mut StdRng) -> Range<i64> {
    let minutes = rng.random_range(lasts);
    let from = rng.random_range(QUIET_MINUTES..=HOUR_MINUTES - minutes);
    from..from + minutes
}

/// By how much a kind of fault changes what is measured: enough to be seen by whoever looks at a chart. Name resolution
/// is a small part of the usual, and has to become the greater part.
fn factors(kind: FaultKind) -> RangeInclusive<f64> {
    match kind {
        FaultKind::Dns => 25.0..=40.0,
        FaultKind::Handshake => 2.5..=6.0,
        FaultKind::Server => 3.0..=8.0,
        FaultKind::Throughput => 0.15..=0.4,
        FaultKind::Error => 1.0..=1.0,
    }
}

fn leave_quiet(faults: &[Fault], hour_ms: i64) -> bool {
    let is_quiet = |ts_ms: i64| !faults.iter().any(|fault| (fault.from_ms..fault.to_ms).contains(&ts_ms));
    let minutes = (QUIET_MINUTES..HOUR_MINUTES).map(|minute| hour_ms + minute * MINUTE_MS);
    minutes.filter(|&ts_ms| is_quiet(ts_ms)).count() >= MORE_QUIET_MINUTES
}

/// A generator of its own for every hour, so that each can be made without those before it.
fn rng(seed: u64, number: i64) -> StdRng {
    let mut key = [0; 32];
    key[..8].copy_from_slice(&seed.to_le_bytes());
    key[8..16].copy_from_slice(&number.to_le_bytes());
    // Unlike any turn's.
    key[16..].fill(u8::MAX);
    StdRng::from_seed(key)
}
