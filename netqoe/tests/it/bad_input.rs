//! Rubbish over the wire: each kind gets its documented answer, costs no neighbour, and leaves the server as it was.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::json;

use crate::support::{
    Answer, JSON, NDJSON, NO_RATE, Server, event, event_ids, eventually, export, metric, post, send_as_it_is,
};

/// The only token that the server knows.
const TOKEN: (&str, &str) = ("Authorization", "Bearer a-secret");
const GZIP: (&str, &str) = ("Content-Encoding", "gzip");
/// The longest body that the server takes.
const MAX_BODY_BYTES: usize = 4 << 20;
const MEBIBYTE: usize = 1 << 20;

/// A documented error: its status, its code, a message for people, and no word of the token.
#[track_caller]
fn check(what: &str, answer: &Answer, status: u16, error: &str) {
    assert_eq!((answer.status, answer.json()["error"].as_str()), (status, Some(error)), "{what}: {answer:?}");
    assert!(answer.json()["message"].as_str().unwrap().len() > 20, "{what}: {answer:?}");
    assert_eq!(answer.header("content-type"), Some("application/json"), "{what}");
    assert!(!answer.body.contains("a-secret"), "{what}");
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// An event as text, with one of its measurements replaced.
fn with_dns(value: &str) -> Vec<u8> {
    event("e", "c").to_string().replace("15.3", value).into_bytes()
}

fn utf16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

/// What a body is, the headers beside the token, the body, and the answer.
type Case = (&'static str, Vec<(&'static str, &'static str)>, Vec<u8>, u16, &'static str);

fn cases() -> Vec<Case> {
    let good = event("e", "c").to_string();
    let nested = format!("{}{}", "[".repeat(MEBIBYTE), "]".repeat(MEBIBYTE));
    let squeezed = gzip(good.as_bytes());
    let text = |text: &str| text.as_bytes().to_vec();
    let invalid = (400, "invalid_request");
    let case = |what, headers: &[_], body, (status, error)| (what, headers.to_vec(), body, status, error);
    vec![
        case("malformed", &[JSON], text("{\"event_id\":"), invalid),
        case("malformed lines", &[NDJSON], text("{\n}\n{{"), invalid),
        case("wrong type", &[JSON], text("\"event\""), invalid),
        case("wrong type of a member", &[JSON], with_dns("\"fast\""), invalid),
        case("NaN", &[JSON], with_dns("NaN"), invalid),
        case("negative", &[JSON], with_dns("-1"), invalid),
        case("huge number", &[JSON], with_dns("1e999"), invalid),
        case("huge measurement", &[JSON], with_dns("1e13"), invalid),
        case("nested", &[JSON], nested.clone().into_bytes(), invalid),
        case("nested in an event", &[JSON], with_dns(&nested), invalid),
        case("nested in a line", &[NDJSON], with_dns(&nested), invalid),
        case("nested and never closed", &[JSON], "[".repeat(MEBIBYTE).into_bytes(), invalid),
        case("empty", &[JSON], Vec::new(), invalid),
        case("empty array", &[JSON], text("[]"), invalid),
        case("empty lines", &[NDJSON], text("\n \n"), invalid),
        case("UTF-16", &[JSON], utf16(&good), invalid),
        case("not as it says", &[JSON, GZIP], text(&good), invalid),
        case("cut short", &[JSON, GZIP], squeezed[..squeezed.len() - 9].to_vec(), invalid),
        case("bomb", &[JSON, GZIP], gzip(&vec![b' '; 64 * MEBIBYTE]), (413, "payload_too_large")),
        case("form", &[("Content-Type", "text/plain")], text(&good), (415, "unsupported_media_type")),
        case(
            "charset",
            &[("Content-Type", "application/json; charset=latin1")],
            text(&good),
            (415, "unsupported_media_type"),
        ),
        case("unknown compression", &[JSON, ("Content-Encoding", "br")], text(&good), (415, "unsupported_media_type")),
        case(
            "schema",
            &[JSON],
            text(&good.replace("{\"client_id\"", "{\"schema_version\":2,\"client_id\"")),
            (400, "invalid_schema_version"),
        ),
        case("event id", &[JSON], event("", "c").to_string().into_bytes(), (400, "invalid_event_id")),
        case("time", &[JSON], text(&good.replace("\"ts_ms\":", "\"ts_ms\":-")), (400, "invalid_timestamp")),
    ]
}

#[test]
fn each_kind_gets_its_answer_and_leaves_the_server_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let (server, port) = start(folder.path());
    for (what, mut headers, body, status, error) in cases() {
        headers.push(TOKEN);
        check(what, &post(port, &headers, &body).unwrap(), status, error);
    }
    let announced = (MAX_BODY_BYTES + 1).to_string();
    let headers = [("Host", "localhost"), ("Connection", "close"), ("Content-Length", &announced), JSON, TOKEN];
    let answer = send_as_it_is(port, "POST", "/api/v1/events", &headers, b"{").unwrap();
    check("over the limit", &answer, 413, "payload_too_large");

    let good = event("good", "c").to_string();
    for (what, headers) in [
        ("no token", &[JSON][..]),
        ("wrong token", &[JSON, ("Authorization", "Bearer a-guess")]),
        ("demo token", &[JSON, crate::support::DEMO_TOKEN]),
        ("another scheme", &[JSON, ("Authorization", "Basic a-secret")]),
    ] {
        check(what, &post(port, headers, &good).unwrap(), 401, "unauthorized");
    }
    check("query without a token", &crate::support::get(port, "/api/v1/clients").unwrap(), 401, "unauthorized");

    assert_eq!(post(port, &[JSON, TOKEN], &good).unwrap().status, 200);
    eventually("what is good counts", || {
        metric(port, "telemetry_events_processed_total{status=\"success\"}") == Some(1.0)
    });
    server.stop();
    assert_eq!(event_ids(&export(folder.path())).iter().collect::<Vec<_>>(), ["good"], "nothing else is in the log");
}

#[test]
fn neighbours_in_a_batch_are_not_lost() {
    let folder = tempfile::tempdir().unwrap();
    let (server, port) = start(folder.path());
    let nested = format!("{}{}", "[".repeat(1000), "]".repeat(1000));
    let bad: Vec<_> =
        ["-1", "1e999", "\"fast\"", &nested].map(|value| String::from_utf8(with_dns(value)).unwrap()).into();
    let good = |number: usize| event(&format!("good-{number}"), "c").to_string();
    let mixed: Vec<_> = bad.iter().enumerate().flat_map(|(number, bad)| [good(number), bad.clone()]).collect();
    for (form, body) in [(JSON, format!("[{}]", mixed.join(","))), (NDJSON, mixed.join("\n"))] {
        let answer = post(port, &[form, TOKEN], &body).unwrap();
        let json = answer.json();
        assert_eq!((answer.status, &json["accepted"], &json["rejected"]), (200, &json!(4), &json!(4)), "{json}");
        let errors = json["errors"].as_array().unwrap();
        assert_eq!(errors.iter().map(|error| &error["index"]).collect::<Vec<_>>(), [1, 3, 5, 7]);
        assert!(errors.iter().all(|error| error["error"] == "invalid_request" && error["message"].is_string()));
    }
    // Of lines, even what is no JSON costs only itself.
    let answer = post(port, &[NDJSON, TOKEN], format!("{{NaN\n{}\n\u{0}", good(4))).unwrap();
    assert_eq!((&answer.json()["accepted"], &answer.json()["rejected"]), (&json!(1), &json!(2)), "{answer:?}");
    server.stop();
    let expected: Vec<_> = (0..5).map(|number| format!("good-{number}")).collect();
    assert_eq!(event_ids(&export(folder.path())).into_iter().collect::<Vec<_>>(), expected);
}

fn start(data: &std::path::Path) -> (Server, u16) {
    let max_body_bytes = MAX_BODY_BYTES.to_string();
    let options = [&NO_RATE[..], &["--tokens", "a-secret", "--max-body-bytes", &max_body_bytes]].concat();
    Server::start_and_wait(data, &options)
}
