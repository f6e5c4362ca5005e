//! What a page is expected to answer: met, and not met.

use std::sync::Arc;

use netqoe_model::{ErrorStage, EventTime};
use netqoe_probe::{Expectations, Failure, Measurement, Settings};
use serde_json::Value;

use crate::loopback::{measure_url, plain_settings, stage};
use crate::support::web_server::{Authority, Step, WebServer, answers, redirect};

fn expecting(expectations: Expectations) -> Settings {
    Settings { expectations: Arc::new(expectations), ..plain_settings() }
}

fn status(ranges: &[&str]) -> Expectations {
    Expectations { status: ranges.iter().map(|range| range.parse().unwrap()).collect(), ..Expectations::default() }
}

fn text(text: &str) -> Expectations {
    Expectations { text: Some(text.parse().unwrap()), ..Expectations::default() }
}

fn headers(headers: &[&str]) -> Expectations {
    Expectations { headers: headers.iter().map(|header| header.parse().unwrap()).collect(), ..Expectations::default() }
}

async fn measured(answer: &str, expectations: Expectations) -> Measurement {
    let server = WebServer::start(answers(answer)).await;
    measure_url(&server.url("http", "127.0.0.1", "/"), &expecting(expectations)).await
}

async fn check_met(answer: &str, expectations: Expectations) -> Measurement {
    let measurement = measured(answer, expectations).await;
    assert!(measurement.failure.is_none(), "{answer}: {:?}", measurement.failure);
    measurement
}

async fn check_unmet(answer: &str, expectations: Expectations, says: &str) {
    let measurement = measured(answer, expectations).await;
    assert_eq!(stage(&measurement), Some(ErrorStage::Http), "{answer}");
    let event: Value = serde_json::from_str(&measurement.to_event("1", "c", EventTime::from_ms(1))).unwrap();
    assert_eq!((&event["error_stage"], &event["evidence"]["error_message"]), (&"http".into(), &says.into()));
    assert!(measurement.phases.ttfb.is_some(), "it was reached");
}

const UNAUTHORIZED: &str = "HTTP/1.1 401 Unauthorized\r\nContent-Length: 4\r\n\r\nstop";

#[tokio::test]
async fn a_status_is_the_one_that_is_expected() {
    const NO_CONTENT: &str = "HTTP/1.1 204 No Content\r\n\r\n";
    check_met(NO_CONTENT, status(&["200-299"])).await;
    let measurement = check_met(UNAUTHORIZED, status(&["200", "401"])).await;
    assert_eq!(measurement.evidence.body_bytes, Some(4), "its body is read");
    check_unmet(NO_CONTENT, status(&["200", "401"]), "the server answered with status 204; expected was 200 or 401")
        .await;
    check_unmet(UNAUTHORIZED, status(&["200-299"]), "the server answered with status 401; expected was 200-299").await;
    check_unmet(UNAUTHORIZED, Expectations::default(), "the server answered with status 401").await;
}

#[tokio::test]
async fn a_redirect_is_followed_unless_it_is_expected() {
    let page = WebServer::start(vec![
        Step::ReadRequest,
        Step::AnswerByPath(vec![("/", redirect("/there")), ("/there", UNAUTHORIZED.to_owned())]),
    ])
    .await;
    let url = page.url("http", "127.0.0.1", "/");
    let at_the_end = measure_url(&url, &expecting(status(&["401"]))).await;
    assert_eq!((stage(&at_the_end), at_the_end.evidence.redirects.len()), (None, 1));
    let itself = measure_url(&url, &expecting(status(&["302"]))).await;
    assert_eq!((stage(&itself), itself.evidence.status), (None, Some(302)));
    assert_eq!(page.requests().len(), 3, "the second was not followed");
}

#[tokio::test]
async fn a_text_is_in_the_body_however_it_comes() {
    const PLAIN: &str = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 12\r\n\r\nall is well.";
    const CHUNKED: &str =
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n8\r\nall is w\r\n4\r\nell.\r\n0\r\n\r\n";
    for answer in [PLAIN, CHUNKED, "HTTP/1.0 200 OK\r\n\r\nall is well."] {
        check_met(answer, text("is well")).await;
    }
    let says = "the body does not contain \"ill\"; it came with status 200 as text/plain";
    check_unmet(PLAIN, text("ill"), says).await;
    check_unmet(CHUNKED, text("well.\r"), "the body does not contain \"well.\\r\"; it came with status 200").await;
    const GZIP: &str = "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 1\r\n\r\nx";
    let says = "the body does not contain \"well\"; it came with status 200, compressed (gzip)";
    check_unmet(GZIP, text("well"), says).await;
    let says = "the body does not contain \"a\"; it came with status 204";
    check_unmet("HTTP/1.1 204 No Content\r\n\r\n", text("a"), says).await;
}

#[tokio::test]
async fn a_text_beyond_what_is_read_is_not_looked_for() {
    let answer = [b"HTTP/1.1 200 OK\r\n\r\n", &[b'x'; 11 << 20][..], b"end"].concat();
    let server = WebServer::start(vec![Step::ReadRequest, Step::Send(answer)]).await;
    let measurement = measure_url(&server.url("http", "127.0.0.1", "/"), &expecting(text("end"))).await;
    let message = measurement.failure.unwrap().to_string();
    assert!(message.contains("does not contain \"end\" within its first 10 MiB"), "{message}");
}

#[tokio::test]
async fn a_header_is_there_and_has_its_value() {
    const ANSWER: &str = "HTTP/1.1 200 OK\r\nX-Version: 7\r\nContent-Length: 0\r\n\r\n";
    check_met(ANSWER, headers(&["x-version", "X-Version: 7", "content-length: 0"])).await;
    check_unmet(ANSWER, headers(&["X-Version: 8"]), "header x-version is \"7\"; expected was \"8\"").await;
    check_unmet(
        ANSWER,
        headers(&["Strict-Transport-Security"]),
        "the answer, with status 200, has no header strict-transport-security",
    )
    .await;
}

#[tokio::test]
async fn a_certificate_is_good_for_long_enough() {
    let authority = Authority::new();
    for (days, expected, says) in
        [(20, 14, None), (9, 14, Some("a certificate expires in 9 days; expected were at least 14"))]
    {
        let tls = authority.certify_for_days("127.0.0.1", days);
        let server = WebServer::start_tls(tls, answers(crate::support::web_server::OK)).await;
        let expectations = Expectations { certificate_days: Some(expected), ..Expectations::default() };
        let settings = Settings { roots: Arc::new(authority.roots()), ..expecting(expectations) };
        let measurement = measure_url(&server.url("https", "127.0.0.1", "/"), &settings).await;
        assert_eq!(measurement.failure.as_ref().map(ToString::to_string).as_deref(), says);
        assert_eq!(measurement.failure.as_ref().map(Failure::stage), says.map(|_| ErrorStage::Tls));
    }
}
