//! What receivers are to be told, and have been. Incidents are put in by SQL, as whatever finds them leaves them.

use netqoe_model::{Dimension, Generation, IncidentChange, IncidentId, IncidentState, Severity, WindowStart};
use netqoe_sinks::outbox::{Attempted, Enqueued, MAX_WAITING_MESSAGES, OutboxCounts, QueuedMessage, message_id};
use netqoe_sinks::{Opening, Outbox, StoreError};

use crate::contract::bench::Bench;
use crate::contract::make::{MINUTE_MS, YEAR_2026_MS, log};

for_each_store!(
    without_a_look_there_is_no_news,
    it_begins_with_what_is_open,
    what_has_changed_since_is_new_once,
    a_long_time_is_told_step_by_step,
    what_is_under_maintenance_is_known,
    a_message_is_put_in_once,
    an_earlier_generation_puts_in_and_sends_nothing,
    messages_are_due_in_the_order_of_their_incident,
    a_message_that_failed_holds_up_its_incident_alone,
    what_was_given_up_counts_as_not_told,
    more_than_may_wait_is_left_off,
    what_stands_is_the_newest_of_each_open_incident,
    old_messages_are_forgotten_unless_their_incident_is_open,
    a_content_that_is_not_ours_is_named,
);

const A: &str = "00000000000000aa";
const B: &str = "00000000000000bb";

fn at(minute: i64) -> WindowStart {
    WindowStart::from_ms(YEAR_2026_MS + minute * MINUTE_MS)
}

/// The fold has come to this minute.
fn fold(bench: &Bench, minute: i64) {
    let through = bench.time(at(minute).ms());
    bench.execute(&format!(
        "DELETE FROM fleet; INSERT INTO fleet (only_row, through, degraded, healthy, unjudged, unmeasured)
         VALUES (1, {through}, 0, 0, 0, 0)"
    ));
}

/// An incident of provider `isp-a`, with a revision for each change at its minute, and in the state that the last leads to.
fn incident(bench: &Bench, id: &str, changes: &[(i64, IncidentChange)]) {
    let (last, change) = changes.last().unwrap();
    let state = match change {
        IncidentChange::Closed => "closed",
        IncidentChange::Withdrawn => "withdrawn",
        _ => "open",
    };
    let time = |minute: i64| bench.time(at(minute).ms());
    let (opened, last) = (time(changes[0].0), time(*last));
    let closed = if state == "open" { "NULL" } else { &last };
    bench.execute(&format!(
        "DELETE FROM incidents WHERE id = '{id}'; DELETE FROM incident_revisions WHERE incident = '{id}'"
    ));
    bench.execute(&format!(
        "INSERT INTO incidents (id, label, cause_dimension, cause_value, state, opened, detected, named, last, closed, severity,
             peak_severity, degraded_at_first, healthy_at_first, degraded_now, healthy_now, pairs, clients, targets,
             revision, as_of, updated_at)
         VALUES ('{id}', 'dns-bound', 'isp×target', '[\"isp-a\",\"x\"]', '{state}', {opened}, {opened}, {opened}, {last}, {closed},
             'major', 'critical', 1, 2, 3, 4, 5, 6, 7, {revision}, {last}, {last})",
        revision = changes.len() - 1,
    ));
    for (revision, (minute, change)) in changes.iter().enumerate() {
        bench.execute(&format!(
            "INSERT INTO incident_revisions (incident, revision, at, change, cause_dimension, cause_value, severity, degraded)
             VALUES ('{id}', {revision}, {at}, '{change}', 'isp', '[\"isp-a\"]', 'major', 5)",
            at = time(*minute),
            change = change.as_str(),
        ));
    }
}

fn message(receiver: &str, incident: &str, revision: u32) -> QueuedMessage {
    QueuedMessage {
        receiver: receiver.to_owned(),
        incident: IncidentId(incident.into()),
        revision,
        body: format!("{{\"of\":\"{incident}\",\"text\":\"grün\"}}"),
    }
}

/// The ids of what is due.
fn due(outbox: &mut dyn Outbox, generation: Generation, receiver: &str, now_ms: i64) -> Vec<String> {
    outbox.due(generation, receiver, now_ms, 100).unwrap().into_iter().map(|message| message.id).collect()
}

fn ids(incident: &str, revisions: &[u32]) -> Vec<String> {
    revisions.iter().map(|revision| message_id(&IncidentId(incident.into()), *revision)).collect()
}

/// The ids of the incidents in the news.
fn news(outbox: &mut dyn Outbox) -> Option<Vec<String>> {
    let news = outbox.news().unwrap()?;
    Some(news.incidents.iter().map(|changed| changed.incident.id.to_string()).collect())
}

fn without_a_look_there_is_no_news(bench: &Bench) {
    bench.open();
    assert_eq!(bench.outbox().news().unwrap(), None);
}

fn it_begins_with_what_is_open(bench: &Bench) {
    use IncidentChange::{Closed, Opened, Severity as Worse};
    let (_, generation) = bench.open();
    incident(bench, A, &[(1, Opened), (2, Worse)]);
    incident(bench, B, &[(1, Opened), (4, Closed)]);
    fold(bench, 5);
    let mut outbox = bench.outbox();
    let news = outbox.news().unwrap().unwrap();
    let [changed] = news.incidents.as_slice() else { panic!("{news:?}") };
    let incident = &changed.incident;
    assert_eq!((&*incident.id.0, incident.state, incident.severity), (A, IncidentState::Open, Severity::Major));
    assert_eq!(
        (incident.cause.dimension, incident.cause.value.as_slice()),
        (Dimension::IspTarget, ["isp-a".into(), "x".into()].as_slice())
    );
    assert_eq!((incident.opened, incident.last, incident.closed), (at(1), at(2), None));
    assert_eq!((incident.at_first.degraded, incident.now.healthy), (1, 4));
    assert_eq!((incident.pairs, incident.clients, incident.targets, incident.revision), (5, 6, 7, 1));
    let revisions: Vec<_> = changed.revisions.iter().map(|one| (one.revision, one.at, one.change)).collect();
    assert_eq!(revisions, [(0, at(1), Opened), (1, at(2), Worse)]);
    assert_eq!(news.until, at(5));
    outbox.enqueue(generation, news.until, &[], 0).unwrap();
    assert_eq!(outbox.news().unwrap(), None);
}

fn what_has_changed_since_is_new_once(bench: &Bench) {
    use IncidentChange::{Closed, Opened};
    let (_, generation) = bench.open();
    let mut outbox = bench.outbox();
    outbox
        .enqueue(generation, at(5), &[message("ops", A, 3), message("ops", A, 12), message("other", A, 1)], 0)
        .unwrap();
    incident(bench, A, &[(1, Opened), (6, Closed)]);
    incident(bench, B, &[(1, Opened), (4, Closed)]);
    fold(bench, 6);
    let news = outbox.news().unwrap().unwrap();
    let [changed] = news.incidents.as_slice() else { panic!("{news:?}") };
    assert_eq!((&*changed.incident.id.0, changed.incident.closed.map(|time| time.ms())), (A, Some(at(6).ms())));
    let told: Vec<_> = changed.told.iter().map(|(receiver, revision)| (receiver.as_str(), *revision)).collect();
    assert_eq!(told, [("ops", 12), ("other", 1)]);
    outbox.enqueue(generation, news.until, &[], 0).unwrap();
    assert_eq!(outbox.news().unwrap(), None);
    fold(bench, 7);
    assert_eq!(super::outbox::news(&mut *outbox), Some(vec![]));
}

fn a_long_time_is_told_step_by_step(bench: &Bench) {
    use IncidentChange::{Closed, Opened};
    let (_, generation) = bench.open();
    let mut outbox = bench.outbox();
    outbox.enqueue(generation, at(0), &[], 0).unwrap();
    incident(bench, A, &[(1, Opened), (10, Closed)]);
    incident(bench, B, &[(1, Opened), (70, Closed)]);
    fold(bench, 75);
    for (until, expected) in [(60, &[A, B][..]), (75, &[B])] {
        assert_eq!(outbox.news().unwrap().unwrap().until, at(until));
        assert_eq!(news(&mut *outbox).unwrap(), expected);
        outbox.enqueue(generation, at(until), &[], 0).unwrap();
    }
    assert_eq!(outbox.news().unwrap(), None);
}

fn what_is_under_maintenance_is_known(bench: &Bench) {
    bench.open();
    let time = |minute: i64| bench.time(at(minute).ms());
    for (from, to, isp) in [(1, 5, "over"), (1, 6, "now"), (5, 9, "too"), (6, 9, "later")] {
        bench.execute(&format!(
            "INSERT INTO maintenance_windows (from_ts, to_ts, cause_dimension, cause_value, author, text, written_at)
             VALUES ({}, {}, 'isp', '[\"{isp}\"]', 'a', 'b', {})",
            time(from),
            time(to),
            time(0)
        ));
    }
    fold(bench, 5);
    let maintained = bench.outbox().news().unwrap().unwrap().maintained;
    let values: Vec<&str> = maintained.iter().map(|cause| &*cause.value[0]).collect();
    assert_eq!(values, ["now", "too"]);
}

fn a_message_is_put_in_once(bench: &Bench) {
    let (_, generation) = bench.open();
    let (mut one, mut other) = (bench.outbox(), bench.outbox());
    let messages = [message("ops", A, 0), message("mail", A, 0)];
    assert_eq!(one.enqueue(generation, at(1), &messages, 7).unwrap(), Enqueued { queued: 2, left_off: 0 });
    assert_eq!(other.enqueue(generation, at(1), &messages, 8).unwrap(), Enqueued::default());
    let waiting = other.due(generation, "ops", 7, 100).unwrap();
    let [waiting] = waiting.as_slice() else { panic!("{waiting:?}") };
    assert_eq!((waiting.created_ms, waiting.attempts, &waiting.body), (7, 0, &messages[0].body));
    other.settle("ops", &ids(A, &[0]), &Attempted::Delivered { at_ms: 9 }).unwrap();
    assert_eq!(one.enqueue(generation, at(1), &messages, 10).unwrap(), Enqueued::default());
    assert_eq!(due(&mut *one, generation, "ops", 100), Vec::<String>::new());
    assert_eq!(due(&mut *one, generation, "mail", 100), ids(A, &[0]));
}

fn an_earlier_generation_puts_in_and_sends_nothing(bench: &Bench) {
    let (_, earlier) = bench.open();
    let mut outbox = bench.outbox();
    outbox.enqueue(earlier, at(1), &[message("ops", A, 0)], 0).unwrap();
    bench.connect().open(&log(), &Opening::default()).unwrap();
    let refused = [
        outbox.enqueue(earlier, at(2), &[message("ops", A, 1)], 0).unwrap_err(),
        outbox.due(earlier, "ops", 0, 1).unwrap_err(),
    ];
    for refused in refused {
        assert!(matches!(refused, StoreError::Fenced { .. }), "{refused}");
    }
    // What it has sent is sent.
    outbox.settle("ops", &ids(A, &[0]), &Attempted::Delivered { at_ms: 1 }).unwrap();
    let later = Generation(earlier.0 + 1);
    assert_eq!(due(&mut *outbox, later, "ops", 100), Vec::<String>::new());
    fold(bench, 2);
    assert_eq!(news(&mut *outbox), Some(vec![]), "it is told up to minute 1 only");
}

fn messages_are_due_in_the_order_of_their_incident(bench: &Bench) {
    let (_, generation) = bench.open();
    let mut outbox = bench.outbox();
    outbox.enqueue(generation, at(1), &[message("ops", B, 9)], 50).unwrap();
    outbox.enqueue(generation, at(2), &[message("ops", A, 2)], 60).unwrap();
    // The clock was set back.
    outbox.enqueue(generation, at(3), &[message("ops", B, 10)], 40).unwrap();
    let expected = [ids(B, &[9, 10]), ids(A, &[2])].concat();
    assert_eq!(due(&mut *outbox, generation, "ops", 100), expected);
    assert_eq!(outbox.due(generation, "ops", 100, 2).unwrap().len(), 2);
    assert_eq!(due(&mut *outbox, generation, "mail", 100), Vec::<String>::new());
}

fn a_message_that_failed_holds_up_its_incident_alone(bench: &Bench) {
    let (_, generation) = bench.open();
    let mut outbox = bench.outbox();
    let messages = [message("ops", A, 9), message("ops", A, 10), message("ops", B, 0)];
    outbox.enqueue(generation, at(1), &messages, 10).unwrap();
    outbox.settle("ops", &ids(A, &[9]), &Attempted::Failed { due_ms: 70, error: "away\0".to_owned() }).unwrap();
    assert_eq!(due(&mut *outbox, generation, "ops", 69), ids(B, &[0]));
    assert_eq!(due(&mut *outbox, generation, "ops", 70), [ids(A, &[9, 10]), ids(B, &[0])].concat());
    assert_eq!(outbox.due(generation, "ops", 70, 1).unwrap()[0].attempts, 1);
    let [counts] = outbox.counts().unwrap().try_into().unwrap();
    assert_eq!((counts.waiting, counts.oldest_waiting_ms), (3, Some(10)));
    assert_eq!(counts.last_error.as_deref(), Some("away\u{FFFD}"));
}

fn what_was_given_up_counts_as_not_told(bench: &Bench) {
    let (_, generation) = bench.open();
    let mut outbox = bench.outbox();
    outbox.enqueue(generation, at(1), &[message("ops", A, 0)], 10).unwrap();
    outbox.enqueue(generation, at(1), &[message("ops", B, 0)], 20).unwrap();
    assert_eq!(outbox.give_up("ops", 20, 99).unwrap(), 1);
    assert_eq!(outbox.give_up("ops", 20, 99).unwrap(), 0);
    assert_eq!(due(&mut *outbox, generation, "ops", 100), ids(B, &[0]));
    let expected = OutboxCounts {
        receiver: "ops".to_owned(),
        waiting: 1,
        oldest_waiting_ms: Some(20),
        given_up: 1,
        ..OutboxCounts::default()
    };
    assert_eq!(outbox.counts().unwrap(), [expected]);
    incident(bench, A, &[(1, IncidentChange::Opened)]);
    fold(bench, 2);
    let news = outbox.news().unwrap().unwrap();
    assert!(news.incidents[0].told.is_empty(), "{news:?}");
}

fn more_than_may_wait_is_left_off(bench: &Bench) {
    let (_, generation) = bench.open();
    let mut outbox = bench.outbox();
    let messages: Vec<_> =
        (0..=MAX_WAITING_MESSAGES).map(|number| message("ops", &format!("{number:016x}"), 0)).collect();
    let done = outbox.enqueue(generation, at(1), &messages, 0).unwrap();
    assert_eq!(done, Enqueued { queued: MAX_WAITING_MESSAGES, left_off: 1 });
    let done = outbox.enqueue(generation, at(2), &[message("ops", A, 0), message("mail", A, 0)], 0).unwrap();
    assert_eq!(done, Enqueued { queued: 1, left_off: 1 });
}

fn what_stands_is_the_newest_of_each_open_incident(bench: &Bench) {
    use IncidentChange::{Closed, Opened, Severity as Worse};
    let (_, generation) = bench.open();
    let mut outbox = bench.outbox();
    let mut put_in = |messages: &[QueuedMessage]| outbox.enqueue(generation, at(1), messages, 0).unwrap();
    incident(bench, A, &[(1, Opened), (2, Worse)]);
    incident(bench, B, &[(1, Opened)]);
    put_in(&[message("ops", A, 2), message("ops", A, 10), message("ops", B, 0), message("dev", B, 0)]);
    let standing = |outbox: &mut dyn Outbox, receiver| -> Vec<String> {
        outbox.standing(generation, receiver).unwrap().into_iter().map(|message| message.id).collect()
    };
    let delivered = |outbox: &mut dyn Outbox, ids: Vec<String>| {
        outbox.settle("ops", &ids, &Attempted::Delivered { at_ms: 5 }).unwrap();
    };
    assert!(standing(&mut *outbox, "ops").is_empty(), "nothing was sent");
    delivered(&mut *outbox, [ids(A, &[2]), ids(B, &[0])].concat());
    assert_eq!(standing(&mut *outbox, "ops"), ids(B, &[0]), "a newer one of the other waits");
    delivered(&mut *outbox, ids(A, &[10]));
    assert_eq!(standing(&mut *outbox, "ops"), [ids(A, &[10]), ids(B, &[0])].concat());
    assert!(standing(&mut *outbox, "dev").is_empty(), "another receiver's are its own");
    assert_eq!(outbox.standing(generation, "ops").unwrap()[1].body, message("ops", B, 0).body);

    outbox.enqueue(generation, at(1), &[message("ops", A, 11)], 0).unwrap();
    assert_eq!(outbox.give_up("ops", 10, 10).unwrap(), 1);
    assert_eq!(standing(&mut *outbox, "ops"), [ids(A, &[10]), ids(B, &[0])].concat(), "what was given up is not known");
    incident(bench, B, &[(1, Opened), (4, Closed)]);
    assert_eq!(standing(&mut *outbox, "ops"), ids(A, &[10]), "what is over stands no more");
    let (_, later) = bench.open();
    assert!(matches!(outbox.standing(generation, "ops"), Err(StoreError::Fenced { .. })));
    assert_eq!(outbox.standing(later, "ops").unwrap().len(), 1);
}

fn old_messages_are_forgotten_unless_their_incident_is_open(bench: &Bench) {
    let (_, generation) = bench.open();
    let mut outbox = bench.outbox();
    let messages: Vec<_> = (0..1_500).map(|revision| message("ops", A, revision)).collect();
    outbox.enqueue(generation, at(1), &messages, 0).unwrap();
    let all = ids(A, &(0..1_500).collect::<Vec<_>>());
    outbox.settle("ops", &all, &Attempted::Delivered { at_ms: 10 }).unwrap();
    outbox.enqueue(generation, at(1), &[message("ops", B, 0), message("ops", B, 1)], 0).unwrap();
    outbox.settle("ops", &ids(B, &[0]), &Attempted::Delivered { at_ms: 20 }).unwrap();
    incident(bench, A, &[(1, IncidentChange::Opened)]);
    assert_eq!(outbox.forget(20).unwrap(), 0);
    incident(bench, A, &[(1, IncidentChange::Opened), (2, IncidentChange::Closed)]);
    assert_eq!(outbox.forget(20).unwrap(), 1_500);
    let [counts] = outbox.counts().unwrap().try_into().unwrap();
    assert_eq!((counts.delivered, counts.waiting), (1, 1));
}

fn a_content_that_is_not_ours_is_named(bench: &Bench) {
    bench.open();
    incident(bench, A, &[(1, IncidentChange::Opened)]);
    fold(bench, 2);
    bench.execute("UPDATE incidents SET label = 'slow'");
    let error = bench.outbox().news().unwrap_err();
    assert!(matches!(error, StoreError::Content { .. }) && error.to_string().contains("label = slow"), "{error}");
}
