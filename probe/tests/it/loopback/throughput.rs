//! Throughput is that of a fixed object, over a connection of its own, after the page.

use std::time::Duration;

use netqoe_model::{Event, EventTime};
use netqoe_probe::{Settings, ThroughputObject};

use crate::loopback::{measure_url, plain_settings, settings, stage};
use crate::support::dns_server::DnsServer;
use crate::support::web_server::{Authority, NOT_FOUND, OK, Step, WebServer, object, path, redirect};

/// The fixed object's.
const ENOUGH: usize = 1 << 20;

fn with_default(settings: Settings) -> Settings {
    Settings { throughput: Some(ThroughputObject::OfTarget), ..settings }
}

fn with_object(settings: Settings, url: &str) -> Settings {
    Settings { throughput: Some(ThroughputObject::At(Box::new(url.parse().unwrap()))), ..settings }
}

fn page_and(object: String) -> Vec<Step> {
    vec![Step::ReadRequest, Step::AnswerByPath(vec![("/", OK.to_owned()), ("/fixed/1mb.bin", object)])]
}

#[tokio::test]
async fn the_object_comes_over_a_connection_of_its_own() {
    let dns = DnsServer::start(Duration::ZERO).await;
    let authority = Authority::new();
    let server = WebServer::start_tls(authority.certify("web.test"), page_and(object(ENOUGH))).await;
    let settings = with_default(settings(&dns, &authority));
    let measurement = measure_url(&server.url("https", "web.test", "/"), &settings).await;

    assert!(measurement.failure.is_none(), "{measurement:?}");
    assert_eq!(server.seen.lock().unwrap().connections, 2);
    assert_eq!(dns.questions(), 2, "the address is known: A and AAAA were asked for once");
    let requests = server.requests();
    let paths: Vec<_> = requests.iter().filter_map(|request| path(request)).collect();
    assert_eq!(paths, ["/", "/fixed/1mb.bin"]);
    assert!(requests[1].contains("Cache-Control: no-cache"), "{requests:?}");
    let (phases, evidence) = (measurement.phases, measurement.evidence.throughput.unwrap());
    assert!(measurement.total <= phases.throughput.unwrap().span.start, "it is in no other phase");
    assert_eq!((evidence.status, evidence.bytes), (Some(200), ENOUGH as u64));
    assert!(evidence.tls.unwrap().resumed, "the server gave a session to go on with");
    assert_eq!(evidence.tcp_info.map(|info| info.received_bytes > ENOUGH as u64), Some(true));
    assert!(!measurement.evidence.tls.unwrap().resumed);
}

#[tokio::test]
async fn it_is_the_bytes_of_the_body_over_their_own_time() {
    const PIECES: u32 = 16;
    const PIECE_BYTES: usize = 64 * 1024;
    const THINKING: Duration = Duration::from_millis(120);
    const PAUSE: Duration = Duration::from_millis(10);
    let total = PIECES as usize * PIECE_BYTES;
    let mut script = vec![Step::ReadRequest, Step::Wait(THINKING)];
    script.push(Step::send(&format!("HTTP/1.1 200 OK\r\nContent-Length: {total}\r\n\r\n")));
    for _ in 0..PIECES {
        script.extend([Step::Wait(PAUSE), Step::Send(vec![b'x'; PIECE_BYTES])]);
    }
    let server = WebServer::start(script).await;
    let url = server.url("http", "127.0.0.1", "/");
    let measurement = measure_url(&url, &with_object(plain_settings(), &url)).await;

    assert!(measurement.failure.is_none(), "{measurement:?}");
    let transfer = measurement.phases.throughput.unwrap();
    assert!(transfer.span.start >= measurement.total + THINKING, "the server's thinking is not in the transfer");
    // The server may be ahead of the probe by what the kernel holds of the first pieces.
    assert!(transfer.span.duration() >= PAUSE * (PIECES - 4), "the last byte is waited for");
    assert!(transfer.bytes < total as u64, "what came before the clock started is not counted");
    let mbps = transfer.bytes as f64 * 8.0 / 1e6 / transfer.span.duration().as_secs_f64();
    let json = measurement.to_event("1", "c", EventTime::from_ms(1));
    let kbps = Event::parse(json.as_bytes()).unwrap().samples[4].unwrap();
    assert!((kbps as f64 - mbps * 1000.0).abs() <= 1.0, "{kbps} kbit/s, {mbps} Mbit/s");
}

/// The page was measured all the same, and evidence says why there is no figure.
async fn check_absent(object: Vec<Step>, reason: &str) {
    let script = [vec![Step::ReadRequest, Step::PageOnly(OK.to_owned())], object].concat();
    let server = WebServer::start(script).await;
    let settings = with_default(plain_settings());
    let measurement = measure_url(&server.url("http", "127.0.0.1", "/"), &settings).await;
    assert_eq!(stage(&measurement), None, "{reason}: {measurement:?}");
    assert_eq!((measurement.evidence.status, measurement.phases.throughput), (Some(200), None), "{measurement:?}");
    let found = measurement.evidence.throughput.unwrap().reason.unwrap();
    assert!(found.contains(reason) && !found.contains('\n'), "{reason}: {found}");
}

#[tokio::test]
async fn what_is_not_the_object_is_no_figure_and_no_failure() {
    let answer = |fields: &str, body: usize| {
        vec![Step::send(&format!("HTTP/1.1 200 OK\r\n{fields}\r\n\r\n{}", "x".repeat(body)))]
    };
    let length = format!("Content-Length: {ENOUGH}");
    check_absent(vec![Step::send(NOT_FOUND)], "status 404").await;
    check_absent(vec![Step::send(&redirect("/elsewhere"))], "status 302").await;
    check_absent(vec![], "closed before an answer came").await;
    check_absent(vec![Step::send("denied\r\n\r\n")], "does not begin with HTTP/").await;
    check_absent(answer("Content-Type: Text/HTML; charset=utf-8", ENOUGH), "it is a page").await;
    check_absent(answer("Content-Length: 200000", 200_000), "it has 200000 bytes").await;
    check_absent(answer("X: y", 200_000), "its body is not the 1048576 bytes").await;
    check_absent(answer("X: y", 11 << 20), "its body is not the 1048576 bytes").await;
    check_absent(answer(&format!("{length}\r\nContent-Encoding: gzip"), ENOUGH), "compressed (gzip)").await;
    check_absent(answer(&length, 9), "the body broke off after 9 bytes").await;
}

/// An answer that never comes must not take the time of the whole measurement.
#[tokio::test]
async fn an_object_that_hangs_is_left() {
    check_absent(vec![Step::Stall], "the request was not answered within").await;
}

#[tokio::test]
async fn nothing_is_fetched_that_nobody_asked_for() {
    let server = WebServer::start(page_and(object(ENOUGH))).await;
    let settings = Settings { timeout: plain_settings().timeout, ..Settings::default() };
    let measurement = measure_url(&server.url("http", "127.0.0.1", "/"), &settings).await;
    assert_eq!((stage(&measurement), server.requests().len()), (None, 1), "{measurement:?}");
    assert_eq!(measurement.evidence.throughput, None);
}

#[tokio::test]
async fn an_object_that_was_named_may_have_any_length() {
    let dns = DnsServer::start(Duration::ZERO).await;
    let page = WebServer::start(page_and(object(ENOUGH))).await;
    let elsewhere =
        WebServer::start(vec![Step::ReadRequest, Step::AnswerByPath(vec![("/big", object(256 * 1024))])]).await;
    for (path, reason) in [("/big", None), ("/gone", Some("the server answered with status 404"))] {
        let url = elsewhere.url("http", "files.web.test", path);
        let settings = with_object(settings(&dns, &Authority::new()), &url);
        let measurement = measure_url(&page.url("http", "web.test", "/"), &settings).await;
        assert_eq!(stage(&measurement), None, "{measurement:?}");
        assert_eq!(measurement.phases.throughput.is_some(), reason.is_none());
        assert_eq!(measurement.evidence.throughput.unwrap().reason.as_deref(), reason);
    }
    assert_eq!(page.requests().len(), 2, "nothing but the page is asked of it");
}
