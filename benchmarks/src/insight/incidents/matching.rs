//! Which incident is of which fault.

use netqoe_simulator::simulation::{Fault, Pair, Simulation};

use super::fleet::Names;
use super::score::{IncidentScore, OfFault};
use super::visible::{Visible, labels};
use super::{Since, Told};

/// What a fault has done is seen for a while after its end ...
const AFTER_MS: i64 = 10 * 60_000;
/// ... and a window in which it begins may show it.
const BEFORE_MS: i64 = 60_000;
/// Share of an incident's members that a fault must account for.
const ENOUGH_SHARE: f64 = 0.5;

/// Adds what was told of one run with faults.
pub(super) fn add(
    score: &mut IncidentScore,
    simulation: &Simulation,
    names: &Names,
    told: &[Told],
    visible: &[Visible],
) {
    let mut of_faults: Vec<Vec<&Told>> = vec![Vec::new(); simulation.faults().len()];
    for told in told {
        if !told.stands() {
            score.withdrawn += 1;
            continue;
        }
        score.told += 1;
        match fault_of(told, simulation, names) {
            Some(fault) => of_faults[fault].push(told),
            None => score.add_false(told),
        }
    }
    for ((fault, visible), incidents) in simulation.faults().iter().zip(visible).zip(of_faults) {
        if !visible.is_enough() {
            score.invisible += 1;
            continue;
        }
        let is_also_of = |told: &&Told| told.stands() && is_of_scope(told, fault, simulation, names);
        let mut incidents: Vec<_> =
            if incidents.is_empty() { told.iter().filter(is_also_of).collect() } else { incidents };
        incidents.sort_by_key(|told| (told.incident.detected, told.incident.id.clone()));
        let is_right = |told: &&&Told| names.is_scope(&told.incident.cause, fault, simulation);
        let right = incidents.iter().find(is_right).copied();
        let first = right.or_else(|| incidents.first().copied());
        if incidents.len() > 1 {
            for Told { incident, .. } in incidents.iter().copied() {
                let cause = format!("{} {:?}", incident.cause.dimension, incident.cause.value);
                let minutes = |ms: i64| (ms - simulation.run().from_ms) / 60_000;
                let closed = incident.closed.map(|closed| minutes(closed.ms()));
                tracing::debug!(
                    label = incident.label.as_str(),
                    cause,
                    opened = minutes(incident.opened.ms()),
                    closed,
                    pairs = incident.pairs,
                    degraded = incident.at_first.degraded,
                    healthy = incident.at_first.healthy,
                    "one of several"
                );
            }
        }
        score.add_fault(&OfFault {
            fault,
            visible: *visible,
            count: incidents.len(),
            first: first.map(|told| &told.incident),
            is_right: right.is_some(),
            detected: incidents.first().map(|told| told.incident.detected),
        });
    }
}

/// The fault that an incident is of.
fn fault_of(told: &Told, simulation: &Simulation, names: &Names) -> Option<usize> {
    let faults = simulation.faults().iter().enumerate();
    let possible = faults.filter(|(_, fault)| labels(fault.cause).contains(&told.incident.label));
    let ranked = possible.filter_map(|(number, fault)| {
        let share = share(told, fault, simulation);
        let is_scope = is_of_scope(told, fault, simulation, names);
        (is_scope || share >= ENOUGH_SHARE).then_some((is_scope, share, number))
    });
    let best = ranked.max_by(|a, b| (a.0, a.1).partial_cmp(&(b.0, b.1)).unwrap_or(std::cmp::Ordering::Equal));
    best.map(|(_, _, number)| number)
}

/// Whether the incident names the fault's scope and one of its labels while the fault is there.
fn is_of_scope(told: &Told, fault: &Fault, simulation: &Simulation, names: &Names) -> bool {
    labels(fault.cause).contains(&told.incident.label)
        && share(told, fault, simulation) > 0.0
        && names.is_scope(&told.incident.cause, fault, simulation)
}

/// The share of an incident's members that a fault accounts for.
fn share(told: &Told, fault: &Fault, simulation: &Simulation) -> f64 {
    let of_fault = |(pair, since, until): &&Since| {
        let whole = fault.whole();
        let is_in_time = since.ms() < whole.to_ms + AFTER_MS && until.ms() >= whole.from_ms - BEFORE_MS;
        is_in_time && holds(fault, *pair, simulation)
    };
    told.members.iter().filter(of_fault).count() as f64 / told.members.len().max(1) as f64
}

fn holds(fault: &Fault, pair: Pair, simulation: &Simulation) -> bool {
    fault.scope.holds(simulation.fleet(), pair)
}
