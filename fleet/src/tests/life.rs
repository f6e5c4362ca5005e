//! What is opened, amended, withdrawn and closed.

use netqoe_model::{Dimension, IncidentChange, IncidentState, Label, LogTime, Severity, Standing, Weight, WindowStart};

use super::scenario::{FAILING, SLOW, Scenario, healthy, if_is};

#[test]
fn nothing_is_wrong() {
    let mut scenario = Scenario::new(6, 4, 3);
    scenario.minutes(30, healthy);
    assert_eq!(scenario.told(), Vec::<String>::new());
    assert_eq!(scenario.last.tally.healthy, 24);
}

#[test]
fn a_target_that_is_down_is_one_incident_with_a_beginning_and_an_end() {
    let mut scenario = Scenario::new(6, 4, 3);
    scenario.minutes(10, healthy);
    let from = scenario.now();
    scenario.minutes(1, |(_, target)| if_is(target == 2, FAILING));
    let told = scenario.only().clone();
    assert_eq!((told.opened, told.detected), (from, LogTime::from_ms(from.ms() + 60_000)));
    assert_eq!(told.now, Weight { degraded: 6, healthy: 0 });
    assert_eq!((told.severity, told.pairs, told.clients, told.targets), (Severity::Critical, 6, 6, 1));
    scenario.minutes(9, |(_, target)| if_is(target == 2, FAILING));
    let until = scenario.now();
    scenario.minutes(6, healthy);
    assert_eq!(scenario.open(), 1, "a gap of six windows is bridged");
    scenario.minutes(1, healthy);
    let closed = scenario.only();
    assert_eq!(scenario.told(), ["error-bound target https://t2.example/ closed"]);
    assert_eq!(closed.closed, Some(LogTime::from_ms(until.ms())));
    assert_eq!(scenario.changes(), [IncidentChange::Opened, IncidentChange::Closed]);
    let (members, last): (Vec<_>, _) = (scenario.members.values().collect(), WindowStart::from_ms(until.ms() - 60_000));
    assert_eq!(members.len(), 6);
    assert!(members.iter().all(|member| member.since == from && member.until == Some(last)));
}

#[test]
fn targets_that_fail_are_told_apart_where_nothing_is_known_yet() {
    let mut scenario = Scenario::new(6, 10, 3);
    scenario.minutes(5, |(_, target)| if target < 3 { FAILING } else { Standing::Working });
    let told: Vec<_> = (0..3).map(|target| format!("error-bound target https://t{target}.example/ open")).collect();
    assert_eq!(scenario.told(), told);
    assert!(scenario.incidents.values().all(|incident| incident.now == Weight { degraded: 6, healthy: 0 }));
    assert_eq!((scenario.last.tally.unjudged, scenario.last.tally.healthy), (42, 0));
}

#[test]
fn what_is_not_known_yet_says_nothing_of_what_is_slow() {
    let mut scenario = Scenario::new(6, 10, 3);
    scenario.minutes(5, |(client, _)| if client < 3 { SLOW } else { Standing::Working });
    assert_eq!(scenario.told(), ["handshake-bound site site-0 open"]);
    let mut scenario = Scenario::new(3, 10, 3);
    scenario.minutes(5, |(_, target)| if target < 2 { SLOW } else { Standing::Working });
    assert_eq!(scenario.only().now, Weight { degraded: 6, healthy: 0 });
}

#[test]
fn a_client_whose_pairs_all_fail_is_no_incident_of_the_targets() {
    for (clients, targets) in [(6, 4), (2, 3), (1, 3)] {
        let mut scenario = Scenario::new(clients, targets, 3);
        scenario.minutes(10, healthy);
        scenario.minutes(10, |(client, _)| if_is(client == 0, FAILING));
        assert_eq!(scenario.told(), ["error-bound client probe-0 open"], "{clients} x {targets}");
    }
}

#[test]
fn fewer_than_three_pairs_are_no_incident() {
    for (clients, targets) in [(1, 1), (1, 2), (2, 1)] {
        let mut scenario = Scenario::new(clients, targets, 3);
        scenario.minutes(20, |_| FAILING);
        assert_eq!(scenario.told(), Vec::<String>::new());
        assert_eq!(scenario.last.tally.degraded as usize, clients * targets);
    }
}

#[test]
fn the_narrowest_cause_that_explains_the_same_is_named() {
    type IsWrong = fn((usize, usize)) -> bool;
    let cases: [(&str, IsWrong); 6] = [
        ("handshake-bound isp×target isp-1 https://t1.example/ open", |(client, target)| {
            client / 4 == 1 && target == 1
        }),
        ("handshake-bound site×network_type site-1 wifi open", |(client, _)| client / 4 == 1 && client % 2 == 0),
        ("handshake-bound site site-1 open", |(client, _)| client / 4 == 1),
        ("handshake-bound network_type wifi open", |(client, _)| client % 2 == 0),
        ("handshake-bound everything  open", |_| true),
        ("handshake-bound target https://t0.example/ open", |(_, target)| target == 0),
    ];
    for (told, is_wrong) in cases {
        let mut scenario = Scenario::new(12, 4, 4);
        scenario.minutes(10, healthy);
        scenario.minutes(5, |of| if_is(is_wrong(of), SLOW));
        assert_eq!(scenario.told(), [told]);
    }
}

#[test]
fn what_flaps_is_one_incident() {
    let mut scenario = Scenario::new(6, 4, 3);
    scenario.minutes(10, healthy);
    for _ in 0..5 {
        scenario.minutes(3, |(_, target)| if_is(target == 1, SLOW));
        scenario.minutes(5, healthy);
    }
    scenario.minutes(7, healthy);
    assert_eq!(scenario.open(), 1, "one that has come and gone before may be gone for longer");
    scenario.minutes(1, healthy);
    assert_eq!(scenario.told(), ["handshake-bound target https://t1.example/ closed"]);
    assert_eq!(scenario.changes(), [IncidentChange::Opened, IncidentChange::Closed]);
}

#[test]
fn it_goes_on_with_less_evidence_than_it_took_to_open() {
    let mut scenario = Scenario::new(10, 2, 20);
    scenario.minutes(10, healthy);
    scenario.minutes(10, |(client, target)| if_is(target == 0 && client < 3, SLOW));
    assert_eq!(scenario.told(), Vec::<String>::new(), "three of ten are too few");
    scenario.minutes(1, |(client, target)| if_is(target == 0 && client < 8, SLOW));
    scenario.minutes(20, |(client, target)| if_is(target == 0 && client < 4, SLOW));
    assert_eq!(scenario.open(), 1, "four of ten keep it open");
    let until = scenario.now();
    scenario.minutes(7, |(client, target)| if_is(target == 0 && client < 3, SLOW));
    assert_eq!(scenario.only().closed, Some(LogTime::from_ms(until.ms())), "and three do not");
}

#[test]
fn the_clients_incident_that_turns_out_to_be_the_targets_is_amended() {
    let mut scenario = Scenario::new(8, 4, 4);
    scenario.minutes(10, healthy);
    let from = scenario.now();
    scenario.minutes(1, |(client, target)| if_is(target == 0 && client < 4, SLOW));
    let first = scenario.only().clone();
    assert_eq!(first.cause.dimension, Dimension::IspTarget);
    scenario.minutes(1, |(_, target)| if_is(target == 0, SLOW));
    let amended = scenario.only().clone();
    assert_eq!((amended.id, amended.opened, amended.detected), (first.id, first.opened, first.detected));
    assert_eq!(amended.cause.dimension, Dimension::Target);
    assert_eq!(amended.named, LogTime::from_ms(from.ms() + 120_000));
    assert_eq!((amended.revision, amended.pairs), (1, 8));
    assert_eq!(scenario.changes(), [IncidentChange::Opened, IncidentChange::Cause]);
}

#[test]
fn incidents_that_turn_out_to_be_one_are_merged_into_the_first() {
    let mut scenario = Scenario::new(12, 8, 4);
    scenario.minutes(10, healthy);
    scenario.minutes(1, |(client, _)| if_is(client == 0, SLOW));
    scenario.minutes(2, |(client, _)| if_is(client == 0 || client == 5, SLOW));
    assert_eq!(scenario.open(), 2);
    scenario.minutes(2, |_| SLOW);
    assert_eq!(scenario.told(), ["handshake-bound everything  open", "handshake-bound client probe-5 withdrawn"]);
    let first = scenario.incidents.values().find(|incident| incident.state == IncidentState::Open).unwrap();
    let other = scenario.incidents.values().find(|incident| incident.state == IncidentState::Withdrawn).unwrap();
    assert_eq!(other.withdrawn_because.as_deref(), Some(&*format!("It is a part of the incident {}.", first.id)));
    let told = [IncidentChange::Cause, IncidentChange::Absorbed, IncidentChange::Withdrawn];
    assert!(told.iter().all(|change| scenario.changes().contains(change)), "{:?}", scenario.changes());
}

#[test]
fn what_is_left_of_a_wide_incident_is_one_of_its_own() {
    let mut scenario = Scenario::new(12, 4, 4);
    scenario.minutes(10, healthy);
    scenario.minutes(50, |(client, _)| if_is(client / 4 == 1, SLOW));
    scenario.minutes(20, |(client, _)| if_is(client == 5, SLOW));
    assert_eq!(scenario.told(), ["handshake-bound site site-1 closed", "handshake-bound client probe-5 open"]);
}

#[test]
fn revised_windows_take_its_evidence_away() {
    let mut scenario = Scenario::new(4, 4, 2);
    scenario.minutes(10, healthy);
    let window = scenario.now();
    scenario.minutes(1, |(_, target)| if_is(target == 1, SLOW));
    assert_eq!(scenario.open(), 1);
    let corrected: Vec<_> = (0..4).map(|client| ((client, 1), window, Standing::Healthy)).collect();
    scenario.look(&corrected);
    assert_eq!(scenario.told(), ["handshake-bound target https://t1.example/ withdrawn"]);
    let because = scenario.only().withdrawn_because.clone().unwrap();
    assert_eq!(&*because, "Corrected measurements leave 0 of the 4 pairs that were handshake-bound when it was told.");
    assert_eq!(scenario.changes(), [IncidentChange::Opened, IncidentChange::Withdrawn]);
}

#[test]
fn an_incident_that_just_ends_is_not_withdrawn() {
    let mut scenario = Scenario::new(4, 4, 2);
    scenario.minutes(10, healthy);
    scenario.minutes(1, |(_, target)| if_is(target == 1, SLOW));
    scenario.minutes(10, healthy);
    assert_eq!(scenario.told(), ["handshake-bound target https://t1.example/ closed"]);
}

#[test]
fn faults_that_overlap_are_told_apart() {
    let mut scenario = Scenario::new(8, 6, 4);
    scenario.minutes(10, healthy);
    let failing = |(_, target): (usize, usize)| target == 1;
    scenario.minutes(15, |of| if_is(failing(of), FAILING));
    let slow = |(client, _): (usize, usize)| client / 4 == 0;
    scenario.minutes(15, |of| if failing(of) { FAILING } else { if_is(slow(of), SLOW) });
    assert_eq!(
        scenario.told(),
        ["error-bound target https://t1.example/ open", "handshake-bound site site-0 open"],
        "with different labels"
    );
    let mut scenario = Scenario::new(8, 6, 4);
    scenario.minutes(10, healthy);
    scenario.minutes(15, |(_, target)| if_is(target == 1, SLOW));
    scenario.minutes(15, |(client, target)| if_is(target == 1 || client == 6, SLOW));
    assert_eq!(
        scenario.told(),
        ["handshake-bound target https://t1.example/ open", "handshake-bound client probe-6 open"],
        "with the same label"
    );
}

#[test]
fn while_its_pairs_are_silent_or_say_something_else_it_is_not_over() {
    let slow = |(_, target): (usize, usize)| if_is(target == 1, SLOW);
    let mut scenario = Scenario::new(6, 4, 3);
    scenario.minutes(10, healthy);
    scenario.minutes(5, slow);
    scenario.minutes_of(20, |_, _| None);
    scenario.minutes(5, slow);
    scenario.minutes(15, |(_, target)| if_is(target == 1, FAILING));
    scenario.minutes(5, slow);
    assert_eq!(
        scenario.told(),
        ["handshake-bound target https://t1.example/ open", "error-bound target https://t1.example/ open"]
    );
    let until = scenario.now();
    scenario.minutes_of(40, |_, _| None);
    let closed = scenario.incidents.values().find(|incident| incident.label == Label::HandshakeBound).unwrap();
    assert_eq!(closed.closed, Some(LogTime::from_ms(until.ms())), "but not for ever");
}

#[test]
fn slow_transfers_on_a_path_that_is_slow_to_connect_are_no_incident_of_their_own() {
    let transfers = Standing::Degraded(Label::ThroughputBound, Severity::Minor);
    let mut scenario = Scenario::new(8, 4, 4);
    scenario.minutes(10, healthy);
    scenario.minutes(10, |(client, target)| if client >= 4 { Standing::Healthy } else { if_is(target < 3, SLOW) });
    scenario.minutes(10, |(client, target)| match (client, target) {
        (4.., _) => Standing::Healthy,
        (1, _) => transfers,
        _ => SLOW,
    });
    assert_eq!(scenario.told(), ["handshake-bound site site-0 open"]);
    let mut scenario = Scenario::new(8, 4, 4);
    scenario.minutes(10, healthy);
    scenario.minutes(2, |(client, _)| if_is(client < 4, transfers));
    let id = scenario.only().id.clone();
    scenario.minutes(3, |(client, _)| if_is(client < 4, SLOW));
    assert_eq!(scenario.told(), ["handshake-bound site site-0 open"], "where they come first, the label is amended");
    assert_eq!((&scenario.only().id, scenario.only().revision), (&id, 1));
}

#[test]
fn what_one_client_shows_for_a_moment_is_not_told() {
    let slow = |(client, _): (usize, usize)| if_is(client == 0, SLOW);
    let mut scenario = Scenario::new(6, 10, 3);
    scenario.minutes(10, healthy);
    scenario.minutes(1, slow);
    scenario.look(&[]);
    assert!(scenario.told().is_empty(), "a look that brings no newer window is no second one");
    scenario.minutes(10, healthy);
    assert!(scenario.told().is_empty());
    let from = scenario.now();
    scenario.minutes(2, slow);
    assert_eq!(scenario.told(), ["handshake-bound client probe-0 open"]);
    assert_eq!(scenario.only().opened, from, "it has begun with the first of the two");
}

#[test]
fn a_rising_severity_is_told_once() {
    let mut scenario = Scenario::new(6, 4, 3);
    let slow = |severity| Standing::Degraded(Label::ServerBound, severity);
    scenario.minutes(10, healthy);
    scenario.minutes(5, |(_, target)| if_is(target == 0, slow(Severity::Minor)));
    scenario.minutes(5, |(_, target)| if_is(target == 0, slow(Severity::Major)));
    assert_eq!(scenario.only().severity, Severity::Major);
    assert_eq!(scenario.changes(), [IncidentChange::Opened, IncidentChange::Severity]);
    scenario.minutes(9, healthy);
    assert_eq!((scenario.only().severity, scenario.only().peak_severity), (Severity::Major, Severity::Major));
}

#[test]
fn pairs_that_are_suspected_at_once_are_evidence() {
    let suspected = |is_suspected| if_is(is_suspected, Standing::Suspected(Label::HandshakeBound));
    let mut scenario = Scenario::new(6, 4, 3);
    scenario.minutes(10, healthy);
    scenario.minutes(5, |(client, target)| suspected(client < 3 && target == 1));
    assert_eq!(scenario.told(), Vec::<String>::new(), "three may be chance");
    assert_eq!(scenario.last.tally.healthy, 24, "and are healthy");
    scenario.minutes(1, |(_, target)| suspected(target == 1));
    assert_eq!(scenario.told(), ["handshake-bound target https://t1.example/ open"]);
    assert_eq!((scenario.only().severity, scenario.only().pairs), (Severity::Minor, 6));
    scenario
        .minutes(3, |(_, target)| if_is(target == 1, Standing::Degraded(Label::HandshakeBound, Severity::Critical)));
    assert_eq!(scenario.only().severity, Severity::Critical, "as bad as the diagnoses say");
}

#[test]
fn what_is_left_over_is_told_in_two_looks() {
    let mut scenario = Scenario::new(12, 4, 4);
    scenario.minutes(10, healthy);
    scenario.minutes(20, |_| SLOW);
    scenario.minutes(1, |(client, _)| if_is(client == 5, SLOW));
    assert_eq!(scenario.told(), ["handshake-bound everything  open"]);
    scenario.minutes(1, |(client, _)| if_is(client == 5, SLOW));
    assert_eq!(scenario.told(), ["handshake-bound everything  open", "handshake-bound client probe-5 open"]);
}

#[test]
fn pairs_that_recover_later_than_others_are_no_incident() {
    let mut scenario = Scenario::new(12, 4, 4);
    scenario.minutes(10, healthy);
    scenario.minutes(20, |_| SLOW);
    // All of one client's, and three in ten of the others'.
    scenario.minutes(3, |(client, target)| if_is(client == 5 || (client + target) % 3 == 0, SLOW));
    scenario.minutes(10, healthy);
    assert_eq!(scenario.told(), ["handshake-bound everything  closed"]);
}

#[test]
fn what_seemed_to_be_left_over_is_taken_back_when_the_fault_returns() {
    let mut scenario = Scenario::new(12, 4, 4);
    scenario.minutes(10, healthy);
    scenario.minutes(5, |_| SLOW);
    scenario.minutes(2, |(client, _)| if_is(client == 5, SLOW));
    assert_eq!(scenario.open(), 2);
    scenario.minutes(5, |_| SLOW);
    assert_eq!(scenario.told(), ["handshake-bound everything  open", "handshake-bound client probe-5 withdrawn"]);
}

#[test]
fn a_narrower_fault_takes_the_place_of_a_wider_one_that_it_would_keep_open() {
    let mut scenario = Scenario::new(8, 4, 4);
    scenario.minutes(10, healthy);
    scenario.minutes(40, |_| SLOW);
    // Half of all pairs are enough to keep the incident of everything open.
    scenario.minutes(12, |(client, _)| if_is(client < 4, SLOW));
    assert_eq!(scenario.told(), ["handshake-bound everything  closed", "handshake-bound site site-0 open"]);
}
