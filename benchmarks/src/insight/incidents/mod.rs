//! How often incidents are right about a fleet of which the truth is known.
//!
//! The rows of each pair are judged as of each look, so a window whose measurements come after its end is revised at the
//! looks after it. The looks are folded (`netqoe_fleet`), and what was told is held against the faults:
//!
//! - A fault is *visible* from the first window on in which at least three pairs of its scope are measured and have one of its
//!   labels for all of the window. Pairs do not count that another fault hides: one with the same label, or with one that is
//!   tried before, since a pair has one label. It has to be so in three windows. Faults that never are, do not count, and what
//!   is told of them is neither right nor wrong.
//! - An incident is *of* a fault as [`netqoe_fleet::matching`] says.
//!   One that is of no fault is false. A fault of which no incident is, has that which
//!   names its scope and one of its labels while it is there: faults of one scope may follow each other. Those that were withdrawn are counted apart.
//! - The cause is right where it holds the same pairs as the fault's scope.

mod fleet;
mod matching;
mod pair_looks;
mod score;
mod tables;
#[cfg(test)]
mod tests;
mod visible;

use std::collections::BTreeMap;
use std::sync::Arc;

use netqoe_fleet::Fleet;
use netqoe_fleet::matching::Since;
use netqoe_model::{Incident, IncidentState, Look, Partition, Rules, WindowStart};
use netqoe_simulator::simulation::{Configuration, Pair, Simulation, Stretch};

use self::fleet::Names;
use self::pair_looks::PairLooks;
pub(super) use self::score::IncidentScore;
pub(super) use self::tables::tables;
use self::visible::Visible;
use super::score::Kind;

/// Looks after the end of a run: what is open then is over, and its gap has passed.
const LOOKS_AFTER: i64 = 12;

/// What was told of one incident in the end.
#[derive(Debug)]
struct Told {
    incident: Incident,
    members: Vec<Since<Pair>>,
}

/// Follows one run, and adds what came of it.
pub(super) fn follow_run(
    kind: Kind,
    configuration: Configuration,
    rules: &Rules,
    late_share: f64,
    score: &mut IncidentScore,
) {
    let hours = configuration.hours;
    let simulation = Simulation::new(configuration);
    let names = Names::new(&simulation);
    let (told, visible) = fold(&simulation, &names, rules, late_share);
    match kind {
        Kind::Clean => score.add_clean(hours, told.values()),
        Kind::WithFaults => {
            let told: Vec<_> = told.into_values().collect();
            matching::add(score, &simulation, &names, &told, &visible);
        }
    }
}

/// All that was told of a run, and from when on each fault was visible.
fn fold(
    simulation: &Simulation,
    names: &Names,
    rules: &Rules,
    late_share: f64,
) -> (BTreeMap<Arc<str>, Told>, Vec<Visible>) {
    let pairs: Vec<_> = simulation.fleet().pairs().collect();
    let mut looks: Vec<_> = pairs.iter().map(|pair| PairLooks::new(simulation, *pair, rules, late_share)).collect();
    let mut visible = visible::Following::new(simulation, &pairs);
    let mut fleet = Fleet::new(&names.rules(&rules.fleet), rules.window_ms);
    let (mut told, mut members) = (BTreeMap::new(), BTreeMap::new());
    let run = simulation.run();
    let mut at_ms = run.from_ms + rules.window_ms;
    while at_ms <= run.to_ms + LOOKS_AFTER * rules.window_ms {
        let at = WindowStart::from_ms(at_ms);
        let window = Stretch { from_ms: at_ms - rules.window_ms, to_ms: at_ms };
        let (mut sightings, mut is_measured) = (Vec::new(), Vec::with_capacity(pairs.len()));
        for (pair, looks) in pairs.iter().zip(&mut looks) {
            let seen = looks.look(at);
            is_measured.push(seen.iter().any(|(start, _)| start.ms() == window.from_ms));
            sightings.extend(names.sightings(*pair, seen));
        }
        visible.window(window, &is_measured);
        let look = Look { partition: Partition(0), at, sightings };
        let changes = fleet.advance(at, vec![look]);
        for incident in changes.incidents {
            told.insert(Arc::clone(&incident.id.0), incident);
        }
        for member in changes.members {
            let pair = names.pair(&member.client_id, &member.target);
            let of_incident: &mut BTreeMap<_, _> = members.entry(Arc::clone(&member.incident.0)).or_default();
            of_incident.insert(pair, (pair, member.since, member.until));
        }
        at_ms += rules.window_ms;
    }
    let whole = |(id, incident): (Arc<str>, Incident)| {
        let of_incident: BTreeMap<_, (_, _, Option<WindowStart>)> = members.remove(&id).unwrap_or_default();
        let until_last = |(pair, since, until): (Pair, WindowStart, Option<WindowStart>)| {
            (pair, since, until.unwrap_or(incident.last.max(since)))
        };
        let members = of_incident.into_values().map(until_last).collect();
        (id, Told { incident, members })
    };
    (told.into_iter().map(whole).collect(), visible.finish())
}

impl Told {
    fn stands(&self) -> bool {
        self.incident.state != IncidentState::Withdrawn
    }
}
