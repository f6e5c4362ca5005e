//! HTTP/2, where the server offers it.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use netqoe_model::ErrorStage;
use netqoe_probe::{Expectations, Measurement, Method, RequestSettings, Settings, ThroughputObject};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use crate::loopback::{measure_url, settings, stage};
use crate::support::dns_server::DnsServer;
use crate::support::web_server::Authority;

const THINKING: Duration = Duration::from_millis(120);
const OBJECT_BYTES: usize = 1 << 20;

type Requests = Arc<Mutex<Vec<Request<()>>>>;

/// Thinks, then answers `/` with a few bytes, `/fixed/1mb.bin` with many, `/cut` with fewer than it announces, and
/// anything else with 500.
async fn start(tls: TlsAcceptor) -> (u16, Requests) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (port, requests) = (listener.local_addr().unwrap().port(), Requests::default());
    let seen = Arc::clone(&requests);
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let (tls, seen) = (tls.clone(), Arc::clone(&seen));
            tokio::spawn(async move {
                let stream = tls.accept(stream).await.unwrap();
                let mut connection = h2::server::handshake(stream).await.unwrap();
                while let Some(Ok((request, mut respond))) = connection.accept().await {
                    seen.lock().unwrap().push(request.map(drop));
                    let path = seen.lock().unwrap().last().unwrap().uri().path().to_owned();
                    tokio::spawn(async move {
                        tokio::time::sleep(THINKING).await;
                        let (status, bytes) = match path.as_str() {
                            "/" | "/cut" => (200, 5),
                            "/fixed/1mb.bin" => (200, OBJECT_BYTES),
                            _ => (500, 5),
                        };
                        let announced = if path == "/cut" { bytes + 1 } else { bytes };
                        let head = Response::builder().status(status).header("content-length", announced);
                        let mut body = respond.send_response(head.body(()).unwrap(), false).unwrap();
                        body.send_data(Bytes::from(vec![b'x'; bytes]), true).unwrap();
                    });
                }
            });
        }
    });
    (port, requests)
}

#[tokio::test]
async fn is_spoken_where_the_server_offers_it() {
    let dns = DnsServer::start(Duration::ZERO).await;
    let authority = Authority::new();
    let (port, requests) = start(authority.certify_http2("web.test")).await;
    let settings = Settings { throughput: Some(ThroughputObject::OfTarget), ..settings(&dns, &authority) };
    let measurement = measure_url(&format!("https://web.test:{port}/"), &settings).await;

    assert!(measurement.failure.is_none(), "{measurement:?}");
    assert_eq!(measurement.evidence.protocol, Some("HTTP/2"));
    let phases = measurement.phases;
    let (tls, request, ttfb) = (phases.tls.unwrap(), phases.request.unwrap(), phases.ttfb.unwrap());
    assert!(tls.end <= request.start && request.end == ttfb.start, "{phases:?}");
    assert!(ttfb.duration() >= THINKING, "the settings that come before are no answer: {phases:?}");
    assert_eq!(measurement.evidence.body_bytes, Some(5));
    let throughput = measurement.evidence.throughput.unwrap();
    assert_eq!((throughput.status, throughput.bytes), (Some(200), OBJECT_BYTES as u64));
    assert!(phases.throughput.unwrap().throughput_mbps().is_some(), "{phases:?}");
    let requests = requests.lock().unwrap();
    assert_eq!(requests[0].uri().to_string(), format!("https://web.test:{port}/"));
    assert_eq!(requests[0].headers()["cache-control"], "no-cache");
    assert!(!requests[0].headers().contains_key("host"));
}

#[tokio::test]
async fn failures_are_those_of_any_http() {
    let dns = DnsServer::start(Duration::ZERO).await;
    let authority = Authority::new();
    let (port, _) = start(authority.certify_http2("web.test")).await;
    for (path, expected, message_part) in
        [("/cut", ErrorStage::Throughput, "the body broke off"), ("/x", ErrorStage::Http, "status 500")]
    {
        let measurement = measure_url(&format!("https://web.test:{port}{path}"), &settings(&dns, &authority)).await;
        assert_eq!(stage(&measurement), Some(expected), "{measurement:?}");
        let message = measurement.failure.unwrap().to_string();
        assert!(message.contains(message_part), "{message}");
        assert!(measurement.phases.ttfb.is_some() && measurement.phases.body.is_none());
    }
}

#[tokio::test]
async fn a_server_that_hangs_up_is_told_from_an_answer() {
    let dns = DnsServer::start(Duration::ZERO).await;
    let authority = Authority::new();
    let tls = authority.certify_http2("web.test");
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://web.test:{}/", listener.local_addr().unwrap().port());
    tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        drop(tls.accept(stream).await.unwrap());
    });
    let measurement = measure_url(&url, &settings(&dns, &authority)).await;
    assert_eq!(stage(&measurement), Some(ErrorStage::Http), "{measurement:?}");
    assert!(measurement.phases.tls.is_some() && measurement.phases.ttfb.is_none());
}

/// Refuses the first requests over HTTP/2 for this reason, and answers all others after an early hint.
async fn start_refusing(tls: TlsAcceptor, refusals: usize, reason: h2::Reason) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        for connection in 0.. {
            let (stream, _) = listener.accept().await.unwrap();
            let mut stream = tls.accept(stream).await.unwrap();
            tokio::spawn(async move {
                if stream.get_ref().1.alpn_protocol() != Some(b"h2") {
                    assert!(stream.read(&mut [0; 4096]).await.unwrap() > 0);
                    stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await.unwrap();
                    return;
                }
                let mut server = h2::server::handshake(stream).await.unwrap();
                while let Some(Ok((_, mut respond))) = server.accept().await {
                    if connection < refusals {
                        respond.send_reset(reason);
                        continue;
                    }
                    respond.send_informational(Response::builder().status(103).body(()).unwrap()).unwrap();
                    tokio::spawn(async move {
                        tokio::time::sleep(THINKING).await;
                        respond.send_response(Response::new(()), true).unwrap();
                    });
                }
            });
        }
    });
    port
}

async fn measure_refusing(refusals: usize, reason: h2::Reason) -> Measurement {
    let (dns, authority) = (DnsServer::start(Duration::ZERO).await, Authority::new());
    let port = start_refusing(authority.certify_both("web.test"), refusals, reason).await;
    measure_url(&format!("https://web.test:{port}/"), &settings(&dns, &authority)).await
}

#[tokio::test]
async fn a_server_that_wants_http1_is_asked_over_http1() {
    let measurement = measure_refusing(1, h2::Reason::HTTP_1_1_REQUIRED).await;
    assert!(measurement.failure.is_none(), "{measurement:?}");
    let evidence = &measurement.evidence;
    assert_eq!((evidence.protocol, evidence.status), (Some("HTTP/1.1"), Some(200)));
    assert_eq!(evidence.asked_again, Some("the server wants HTTP/1.1"));
}

#[tokio::test]
async fn a_request_that_was_refused_unseen_is_made_again_and_not_for_ever() {
    let measurement = measure_refusing(2, h2::Reason::REFUSED_STREAM).await;
    assert!(measurement.failure.is_none(), "{measurement:?}");
    assert_eq!((measurement.evidence.protocol, measurement.evidence.status), (Some("HTTP/2"), Some(200)));
    let measurement = measure_refusing(usize::MAX, h2::Reason::REFUSED_STREAM).await;
    assert_eq!(stage(&measurement), Some(ErrorStage::Http), "{measurement:?}");
}

#[tokio::test]
async fn an_early_hint_is_not_the_first_byte_over_http2() {
    let measurement = measure_refusing(0, h2::Reason::NO_ERROR).await;
    assert!(measurement.failure.is_none(), "{measurement:?}");
    assert!(measurement.phases.ttfb.unwrap().duration() >= THINKING, "{measurement:?}");
    assert_eq!(measurement.evidence.interim_answers[0].status, 103);
}

/// A measurement of the page with these settings.
async fn asked_with(change: impl FnOnce(&mut Settings)) -> (Measurement, Request<()>) {
    let dns = DnsServer::start(Duration::ZERO).await;
    let authority = Authority::new();
    let (port, requests) = start(authority.certify_http2("web.test")).await;
    let mut settings = settings(&dns, &authority);
    change(&mut settings);
    let measurement = measure_url(&format!("https://web.test:{port}/"), &settings).await;
    let request = requests.lock().unwrap().remove(0);
    (measurement, request)
}

#[tokio::test]
async fn expectations_hold_here_too() {
    let text = |text: &str| Expectations { text: Some(text.parse().unwrap()), ..Expectations::default() };
    let header = |header: &str| Expectations { headers: vec![header.parse().unwrap()], ..Expectations::default() };
    let status = |status: &str| Expectations { status: vec![status.parse().unwrap()], ..Expectations::default() };
    for (expectations, says) in [
        (text("xxxxx"), None),
        (text("y"), Some("the body does not contain \"y\"")),
        (header("Content-Length: 5"), None),
        (header("x-version"), Some("has no header x-version")),
        (status("200"), None),
        (status("204"), Some("expected was 204")),
    ] {
        let (measurement, _) = asked_with(|settings| settings.expectations = Arc::new(expectations)).await;
        let failure = measurement.failure.map(|failure| failure.to_string());
        assert_eq!(failure.is_some(), says.is_some(), "{failure:?}");
        assert!(says.is_none_or(|says| failure.unwrap().contains(says)), "{says:?}");
    }
}

#[tokio::test]
async fn a_body_leaves_with_its_request() {
    let settings = RequestSettings {
        method: Method::POST,
        headers: vec!["X-Key: a".parse().unwrap()],
        body: Some(Bytes::from(vec![b'x'; netqoe_probe::MAX_REQUEST_BODY_BYTES])),
        ..RequestSettings::default()
    };
    let (measurement, request) = asked_with(|all| all.request = Arc::new(settings)).await;
    assert!(measurement.failure.is_none(), "{measurement:?}");
    assert!(measurement.phases.ttfb.unwrap().duration() >= THINKING, "{:?}", measurement.phases);
    assert_eq!(
        (request.method(), &request.headers()["x-key"], &request.headers()["content-length"]),
        (&Method::POST, &"a".parse().unwrap(), &"16384".parse().unwrap())
    );
}
