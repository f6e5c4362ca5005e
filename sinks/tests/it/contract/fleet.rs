//! Looks come back as they were written, and incidents stand in the store with the progress that they reflect.

use std::sync::Arc;

use netqoe_model::{
    Cause, Dimension, FleetChanges, Generation, Incident, IncidentChange, IncidentId, IncidentMember, IncidentRevision,
    IncidentState, Label, LogTime, Look, PairTally, Severity, Unmeasured, Weight, WindowStart,
};
use netqoe_sinks::{FleetCommit, FleetResume, Maintenance, OpenIncidents, Opening, Store, StoreError};

use crate::contract::bench::Bench;
use crate::contract::contents::{Cell, FLEET, INCIDENTS, LOOKS, MEMBERS, REVISIONS, Rows, Table, UNMEASURED};
use crate::contract::make::{MINUTE_MS, YEAR_2026_MS, commit, look, named_log};

for_each_store!(
    looks_come_back_in_order_and_by_whole_minutes,
    looks_that_a_state_reflects_are_deleted,
    what_is_found_stands_in_the_store_once,
    all_members_of_a_great_incident_are_written,
    the_last_of_a_commit_counts,
    an_earlier_generation_finds_nothing,
    incidents_are_found_anew,
    open_incidents_are_counted,
    a_file_brings_its_incidents_anew,
    incidents_that_are_over_go_with_their_time,
    damaged_looks_are_refused_in_one_line,
);

const TABLES: [&Table; 6] = [&LOOKS, &FLEET, &INCIDENTS, &MEMBERS, &REVISIONS, &UNMEASURED];

pub(crate) fn at(minute: i64) -> WindowStart {
    WindowStart::from_ms(YEAR_2026_MS + minute * MINUTE_MS)
}

fn contents(bench: &Bench) -> Vec<Rows> {
    let sorted = |mut rows: Rows| {
        rows.sort_by(|a, b| a.partial_cmp(b).unwrap());
        rows
    };
    TABLES.map(|table| sorted(bench.rows(table))).into()
}

/// Each partition passes so many minutes, and sees more pairs each time.
pub(crate) fn commit_looks(store: &mut dyn Store, generation: Generation, minutes: i64) -> Vec<Look> {
    let mut all = Vec::new();
    for minute in 1..=minutes {
        for partition in [11, 2] {
            let mut passing = commit(partition, minute.unsigned_abs(), vec![]);
            passing.looks.push(look(partition, at(minute).ms(), minute as usize));
            store.commit(generation, std::slice::from_ref(&passing)).unwrap();
            all.extend(passing.looks);
        }
    }
    all.sort_by_key(|look| (look.at, look.partition));
    all
}

fn looks_come_back_in_order_and_by_whole_minutes(bench: &Bench) {
    let (mut store, generation) = bench.open();
    assert_eq!(store.looks(None, at(9), 1 << 20).unwrap(), []);
    let all = commit_looks(&mut *store, generation, 4);
    let minutes = |from: i64, to: i64| -> Vec<Look> {
        all.iter().filter(|look| (at(from)..=at(to)).contains(&look.at)).cloned().collect()
    };
    let mut read = |after: Option<i64>, through, bytes| store.looks(after.map(at), at(through), bytes).unwrap();
    assert_eq!(read(None, 9, 1 << 20), all);
    assert_eq!(read(Some(1), 3, 1 << 20), minutes(2, 3));
    assert_eq!(read(None, 9, 0), minutes(1, 1), "a minute at least");
    assert_eq!(read(Some(4), 9, 1 << 20), []);
    let of_two: usize = minutes(1, 2).iter().map(|look| look.sightings_to_bytes().len()).sum();
    assert_eq!(read(None, 9, of_two - 1), minutes(1, 2));
    assert_eq!(read(None, 9, of_two), minutes(1, 3), "until there are more bytes");
    // What is committed again is the same look.
    commit_looks(&mut *store, generation, 2);
    assert_eq!(store.looks(None, at(9), 1 << 20).unwrap(), all);
}

fn looks_that_a_state_reflects_are_deleted(bench: &Bench) {
    let (mut store, generation) = bench.open();
    assert_eq!(store.resume_fleet(generation).unwrap(), FleetResume::default());
    let all = commit_looks(&mut *store, generation, 4);
    let through = |minute| FleetCommit { through: at(minute), ..FleetCommit::default() };
    store.commit_fleet(generation, &through(2)).unwrap();
    assert_eq!(store.resume_fleet(generation).unwrap(), FleetResume { through: Some(at(2)), ..FleetResume::default() });
    assert_eq!(store.looks(None, at(9), 1 << 20).unwrap(), all, "a start needs all of them");
    let state = Some((at(2), b"state\0\xFF".to_vec()));
    store.commit_fleet(generation, &FleetCommit { state: state.clone(), ..through(3) }).unwrap();
    store.commit_fleet(generation, &through(4)).unwrap();
    assert_eq!(
        store.resume_fleet(generation).unwrap(),
        FleetResume { through: Some(at(4)), state, ..FleetResume::default() }
    );
    assert_eq!(store.looks(None, at(9), 1 << 20).unwrap(), all[4..]);
}

fn cause(values: &[&str]) -> Cause {
    let dimension = [Dimension::Everything, Dimension::Isp, Dimension::IspTarget][values.len()];
    Cause { dimension, value: values.iter().map(|value| Arc::from(*value)).collect() }
}

/// An incident whose every figure says something of its own.
pub(crate) fn incident(id: &str, state: IncidentState) -> Incident {
    Incident {
        id: IncidentId(id.into()),
        label: Label::DnsBound,
        cause: cause(&["A \"quoted\" isp", "täŕget"]),
        state,
        withdrawn_because: (state == IncidentState::Withdrawn).then(|| "events were deleted".into()),
        opened: at(1),
        detected: LogTime::from_ms(at(2).ms()),
        named: LogTime::from_ms(at(3).ms()),
        last: at(4),
        closed: (state != IncidentState::Open).then(|| LogTime::from_ms(at(5).ms())),
        severity: Severity::Minor,
        peak_severity: Severity::Critical,
        at_first: Weight { degraded: 1, healthy: 2 },
        now: Weight { degraded: 3, healthy: 4 },
        pairs: 5,
        clients: 6,
        targets: 7,
        revision: 8,
        as_of: at(9),
    }
}

pub(crate) fn member(incident: &str, client_id: &str, until: i64) -> IncidentMember {
    let (client_id, target) = (client_id.into(), "x".into());
    IncidentMember {
        incident: IncidentId(incident.into()),
        client_id,
        target,
        since: at(1),
        until: Some(at(until)),
        severity: Severity::Major,
    }
}

pub(crate) fn revision(incident: &str, revision: u32, change: IncidentChange) -> IncidentRevision {
    let (incident, cause) = (IncidentId(incident.into()), cause(&["A"]));
    IncidentRevision {
        incident,
        revision,
        at: at(2),
        change,
        cause,
        severity: Severity::Minor,
        degraded: 3,
        state: change.leads_to(),
        because: None,
    }
}

pub(crate) fn unmeasured(client_id: &str, isp: Option<&str>) -> Unmeasured {
    Unmeasured {
        client_id: client_id.into(),
        target: "x".into(),
        last: at(3),
        rhythm_ms: 60_000,
        isp: isp.map(Arc::from),
        site: None,
    }
}

fn found(changes: Vec<FleetChanges>) -> FleetCommit {
    let tally = PairTally { degraded: 1, healthy: 2, unjudged: 3, unmeasured: 4 };
    FleetCommit { changes, through: at(9), tally, corrected: 5, ..FleetCommit::default() }
}

fn what_is_found_stands_in_the_store_once(bench: &Bench) {
    let (mut store, generation) = bench.open();
    bench.set_clock(77);
    let commit = found(vec![FleetChanges {
        incidents: vec![incident("i", IncidentState::Withdrawn)],
        members: vec![member("i", "a", 4), IncidentMember { until: None, ..member("i", "b", 0) }],
        revisions: vec![revision("i", 0, IncidentChange::Opened)],
        unmeasured: vec![unmeasured("a", Some("A"))],
        ..FleetChanges::default()
    }]);
    let text = |text: &str| Cell::Text(text.to_owned());
    let time = |minute: i64| Cell::Integer(at(minute).ms());
    let count = Cell::Integer;
    let json = Cell::Text(serde_json::to_string(&incident("i", IncidentState::Withdrawn)).unwrap());
    let value = "[\"A \\\"quoted\\\" isp\",\"täŕget\"]";
    let incident = [
        vec![
            text("i"),
            text("dns-bound"),
            text("isp×target"),
            text(value),
            text("withdrawn"),
            text("events were deleted"),
        ],
        vec![time(1), time(2), time(3), time(4), time(5), text("minor"), text("critical")],
        (1..=8).map(count).collect(),
        vec![time(9), count(77)],
    ];
    let expected: Vec<Rows> = vec![
        vec![],
        vec![vec![time(9), Cell::Null, Cell::Null, count(1), count(2), count(3), count(4), count(5)]],
        vec![incident.concat()],
        vec![
            vec![text("i"), text("a"), text("x"), time(1), time(4), text("major")],
            vec![text("i"), text("b"), text("x"), time(1), Cell::Null, text("major")],
        ],
        vec![
            [
                vec![
                    text("i"),
                    count(0),
                    time(2),
                    text("opened"),
                    text("isp"),
                    text("[\"A\"]"),
                    text("minor"),
                    count(3),
                ],
                vec![text("open"), Cell::Null, text("dns-bound"), time(5), json],
            ]
            .concat(),
        ],
        vec![vec![text("a"), text("x"), time(3), count(60_000), text("A"), Cell::Null]],
    ];
    for _ in 0..2 {
        store.commit_fleet(generation, &commit).unwrap();
        assert_eq!(contents(bench), expected);
    }
    store.commit_fleet(generation, &found(vec![])).unwrap();
    assert_eq!(contents(bench), expected);
}

fn all_members_of_a_great_incident_are_written(bench: &Bench) {
    let (mut store, generation) = bench.open();
    let many: Vec<_> = (0..2_345).map(|nth| member("i", &format!("client-{nth:04}"), 4)).collect();
    let changes = FleetChanges {
        incidents: vec![incident("i", IncidentState::Open)],
        members: many.clone(),
        ..FleetChanges::default()
    };
    store.commit_fleet(generation, &found(vec![changes])).unwrap();
    let client_ids: Vec<_> = contents(bench)[3].iter().map(|row| row[1].clone()).collect();
    let written = many.iter().map(|member| Cell::Text(member.client_id.to_string()));
    assert_eq!(client_ids, written.collect::<Vec<_>>());
}

fn the_last_of_a_commit_counts(bench: &Bench) {
    let first = FleetChanges {
        incidents: vec![incident("i", IncidentState::Open), incident("j", IncidentState::Open)],
        members: vec![member("i", "a", 2), member("i", "b", 2)],
        unmeasured: vec![unmeasured("a", None), unmeasured("b", None), unmeasured("c", None)],
        ..FleetChanges::default()
    };
    let second = FleetChanges {
        incidents: vec![incident("i", IncidentState::Closed)],
        members: vec![member("i", "a", 3)],
        measured_again: vec![("a".into(), "x".into()), ("b".into(), "x".into())],
        ..FleetChanges::default()
    };
    let third = FleetChanges { unmeasured: vec![unmeasured("b", Some("B"))], ..FleetChanges::default() };
    let mut stood = Vec::new();
    for commits in
        [vec![vec![first.clone(), second.clone(), third.clone()]], vec![vec![first], vec![second], vec![third]]]
    {
        let (mut store, generation) = bench.open();
        commits.into_iter().for_each(|changes| store.commit_fleet(generation, &found(changes)).unwrap());
        stood.push(contents(bench));
        let states: Vec<_> = stood[0][2].iter().map(|incident| incident[4].clone()).collect();
        assert_eq!(states, [Cell::Text("closed".to_owned()), Cell::Text("open".to_owned())]);
        assert_eq!((stood[0][3].len(), stood[0][5].len()), (2, 2));
        bench.execute("DELETE FROM incidents; DELETE FROM incident_members; DELETE FROM unmeasured");
    }
    assert_eq!(stood[0], stood[1], "in one commit or in three");
}

fn an_earlier_generation_finds_nothing(bench: &Bench) {
    let (mut earlier, first) = bench.open();
    let (_, second) = bench.open();
    let before = contents(bench);
    let change = FleetChanges { incidents: vec![incident("i", IncidentState::Open)], ..FleetChanges::default() };
    let refused = [
        earlier.commit_fleet(first, &found(vec![change.clone()])).unwrap_err(),
        earlier.start_fleet_anew(first, at(1), "of a reason").unwrap_err(),
        earlier.resume_fleet(first).unwrap_err(),
    ];
    assert!(refused.iter().all(|error| matches!(error, StoreError::Fenced { .. })), "{refused:?}");
    assert_eq!(contents(bench), before);
    earlier.commit_fleet(second, &found(vec![change])).unwrap();
}

fn incidents_are_found_anew(bench: &Bench) {
    let (mut store, generation) = bench.open();
    let change = FleetChanges {
        incidents: vec![incident("open", IncidentState::Open), incident("over", IncidentState::Closed)],
        unmeasured: vec![unmeasured("a", None)],
        ..FleetChanges::default()
    };
    store.commit_fleet(generation, &found(vec![change])).unwrap();
    let over = bench.rows(&INCIDENTS).into_iter().find(|row| row[0] == Cell::Text("over".to_owned()));
    store.start_fleet_anew(generation, at(11), "the rules changed").unwrap();
    let text = |text: &str| Cell::Text(text.to_owned());
    let mut incidents = bench.rows(&INCIDENTS);
    incidents.sort_by(|a, b| a.partial_cmp(b).unwrap());
    assert_eq!(incidents[0][4..6], [text("withdrawn"), text("the rules changed")]);
    assert_eq!([&incidents[0][10], &incidents[0][20]], [&Cell::Integer(at(11).ms()), &Cell::Integer(9)]);
    assert_eq!(Some(&incidents[1]), over.as_ref());
    let [revision] = &bench.rows(&REVISIONS)[..] else { panic!("one is told of") };
    assert_eq!(revision[..4], [text("open"), Cell::Integer(9), Cell::Integer(at(11).ms()), text("withdrawn")]);
    assert!(bench.rows(&FLEET).is_empty() && bench.rows(&UNMEASURED).is_empty());
    assert_eq!(store.resume_fleet(generation).unwrap(), FleetResume::default());
}

fn open_incidents_are_counted(bench: &Bench) {
    let (mut store, generation) = bench.open();
    assert_eq!(store.open_incidents().unwrap(), OpenIncidents::default());
    let detected =
        |id, minute| Incident { detected: LogTime::from_ms(at(minute).ms()), ..incident(id, IncidentState::Open) };
    let critical = Incident { severity: Severity::Critical, ..detected("third", 6) };
    let incidents =
        vec![detected("first", 2), detected("second", 4), critical, incident("over", IncidentState::Closed)];
    store.commit_fleet(generation, &found(vec![FleetChanges { incidents, ..FleetChanges::default() }])).unwrap();
    let counts = vec![(Label::DnsBound, Severity::Critical, 1), (Label::DnsBound, Severity::Minor, 2)];
    let mut check = |oldest: Option<i64>| {
        let oldest_unacknowledged = oldest.map(|minute| LogTime::from_ms(at(minute).ms()));
        assert_eq!(store.open_incidents().unwrap(), OpenIncidents { counts: counts.clone(), oldest_unacknowledged });
    };
    check(Some(2));
    let note = |incident: &str, acknowledges: &str| {
        let now = bench.time(1);
        bench.execute(&format!(
            "INSERT INTO incident_notes (incident, written_at, author, acknowledges, text)
             VALUES ('{incident}', {now}, 'somebody', {acknowledges}, 'I look')"
        ));
    };
    let [no, yes] = bench.flags();
    note("first", no);
    check(Some(2));
    note("first", yes);
    check(Some(4));
    note("second", yes);
    note("third", yes);
    check(None);
}

fn a_file_brings_its_incidents_anew(bench: &Bench) {
    let file = named_log("ndjson", 16);
    let mut store = bench.connect();
    let generation = store.open(&file, &Opening::default()).unwrap();
    commit_looks(&mut *store, generation, 2);
    let change = FleetChanges {
        incidents: vec![incident("i", IncidentState::Closed)],
        members: vec![member("i", "a", 4)],
        revisions: vec![revision("i", 0, IncidentChange::Opened)],
        unmeasured: vec![unmeasured("a", None)],
        ..FleetChanges::default()
    };
    store.commit_fleet(generation, &found(vec![change])).unwrap();
    let (now, [no, _]) = (bench.time(1), bench.flags());
    bench.execute(&format!(
        "INSERT INTO incident_notes (incident, written_at, author, acknowledges, text)
             VALUES ('i', {now}, 'somebody', {no}, 'I look');
         INSERT INTO told (only_row, through) VALUES (1, {now})"
    ));
    store.open(&file, &Opening::default()).unwrap();
    assert_eq!(contents(bench), vec![Rows::new(); 6]);
    const NOTES: Table = Table { name: "incident_notes", columns: &[] };
    const TOLD: Table = Table { name: "told", columns: &[] };
    let count = |table: &Table| {
        bench.rows(&Table { columns: &[("1", crate::contract::contents::Kind::Integer)], ..*table }).len()
    };
    assert_eq!([NOTES, TOLD].map(|table| count(&table)), [1, 1], "what people wrote stays, and what was told");
}

fn incidents_that_are_over_go_with_their_time(bench: &Bench) {
    let (mut store, generation) = bench.open();
    let closed = |id, ms| Incident { closed: Some(LogTime::from_ms(ms)), ..incident(id, IncidentState::Closed) };
    let change = FleetChanges {
        incidents: vec![
            closed("old", YEAR_2026_MS - 1),
            closed("young", YEAR_2026_MS),
            incident("open", IncidentState::Open),
        ],
        members: vec![member("old", "a", 4), member("young", "a", 4), member("open", "a", 4)],
        revisions: vec![revision("old", 0, IncidentChange::Opened), revision("open", 0, IncidentChange::Opened)],
        ..FleetChanges::default()
    };
    store.commit_fleet(generation, &found(vec![change])).unwrap();
    let day_ms = 86_400_000;
    let maintenance = Maintenance { now_ms: YEAR_2026_MS + 90 * day_ms, retention_ms: 90 * day_ms, months_ahead: 0 };
    assert_eq!(bench.maintainer().maintain(&maintenance).unwrap().incidents_deleted, 1);
    assert_eq!([&INCIDENTS, &MEMBERS, &REVISIONS].map(|table| bench.rows(table).len()), [2, 2, 1]);
    assert_eq!(bench.maintainer().maintain(&maintenance).unwrap().incidents_deleted, 0);
}

fn damaged_looks_are_refused_in_one_line(bench: &Bench) {
    let (mut store, generation) = bench.open();
    commit_looks(&mut *store, generation, 1);
    bench.execute(&format!("UPDATE looks SET sightings = {}", bench.bytes("09")));
    let refused = store.looks(None, at(9), 1 << 20).unwrap_err();
    assert!(matches!(refused, StoreError::Content { .. }), "{refused:?}");
    assert!(refused.to_string().contains("a look of format 9") && !refused.to_string().contains('\n'), "{refused}");
}
