//! What incidents are found again from: corrections, kept states and looks, and what stands in the store.

use std::sync::Arc;

use netqoe_model::{FleetChanges, Generation, Incident, IncidentId, IncidentState, LogTime, WindowStart};
use netqoe_sinks::{Corrections, FleetCommit, Kept, Store, StoreError};

use crate::contract::bench::Bench;
use crate::contract::contents::{Cell, FLEET_STATES, LOOKS};
use crate::contract::fleet::{at, commit_looks, incident, member, unmeasured};

for_each_store!(
    corrections_are_read_as_a_whole,
    the_newest_state_before_a_look_is_found,
    looks_and_states_stay_for_corrections,
    without_corrections_no_state_stays,
    what_stands_in_the_store_comes_back,
    members_that_are_no_more_go,
    incidents_that_are_found_anew_need_no_states,
    an_earlier_generation_keeps_and_forgets_nothing,
);

/// One more correction, of two events.
fn correct(bench: &Bench, from: i64, log_time: i64) {
    let [from, log_time, now] = [at(from).ms(), at(log_time).ms(), 1].map(|ms| bench.time(ms));
    bench.execute(&format!(
        "INSERT INTO corrections (partition, at, from_window, pairs, accepted, duplicate, rows_written, written_at)
         VALUES (2, {log_time}, {from}, 1, 2, 0, 1, {now})"
    ));
}

fn corrections_are_read_as_a_whole(bench: &Bench) {
    let (mut store, generation) = bench.open();
    assert_eq!(store.corrections_after(0).unwrap(), None);
    for (from, log_time) in [(5, 20), (3, 19), (8, 30)] {
        correct(bench, from, log_time);
    }
    let corrections = |newest, log_time: i64, from, events| {
        Some(Corrections { newest, at: LogTime::from_ms(at(log_time).ms()), from: at(from), events })
    };
    assert_eq!(store.corrections_after(0).unwrap(), corrections(3, 30, 3, 6));
    assert_eq!(store.corrections_after(2).unwrap(), corrections(3, 30, 8, 2));
    assert_eq!(store.corrections_after(3).unwrap(), None);
    // Who has found no incidents yet finds them in corrected looks.
    assert_eq!(store.resume_fleet(generation).unwrap().corrected, 3);
    let commit = FleetCommit { through: at(9), corrected: 2, ..FleetCommit::default() };
    store.commit_fleet(generation, &commit).unwrap();
    assert_eq!(store.resume_fleet(generation).unwrap().corrected, 2);
}

fn state(minute: i64) -> (WindowStart, Vec<u8>) {
    (at(minute), vec![0, u8::try_from(minute).unwrap(), 255])
}

fn the_newest_state_before_a_look_is_found(bench: &Bench) {
    let (mut store, generation) = bench.open();
    assert_eq!(store.fleet_state(at(9)).unwrap(), None);
    for minute in [20, 10, 30] {
        store.keep_fleet_state(generation, at(minute), &[7]).unwrap();
        store.keep_fleet_state(generation, at(minute), &state(minute).1).unwrap();
    }
    for (minute, expected) in [(5, 10), (10, 10), (19, 10), (20, 20), (99, 30)] {
        assert_eq!(store.fleet_state(at(minute)).unwrap(), Some(state(expected)), "{minute}");
    }
    assert_eq!(store.resume_fleet(generation).unwrap().kept, Some(at(30)));
    store.forget_fleet_states(generation, at(20)).unwrap();
    assert_eq!(store.fleet_state(at(99)).unwrap(), Some(state(20)));
}

/// The minutes of what is in a table.
fn minutes(bench: &Bench, table: &'static crate::contract::contents::Table) -> Vec<i64> {
    let minute = |row: Vec<Cell>| match row[0] {
        Cell::Integer(ms) => (ms - at(0).ms()) / 60_000,
        _ => panic!("{row:?}"),
    };
    let mut minutes: Vec<_> = bench.rows(table).into_iter().map(minute).collect();
    minutes.sort_unstable();
    minutes.dedup();
    minutes
}

fn looks_and_states_stay_for_corrections(bench: &Bench) {
    let (mut store, generation) = bench.open();
    commit_looks(&mut *store, generation, 9);
    let mut commit = |through: i64, states: &[i64], since: i64, is_stored: bool| {
        let kept = Kept { states: states.iter().map(|minute| state(*minute)).collect(), since: at(since) };
        let state = is_stored.then(|| state(through));
        let commit = FleetCommit { through: at(through), state, kept: Some(kept), ..FleetCommit::default() };
        store.commit_fleet(generation, &commit).unwrap();
        (minutes(bench, &FLEET_STATES), minutes(bench, &LOOKS))
    };
    let all: Vec<i64> = (1..=9).collect();
    assert_eq!(commit(3, &[0, 3], -2, true), (vec![0, 3], all.clone()), "nothing is old enough");
    assert_eq!(commit(6, &[6], 2, true), (vec![0, 3, 6], all.clone()), "a look after 0 may be corrected");
    assert_eq!(commit(7, &[], 4, false), (vec![0, 3, 6], all), "it is deleted with a state");
    assert_eq!(commit(8, &[], 4, true), (vec![3, 6], (4..=9).collect()));
    assert_eq!(commit(9, &[9], 20, true), (vec![9], vec![]), "no look stays that all reflect");
}

fn without_corrections_no_state_stays(bench: &Bench) {
    let (mut store, generation) = bench.open();
    commit_looks(&mut *store, generation, 4);
    store.keep_fleet_state(generation, at(1), &[1]).unwrap();
    let commit = FleetCommit { through: at(3), state: Some(state(3)), ..FleetCommit::default() };
    store.commit_fleet(generation, &commit).unwrap();
    assert_eq!((minutes(bench, &FLEET_STATES), minutes(bench, &LOOKS)), (vec![], vec![4]));
}

fn write(store: &mut dyn Store, generation: Generation, changes: FleetChanges) {
    let commit = FleetCommit { changes: vec![changes], through: at(9), ..FleetCommit::default() };
    store.commit_fleet(generation, &commit).unwrap();
}

fn what_stands_in_the_store_comes_back(bench: &Bench) {
    let (mut store, generation) = bench.open();
    let as_of = |id, minute, state| Incident { as_of: at(minute), ..incident(id, state) };
    let incidents = vec![
        as_of("a", 2, IncidentState::Closed),
        as_of("b", 2, IncidentState::Open),
        as_of("c", 3, IncidentState::Withdrawn),
    ];
    let (members, silent) = (vec![member("a", "x", 3), member("b", "y", 4)], vec![unmeasured("x", Some("A"))]);
    let changes = FleetChanges {
        incidents: incidents.clone(),
        members: members.clone(),
        unmeasured: silent.clone(),
        ..FleetChanges::default()
    };
    write(&mut *store, generation, changes);
    let id = |id: &str| IncidentId(id.into());
    let mut since = |minute: i64, ids: &[&IncidentId]| {
        let mut found = store.incidents_since(at(minute), ids).unwrap();
        found.sort_by(|a, b| a.id.cmp(&b.id));
        found
    };
    assert_eq!(since(1, &[]), incidents);
    assert_eq!(since(2, &[]), incidents[1..], "open, or changed since");
    assert_eq!(since(9, &[&id("a"), &id("d")]), incidents[..2], "open, or named");
    assert_eq!(store.incident_members(&id("b")).unwrap(), members[1..]);
    assert_eq!(store.incident_members(&id("c")).unwrap(), []);
    assert_eq!(store.unmeasured().unwrap(), silent);
}

fn members_that_are_no_more_go(bench: &Bench) {
    let (mut store, generation) = bench.open();
    let members = vec![member("a", "x", 3), member("a", "y", 3), member("b", "x", 3)];
    write(&mut *store, generation, FleetChanges { members, ..FleetChanges::default() });
    let gone = (IncidentId("a".into()), Arc::from("x"), Arc::from("x"));
    let commit = FleetCommit { through: at(9), members_gone: vec![gone], ..FleetCommit::default() };
    store.commit_fleet(generation, &commit).unwrap();
    assert_eq!(store.incident_members(&IncidentId("a".into())).unwrap(), [member("a", "y", 3)]);
    assert_eq!(store.incident_members(&IncidentId("b".into())).unwrap(), [member("b", "x", 3)]);
}

fn incidents_that_are_found_anew_need_no_states(bench: &Bench) {
    let (mut store, generation) = bench.open();
    commit_looks(&mut *store, generation, 4);
    let kept = Some(Kept { states: vec![state(0), state(2)], since: at(-9) });
    let commit = FleetCommit { through: at(3), state: Some(state(2)), kept, ..FleetCommit::default() };
    store.commit_fleet(generation, &commit).unwrap();
    correct(bench, 1, 3);
    store.start_fleet_anew(generation, at(3), "the rules changed").unwrap();
    assert_eq!((minutes(bench, &FLEET_STATES), minutes(bench, &LOOKS)), (vec![], vec![3, 4]));
    assert_eq!(store.resume_fleet(generation).unwrap().corrected, 1, "the looks are as they were corrected");
}

fn an_earlier_generation_keeps_and_forgets_nothing(bench: &Bench) {
    let (mut earlier, first) = bench.open();
    earlier.keep_fleet_state(first, at(1), &[1]).unwrap();
    let (_, _second) = bench.open();
    let refused = [
        earlier.keep_fleet_state(first, at(2), &[2]).unwrap_err(),
        earlier.forget_fleet_states(first, at(0)).unwrap_err(),
    ];
    assert!(refused.iter().all(|error| matches!(error, StoreError::Fenced { .. })), "{refused:?}");
    assert_eq!(minutes(bench, &FLEET_STATES), [1]);
}
