//! Processes that are killed, and others that take over: a message keeps its id, and nobody is told history.

use std::collections::BTreeSet;

use netqoe_model::Generation;
use netqoe_notify::{Delivery, Outcome};
use netqoe_sinks::StoreError;

use crate::fleet::{Fleet, MINUTE_MS, START_MS, id, policy};

fn ids(deliveries: &[Delivery]) -> Vec<String> {
    deliveries.iter().flat_map(|delivery| &delivery.messages).map(|message| message.id.clone()).collect()
}

/// A fleet in which an incident is to be told, at minute 3.
fn with_an_incident() -> (Fleet, Generation) {
    let fleet = Fleet::new();
    let generation = fleet.start();
    fleet.fold(0);
    fleet.change(1, 0, 1, "opened", "minor");
    fleet.fold(3);
    (fleet, generation)
}

#[test]
fn what_was_sent_and_not_noted_is_sent_again_with_the_same_id() {
    let (fleet, generation) = with_an_incident();
    let sent = fleet.postman(generation).step(START_MS).unwrap();
    assert_eq!(ids(&sent), [format!("{}-0", id(1))]);
    // Killed here.
    let mut postman = fleet.postman(fleet.start());
    let mut again = postman.step(START_MS + 1_000).unwrap();
    assert_eq!(ids(&again), ids(&sent));
    postman.end(again.remove(0), &Outcome::Delivered, START_MS + 1_000).unwrap();
    let mut after = fleet.postman(fleet.start());
    assert_eq!(after.step(START_MS + 2_000).unwrap(), []);
}

#[test]
fn a_process_that_was_taken_over_sends_nothing() {
    let (fleet, generation) = with_an_incident();
    let mut earlier = fleet.postman(generation);
    let mut later = fleet.postman(fleet.start());
    assert_eq!(later.step(START_MS).unwrap().len(), 1);
    let refused = earlier.step(START_MS).unwrap_err();
    assert!(matches!(refused, StoreError::Fenced { .. }), "{refused}");
}

#[test]
fn what_was_over_before_the_first_start_is_not_told() {
    let fleet = Fleet::new();
    fleet.change(1, 0, 1, "opened", "minor");
    fleet.change(1, 1, 50, "closed", "minor");
    fleet.change(2, 0, 40, "opened", "minor");
    fleet.fold(100);
    let mut postman = fleet.postman(fleet.start());
    assert_eq!(ids(&postman.step(START_MS).unwrap()), [format!("{}-0", id(2))]);
}

#[test]
fn a_new_receiver_is_told_what_is_open() {
    let (fleet, generation) = with_an_incident();
    let mut postman = fleet.postman(generation);
    let mut sent = postman.step(START_MS).unwrap();
    postman.end(sent.remove(0), &Outcome::Delivered, START_MS).unwrap();
    fleet.fold(4);
    let mut both = fleet.postman_of(fleet.start(), vec![policy("ops"), policy("new")]);
    let sent = both.step(START_MS + MINUTE_MS).unwrap();
    assert_eq!(sent.iter().map(|delivery| delivery.receiver).collect::<Vec<_>>(), [1]);
}

#[test]
fn messages_of_a_receiver_that_is_configured_no_more_are_given_up() {
    let (fleet, generation) = with_an_incident();
    fleet.postman(generation).step(START_MS).unwrap();
    let mut other = fleet.postman_of(fleet.start(), vec![policy("other")]);
    other.step(START_MS + 23 * 60 * MINUTE_MS).unwrap();
    let waiting = || fleet.outbox().counts().unwrap().iter().find(|counts| counts.receiver == "ops").unwrap().waiting;
    assert_eq!(waiting(), 1);
    other.step(START_MS + 25 * 60 * MINUTE_MS).unwrap();
    assert_eq!(waiting(), 0);
    assert_eq!(fleet.metrics.notify_given_up.with_label_values(&["removed"]).get(), 1);
}

/// Killed after each step that could matter: before it is told, after it was put in, after it was sent, after it was noted.
#[test]
fn no_moment_of_a_kill_loses_a_message() {
    let fleet = Fleet::new();
    fleet.fold(0);
    let mut sent: Vec<String> = Vec::new();
    let mut postman = fleet.postman(fleet.start());
    for minute in 1..40_i64 {
        let incident = u32::try_from(minute).unwrap();
        fleet.change(incident, 0, minute, "opened", "minor");
        if minute > 5 {
            fleet.change(incident - 5, 1, minute, "closed", "minor");
        }
        fleet.fold(minute);
        let now_ms = START_MS + minute * MINUTE_MS;
        for delivery in postman.step(now_ms).unwrap() {
            sent.extend(ids(std::slice::from_ref(&delivery)));
            if minute % 3 != 0 {
                postman.end(delivery, &Outcome::Delivered, now_ms).unwrap();
            }
        }
        if minute % 3 != 1 {
            postman = fleet.postman(fleet.start());
        }
    }
    let distinct: BTreeSet<String> = sent.iter().cloned().collect();
    let expected = fleet.enqueued("ops").into_iter().collect();
    assert_eq!(distinct, expected);
    assert_eq!(distinct.len(), 37 + 34, "those that stand for two minutes, and those of them that are over");
    assert!(sent.len() > distinct.len(), "some were sent twice, since a kill came before they were noted");
}
