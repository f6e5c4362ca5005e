//! What is counted of incidents.

use std::collections::BTreeMap;

use netqoe_model::{Dimension, Incident, IncidentState, LogTime};
use netqoe_simulator::simulation::{Cause, Fault};

use super::Told;
use super::visible::Visible;
use crate::insight::score::Share;

const MINUTE_MS: i64 = 60_000;

/// All counts. They add up over runs.
#[derive(Clone, Debug, Default, PartialEq)]
pub(in crate::insight) struct IncidentScore {
    pub(super) faults: u64,
    pub(super) invisible: u64,
    pub(super) found: u64,
    pub(super) exactly_one: u64,
    pub(super) right: u64,
    /// Windows from the first visible window's end until a fault was told.
    pub(super) delays: BTreeMap<i64, u64>,
    pub(super) told: u64,
    pub(super) false_ones: u64,
    pub(super) withdrawn: u64,
    pub(super) clean_hours: u64,
    pub(super) clean_false: u64,
    pub(super) clean_withdrawn: u64,
    pub(super) by_kind: BTreeMap<Cause, OfKind>,
}

/// What became of the visible faults of one kind.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct OfKind {
    pub(super) faults: u64,
    pub(super) right: u64,
    pub(super) exactly_one: u64,
    /// By what the incident says in the end.
    pub(super) named: BTreeMap<Dimension, u64>,
    pub(super) missed: u64,
}

/// What was told of one visible fault.
#[derive(Clone, Copy)]
pub(super) struct OfFault<'a> {
    pub(super) fault: &'a Fault,
    pub(super) visible: Visible,
    pub(super) count: usize,
    /// The incident with the right cause, or else the first one.
    pub(super) first: Option<&'a Incident>,
    pub(super) is_right: bool,
    pub(super) detected: Option<LogTime>,
}

impl IncidentScore {
    pub(super) fn add_clean<'a>(&mut self, hours: u32, told: impl Iterator<Item = &'a Told>) {
        self.clean_hours += u64::from(hours);
        for told in told {
            if told.incident.state == IncidentState::Withdrawn {
                self.clean_withdrawn += 1;
            } else {
                self.clean_false += 1;
                report("false in a clean run", told);
            }
        }
    }

    pub(super) fn add_false(&mut self, told: &Told) {
        self.false_ones += 1;
        report("false", told);
    }

    pub(super) fn add_fault(&mut self, of: &OfFault<'_>) {
        let OfFault { fault, visible, count, first, is_right, detected } = *of;
        let of_kind = self.by_kind.entry(fault.cause).or_default();
        self.faults += 1;
        of_kind.faults += 1;
        match first {
            Some(incident) => *of_kind.named.entry(incident.cause.dimension).or_default() += 1,
            None => of_kind.missed += 1,
        }
        self.found += u64::from(count > 0);
        for counted in [&mut self.exactly_one, &mut of_kind.exactly_one] {
            *counted += u64::from(count == 1);
        }
        for counted in [&mut self.right, &mut of_kind.right] {
            *counted += u64::from(is_right);
        }
        let from = visible.from.unwrap_or_default();
        let delay = detected.map(|detected| (detected.ms() - from.ms() - MINUTE_MS).max(0) / MINUTE_MS);
        if let Some(delay) = delay {
            *self.delays.entry(delay).or_default() += 1;
        }
        if count != 1 || !is_right || delay.is_none_or(|delay| delay > 2) {
            let whole = fault.whole();
            let minutes = whole.length_ms() / MINUTE_MS;
            let cause = first.map(|incident| &incident.cause.value);
            tracing::debug!(?fault.cause, ?fault.scope, ?fault.shape, fault.factor, minutes, count, ?delay, ?cause, "amiss");
        }
    }

    pub(super) fn recall(&self) -> Share {
        Share { part: self.found, all: self.faults }
    }

    pub(super) fn precision(&self) -> Share {
        Share { part: self.told - self.false_ones, all: self.told }
    }

    pub(super) fn within(&self, windows: i64) -> Share {
        Share { part: self.delays.range(..=windows).map(|(_, count)| count).sum(), all: self.faults }
    }

    pub(in crate::insight) fn add(&mut self, other: &Self) {
        let Self { faults, invisible, found, exactly_one, right, told, false_ones, withdrawn, .. } = other;
        self.faults += faults;
        self.invisible += invisible;
        self.found += found;
        self.exactly_one += exactly_one;
        self.right += right;
        self.told += told;
        self.false_ones += false_ones;
        self.withdrawn += withdrawn;
        self.clean_hours += other.clean_hours;
        self.clean_false += other.clean_false;
        self.clean_withdrawn += other.clean_withdrawn;
        add_counts(&mut self.delays, &other.delays);
        for (kind, of_kind) in &other.by_kind {
            let sum = self.by_kind.entry(*kind).or_default();
            sum.faults += of_kind.faults;
            sum.right += of_kind.right;
            sum.exactly_one += of_kind.exactly_one;
            sum.missed += of_kind.missed;
            add_counts(&mut sum.named, &of_kind.named);
        }
    }
}

fn add_counts<K: Ord + Copy>(sum: &mut BTreeMap<K, u64>, more: &BTreeMap<K, u64>) {
    more.iter().for_each(|(key, count)| *sum.entry(*key).or_default() += count);
}

/// What is amiss, for those who tune: `RUST_LOG=netqoe_benchmarks=debug`.
fn report(what: &str, told: &Told) {
    let incident = &told.incident;
    let (label, opened, pairs) = (incident.label.as_str(), incident.opened.ms(), incident.pairs);
    tracing::debug!(label, opened, pairs, cause = ?incident.cause, evidence = ?incident.at_first, "{what}");
}
