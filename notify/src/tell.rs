//! What is told to whom: from what is new in the store to messages. Pure, and the same in every process that decides it.

use netqoe_model::{Cause, IncidentRevision, IncidentState};
use netqoe_sinks::outbox::{ChangedIncident, News, QueuedMessage};

use crate::message::{Message, MessageEvent};
use crate::route::{Route, leads_to};

/// Windows that an incident must have stood for before it is told: one that goes by itself within them disturbs nobody.
const WINDOWS_BEFORE_TOLD: i64 = 2;

/// The messages to these receivers, in the order of incidents and receivers.
pub fn messages(news: &News, receivers: &[&str], routes: &[Route], window_ms: i64) -> Vec<QueuedMessage> {
    let told_from_ms = news.until.ms().saturating_sub(WINDOWS_BEFORE_TOLD.saturating_mul(window_ms));
    let mut queued = Vec::new();
    for changed in &news.incidents {
        let held = is_held(&news.maintained, changed);
        for receiver in receivers {
            let message = match changed.told.get(*receiver) {
                Some(revision) => next(changed, *revision, held),
                None => first(changed, told_from_ms, held).filter(|message| {
                    leads_to(routes, receiver, message.label, message.severity, newest_cause(changed))
                }),
            };
            queued.extend(message.map(|message| queue(receiver, &message)));
        }
    }
    queued
}

fn queue(receiver: &str, message: &Message) -> QueuedMessage {
    // Texts and numbers become JSON always.
    let body = serde_json::to_string(message).unwrap_or_default();
    QueuedMessage {
        receiver: receiver.to_owned(),
        incident: message.incident.clone(),
        revision: message.revision,
        body,
    }
}

fn is_held(maintained: &[Cause], changed: &ChangedIncident) -> bool {
    maintained.iter().any(|window| window.includes(newest_cause(changed)))
}

/// The cause, whole: what a message has may be cut.
fn newest_cause(changed: &ChangedIncident) -> &Cause {
    changed.revisions.last().map_or(&changed.incident.cause, |revision| &revision.cause)
}

/// What somebody is told who has heard nothing of an incident: that it is there, once it has stood for long enough. One that is
/// over or withdrawn by then is not told.
fn first(changed: &ChangedIncident, told_from_ms: i64, held: bool) -> Option<Message> {
    let (oldest, newest) = (changed.revisions.first()?, changed.revisions.last()?);
    let has_stood = oldest.at.ms() <= told_from_ms;
    let is_told = changed.incident.state == IncidentState::Open && has_stood && !held;
    is_told.then(|| Message::of(&changed.incident, newest, None, MessageEvent::Opened))
}

/// What somebody is told next who knows an incident as of a revision. Its end is told in a maintenance window too: somebody may
/// be waiting for it. One that has been told as it stands is not told again, however often it was corrected.
fn next(changed: &ChangedIncident, known: u32, held: bool) -> Option<Message> {
    let incident = &changed.incident;
    let known_as = changed.revisions.iter().find(|revision| revision.revision == known);
    let newest = changed.revisions.last().filter(|newest| newest.revision > known)?;
    let is_known_to_be = |state| known_as.is_some_and(|known| known.state == state);
    let differs = known_as.is_none_or(|known| known.severity != newest.severity || known.cause != newest.cause);
    match incident.state {
        IncidentState::Open if held => None,
        IncidentState::Open if is_known_to_be(IncidentState::Closed) || is_known_to_be(IncidentState::Withdrawn) => {
            Some(Message::of(incident, newest, None, MessageEvent::Opened))
        }
        IncidentState::Open => differs.then(|| Message::of(incident, newest, known_as, MessageEvent::Changed)),
        IncidentState::Closed if is_known_to_be(IncidentState::Closed) && !differs => None,
        IncidentState::Closed => ended(changed, known, known_as, MessageEvent::Closed),
        IncidentState::Withdrawn if is_known_to_be(IncidentState::Withdrawn) => None,
        IncidentState::Withdrawn => ended(changed, known, known_as, MessageEvent::Withdrawn),
    }
}

fn ended(
    changed: &ChangedIncident,
    known: u32,
    known_as: Option<&IncidentRevision>,
    event: MessageEvent,
) -> Option<Message> {
    let mut newer = changed.revisions.iter().rev().take_while(|revision| revision.revision > known);
    let end = newer.find(|revision| revision.state == changed.incident.state)?;
    Some(Message::of(&changed.incident, end, known_as, event))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use netqoe_model::{
        Cause, Dimension, Incident, IncidentChange, IncidentId, IncidentRevision, Label, LogTime, Severity, Weight,
        WindowStart,
    };
    use netqoe_sinks::outbox::message_id;

    use super::*;

    const MINUTE_MS: i64 = 60_000;

    /// At which minute, what changed, the severity after it, and the provider after it. After a correction it stands as the
    /// incident does.
    type Change = (i64, IncidentChange, Severity, &'static str);

    fn incident(state: IncidentState, changes: &[Change]) -> ChangedIncident {
        let id = IncidentId("00000000000000aa".into());
        let cause = |isp: &str| Cause { dimension: Dimension::Isp, value: vec![isp.into()] };
        let revisions: Vec<IncidentRevision> = (0..)
            .zip(changes)
            .map(|(revision, (minute, change, severity, isp))| IncidentRevision {
                incident: id.clone(),
                revision,
                at: WindowStart::from_ms(minute * MINUTE_MS),
                change: *change,
                cause: cause(isp),
                severity: *severity,
                degraded: 5,
                state: if *change == Corrected { state } else { change.leads_to() },
                because: None,
            })
            .collect();
        let newest = revisions.last().unwrap();
        let incident = Incident {
            id,
            label: Label::DnsBound,
            cause: newest.cause.clone(),
            state,
            withdrawn_because: (state == IncidentState::Withdrawn).then(|| "its events were deleted".into()),
            opened: WindowStart::from_ms(0),
            detected: LogTime::from_ms(MINUTE_MS),
            named: LogTime::from_ms(MINUTE_MS),
            last: newest.at,
            closed: (state != IncidentState::Open).then(|| LogTime::from_ms(newest.at.ms())),
            severity: newest.severity,
            peak_severity: newest.severity,
            at_first: Weight::default(),
            now: Weight::default(),
            pairs: 6,
            clients: 3,
            targets: 2,
            revision: newest.revision,
            as_of: newest.at,
        };
        ChangedIncident { incident, revisions, told: BTreeMap::new() }
    }

    fn at(minute: i64, changed: ChangedIncident) -> News {
        News { until: WindowStart::from_ms(minute * MINUTE_MS), incidents: vec![changed], maintained: vec![] }
    }

    /// `expected`: the event and the revision that `ops` is told.
    #[track_caller]
    fn check(news: &News, expected: Option<(MessageEvent, u32)>) -> Option<Message> {
        let queued = messages(news, &["ops"], &[], MINUTE_MS);
        let told: Option<Message> = queued.first().map(|one| serde_json::from_str(&one.body).unwrap());
        assert_eq!(told.as_ref().map(|told| (told.event, told.revision)), expected, "{news:?}");
        if let Some(told) = &told {
            assert_eq!(told.id, message_id(&told.incident, told.revision));
        }
        told
    }

    fn told(mut changed: ChangedIncident, revision: u32) -> ChangedIncident {
        changed.told.insert("ops".to_owned(), revision);
        changed
    }

    use IncidentChange::{Absorbed, Cause as Moved, Closed, Corrected, Opened, Severity as Worse, Withdrawn};
    use IncidentState as State;
    use Severity::{Critical, Major, Minor};

    const OPENED: Change = (10, Opened, Minor, "a");

    #[test]
    fn an_incident_is_told_once_it_has_stood_for_two_windows() {
        check(&at(11, incident(State::Open, &[OPENED])), None);
        check(&at(12, incident(State::Open, &[OPENED])), Some((MessageEvent::Opened, 0)));
        let worse = incident(State::Open, &[OPENED, (11, Worse, Major, "a")]);
        let first = check(&at(12, worse), Some((MessageEvent::Opened, 1))).unwrap();
        assert_eq!((first.severity, first.previous_severity), (Major, None), "nobody has heard of another one");
    }

    #[test]
    fn what_is_over_before_is_never_told() {
        for (state, change) in [(State::Closed, Closed), (State::Withdrawn, Withdrawn)] {
            for minute in [11, 12, 100] {
                check(&at(minute, incident(state, &[OPENED, (11, change, Minor, "a")])), None);
            }
        }
    }

    #[test]
    fn changes_of_severity_and_cause_are_told_and_others_are_not() {
        let open = |changes: &[Change]| told(incident(State::Open, changes), 0);
        check(&at(12, open(&[OPENED])), None);
        check(&at(20, open(&[OPENED, (20, Absorbed, Minor, "a")])), None);
        let worse =
            check(&at(20, open(&[OPENED, (20, Worse, Critical, "a")])), Some((MessageEvent::Changed, 1))).unwrap();
        assert_eq!((worse.severity, worse.previous_severity, worse.previous_cause), (Critical, Some(Minor), None));
        let moved = check(&at(20, open(&[OPENED, (20, Moved, Minor, "b")])), Some((MessageEvent::Changed, 1))).unwrap();
        assert_eq!(moved.previous_cause.unwrap().value, ["a".into()]);
        // It was worse for a while, and nobody could be told.
        check(&at(22, open(&[OPENED, (20, Worse, Critical, "a"), (21, Worse, Minor, "a")])), None);
    }

    #[test]
    fn an_end_is_told_to_those_who_know_of_the_incident() {
        let closed = incident(State::Closed, &[OPENED, (11, Worse, Major, "a"), (30, Closed, Major, "a")]);
        check(&at(30, closed.clone()), None);
        check(&at(30, told(closed.clone(), 1)), Some((MessageEvent::Closed, 2)));
        check(&at(31, told(closed, 2)), None);
        let withdrawn = incident(State::Withdrawn, &[OPENED, (30, Withdrawn, Minor, "a")]);
        let correction = check(&at(30, told(withdrawn.clone(), 0)), Some((MessageEvent::Withdrawn, 1))).unwrap();
        assert!(correction.summary.starts_with("Withdrawn, as a correction: "), "{}", correction.summary);
        assert!(correction.summary.ends_with("its events were deleted"), "{}", correction.summary);
        check(&at(30, withdrawn), None);
        // It was told as closed, and later its evidence went.
        let both = incident(State::Withdrawn, &[OPENED, (30, Closed, Minor, "a"), (40, Withdrawn, Minor, "a")]);
        check(&at(40, told(both, 1)), Some((MessageEvent::Withdrawn, 2)));
    }

    #[test]
    fn a_correction_is_told_as_one_and_once() {
        let opened_and = |state, change: Change| told(incident(state, &[OPENED, change]), 0);
        let correction = |news: &News, expected| {
            let message = check(news, Some(expected)).unwrap();
            assert!(message.corrected && message.summary.to_lowercase().contains("as a correction"), "{message:?}");
            message
        };
        // It was open.
        let worse = opened_and(State::Open, (20, Corrected, Critical, "a"));
        correction(&at(20, worse.clone()), (MessageEvent::Changed, 1));
        check(&at(21, told(worse, 1)), None);
        check(&at(20, opened_and(State::Open, (20, Corrected, Minor, "a"))), None);
        correction(&at(20, opened_and(State::Closed, (20, Corrected, Minor, "a"))), (MessageEvent::Closed, 1));
        // It was over.
        let over = [OPENED, (15, Closed, Minor, "a")];
        let after = |state, change: Change| told(incident(state, &[over[0], over[1], change]), 1);
        let worse = after(State::Closed, (20, Corrected, Major, "a"));
        let message = correction(&at(20, worse.clone()), (MessageEvent::Closed, 2));
        assert_eq!((message.severity, message.previous_severity), (Major, Some(Minor)));
        check(&at(21, told(worse, 2)), None);
        check(&at(20, after(State::Closed, (20, Corrected, Minor, "a"))), None);
        correction(&at(20, after(State::Open, (20, Corrected, Minor, "a"))), (MessageEvent::Opened, 2));
        check(&at(20, after(State::Withdrawn, (20, Withdrawn, Minor, "a"))), Some((MessageEvent::Withdrawn, 2)));
        // Nobody has heard of it.
        check(&at(20, incident(State::Closed, &[(20, Opened, Minor, "a")])), None);
        check(&at(20, incident(State::Withdrawn, &[OPENED, (11, Withdrawn, Minor, "a")])), None);
    }

    #[test]
    fn what_was_corrected_twice_is_told_as_it_stands() {
        let [withdrawn, found] = [(20, Withdrawn, Minor, "a"), (30, Corrected, Minor, "a")];
        let both = |state, revision| told(incident(state, &[OPENED, withdrawn, found]), revision);
        check(&at(30, both(State::Closed, 1)), Some((MessageEvent::Closed, 2)));
        check(&at(30, both(State::Open, 1)), Some((MessageEvent::Opened, 2)));
        check(&at(30, both(State::Open, 0)), None);
        let again = incident(State::Withdrawn, &[OPENED, withdrawn, found, (40, Withdrawn, Minor, "a")]);
        check(&at(40, told(again, 1)), None);
    }

    #[test]
    fn nothing_but_an_end_is_told_in_a_maintenance_window() {
        let held = |news: News| News {
            maintained: vec![Cause { dimension: Dimension::Isp, value: vec!["a".into()] }],
            ..news
        };
        let open = || incident(State::Open, &[OPENED]);
        check(&held(at(12, open())), None);
        check(&at(50, open()), Some((MessageEvent::Opened, 0)));
        let worse = || told(incident(State::Open, &[OPENED, (20, Worse, Critical, "a")]), 0);
        check(&held(at(20, worse())), None);
        check(&at(50, worse()), Some((MessageEvent::Changed, 1)));
        let closed = told(incident(State::Closed, &[OPENED, (20, Closed, Minor, "a")]), 0);
        check(&held(at(20, closed)), Some((MessageEvent::Closed, 1)));
        let elsewhere = incident(State::Open, &[(10, Opened, Minor, "b")]);
        check(&held(at(12, elsewhere)), Some((MessageEvent::Opened, 0)));
    }

    #[test]
    fn a_route_counts_until_its_receiver_knows_of_the_incident() {
        let routes = [
            Route { receivers: vec!["all".to_owned()], ..Route::default() },
            Route { receivers: vec!["grave".to_owned()], severities: vec![Critical], ..Route::default() },
        ];
        let events = |news: &News| -> Vec<(String, MessageEvent, u32)> {
            let event = |body: &str| serde_json::from_str::<Message>(body).unwrap().event;
            let queued = messages(news, &["grave", "all"], &routes, MINUTE_MS);
            queued.into_iter().map(|one| (one.receiver, event(&one.body), one.revision)).collect()
        };
        let mut incident = incident(State::Open, &[OPENED, (20, Worse, Critical, "a"), (30, Worse, Minor, "a")]);
        let all = incident.revisions.clone();
        let mut until = |minute: i64, revisions: usize| {
            incident.revisions = all.get(..revisions).unwrap().to_vec();
            let told = events(&at(minute, incident.clone()));
            incident.told.extend(told.iter().map(|(receiver, _, revision)| (receiver.clone(), *revision)));
            told
        };
        assert_eq!(until(12, 1), [("all".to_owned(), MessageEvent::Opened, 0)]);
        let both = [("grave".to_owned(), MessageEvent::Opened, 1), ("all".to_owned(), MessageEvent::Changed, 1)];
        assert_eq!(until(20, 2), both);
        let both = [("grave".to_owned(), MessageEvent::Changed, 2), ("all".to_owned(), MessageEvent::Changed, 2)];
        assert_eq!(until(30, 3), both, "whoever was told that it is critical is told that it is so no more");
    }
}
