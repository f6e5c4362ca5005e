//! Alertmanager keeps alerts in memory. One that was restarted learns again what stands.

use netqoe_notify::{Outcome, Policy, Postman, ReceiverKind};

use crate::fleet::{Fleet, MINUTE_MS, START_MS, id, policy};

/// The incident, its revision, and whether a severity before is told.
type Told = (String, u32, bool);

/// What is told in this minute, and in which second.
fn told_in(minute: i64, postman: &mut Postman, answer: &Outcome) -> Vec<(i64, Vec<Told>)> {
    let mut told = Vec::new();
    for second in 0..60 {
        let now_ms = START_MS + minute * MINUTE_MS + second * 1_000;
        for delivery in postman.step(now_ms).unwrap() {
            let one = |message: &netqoe_notify::Message| {
                (message.incident.to_string(), message.revision, message.previous_severity.is_some())
            };
            told.push((second, delivery.messages.iter().map(one).collect()));
            postman.end(delivery, answer, now_ms).unwrap();
        }
    }
    told
}

fn alertmanager() -> Vec<Policy> {
    vec![Policy { kind: ReceiverKind::Alertmanager, ..policy("ops") }]
}

#[test]
fn alertmanager_is_told_each_minute_what_stands() {
    let fleet = Fleet::new();
    let mut postman = fleet.postman_of(fleet.start(), alertmanager());
    fleet.fold(0);
    fleet.change(1, 0, 1, "opened", "minor");
    fleet.change(2, 0, 1, "opened", "minor");
    fleet.change(3, 0, 3, "opened", "minor");
    fleet.fold(3);
    let both = |revision: u32| vec![(id(1), revision, false), (id(2), 0, false)];
    let told = told_in(3, &mut postman, &Outcome::Delivered);
    assert_eq!(told, [(0, both(0)), (1, both(0))], "the third has not stood for long enough to be told");
    let reminded = told_in(4, &mut postman, &Outcome::Delivered);
    assert_eq!(reminded.iter().map(|(_, messages)| messages).collect::<Vec<_>>(), [&both(0)]);

    fleet.change(1, 1, 5, "severity", "critical");
    fleet.fold(4);
    fleet.fold(5);
    let told = told_in(5, &mut postman, &Outcome::Delivered);
    let all = |severity_is_told| vec![(id(1), 1, severity_is_told)];
    assert_eq!(told[0].1, [all(true), vec![(id(3), 0, false)]].concat(), "a change tells what was before");
    assert_eq!(told[1].1.len(), 3);
    assert!(told[1].1.iter().all(|(_, _, tells_before)| !tells_before), "a reminder tells what stands: {told:?}");

    fleet.change(1, 2, 6, "closed", "critical");
    fleet.fold(6);
    let told = told_in(6, &mut postman, &Outcome::Delivered);
    assert_eq!(told[0].1, [(id(1), 2, false)], "its end is told");
    assert_eq!(told[1].1, [(id(2), 0, false), (id(3), 0, false)], "and then it stands no more");
    assert_eq!(fleet.enqueued("ops").len(), 5, "no reminder is kept");
    assert_eq!(fleet.metrics.notify_sent.with_label_values(&["alertmanager"]).get(), 5, "nor counted");
}

/// A start does not know whether Alertmanager was restarted meanwhile.
#[test]
fn a_start_reminds_at_once() {
    let fleet = Fleet::new();
    fleet.fold(0);
    fleet.change(1, 0, 1, "opened", "minor");
    fleet.fold(3);
    told_in(3, &mut fleet.postman_of(fleet.start(), alertmanager()), &Outcome::Delivered);
    let told = told_in(4, &mut fleet.postman_of(fleet.start(), alertmanager()), &Outcome::Delivered);
    assert_eq!(told[0], (0, vec![(id(1), 0, false)]));
}

#[test]
fn a_reminder_that_fails_holds_up_no_message() {
    let fleet = Fleet::new();
    let mut postman = fleet.postman_of(fleet.start(), alertmanager());
    fleet.fold(0);
    fleet.change(1, 0, 1, "opened", "minor");
    fleet.fold(3);
    told_in(3, &mut postman, &Outcome::Delivered);
    let refused = Outcome::Refused { error: "invalid".to_owned() };
    assert_eq!(told_in(4, &mut postman, &refused).len(), 1, "it is not tried again at once");
    fleet.change(1, 1, 5, "severity", "critical");
    fleet.fold(5);
    let told = told_in(5, &mut postman, &Outcome::Delivered);
    assert_eq!(told[0].1, [(id(1), 1, true)]);
}

#[test]
fn others_are_told_once() {
    let fleet = Fleet::new();
    let mut postman = fleet.postman(fleet.start());
    fleet.fold(0);
    fleet.change(1, 0, 1, "opened", "minor");
    fleet.fold(3);
    assert_eq!(told_in(3, &mut postman, &Outcome::Delivered).len(), 1);
    assert!(told_in(4, &mut postman, &Outcome::Delivered).is_empty());
}
