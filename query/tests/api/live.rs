//! The live stream: what is committed, as it is committed; how readers go on after a break; and that they hold up nobody.

use std::time::{Duration, Instant};

use axum::body::BodyDataStream;
use futures::StreamExt;
use netqoe_model::{
    AggregateRow, Cause, Checkpoint, Dimension, FleetChanges, Incident, IncidentId, IncidentState, Label, Ledger,
    LogTime, Partition, PartitionCommit, Position, Run, Severity, Weight, WindowStart,
};
use serde_json::{Value, json};

use crate::support::*;

/// Long enough for any machine; what takes this long never comes.
const PATIENCE: Duration = Duration::from_secs(60);
/// Commits that are kept for a slow reader.
const KEPT_COMMITS: usize = 256;
/// Rows of them that are kept.
const KEPT_ROWS: usize = 100_000;

/// An event as a browser gets it.
#[derive(Debug, PartialEq)]
struct Received {
    name: String,
    data: Value,
    id: String,
}

/// A reader of the stream, and what it has received and not looked at.
struct Reader {
    stream: BodyDataStream,
    text: String,
    /// Of the last event, as a browser keeps it.
    last_event_id: String,
}

impl Reader {
    async fn open(api: &Api, query: &str) -> Self {
        Self::open_with(api, query, &[]).await
    }

    /// Comes back with the id of the last event.
    async fn reopen(self, api: &Api, query: &str) -> Self {
        Self::open_with(api, query, &[("last-event-id", &self.last_event_id)]).await
    }

    /// Waits until it has the id that every stream begins with.
    async fn open_with(api: &Api, query: &str, headers: &[(&str, &str)]) -> Self {
        let response = api.open_with(&format!("/api/v1/live?{query}"), headers).await;
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        let stream = response.into_body().into_data_stream();
        let mut reader = Self { stream, text: String::new(), last_event_id: String::new() };
        if !api.stop.is_cancelled() {
            let beginning = reader.next_text().await.unwrap();
            reader.last_event_id = beginning.strip_prefix("id: ").unwrap().to_owned();
        }
        reader
    }

    /// The next event as it comes.
    async fn next_text(&mut self) -> Option<String> {
        loop {
            if let Some((event, rest)) = self.text.split_once("\n\n") {
                let (event, rest) = (event.to_owned(), rest.to_owned());
                self.text = rest;
                if !event.starts_with(':') {
                    return Some(event);
                }
            }
            let chunk = tokio::time::timeout(PATIENCE, self.stream.next()).await.unwrap()?.unwrap();
            self.text += std::str::from_utf8(&chunk).unwrap();
        }
    }

    /// The next event; none once the stream has ended.
    async fn next(&mut self) -> Option<Received> {
        let event = self.next_text().await?;
        let field = |name: &str| event.lines().find_map(|line| line.strip_prefix(name)).map(str::trim).unwrap();
        self.last_event_id = field("id:").to_owned();
        let data = serde_json::from_str(field("data:")).unwrap();
        Some(Received { name: field("event:").to_owned(), data, id: self.last_event_id.clone() })
    }

    /// The name of the next row.
    async fn next_name(&mut self) -> String {
        let Received { name, data, .. } = self.next().await.unwrap();
        assert_eq!(name, "row");
        crate::support::name(&data)
    }

    /// The data of the next event, which has this name.
    async fn next_data(&mut self, name: &str) -> Value {
        let received = self.next().await.unwrap();
        assert_eq!(received.name, name, "{received:?}");
        received.data
    }
}

/// A commit of these rows and of three events, at this minute of the log.
fn publish_at(api: &Api, minute: i64, rows: &[AggregateRow]) {
    let mut commit = PartitionCommit {
        checkpoint: Default::default(),
        rows: rows.to_vec(),
        clients: Vec::new(),
        dead_letters: Vec::new(),
        looks: Vec::new(),
        waiting: Vec::new(),
        oldest_record: None,
    };
    commit.checkpoint.log_time = LogTime::from_ms(minute_ms(minute));
    api.live.publish(&[commit], Ledger { read: 3, accepted: 2, late: 1, ..Ledger::default() });
}

fn publish(api: &Api, rows: &[AggregateRow]) {
    publish_at(api, 0, rows);
}

#[tokio::test]
async fn a_row_comes_as_it_is_published_with_its_evidence() {
    let api = Api::with(&[]);
    assert_eq!(api.live.readers(), 0);
    let mut reader = Reader::open(&api, "").await;
    assert_eq!(api.live.readers(), 1);
    publish(&api, &[diagnosed(row("c", "t", 0), Label::DnsBound), row("c", "t", 1)]);

    let data = reader.next_data("row").await;
    assert_eq!(name(&data), "c t 0");
    assert_eq!((&data["dns_p95"], &data["is_final"]), (&json!(15.301), &json!(true)));
    assert_eq!(data["diagnosis_label"], "dns-bound");
    let diagnosis = json!({"label": "dns-bound", "severity": "major", "evidence": evidence("ms", 0)});
    assert_eq!((&data["diagnosis"], data.get("ended_runs")), (&diagnosis, None));
    let data = reader.next_data("row").await;
    assert_eq!((name(&data).as_str(), &data["diagnosis"]), ("c t 1", &json!(null)));
    drop(reader);
    assert_eq!(api.live.readers(), 0);
}

#[tokio::test]
async fn a_row_tells_of_the_runs_that_are_over() {
    let api = Api::with(&[]);
    let mut reader = Reader::open(&api, "").await;
    let run = |label, since, until| Run {
        label,
        since: WindowStart::from_ms(minute_ms(since)),
        until: WindowStart::from_ms(minute_ms(until)),
    };
    let ended_runs = vec![run(Label::DnsBound, 2, 5), run(Label::ErrorBound, 3, 4)];
    publish(&api, &[AggregateRow { ended_runs, ..row("c", "t", 8) }]);
    let expected = json!([
        {"label": "dns-bound", "since": minute_ms(2), "until": minute_ms(5)},
        {"label": "error-bound", "since": minute_ms(3), "until": minute_ms(4)},
    ]);
    assert_eq!(reader.next_data("row").await["ended_runs"], expected);
}

#[tokio::test]
async fn rows_come_to_every_reader_that_wants_them() {
    let rows = [
        labelled(r#"{"team":"core"}"#, r#"{"service":"shop"}"#, row("a", "t", 0)),
        diagnosed(row("a", "u", 1), Label::ServerBound),
        labelled(r#"{"team":"core"}"#, "{}", row("b", "t", 1)),
        diagnosed(row("b", "u", 2), Label::Healthy),
    ];
    let (from, to) = (minute_ms(1), minute_ms(2));
    for (query, expected) in [
        ("", &["a t 0", "a u 1", "b t 1", "b u 2"][..]),
        ("detail=rows", &["a t 0", "a u 1", "b t 1", "b u 2"]),
        ("client_id=a", &["a t 0", "a u 1"]),
        ("target=t", &["a t 0", "b t 1"]),
        ("client_id=b&target=t", &["b t 1"]),
        (&format!("from={from}"), &["a u 1", "b t 1", "b u 2"]),
        (&format!("to={to}"), &["a t 0", "a u 1", "b t 1"]),
        ("label=server-bound", &["a u 1"]),
        ("label=healthy", &["b u 2"]),
        ("labelled=client.team=core", &["a t 0", "b t 1"]),
        ("labelled=client.team=core&labelled=target.service=shop", &["a t 0"]),
        ("labelled=client.team=edge", &[]),
    ] {
        let api = Api::with(&[]);
        let (mut reader, mut another) = (Reader::open(&api, query).await, Reader::open(&api, "client_id=end").await);
        publish(&api, &rows);
        publish(&api, &[row("nobody", "asks", 0)]);
        publish(&api, &[diagnosed(row("end", "t", 1), Label::DnsBound)]);
        for name in expected {
            assert_eq!(reader.next_name().await, *name, "{query}");
        }
        assert_eq!(another.next_name().await, "end t 1");
    }
}

#[tokio::test]
async fn a_reader_that_comes_back_misses_nothing_and_gets_nothing_twice() {
    let api = Api::with(&[]);
    let rows: Vec<_> = (0..6).map(|minute| row(if minute % 2 == 0 { "even" } else { "odd" }, "t", minute)).collect();
    for query in ["", "client_id=odd"] {
        let mut expected = Vec::new();
        let mut names = Vec::new();
        let mut reader = Reader::open(&api, query).await;
        for commit in rows.chunks(3) {
            publish(&api, commit);
            let wanted = commit.iter().filter(|row| query.is_empty() || &*row.client_id == "odd");
            expected.extend(
                wanted.map(|row| format!("{} t {}", row.client_id, (row.window.start.ms() - START_MS) / 60_000)),
            );
        }
        // Cut off before the first event, and after each.
        for _ in 0..expected.len() {
            reader = reader.reopen(&api, query).await;
            names.push(reader.next_name().await);
        }
        assert_eq!(names, expected, "{query}");
        let mut reader = reader.reopen(&api, query).await;
        publish(&api, &[row("odd", "t", 9)]);
        assert_eq!(reader.next_name().await, "odd t 9");
    }
}

#[tokio::test]
async fn the_last_event_may_be_named_in_the_question() {
    let api = Api::with(&[]);
    let mut reader = Reader::open(&api, "").await;
    publish(&api, &[row("c", "t", 0), row("c", "t", 1)]);
    assert_eq!(reader.next_name().await, "c t 0");
    let mut again = Reader::open(&api, &format!("last_event_id={}", reader.last_event_id)).await;
    assert_eq!(again.next_name().await, "c t 1");
}

#[tokio::test]
async fn who_asks_for_what_is_gone_is_told_to_ask_again() {
    let (api, another) = (Api::with(&[]), Api::with(&[]));
    let elsewhere = Reader::open(&another, "").await.last_event_id;
    let early = Reader::open(&api, "").await;
    let first = early.last_event_id.clone();
    for minute in 0..=KEPT_COMMITS as i64 {
        publish(&api, &[row("c", "t", minute)]);
    }
    let run = first.split('-').next().unwrap();
    let newest = KEPT_COMMITS as u64 + 1;
    let ids = [
        elsewhere,
        first.clone(),
        format!("{run}-{}", newest + 1_000),
        format!("{run}-{newest}-99999999999999999999"),
        format!("{run}-{}", u64::MAX),
        format!("{run}-1-{}", u64::MAX),
        "'; DROP TABLE agg_1m".to_owned(),
    ];
    for detail in ["rows", "commits"] {
        for id in &ids {
            let mut reader = Reader::open_with(&api, &format!("detail={detail}"), &[("last-event-id", id)]).await;
            assert_eq!(reader.next_data("reset").await, json!({}), "{detail} {id}");
            publish(&api, &[row("c", "t", 7)]);
            let name = if detail == "rows" { "row" } else { "commit" };
            assert_eq!(reader.next().await.unwrap().name, name, "it goes on from there");
        }
    }
}

#[tokio::test]
async fn a_slow_reader_is_told_what_it_missed_and_leaves() {
    let api = Api::with(&[]);
    let mut reader = Reader::open(&api, "").await;
    for minute in 0..KEPT_COMMITS + 10 {
        publish(&api, &[row("c", "t", minute as i64)]);
    }
    assert_eq!(reader.next_data("lagged").await, json!({"missed_commits": 10}));
    assert_eq!(reader.next().await, None);
    let mut again = reader.reopen(&api, "").await;
    again.next_data("reset").await;
    publish(&api, &[row("c", "t", 7)]);
    assert_eq!(again.next_name().await, "c t 7");
}

/// Readers that were too slow are counted, and no others.
#[tokio::test(start_paused = true)]
async fn who_leaves_because_of_slowness_is_counted() {
    let api = Api::with(&[]);
    let dropped = || api.metrics.live_readers_dropped.get();
    let long = Duration::from_secs(1);
    for (rows_taken, stands_still, count) in [(2, long, 0), (1, long / 2, 0), (1, long, 1), (0, long, 2)] {
        let mut reader = Reader::open(&api, "").await;
        publish(&api, &[row("c", "t", 0), row("c", "t", 1)]);
        for _ in 0..rows_taken {
            reader.next_name().await;
        }
        tokio::time::advance(stands_still).await;
        drop(reader);
        assert_eq!(dropped(), count, "{rows_taken} rows, then nothing for {stands_still:?}");
    }
    // Who serves a connection that takes nothing may ask for a few rows before it gives it up.
    let mut reader = Reader::open(&api, "").await;
    publish(&api, &[row("c", "t", 0), row("c", "t", 1)]);
    tokio::time::advance(long).await;
    reader.next_name().await;
    drop(reader);
    assert_eq!(dropped(), 3);

    let mut reader = Reader::open(&api, "").await;
    (0..=KEPT_COMMITS as i64).for_each(|minute| publish(&api, &[row("c", "t", minute)]));
    reader.next_data("lagged").await;
    tokio::time::advance(long).await;
    drop(reader);
    assert_eq!(dropped(), 4);
}

#[tokio::test]
async fn a_commit_with_too_many_rows_is_not_kept_but_told() {
    let api = Api::with(&[]);
    let (mut rows, mut commits) = (Reader::open(&api, "").await, Reader::open(&api, "detail=commits").await);
    publish(&api, &vec![row("c", "t", 0); KEPT_ROWS + 1]);
    rows.next_data("reset").await;
    assert_eq!(commits.next_data("commit").await["rows"], KEPT_ROWS + 1);
    publish(&api, &[row("c", "t", 1)]);
    assert_eq!(rows.next_name().await, "c t 1");
}

#[tokio::test]
async fn commits_are_summed_up_to_four_a_second() {
    let api = Api::with(&[]);
    let mut reader = Reader::open(&api, "detail=commits").await;
    let started = Instant::now();
    publish_at(&api, 1, &[row("c", "t", 0)]);
    assert_eq!(reader.next_data("commit").await, json!({"rows": 1, "as_of": minute_ms(1), "events": 3}));
    for minute in 2..100 {
        publish_at(&api, minute, &[row("c", "t", 0), row("c", "t", 1)]);
    }
    assert_eq!(reader.next_data("commit").await, json!({"rows": 196, "as_of": minute_ms(99), "events": 294}));
    assert!(started.elapsed() >= Duration::from_millis(250));

    publish_at(&api, 100, &[]);
    publish_at(&api, 101, &[row("c", "t", 0)]);
    let mut reader = reader.reopen(&api, "detail=commits").await;
    assert_eq!(reader.next_data("commit").await, json!({"rows": 1, "as_of": minute_ms(101), "events": 6}));
}

#[tokio::test]
async fn commits_have_no_filter() {
    let api = Api::with(&[]);
    for (query, message) in [
        ("detail=commits&client_id=c", "detail=commits tells of all commits; leave out client_id"),
        ("detail=commits&labelled=client.a=b", "detail=commits tells of all commits; leave out client_id"),
        ("detail=commits&label=healthy", "detail=commits tells of all commits; leave out client_id"),
        ("detail=all", "detail must be rows or commits"),
    ] {
        let answer = api.get(&format!("/api/v1/live?{query}")).await;
        assert_eq!((answer.status, answer.body["error"].as_str()), (400, Some("invalid_request")), "{query}");
        assert!(answer.body["message"].as_str().unwrap().starts_with(message), "{}", answer.body);
    }
}

/// What another process commits is seen in the store, by readers of either kind; what this one does is not told twice.
#[tokio::test]
async fn commits_of_another_process_are_noticed() {
    let api = Api::with(&[]);
    let is_own = |partition: Partition| partition == Partition(0);
    let watching = netqoe_query::watch_others(api.live.clone(), api.reader(), is_own, api.stop.clone());
    let watching = tokio::spawn(watching);
    let (mut rows, mut commits) = (Reader::open(&api, "").await, Reader::open(&api, "detail=commits").await);
    publish_at(&api, 1, &[row("own", "t", 0)]);
    assert_eq!(rows.next_name().await, "own t 0");
    assert_eq!(commits.next_data("commit").await["rows"], 1);

    // The first look only says where the others are, and nobody knows when it was: they go on until they are seen.
    let mut processed = 0;
    let seen = loop {
        processed += 1;
        api.write_as(checkpoint(0, processed), &[row("own", "t", 0)]);
        api.write_as(checkpoint(1, processed), &[row("other", "t", 0)]);
        if let Ok(seen) = tokio::time::timeout(Duration::from_millis(700), rows.next()).await {
            break seen.unwrap();
        }
        assert!(processed < 100, "never seen");
    };
    assert_eq!(seen.name, "commit");
    assert_eq!(seen.data["rows"], json!(null));
    let as_of = minute_ms(1)..=minute_ms(processed as i64);
    assert!(as_of.contains(&seen.data["as_of"].as_i64().unwrap()), "{seen:?}");
    assert!((1..=processed).contains(&seen.data["events"].as_u64().unwrap()), "{seen:?}");
    assert_eq!(commits.next_data("commit").await, seen.data);
    api.stop.cancel();
    watching.await.unwrap();
    assert_eq!(rows.next().await, None, "nothing else was told");
}

/// A partition that has read so many events, one a minute.
fn checkpoint(partition: u16, processed: u64) -> Checkpoint {
    let ledger = Ledger { read: processed, accepted: processed, ..Ledger::default() };
    let log_time = LogTime::from_ms(minute_ms(processed as i64));
    Checkpoint {
        partition: Partition(partition),
        processed: Position(processed),
        log_time,
        ledger,
        ..Checkpoint::default()
    }
}

/// Publishing waits for nobody: all commits are taken while twenty readers take nothing. The times are shown, not judged.
#[tokio::test]
async fn readers_that_take_nothing_slow_no_commit() {
    const COMMITS: usize = 2_000;
    let rows: Vec<_> = (0..500).map(|minute| row("c", "t", minute)).collect();
    let took = |api: &Api| {
        let started = Instant::now();
        (0..COMMITS).for_each(|_| publish(api, &rows));
        started.elapsed()
    };
    let alone = Api::with(&[]);
    let without = took(&alone);
    let api = Api::with(&[]);
    let mut readers = Vec::new();
    for _ in 0..10 {
        readers.push(Reader::open(&api, "").await);
        readers.push(Reader::open(&api, "detail=commits").await);
    }
    let with = took(&api);
    let each = |took: Duration| took.as_secs_f64() * 1e6 / COMMITS as f64;
    println!("a commit of 500 rows: {:.1} µs without readers, {:.1} µs with twenty", each(without), each(with));

    for (index, reader) in readers.iter_mut().enumerate() {
        match index % 2 {
            0 => {
                let missed = reader.next_data("lagged").await["missed_commits"].as_u64().unwrap() as usize;
                assert!((COMMITS - KEPT_COMMITS..COMMITS).contains(&missed), "{missed}");
            }
            _ => assert_eq!(reader.next_data("commit").await["rows"], COMMITS * rows.len()),
        }
    }
}

#[tokio::test]
async fn streams_end_when_the_server_stops() {
    let api = Api::with(&[]);
    let (mut idle, mut busy) = (Reader::open(&api, "detail=commits").await, Reader::open(&api, "").await);
    publish(&api, &[row("c", "t", 0)]);
    assert_eq!(busy.next_name().await, "c t 0");
    idle.next_data("commit").await;
    api.stop.cancel();
    assert_eq!(idle.next().await, None);
    assert_eq!(busy.next().await, None);
    assert_eq!(Reader::open(&api, "").await.next().await, None, "who comes later finds it ended");
}

fn changes(minute: i64, incidents: &[(&str, u32)]) -> FleetChanges {
    let incident = |(id, revision): &(&str, u32)| Incident {
        id: IncidentId((*id).into()),
        label: Label::ServerBound,
        cause: Cause { dimension: Dimension::Target, value: vec!["t".into()] },
        state: IncidentState::Open,
        withdrawn_because: None,
        opened: WindowStart::from_ms(minute_ms(0)),
        detected: LogTime::from_ms(minute_ms(2)),
        named: LogTime::from_ms(minute_ms(2)),
        last: WindowStart::from_ms(minute_ms(minute)),
        closed: None,
        severity: Severity::Minor,
        peak_severity: Severity::Minor,
        at_first: Weight { degraded: 3, healthy: 0 },
        now: Weight { degraded: 3, healthy: 1 },
        pairs: 3,
        clients: 3,
        targets: 1,
        revision: *revision,
        as_of: WindowStart::from_ms(minute_ms(minute)),
    };
    let incidents = incidents.iter().map(incident).collect();
    FleetChanges { at: WindowStart::from_ms(minute_ms(minute)), incidents, ..FleetChanges::default() }
}

#[tokio::test]
async fn changed_incidents_are_told_whole() {
    let api = Api::with(&[]);
    let mut readers = [Reader::open(&api, "").await, Reader::open(&api, "detail=commits").await];
    api.live.publish_incidents(&changes(2, &[]));
    api.live.publish_incidents(&changes(3, &[("a", 0)]));
    for reader in &mut readers {
        let told = reader.next_data("incidents").await;
        assert_eq!((&told["as_of"], told["items"].as_array().unwrap().len()), (&json!(minute_ms(3)), 1));
        let item = &told["items"][0];
        assert_eq!(
            (&item["id"], &item["sentence"]),
            (&json!("a"), &json!("Target t is slow to answer for 3 of 4 clients"))
        );
        assert_eq!((item.get("acknowledged"), item.get("planned")), (None, None));
    }
    // What changes between two looks of a reader of commits is told as it came to stand, before the commits.
    api.live.publish_incidents(&changes(4, &[("a", 1), ("b", 0)]));
    publish(&api, &[row("c", "t", 0)]);
    api.live.publish_incidents(&changes(5, &[("a", 2)]));
    let mut seen = Vec::new();
    while !seen.contains(&json!(["a", 2])) {
        let told = readers[1].next().await.unwrap();
        let items = told.data["items"].as_array().into_iter().flatten();
        seen.extend(items.map(|item| json!([item["id"], item["revision"]])));
    }
    assert!(seen.contains(&json!(["b", 0])), "{seen:?}");
    for expected in ["incidents", "row", "incidents"] {
        assert_eq!(readers[0].next().await.unwrap().name, expected);
    }
}

#[tokio::test]
async fn of_too_many_changed_incidents_readers_are_told_to_ask() {
    let api = Api::with(&[]);
    let mut readers = [Reader::open(&api, "").await, Reader::open(&api, "detail=commits").await];
    let ids: Vec<_> = (0..1_001).map(|id| id.to_string()).collect();
    let many: Vec<_> = ids.iter().map(|id| (id.as_str(), 0)).collect();
    api.live.publish_incidents(&changes(3, &many));
    for reader in &mut readers {
        assert_eq!(reader.next().await.unwrap().name, "reset");
    }
}
