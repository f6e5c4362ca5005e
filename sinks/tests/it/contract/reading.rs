//! Pages of what a store holds: every row that is asked for once, in the promised order.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::fmt::Debug;

use netqoe_model::{AggregateRow, ClientRow, Label, TagValue};
use netqoe_sinks::read::{Filter, Page, Query, ReadError, Reader, RowPosition, Rows};

use crate::contract::bench::Bench;
use crate::contract::make::{
    MINUTE_MS, YEAR_2026_MS, assert_found, client, commit, finding, full_row, healthy, labels, row,
};

for_each_store!(
    rows_come_back_as_they_were_written,
    every_combination_of_filters_is_answered,
    a_page_goes_on_where_the_last_ended_whatever_comes_between,
    times_and_names_that_no_row_can_have_find_nothing,
    a_forged_place_is_a_place_like_any_other,
    a_snapshot_stays_as_it_was_whatever_is_committed,
);

/// Everything that the store of a test holds.
struct Content {
    rows: Vec<AggregateRow>,
    clients: Vec<ClientRow>,
}

/// Three clients with two or three targets each over eight minutes, some with a diagnosis.
fn content() -> Content {
    let mut rows = Vec::new();
    for minute in -4..4 {
        for (client, target) in [("a", "x"), ("a", "y"), ("b", "x"), ("b", "z"), ("b", "á"), ("c", "y")] {
            let mut row = row(client, target, YEAR_2026_MS + minute * MINUTE_MS, 1);
            row.diagnosis = match (minute, client) {
                (-4 | 3, "a") => Some(finding(Label::DnsBound, 1.0)),
                (-1, _) => Some(finding(Label::ErrorBound, 1.0)),
                (_, "c") => None,
                _ => Some(healthy()),
            };
            // A client that changes its team, and a target that others have labelled.
            row.window.tags = match (client, minute) {
                ("a", ..0) => labels(r#"{"team":"core"}"#, "{}"),
                ("a", _) => labels(r#"{"team":"edge"}"#, "{}"),
                ("b", -2..1) => labels(r#"{"site":"\"team\":\"core\"","team":""}"#, r#"{"team":"core"}"#),
                _ => None,
            };
            // Not every pair has every window.
            if minute != 2 || target != "x" {
                rows.push(row);
            }
        }
    }
    let clients = [("a", -4, 4), ("b", -2, 1), ("c", 3, 3), ("quiet", 0, 0)];
    let seen =
        |(name, first, last)| client(name, YEAR_2026_MS + first * MINUTE_MS, YEAR_2026_MS + last * MINUTE_MS, "A");
    Content { rows, clients: clients.map(seen).to_vec() }
}

fn store(bench: &Bench, content: &Content) {
    let mut partition = commit(0, 1, content.rows.clone());
    partition.clients.clone_from(&content.clients);
    let (mut store, generation) = bench.open();
    store.commit(generation, &[partition]).unwrap();
}

/// All pages, of which each but the last must be full.
fn all<P: Clone, T: Debug>(
    filter: &Filter,
    limit: u16,
    read: impl Fn(&Query<P>) -> Result<Page<T>, ReadError>,
    place: impl Fn(&T) -> P,
) -> Vec<T> {
    let (mut items, mut after) = (Vec::new(), None);
    loop {
        let page = read(&Query { filter: filter.clone(), after, limit }).unwrap();
        assert!(!page.has_more || page.items.len() == usize::from(limit), "{page:?}");
        after = page.items.last().map(&place);
        items.extend(page.items);
        if !page.has_more {
            return items;
        }
    }
}

/// (window start in minutes, client, target), as aggregates and diagnoses are told apart here.
type Place = (i64, String, String);

fn place(position: RowPosition) -> Place {
    ((position.window_start.ms() - YEAR_2026_MS) / MINUTE_MS, position.client_id, position.target)
}

fn rows_come_back_as_they_were_written(bench: &Bench) {
    let written = full_row("client", "https://example.com/", YEAR_2026_MS, YEAR_2026_MS + 180_001);
    let content = Content { rows: vec![written.clone()], clients: vec![client("client", 5, 9, "Example ISP")] };
    bench.set_clock(YEAR_2026_MS + 200_007);
    store(bench, &content);
    let reader = bench.reader();
    let first_page = || Query { filter: Filter::default(), after: None, limit: 5 };

    let aggregates = reader.ask(|store| store.rows.aggregates(&first_page())).unwrap();
    let [aggregate] = &aggregates.items[..] else { panic!("{aggregates:?}") };
    assert_eq!((&aggregate.window, &aggregate.pair_state), (&written.window, &written.pair_state));
    assert_eq!((&*aggregate.client_id, &*aggregate.target), (&*written.client_id, &*written.target));
    assert_eq!(
        (aggregate.diagnosis_label, aggregate.updated_at_ms),
        (Some(Label::ServerBound), YEAR_2026_MS + 200_007)
    );

    let diagnoses = reader.ask(|store| store.rows.diagnoses(&first_page())).unwrap();
    let [diagnosis] = &diagnoses.items[..] else { panic!("{diagnoses:?}") };
    assert_eq!(diagnosis.label, Label::ServerBound);
    assert_found(&diagnosis.finding, &written.diagnosis.unwrap());
    assert_eq!((diagnosis.is_final, diagnosis.as_of), (written.window.is_final, written.window.as_of));
    assert_eq!((diagnosis.position(), diagnosis.updated_at_ms), (aggregate.position(), YEAR_2026_MS + 200_007));

    let clients = reader
        .ask(|store| store.rows.clients(&Query { filter: Filter::default(), after: None, limit: 5 }))
        .unwrap()
        .items;
    assert_eq!((clients[0].first_seen.ms(), clients[0].last_seen.ms()), (5, 9));
    let context = [&clients[0].network_type, &clients[0].isp, &clients[0].context].map(|text| text.as_deref());
    assert_eq!(context, [Some("wifi"), Some("Example ISP"), Some(r#"{"isp":"Example ISP"}"#)]);
}

/// What windows are asked for by.
fn tags() -> [Vec<TagValue>; 6] {
    let nothing: &[&str] = &[];
    let asked = [
        nothing,
        &["client.team=core"],
        &["client.team="],
        &["target.team=core", "client.site=\"team\":\"core\""],
        &["client.team=core", "target.team=core"],
        &["client.team=core\0"],
    ];
    asked.map(|texts| texts.iter().map(|text| TagValue::parse(text).unwrap()).collect())
}

fn every_combination_of_filters_is_answered(bench: &Bench) {
    let content = content();
    store(bench, &content);
    let reader = bench.reader();
    let times = [(None, None), (Some(-2), None), (None, Some(0)), (Some(0), Some(3)), (Some(3), Some(1))];
    let labels = [None, Some(Label::Healthy), Some(Label::DnsBound), Some(Label::ErrorBound)];
    for client_id in [None, Some("a"), Some("b"), Some("nobody")] {
        for target in [None, Some("x"), Some("y"), Some("nothing")] {
            for (from, to) in times {
                for (label, tags) in labels.into_iter().flat_map(|label| tags().map(|tags| (label, tags))) {
                    let at = |minute| YEAR_2026_MS + minute * MINUTE_MS;
                    let filter = Filter {
                        client_id: client_id.map(str::to_owned),
                        target: target.map(str::to_owned),
                        from_ms: from.map(at),
                        to_ms: to.map(at),
                        label,
                        tags,
                    };
                    check(&*reader, &content, &filter);
                }
            }
        }
    }
}

fn label(row: &AggregateRow) -> Option<Label> {
    row.diagnosis.as_ref().map(|diagnosis| diagnosis.label)
}

/// Each list is what going through all of the content gives.
#[track_caller]
fn check(reader: &dyn Reader, content: &Content, filter: &Filter) {
    let is_in_time = |ms: i64| filter.from_ms.is_none_or(|from| from <= ms) && filter.to_ms.is_none_or(|to| ms < to);
    let is_of = |client: &str| filter.client_id.as_deref().is_none_or(|wanted| wanted == client);
    let is_for = |target: &str| filter.target.as_deref().is_none_or(|wanted| wanted == target);
    let finding = |row: &AggregateRow| label(row).filter(|label| *label != Label::Healthy);
    let is_tagged = |row: &AggregateRow| filter.tags.iter().all(|tag| tag.is_of(row.window.tags.as_deref()));
    let all_in_time: Vec<&AggregateRow> = content.rows.iter().filter(|row| is_in_time(row.window.start.ms())).collect();
    let in_time: Vec<&AggregateRow> = all_in_time.iter().copied().filter(|row| is_tagged(row)).collect();
    let places = |mut rows: Vec<&AggregateRow>| {
        rows.retain(|row| is_of(&row.client_id) && is_for(&row.target));
        let place = |row: &&AggregateRow| {
            let start = (row.window.start.ms() - YEAR_2026_MS) / MINUTE_MS;
            (start, row.client_id.to_string(), row.target.to_string())
        };
        let mut places: Vec<Place> = rows.iter().map(place).collect();
        places.sort_by(|a, b| b.cmp(a));
        places
    };

    let found = all(filter, 4, |query| reader.ask(|store| store.rows.aggregates(query)), |record| record.position());
    let wanted = in_time.iter().copied().filter(|row| filter.label.is_none() || label(row) == filter.label);
    assert_eq!(
        found.iter().map(|row| place(row.position())).collect::<Vec<_>>(),
        places(wanted.collect()),
        "{filter:?}"
    );

    let found = all(filter, 4, |query| reader.ask(|store| store.rows.diagnoses(query)), |record| record.position());
    let wanted = in_time
        .iter()
        .copied()
        .filter(|row| finding(row).is_some_and(|it| filter.label.is_none_or(|label| it == label)));
    assert_eq!(
        found.iter().map(|row| place(row.position())).collect::<Vec<_>>(),
        places(wanted.collect()),
        "{filter:?}"
    );

    let found =
        all(filter, 1, |query| reader.ask(|store| store.rows.clients(query)), |record| record.client_id.clone());
    let wanted = content.clients.iter().filter(|client| {
        let of_client = |rows: &[&AggregateRow], label: Option<Label>| {
            let mut rows = rows.iter().filter(|row| row.client_id == client.client_id && is_for(&row.target));
            rows.any(|row| label.is_none() || self::label(row) == label)
        };
        is_of(&client.client_id)
            && filter.from_ms.is_none_or(|from| from <= client.last_seen.ms())
            && filter.to_ms.is_none_or(|to| client.first_seen.ms() < to)
            && (filter.target.is_none() || of_client(&all_in_time, None))
            && (filter.label.is_none() && filter.tags.is_empty() || of_client(&in_time, filter.label))
    });
    let wanted: Vec<_> = wanted.map(|client| &*client.client_id).collect();
    assert_eq!(found.iter().map(|client| &*client.client_id).collect::<Vec<_>>(), wanted, "{filter:?}");

    let found = all(filter, 2, |query| reader.ask(|store| store.rows.targets(query)), |record| record.target.clone());
    let mut wanted: BTreeMap<&str, BTreeMap<&str, i64>> = BTreeMap::new();
    for row in in_time.iter().filter(|row| filter.label.is_none() || label(row) == filter.label) {
        if is_of(&row.client_id) && is_for(&row.target) {
            let last = wanted.entry(&row.target).or_default().entry(&row.client_id).or_default();
            *last = row.window.start.ms().max(*last);
        }
    }
    let found: Vec<_> = found.iter().map(|it| (&*it.target, it.client_count, it.last_window.ms())).collect();
    let wanted =
        wanted.iter().map(|(target, clients)| (*target, clients.len() as u64, *clients.values().max().unwrap()));
    assert_eq!(found, wanted.collect::<Vec<_>>(), "{filter:?}");
}

fn a_page_goes_on_where_the_last_ended_whatever_comes_between(bench: &Bench) {
    let content = content();
    store(bench, &content);
    let (store, generation) = bench.open();
    let store = RefCell::new(store);
    let reader = bench.reader();
    for filter in [Filter::default(), Filter { client_id: Some("b".to_owned()), ..Filter::default() }] {
        let before =
            all(&filter, 100, |query| reader.ask(|store| store.rows.aggregates(query)), |record| record.position());
        let minute = Cell::new(10);
        let read_and_write = |query: &_| {
            let page = reader.ask(|store| store.rows.aggregates(query));
            // Newer than every place that a page goes on from.
            minute.set(minute.get() + 1);
            let newer = row("b", "x", YEAR_2026_MS + minute.get() * MINUTE_MS, 1);
            store.borrow_mut().commit(generation, &[commit(0, 2, vec![newer])]).unwrap();
            page
        };
        assert_eq!(all(&filter, 3, read_and_write, |record| record.position()), before);
    }
}

fn times_and_names_that_no_row_can_have_find_nothing(bench: &Bench) {
    store(bench, &content());
    let reader = bench.reader();
    let count = |filter: Filter| {
        let rows = Query { filter: filter.clone(), after: None, limit: 1000 };
        let names = Query { filter, after: None, limit: 1000 };
        (
            reader.ask(|store| store.rows.aggregates(&rows)).unwrap().items.len(),
            reader.ask(|store| store.rows.diagnoses(&rows)).unwrap().items.len(),
            reader.ask(|store| store.rows.clients(&names)).unwrap().items.len(),
            reader.ask(|store| store.rows.targets(&names)).unwrap().items.len(),
        )
    };
    let everything = count(Filter::default());
    let between = |from, to| Filter { from_ms: from, to_ms: to, ..Filter::default() };
    assert_eq!(count(between(Some(i64::MIN), Some(i64::MAX))), everything);
    assert_eq!(count(between(Some(i64::MAX), None)), (0, 0, 0, 0));
    assert_eq!(count(between(None, Some(i64::MIN))), (0, 0, 0, 0));
    for name in ["", "a\0", "\0", "'; DROP TABLE agg_1m; --"] {
        let name = || Some(name.to_owned());
        assert_eq!(count(Filter { client_id: name(), ..Filter::default() }), (0, 0, 0, 0));
        assert_eq!(count(Filter { target: name(), ..Filter::default() }), (0, 0, 0, 0));
    }
}

fn a_forged_place_is_a_place_like_any_other(bench: &Bench) {
    store(bench, &content());
    let reader = bench.reader();
    let count_after = |start_ms: i64, client_id: &str| {
        let window_start = netqoe_model::WindowStart::from_ms(start_ms);
        let after = RowPosition { window_start, client_id: client_id.to_owned(), target: "x\0".to_owned() };
        reader
            .ask(|store| store.rows.aggregates(&Query { filter: Filter::default(), after: Some(after), limit: 1000 }))
            .unwrap()
            .items
            .len()
    };
    assert_eq!(count_after(i64::MIN, "a\0b"), 0);
    assert_eq!(count_after(i64::MAX, "a\0b"), content().rows.len());
    assert_eq!(count_after(YEAR_2026_MS - 4 * MINUTE_MS, ""), 0);
    let after = |place: &str| Query { filter: Filter::default(), after: Some(place.to_owned()), limit: 1000 };
    assert_eq!(reader.ask(|store| store.rows.clients(&after("a\0"))).unwrap().items.len(), 3);
    assert_eq!(reader.ask(|store| store.rows.targets(&after("x\0b"))).unwrap().items.len(), 3);
}

fn a_snapshot_stays_as_it_was_whatever_is_committed(bench: &Bench) {
    let (mut store, generation) = bench.open();
    store.commit(generation, &[commit(0, 1, vec![row("c", "t", YEAR_2026_MS, 1)])]).unwrap();
    let reader = bench.reader();
    let counts = |rows: &dyn Rows| {
        let query = Query { filter: Filter::default(), after: None, limit: 100 };
        Ok::<_, ReadError>((rows.aggregates(&query)?.items.len(), rows.checkpoints()?[0].processed.0))
    };
    let during = reader.ask(|snapshot| {
        let before = counts(snapshot.rows)?;
        store.commit(generation, &[commit(0, 2, vec![row("c", "t", YEAR_2026_MS + MINUTE_MS, 1)])]).unwrap();
        Ok::<_, ReadError>([before, counts(snapshot.rows)?])
    });
    assert_eq!(during.unwrap(), [(1, 1); 2]);
    assert_eq!(reader.ask(|snapshot| counts(snapshot.rows)).unwrap(), (2, 2));
}
