//! Several name servers, several addresses, one family of them.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use netqoe_model::ErrorStage;
use netqoe_probe::{DnsOutcome, Family, Measurement, NameServers, Settings};
use tokio::net::TcpSocket;

use crate::loopback::timeouts::fill;
use crate::loopback::{measure_url, plain_settings, stage};
use crate::support::dns_server::DnsServer;
use crate::support::web_server::{OK, WebServer, answers};

fn asking(servers: &[SocketAddr]) -> Settings {
    Settings { name_servers: NameServers::At(servers.to_vec()), ..plain_settings() }
}

fn answers_of(measurement: &Measurement, server: SocketAddr) -> Vec<(Family, Option<Duration>, DnsOutcome)> {
    let answers = measurement.evidence.dns.answers.iter().filter(|answer| answer.server == server);
    answers.map(|answer| (answer.family, answer.span.map(|span| span.duration()), answer.outcome.clone())).collect()
}

#[tokio::test]
async fn every_server_is_asked_for_both_families_and_the_first_is_the_phase() {
    const SLOW: Duration = Duration::from_millis(300);
    let (fast, slow) = (DnsServer::start(Duration::ZERO).await, DnsServer::start(SLOW).await);
    let server = WebServer::start(answers(OK)).await;
    let settings = asking(&[fast.address, slow.address]);
    let measurement = measure_url(&server.url("http", "web.test", "/"), &settings).await;

    assert!(measurement.failure.is_none(), "{measurement:?}");
    let dns = measurement.phases.dns.unwrap();
    for (server, at_least) in [(fast.address, Duration::ZERO), (slow.address, SLOW)] {
        let answers = answers_of(&measurement, server);
        assert_eq!(answers.len(), 2, "{answers:?}");
        for (family, took, outcome) in answers {
            let expected = match family {
                Family::V4 => DnsOutcome::Addresses(vec!["127.0.0.1".parse().unwrap()]),
                Family::V6 => DnsOutcome::NoRecords,
            };
            assert_eq!(outcome, expected);
            assert!(took.unwrap() >= at_least, "{took:?}");
        }
    }
    // The slow one was on its way meanwhile: it is waited for at the end, and is in no phase.
    let slow_answer = measurement.evidence.dns.answers.iter().find(|answer| answer.server == slow.address).unwrap();
    assert!(dns.end < slow_answer.span.unwrap().end && measurement.total < slow_answer.span.unwrap().end + SLOW);
    assert!(measurement.phases.tcp.unwrap().start < slow_answer.span.unwrap().end, "nobody waits for the slow one");
}

#[tokio::test]
async fn a_server_that_fails_or_is_silent_leaves_it_to_the_other() {
    let dns = DnsServer::start(Duration::from_millis(30)).await;
    let server = WebServer::start(answers(OK)).await;
    // Nobody listens there.
    let dead: SocketAddr = "127.0.0.1:9".parse().unwrap();
    let measurement = measure_url(&server.url("http", "web.test", "/"), &asking(&[dead, dns.address])).await;
    assert!(measurement.failure.is_none(), "{measurement:?}");
    let silent = answers_of(&measurement, dead);
    assert_eq!(silent.len(), 2);
    let failed = |outcome: &DnsOutcome| matches!(outcome, DnsOutcome::Failed(_) | DnsOutcome::Unanswered);
    assert!(silent.iter().all(|(_, _, outcome)| failed(outcome)), "{silent:?}");
}

#[tokio::test]
async fn an_address_that_refuses_is_followed_by_the_next() {
    let dns = DnsServer::start(Duration::ZERO).await;
    // It listens on 127.0.0.1 only.
    let server = WebServer::start(answers(OK)).await;
    let url = server.url("http", "to.3.1.web.test", "/");
    let measurement = measure_url(&url, &asking(&[dns.address])).await;
    assert!(measurement.failure.is_none(), "{measurement:?}");
    let attempts = &measurement.evidence.attempts;
    assert_eq!(attempts.len(), 2, "{attempts:?}");
    assert_eq!(attempts[0].address.ip(), "127.0.0.3".parse::<IpAddr>().unwrap());
    assert!(attempts[0].failure.as_ref().unwrap().contains("refused"), "{attempts:?}");
    assert_eq!((attempts[1].span, &attempts[1].failure), (measurement.phases.tcp, &None));
    assert_eq!(measurement.evidence.peer, Some(server.address));
}

#[tokio::test]
async fn an_address_that_is_silent_costs_a_quarter_of_a_second_and_no_more() {
    let dns = DnsServer::start(Duration::ZERO).await;
    let server = WebServer::start(answers(OK)).await;
    let black_hole = TcpSocket::new_v4().unwrap();
    black_hole.bind(SocketAddr::new("127.0.0.4".parse().unwrap(), server.address.port())).unwrap();
    let black_hole = black_hole.listen(1).unwrap();
    let _queue = fill(black_hole.local_addr().unwrap()).await;
    let url = server.url("http", "to.4.1.web.test", "/");
    let measurement = measure_url(&url, &asking(&[dns.address])).await;
    assert!(measurement.failure.is_none(), "{measurement:?}");
    let (attempts, tcp) = (&measurement.evidence.attempts, measurement.phases.tcp.unwrap());
    assert_eq!((attempts[0].span, &attempts[0].failure), (None, &None), "it never answered");
    assert_eq!(attempts[1].span, Some(tcp));
    let waited = tcp.start - measurement.phases.dns.unwrap().end;
    assert!(waited >= Duration::from_millis(250), "{waited:?}");
    // The wait is nobody's phase.
    assert!(measurement.phases.residual(measurement.total) >= Duration::from_millis(250));
}

#[tokio::test]
async fn one_family_can_be_forced() {
    let dns = DnsServer::start(Duration::ZERO).await;
    let server = WebServer::start(answers(OK)).await;
    let url = server.url("http", "web.test", "/");
    let only = |family| Settings { only: Some(family), ..asking(&[dns.address]) };

    let measurement = measure_url(&url, &only(Family::V4)).await;
    assert!(measurement.failure.is_none(), "{measurement:?}");
    assert_eq!(dns.questions(), 1, "A alone is asked for");

    let measurement = measure_url(&url, &only(Family::V6)).await;
    assert_eq!(stage(&measurement), Some(ErrorStage::Dns));
    assert_eq!(measurement.failure.unwrap().to_string(), "web.test has no AAAA record");

    let measurement = measure_url(&server.url("http", "127.0.0.1", "/"), &only(Family::V6)).await;
    assert_eq!(stage(&measurement), Some(ErrorStage::Tcp));
}
