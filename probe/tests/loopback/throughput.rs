//! Throughput is that of a fixed object, over a connection of its own, after the page.

use std::time::Duration;

use netqoe_model::{ErrorStage, Event, EventTime};
use netqoe_probe::{Settings, ThroughputObject};

use crate::support::dns_server::DnsServer;
use crate::support::web_server::{Authority, OK, Step, WebServer, object, path};
use crate::{measure_url, plain_settings, settings, stage};

const ENOUGH: usize = 256 * 1024;

fn with_default(settings: Settings) -> Settings {
    Settings { throughput: Some(ThroughputObject::OfTarget), ..settings }
}

fn with_object(settings: Settings, url: &str) -> Settings {
    Settings { throughput: Some(ThroughputObject::At(url.parse().unwrap())), ..settings }
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
    assert!(requests[1].contains("cache-control: no-cache"), "{requests:?}");
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
    let settings = with_default(plain_settings());
    let measurement = measure_url(&server.url("http", "127.0.0.1", "/"), &settings).await;

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

#[tokio::test]
async fn a_server_without_the_object_is_measured_without() {
    let server = WebServer::start(vec![Step::ReadRequest, Step::AnswerByPath(vec![("/", OK.to_owned())])]).await;
    let measurement = measure_url(&server.url("http", "127.0.0.1", "/"), &with_default(plain_settings())).await;
    assert_eq!(stage(&measurement), None, "{measurement:?}");
    assert!(measurement.phases.ttfb.is_some() && measurement.phases.throughput.is_none());
    assert_eq!(measurement.evidence.throughput.unwrap().status, Some(404));
}

#[tokio::test]
async fn a_small_object_says_nothing() {
    let server = WebServer::start(page_and(object(1000))).await;
    let measurement = measure_url(&server.url("http", "127.0.0.1", "/"), &with_default(plain_settings())).await;
    assert_eq!(stage(&measurement), None, "{measurement:?}");
    let json = measurement.to_event("1", "c", EventTime::from_ms(1));
    assert_eq!(Event::parse(json.as_bytes()).unwrap().samples[4], None);
}

#[tokio::test]
async fn an_object_that_was_named_must_be_there() {
    let dns = DnsServer::start(Duration::ZERO).await;
    let page = WebServer::start(page_and(object(ENOUGH))).await;
    let elsewhere = WebServer::start(vec![Step::ReadRequest, Step::AnswerByPath(vec![("/big", object(ENOUGH))])]).await;
    for (path, failed) in [("/big", None), ("/gone", Some("status 404"))] {
        let url = elsewhere.url("http", "files.web.test", path);
        let settings = with_object(settings(&dns, &Authority::new()), &url);
        let measurement = measure_url(&page.url("http", "web.test", "/"), &settings).await;
        assert_eq!(stage(&measurement), failed.map(|_| ErrorStage::Throughput), "{measurement:?}");
        assert_eq!(measurement.phases.throughput.is_some(), failed.is_none());
        let message = measurement.failure.map(|failure| failure.to_string()).unwrap_or_default();
        assert!(message.contains(failed.unwrap_or_default()) && !message.contains('\n'), "{message}");
    }
    assert_eq!(page.requests().len(), 2, "nothing but the page is asked of it");
}

#[tokio::test]
async fn an_object_cut_short_is_a_failure_of_throughput() {
    let short = format!("HTTP/1.1 200 OK\r\nContent-Length: {ENOUGH}\r\n\r\nonly this");
    let server = WebServer::start(page_and(short)).await;
    let measurement = measure_url(&server.url("http", "127.0.0.1", "/"), &with_default(plain_settings())).await;
    assert_eq!(stage(&measurement), Some(ErrorStage::Throughput), "{measurement:?}");
    assert!(measurement.phases.body.is_some(), "the page was measured");
    assert_eq!(measurement.phases.throughput, None);
    assert_eq!(measurement.evidence.throughput.unwrap().bytes, 9, "what had come is told");
    let message = measurement.failure.unwrap().to_string();
    assert!(message.contains("/fixed/1mb.bin: the body broke off after 9 bytes"), "{message}");
}
