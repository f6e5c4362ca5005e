//! Failures over QUIC, each with its stage and a message that says what happened.

use std::net::UdpSocket;
use std::time::{Duration, Instant};

use netqoe_model::ErrorStage;
use netqoe_probe::{Phases, Settings};
use tokio_rustls::TlsAcceptor;

use super::over_http3;
use crate::loopback::{measure_url, settings, stage};
use crate::support::dns_server::DnsServer;
use crate::support::http3_server::{Http3Server, PAGE};
use crate::support::web_server::{Authority, OK, WebServer, answers};

/// Long enough for the stages before the one that stalls, which take a few milliseconds, on any machine.
const TIMEOUT: Duration = Duration::from_secs(2);

/// Measures what a server with this certificate has at this path.
async fn check(path: &str, tls: &TlsAcceptor, authority: &Authority, stage: ErrorStage, message_part: &str) -> Phases {
    let server = Http3Server::start(tls, Duration::ZERO);
    check_url(&server.url(path), authority, stage, message_part).await
}

async fn check_path(path: &str, stage: ErrorStage, message_part: &str) -> Phases {
    let authority = Authority::new();
    check(path, &authority.certify("web.test"), &authority, stage, message_part).await
}

async fn check_url(url: &str, authority: &Authority, expected: ErrorStage, message_part: &str) -> Phases {
    let dns = DnsServer::start(Duration::ZERO).await;
    let settings = Settings { timeout: TIMEOUT, ..over_http3(settings(&dns, authority)) };
    let began = Instant::now();
    let measurement = measure_url(url, &settings).await;
    assert_eq!(stage(&measurement), Some(expected), "{measurement:?}");
    let message = measurement.failure.as_ref().unwrap().to_string();
    assert!(message.contains(message_part) && !message.contains('\n'), "{message}");
    let has_waited = began.elapsed() >= TIMEOUT;
    assert_eq!(message.contains("within 2s"), has_waited, "{message}");
    assert_eq!(measurement.phases.tcp, None, "not even where it has failed there");
    let has_certificate = measurement.evidence.certificate_expires_s.is_some();
    assert_eq!(has_certificate, measurement.phases.tls.is_some() || message.contains("certificate"), "{message}");
    measurement.phases
}

#[tokio::test]
async fn a_host_that_swallows_datagrams() {
    let silent = UdpSocket::bind("127.0.0.1:0").unwrap();
    let url = format!("https://web.test:{}/", silent.local_addr().unwrap().port());
    let message_part = "not established within 2s; it does not speak HTTP/3, or UDP is blocked on the way";
    let phases = check_url(&url, &Authority::new(), ErrorStage::Tcp, message_part).await;
    assert_eq!(phases, Phases { dns: phases.dns, ..Phases::default() });
}

#[tokio::test]
async fn a_server_without_http3_is_not_asked_over_tcp() {
    let authority = Authority::new();
    let server = WebServer::start_tls(authority.certify("web.test"), answers(OK)).await;
    // A socket that is connected elsewhere takes nothing from others, and nobody else the port.
    let refusing = UdpSocket::bind(server.address).unwrap();
    refusing.connect("127.0.0.1:9").unwrap();
    let message_part =
        format!("no connection to {}: Connection refused (os error 111); it does not speak", server.address);
    let url = server.url("https", "web.test", "/");
    let phases = check_url(&url, &authority, ErrorStage::Tcp, &message_part).await;
    assert_eq!(phases, Phases { dns: phases.dns, ..Phases::default() });
    assert_eq!(server.seen.lock().unwrap().connections, 0);
}

#[tokio::test]
async fn a_host_that_answers_and_shakes_no_hands() {
    let socket = tokio::net::UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://web.test:{}/", socket.local_addr().unwrap().port());
    tokio::spawn(async move {
        let mut buffer = [0; 1500];
        loop {
            let (_, asker) = socket.recv_from(&mut buffer).await.unwrap();
            socket.send_to(b"what?", asker).await.unwrap();
        }
    });
    let message_part = "the TLS handshake was not completed within 2s";
    let phases = check_url(&url, &Authority::new(), ErrorStage::Tls, message_part).await;
    assert_eq!(phases, Phases { dns: phases.dns, ..Phases::default() });
}

#[tokio::test]
async fn a_server_that_speaks_something_else_over_quic() {
    let authority = Authority::new();
    let tls = authority.certify("web.test");
    let server = Http3Server::run("127.0.0.1:0".parse().unwrap(), &tls, "hq-interop", Duration::ZERO);
    let message_part = "no TLS connection to web.test: it speaks QUIC, but not HTTP/3";
    check_url(&server.url("/"), &authority, ErrorStage::Tls, message_part).await;
}

#[tokio::test]
async fn certificates_that_are_not_to_be_trusted() {
    let authority = Authority::new();
    for (tls, message_part) in [
        (
            Authority::new().certify("web.test"),
            "its certificate is signed by an authority that is not trusted: CN=authority of the tests",
        ),
        (authority.certify("other.test"), "its certificate is for another name"),
        (authority.certify_expired("web.test"), "its certificate expired"),
    ] {
        let phases = check("/", &tls, &authority, ErrorStage::Tls, message_part).await;
        assert_eq!(phases, Phases { dns: phases.dns, ..Phases::default() });
    }
}

#[tokio::test]
async fn an_answer_of_an_error() {
    let phases = check_path("/500", ErrorStage::Http, "the server answered with status 500").await;
    assert!(phases.tls.is_some() && phases.ttfb.is_some() && phases.body.is_none());
}

#[tokio::test]
async fn a_stream_that_is_reset() {
    let phases = check_path("/reset", ErrorStage::Http, "no valid answer to the request: Remote reset").await;
    assert!(phases.request.is_some() && phases.ttfb.is_none(), "{phases:?}");
}

#[tokio::test]
async fn a_server_that_hangs_up() {
    let phases = check_path("/hang-up", ErrorStage::Http, "no valid answer to the request").await;
    assert!(phases.request.is_some() && phases.ttfb.is_none(), "{phases:?}");
}

#[tokio::test]
async fn a_server_that_does_not_answer() {
    let phases = check_path("/stall", ErrorStage::Http, "the request was not answered within 2s").await;
    assert!(phases.request.is_some() && phases.ttfb.is_none(), "{phases:?}");
}

#[tokio::test]
async fn a_body_that_ends_early_is_reset_or_stalls() {
    let short = format!("the body broke off after {} bytes: it ended 5 bytes before the end", PAGE.len());
    for (path, message_part) in [
        ("/short", short.as_str()),
        ("/reset-body", "bytes: Remote reset: H3_INTERNAL_ERROR"),
        ("/stall-body", "the body was not received in full within 2s"),
    ] {
        let phases = check_path(path, ErrorStage::Throughput, message_part).await;
        assert!(phases.ttfb.is_some() && phases.body.is_none(), "{path}: {phases:?}");
    }
}
