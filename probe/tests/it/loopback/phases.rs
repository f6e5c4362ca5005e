//! Each phase holds its own delay and no other's.

use std::time::Duration;

use netqoe_model::{Event, EventTime};

use crate::loopback::{measure_url, plain_settings, settings, stage};
use crate::support::dns_server::DnsServer;
use crate::support::web_server::{Authority, OK, Step, WebServer, answers};

const DNS_DELAY: Duration = Duration::from_millis(60);
const THINKING: Duration = Duration::from_millis(120);

fn thinks_then_answers() -> Vec<Step> {
    vec![Step::ReadRequest, Step::Wait(THINKING), Step::send(OK)]
}

#[tokio::test]
async fn dns_and_first_byte_each_hold_their_own_delay() {
    let dns = DnsServer::start(DNS_DELAY).await;
    let server = WebServer::start(thinks_then_answers()).await;
    let settings = settings(&dns, &Authority::new());
    let measurement = measure_url(&server.url("http", "web.test", "/a?b=c"), &settings).await;

    assert!(measurement.failure.is_none(), "{measurement:?}");
    let phases = measurement.phases;
    let (dns_span, tcp, ttfb) = (phases.dns.unwrap(), phases.tcp.unwrap(), phases.ttfb.unwrap());
    assert!(dns_span.duration() >= DNS_DELAY, "{phases:?}");
    assert!(ttfb.duration() >= THINKING, "{phases:?}");
    // One after the other: no delay can be in two of them.
    assert!(dns_span.end <= tcp.start && tcp.start < tcp.end && tcp.end <= ttfb.start, "{phases:?}");
    assert!(phases.tls.is_none(), "http has no TLS");
    let (request, body) = (phases.request.unwrap(), phases.body.unwrap());
    assert!(tcp.end <= request.start && request.end == ttfb.start && ttfb.end == body.start, "{phases:?}");
    assert!(body.end <= measurement.total && phases.residual(measurement.total) < measurement.total);
    assert!(phases.throughput.is_none(), "nothing was measured for that");
}

#[tokio::test]
async fn tls_is_a_phase_of_its_own() {
    let dns = DnsServer::start(DNS_DELAY).await;
    let authority = Authority::new();
    let server = WebServer::start_tls(authority.certify("web.test"), thinks_then_answers()).await;
    let measurement = measure_url(&server.url("https", "web.test", "/"), &settings(&dns, &authority)).await;

    assert!(measurement.failure.is_none(), "{measurement:?}");
    let phases = measurement.phases;
    let (tcp, tls, ttfb) = (phases.tcp.unwrap(), phases.tls.unwrap(), phases.ttfb.unwrap());
    assert!(tcp.end <= tls.start && tls.start < tls.end && tls.end <= ttfb.start, "{phases:?}");
    assert!(ttfb.duration() >= THINKING, "{phases:?}");
    let tls = measurement.evidence.tls.unwrap();
    assert_eq!((tls.version.as_str(), tls.resumed), ("TLSv1.3", false));
    assert!(measurement.evidence.certificate_expires_s > Some(0));
    assert_eq!(measurement.evidence.certificate.unwrap().issuer, "CN=authority of the tests");
}

#[tokio::test]
async fn nothing_is_cached_or_reused() {
    let dns = DnsServer::start(Duration::ZERO).await;
    let authority = Authority::new();
    let server = WebServer::start_tls(authority.certify("web.test"), answers(OK)).await;
    let settings = settings(&dns, &authority);
    let url = server.url("https", "web.test", "/");
    for measured in 1..=3 {
        let questions = dns.questions();
        let measurement = measure_url(&url, &settings).await;
        assert!(measurement.failure.is_none(), "{measurement:?}");
        assert!(dns.questions() >= questions + 2, "A and AAAA are asked for anew");
        assert_eq!(server.seen.lock().unwrap().connections, measured);
    }
}

#[tokio::test]
async fn http_and_https_of_one_host_are_two_targets() {
    let dns = DnsServer::start(Duration::ZERO).await;
    let authority = Authority::new();
    let plain = WebServer::start(answers(OK)).await;
    let encrypted = WebServer::start_tls(authority.certify("web.test"), answers(OK)).await;
    let settings = settings(&dns, &authority);
    let (http_url, https_url) = (plain.url("http", "web.test", "/"), encrypted.url("https", "web.test", "/"));
    let (http, https) = tokio::join!(measure_url(&http_url, &settings), measure_url(&https_url, &settings));

    assert!(http.failure.is_none() && https.failure.is_none(), "{http:?} {https:?}");
    assert!(http.phases.dns.is_some() && https.phases.dns.is_some(), "each has a lookup of its own");
    assert!(http.phases.tls.is_none() && https.phases.tls.is_some());
    let target = |json: &str| Event::parse(json.as_bytes()).unwrap().target.into_owned();
    assert_eq!(target(&http.to_event("1", "c", EventTime::from_ms(1))), http_url);
    assert_eq!(target(&https.to_event("2", "c", EventTime::from_ms(1))), https_url);
}

#[tokio::test]
async fn an_address_has_no_dns_phase() {
    let server = WebServer::start(answers(OK)).await;
    let measurement = measure_url(&server.url("http", "127.0.0.1", "/"), &plain_settings()).await;
    assert!(measurement.failure.is_none(), "{measurement:?}");
    assert!(measurement.phases.dns.is_none());
    assert_eq!(measurement.evidence.network.source_ip, Some("127.0.0.1".parse().unwrap()));
    let json = measurement.to_event("1", "c", EventTime::from_ms(1));
    assert!(!json.contains("dns_ms") && !json.contains("tls_ms"), "{json}");
}

#[tokio::test]
async fn the_request_is_the_url_and_asks_for_the_object_itself() {
    let server = WebServer::start(answers(OK)).await;
    let host = format!("127.0.0.1:{}", server.address.port());
    for path in ["", "?q=1", "/a/b?c=d#part"] {
        measure_url(&format!("http://{host}{path}"), &plain_settings()).await;
    }
    let requests = server.requests();
    let lines: Vec<_> = requests.iter().filter_map(|request| request.lines().next()).collect();
    assert_eq!(lines, ["GET / HTTP/1.1", "GET /?q=1 HTTP/1.1", "GET /a/b?c=d HTTP/1.1"]);
    let request = requests[0].to_ascii_lowercase();
    for header in [format!("host: {host}").as_str(), "cache-control: no-cache", "accept-encoding: identity"] {
        assert!(request.contains(&format!("\r\n{header}\r\n")), "{header}: {request}");
    }
}

#[tokio::test]
async fn an_empty_body_has_no_phase() {
    let server = WebServer::start(answers("HTTP/1.1 204 No Content\r\n\r\n")).await;
    let measurement = measure_url(&server.url("http", "127.0.0.1", "/"), &plain_settings()).await;
    assert!(measurement.failure.is_none(), "{measurement:?}");
    assert!(measurement.phases.ttfb.is_some() && measurement.phases.body.is_none());
}

#[tokio::test]
async fn an_endless_body_is_left_after_enough_of_it() {
    let mut script = vec![Step::ReadRequest, Step::send("HTTP/1.1 200 OK\r\n\r\n")];
    script.extend(std::iter::repeat_n(Step::Send(vec![b'x'; 1024 * 1024]), 11));
    script.push(Step::Stall);
    let server = WebServer::start(script).await;
    let measurement = measure_url(&server.url("http", "127.0.0.1", "/"), &plain_settings()).await;
    assert_eq!(stage(&measurement), None, "{measurement:?}");
    assert!(measurement.phases.body.is_some());
}
