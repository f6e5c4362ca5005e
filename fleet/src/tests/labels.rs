//! Labels of clients and targets as causes.

use netqoe_model::{IncidentChange, Standing};

use super::scenario::{FAILING, Of, SLOW, Scenario, healthy, if_is};
use crate::Fleet;

const TEAM: usize = 5;

/// Each fifth client is of the same team, across providers of 20; each floor has half of the clients.
fn teams((client, _): Of) -> [String; 2] {
    let team = client % TEAM;
    [format!(r#"{{"team":"team-{team}","floor":"{}"}}"#, client % 2), "{}".to_owned()]
}

fn of_team(team: usize) -> impl Fn(Of) -> Standing {
    move |(client, _)| if_is(client % TEAM == team, SLOW)
}

/// 200 clients, 40 of them of each team, with teams across their providers.
fn large(labels: fn(Of) -> [String; 2]) -> Scenario {
    let mut scenario = Scenario::new(200, 2, 20);
    scenario.labels = labels;
    scenario
}

#[test]
fn a_team_that_suffers_is_one_incident_that_names_it() {
    let mut scenario = large(teams);
    scenario.minutes(5, healthy);
    scenario.minutes(10, of_team(2));
    assert_eq!(scenario.told(), ["handshake-bound client.team team-2 open"]);
    let told = scenario.only();
    assert_eq!((told.clients, told.pairs, told.now.degraded, told.now.healthy), (40, 80, 80, 0));
    scenario.minutes(12, healthy);
    assert_eq!(scenario.told(), ["handshake-bound client.team team-2 closed"]);
    assert_eq!(scenario.changes(), [IncidentChange::Opened, IncidentChange::Closed]);
}

#[test]
fn a_label_of_targets_names_what_they_have_in_common() {
    let mut scenario = Scenario::new(6, 12, 3);
    scenario.labels = |(_, target)| ["{}".to_owned(), format!(r#"{{"service":"s{}"}}"#, target % 3)];
    scenario.minutes(5, healthy);
    scenario.minutes(5, |(_, target)| if_is(target % 3 == 1, FAILING));
    assert_eq!(scenario.told(), ["error-bound target.service s1 open"]);
}

#[test]
fn what_netqoe_sees_itself_goes_before_a_label_of_the_same_pairs() {
    let mut scenario = large(|(client, _)| [format!(r#"{{"where":"{}","env":"prod"}}"#, client / 20), "{}".to_owned()]);
    scenario.minutes(5, healthy);
    scenario.minutes(5, |(client, _)| if_is(client < 20, SLOW));
    assert_eq!(scenario.told(), ["handshake-bound site site-0 open"]);
    let mut scenario = large(|_| [r#"{"env":"prod"}"#.to_owned(), "{}".to_owned()]);
    scenario.minutes(5, healthy);
    scenario.minutes(5, |_| SLOW);
    assert_eq!(scenario.told(), ["handshake-bound everything  open"]);
}

#[test]
fn a_label_that_is_taken_away_is_no_cause_any_more() {
    let mut scenario = large(teams);
    scenario.minutes(5, healthy);
    scenario.labels = |_| ["{}", "{}"].map(str::to_owned);
    scenario.minutes(2, healthy);
    scenario.minutes(5, of_team(2));
    assert!(scenario.told().iter().all(|told| !told.contains("client.team")), "{:?}", scenario.told());
}

#[test]
fn a_client_that_joins_another_team_is_counted_once() {
    let mut scenario = Scenario::new(4, 2, 4);
    scenario.labels = teams;
    let first_target = |(_, target): Of, _| (target == 0).then_some(FAILING);
    scenario.minutes_of(3, first_target);
    // Its only pair leaves all of its causes but those that say who it is and what it measures.
    scenario.labels = |(client, _)| [format!(r#"{{"team":"other","desk":"{client}"}}"#), "{}".to_owned()];
    scenario.minutes_of(2, first_target);
    scenario.minutes(3, |_| FAILING);
    let told: Vec<_> = scenario.incidents.values().filter(|incident| incident.pairs == 8).collect();
    assert_eq!(told.iter().map(|it| (it.clients, it.targets)).collect::<Vec<_>>(), [(4, 2)], "{:?}", scenario.told());
}

#[test]
fn a_team_that_everybody_has_left_is_a_part_of_nothing() {
    let mut scenario = large(teams);
    scenario.minutes(5, healthy);
    scenario.minutes(4, of_team(2));
    scenario.labels = |(client, _)| [format!(r#"{{"floor":"{}"}}"#, client % 2), "{}".to_owned()];
    // Its incident has no pairs any more, and is not said to be a part of what another provider suffers from then on.
    scenario.minutes(3, |(client, _)| if_is(client < 20, SLOW));
    assert_eq!(scenario.told(), ["handshake-bound client.team team-2 open", "handshake-bound site site-0 open"]);
    scenario.minutes(12, healthy);
    assert_eq!(scenario.told(), ["handshake-bound client.team team-2 open", "handshake-bound site site-0 closed"]);
}

#[test]
fn a_restart_keeps_labels_and_a_state_without_them_is_as_it_ever_was() {
    let mut scenario = large(teams);
    scenario.minutes(5, healthy);
    let stored = scenario.fleet.to_stored();
    scenario.fleet = restored(&scenario.fleet);
    assert_eq!(scenario.fleet.to_stored(), stored);
    scenario.minutes(5, of_team(2));
    assert_eq!(scenario.told(), ["handshake-bound client.team team-2 open"]);
    let before = scenario.only().id.clone();
    scenario.fleet = restored(&scenario.fleet);
    scenario.minutes(5, of_team(2));
    assert_eq!(scenario.only().id, before);

    let mut without = large(|_| ["{}", "{}"].map(str::to_owned));
    without.minutes(5, healthy);
    assert!(without.fleet.to_stored().len() < stored.len());
}

fn restored(fleet: &Fleet) -> Fleet {
    Fleet::restore(&fleet.to_stored(), &fleet.rules, fleet.window_ms).unwrap()
}
