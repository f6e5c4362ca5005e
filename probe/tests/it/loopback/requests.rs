//! What pages are asked with, and by whom.

use std::path::Path;
use std::sync::Arc;

use netqoe_model::{ErrorStage, EventTime};
use netqoe_probe::{Measurement, Settings, TargetWords};
use rcgen::{CertificateParams, KeyPair};
use serde_json::Value;

use crate::loopback::{measure_url, plain_settings, stage};
use crate::support::web_server::{Authority, OK, Step, WebServer, answers, redirect};

/// Settings as a targets file would make them, over those of the tests.
fn settings(words: &TargetWords, folder: &Path) -> Settings {
    words.read(folder).unwrap().over(&plain_settings())
}

fn event(measurement: &Measurement) -> String {
    measurement.to_event("1", "c", EventTime::from_ms(1))
}

fn post(folder: &Path) -> TargetWords {
    std::fs::write(folder.join("password"), "planted secret\r\n").unwrap();
    TargetWords {
        method: Some(netqoe_probe::Method::POST),
        headers: vec!["X-Key: planted".parse().unwrap(), "User-Agent: other".parse().unwrap()],
        body: Some("{\"q\": 1}".to_owned()),
        user: Some("me".to_owned()),
        password_file: Some("password".into()),
        ..TargetWords::default()
    }
}

#[tokio::test]
async fn a_request_is_made_as_it_was_said() {
    let folder = tempfile::tempdir().unwrap();
    let server = WebServer::start(vec![Step::ReadRequest, Step::ReadBody(8), Step::send(OK)]).await;
    let words = post(folder.path());
    let measurement = measure_url(&server.url("http", "127.0.0.1", "/a"), &settings(&words, folder.path())).await;
    assert!(measurement.failure.is_none(), "{:?}", measurement.failure);
    let request = server.requests().concat();
    assert!(request.starts_with("POST /a HTTP/1.1\r\n") && request.ends_with("\r\n\r\n{\"q\": 1}"), "{request}");
    for line in
        ["X-Key: planted", "User-Agent: other", "Content-Length: 8", "Authorization: Basic bWU6cGxhbnRlZCBzZWNyZXQ="]
    {
        assert_eq!(request.matches(&format!("\r\n{line}\r\n")).count(), 1, "{line}: {request}");
    }
    assert_eq!(request.matches("User-Agent").count(), 1);
    let event = event(&measurement);
    assert!(!event.contains("planted") && !event.contains("cGxhbnRlZ"), "{event}");
}

#[tokio::test]
async fn a_token_is_sent_and_an_answer_to_head_has_no_body() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("token"), "planted.token\n").unwrap();
    let words = TargetWords {
        method: Some(netqoe_probe::Method::HEAD),
        bearer_token_file: Some("token".into()),
        ..TargetWords::default()
    };
    let head = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n";
    let server = WebServer::start(answers(head)).await;
    let measurement = measure_url(&server.url("http", "127.0.0.1", "/"), &settings(&words, folder.path())).await;
    assert!(measurement.failure.is_none(), "{:?}", measurement.failure);
    let request = server.requests().concat();
    assert!(request.starts_with("HEAD / ") && request.contains("\r\nAuthorization: Bearer planted.token\r\n"));
}

#[tokio::test]
async fn another_origin_gets_neither_secrets_nor_the_body() {
    let folder = tempfile::tempdir().unwrap();
    let stranger = WebServer::start(answers(OK)).await;
    let away = redirect(&stranger.url("http", "127.0.0.1", "/"));
    let server = WebServer::start(vec![Step::ReadRequest, Step::ReadBody(8), Step::send(&away)]).await;
    let url = server.url("http", "127.0.0.1", "/");
    let measurement = measure_url(&url, &settings(&post(folder.path()), folder.path())).await;
    assert!(measurement.failure.is_none(), "{:?}", measurement.failure);
    let request = stranger.requests().concat();
    assert!(request.starts_with("GET / HTTP/1.1\r\n") && request.ends_with("\r\n\r\n"), "{request}");
    for secret in ["planted", "Authorization", "X-Key", "Content-Length"] {
        assert!(!request.contains(secret), "{secret}: {request}");
    }
}

/// A certificate of a client, signed by the authority, in files.
fn client_files(authority: &Authority, folder: &Path) -> TargetWords {
    let key = KeyPair::generate().unwrap();
    let certificate = authority.sign(&CertificateParams::new(["probe.test".to_owned()]).unwrap(), &key);
    std::fs::write(folder.join("client.pem"), certificate.pem()).unwrap();
    std::fs::write(folder.join("client.key"), key.serialize_pem()).unwrap();
    std::fs::write(folder.join("ca.pem"), authority.pem()).unwrap();
    TargetWords {
        client_certificate: Some("client.pem".into()),
        client_key: Some("client.key".into()),
        ca_file: Some("ca.pem".into()),
        ..TargetWords::default()
    }
}

#[tokio::test]
async fn a_client_shows_its_certificate_and_trusts_its_own_authority() {
    let (authority, folder) = (Authority::new(), tempfile::tempdir().unwrap());
    let words = client_files(&authority, folder.path());
    for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
        let server = WebServer::start_tls(authority.certify_asking("127.0.0.1", version), answers(OK)).await;
        let url = server.url("https", "127.0.0.1", "/");
        let measurement = measure_url(&url, &settings(&words, folder.path())).await;
        assert!(measurement.failure.is_none(), "{version:?}: {:?}", measurement.failure);
        let without = TargetWords { ca_file: words.ca_file.clone(), ..TargetWords::default() };
        let measurement = measure_url(&url, &settings(&without, folder.path())).await;
        assert_eq!(stage(&measurement), Some(ErrorStage::Tls));
        // Mozilla's authorities are not its.
        let untrusting = TargetWords { ca_file: None, ..words.clone() };
        assert_eq!(stage(&measure_url(&url, &settings(&untrusting, folder.path())).await), Some(ErrorStage::Tls));
    }
}

#[tokio::test]
async fn insecure_accepts_any_certificate_and_says_so() {
    let authority = Authority::new();
    for (tls, problem) in [
        (
            authority.certify("127.0.0.1"),
            Some("its certificate is signed by an authority that is not trusted: CN=authority of the tests"),
        ),
        (authority.certify_expired("127.0.0.1"), Some("its certificate expired")),
    ] {
        let server = WebServer::start_tls(tls, answers(OK)).await;
        let url = server.url("https", "127.0.0.1", "/");
        let insecure = Settings { insecure: true, ..plain_settings() };
        let measurement = measure_url(&url, &insecure).await;
        assert!(measurement.failure.is_none(), "{:?}", measurement.failure);
        let event: Value = serde_json::from_str(&event(&measurement)).unwrap();
        let evidence = &event["evidence"];
        assert_eq!(evidence["insecure"], true);
        let said = evidence["certificate_problem"].as_str();
        assert!(said.zip(problem).is_some_and(|(said, problem)| said.contains(problem)), "{said:?}");
        assert_eq!(stage(&measure_url(&url, &plain_settings()).await), Some(ErrorStage::Tls));
    }
    let server = WebServer::start_tls(authority.certify("127.0.0.1"), answers(OK)).await;
    let good = Settings { insecure: true, roots: Arc::new(authority.roots()), ..plain_settings() };
    let event: Value =
        serde_json::from_str(&event(&measure_url(&server.url("https", "127.0.0.1", "/"), &good).await)).unwrap();
    let evidence = &event["evidence"];
    assert_eq!((&evidence["insecure"], &evidence["certificate_problem"]), (&true.into(), &Value::Null));
}

/// The probe refuses each in words that say what to do about it.
#[tokio::test]
async fn certificates_are_refused_in_plain_words() {
    let authority = Authority::new();
    let trusting = Settings { roots: Arc::new(authority.roots()), ..plain_settings() };
    for (tls, settings, says) in [
        (Authority::self_signed("127.0.0.1"), &trusting, "its certificate is self-signed"),
        (
            authority.certify("127.0.0.1"),
            &plain_settings(),
            "its certificate is signed by an authority that is not trusted: CN=authority of the tests",
        ),
        (authority.certify("other.test"), &trusting, "its certificate is for another name: other.test"),
        (authority.certify_expired("127.0.0.1"), &trusting, "its certificate expired"),
    ] {
        let server = WebServer::start_tls(tls, answers(OK)).await;
        let measurement = measure_url(&server.url("https", "127.0.0.1", "/"), settings).await;
        let message = measurement.failure.unwrap().to_string();
        assert!(message.contains(says), "{says}: {message}");
    }
}
