//! How the pipeline is, as its parts tell it.

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::Request;
use futures::FutureExt;
use futures::future::BoxFuture;
use http_body_util::BodyExt;
use netqoe_model::metrics::Metrics;
use netqoe_model::{Checkpoint, Example, Ledger, LeftOut, LogTime, Partition, Position, Uncounted};
use netqoe_query::{
    DeadLetters, DeadLettersError, Delays, LetterPage, LiveFeed, Part, PartitionProgress, PipelineApi, PipelineState,
    PipelineView, UncountedEvents,
};
use serde_json::{Value, json};
use tower::ServiceExt;

/// Says always the same.
pub(crate) struct Still;

impl PipelineView for Still {
    fn look(&self) -> PipelineState {
        let checkpoint = Checkpoint {
            partition: Partition(3),
            resume_from: Position(5),
            processed: Position(7),
            log_time: LogTime::from_ms(1_765_000_000_000),
            ledger: Ledger::default(),
        };
        PipelineState {
            version: "1.2.3",
            uptime_s: 9,
            process: 0,
            processes: 2,
            log: Part::new("jetstream", Err("it is away".to_owned())),
            store: Part::new("postgres", Ok(())),
            pipeline: Part::new("dataflow", Ok(())),
            events: Ledger { read: 10, accepted: 4, duplicate: 3, late: 2, invalid: 1 }.into(),
            events_per_s: 1.5,
            rows_per_s: 0.5,
            processing_delay: Some(Delays { p50_ms: 1, p95_ms: 2, p99_ms: 3 }),
            open_windows: 11,
            tracked_pairs: 12,
            refused_pair_events: 14,
            forgotten_pairs: 15,
            lag_records: 13,
            oldest_waiting_ms: None,
            partitions: vec![
                PartitionProgress::new(&Checkpoint::default(), 0, Some(0)),
                PartitionProgress::new(&checkpoint, 1, None),
            ],
        }
    }
}

/// Letters that can't be reached.
struct Away;

impl DeadLetters for Away {
    fn count(&self) -> BoxFuture<'_, Result<u64, DeadLettersError>> {
        async { Err(DeadLettersError::Unavailable("secret/path is away".to_owned())) }.boxed()
    }

    fn page(&self, _: Option<String>, _: usize) -> BoxFuture<'_, Result<Option<LetterPage>, DeadLettersError>> {
        async { Err(DeadLettersError::Unavailable("secret/path is away".to_owned())) }.boxed()
    }

    fn replay(&self, _: String) -> BoxFuture<'_, Result<bool, DeadLettersError>> {
        async { Err(DeadLettersError::Unavailable("secret/path is away".to_owned())) }.boxed()
    }

    fn how_to_replay(&self) -> String {
        "not at all".to_owned()
    }
}

/// The status and the body of an answer.
pub(crate) async fn send(router: &Router, method: &str, path: &str) -> (u16, Value) {
    let request = Request::builder().method(method).uri(path).body(Body::empty()).unwrap();
    let (head, body) = router.clone().oneshot(request).await.unwrap().into_parts();
    let body: Bytes = body.collect().await.unwrap().to_bytes();
    (head.status.as_u16(), serde_json::from_slice(&body).unwrap_or_default())
}

#[tokio::test]
async fn a_pipeline_is_shown_whole() {
    let live = LiveFeed::new(Metrics::new());
    let (router, _) = PipelineApi::new(Arc::new(Still), live, Arc::new(Away), true).router();
    let (status, body) = send(&router, "GET", "/api/v1/pipeline").await;
    assert_eq!(status, 200);
    let expected = json!({
        "version": "1.2.3", "uptime_s": 9, "process": 0, "processes": 2,
        "log": {"kind": "jetstream", "healthy": false, "message": "it is away"},
        "store": {"kind": "postgres", "healthy": true, "message": null},
        "pipeline": {"kind": "dataflow", "healthy": true, "message": null},
        "events": {"read": 10, "accepted": 4, "duplicate": 3, "late": 2, "invalid": 1},
        "events_per_s": 1.5, "rows_per_s": 0.5, "processing_delay": {"p50_ms": 1, "p95_ms": 2, "p99_ms": 3},
        "open_windows": 11, "tracked_pairs": 12, "refused_pair_events": 14, "forgotten_pairs": 15, "lag_records": 13, "oldest_waiting_ms": null,
        "partitions": [
            {"partition": 0, "worker": 0, "processed": 0, "resume_from": 0, "log_time": null, "waiting_records": 0},
            {"partition": 3, "worker": 1, "processed": 7, "resume_from": 5, "log_time": 1_765_000_000_000_i64,
                "waiting_records": null},
        ],
        "dead_letters": null, "live_readers": 0,
    });
    assert_eq!(body, expected);
}

#[tokio::test]
async fn letters_that_are_away_are_said_to_be_without_saying_where() {
    let (router, _) = PipelineApi::new(Arc::new(Still), LiveFeed::new(Metrics::new()), Arc::new(Away), true).router();
    for (method, path) in [("GET", "/api/v1/dead-letters"), ("POST", "/api/v1/dead-letters/1/replay")] {
        let (status, body) = send(&router, method, path).await;
        assert_eq!((status, &body["error"]), (503, &json!("service_unavailable")));
        assert!(!body.to_string().contains("secret"), "{body}");
    }
}

#[tokio::test]
async fn events_that_are_not_counted_are_told_by_reason_and_range() {
    let noted = Uncounted::since(1_000);
    let example = Example { client_id: Some("<b>\u{202e}"), target: None, message: "no valid time" };
    noted.note(60_000, LeftOut::Refused, "invalid_timestamp", 2, example);
    noted.note(125_000, LeftOut::Late, "late", 3, Example { target: Some("t"), ..example });
    let events = UncountedEvents { noted, has_refused: true, has_all_partitions: false };
    let api = PipelineApi::new(Arc::new(Still), LiveFeed::new(Metrics::new()), Arc::new(Away), true);
    let (router, _) = api.clone().with_uncounted(events).router();
    let item = |left_out: &str, reason: &str, count: u64, at: i64, target: Option<&str>| {
        let last = json!({"at": at, "client_id": "<b>\u{202e}", "target": target, "message": "no valid time"});
        json!({"left_out": left_out, "reason": reason, "count": count, "last": last})
    };
    let (late, refused) =
        (item("late", "late", 3, 125_000, Some("t")), item("refused", "invalid_timestamp", 2, 60_000, None));
    for (query, items) in [
        ("", json!([late, refused])),
        ("?from=60001&to=120000", json!([refused])),
        ("?from=1970-01-01T00:02:00Z", json!([late])),
        ("?to=60000", json!([])),
    ] {
        let (status, body) = send(&router, "GET", &format!("/api/v1/uncounted{query}")).await;
        let expected =
            json!({"items": items, "counted_since": 1_000, "counts_refused": true, "counts_all_partitions": false});
        assert_eq!((status, body), (200, expected), "{query}");
    }
    for wrong in ["?from=yesterday", "?client_id=c"] {
        let (status, body) = send(&router, "GET", &format!("/api/v1/uncounted{wrong}")).await;
        assert_eq!((status, &body["error"]), (400, &json!("invalid_request")), "{wrong}");
    }

    let (router, _) = api.router();
    let nothing = json!({"items": [], "counted_since": null, "counts_refused": false, "counts_all_partitions": false});
    assert_eq!(send(&router, "GET", "/api/v1/uncounted").await, (200, nothing));
}
