//! `tcp://`, `icmp://` and `dns://`: each has the stages that it has, and no others.

use std::time::Duration;

use netqoe_model::{ErrorStage, Event, EventTime};
use netqoe_probe::{Failure, Measurement, Phases, Settings};

use crate::loopback::{measure_url, plain_settings, refusing_socket, settings, stage};
use crate::support::dns_server::DnsServer;
use crate::support::web_server::{Authority, Step, WebServer};

fn samples(measurement: &Measurement) -> [bool; 5] {
    let json = measurement.to_event("1", "c", EventTime::from_ms(1));
    Event::parse(json.as_bytes()).unwrap().samples.map(|sample| sample.is_some())
}

#[tokio::test]
async fn a_connection_has_a_lookup_and_a_handshake() {
    let dns = DnsServer::start(Duration::from_millis(30)).await;
    let server = WebServer::start(vec![Step::Stall]).await;
    let url = format!("tcp://web.test:{}", server.address.port());
    let measurement = measure_url(&url, &settings(&dns, &Authority::new())).await;
    assert_eq!(stage(&measurement), None, "{measurement:?}");
    assert_eq!(samples(&measurement), [true, true, false, false, false]);
    assert_eq!(measurement.evidence.peer, Some(server.address));
    assert!(measurement.evidence.tcp_info.is_some());
    assert!(server.requests().is_empty());
}

#[tokio::test]
async fn a_connection_that_is_refused() {
    let (_socket, address) = refusing_socket();
    let measurement = measure_url(&format!("tcp://{address}"), &plain_settings()).await;
    assert_eq!(stage(&measurement), Some(ErrorStage::Tcp));
    assert_eq!(measurement.phases, Phases::default());
}

#[tokio::test]
async fn a_question_to_one_server() {
    let dns = DnsServer::start(Duration::from_millis(60)).await;
    let url = |name: &str| format!("dns://{}/{name}", dns.address);
    let measurement = measure_url(&url("web.test"), &plain_settings()).await;
    assert_eq!(stage(&measurement), None, "{measurement:?}");
    assert_eq!(samples(&measurement), [true, false, false, false, false]);
    assert!(measurement.phases.dns.unwrap().duration() >= Duration::from_millis(60));
    assert_eq!(measurement.evidence.dns.answers.len(), 2, "A and AAAA");

    for (name, message_part) in [("absent.test", "NXDOMAIN"), ("broken.test", "SERVFAIL")] {
        let measurement = measure_url(&url(name), &plain_settings()).await;
        assert_eq!(stage(&measurement), Some(ErrorStage::Dns));
        assert_eq!(measurement.phases, Phases::default());
        let message = measurement.failure.unwrap().to_string();
        assert!(message.contains(message_part), "{message}");
    }
}

#[tokio::test]
async fn a_port_without_a_name_server_is_refused_at_once() {
    let socket = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    // A socket that is connected elsewhere takes nothing from others.
    socket.connect("127.0.0.1:9").unwrap();
    let url = format!("dns://{}/web.test", socket.local_addr().unwrap());
    // There is no other end to it: the time limit is an hour.
    let measurement = measure_url(&url, &plain_settings()).await;
    assert_eq!(stage(&measurement), Some(ErrorStage::Dns));
    let message = measurement.failure.unwrap().to_string();
    assert!(message.contains("Connection refused"), "{message}");
}

#[tokio::test]
async fn a_server_that_is_given_by_its_name_is_looked_up_in_no_phase() {
    let dns = DnsServer::start(Duration::from_millis(200)).await;
    let asked = DnsServer::start(Duration::ZERO).await;
    let url = format!("dns://ns.web.test:{}/web.test", asked.address.port());
    let measurement = measure_url(&url, &settings(&dns, &Authority::new())).await;
    assert_eq!(stage(&measurement), None, "{measurement:?}");
    let (phase, total) = (measurement.phases.dns.unwrap(), measurement.total);
    assert!(phase.start >= Duration::from_millis(200) && total >= phase.end, "{phase:?}");
    assert!(measurement.evidence.dns.answers.iter().all(|answer| answer.server == asked.address));
}

/// Some machines permit no ICMP socket at all: then the test says so.
fn is_permitted(measurement: &Measurement) -> bool {
    if let Some(failure @ Failure::IcmpSocket(_)) = &measurement.failure {
        assert_eq!(failure.stage(), ErrorStage::Tcp);
        eprintln!("skipped: {failure}");
        return false;
    }
    true
}

#[tokio::test]
async fn echoes_have_round_trips_loss_and_jitter() {
    for url in ["icmp://127.0.0.1", "icmp://[::1]"] {
        let measurement = measure_url(url, &plain_settings()).await;
        if !is_permitted(&measurement) {
            return;
        }
        assert_eq!(stage(&measurement), None, "{measurement:?}");
        assert_eq!(samples(&measurement), [false, true, false, false, false]);
        let echoes = measurement.evidence.echoes.unwrap();
        assert_eq!((echoes.sent, echoes.received, echoes.loss), (10, 10, 0.0));
        let median_ms = measurement.phases.tcp.unwrap().duration().as_secs_f64() * 1000.0;
        assert!(echoes.min_ms <= median_ms && median_ms <= echoes.max_ms, "{echoes:?}");
    }
}

#[tokio::test]
async fn a_host_that_echoes_nothing_is_a_failure_within_the_timeout() {
    // An address for documentation: no host has it.
    let settings = Settings { timeout: Duration::from_millis(300), ..plain_settings() };
    let began = std::time::Instant::now();
    let measurement = measure_url("icmp://192.0.2.199", &settings).await;
    if !is_permitted(&measurement) {
        return;
    }
    assert_eq!(stage(&measurement), Some(ErrorStage::Tcp));
    assert!(measurement.phases.tcp.is_none() && began.elapsed() < Duration::from_secs(30));
    let message = measurement.failure.unwrap().to_string();
    assert!(message.contains("192.0.2.199"), "{message}");
}
