//! Each failure names its stage, says what happened in one line, and leaves the phases before it measured.

use std::time::Duration;

use netqoe_model::{ErrorStage, Event, EventTime};
use netqoe_probe::{Measurement, Phases};
use tokio::net::TcpListener;

use crate::loopback::{measure_url, plain_settings, refusing_socket, settings};
use crate::support::dns_server::DnsServer;
use crate::support::web_server::{Authority, OK, Step, WebServer, answers};

#[track_caller]
fn check(measurement: &Measurement, stage: ErrorStage, message_part: &str) -> Phases {
    let failure = measurement.failure.as_ref().unwrap();
    let message = failure.to_string();
    assert_eq!(failure.stage(), stage, "{message}");
    assert!(message.contains(message_part), "{message}");
    assert!(!message.contains('\n'), "{message}");
    let json = measurement.to_event("1", "c", EventTime::from_ms(1));
    assert_eq!(Event::parse(json.as_bytes()).unwrap().error_stage, Some(stage));
    measurement.phases
}

async fn check_lookup(host: &str, message_part: &str) {
    let dns = DnsServer::start(Duration::ZERO).await;
    let measurement = measure_url(&format!("http://{host}/"), &settings(&dns, &Authority::new())).await;
    assert_eq!(check(&measurement, ErrorStage::Dns, message_part), Phases::default());
}

#[tokio::test]
async fn a_name_that_does_not_exist() {
    check_lookup("www.absent.test", "www.absent.test does not exist (NXDOMAIN)").await;
}

#[tokio::test]
async fn a_name_without_an_address() {
    check_lookup("www.empty.test", "www.empty.test has no address").await;
}

#[tokio::test]
async fn a_name_server_that_fails() {
    check_lookup("www.broken.test", "SERVFAIL").await;
}

#[tokio::test]
async fn a_refused_port() {
    let dns = DnsServer::start(Duration::ZERO).await;
    let (_socket, address) = refusing_socket();
    let url = format!("http://web.test:{}/", address.port());
    let measurement = measure_url(&url, &settings(&dns, &Authority::new())).await;
    let phases = check(&measurement, ErrorStage::Tcp, &format!("no connection to {address}: Connection refused"));
    assert_eq!(phases, Phases { dns: phases.dns, ..Phases::default() });
    assert!(phases.dns.is_some(), "the name was resolved");
}

#[tokio::test]
async fn a_certificate_of_an_unknown_authority() {
    let dns = DnsServer::start(Duration::ZERO).await;
    let server = WebServer::start_tls(Authority::new().certify("web.test"), answers(OK)).await;
    let measurement = measure_url(&server.url("https", "web.test", "/"), &settings(&dns, &Authority::new())).await;
    let phases = check(&measurement, ErrorStage::Tls, "signed by an authority that is not trusted");
    assert!(measurement.evidence.certificate_expires_s.is_some(), "it was shown all the same");
    assert!(phases.tcp.is_some() && phases.tls.is_none() && phases.ttfb.is_none());
    assert!(server.requests().is_empty(), "nothing is asked of a server that is not trusted");
}

#[tokio::test]
async fn a_certificate_for_another_name() {
    let dns = DnsServer::start(Duration::ZERO).await;
    let authority = Authority::new();
    let server = WebServer::start_tls(authority.certify("other.test"), answers(OK)).await;
    let measurement = measure_url(&server.url("https", "web.test", "/"), &settings(&dns, &authority)).await;
    check(&measurement, ErrorStage::Tls, "its certificate is for another name");
}

#[tokio::test]
async fn a_certificate_that_has_expired() {
    let dns = DnsServer::start(Duration::ZERO).await;
    let authority = Authority::new();
    let server = WebServer::start_tls(authority.certify_expired("web.test"), answers(OK)).await;
    let measurement = measure_url(&server.url("https", "web.test", "/"), &settings(&dns, &authority)).await;
    check(&measurement, ErrorStage::Tls, "its certificate expired");
    assert_eq!(measurement.evidence.certificate_expires_s, Some(1_609_459_200), "2021-01-01");
    let event: serde_json::Value =
        serde_json::from_str(&measurement.to_event("e", "c", netqoe_model::EventTime::from_ms(1))).unwrap();
    assert_eq!(event["evidence"]["certificate_issuer"], "CN=authority of the tests");
}

#[tokio::test]
async fn a_server_that_does_not_speak_tls() {
    let server = WebServer::start(vec![Step::send("HTTP/1.1 400 Bad Request\r\n\r\n")]).await;
    let measurement = measure_url(&server.url("https", "127.0.0.1", "/"), &plain_settings()).await;
    check(&measurement, ErrorStage::Tls, "no TLS connection to 127.0.0.1");
}

async fn check_answer(answer: &str, stage: ErrorStage, message_part: &str) -> Phases {
    let server = WebServer::start(answers(answer)).await;
    let measurement = measure_url(&server.url("http", "127.0.0.1", "/"), &plain_settings()).await;
    let phases = check(&measurement, stage, message_part);
    assert!(phases.tcp.is_some());
    phases
}

#[tokio::test]
async fn a_connection_that_is_reset() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let url = format!("http://{address}/");
    let settings = plain_settings();
    let reset = async {
        let (stream, _) = listener.accept().await.unwrap();
        stream.peek(&mut [0]).await.unwrap();
        // A connection that is closed with something unread is reset.
        drop(stream);
        std::future::pending::<()>().await;
    };
    let measurement = tokio::select! {
        measurement = measure_url(&url, &settings) => measurement,
        () = reset => unreachable!(),
    };
    let phases = check(&measurement, ErrorStage::Http, "reset");
    assert!(phases.tcp.is_some() && phases.ttfb.is_none());
}

#[tokio::test]
async fn a_server_that_closes_without_an_answer() {
    let phases = check_answer("", ErrorStage::Http, "no valid answer").await;
    assert!(phases.ttfb.is_none());
}

#[tokio::test]
async fn an_answer_that_is_not_http() {
    let phases = check_answer("220 mail.test ESMTP\r\n", ErrorStage::Http, "no valid answer").await;
    assert!(phases.ttfb.is_some(), "there was a first byte, whatever it said");
}

#[tokio::test]
async fn an_answer_of_an_error() {
    for status in ["404 Not Found", "500 Internal Server Error", "503 Service Unavailable"] {
        let answer = format!("HTTP/1.1 {status}\r\nContent-Length: 4\r\n\r\nsorry");
        let phases = check_answer(&answer, ErrorStage::Http, &format!("status {}", &status[..3])).await;
        assert!(phases.ttfb.is_some() && phases.body.is_none());
    }
}

#[tokio::test]
async fn a_body_cut_short() {
    let by_length = "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nonly this";
    let phases = check_answer(by_length, ErrorStage::Throughput, "broke off after 9 bytes").await;
    assert!(phases.ttfb.is_some() && phases.body.is_none());
    let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nonly\r\n";
    check_answer(chunked, ErrorStage::Throughput, "broke off after 4 bytes").await;
}
