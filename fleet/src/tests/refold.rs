//! What stands after a refold is what a fold over the corrected looks finds, and what differs is said once.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::Arc;

use netqoe_model::{
    FleetChanges, Incident, IncidentChange, IncidentMember, IncidentRevision, IncidentState, LogTime, Look, Unmeasured,
    WindowStart,
};
use proptest::prelude::*;

use super::fold::{Story, rules, story};
use super::scenario::MINUTE_MS;
use crate::{Because, Fleet, FoundBefore, Refold, Refolded};

/// What stands in a store.
#[derive(Clone, Debug, Default, PartialEq)]
struct Stored {
    incidents: BTreeMap<Arc<str>, Incident>,
    members: BTreeMap<[Arc<str>; 3], IncidentMember>,
    silent: BTreeMap<[Arc<str>; 2], Unmeasured>,
    revisions: Vec<IncidentRevision>,
}

impl Stored {
    fn take(&mut self, changes: FleetChanges) {
        self.incidents.extend(changes.incidents.into_iter().map(|it| (Arc::clone(&it.id.0), it)));
        let key = |it: &IncidentMember| [&it.incident.0, &it.client_id, &it.target].map(Arc::clone);
        self.members.extend(changes.members.into_iter().map(|it| (key(&it), it)));
        changes.measured_again.into_iter().for_each(|(client, target)| drop(self.silent.remove(&[client, target])));
        let key = |it: &Unmeasured| [&it.client_id, &it.target].map(Arc::clone);
        self.silent.extend(changes.unmeasured.into_iter().map(|it| (key(&it), it)));
        self.revisions.extend(changes.revisions);
    }

    fn finish(&self, refold: Refold, at: LogTime) -> Refolded {
        let before = FoundBefore {
            incidents: self.incidents.values().cloned().collect(),
            unmeasured: self.silent.values().cloned().collect(),
        };
        let members = |id: &_| {
            let of_incident = self.members.values().filter(|member| member.incident == *id);
            Ok::<_, Infallible>(of_incident.cloned().collect())
        };
        refold.finish(before, Because { at, events: 3 }, members).unwrap()
    }

    fn apply(&mut self, refolded: &Refolded) {
        self.take(refolded.changes.clone());
        for (incident, client, target) in &refolded.members_gone {
            self.members.remove(&[Arc::clone(&incident.0), Arc::clone(client), Arc::clone(target)]).unwrap();
        }
    }
}

/// One history until a minute, and another one from then on.
fn look(before: &Story, after: &Story, corrected_from: usize, number: usize) -> Look {
    if number < corrected_from { before.look(number) } else { after.look(number) }
}

fn fold(fleet: &mut Fleet, stored: &mut Stored, look: Look) {
    stored.take(fleet.advance(look.at, vec![look]));
}

/// The two histories, folded: what was found before, from the state after `kept` minutes what is found again, and what is found from
/// the start on.
fn found(before: &Story, after: &Story, kept: usize, from: usize) -> (Stored, Refolded, Stored) {
    let new = || Fleet::new(&rules(), MINUTE_MS);
    let (mut fleet, mut stored) = (new(), Stored::default());
    let mut state = (WindowStart::from_ms(Story::at(0).ms() - MINUTE_MS), fleet.to_stored());
    for number in 0..before.minutes {
        fold(&mut fleet, &mut stored, before.look(number));
        if number + 1 == kept {
            state = (Story::at(number), fleet.to_stored());
        }
    }
    let mut refold = Refold::new(state.0, Fleet::restore(&state.1, &rules(), MINUTE_MS).unwrap());
    let (mut fleet, mut expected) = (new(), Stored::default());
    for number in 0..before.minutes {
        let look = look(before, after, from, number);
        if number >= kept {
            refold.advance(look.at, vec![look.clone()]);
        }
        fold(&mut fleet, &mut expected, look);
    }
    let refolded = stored.finish(refold, LogTime::from_ms(Story::at(before.minutes).ms()));
    (stored, refolded, expected)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn what_stands_is_what_is_found_from_the_start(
        before in story(), after in story(), kept in 0..60_usize, gap in 0..20_usize,
    ) {
        let (kept, minutes) = (kept.min(before.minutes - 1), before.minutes);
        let (mut stored, refolded, expected) = found(&before, &after, kept, kept + gap);
        let earlier = stored.clone();
        stored.apply(&refolded);
        for (id, expected) in &expected.incidents {
            let found = &stored.incidents[id];
            prop_assert_eq!(found, &Incident { revision: found.revision, ..expected.clone() });
        }
        let surplus = stored.incidents.values().filter(|it| !expected.incidents.contains_key(&it.id.0));
        for incident in surplus {
            prop_assert_eq!(incident.state, IncidentState::Withdrawn);
        }
        let members = stored.members.iter().filter(|(key, _)| expected.incidents.contains_key(&key[0]));
        prop_assert_eq!(members.map(|(key, it)| (key.clone(), it.clone())).collect::<BTreeMap<_, _>>(), expected.members);
        prop_assert_eq!(stored.silent.keys().collect::<Vec<_>>(), expected.silent.keys().collect::<Vec<_>>());
        // One revision for each that differs, with the next number; what is the same is not told again.
        for revision in &refolded.changes.revisions {
            let before = earlier.incidents.get(&revision.incident.0);
            let stands = &stored.incidents[&revision.incident.0];
            prop_assert_eq!(revision.revision, before.map_or(0, |before| before.revision + 1));
            prop_assert_eq!((revision.revision, revision.state), (stands.revision, stands.state));
            prop_assert!(revision.at > Story::at(minutes - 1));
        }
        // Found again, nothing differs any more.
        let again = found_again(&stored, &before, &after, kept, kept + gap);
        prop_assert_eq!((&again.changes.incidents, &again.changes.revisions), (&vec![], &vec![]));
        prop_assert_eq!((&again.changes.members, &again.members_gone), (&vec![], &vec![]));
    }
}

fn found_again(stored: &Stored, before: &Story, after: &Story, kept: usize, from: usize) -> Refolded {
    let (mut fleet, mut ignored) = (Fleet::new(&rules(), MINUTE_MS), Stored::default());
    for number in 0..kept {
        fold(&mut fleet, &mut ignored, before.look(number));
    }
    let at = fleet.through().unwrap_or(WindowStart::from_ms(Story::at(0).ms() - MINUTE_MS));
    let mut refold = Refold::new(at, fleet);
    for number in kept..before.minutes {
        let look = look(before, after, from, number);
        refold.advance(look.at, vec![look]);
    }
    stored.finish(refold, LogTime::from_ms(Story::at(before.minutes).ms()))
}

/// Six clients measure two targets. The first target fails for all of them in some minutes; of one client it is not known at first.
fn scene(fails: std::ops::Range<usize>, clients: usize, number: usize) -> Look {
    use netqoe_model::{Label, Partition, Severity, Sighting, Standing};
    let mut sightings = Vec::new();
    for client in 0..clients {
        for target in 0..2 {
            let fails = target == 0 && fails.contains(&number);
            let failing = Standing::Degraded(Label::ErrorBound, Severity::Major);
            sightings.push(Sighting {
                client_id: format!("c{client}").into(),
                target: format!("https://h{target}.example/").into(),
                window: WindowStart::from_ms(Story::at(number).ms() - MINUTE_MS),
                standing: if fails { failing } else { Standing::Healthy },
                network: None,
                tags: None,
            });
        }
    }
    Look { partition: Partition(0), at: Story::at(number), sightings }
}

/// What follows if one scene turns out to be another, from the first minute on.
fn corrected(before: impl Fn(usize) -> Look, after: impl Fn(usize) -> Look, minutes: usize) -> (Stored, Refolded) {
    let (mut fleet, mut stored) = (Fleet::new(&rules(), MINUTE_MS), Stored::default());
    let mut refold = Refold::new(WindowStart::from_ms(Story::at(0).ms() - MINUTE_MS), fleet_of_nothing());
    for number in 0..minutes {
        fold(&mut fleet, &mut stored, before(number));
        let look = after(number);
        refold.advance(look.at, vec![look]);
    }
    let refolded = stored.finish(refold, LogTime::from_ms(0));
    stored.apply(&refolded);
    (stored, refolded)
}

fn fleet_of_nothing() -> Fleet {
    Fleet::new(&rules(), MINUTE_MS)
}

/// What is told of each: the change, where it stands, and why.
fn told(refolded: &Refolded) -> Vec<(IncidentChange, IncidentState, &str)> {
    let revisions = refolded.changes.revisions.iter();
    revisions.map(|it| (it.change, it.state, it.because.as_deref().unwrap_or_default())).collect()
}

#[test]
fn what_was_none_is_withdrawn_with_the_reason() {
    let (stored, refolded) = corrected(|at| scene(10..15, 6, at), |at| scene(0..0, 6, at), 30);
    let because = "3 measurements came late and show no such incident.";
    assert_eq!(told(&refolded), [(IncidentChange::Withdrawn, IncidentState::Withdrawn, because)]);
    let [incident] = &stored.incidents.values().collect::<Vec<_>>()[..] else { panic!("{stored:?}") };
    assert_eq!(incident.withdrawn_because.as_deref(), Some(because));
    assert_eq!(stored.members.len(), 6, "its members stay");
    let revision = &refolded.changes.revisions[0];
    assert_eq!(revision.at.ms(), Story::at(29).ms() + 1, "nobody knew of it at the newest look");
}

#[test]
fn what_began_earlier_is_another_incident_which_the_reason_names() {
    let (stored, refolded) = corrected(|at| scene(12..15, 6, at), |at| scene(10..15, 6, at), 30);
    let (new, withdrawn): (Vec<_>, Vec<_>) =
        stored.incidents.values().partition(|incident| incident.state == IncidentState::Closed);
    let [[new], [withdrawn]] = [&new[..], &withdrawn[..]] else { panic!("{stored:?}") };
    assert!(new.opened < withdrawn.opened && new.revision == 0);
    let because = format!("3 measurements came late and show it as the incident {}.", new.id);
    assert_eq!(withdrawn.withdrawn_because.as_deref(), Some(&*because));
    let mut told = told(&refolded);
    told.sort_unstable();
    let opened = (IncidentChange::Opened, IncidentState::Closed, "3 measurements came late.");
    assert_eq!(told, [opened, (IncidentChange::Withdrawn, IncidentState::Withdrawn, &because)]);
}

#[test]
fn one_more_pair_corrects_an_incident_and_nothing_else_is_told() {
    let (stored, refolded) = corrected(|at| scene(10..15, 5, at), |at| scene(10..15, 6, at), 30);
    let late = "3 measurements came late.";
    assert_eq!(told(&refolded), [(IncidentChange::Corrected, IncidentState::Closed, late)]);
    let members: Vec<_> = refolded.changes.members.iter().map(|member| &*member.client_id).collect();
    assert_eq!((members, &refolded.members_gone[..]), (vec!["c5"], &[][..]), "what is the same is not written");
    let incident = stored.incidents.values().next().unwrap();
    assert_eq!((incident.pairs, incident.revision), (6, 2), "opened, closed, corrected");
    let (_, refolded) = corrected(|at| scene(10..15, 5, at), |at| scene(10..15, 5, at), 30);
    assert_eq!(told(&refolded), []);
}

#[test]
fn an_incident_that_goes_on_counts_from_what_was_told() {
    let (stored, mut refolded) = corrected(|at| scene(10..99, 5, at), |at| scene(10..99, 6, at), 20);
    let incident = stored.incidents.values().next().unwrap();
    assert_eq!((incident.state, incident.revision), (IncidentState::Open, 1));
    let mut numbers = vec![incident.revision];
    for number in 20..40 {
        let look = scene(0..0, 6, number);
        numbers.extend(refolded.fleet.advance(look.at, vec![look]).revisions.iter().map(|it| it.revision));
    }
    assert_eq!(numbers, [1, 2], "corrected, closed");
}

#[test]
fn one_late_measurement_is_one() {
    let refold = Refold::new(WindowStart::default(), fleet_of_nothing());
    let incident = corrected(|at| scene(10..15, 6, at), |at| scene(10..15, 6, at), 30).0.incidents;
    let before = FoundBefore { incidents: incident.into_values().collect(), unmeasured: vec![] };
    let because = Because { at: LogTime::from_ms(i64::MAX), events: 1 };
    let refolded = refold.finish(before, because, |_| Ok::<_, Infallible>(vec![])).unwrap();
    let revision = &refolded.changes.revisions[0];
    assert_eq!(revision.because.as_deref(), Some("1 measurement came late and show no such incident."));
    assert_eq!(revision.at.ms(), i64::MAX, "the log time of the correction");
}

#[test]
fn a_client_whose_measurements_come_late_was_never_silent() {
    let silent_from = |silent: usize| move |at: usize| scene(0..0, if at < silent { 6 } else { 5 }, at);
    let (stored, refolded) = corrected(silent_from(10), silent_from(10), 30);
    let last = |stored: &Stored| stored.silent.values().map(|pair| pair.last.ms()).collect::<Vec<_>>();
    assert_eq!(last(&stored), [Story::at(8).ms(); 2], "both pairs of the sixth client");
    assert!(refolded.is_as_before());

    let (stored, refolded) = corrected(silent_from(10), silent_from(30), 30);
    let filled_in: Vec<_> = refolded.changes.measured_again.iter().map(|(client, _)| &**client).collect();
    assert_eq!((filled_in, stored.silent.len()), (vec!["c5"; 2], 0));

    // It came back with what it had measured until minute 20, and has been silent since then.
    let (stored, refolded) = corrected(silent_from(10), silent_from(20), 30);
    assert_eq!((refolded.changes.measured_again.len(), last(&stored)), (0, vec![Story::at(18).ms(); 2]));
}
