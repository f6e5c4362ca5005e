//! What becomes of spans where the collector takes them, and where it does not.

use std::net::TcpListener;
use std::time::{Duration, Instant};

use netqoe_model::metrics::Metrics;
use netqoe_trace::{Collector as To, Kind, SpanCounts, Tracing};

use crate::collector::{Collector, Manner};

/// Long enough for any machine.
const PATIENCE: Duration = Duration::from_secs(60);

fn tracing_to(url: &str, headers: &str, metrics: &Metrics) -> Tracing {
    let to = url.parse::<To>().unwrap().with_headers(headers.parse().unwrap());
    Tracing::start("tested", to, "1".parse().unwrap(), SpanCounts::of(metrics)).unwrap()
}

fn spans(tracing: &Tracing, count: usize) {
    (0..count).for_each(|_| drop(tracing.tracer().start("report", Kind::Client, None)));
}

/// Spans that were taken, that had no room, that were not delivered, that were refused.
fn counts(metrics: &Metrics) -> [u64; 4] {
    let dropped = |reason| metrics.trace_spans_dropped.with_label_values(&[reason]).get();
    [metrics.trace_spans_exported.get(), dropped("queue_full"), dropped("undelivered"), dropped("refused")]
}

fn wait_for(metrics: &Metrics, expected: [u64; 4]) {
    let until = Instant::now() + PATIENCE;
    while counts(metrics) != expected {
        assert!(Instant::now() < until, "{:?} instead of {expected:?}", counts(metrics));
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn each_span_is_counted_whatever_the_collector_does() {
    let (collector, metrics) = (Collector::start(Manner::Refuses(2)), Metrics::new());
    let tracing = tracing_to(&collector.url(), "", &metrics);
    spans(&tracing, 5);
    wait_for(&metrics, [3, 0, 0, 2]);
    collector.behave(Manner::Fails(503));
    spans(&tracing, 7);
    wait_for(&metrics, [3, 0, 7, 2]);
    collector.behave(Manner::Takes);
    spans(&tracing, 11);
    drop(tracing);
    assert_eq!(counts(&metrics), [14, 0, 7, 2], "what waits at the end is delivered");
    assert_eq!(collector.spans().len(), 14);
}

#[test]
fn a_collector_that_is_away_costs_its_spans() {
    let away = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let metrics = Metrics::new();
    let tracing = tracing_to(&format!("http://{away}"), "", &metrics);
    spans(&tracing, 3);
    drop(tracing);
    assert_eq!(counts(&metrics), [0, 0, 3, 0]);
}

#[test]
fn a_collector_that_is_silent_holds_up_nobody() {
    let (collector, metrics) = (Collector::start(Manner::Silent), Metrics::new());
    let tracing = tracing_to(&collector.url(), "", &metrics);
    // Many more than the queue holds. If any of them waited for the collector, this would take ten seconds for each delivery.
    spans(&tracing, 100_000);
    let [taken, no_room, undelivered, refused] = counts(&metrics);
    assert_eq!((taken, undelivered, refused), (0, 0, 0));
    assert!(no_room > 90_000, "{no_room}");
    let started = Instant::now();
    drop(tracing);
    assert!(started.elapsed() < Duration::from_secs(9), "the end waits for less than a delivery may take");
}

#[test]
fn headers_are_sent_and_are_in_no_span() {
    let (collector, metrics) = (Collector::start(Manner::Takes), Metrics::new());
    let tracing = tracing_to(&collector.url(), "Authorization: Bearer s3cret\nX-Scope: 7", &metrics);
    spans(&tracing, 1);
    drop(tracing);
    let deliveries = collector.deliveries();
    let [(head, body)] = &deliveries[..] else { panic!("{deliveries:?}") };
    let head = head.to_ascii_lowercase();
    assert!(head.contains("authorization: bearer s3cret\r\n") && head.contains("x-scope: 7\r\n"), "{head}");
    assert!(!String::from_utf8_lossy(body).contains("s3cret"));
}
