//! A receiver that is away, slow or picky: nothing is lost, nothing comes twice, and nothing out of order.

use std::collections::{BTreeMap, BTreeSet};

use netqoe_notify::{Delivery, Outcome, Policy, Postman};

use crate::fleet::{Fleet, MINUTE_MS, START_MS, id, policy};

const SECOND_MS: i64 = 1_000;

fn away() -> Outcome {
    Outcome::Away { error: "connection refused".to_owned(), retry_after: None }
}

/// What a receiver has taken, and when.
#[derive(Default)]
struct Taken {
    messages: Vec<(String, u32)>,
    /// The time and the size of each delivery.
    deliveries: Vec<(i64, usize)>,
    refusals: usize,
}

impl Taken {
    /// One second of a postman's work at a receiver that answers so.
    fn second(&mut self, postman: &mut Postman, now_ms: i64, answer: impl Fn(&Delivery) -> Outcome) {
        for delivery in postman.step(now_ms).unwrap() {
            let outcome = answer(&delivery);
            if outcome == Outcome::Delivered {
                self.deliveries.push((now_ms, delivery.messages.len()));
                let taken = delivery.messages.iter().map(|message| (message.incident.to_string(), message.revision));
                self.messages.extend(taken);
            } else {
                self.refusals += 1;
            }
            postman.end(delivery, &outcome, now_ms).unwrap();
        }
    }

    /// Everything that was ever put in came once, and in the order of its incident.
    #[track_caller]
    fn assert_complete(&self, fleet: &Fleet) {
        let ids: Vec<String> =
            self.messages.iter().map(|(incident, revision)| format!("{incident}-{revision}")).collect();
        let distinct: BTreeSet<String> = ids.iter().cloned().collect();
        assert_eq!(ids.len(), distinct.len(), "none comes twice: {ids:?}");
        assert_eq!(distinct, fleet.enqueued("ops").into_iter().collect());
        let mut newest: BTreeMap<&str, u32> = BTreeMap::new();
        for (incident, revision) in &self.messages {
            if let Some(before) = newest.insert(incident, *revision) {
                assert!(before < *revision, "{incident}: {before} comes before {revision}");
            }
        }
    }
}

#[test]
fn a_receiver_that_was_away_for_ten_minutes_gets_each_message_once_and_in_order() {
    let fleet = Fleet::new();
    let mut postman = fleet.postman(fleet.start());
    let mut taken = Taken::default();
    fleet.fold(0);
    let (left_ms, back_ms) = (START_MS + 8 * MINUTE_MS, START_MS + 18 * MINUTE_MS);
    for second in 0..30 * 60 {
        let now_ms = START_MS + second * SECOND_MS;
        if second % 60 == 0 {
            let minute = second / 60;
            // Each minute an incident begins. It becomes worse after three more, and is over after seven.
            for (age, change, severity) in
                [(0, "opened", "minor"), (3, "severity", "critical"), (7, "closed", "critical")]
            {
                if let Ok(incident) = u32::try_from(minute - age)
                    && incident < 15
                {
                    let revision = [0, 3, 7].iter().position(|one| *one == age).unwrap();
                    fleet.change(incident, u32::try_from(revision).unwrap(), minute, change, severity);
                }
            }
            fleet.fold(minute);
        }
        taken.second(&mut postman, now_ms, |_| {
            if (left_ms..back_ms).contains(&now_ms) { away() } else { Outcome::Delivered }
        });
    }
    taken.assert_complete(&fleet);
    assert_eq!(taken.messages.len(), 15 * 3, "each incident is told as opened, worse and over");
    assert!(taken.refusals < 12, "it is not called more often than {} times while it is away", taken.refusals);
    let (back, several) = taken.deliveries.iter().find(|(at_ms, _)| *at_ms >= back_ms).unwrap();
    assert!(*back <= back_ms + 5 * MINUTE_MS, "it is called soon after it is back");
    assert_eq!(*several, 20, "what has waited comes together, up to a bound");
}

#[test]
fn a_message_that_is_refused_does_not_hold_up_others() {
    let fleet = Fleet::new();
    let mut postman = fleet.postman(fleet.start());
    let mut taken = Taken::default();
    fleet.fold(0);
    (0..6).for_each(|incident| fleet.change(incident, 0, 1, "opened", "minor"));
    fleet.fold(3);
    let picky = |delivery: &Delivery| {
        let is_refused = delivery.messages.iter().any(|message| *message.incident.0 == *id(2));
        let refused = Outcome::Refused { error: "invalid".to_owned() };
        if is_refused { refused } else { Outcome::Delivered }
    };
    let minutes = |from: i64, to: i64| (from * 60..to * 60).map(|second| START_MS + second * SECOND_MS);
    for now_ms in minutes(3, 5) {
        taken.second(&mut postman, now_ms, picky);
    }
    let told: Vec<&str> = taken.messages.iter().map(|(incident, _)| incident.as_str()).collect();
    assert_eq!(told, [0, 1, 3, 4, 5].map(id));
    for now_ms in minutes(5, 12) {
        taken.second(&mut postman, now_ms, |_| Outcome::Delivered);
    }
    taken.assert_complete(&fleet);
}

#[test]
fn a_receiver_is_called_as_often_as_it_may_be() {
    let fleet = Fleet::new();
    let slow = Policy { max_per_minute: 2, max_grouped: 1, ..policy("ops") };
    let mut postman = fleet.postman_of(fleet.start(), vec![slow]);
    let mut taken = Taken::default();
    fleet.fold(0);
    (0..5).for_each(|incident| fleet.change(incident, 0, 1, "opened", "minor"));
    fleet.fold(3);
    for second in 0..150 {
        taken.second(&mut postman, START_MS + second * SECOND_MS, |_| Outcome::Delivered);
    }
    let seconds: Vec<i64> = taken.deliveries.iter().map(|(at_ms, _)| (at_ms - START_MS) / SECOND_MS).collect();
    assert_eq!(seconds, [0, 1, 60, 61, 120]);
    taken.assert_complete(&fleet);
}

#[test]
fn after_a_day_a_message_is_given_up_and_that_is_seen() {
    let fleet = Fleet::new();
    let mut postman = fleet.postman(fleet.start());
    let mut taken = Taken::default();
    fleet.fold(0);
    fleet.change(1, 0, 1, "opened", "minor");
    fleet.fold(3);
    for minute in 3..24 * 60 + 10 {
        taken.second(&mut postman, START_MS + minute * MINUTE_MS, |_| away());
    }
    let [counts] = fleet.outbox().counts().unwrap().try_into().unwrap();
    assert_eq!((counts.waiting, counts.given_up, counts.last_error.as_deref()), (0, 1, Some("connection refused")));
    assert_eq!(fleet.metrics.notify_given_up.with_label_values(&["webhook"]).get(), 1);
    // Nobody was told that it opened, so nobody is told that it is over.
    fleet.change(1, 1, 24 * 60 + 20, "closed", "minor");
    fleet.fold(24 * 60 + 20);
    for minute in 24 * 60 + 20..24 * 60 + 40 {
        taken.second(&mut postman, START_MS + minute * MINUTE_MS, |_| Outcome::Delivered);
    }
    assert!(taken.messages.is_empty(), "{:?}", taken.messages);
}

#[test]
fn a_receiver_says_when_it_wants_to_be_called_again() {
    let fleet = Fleet::new();
    let mut postman = fleet.postman(fleet.start());
    fleet.fold(0);
    fleet.change(1, 0, 1, "opened", "minor");
    fleet.fold(3);
    let mut calls = Vec::new();
    for second in 0..600 {
        let now_ms = START_MS + second * SECOND_MS;
        for delivery in postman.step(now_ms).unwrap() {
            calls.push(second);
            let retry_after = Some(std::time::Duration::from_secs(120));
            let busy = Outcome::Away { error: "429".to_owned(), retry_after };
            postman.end(delivery, &busy, now_ms).unwrap();
        }
    }
    assert_eq!(calls, [0, 120, 240, 360, 480]);
}

#[test]
fn metrics_say_what_was_sent_and_what_waits() {
    let fleet = Fleet::new();
    let mut postman = fleet.postman(fleet.start());
    let mut taken = Taken::default();
    fleet.fold(0);
    (1..4).for_each(|incident| fleet.change(incident, 0, 1, "opened", "minor"));
    fleet.fold(3);
    let kind = &["webhook"];
    taken.second(&mut postman, START_MS, |_| away());
    let waiting = || fleet.metrics.notify_waiting.with_label_values(kind).get();
    assert_eq!((fleet.metrics.notify_failed.with_label_values(kind).get(), waiting()), (1, 3));
    for second in 1..20 {
        taken.second(&mut postman, START_MS + second * SECOND_MS, |_| Outcome::Delivered);
    }
    assert_eq!((fleet.metrics.notify_sent.with_label_values(kind).get(), waiting()), (3, 0));
}
