//! What goes wrong, and when: a pure function of a seed.

use std::fmt;
use std::time::Duration;

use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};

use crate::cluster_support::Shape;

/// One thing that goes wrong. Processes are numbered beyond those there are: the remainder counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// kill -9 of an instance of ingest.
    IngestKilled(usize),
    /// kill -9 of one process of the cluster.
    OneKilled(usize),
    /// kill -9 of all of them.
    AllKilled,
    /// SIGTERM to one process, upon which all drain.
    OneAsked(usize),
    /// SIGSTOP of one process until another cluster has taken over, and then SIGCONT.
    OneHeldStill(usize),
    /// kill -9 of nats-server, which is back at once.
    NatsKilled,
    /// An orderly stop of nats-server, which is back at once.
    NatsStopped,
    /// nats-server is away for longer than an event may wait.
    NatsAway,
    /// kill -9 of PostgreSQL, which is back at once.
    PostgresKilled,
    /// A fast shutdown of PostgreSQL, which is back at once.
    PostgresStopped,
    /// PostgreSQL is away for a while.
    PostgresAway,
    /// The answer to a commit of rows is lost.
    AnswerLost,
}

/// Every kind of it, the one with two forms twice.
const DECK: [Fault; 13] = [
    Fault::IngestKilled(0),
    Fault::OneKilled(0),
    Fault::AllKilled,
    Fault::OneAsked(0),
    Fault::OneHeldStill(0),
    Fault::OneHeldStill(0),
    Fault::NatsKilled,
    Fault::NatsStopped,
    Fault::NatsAway,
    Fault::PostgresKilled,
    Fault::PostgresStopped,
    Fault::PostgresAway,
    Fault::AnswerLost,
];

/// Before the first fault: several windows.
pub(crate) const WARM_UP: Duration = Duration::from_secs(4);
/// From when the cluster has recovered to the next fault, in milliseconds.
const QUIET_MS: std::ops::Range<u64> = 1_000..3_000;
/// What the cluster takes about to recover. Only how many faults are planned for a length depends on it.
const RECOVERY: Duration = Duration::from_secs(3);
/// The longest fault of [`halves`].
const LONGEST_OF_A_HALF: Duration = Duration::from_secs(10);
/// Most that there are of each.
const PROCESSES: usize = 2;
const WORKERS: usize = 2;

impl Fault {
    /// How long what it does away with is away.
    pub(crate) fn lasts(self) -> Duration {
        match self {
            Self::NatsAway => Duration::from_secs(4),
            Self::PostgresAway => Duration::from_secs(20),
            Self::OneHeldStill(_) => Duration::from_secs(5),
            _ => Duration::ZERO,
        }
    }

    /// Whether all processes of the cluster end with it.
    fn ends_the_cluster(self) -> bool {
        matches!(self, Self::OneKilled(_) | Self::AllKilled | Self::OneAsked(_) | Self::OneHeldStill(_))
    }

    fn numbered(self, number: usize) -> Self {
        match self {
            Self::IngestKilled(_) => Self::IngestKilled(number),
            Self::OneKilled(_) => Self::OneKilled(number),
            Self::OneAsked(_) => Self::OneAsked(number),
            Self::OneHeldStill(_) => Self::OneHeldStill(number),
            other => other,
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.lasts().as_secs();
        match self {
            Self::IngestKilled(number) => write!(f, "kill -9 of ingest {}", number % 2),
            Self::OneKilled(number) => write!(f, "kill -9 of aggregate {number} modulo -n"),
            Self::AllKilled => write!(f, "kill -9 of every aggregate"),
            Self::OneAsked(number) => write!(f, "SIGTERM to aggregate {number} modulo -n"),
            Self::OneHeldStill(number) => {
                write!(f, "SIGSTOP of aggregate {number} modulo -n until others have taken over, then SIGCONT")
            }
            Self::NatsKilled => write!(f, "kill -9 of nats-server"),
            Self::NatsStopped => write!(f, "restart of nats-server"),
            Self::NatsAway => write!(f, "nats-server away for {seconds} s"),
            Self::PostgresKilled => write!(f, "kill -9 of PostgreSQL"),
            Self::PostgresStopped => write!(f, "restart of PostgreSQL"),
            Self::PostgresAway => write!(f, "PostgreSQL away for {seconds} s"),
            Self::AnswerLost => write!(f, "the answer to a commit lost"),
        }
    }
}

/// A fault and its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Planned {
    /// From when the cluster has recovered from the fault before; from that fault itself, where this one overlaps.
    pub(crate) pause: Duration,
    pub(crate) fault: Fault,
    /// Whether it does not wait until the faults before it are over.
    pub(crate) overlaps: bool,
    /// What a cluster that is started from then on looks like.
    pub(crate) then: Shape,
}

/// All that goes wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Schedule {
    /// Whether the cluster reaches PostgreSQL through PgBouncer, in transaction mode.
    pub(crate) pooled: bool,
    /// What the first cluster looks like.
    pub(crate) first: Shape,
    pub(crate) faults: Vec<Planned>,
}

/// What takes about so long: every kind of fault once before any comes again, each time in another order. At first each
/// waits until the one before it is over; then some do not.
pub(crate) fn schedule(seed: u64, length: Duration) -> Schedule {
    let mut rng = StdRng::seed_from_u64(seed);
    let (pooled, first, mut faults) = (rng.random_bool(0.5), shape(&mut rng), Vec::<Planned>::new());
    let (mut planned, mut deck) = (Duration::ZERO, DECK);
    for round in 0.. {
        deck.shuffle(&mut rng);
        for fault in deck {
            if planned >= length {
                return alone_and_not(Schedule { pooled, first, faults });
            }
            let fault = fault.numbered(rng.random_range(0..PROCESSES));
            let overlaps = round > 0 && rng.random_bool(0.3);
            let quiet = Duration::from_millis(rng.random_range(QUIET_MS));
            let pause = match faults.last() {
                None => WARM_UP,
                Some(before) if overlaps => before.fault.lasts() + quiet,
                Some(_) => quiet,
            };
            faults.push(Planned { pause, fault, overlaps, then: shape(&mut rng) });
            planned += pause + fault.lasts() + RECOVERY;
        }
    }
    unreachable!("every round takes time")
}

/// Every kind of fault once, in two runs of about 40 s: one without PgBouncer, and one with it. A fault that lasts half as
/// long as such a run is left to the long ones.
pub(crate) fn halves(seed: u64) -> [Schedule; 2] {
    let Schedule { first, mut faults, .. } = schedule(seed, crate::chaos::LENGTH);
    faults.truncate(DECK.len());
    faults.retain(|planned| planned.fault.lasts() <= LONGEST_OF_A_HALF);
    let second_half = faults.split_off(faults.len() / 2);
    let second_first = faults.last().map_or(first, |planned| planned.then);
    [Schedule { pooled: false, first, faults }, Schedule { pooled: true, first: second_first, faults: second_half }]
}

fn shape(rng: &mut StdRng) -> Shape {
    Shape { processes: rng.random_range(1..=PROCESSES), workers: rng.random_range(1..=WORKERS) }
}

/// Who is held still is in turn the only process, whose commits nobody but the store can refuse, and one of several.
fn alone_and_not(mut schedule: Schedule) -> Schedule {
    let mut processes = 1;
    for index in 0..schedule.faults.len() {
        if matches!(schedule.faults[index].fault, Fault::OneHeldStill(_)) {
            let before = schedule.faults[..index].iter_mut().rev().find(|planned| planned.fault.ends_the_cluster());
            before.map_or(&mut schedule.first, |planned| &mut planned.then).processes = processes;
            processes = 3 - processes;
        }
    }
    schedule
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHORT: Duration = crate::chaos::LENGTH;

    #[test]
    fn a_seed_decides_everything() {
        for seed in 0..20 {
            assert_eq!(schedule(seed, SHORT), schedule(seed, SHORT));
            let long = schedule(seed, 10 * SHORT);
            assert!(long.faults.iter().any(|planned| planned.overlaps));
        }
        assert_ne!(schedule(1, SHORT), schedule(2, SHORT));
        let pooled = (0..20).filter(|seed| schedule(*seed, SHORT).pooled).count();
        assert!((1..20).contains(&pooled), "with and without PgBouncer: {pooled}");
    }

    #[test]
    fn every_kind_comes_in_a_short_time() {
        for seed in 0..100 {
            let faults: Vec<_> = schedule(seed, SHORT).faults.iter().map(|planned| planned.fault.numbered(0)).collect();
            assert!(DECK.iter().all(|fault| faults.contains(fault)), "{seed}: {faults:?}");
        }
    }

    #[test]
    fn every_kind_but_the_longest_comes_in_one_of_two_halves() {
        for seed in 0..100 {
            let halves = halves(seed);
            let faults: Vec<_> =
                halves.iter().flat_map(|half| &half.faults).map(|planned| planned.fault.numbered(0)).collect();
            let missing: Vec<_> = DECK.iter().filter(|fault| !faults.contains(fault)).collect();
            assert_eq!(missing, [&Fault::PostgresAway], "{seed}");
            assert!(
                halves.iter().all(|half| half.faults.len() == 6 && half.faults.iter().all(|fault| !fault.overlaps))
            );
        }
    }
}
