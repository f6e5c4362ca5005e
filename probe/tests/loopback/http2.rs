//! HTTP/2, where the server offers it.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use netqoe_model::ErrorStage;
use netqoe_probe::{Settings, ThroughputObject};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use crate::support::dns_server::DnsServer;
use crate::support::web_server::Authority;
use crate::{measure_url, settings, stage};

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
