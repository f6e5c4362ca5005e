//! The live stream: rows as they are published, what a slow reader missed, and its end.

use std::time::Duration;

use axum::body::BodyDataStream;
use futures::StreamExt;
use netqoe_model::{AggregateRow, Label};
use serde_json::{Value, json};

use crate::support::*;

/// Long enough for any machine; what takes this long never comes.
const PATIENCE: Duration = Duration::from_secs(60);
/// Commits that are kept for a slow reader.
const KEPT_COMMITS: usize = 256;

/// A reader of the stream, and what it has received and not looked at.
struct Reader {
    stream: BodyDataStream,
    text: String,
}

impl Reader {
    async fn open(api: &Api, query: &str) -> Self {
        let response = api.open(&format!("/api/v1/live?{query}")).await;
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Self { stream: response.into_body().into_data_stream(), text: String::new() }
    }

    /// The next event and its data; none once the stream has ended.
    async fn next(&mut self) -> Option<(String, Value)> {
        loop {
            if let Some((event, rest)) = self.text.split_once("\n\n") {
                let (event, rest) = (event.to_owned(), rest.to_owned());
                self.text = rest;
                let field = |name: &str| event.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
                let data = serde_json::from_str(field("data:").unwrap()).unwrap();
                return Some((field("event:").unwrap().to_owned(), data));
            }
            let chunk = tokio::time::timeout(PATIENCE, self.stream.next()).await.unwrap()?.unwrap();
            self.text += std::str::from_utf8(&chunk).unwrap();
        }
    }

    /// The name of the next row.
    async fn next_name(&mut self) -> String {
        let (event, data) = self.next().await.unwrap();
        assert_eq!(event, "row");
        name(&data)
    }
}

fn publish(api: &Api, rows: &[AggregateRow]) {
    api.live.publish(rows.into());
}

#[tokio::test]
async fn a_row_comes_as_it_is_published_with_its_evidence() {
    let api = Api::with(&[]);
    assert!(!api.live.has_readers());
    let mut reader = Reader::open(&api, "").await;
    assert!(api.live.has_readers());
    publish(&api, &[diagnosed(row("c", "t", 0), Label::DnsBound), row("c", "t", 1)]);

    let (event, data) = reader.next().await.unwrap();
    assert_eq!((event.as_str(), name(&data).as_str()), ("row", "c t 0"));
    assert_eq!((&data["dns_p95"], &data["is_final"]), (&json!(15.301), &json!(true)));
    assert_eq!(data["diagnosis_label"], "dns-bound");
    assert_eq!(data["diagnosis"]["severity"], "major");
    assert_eq!(data["diagnosis"]["evidence"]["unit"], "ms");
    let (_, data) = reader.next().await.unwrap();
    assert_eq!((name(&data).as_str(), &data["diagnosis"]), ("c t 1", &json!(null)));
}

#[tokio::test]
async fn rows_come_to_every_reader_that_wants_them() {
    let rows = [
        row("a", "t", 0),
        diagnosed(row("a", "u", 1), Label::ServerBound),
        row("b", "t", 1),
        diagnosed(row("b", "u", 2), Label::Healthy),
    ];
    let (from, to) = (minute_ms(1), minute_ms(2));
    for (query, expected) in [
        ("", &["a t 0", "a u 1", "b t 1", "b u 2"][..]),
        ("client_id=a", &["a t 0", "a u 1"]),
        ("target=t", &["a t 0", "b t 1"]),
        ("client_id=b&target=t", &["b t 1"]),
        (&format!("from={from}"), &["a u 1", "b t 1", "b u 2"]),
        (&format!("to={to}"), &["a t 0", "a u 1", "b t 1"]),
        ("label=server-bound", &["a u 1"]),
        ("label=healthy", &["b u 2"]),
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
async fn a_slow_reader_is_told_what_it_missed_and_goes_on() {
    let api = Api::with(&[]);
    let mut reader = Reader::open(&api, "").await;
    let published = KEPT_COMMITS + 10;
    for minute in 0..published {
        publish(&api, &[row("c", "t", minute as i64)]);
    }
    assert_eq!(reader.next().await.unwrap(), ("lagged".to_owned(), json!({"missed_commits": 10})));
    for minute in 10..published {
        assert_eq!(reader.next_name().await, format!("c t {minute}"));
    }
}

#[tokio::test]
async fn streams_end_when_the_server_stops() {
    let api = Api::with(&[]);
    let (mut idle, mut busy) = (Reader::open(&api, "").await, Reader::open(&api, "").await);
    publish(&api, &[row("c", "t", 0)]);
    assert_eq!(busy.next_name().await, "c t 0");
    assert_eq!(idle.next_name().await, "c t 0");
    api.stop.cancel();
    assert_eq!(idle.next().await, None);
    assert_eq!(busy.next().await, None);
    assert_eq!(Reader::open(&api, "").await.next().await, None, "who comes later finds it ended");
}
