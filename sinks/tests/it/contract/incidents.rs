//! What readers find of incidents, silence and planned faults, and what people write. Rows are put in by SQL, so that reading is
//! tested apart from what writes them.

use std::sync::Arc;

use netqoe_model::{
    Cause, Dimension, Incident, IncidentChange, IncidentId, IncidentMember, IncidentRevision, IncidentState, Label,
    LogTime, PairTally, Severity, TagValue, Unmeasured, Weight, WindowStart,
};
use netqoe_sinks::read::{
    Acknowledgement, IncidentFilter, IncidentPosition, IncidentQuery, IncidentRecord, Incidents, MaintenancePosition,
    Page, Paged, Pair, ReadError, Reader, UnmeasuredFilter,
};
use netqoe_sinks::{AnnotationError, Annotations, MAX_MAINTENANCE_WINDOWS, MAX_NOTES, NewMaintenanceWindow, NewNote};

use crate::contract::bench::Bench;
use crate::contract::make::{MINUTE_MS, YEAR_2026_MS, commit, labels, row};

for_each_store!(
    an_incident_comes_back_as_it_was_written,
    each_filter_finds_what_it_says,
    pages_show_each_incident_once,
    what_was_known_is_found,
    what_was_known_is_filtered_and_paged,
    the_gravest_come_first,
    revisions_and_members_come_in_order,
    silence_is_read_by_client_and_target,
    incidents_and_silence_are_found_by_the_labels_of_their_pairs,
    the_last_that_was_over_and_the_tally_are_found,
    a_note_is_kept_and_the_first_acknowledgement_counts,
    notes_and_windows_are_bounded,
    planned_faults_are_kept_found_and_taken_back,
    hostile_names_find_nothing,
);

/// Minutes of 2026.
fn at(minute: i64) -> i64 {
    YEAR_2026_MS + minute * MINUTE_MS
}

fn window(minute: i64) -> WindowStart {
    WindowStart::from_ms(at(minute))
}

fn cause(dimension: Dimension, value: &[&str]) -> Cause {
    Cause { dimension, value: value.iter().map(|&text| text.into()).collect() }
}

/// One whose every column says something of its own.
fn incident(id: &str, opened: i64) -> Incident {
    Incident {
        id: IncidentId(id.into()),
        label: Label::ServerBound,
        cause: cause(Dimension::IspTarget, &["isp \"a\"", "https://x/"]),
        state: IncidentState::Open,
        withdrawn_because: None,
        opened: window(opened),
        detected: LogTime::from_ms(at(opened + 2)),
        named: LogTime::from_ms(at(opened + 3)),
        last: window(opened + 4),
        closed: None,
        severity: Severity::Major,
        peak_severity: Severity::Critical,
        at_first: Weight { degraded: 3, healthy: 1 },
        now: Weight { degraded: 12, healthy: 2 },
        pairs: 14,
        clients: 13,
        targets: 2,
        revision: 5,
        as_of: window(opened + 5),
    }
}

fn closed(state: IncidentState, incident: Incident) -> Incident {
    let closed = Some(LogTime::from_ms(incident.last.ms() + MINUTE_MS));
    let withdrawn_because = (state == IncidentState::Withdrawn).then(|| Arc::from("it was a part of another"));
    Incident { state, closed, withdrawn_because, ..incident }
}

/// An empty store with tables, and a way into them.
struct Filled<'a> {
    bench: &'a Bench,
    reader: Box<dyn Reader>,
}

impl<'a> Filled<'a> {
    fn new(bench: &'a Bench) -> Self {
        drop(bench.open());
        Self { bench, reader: bench.reader() }
    }

    fn insert(&self, table: &str, values: &[String]) {
        self.bench.execute(&format!("INSERT INTO {table} VALUES ({})", values.join(", ")));
    }

    fn incident(&self, incident: &Incident) {
        let time = |ms| self.bench.time(ms);
        let some = |value: Option<String>| value.unwrap_or_else(|| "NULL".to_owned());
        let Incident { at_first, now, .. } = incident;
        let counts = [at_first.degraded, at_first.healthy, now.degraded, now.healthy, incident.pairs, incident.clients];
        let [id, label, dimension, value] =
            [&*incident.id.0, incident.label.as_str(), incident.cause.dimension.as_str(), &json(&incident.cause)]
                .map(text);
        let mut values = vec![id, label, dimension, value, text(incident.state.as_str())];
        values.push(some(incident.withdrawn_because.as_deref().map(text)));
        values
            .extend([incident.opened.ms(), incident.detected.ms(), incident.named.ms(), incident.last.ms()].map(time));
        values.push(some(incident.closed.map(|closed| time(closed.ms()))));
        values.extend([incident.severity, incident.peak_severity].map(|severity| text(severity.as_str())));
        values.extend(counts.iter().chain([&incident.targets, &incident.revision]).map(u32::to_string));
        values.extend([time(incident.as_of.ms()), time(1)]);
        self.insert("incidents", &values);
    }

    fn member(&self, id: &str, client_id: &str, target: &str) {
        let [since, until] = [at(1), at(2)].map(|ms| self.bench.time(ms));
        self.insert(
            "incident_members",
            &[text(id), text(client_id), text(target), since, until, text(Severity::Minor.as_str())],
        );
    }

    fn ask<T>(&self, question: impl FnOnce(&dyn Incidents) -> Result<T, ReadError>) -> T {
        self.reader.ask(|store| question(store.incidents)).unwrap()
    }

    fn ids(&self, filter: &IncidentFilter) -> Vec<String> {
        let query = IncidentQuery { filter: filter.clone(), page: Paged::default() };
        let found = self.ask(|store| store.incidents(&query)).items;
        let count = self.ask(|store| store.count(filter));
        assert_eq!(count, found.len() as u64);
        found.iter().map(|record| record.incident.id.to_string()).collect()
    }

    fn annotations(&self) -> Arc<dyn Annotations> {
        self.bench.annotations()
    }
}

fn text(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

fn json(cause: &Cause) -> String {
    serde_json::to_string(&cause.value).unwrap()
}

fn an_incident_comes_back_as_it_was_written(bench: &Bench) {
    let store = Filled::new(bench);
    let open = incident("0000000000000001", 10);
    let everything = Incident { cause: cause(Dimension::Everything, &[]), ..incident("0000000000000002", 5) };
    let withdrawn = closed(IncidentState::Withdrawn, everything);
    for incident in [&open, &withdrawn] {
        store.incident(incident);
        let expected = IncidentRecord { incident: incident.clone(), acknowledged: None };
        assert_eq!(store.ask(|store| store.incident(&incident.id.0)), Some(expected));
    }
    let found = store.ask(|store| store.incidents(&IncidentQuery::default()));
    let records = [open, withdrawn].map(|incident| IncidentRecord { incident, acknowledged: None });
    assert_eq!(found, Page { items: records.to_vec(), has_more: false });
    assert_eq!(store.ask(|store| store.incident("0000000000000003")), None);
}

fn each_filter_finds_what_it_says(bench: &Bench) {
    let store = Filled::new(bench);
    // Open from minute 10 on; over from 20 to 25; withdrawn from 30 to 35.
    let of_target = |id, opened| Incident { cause: cause(Dimension::Target, &["t"]), ..incident(id, opened) };
    store.incident(&Incident { label: Label::DnsBound, severity: Severity::Minor, ..incident("a", 10) });
    store.incident(&closed(IncidentState::Closed, of_target("b", 20)));
    store.incident(&closed(IncidentState::Withdrawn, of_target("c", 30)));
    for (id, client_id, target) in [("a", "me", "t"), ("a", "you", "u"), ("b", "you", "t")] {
        store.member(id, client_id, target);
    }
    let all = IncidentFilter::default;
    let names = |client_id: Option<&str>, target: Option<&str>| IncidentFilter {
        client_id: client_id.map(str::to_owned),
        target: target.map(str::to_owned),
        ..all()
    };
    let between = |from: i64, to: i64| IncidentFilter { from_ms: Some(at(from)), to_ms: Some(at(to)), ..all() };
    for (filter, expected) in [
        (all(), &["c", "b", "a"][..]),
        (IncidentFilter { state: Some(IncidentState::Open), ..all() }, &["a"]),
        (IncidentFilter { state: Some(IncidentState::Closed), ..all() }, &["b"]),
        (IncidentFilter { without_withdrawn: true, ..all() }, &["b", "a"]),
        (IncidentFilter { label: Some(Label::ServerBound), ..all() }, &["c", "b"]),
        (IncidentFilter { severity: Some(Severity::Minor), ..all() }, &["a"]),
        (IncidentFilter { dimension: Some(Dimension::Target.into()), ..all() }, &["c", "b"]),
        (names(Some("you"), None), &["b", "a"]),
        (names(None, Some("t")), &["b", "a"]),
        (names(Some("you"), Some("t")), &["b"]),
        (names(Some("nobody"), None), &[]),
        (between(0, 10), &[]),
        (between(0, 11), &["a"]),
        (between(24, 30), &["b", "a"]),
        (between(25, 30), &["a"]),
        (IncidentFilter { state: Some(IncidentState::Open), ..names(Some("me"), None) }, &["a"]),
        (IncidentFilter { from_ms: Some(i64::MAX), to_ms: Some(i64::MIN), ..all() }, &[]),
    ] {
        assert_eq!(store.ids(&filter), expected, "{filter:?}");
    }
}

/// What a revision says, written at a minute. One of a netqoe that corrected nothing has no incident.
fn revise(store: &Filled<'_>, minute: i64, change: IncidentChange, then: &Incident, is_kept: bool) {
    let some = |value: Option<String>| value.filter(|_| is_kept).unwrap_or_else(|| "NULL".to_owned());
    let [at, json] = [store.bench.time(at(minute)), serde_json::to_string(then).unwrap()];
    let [id, change, dimension, value, severity] = [
        &*then.id.0,
        change.as_str(),
        &then.cause.dimension_name().to_string(),
        &self::json(&then.cause),
        then.severity.as_str(),
    ]
    .map(text);
    let mut values = vec![id, then.revision.to_string(), at, change, dimension, value, severity];
    values.push(then.now.degraded.to_string());
    values.extend([then.state.as_str(), then.label.as_str()].map(|name| some(Some(text(name)))));
    values.push(some(then.closed.map(|closed| store.bench.time(closed.ms()))));
    values.extend(["NULL".to_owned(), some(Some(text(&json)))]);
    store.insert("incident_revisions", &values);
}

fn then(minute: i64) -> LogTime {
    LogTime::from_ms(at(minute))
}

fn what_was_known_is_found(bench: &Bench) {
    let store = Filled::new(bench);
    let numbered = |revision, incident: Incident| Incident { revision, ..incident };
    let first = numbered(0, Incident { severity: Severity::Minor, pairs: 3, ..incident("a", 10) });
    let worse = numbered(1, Incident { pairs: 9, ..incident("a", 10) });
    let over = numbered(2, closed(IncidentState::Closed, incident("a", 10)));
    let none = numbered(3, closed(IncidentState::Withdrawn, incident("a", 10)));
    store.incident(&none);
    revise(&store, 12, IncidentChange::Opened, &first, true);
    revise(&store, 14, IncidentChange::Severity, &worse, true);
    // A correction of a log time that looks had not come to, and an end that the next look showed.
    revise(&store, 40, IncidentChange::Closed, &over, true);
    revise(&store, 38, IncidentChange::Withdrawn, &none, true);
    let known = |minute| {
        let one = store.ask(|store| store.incident_then("a", then(minute))).map(|record| record.incident);
        let page = store.ask(|store| store.incidents_then(&IncidentQuery::default(), then(minute))).items;
        assert_eq!(page.into_iter().map(|record| record.incident).collect::<Vec<_>>(), Vec::from_iter(one.clone()));
        one
    };
    for (minute, expected) in [
        (11, None),
        (12, Some(&first)),
        (13, Some(&first)),
        (14, Some(&worse)),
        (39, Some(&worse)),
        (40, Some(&none)),
        (i64::MAX / 60_000 / 2, Some(&none)),
    ] {
        assert_eq!(known(minute).as_ref(), expected, "{minute}");
    }
    assert_eq!(store.ask(|store| store.incident_then("b", then(50))), None);
    // Whoever takes it up later has not done so then.
    let note = |minute: i64| {
        let [_, yes] = bench.flags();
        let at = bench.time(at(minute));
        bench.execute(&format!(
            "INSERT INTO incident_notes (incident, written_at, author, acknowledges, text)
             VALUES ('a', {at}, 'ann', {yes}, 'mine')"
        ));
    };
    note(20);
    let acknowledged = |minute| store.ask(|store| store.incident_then("a", then(minute))).unwrap().acknowledged;
    assert_eq!(acknowledged(19), None);
    assert_eq!(acknowledged(20), Some(Acknowledgement { at_ms: at(20), by: "ann".to_owned() }));
}

fn what_was_known_is_filtered_and_paged(bench: &Bench) {
    let store = Filled::new(bench);
    let of_target = |incident: Incident| Incident { cause: cause(Dimension::Target, &["t"]), ..incident };
    let is = |revision, incident: Incident| Incident { revision, ..incident };
    // Known as minor and of a target, then worse and of another cause; over since minute 30.
    let a = incident("a", 10);
    let minor = Incident { severity: Severity::Minor, label: Label::DnsBound, ..of_target(a.clone()) };
    revise(&store, 12, IncidentChange::Opened, &is(0, minor), true);
    revise(&store, 20, IncidentChange::Cause, &is(1, a.clone()), true);
    revise(&store, 30, IncidentChange::Closed, &is(2, closed(IncidentState::Closed, a.clone())), true);
    store.incident(&is(2, closed(IncidentState::Closed, a)));
    // One that no netqoe kept as it was known.
    let b = incident("b", 15);
    revise(&store, 16, IncidentChange::Opened, &is(0, b.clone()), false);
    revise(&store, 25, IncidentChange::Withdrawn, &is(1, closed(IncidentState::Withdrawn, b.clone())), false);
    let b = is(1, closed(IncidentState::Withdrawn, b));
    store.incident(&b);
    for (id, client_id) in [("a", "me"), ("b", "you")] {
        store.member(id, client_id, "t");
    }
    let all = IncidentFilter::default;
    let known = |filter: &IncidentFilter, minute: i64| -> String {
        let query = IncidentQuery { filter: filter.clone(), page: Paged::default() };
        let found = store.ask(|store| store.incidents_then(&query, then(minute))).items;
        found.iter().map(|record| record.incident.id.to_string()).collect::<Vec<_>>().join(" ")
    };
    let state = |state| IncidentFilter { state: Some(state), ..all() };
    for (filter, minute, expected) in [
        (all(), 11, ""),
        (all(), 12, "a"),
        (all(), 99, "b a"),
        (state(IncidentState::Open), 24, "b a"),
        (state(IncidentState::Open), 25, "a"),
        (state(IncidentState::Withdrawn), 25, "b"),
        (state(IncidentState::Closed), 29, ""),
        (state(IncidentState::Closed), 30, "a"),
        (IncidentFilter { without_withdrawn: true, ..all() }, 25, "a"),
        (IncidentFilter { severity: Some(Severity::Minor), ..all() }, 19, "a"),
        (IncidentFilter { severity: Some(Severity::Minor), ..all() }, 20, ""),
        (IncidentFilter { label: Some(Label::DnsBound), ..all() }, 19, "a"),
        (IncidentFilter { label: Some(Label::ServerBound), ..all() }, 20, "b a"),
        (IncidentFilter { dimension: Some(Dimension::Target.into()), ..all() }, 19, "a"),
        (IncidentFilter { dimension: Some(Dimension::Target.into()), ..all() }, 20, ""),
        (IncidentFilter { client_id: Some("me".to_owned()), ..all() }, 99, "a"),
        (IncidentFilter { client_id: Some("you".to_owned()), target: Some("u".to_owned()), ..all() }, 99, ""),
        (IncidentFilter { from_ms: Some(at(18)), ..all() }, 99, "b"),
        (IncidentFilter { from_ms: Some(at(18)), ..all() }, 29, "b a"),
        (IncidentFilter { from_ms: Some(at(50)), ..all() }, 99, ""),
        (IncidentFilter { to_ms: Some(at(15)), ..all() }, 99, "a"),
    ] {
        assert_eq!(known(&filter, minute), expected, "{minute} {filter:?}");
    }
    let composed = store.ask(|store| store.incident_then("b", then(20))).unwrap().incident;
    let expected = Incident {
        state: IncidentState::Open,
        closed: None,
        withdrawn_because: None,
        named: then(16),
        last: window(16),
        peak_severity: Severity::Major,
        revision: 0,
        as_of: window(16),
        ..b
    };
    assert_eq!(composed, expected);
    let page = |after: Option<IncidentPosition>| {
        let query = IncidentQuery { filter: all(), page: Paged { after, limit: 1 } };
        store.ask(|store| store.incidents_then(&query, then(99)))
    };
    let first = page(None);
    assert_eq!((&*first.items[0].incident.id.0, first.has_more), ("b", true));
    let second = page(Some(first.items[0].position()));
    assert_eq!((&*second.items[0].incident.id.0, second.has_more), ("a", false));
}

fn pages_show_each_incident_once(bench: &Bench) {
    let store = Filled::new(bench);
    let ids = ["a", "b", "c", "d", "e", "f", "g"];
    ids.iter().zip([3, 1, 2, 2, 2, 1, 4]).for_each(|(id, opened)| store.incident(&incident(id, opened)));
    let all = store.ids(&IncidentFilter::default());
    assert_eq!(all, ["g", "a", "e", "d", "c", "f", "b"]);
    for limit in 1..8 {
        let (mut seen, mut after) = (Vec::new(), None);
        loop {
            let query = IncidentQuery { page: Paged { after, limit }, ..IncidentQuery::default() };
            let page = store.ask(|store| store.incidents(&query));
            assert!(page.items.len() <= usize::from(limit));
            after = page.items.last().map(IncidentRecord::position);
            seen.extend(page.items.iter().map(|record| record.incident.id.to_string()));
            if !page.has_more {
                break;
            }
        }
        assert_eq!(seen, all);
    }
}

fn the_gravest_come_first(bench: &Bench) {
    let store = Filled::new(bench);
    let grave = |id, opened, severity, degraded| {
        let now = Weight { degraded, healthy: 0 };
        store.incident(&Incident { severity, now, ..incident(id, opened) });
    };
    grave("a", 5, Severity::Minor, 90);
    grave("b", 5, Severity::Critical, 3);
    grave("c", 4, Severity::Critical, 3);
    grave("d", 9, Severity::Critical, 4);
    grave("e", 4, Severity::Major, 99);
    let gravest = |limit| {
        let filter = IncidentFilter { state: Some(IncidentState::Open), ..IncidentFilter::default() };
        let found = store.ask(|store| store.gravest(&filter, limit));
        found.iter().map(|record| record.incident.id.to_string()).collect::<String>()
    };
    assert_eq!((gravest(10), gravest(2)), ("dcbea".to_owned(), "dc".to_owned()));
}

fn revisions_and_members_come_in_order(bench: &Bench) {
    let store = Filled::new(bench);
    store.incident(&incident("a", 1));
    for (revision, change) in IncidentChange::ALL.into_iter().enumerate() {
        let of_target = cause(Dimension::Target, &["t"]);
        let [value, at] = [text(&json(&of_target)), bench.time(at(revision as i64))];
        let [change, dimension, severity] = [change.as_str(), "target", "major"].map(text);
        let (revision, degraded) = (revision.to_string(), "7".to_owned());
        let mut values = vec![text("a"), revision, at, change, dimension, value, severity, degraded];
        values.extend(["NULL"; 5].map(str::to_owned));
        store.insert("incident_revisions", &values);
    }
    let revisions = store.ask(|store| store.revisions("a", 4));
    let expected = |revision: u32| IncidentRevision {
        incident: IncidentId("a".into()),
        revision,
        at: window(revision.into()),
        change: IncidentChange::ALL[revision as usize],
        cause: cause(Dimension::Target, &["t"]),
        severity: Severity::Major,
        degraded: 7,
        state: IncidentChange::ALL[revision as usize].leads_to(),
        because: None,
    };
    assert_eq!(revisions, [6, 5, 4, 3].map(expected));

    let pairs = [("c", "t"), ("c", "u"), ("d", "t"), ("é", "a")];
    pairs.iter().rev().for_each(|(client_id, target)| store.member("a", client_id, target));
    store.member("b", "c", "t");
    let after = Pair { client_id: "c".into(), target: "t".into() };
    let page = store.ask(|store| store.members("a", &Paged { after: Some(after), limit: 2 }));
    let member = |(client_id, target): (&str, &str)| IncidentMember {
        incident: IncidentId("a".into()),
        client_id: client_id.into(),
        target: target.into(),
        since: window(1),
        until: Some(window(2)),
        severity: Severity::Minor,
    };
    assert_eq!(page, Page { items: [pairs[1], pairs[2]].map(member).to_vec(), has_more: true });
    assert_eq!(store.ask(|store| store.members("a", &Paged::default())).items, pairs.map(member));
}

fn silence_is_read_by_client_and_target(bench: &Bench) {
    let store = Filled::new(bench);
    let pair = |client_id: &str, target: &str, isp: Option<&str>| Unmeasured {
        client_id: client_id.into(),
        target: target.into(),
        last: window(3),
        rhythm_ms: 90_000,
        isp: isp.map(Arc::from),
        site: None,
    };
    let pairs = [pair("a", "t", Some("isp")), pair("a", "u", None), pair("b", "t", None)];
    for Unmeasured { client_id, target, isp, .. } in pairs.iter().rev() {
        let isp = isp.as_deref().map_or("NULL".to_owned(), text);
        let last = bench.time(at(3));
        let rhythm = "90000".to_owned();
        store.insert("unmeasured", &[text(client_id), text(target), last, rhythm, isp, "NULL".to_owned()]);
    }
    let found = |client_id: Option<&str>, target: Option<&str>, page: &Paged<Pair>| {
        let [client_id, target] = [client_id, target].map(|name| name.map(str::to_owned));
        let filter = UnmeasuredFilter { client_id, target, ..UnmeasuredFilter::default() };
        store.ask(|store| store.unmeasured(&filter, page))
    };
    assert_eq!(found(None, None, &Paged::default()).items, pairs);
    assert_eq!(found(Some("a"), None, &Paged::default()).items, pairs[..2]);
    assert_eq!(found(None, Some("t"), &Paged::default()).items, [pairs[0].clone(), pairs[2].clone()]);
    assert_eq!(found(Some("b"), Some("u"), &Paged::default()).items, []);
    let after = Some(Pair { client_id: "a".into(), target: "t".into() });
    let page = found(None, None, &Paged { after, limit: 1 });
    assert_eq!(page, Page { items: vec![pairs[1].clone()], has_more: true });
}

/// Labels are those of the first window that a pair had with an incident, and of the newest one that was measured.
fn incidents_and_silence_are_found_by_the_labels_of_their_pairs(bench: &Bench) {
    let (mut rows_of, generation) = bench.open();
    let labelled = |client_id: &str, minute: i64, client: &str, target: &str| {
        let mut row = row(client_id, "t", at(minute), 1);
        row.window.tags = labels(client, target);
        row
    };
    let rows = vec![
        labelled("a", 0, r#"{"team":"old"}"#, "{}"),
        labelled("a", 1, r#"{"team":"core"}"#, r#"{"service":"shop"}"#),
        labelled("a", 2, r#"{"team":"edge"}"#, "{}"),
        labelled("b", 1, "{}", r#"{"service":"shop"}"#),
    ];
    rows_of.commit(generation, &[commit(0, 1, rows)]).unwrap();
    drop(rows_of);
    let store = Filled { bench, reader: bench.reader() };
    for (id, client_id, opened) in [("x", "a", 2), ("y", "b", 1), ("z", "unknown", 0)] {
        store.incident(&incident(id, opened));
        store.member(id, client_id, "t");
        let (last, rhythm) = (bench.time(at(1)), "90000".to_owned());
        store.insert("unmeasured", &[text(client_id), text("t"), last, rhythm, "NULL".into(), "NULL".into()]);
    }
    let both = ["client.team=core", "target.service=shop"];
    for (asked, ids, clients) in [
        (&[][..], &["x", "y", "z"][..], &["a", "b", "unknown"][..]),
        (&both[1..], &["x", "y"], &["a", "b"]),
        (&both, &["x"], &["a"]),
        (&["client.team=old"], &[], &[]),
        (&["client.team=edge"], &[], &[]),
    ] {
        let tags: Vec<_> = asked.iter().map(|text| TagValue::parse(text).unwrap()).collect();
        let filter = IncidentFilter { tags: tags.clone(), ..IncidentFilter::default() };
        assert_eq!(store.ids(&filter), ids, "{asked:?}");
        assert_eq!(store.ask(|store| store.gravest(&filter, 9)).len(), ids.len(), "{asked:?}");
        let of_b = IncidentFilter { client_id: Some("b".to_owned()), ..filter };
        assert_eq!(store.ids(&of_b), ids.iter().filter(|id| **id == "y").copied().collect::<Vec<_>>(), "{asked:?}");
        let filter = UnmeasuredFilter { tags, ..UnmeasuredFilter::default() };
        let silent = store.ask(|store| store.unmeasured(&filter, &Paged::default())).items;
        assert_eq!(silent.iter().map(|pair| &*pair.client_id).collect::<Vec<_>>(), clients, "{asked:?}");
    }
}

fn the_last_that_was_over_and_the_tally_are_found(bench: &Bench) {
    let store = Filled::new(bench);
    assert_eq!((store.ask(|store| store.last_closed(None)), store.ask(|store| store.tally())), (None, None));
    store.incident(&incident("a", 50));
    store.incident(&closed(IncidentState::Closed, incident("b", 10)));
    store.incident(&closed(IncidentState::Closed, incident("c", 20)));
    store.incident(&closed(IncidentState::Withdrawn, incident("d", 30)));
    let last =
        |until: Option<i64>| store.ask(|store| store.last_closed(until.map(|minute| LogTime::from_ms(at(minute)))));
    assert_eq!(last(None), Some(LogTime::from_ms(at(25))));
    assert_eq!(
        [24, 15, 14].map(|minute| last(Some(minute))),
        [Some(15), Some(15), None].map(|minute| minute.map(|minute| LogTime::from_ms(at(minute))))
    );

    let counts = ["1", "2", "3", "4", "0"].map(str::to_owned);
    store.insert(
        "fleet",
        &[&["1".to_owned(), bench.time(at(7)), "NULL".to_owned(), "NULL".to_owned()][..], &counts].concat(),
    );
    let tally = PairTally { degraded: 1, healthy: 2, unjudged: 3, unmeasured: 4 };
    assert_eq!(store.ask(|store| store.tally()), Some((window(7), tally)));
}

fn note(incident: &str, acknowledges: bool, text: &str) -> NewNote {
    NewNote { incident: incident.to_owned(), at_ms: at(9), by: "é".to_owned(), acknowledges, text: text.to_owned() }
}

fn a_note_is_kept_and_the_first_acknowledgement_counts(bench: &Bench) {
    let store = Filled::new(bench);
    let annotations = store.annotations();
    ["a", "b"].into_iter().for_each(|id| store.incident(&incident(id, 1)));
    let first = annotations.add_note(note("a", false, "'; DROP TABLE incidents; --\n🦀")).unwrap();
    let taken = annotations.add_note(NewNote { by: "me".to_owned(), ..note("a", true, "") }).unwrap();
    let again = annotations.add_note(NewNote { at_ms: at(20), ..note("a", true, "") }).unwrap();
    assert_eq!((first.at_ms, &*first.by, &*first.text), (at(9), "é", "'; DROP TABLE incidents; --\n🦀"));
    assert_eq!(store.ask(|store| store.notes("a", 2)), [again, taken]);
    assert_eq!(store.ask(|store| store.notes("b", 2)), []);
    let acknowledged = |id: &str| store.ask(|store| store.incident(id)).unwrap().acknowledged;
    assert_eq!(acknowledged("a"), Some(Acknowledgement { at_ms: at(9), by: "me".to_owned() }));
    assert_eq!(acknowledged("b"), None);
    for unknown in ["c", "", "a\0"] {
        let refused = annotations.add_note(note(unknown, false, "x"));
        assert!(matches!(refused, Err(AnnotationError::NoSuchIncident)), "{unknown:?}: {refused:?}");
    }
    // A new generation, as a replay opens it, leaves them alone.
    drop(bench.open());
    assert_eq!(store.ask(|store| store.notes("a", 9)).len(), 3);
}

fn planned(from: i64, to: i64, value: &str) -> NewMaintenanceWindow {
    NewMaintenanceWindow {
        from_ms: at(from),
        to_ms: at(to),
        cause: cause(Dimension::Target, &[value]),
        by: "me".to_owned(),
        text: "new \"cable\"".to_owned(),
        at_ms: at(0),
    }
}

fn notes_and_windows_are_bounded(bench: &Bench) {
    let store = Filled::new(bench);
    let annotations = store.annotations();
    ["a", "b"].into_iter().for_each(|id| store.incident(&incident(id, 1)));
    let many = |count: u16, columns: &str, values: &str| {
        let numbers = format!("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count})");
        bench.execute(&format!("INSERT INTO {columns} {numbers} SELECT {values} FROM n"));
    };
    let [time, soon] = [at(1), at(2)].map(|ms| bench.time(ms));
    let notes = "incident_notes (incident, written_at, author, acknowledges, text)";
    many(MAX_NOTES - 1, notes, &format!("'a', {time}, 'x', FALSE, 'x'"));
    annotations.add_note(note("a", false, "the last")).unwrap();
    let refused = annotations.add_note(note("a", false, "one more"));
    assert!(matches!(refused, Err(AnnotationError::TooMany { limit: MAX_NOTES, .. })), "{refused:?}");
    annotations.add_note(note("b", false, "of another")).unwrap();

    let windows = "maintenance_windows (from_ts, to_ts, cause_dimension, cause_value, author, text, written_at)";
    many(MAX_MAINTENANCE_WINDOWS - 1, windows, &format!("{time}, {soon}, 'everything', '[]', 'x', 'x', {time}"));
    let last = annotations.add_maintenance(planned(1, 2, "t")).unwrap();
    let refused = annotations.add_maintenance(planned(1, 2, "t"));
    assert!(matches!(refused, Err(AnnotationError::TooMany { limit: MAX_MAINTENANCE_WINDOWS, .. })), "{refused:?}");
    assert!(annotations.remove_maintenance(last.id).unwrap());
    annotations.add_maintenance(planned(1, 2, "t")).unwrap();
    // Those that are over do not count.
    annotations.add_maintenance(NewMaintenanceWindow { at_ms: at(2), ..planned(3, 4, "t") }).unwrap();
}

fn planned_faults_are_kept_found_and_taken_back(bench: &Bench) {
    let store = Filled::new(bench);
    let annotations = store.annotations();
    let [a, b, c] = [(10, 20, "a"), (15, 30, "b"), (10, 12, "c")]
        .map(|(from, to, value)| annotations.add_maintenance(planned(from, to, value)).unwrap());
    assert_eq!((&*a.author, &*a.text, a.written_at_ms), ("me", "new \"cable\"", at(0)));
    let page =
        |after: Option<MaintenancePosition>, limit| store.ask(|store| store.maintenance(&Paged { after, limit }));
    assert_eq!(page(None, 2), Page { items: vec![b.clone(), c.clone()], has_more: true });
    let after = MaintenancePosition { from_ms: c.from_ms, id: c.id };
    assert_eq!(page(Some(after), 2), Page { items: vec![a.clone()], has_more: false });
    let within = |from, to| store.ask(|store| store.maintenance_within([at(from), at(to)], 9));
    assert_eq!(within(0, 10), []);
    assert_eq!(within(0, 11), [a.clone(), c.clone()]);
    assert_eq!(within(12, 16), [b.clone(), a.clone()]);
    assert_eq!(within(30, 40), []);
    assert_eq!([a.id, a.id].map(|id| annotations.remove_maintenance(id).unwrap()), [true, false]);
    // A number is not given twice: who takes one back twice takes back nobody else's.
    assert!(annotations.remove_maintenance(c.id).unwrap());
    assert!(![a.id, b.id, c.id].contains(&annotations.add_maintenance(planned(1, 2, "d")).unwrap().id));
}

fn hostile_names_find_nothing(bench: &Bench) {
    let store = Filled::new(bench);
    store.incident(&incident("a", 1));
    store.member("a", "c", "t");
    for name in ["c\0", "\0", "'; --", &"x".repeat(5_000)] {
        let some = Some(name.to_owned());
        let filter = IncidentFilter { client_id: some.clone(), ..IncidentFilter::default() };
        assert!(store.ids(&filter).is_empty(), "{name:?}");
        assert_eq!(store.ask(|store| store.incident(name)), None);
        let filter = UnmeasuredFilter { client_id: some.clone(), ..UnmeasuredFilter::default() };
        assert_eq!(store.ask(|store| store.unmeasured(&filter, &Paged::default())).items, []);
        let after = Pair { client_id: name.into(), target: name.into() };
        store.ask(|store| store.members("a", &Paged { after: Some(after), limit: 1 }));
        let after = IncidentPosition { opened: WindowStart::from_ms(i64::MIN), id: name.to_owned() };
        let query = IncidentQuery { page: Paged { after: Some(after), limit: 1 }, ..IncidentQuery::default() };
        assert_eq!(store.ask(|store| store.incidents(&query)).items, []);
    }
    assert_eq!(store.ask(|store| store.incident("a\0")), None);
    assert_eq!(store.ask(|store| store.members("a\0", &Paged::default())).items, []);
}
