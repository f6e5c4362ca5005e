//! Which incident is of which fault, and what is counted of both.

use netqoe_fleet::matching::{Finding, KnownFault};
use netqoe_model::{Cause, Label};
use netqoe_simulator::simulation::{Fault, Pair, Simulation};

use super::Told;
use super::fleet::Names;
use super::score::{IncidentScore, OfFault};
use super::visible::{Visible, labels};

/// Adds what was told of one run with faults.
pub(super) fn add(
    score: &mut IncidentScore,
    simulation: &Simulation,
    names: &Names,
    told: &[Told],
    visible: &[Visible],
) {
    let faults = simulation.faults().iter().map(|fault| Simulated { fault, simulation, names });
    let faults: Vec<_> = faults.collect();
    let mut of_faults: Vec<Vec<&Told>> = vec![Vec::new(); faults.len()];
    for told in told {
        if !told.stands() {
            score.withdrawn += 1;
            continue;
        }
        score.told += 1;
        match finding(told).fault(&faults) {
            Some(fault) => of_faults[fault].push(told),
            None => score.add_false(told),
        }
    }
    for ((simulated, visible), incidents) in faults.iter().zip(visible).zip(of_faults) {
        let fault = simulated.fault;
        if !visible.is_enough() {
            score.invisible += 1;
            continue;
        }
        let is_also_of = |told: &&Told| told.stands() && finding(told).is_of_scope(simulated);
        let mut incidents: Vec<_> =
            if incidents.is_empty() { told.iter().filter(is_also_of).collect() } else { incidents };
        incidents.sort_by_key(|told| (told.incident.detected, told.incident.id.clone()));
        let is_right = |told: &&&Told| simulated.is_scope(&told.incident.cause);
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

/// A fault of a simulation.
struct Simulated<'a> {
    fault: &'a Fault,
    simulation: &'a Simulation,
    names: &'a Names,
}

impl KnownFault<Pair> for Simulated<'_> {
    fn span_ms(&self) -> (i64, i64) {
        let whole = self.fault.whole();
        (whole.from_ms, whole.to_ms)
    }

    fn has_label(&self, label: Label) -> bool {
        labels(self.fault.cause).contains(&label)
    }

    fn holds(&self, pair: &Pair) -> bool {
        self.fault.scope.holds(self.simulation.fleet(), *pair)
    }

    fn is_scope(&self, cause: &Cause) -> bool {
        self.names.is_scope(cause, self.fault, self.simulation)
    }
}

fn finding(told: &Told) -> Finding<'_, Pair> {
    Finding { label: told.incident.label, cause: &told.incident.cause, members: &told.members }
}
