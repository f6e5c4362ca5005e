//! Letters as they are shown, whatever is in them, and who may try them again.

use std::sync::{Arc, Mutex};

use axum::Router;
use futures::FutureExt;
use futures::future::BoxFuture;
use netqoe_model::metrics::Metrics;
use netqoe_query::{DeadLetters, DeadLettersError, Letter, LetterPage, LiveFeed, PipelineApi};
use serde_json::{Value, json};

use crate::pipeline::{Still, send};

const LETTERS: &str = "/api/v1/dead-letters";

/// Letters in memory, whose ids are their places.
struct Kept(Mutex<Vec<Letter>>);

impl DeadLetters for Kept {
    fn count(&self) -> BoxFuture<'_, Result<u64, DeadLettersError>> {
        async { Ok(self.0.lock().unwrap().len() as u64) }.boxed()
    }

    fn page(&self, after: Option<String>, limit: usize) -> BoxFuture<'_, Result<Option<LetterPage>, DeadLettersError>> {
        async move {
            let Ok(start) = after.map_or(Ok(0), |after| after.parse::<usize>()) else { return Ok(None) };
            let letters = self.0.lock().unwrap();
            let page = letters.iter().skip(start).take(limit).cloned().collect();
            let next = (start + limit < letters.len()).then(|| (start + limit).to_string());
            Ok(Some(LetterPage { letters: page, next }))
        }
        .boxed()
    }

    fn replay(&self, id: String) -> BoxFuture<'_, Result<bool, DeadLettersError>> {
        async move {
            if id == "cut" {
                return Err(DeadLettersError::Cut("its original is message 9 of the log".to_owned()));
            }
            let mut letters = self.0.lock().unwrap();
            let place = letters.iter().position(|letter| letter.id == id);
            Ok(place.map(|place| letters.remove(place)).is_some())
        }
        .boxed()
    }

    fn how_to_replay(&self) -> String {
        "netqoe dlq replay ID".to_owned()
    }
}

fn letter(id: &str, original: &[u8]) -> Letter {
    Letter {
        id: id.to_owned(),
        partition: Some(3),
        log_time_ms: 1_765_000_000_000,
        reason: "no JSON".to_owned(),
        original: original.to_vec(),
        bytes: original.len() as u64,
    }
}

fn api(letters: &[Letter], only_from_this_machine: bool) -> Router {
    let letters = Arc::new(Kept(Mutex::new(letters.to_vec())));
    PipelineApi::new(Arc::new(Still), LiveFeed::new(Metrics::new()), letters, only_from_this_machine).router().0
}

async fn ids(router: &Router, query: &str) -> (Vec<String>, Value) {
    let (status, body) = send(router, "GET", &format!("{LETTERS}?{query}")).await;
    assert_eq!(status, 200, "{body}");
    let ids = body["items"].as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap().to_owned());
    (ids.collect(), body["next_cursor"].clone())
}

#[tokio::test]
async fn what_is_in_a_letter_is_shown_as_text() {
    let hostile = "<script>alert(1)</script>\u{202e}\u{0}\u{7f}🦀".as_bytes();
    let megabyte = vec![b'y'; 1 << 20];
    let router = api(&[letter("a", hostile), letter("b", b"\xff\xfe{"), letter("c", &megabyte)], true);
    let (_, body) = send(&router, "GET", LETTERS).await;
    let first = json!({
        "id": "a", "partition": 3, "log_time": 1_765_000_000_000_i64, "reason": "no JSON",
        "original": String::from_utf8(hostile.to_vec()).unwrap(), "bytes": hostile.len(), "is_cut": false,
    });
    assert_eq!(body["items"][0], first);
    assert_eq!((&body["items"][1]["original"], &body["items"][1]["bytes"]), (&json!("\u{fffd}\u{fffd}{"), &json!(3)));
    let long = &body["items"][2];
    assert_eq!((long["original"].as_str().unwrap().len(), &long["bytes"]), (4096, &json!(1 << 20)));
    assert_eq!(long["is_cut"], true);
    assert_eq!((&body["next_cursor"], &body["may_replay"]), (&json!(null), &json!(true)));
    let (_, body) = send(&router, "GET", "/api/v1/pipeline").await;
    assert_eq!(body["dead_letters"], 3);
}

#[tokio::test]
async fn letters_come_in_pages() {
    let letters: Vec<_> = (0..5).map(|number| letter(&number.to_string(), b"x")).collect();
    let router = api(&letters, true);
    assert_eq!(ids(&router, "limit=2").await, (vec!["0".to_owned(), "1".to_owned()], json!("2")));
    assert_eq!(ids(&router, "limit=2&cursor=4").await, (vec!["4".to_owned()], json!(null)));
    for query in ["limit=0", "limit=101", "limit=x", "cursor=x", "cursor=%00", "cursor=", "client_id=c"] {
        let (status, body) = send(&router, "GET", &format!("{LETTERS}?{query}")).await;
        assert_eq!((status, &body["error"]), (400, &json!("invalid_request")), "{query}");
    }
}

#[tokio::test]
async fn a_letter_is_replayed_once() {
    let router = api(&[letter("3-7-0", b"x")], true);
    let replay = format!("{LETTERS}/3-7-0/replay");
    assert_eq!(send(&router, "POST", &replay).await, (200, json!({"replayed": true})));
    for path in [
        &replay,
        "/api/v1/dead-letters/%00/replay",
        "/api/v1/dead-letters/%ff/replay",
        "/api/v1/dead-letters/..%2F/replay",
    ] {
        let (status, body) = send(&router, "POST", path).await;
        assert_eq!((status, &body["error"]), (404, &json!("not_found")), "{path}");
    }
    let (status, body) = send(&router, "POST", &format!("{LETTERS}/cut/replay")).await;
    assert_eq!((status, &body["error"]), (409, &json!("conflict")));
    assert!(body["message"].as_str().unwrap().ends_with("its original is message 9 of the log"), "{body}");
}

#[tokio::test]
async fn where_others_reach_the_server_nothing_is_replayed() {
    let router = api(&[letter("3-7-0", b"x")], false);
    let (_, body) = send(&router, "GET", LETTERS).await;
    assert_eq!((&body["may_replay"], &body["how_to_replay"]), (&json!(false), &json!("netqoe dlq replay ID")));
    assert_eq!(send(&router, "POST", &format!("{LETTERS}/3-7-0/replay")).await.0, 404);
    assert_eq!(ids(&router, "").await.0, ["3-7-0"]);
}
