//! HTTP/3, if it was asked for.

mod failures;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use netqoe_model::{ErrorStage, Event, EventTime};
use netqoe_probe::{Expectations, Measurement, Method, RequestSettings, Settings, ThroughputObject};

use crate::loopback::{measure_url, settings, stage};
use crate::support::dns_server::DnsServer;
use crate::support::http3_server::{Http3Server, OBJECT_BYTES, PAGE};
use crate::support::web_server::{Authority, OK, WebServer, answers, redirect};

const THINKING: Duration = Duration::from_millis(120);
/// How long an address is waited for before the next is tried beside it.
const ATTEMPT_DELAY: Duration = Duration::from_millis(250);

fn over_http3(settings: Settings) -> Settings {
    Settings { http3: true, ..settings }
}

/// What a measurement of this path of a server says that thinks for so long.
async fn measured(path: &str, thinks_for: Duration) -> Measurement {
    let dns = DnsServer::start(Duration::ZERO).await;
    let authority = Authority::new();
    let server = Http3Server::start(&authority.certify("web.test"), thinks_for);
    measure_url(&server.url(path), &over_http3(settings(&dns, &authority))).await
}

#[tokio::test]
async fn phases_are_those_of_any_http_but_for_tcp() {
    let dns = DnsServer::start(Duration::ZERO).await;
    let authority = Authority::new();
    let server = Http3Server::start(&authority.certify("web.test"), THINKING);
    let measurement = measure_url(&server.url("/?q=1"), &over_http3(settings(&dns, &authority))).await;

    assert!(measurement.failure.is_none(), "{measurement:?}");
    let (phases, evidence) = (measurement.phases, &measurement.evidence);
    assert_eq!(phases.tcp, None, "there is no TCP");
    let (dns, tls) = (phases.dns.unwrap(), phases.tls.unwrap());
    let (request, ttfb, body) = (phases.request.unwrap(), phases.ttfb.unwrap(), phases.body.unwrap());
    assert!(dns.end <= tls.start && tls.start < tls.end && tls.end <= request.start, "{phases:?}");
    assert!(request.end == ttfb.start && ttfb.end == body.start && body.end <= measurement.total, "{phases:?}");
    assert!(ttfb.duration() >= THINKING, "the settings that come before are no answer: {phases:?}");
    assert!(tls.duration() + ttfb.duration() <= measurement.total, "the thinking is in one phase only: {phases:?}");

    let first_answer = evidence.attempts[0].span.unwrap();
    assert!(first_answer.start == tls.start && first_answer.end <= tls.end, "{evidence:?}");
    assert_eq!((evidence.protocol, evidence.status), (Some("HTTP/3"), Some(200)));
    assert_eq!(evidence.body_bytes, Some(PAGE.len() as u64));
    let tls = evidence.tls.as_ref().unwrap();
    assert_eq!((tls.version.as_str(), tls.resumed), ("TLSv1.3", false));
    assert!(evidence.certificate_expires_s > Some(0));
    assert_eq!((evidence.peer, evidence.tcp_info), (Some(server.address), None));
    let quic_info = evidence.quic_info.unwrap();
    assert!(quic_info.min_rtt_ms > 0.0 && quic_info.received_bytes > 1200, "{quic_info:?}");
    assert_eq!(evidence.network.source_ip, Some("127.0.0.1".parse().unwrap()));

    let json = measurement.to_event("1", "c", EventTime::from_ms(1));
    assert!(!json.contains("tcp_ms") && !json.contains("cipher_suite"), "{json}");
    let samples = Event::parse(json.as_bytes()).unwrap().samples.map(|sample| sample.is_some());
    assert_eq!(samples, [true, false, true, true, false]);

    let seen = server.seen.lock().unwrap();
    assert_eq!(seen.requests[0].uri().to_string(), server.url("/?q=1"));
    assert_eq!(seen.requests[0].headers()["cache-control"], "no-cache");
    assert!(!seen.requests[0].headers().contains_key("host"));
}

#[tokio::test]
async fn throughput_has_a_connection_of_its_own_that_goes_on_with_the_session() {
    let dns = DnsServer::start(Duration::ZERO).await;
    let authority = Authority::new();
    let server = Http3Server::start(&authority.certify("web.test"), Duration::ZERO);
    let settings = Settings { throughput: Some(ThroughputObject::OfTarget), ..over_http3(settings(&dns, &authority)) };
    let measurement = measure_url(&server.url("/"), &settings).await;

    assert!(measurement.failure.is_none(), "{measurement:?}");
    let (transfer, evidence) = (measurement.phases.throughput.unwrap(), measurement.evidence.throughput.unwrap());
    assert!(transfer.throughput_mbps().is_some() && measurement.total <= transfer.span.start, "{transfer:?}");
    assert_eq!((evidence.status, evidence.bytes), (Some(200), OBJECT_BYTES as u64));
    assert!(evidence.tls.unwrap().resumed && !measurement.evidence.tls.unwrap().resumed);
    assert!(evidence.tcp_info.is_none() && evidence.quic_info.unwrap().received_bytes > OBJECT_BYTES as u64);
    assert_eq!(server.seen.lock().unwrap().connections, 2);
}

#[tokio::test]
async fn nothing_is_resumed_from_one_measurement_to_the_next_and_all_is_closed() {
    let dns = DnsServer::start(Duration::ZERO).await;
    let authority = Authority::new();
    let server = Http3Server::start(&authority.certify("web.test"), Duration::ZERO);
    for _ in 0..2 {
        let measurement = measure_url(&server.url("/"), &over_http3(settings(&dns, &authority))).await;
        assert!(!measurement.evidence.tls.unwrap().resumed);
    }
    while server.seen.lock().unwrap().ends.len() < 2 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let seen = server.seen.lock().unwrap();
    assert!(seen.ends.iter().all(|end| end.is_h3_no_error()), "{:?}", seen.ends);
}

#[tokio::test]
async fn an_address_that_does_not_answer_gives_way() {
    let dns = DnsServer::start(Duration::ZERO).await;
    let authority = Authority::new();
    let tls = authority.certify("to.3.2.web.test");
    let server = Http3Server::run("127.0.0.2:0".parse().unwrap(), &tls, "h3", Duration::ZERO);
    let silent = SocketAddr::from(([127, 0, 0, 3], server.address.port()));
    let _socket = std::net::UdpSocket::bind(silent).unwrap();
    let url = format!("https://to.3.2.web.test:{}/", server.address.port());
    let measurement = measure_url(&url, &over_http3(settings(&dns, &authority))).await;

    assert!(measurement.failure.is_none(), "{measurement:?}");
    let attempts = &measurement.evidence.attempts;
    assert_eq!(attempts.iter().map(|attempt| attempt.address).collect::<Vec<_>>(), [silent, server.address]);
    assert!(attempts[0].span.is_none() && attempts[1].span.is_some());
    let (dns, tls) = (measurement.phases.dns.unwrap(), measurement.phases.tls.unwrap());
    assert!(tls.start - dns.end >= ATTEMPT_DELAY, "the wait is in no phase: {:?}", measurement.phases);
    assert!(measurement.phases.residual(measurement.total) >= ATTEMPT_DELAY);
}

#[tokio::test]
async fn what_comes_before_the_answer_is_passed_over() {
    let measurement = measured("/early", Duration::ZERO).await;
    assert!(measurement.failure.is_none(), "{measurement:?}");
    assert_eq!((measurement.evidence.status, measurement.evidence.body_bytes), (Some(200), Some(PAGE.len() as u64)));
}

/// The head of the answer itself decides.
#[tokio::test]
async fn an_early_hint_is_not_the_first_byte_over_http3() {
    let measurement = measured("/", THINKING).await;
    assert!(measurement.failure.is_none(), "{measurement:?}");
    assert!(measurement.phases.ttfb.unwrap().duration() >= THINKING, "{measurement:?}");
    let interim = &measurement.evidence.interim_answers;
    assert_eq!(interim.iter().map(|interim| interim.status).collect::<Vec<_>>(), [103]);
}

#[tokio::test]
async fn a_server_that_only_hints_is_given_up() {
    let measurement = measured("/early-for-ever", Duration::ZERO).await;
    let failure = measurement.failure.as_ref().map(ToString::to_string).unwrap_or_default();
    assert!(failure.contains("its head, interim answers included, is longer than"), "{failure}");
    assert_eq!(stage(&measurement), Some(ErrorStage::Http));
}

#[tokio::test]
async fn redirects_are_followed_also_from_http() {
    let dns = DnsServer::start(Duration::ZERO).await;
    let authority = Authority::new();
    let server = Http3Server::start(&authority.certify("web.test"), Duration::ZERO);
    let first = WebServer::start(answers(&redirect(&server.url("/away")))).await;
    let url = first.url("http", "web.test", "/");
    let measurement = measure_url(&url, &over_http3(settings(&dns, &authority))).await;
    assert!(measurement.failure.is_none(), "{measurement:?}");
    let statuses: Vec<_> = measurement.evidence.redirects.iter().map(|redirect| redirect.status).collect();
    assert_eq!((statuses, measurement.evidence.protocol), (vec![302, 302], Some("HTTP/3")));
    assert!(measurement.phases.tcp.is_none() && measurement.phases.redirects.is_some());
}

#[tokio::test]
async fn other_targets_are_measured_as_ever() {
    let dns = DnsServer::start(Duration::ZERO).await;
    let authority = Authority::new();
    let server = WebServer::start(answers(OK)).await;
    let url = server.url("http", "web.test", "/");
    let measurement = measure_url(&url, &over_http3(settings(&dns, &authority))).await;
    assert!(measurement.failure.is_none(), "{measurement:?}");
    assert_eq!(measurement.evidence.protocol, Some("HTTP/1.1"));
    assert!(measurement.phases.tcp.is_some() && measurement.evidence.quic_info.is_none());
}

#[tokio::test]
async fn what_is_expected_and_sent_is_the_same_over_quic_and_a_proxy_is_not() {
    let dns = DnsServer::start(Duration::ZERO).await;
    let authority = Authority::new();
    let server = Http3Server::start(&authority.certify("web.test"), Duration::ZERO);
    let url = server.url("/");
    let expecting = |text: &str| {
        let expectations = Expectations { text: Some(text.parse().unwrap()), ..Expectations::default() };
        Settings { expectations: Arc::new(expectations), ..over_http3(settings(&dns, &authority)) }
    };
    let met = Settings {
        request: Arc::new(RequestSettings {
            method: Method::POST,
            body: Some(bytes::Bytes::from_static(b"{}")),
            ..RequestSettings::default()
        }),
        ..expecting(PAGE)
    };
    let measurement = measure_url(&url, &met).await;
    assert!(measurement.failure.is_none(), "{measurement:?}");
    assert_eq!(server.seen.lock().unwrap().requests[0].headers()["content-length"], "2");
    let unmet = measure_url(&url, &expecting("no such text")).await;
    assert_eq!(stage(&unmet), Some(ErrorStage::Http));
    let proxied = Settings { proxy: Some(Arc::new("http://127.0.0.1:1".parse().unwrap())), ..expecting(PAGE) };
    let message = measure_url(&url, &proxied).await.failure.unwrap().to_string();
    assert!(message.contains("HTTP/3 does not go by way of a proxy"), "{message}");
}
