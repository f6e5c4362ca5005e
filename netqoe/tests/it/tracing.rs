//! Traces from a probe to a commit, as a collector gets them.

#[path = "../../../trace/tests/it/collector.rs"]
#[allow(dead_code, reason = "not all of it is used here")]
mod collector;

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::AtomicU16;
use std::time::{Duration, Instant};

use collector::{Collector, Delivered, Manner};
use netqoe_testbed::Postgres;

use crate::cluster_support::{Rig, Shape};
use crate::support::{JSON, Server, event, eventually_or_say, metric, netqoe, post};

/// The names of a trace's spans, each after the one that it follows from, and the kinds of service that they are of.
const PATH: [(&str, &str); 6] = [
    ("report", "netqoe-probe"),
    ("POST /api/v1/events", "ingest"),
    ("publish", "ingest"),
    ("read", "aggregate"),
    ("compute", "aggregate"),
    ("commit", "aggregate"),
];

/// What no span may show: tokens, and what clients and targets are called.
const PLANTED: [&str; 4] =
    ["planted-token-of-ingest", "planted-token-of-collector", "planted-client", "planted.example"];
const OWN_TOKEN: (&str, &str) = ("Authorization", "Bearer planted-token-of-ingest");

/// The spans of one trace, if it has gone all the way.
fn whole_trace(spans: &[Delivered]) -> Option<BTreeMap<String, Delivered>> {
    let mut traces = BTreeMap::<_, BTreeMap<String, Delivered>>::new();
    for found in spans {
        traces.entry(found.span.trace_id.clone()).or_default().insert(found.span.name.clone(), found.clone());
    }
    traces.into_values().find(|trace| trace.len() == PATH.len())
}

/// Each span follows from the one before it; `up` names its own service where a cluster has two.
#[track_caller]
fn assert_path(trace: &BTreeMap<String, Delivered>, is_cluster: bool) {
    let before = [None, Some("report"), Some("POST /api/v1/events"), Some("publish"), Some("read"), Some("read")];
    for ((name, service), before) in PATH.into_iter().zip(before) {
        let Delivered { service: found, span } = &trace[name];
        let expected = match service {
            "netqoe-probe" => service.to_owned(),
            other if is_cluster => format!("netqoe-{other}"),
            _ => "netqoe-up".to_owned(),
        };
        assert_eq!(*found, expected, "{name}");
        let parent = before.map(|before| trace[before].span.span_id.clone()).unwrap_or_default();
        assert_eq!(span.parent_span_id, parent, "{name}");
        assert!(span.start_time_unix_nano <= span.end_time_unix_nano, "{name}");
    }
    let said = |name: &str, attribute: &str| trace[name].attributes()[attribute].parse::<u64>().unwrap();
    assert!(said("report", "netqoe.events") > 0 && said("report", "netqoe.bytes") > 0);
    assert_eq!(said("report", "http.response.status_code"), 200);
    assert_eq!(said("POST /api/v1/events", "netqoe.events"), said("report", "netqoe.events"));
    assert!(said("read", "netqoe.records") > 0 && said("commit", "netqoe.partitions") > 0);
}

#[track_caller]
fn assert_nothing_planted(collector: &Collector) {
    for (_, body) in collector.deliveries() {
        let body = String::from_utf8_lossy(&body);
        PLANTED.iter().for_each(|planted| assert!(!body.contains(planted), "{planted} is in a span"));
    }
}

/// A probe that sends what it has measured to this port, with a trace for each batch.
fn probe(to: u16, collector: &Collector, folder: &std::path::Path) -> Server {
    let mut command = netqoe();
    command.args(["probe", "--interval", "200ms", "--client-id", "planted-client", "--trace-sample", "1"]);
    command.args(["--endpoint", &format!("http://127.0.0.1:{to}"), "--otlp-endpoint", &collector.url(), "--spool"]);
    command.arg(folder.join("spool")).args(["tcp://127.0.0.1:1", "--metrics-listen", "0"]);
    command.env("NETQOE_TOKEN", PLANTED[0]).env("NETQOE_OTLP_HEADERS", format!("X-Token: {}", PLANTED[1]));
    Server::run(command, Arc::default())
}

fn up(folder: &std::path::Path, endpoint: &str) -> (Server, u16) {
    let mut command = netqoe();
    command.args(["up", "--port", "0", "--trace-sample", "0", "--otlp-endpoint", endpoint, "--data"]).arg(folder);
    command.env("NETQOE_TOKENS", PLANTED[0]).env("NETQOE_OTLP_HEADERS", format!("X-Token: {}", PLANTED[1]));
    let mut server = Server::run(command, Arc::default());
    let port = server.port();
    (server, port)
}

/// Posts an event under each of these headers, of which the last is followed alone; returns what the collector has got.
#[track_caller]
fn only_the_last_is_followed(port: u16, collector: &Collector) {
    const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7";
    let headers = [
        None,
        Some(format!("00-{TRACE}-00")),
        Some(format!("00-{}-01", TRACE.to_uppercase())),
        Some(format!("ff-{TRACE}-01")),
        Some("planted.example".repeat(200)),
        Some(format!("00-{TRACE}-01\r\ntraceparent: 00-{TRACE}-01")),
        Some(format!("00-{TRACE}-01")),
    ];
    for (number, traceparent) in headers.iter().enumerate() {
        let header = traceparent.as_ref().map(|value| ("traceparent", value.as_str()));
        let headers: Vec<_> = [JSON, OWN_TOKEN].into_iter().chain(header).collect();
        let answer = post(port, &headers, event(&format!("e-{number}"), "planted-client").to_string()).unwrap();
        assert_eq!(answer.status, 200, "{traceparent:?}: {}", answer.body);
    }
    // Who may not send decides nothing.
    let (refused, traceparent) = (format!("00-{}-01", TRACE.replace('4', "5")), "traceparent");
    assert_eq!(post(port, &[JSON, (traceparent, &refused)], "{}").unwrap().status, 401);
    // Each process delivers in its own time.
    let has = |name: &str| collector.spans().iter().any(|found| found.span.name == name);
    let are_there = || has("commit") && has("POST /api/v1/events");
    eventually_or_say("request and commit have spans", are_there, || format!("{:?}", collector.spans()));
    let spans = collector.spans();
    let of_others = spans.iter().filter(|found| found.span.trace_id[..4] != [0x4b, 0xf9, 0x2f, 0x35]);
    assert_eq!(of_others.count(), 0, "{spans:?}");
    let requests: Vec<_> = spans.iter().filter(|found| found.span.name == "POST /api/v1/events").collect();
    let [request] = &requests[..] else { panic!("{requests:?}") };
    assert_eq!(request.span.parent_span_id[..2], [0x00, 0xf0]);
}

#[test]
fn one_trace_goes_from_a_probe_to_a_commit_of_up() {
    let (collector, folder) = (Collector::start(Manner::Takes), tempfile::tempdir().unwrap());
    let (server, port) = up(&folder.path().join("data"), &collector.url());
    only_the_last_is_followed(port, &collector);
    let mut probe = probe(port, &collector, folder.path());
    let is_whole = || whole_trace(&collector.spans()).is_some();
    eventually_or_say("a trace is whole", is_whole, || format!("{:?}", collector.spans()));
    assert_path(&whole_trace(&collector.spans()).unwrap(), false);
    for port in [port, probe.port()] {
        assert!(metric(port, "telemetry_trace_spans_exported_total").is_some_and(|spans| spans > 0.0));
    }
    probe.stop();
    server.stop();
    assert_nothing_planted(&collector);
}

#[test]
fn one_trace_goes_from_a_probe_to_a_commit_of_a_cluster() {
    let (collector, folder) = (Collector::start(Manner::Takes), tempfile::tempdir().unwrap());
    let postgres = Postgres::start().unwrap();
    let mut rig = Rig::new(&postgres.url());
    let variables = [("NETQOE_OTLP_ENDPOINT", collector.url()), ("NETQOE_TRACE_SAMPLE", "0".to_owned())];
    rig.environment.extend(variables);
    rig.environment.push(("NETQOE_TOKENS", PLANTED[0].to_owned()));
    rig.environment.push(("NETQOE_OTLP_HEADERS", format!("X-Token: {}", PLANTED[1])));
    let mut ingest = rig.ingest_with(&Arc::<AtomicU16>::default(), &[]);
    let port = ingest.port();
    let group = rig.working_group(Shape { processes: 2, workers: 1 });
    only_the_last_is_followed(port, &collector);
    let probe = probe(port, &collector, folder.path());
    let is_whole = || whole_trace(&collector.spans()).is_some();
    eventually_or_say("a trace is whole", is_whole, || format!("{:?}", collector.spans()));
    assert_path(&whole_trace(&collector.spans()).unwrap(), true);
    probe.stop();
    ingest.stop();
    group.stop(0);
    assert_nothing_planted(&collector);
}

#[test]
fn a_collector_that_is_away_is_named_once_and_holds_up_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let away = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let (server, port) = up(folder.path(), &format!("http://{away}"));
    let traceparent = ("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");
    let mut number = 0;
    let dropped = || metric(port, "telemetry_trace_spans_dropped_total{reason=\"undelivered\"}").unwrap_or_default();
    let deadline = Instant::now() + Duration::from_secs(60);
    // Until several deliveries have failed.
    let mut steps = Vec::new();
    while steps.len() < 3 {
        assert!(Instant::now() < deadline, "{}", server.last_words());
        number += 1;
        let answer =
            post(port, &[JSON, OWN_TOKEN, traceparent], event(&format!("e-{number}"), "c").to_string()).unwrap();
        assert_eq!(answer.status, 200, "{}", answer.body);
        steps.push(dropped());
        steps.dedup();
        std::thread::sleep(Duration::from_millis(20));
    }
    server.terminate();
    let (code, log) = server.wait();
    assert_eq!(code, Some(0), "{log}");
    assert_eq!(log.matches("spans can't be delivered").count(), 1, "{log}");
    assert!(!log.contains(PLANTED[1]), "{log}");
}
