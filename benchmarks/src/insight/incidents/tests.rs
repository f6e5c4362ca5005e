//! What is counted of incidents that are made up for faults that are known.

use std::sync::Arc;

use netqoe_model::{Cause as Named, Dimension, Incident, IncidentId, IncidentState, Label, LogTime, Severity, Weight};
use netqoe_simulator::simulation::{Fault, Scope};

use super::score::IncidentScore;
use super::visible::{Visible, labels};
use super::*;

fn simulation() -> Simulation {
    Simulation::new(Configuration { clients: 10, targets: 6, hours: 12, ..Configuration::default() })
}

/// A fault of one target, and its number.
fn fault_of_a_target(simulation: &Simulation) -> (usize, &Fault, usize) {
    let of_target = |(number, fault): (usize, &'_ Fault)| match fault.scope {
        Scope::Target(target) => Some((number, target)),
        _ => None,
    };
    let (number, target) = simulation.faults().iter().enumerate().find_map(of_target).unwrap();
    (number, &simulation.faults()[number], target)
}

/// An incident of a target's fault, told a minute after the fault began.
fn told(simulation: &Simulation, names: &Names, fault: &Fault, label: Label, target: usize) -> Told {
    let from_ms = fault.whole().from_ms;
    let window = WindowStart::from_ms(from_ms.div_euclid(60_000) * 60_000);
    let cause = names.cause_of_target(target);
    let members: Vec<_> = (0..10).map(|client| (Pair { client, target }, window, window)).collect();
    let detected = LogTime::from_ms(window.ms() + 120_000);
    let incident = Incident {
        id: IncidentId(Arc::from(format!("{label} {target}"))),
        label,
        cause,
        state: IncidentState::Closed,
        withdrawn_because: None,
        opened: window,
        detected,
        named: detected,
        last: window,
        closed: None,
        severity: Severity::Minor,
        peak_severity: Severity::Minor,
        at_first: Weight::default(),
        now: Weight::default(),
        pairs: members.len() as u32,
        clients: 10,
        targets: 1,
        revision: 0,
        as_of: window,
    };
    assert!(simulation.fleet().targets.len() > target);
    Told { incident, members }
}

fn score(simulation: &Simulation, names: &Names, number: usize, told: &[Told]) -> IncidentScore {
    let mut visible = vec![Visible::default(); simulation.faults().len()];
    let from = WindowStart::from_ms(simulation.faults()[number].whole().from_ms.div_euclid(60_000) * 60_000);
    visible[number] = Visible::of(from, 5);
    let mut score = IncidentScore::default();
    matching::add(&mut score, simulation, names, told, &visible);
    score
}

#[test]
fn an_incident_is_right_false_or_one_too_many() {
    let simulation = simulation();
    let names = Names::new(&simulation);
    let (number, fault, target) = fault_of_a_target(&simulation);
    let right = || told(&simulation, &names, fault, labels(fault.cause)[0], target);
    let of = |told: &[Told]| {
        let score = score(&simulation, &names, number, told);
        (score.faults, score.found, score.exactly_one, score.right, score.false_ones)
    };
    assert_eq!(of(&[right()]), (1, 1, 1, 1, 0));
    assert_eq!(of(&[]), (1, 0, 0, 0, 0), "missed");
    let other_label = told(&simulation, &names, fault, Label::DnsBound, target);
    assert_eq!(of(&[right(), other_label]), (1, 1, 1, 1, 1), "no fault of the target makes names slow");
    let mut too_wide = right();
    too_wide.incident.id = IncidentId("wide".into());
    too_wide.incident.cause = Named { dimension: Dimension::Everything, value: Vec::new() };
    assert_eq!(of(&[too_wide]), (1, 1, 1, 0, 0), "found, with another cause");
    let mut again = right();
    again.incident.id = IncidentId("again".into());
    assert_eq!(of(&[right(), again]), (1, 1, 0, 1, 0), "told twice");
    let mut withdrawn = right();
    withdrawn.incident.state = IncidentState::Withdrawn;
    assert_eq!(of(&[withdrawn]), (1, 0, 0, 0, 0), "what was withdrawn is not told");
}

#[test]
fn delays_are_counted_from_the_first_visible_window() {
    let simulation = simulation();
    let names = Names::new(&simulation);
    let (number, fault, target) = fault_of_a_target(&simulation);
    let told = told(&simulation, &names, fault, labels(fault.cause)[0], target);
    let score = score(&simulation, &names, number, &[told]);
    assert_eq!(score.delays.into_iter().collect::<Vec<_>>(), [(1, 1)]);
}

#[test]
fn a_run_gives_the_same_figures_each_time() {
    let configuration =
        Configuration { clients: 8, targets: 4, hours: 3, faults_an_hour: 2.0, ..Configuration::default() };
    let run = || {
        let mut score = IncidentScore::default();
        follow_run(Kind::WithFaults, configuration.clone(), &Rules::default(), 0.1, &mut score);
        score
    };
    let first = run();
    assert!(first.faults > 0 && first.told > 0, "{first:?}");
    assert_eq!(first, run());
    assert!(tables(&first).contains("| faults | not visible | recall |"));
}
