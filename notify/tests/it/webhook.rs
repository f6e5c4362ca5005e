//! Receivers that are reached by HTTP.

use std::net::TcpListener;
use std::path::Path;
use std::time::Duration;

use hmac::{Hmac, KeyInit, Mac};
use netqoe_model::{Cause, Dimension, Severity};
use netqoe_notify::{Message, MessageEvent, NotifyConfig, Outcome, Receiver};
use serde_json::Value;
use sha2::Sha256;
use tempfile::TempDir;

use crate::server::{HttpServer, Request, answer, certificate};

const SECRET_PATH: &str = "/hooks/s3cr3t";
const KEY: &str = "topsecret";

fn ok(_: &Request) -> String {
    answer("200 OK", "", "ok")
}

/// The receiver of one table, whose files are in this folder.
fn receiver(folder: &Path, table: &str) -> Receiver {
    let text = format!("page_url = 'https://netqoe.example.org/'\n[[receiver]]\nname = 'ops'\n{table}");
    let text = text.replace("FOLDER", folder.to_str().unwrap());
    let mut notify = text.parse::<toml::Table>().unwrap();
    Receiver::open(&NotifyConfig::take(&mut notify).unwrap().receivers[0]).unwrap()
}

/// A webhook with its URL and key in files.
fn webhook(folder: &Path, url: &str) -> Receiver {
    std::fs::write(folder.join("url"), format!("{url}\n")).unwrap();
    std::fs::write(folder.join("key"), format!("{KEY}\n")).unwrap();
    receiver(folder, "kind = 'webhook'\nurl_file = 'FOLDER/url'\nhmac_key_file = 'FOLDER/key'\ntimeout = '30s'")
}

fn deliver(receiver: &Receiver, messages: &[Message]) -> Outcome {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(receiver.deliver(messages, 1_700_000_000_000))
}

/// As a receiver verifies it.
fn is_signed(request: &Request) -> bool {
    let Some((time, proof)) = request.headers["netqoe-signature"].split_once(",v1=") else { return false };
    let signed = format!("{}.{}", time.strip_prefix("t=").unwrap(), request.body);
    let mac = Hmac::<Sha256>::new_from_slice(KEY.as_bytes()).unwrap().chain_update(signed);
    let expected: String = mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    proof == expected
}

fn message(event: MessageEvent) -> Message {
    let cause = Cause { dimension: Dimension::IspTarget, value: vec!["isp-a".into(), "https://x".into()] };
    let previous_cause = Some(Cause { dimension: Dimension::Everything, value: vec![] });
    let id = "00000000000000aa-3".to_owned();
    let message = Message { id, event, cause, severity: Severity::Critical, closed_ms: None, ..Message::test(0) };
    match event {
        MessageEvent::Changed => Message { previous_severity: Some(Severity::Minor), previous_cause, ..message },
        MessageEvent::Closed => Message { closed_ms: Some(1), ..message },
        MessageEvent::Withdrawn => {
            Message { closed_ms: Some(1), withdrawn_because: Some("gone".to_owned()), ..message }
        }
        _ => message,
    }
}

#[test]
fn a_webhook_gets_signed_json_of_the_published_schema() {
    use MessageEvent::{Changed, Closed, Opened, Test, Withdrawn};
    let schema: Value = serde_json::from_str(include_str!("../../../docs/notification.schema.json")).unwrap();
    let (mut schemas, mut compiler) = (boon::Schemas::new(), boon::Compiler::new());
    compiler.add_resource("notification.schema.json", schema).unwrap();
    let schema = compiler.compile("notification.schema.json", &mut schemas).unwrap();

    let folder = TempDir::new().unwrap();
    let server = HttpServer::start(ok);
    let receiver = webhook(folder.path(), &format!("http://{}{SECRET_PATH}", server.address));
    let all = [Opened, Changed, Closed, Withdrawn, Test].map(message);
    assert_eq!(deliver(&receiver, &all), Outcome::Delivered);
    let request = server.request();
    assert_eq!(request.line, format!("POST {SECRET_PATH} HTTP/1.1"));
    assert_eq!(request.headers["content-type"], "application/json");
    assert_eq!(request.headers["host"], server.address.to_string());
    assert!(is_signed(&request) && request.headers["netqoe-signature"].starts_with("t=1700000000,"));
    assert!(!is_signed(&Request { body: request.body.replace("critical", "minor"), ..request }), "a change is seen");
    let body: Value = serde_json::from_str(&server_body(&folder, &all)).unwrap();
    schemas.validate(&body, schema).unwrap_or_else(|error| panic!("{error:#}"));
    assert_eq!(body["messages"][0]["url"], "https://netqoe.example.org/?incident=test");
    for (pointer, wrong) in
        [("/version", Value::from(2)), ("/messages/0/event", "exploded".into()), ("/messages/0/pairs", (-1).into())]
    {
        let mut other = body.clone();
        *other.pointer_mut(pointer).unwrap() = wrong;
        assert!(schemas.validate(&other, schema).is_err(), "{pointer}");
    }
    let mut more = body;
    more["messages"][0]["nonesuch"] = 1.into();
    assert!(schemas.validate(&more, schema).is_err(), "the schema names every field");
}

/// The body that a webhook gets of these messages.
fn server_body(folder: &TempDir, messages: &[Message]) -> String {
    let server = HttpServer::start(ok);
    let receiver = webhook(folder.path(), &format!("http://{}", server.address));
    assert_eq!(deliver(&receiver, messages), Outcome::Delivered);
    server.request().body
}

/// What the receiver makes of an answer: delivered, refused or away, and a part of what it says.
#[track_caller]
fn check(status: &'static str, headers: &'static str, body: &str, kind: &str, part: &str) {
    let folder = TempDir::new().unwrap();
    let body = body.to_owned();
    let server = HttpServer::start(move |_| answer(status, headers, &body));
    let receiver = webhook(folder.path(), &format!("http://{}{SECRET_PATH}", server.address));
    let outcome = deliver(&receiver, &[message(MessageEvent::Opened)]);
    let found = match &outcome {
        Outcome::Delivered => "delivered",
        Outcome::Refused { .. } => "refused",
        Outcome::Away { .. } => "away",
    };
    let error = outcome.error().unwrap_or_default();
    assert!(found == kind && error.contains(part), "{outcome:?}");
    assert!(!error.contains("s3cr3t") && !error.contains(char::is_control) && error.len() < 1_000, "{error}");
}

#[test]
fn answers_are_told_apart() {
    check("204 No Content", "", "", "delivered", "");
    check("400 Bad Request", "", "no\r\nsuch \x1b[31m channel", "refused", "answered 400: no such \\u001b[31m channel");
    check("413 Payload Too Large", "", "", "refused", "lower max_grouped");
    check("403 Forbidden", "", "", "away", "see that its URL and secrets are right");
    check("500 Internal Server Error", "", &"x".repeat(100_000), "away", "answered 500");
    check("302 Found", "location: http://127.0.0.1:1/s3cr3t\r\n", "", "away", "redirects are not followed");
    check(
        "200 OK",
        &Box::leak(format!("x: {}\r\n", "y".repeat(100_000)).into_boxed_str())[..],
        "",
        "away",
        "can't reach",
    );
}

#[test]
fn a_receiver_may_ask_to_be_left_alone() {
    let folder = TempDir::new().unwrap();
    let server = HttpServer::start(|_| answer("429 Too Many Requests", "retry-after: 30\r\n", ""));
    let receiver = webhook(folder.path(), &format!("http://{}", server.address));
    let outcome = deliver(&receiver, &[message(MessageEvent::Opened)]);
    assert!(matches!(outcome, Outcome::Away { retry_after: Some(asked), .. } if asked == Duration::from_secs(30)));
}

#[test]
fn a_receiver_that_is_away_or_silent_is_named_without_its_secret() {
    let folder = TempDir::new().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::fs::write(folder.path().join("url"), format!("http://{address}{SECRET_PATH}")).unwrap();
    let silent = receiver(folder.path(), "kind = 'slack'\nurl_file = 'FOLDER/url'\ntimeout = '100ms'");
    let outcome = deliver(&silent, &[message(MessageEvent::Opened)]);
    let error = outcome.error().unwrap();
    assert!(error.contains("did not answer within 100ms") && error.contains(&address.to_string()), "{error}");
    drop(listener);
    let away = webhook(folder.path(), &format!("http://{address}{SECRET_PATH}"));
    let outcome = deliver(&away, &[message(MessageEvent::Opened)]);
    let error = outcome.error().unwrap();
    assert!(error.contains("can't reach") && !error.contains("s3cr3t"), "{error}");
}

#[test]
fn a_certificate_is_verified() {
    let folder = TempDir::new().unwrap();
    let (pem, tls) = certificate();
    std::fs::write(folder.path().join("ca.pem"), pem).unwrap();
    let server = HttpServer::on(TcpListener::bind("127.0.0.1:0").unwrap(), Some(tls), ok);
    let table = |host: &str, ca: &str| {
        let port = server.address.port();
        format!("kind = 'alertmanager'\nurl = 'https://{host}:{port}/base/'\nca_file = 'FOLDER/{ca}'")
    };
    let trusting = receiver(folder.path(), &table("localhost", "ca.pem"));
    assert_eq!(deliver(&trusting, &[message(MessageEvent::Opened)]), Outcome::Delivered);
    assert_eq!(server.request().line, "POST /base/api/v2/alerts HTTP/1.1");
    let (other, _) = certificate();
    std::fs::write(folder.path().join("other.pem"), other).unwrap();
    for (host, ca) in [("localhost", "other.pem"), ("127.0.0.1", "ca.pem")] {
        let outcome = deliver(&receiver(folder.path(), &table(host, ca)), &[message(MessageEvent::Opened)]);
        assert!(outcome.error().is_some_and(|error| error.contains("certificate")), "{host} {ca}: {outcome:?}");
    }
    assert!(server.is_quiet());
}

#[test]
fn a_url_may_hold_a_login_if_it_stands_in_a_file() {
    let folder = TempDir::new().unwrap();
    let server = HttpServer::start(ok);
    let url = format!("http://me:pa%20ss@{}/a?b=c", server.address);
    assert_eq!(deliver(&webhook(folder.path(), &url), &[message(MessageEvent::Opened)]), Outcome::Delivered);
    let request = server.request();
    assert_eq!(
        (request.line.as_str(), request.headers["authorization"].as_str()),
        ("POST /a?b=c HTTP/1.1", "Basic bWU6cGEgc3M=")
    );
    let mut inline = format!("[[receiver]]\nname = 'ops'\nkind = 'webhook'\nurl = '{url}'").parse().unwrap();
    let Err(refused) = Receiver::open(&NotifyConfig::take(&mut inline).unwrap().receivers[0]) else {
        panic!("it is taken")
    };
    assert!(refused.0.contains("give url_file") && !refused.0.contains("pa%20ss"), "{refused}");
}
