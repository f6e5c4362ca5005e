//! Single measurements: as they were accepted, page after page, and why they failed.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use futures::FutureExt;
use futures::future::BoxFuture;
use http_body_util::BodyExt;
use netqoe_model::{Checkpoint, Event, Partition, PartitionCommit, Rules};
use netqoe_query::{
    Found, FoundEvent, LiveFeed, Measurements, MeasurementsError, Place, QueryApi, Sample, Sampled, Sought,
};
use netqoe_sinks::read::Reader;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

use crate::document::check;
use crate::stores::TestStore;
use crate::support::*;

/// What a log would find, in memory, and what it was asked for.
#[derive(Default)]
pub(crate) struct Kept {
    /// Newest first.
    events: Vec<FoundEvent>,
    /// Events that one question reads.
    most: Option<usize>,
    kept_since_ms: Option<i64>,
    fails_with: Option<MeasurementsError>,
    asked: Mutex<Vec<Sought>>,
    sampled: Mutex<Vec<Sampled>>,
}

impl Measurements for Kept {
    fn find(&self, sought: Sought) -> BoxFuture<'_, Result<Found, MeasurementsError>> {
        async move {
            if let Some(error) = &self.fails_with {
                return Err(error.clone());
            }
            let before = sought.before;
            self.asked.lock().unwrap().push(sought);
            let left = self.events.iter().filter(|event| before.is_none_or(|before| event.place < before));
            let left: Vec<_> = left.cloned().collect();
            let most = self.most.unwrap_or(left.len()).min(left.len());
            let rest = (most < left.len()).then(|| left[most - 1].place);
            Ok(Found { events: left[..most].to_vec(), rest, kept_since_ms: self.kept_since_ms })
        }
        .boxed()
    }

    fn sample(&self, sampled: Sampled) -> BoxFuture<'_, Result<Sample, MeasurementsError>> {
        async move {
            if let Some(error) = &self.fails_with {
                return Err(error.clone());
            }
            let parsed = |line: &[u8]| Event::parse(line).unwrap().ts.ms();
            let is_sought = |line: &[u8]| (sampled.from_ms..sampled.to_ms).contains(&parsed(line));
            let lines = self.events.iter().map(|event| event.line.clone()).filter(|line| is_sought(line));
            let sample =
                Sample { lines: lines.collect(), is_whole: self.most.is_none(), kept_since_ms: self.kept_since_ms };
            self.sampled.lock().unwrap().push(sampled);
            Ok(sample)
        }
        .boxed()
    }
}

fn api(measurements: Option<Arc<Kept>>) -> (Router, Value) {
    let (_store, reader) = TestStore::sqlite();
    api_over(reader, measurements)
}

fn api_over(reader: Arc<dyn Reader>, measurements: Option<Arc<Kept>>) -> (Router, Value) {
    let live = LiveFeed::new(netqoe_model::metrics::Metrics::new());
    let api = QueryApi::new(reader, &Rules::default(), live, CancellationToken::new());
    let api = api.with_clock(Arc::new(|| NOW_MS));
    let (router, document) = measurements.into_iter().fold(api, |api, kept| api.with_measurements(kept)).router();
    (router, serde_json::to_value(document).unwrap())
}

async fn ask(router: &Router, query: &str) -> (u16, Value) {
    get(router, &format!("/api/v1/events?{query}")).await
}

async fn get(router: &Router, path: &str) -> (u16, Value) {
    let request = Request::get(path).body(Body::empty()).unwrap();
    let (head, body) = router.clone().oneshot(request).await.unwrap().into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    (head.status.as_u16(), serde_json::from_slice(&body).unwrap())
}

/// Measured in the first window, and taken a second later.
fn event(position: u64, line: u32, id: &str, rest: &str) -> FoundEvent {
    let ts_ms = START_MS + 1_000;
    let line_text = format!(
        r#"{{"event_id":"{id}","client_id":"c","ts_ms":{ts_ms},"target":"t","timing_measurements":{{}},"error_stage":null{rest}}}"#
    );
    FoundEvent { place: Place { position, line }, log_time_ms: ts_ms + 1_000, line: line_text.into_bytes() }
}

fn failed(position: u64, id: &str, stage: &str, message: &str) -> FoundEvent {
    event(position, 0, id, &format!(r#","error_stage":"{stage}","evidence":{{"error_message":"{message}"}}"#))
}

#[tokio::test]
async fn an_event_is_shown_as_it_was_accepted() {
    let rest = r#","evidence":{"status":200,"peer":"192.0.2.1"},"x":[1.50,{"y":null}],"recv_ts_ms":7"#;
    let kept = Arc::new(Kept { events: vec![event(9, 2, "e1", rest)], ..Kept::default() });
    let (router, document) = api(Some(Arc::clone(&kept)));
    let (status, mut body) = ask(&router, "client_id=c&target=t&from=1000&to=2025-12-06T00:01:00Z").await;
    assert_eq!(status, 200, "{body}");
    let item = body["items"][0].as_object_mut().unwrap();
    let shown = std::mem::take(&mut item["event"]);
    assert_eq!(shown, serde_json::from_slice::<Value>(&kept.events[0].line).unwrap());
    item["event"] = json!({});
    let expected = json!({
        "items": [{
            "event": {}, "log_time": START_MS + 2_000, "window_start_ts": START_MS, "outcome": "accepted", "failure": null,
        }],
        "next_cursor": null, "is_whole": true, "count_total": 1, "count_error": 0, "failures": [], "failed_because": null,
        "kept_since": null,
    });
    assert_eq!(body, expected);
    let schema =
        &document["paths"]["/api/v1/events"]["get"]["responses"]["200"]["content"]["application/json"]["schema"];
    check(&document, schema, &body, "events");

    let asked = kept.asked.lock().unwrap().pop().unwrap();
    let sought = Sought {
        client_id: "c".to_owned(),
        target: Some("t".to_owned()),
        from_ms: 1_000,
        to_ms: START_MS + 60_000,
        before: None,
        late_until_ms: None,
    };
    assert_eq!(asked, sought);
}

#[tokio::test]
async fn failures_are_grouped_by_reason_and_copies_count_once() {
    let refused = "no connection to 192.0.2.1:443: Connection refused (os error 111)";
    let mut events = vec![
        failed(40, "t1", "tcp", "the connection was not established within 30s"),
        failed(39, "t2", "tcp", "the connection was not established within 30s"),
        event(38, 0, "ok", ""),
        event(37, 0, "bare", r#","error_stage":"TLS""#),
        event(36, 0, "odd", r#","error_stage":"http","evidence":"none""#),
    ];
    events.extend((1..18).rev().map(|n| failed(n, &format!("r{n}"), "tcp", refused)));
    // Of the last, the log has a copy; and one more came when its window was closed.
    events.insert(0, failed(41, "r1", "tcp", refused));
    events.insert(0, FoundEvent { log_time_ms: START_MS + 180_001, ..failed(42, "l", "tcp", refused) });
    let kept = Kept { events, kept_since_ms: Some(77), ..Kept::default() };
    let (router, _) = api(Some(Arc::new(kept)));
    let (_, body) = ask(&router, "client_id=c").await;
    assert_eq!((&body["count_total"], &body["count_error"], &body["kept_since"]), (&json!(22), &json!(21), &json!(77)));
    let failures = json!([
        {"stage": "tcp", "reason": "connection refused", "count": 17},
        {"stage": "tcp", "reason": "timeout after 30 s", "count": 2},
        {"stage": "tls", "reason": "failed at TLS, no reason given", "count": 1},
        {"stage": "http", "reason": "failed at HTTP, no reason given", "count": 1},
    ]);
    assert_eq!(body["failures"], failures);
    let line = body["failed_because"].as_str().unwrap();
    assert!(line.starts_with("17 × connection refused, 2 × timeout after 30 s, 1 × "), "{line}");
    let outcomes: Vec<_> =
        body["items"].as_array().unwrap().iter().map(|item| item["outcome"].as_str().unwrap()).collect();
    assert_eq!(outcomes[..3], ["late", "duplicate", "accepted"]);
    assert!(outcomes[2..].iter().all(|outcome| *outcome == "accepted"));
    assert_eq!(body["items"][2]["failure"], "timeout after 30 s");
}

#[tokio::test]
async fn what_came_late_counts_where_a_correction_has_counted_it() {
    let (mut store, reader) = TestStore::sqlite();
    store.commit(PartitionCommit {
        checkpoint: Checkpoint { partition: Partition(0), ..Checkpoint::default() },
        rows: vec![row("c", "t", 0), row("c", "t", 1)],
        clients: Vec::new(),
        dead_letters: Vec::new(),
        looks: Vec::new(),
        waiting: Vec::new(),
        oldest_record: None,
    });
    let corrected_at = START_MS + 7_200_000;
    let file = rusqlite::Connection::open(store.path().unwrap()).unwrap();
    let correct = "UPDATE agg_1m SET revision = 1, as_of = ?1 WHERE window_start_ts = ?2";
    assert_eq!(file.execute(correct, [corrected_at, START_MS]).unwrap(), 1);
    let taken = |log_time_ms, found: FoundEvent| FoundEvent { log_time_ms, ..found };
    let next_window = |found: FoundEvent| {
        let line = String::from_utf8(found.line).unwrap();
        FoundEvent {
            line: line.replace(&(START_MS + 1_000).to_string(), &(START_MS + 61_000).to_string()).into(),
            ..found
        }
    };
    let events = vec![
        taken(corrected_at + 1, event(9, 0, "not yet", "")),
        taken(corrected_at, event(8, 0, "late", "")),
        taken(corrected_at - 1, event(7, 0, "in time", "")),
        taken(corrected_at - 2, next_window(event(6, 0, "its window was not corrected", ""))),
        event(1, 0, "in time", ""),
    ];
    let kept = Arc::new(Kept { events, ..Kept::default() });
    let (router, _) = api_over(reader, Some(Arc::clone(&kept)));
    let (status, body) =
        ask(&router, &format!("client_id=c&target=t&from={}&to={}", START_MS + 500, START_MS + 120_000)).await;
    assert_eq!(status, 200, "{body}");
    let outcomes: Vec<_> = body["items"].as_array().unwrap().iter().map(|item| &item["outcome"]).collect();
    assert_eq!(outcomes, ["late", "accepted", "duplicate", "late", "accepted"]);
    assert_eq!(body["count_total"], 2);
    assert_eq!(kept.asked.lock().unwrap().pop().unwrap().late_until_ms, Some(corrected_at));

    let (_, body) = ask(&router, "client_id=d").await;
    assert_eq!(body["count_total"], 1, "rows of others say nothing of it");
    assert_eq!(kept.asked.lock().unwrap().pop().unwrap().late_until_ms, None);
}

#[tokio::test]
async fn pages_follow_one_another_without_a_gap() {
    let events: Vec<_> = (0..25).rev().map(|n| event(n / 3, (n % 3) as u32, &format!("e{n}"), "")).collect();
    for (most, limit) in [(None, 4), (Some(3), 4), (Some(7), 4), (None, 1), (Some(1), 1000)] {
        let kept = Kept { events: events.clone(), most, ..Kept::default() };
        let (router, _) = api(Some(Arc::new(kept)));
        let (mut ids, mut cursor) = (Vec::new(), String::new());
        loop {
            let (status, body) = ask(&router, &format!("client_id=c&limit={limit}{cursor}")).await;
            assert_eq!(status, 200, "{body}");
            let items = body["items"].as_array().unwrap();
            assert!(items.len() <= limit);
            ids.extend(items.iter().map(|item| item["event"]["event_id"].as_str().unwrap().to_owned()));
            let Some(next) = body["next_cursor"].as_str() else { break };
            cursor = format!("&cursor={next}");
        }
        let expected: Vec<_> = (0..25).rev().map(|n| format!("e{n}")).collect();
        assert_eq!(ids, expected, "{most:?} {limit}");
    }
}

#[tokio::test]
async fn a_question_that_can_t_be_answered_says_what_to_do() {
    let (router, _) = api(Some(Arc::new(Kept::default())));
    for (query, message) in [
        ("", "whose measurements? give client_id"),
        ("target=t", "whose measurements? give client_id"),
        ("client_id=c&limit=0", "limit must be a whole number from 1 to 1000"),
        ("client_id=c&cursor=zz", "cursor must be the next_cursor of an earlier answer"),
        ("client_id=c&cursor=%00", "cursor must be the next_cursor of an earlier answer"),
        ("client_id=c&from=x", "from must be Unix milliseconds or RFC 3339, as 2026-01-31T12:00:00Z"),
        ("client_id=c&to=1.5", "to must be Unix milliseconds or RFC 3339, as 2026-01-31T12:00:00Z"),
    ] {
        assert_eq!(
            ask(&router, query).await,
            (400, json!({"error": "invalid_request", "message": message})),
            "{query}"
        );
    }
    for query in ["client_id=c&client_id=d", "client_id=c&label=x"] {
        let (status, body) = ask(&router, query).await;
        assert_eq!((status, &body["error"]), (400, &json!("invalid_request")), "{query}");
    }
    for (from, to) in [(i64::MIN, i64::MAX), (i64::MAX, i64::MIN), (i64::MIN, i64::MIN)] {
        assert_eq!(ask(&router, &format!("client_id=c&from={from}&to={to}")).await.0, 200);
    }

    let (without_log, _) = api(None);
    let (status, body) = ask(&without_log, "client_id=c").await;
    assert_eq!((status, &body["error"]), (404, &json!("not_found")));
    assert!(body["message"].as_str().unwrap().contains("has no log"), "{body}");

    let secret = "nats://10.0.0.1 is away";
    for (error, message) in [
        (MeasurementsError::Busy, "others are looking at measurements; ask again in a moment"),
        (MeasurementsError::Unavailable(secret.to_owned()), "the log can't be read now; see the server's log"),
    ] {
        let (router, _) = api(Some(Arc::new(Kept { fails_with: Some(error), ..Kept::default() })));
        let expected = json!({"error": "service_unavailable", "message": message, "retry_after": 1});
        assert_eq!(ask(&router, "client_id=c").await, (503, expected));
    }
}

#[tokio::test]
async fn measurements_inside_a_region_are_compared_with_those_outside() {
    let with = |position: u64, minute: i64, rest: &str| {
        let found = event(position, 0, &format!("e{position}"), rest);
        let ts = format!("\"ts_ms\":{}", minute_ms(minute));
        let line = String::from_utf8(found.line).unwrap().replace(&format!("\"ts_ms\":{}", START_MS + 1_000), &ts);
        FoundEvent { line: line.into_bytes(), ..found }
    };
    let (old, new) = (r#","evidence":{"status":200,"ip_version":4}"#, r#","evidence":{"status":503,"ip_version":4}"#);
    let events = vec![with(5, 9, old), with(4, 6, new), with(3, 5, new), with(2, 5, old), with(1, 1, old)];
    let kept = Arc::new(Kept { events, kept_since_ms: Some(7), ..Kept::default() });
    let (router, document) = api(Some(Arc::clone(&kept)));
    let question = format!(
        "client_id=c&target=t&from={}&to={}&inside_from={}&inside_to={}",
        minute_ms(0),
        minute_ms(10),
        minute_ms(5),
        minute_ms(7)
    );
    let path = "/api/v1/different/measurements";
    let (status, body) = get(&router, &format!("{path}?{question}")).await;
    let value = |value: &str, [inside, outside]: [u64; 2], [inside_share, outside_share]: [f64; 2]| {
        json!({"value": value, "inside": inside, "outside": outside, "inside_share": inside_share,
            "outside_share": outside_share, "difference": inside_share - outside_share})
    };
    let (third, two_thirds) = (1.0 / 3.0, 2.0 / 3.0);
    let expected = json!({
        "inside": 3, "outside": 2, "is_whole": true, "kept_since": 7,
        "dimensions": [
            {"dimension": "status", "values": [value("200", [1, 2], [third, 1.0]), value("503", [2, 0], [two_thirds, 0.0])]},
            {"dimension": "ip_version", "values": [value("IPv4", [3, 2], [1.0, 1.0])]},
        ],
    });
    assert_eq!((status, &body), (200, &expected));
    let schema = &document["paths"][path]["get"]["responses"]["200"]["content"]["application/json"]["schema"];
    check(&document, schema, &body, "different");
    let times: Vec<_> = kept.sampled.lock().unwrap().iter().map(|one| (one.from_ms, one.to_ms)).collect();
    let minutes = |from, to| (minute_ms(from), minute_ms(to));
    assert_eq!(times, [minutes(5, 7), minutes(0, 5), minutes(7, 10)]);

    for (wrong, message) in [
        ("inside_from=1", "which region? give inside_from and inside_to"),
        ("inside_from=2&inside_to=2", "the region is empty; inside_from must be before inside_to"),
    ] {
        let expected = json!({"error": "invalid_request", "message": message});
        assert_eq!(get(&router, &format!("{path}?{wrong}")).await, (400, expected));
    }
    let (without_log, _) = api(None);
    assert_eq!(get(&without_log, &format!("{path}?inside_from=1&inside_to=2")).await.0, 404);
}

#[tokio::test]
async fn labels_are_explained_with_the_figures_of_the_rules() {
    let (router, document) = api(None);
    let (status, body) = get(&router, "/api/v1/labels").await;
    assert_eq!((status, &body["rules"]), (200, &json!("steady")));
    let labels: Vec<_> = body["labels"].as_array().unwrap().iter().map(|of| of["label"].as_str().unwrap()).collect();
    assert_eq!(labels, netqoe_model::Label::ALL.map(netqoe_model::Label::as_str));
    let of_dns = body["labels"][1]["when"][0].as_str().unwrap();
    assert!(of_dns.starts_with("DNS is at least 1.5 times the usual time, at least 20 ms above it"), "{of_dns}");
    let schema =
        &document["paths"]["/api/v1/labels"]["get"]["responses"]["200"]["content"]["application/json"]["schema"];
    check(&document, schema, &body, "labels");
}
