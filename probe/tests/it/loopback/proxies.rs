//! By way of a proxy: what it takes to get there is a phase of its own, and no part of the target's.

use std::sync::Arc;
use std::time::Duration;

use netqoe_model::{ErrorStage, EventTime};
use netqoe_probe::{Measurement, Settings};
use serde_json::Value;

use crate::loopback::{measure_url, plain_settings, refusing_socket, stage};
use crate::support::proxy_server::{Manner, ProxyServer};
use crate::support::web_server::{Authority, OK, Step, WebServer};

/// How long a proxy thinks before it connects.
const THINKING: Duration = Duration::from_millis(80);

/// Settings with no name server: whoever looks a name up is the proxy.
fn by_way_of(proxy: &str, authority: &Authority) -> Settings {
    let proxy = Some(Arc::new(proxy.parse().unwrap()));
    Settings { proxy, roots: Arc::new(authority.roots()), ..plain_settings() }
}

fn event(measurement: &Measurement) -> Value {
    serde_json::from_str(&measurement.to_event("1", "c", EventTime::from_ms(1))).unwrap()
}

fn slow_page() -> Vec<Step> {
    vec![Step::ReadRequest, Step::Wait(THINKING), Step::send(OK)]
}

#[tokio::test]
async fn each_kind_of_proxy_is_a_phase_apart_from_the_servers() {
    for (manner, scheme) in [(Manner::Http, "http"), (Manner::Socks5, "socks5"), (Manner::Socks5, "socks5h")] {
        let (authority, proxy) = (Authority::new(), ProxyServer::start(manner, THINKING).await);
        let page = WebServer::start_tls(authority.certify("web.test"), slow_page()).await;
        let url = format!("{scheme}://{}", proxy.address);
        let measurement = measure_url(&page.url("https", "web.test", "/"), &by_way_of(&url, &authority)).await;
        assert!(measurement.failure.is_none(), "{scheme}: {measurement:?}");
        let phases = measurement.phases;
        assert!(phases.proxy.unwrap().duration() >= THINKING, "{scheme}: {phases:?}");
        assert!(phases.ttfb.unwrap().duration() >= THINKING, "{scheme}: {phases:?}");
        assert!(phases.dns.is_none() && phases.tcp.is_none() && phases.tls.is_some(), "{scheme}: {phases:?}");
        assert!(phases.proxy.unwrap().end <= phases.tls.unwrap().start, "{scheme}: {phases:?}");
        let asked = format!("web.test:{}", page.address.port());
        assert!(proxy.asked()[0].contains(&asked), "{scheme}: {:?}", proxy.asked());

        let event = event(&measurement);
        let evidence = &event["evidence"];
        assert!(evidence["proxy_ms"].as_f64() >= Some(80.0), "{scheme}: {evidence}");
        let expected = serde_json::json!({ "url": url, "address": proxy.address.to_string() });
        assert_eq!((&evidence["proxy"], &evidence["peer"]), (&expected, &Value::Null), "{scheme}");
        assert_eq!(event["timing_measurements"]["tcp_ms"], Value::Null, "{scheme}");
    }
}

#[tokio::test]
async fn pages_without_tls_are_asked_for_by_their_whole_url_or_through_socks() {
    let authority = Authority::new();
    for (manner, scheme) in [(Manner::Http, "http"), (Manner::Socks5, "socks5")] {
        let (page, proxy) = (WebServer::start(slow_page()).await, ProxyServer::start(manner, Duration::ZERO).await);
        let settings = by_way_of(&format!("{scheme}://{}", proxy.address), &authority);
        let url = page.url("http", "web.test", "/a?b");
        let measurement = measure_url(&url, &settings).await;
        assert!(measurement.failure.is_none(), "{scheme}: {measurement:?}");
        let line = page.requests()[0].lines().next().unwrap().to_owned();
        let expected = if scheme == "http" { format!("GET {url} HTTP/1.1") } else { "GET /a?b HTTP/1.1".to_owned() };
        assert_eq!(line, expected);
        assert!(measurement.phases.proxy.is_some() && measurement.phases.tcp.is_none());
    }
}

/// Measures a page by way of a proxy that does not carry anything.
async fn check_refused(proxy: &str, says: &str) {
    let url = "https://web.test/";
    let settings = Settings { timeout: Duration::from_secs(2), ..by_way_of(proxy, &Authority::new()) };
    let measurement = measure_url(url, &settings).await;
    assert_eq!(stage(&measurement), Some(ErrorStage::Tcp), "{measurement:?}");
    let message = measurement.failure.as_ref().unwrap().to_string();
    assert!(message.contains(says) && !message.contains(char::is_control), "{says}: {message}");
    assert!(measurement.phases.proxy.is_none() && measurement.phases.tls.is_none());
    assert_eq!(event(&measurement)["evidence"]["proxy"]["url"], proxy);
}

#[tokio::test]
async fn a_proxy_that_carries_nothing_says_why() {
    for (bytes, says) in [
        (&b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n"[..], "it wants a user name and password (status 407)"),
        (b"HTTP/1.1 502 Bad Gateway\r\n\r\n", "it answered CONNECT to web.test:443 with status 502"),
        (b"220 mail\r\n", "its answer is not HTTP"),
        (b"HTTP/1.1 200 OK\r\n\r\nhello", "it sent something before"),
    ] {
        let proxy = ProxyServer::start(Manner::Says(bytes), Duration::ZERO).await;
        check_refused(&format!("http://{}", proxy.address), says).await;
    }
    for (bytes, says) in
        [(&[5_u8, 2][..], "it wants a user name and password"), (&[5, 0xff], "it wants a user name"), (b"HT", "SOCKS5")]
    {
        let proxy = ProxyServer::start(Manner::Says(bytes), Duration::ZERO).await;
        check_refused(&format!("socks5://{}", proxy.address), says).await;
    }
    for (reply, says) in [
        (&[5_u8, 5, 0, 1][..], "it can't connect to web.test: connection refused"),
        (&[5, 4, 0, 1], "the host is unreachable"),
        (&[5, 99, 0, 1], "it does not say why"),
    ] {
        let proxy = ProxyServer::start(Manner::SaysAfterGreeting(reply), Duration::ZERO).await;
        check_refused(&format!("socks5://{}", proxy.address), says).await;
    }
}

#[tokio::test]
async fn a_proxy_that_is_not_there_or_silent() {
    let (_socket, address) = refusing_socket();
    check_refused(&format!("http://{address}"), "no connection by way of the proxy").await;
    let proxy = ProxyServer::start(Manner::Silent, Duration::ZERO).await;
    check_refused(&format!("socks5://{}", proxy.address), "the connection was not established within 2s").await;
}
