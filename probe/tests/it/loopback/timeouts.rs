//! The time limit always holds, and names the stage in which it struck.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use netqoe_model::ErrorStage;
use netqoe_probe::{Failure, Phases, Settings};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::loopback::{measure_url, plain_settings, refusing_socket, settings};
use crate::support::dns_server::DnsServer;
use crate::support::web_server::{Authority, Step, WebServer};

/// Long enough for the stages before the one that stalls, which take a few milliseconds, on any machine.
const TIMEOUT: Duration = Duration::from_secs(2);

async fn check(url: &str, settings: Settings, stage: ErrorStage) -> Phases {
    let began = Instant::now();
    let measurement = measure_url(url, &Settings { timeout: TIMEOUT, ..settings }).await;
    assert!(began.elapsed() >= TIMEOUT);
    assert!(matches!(measurement.failure, Some(Failure::TimedOut { .. })), "{measurement:?}");
    assert_eq!(crate::loopback::stage(&measurement), Some(stage));
    measurement.phases
}

async fn check_script(script: Vec<Step>, stage: ErrorStage) -> Phases {
    let server = WebServer::start(script).await;
    check(&server.url("http", "127.0.0.1", "/"), plain_settings(), stage).await
}

#[tokio::test]
async fn name_servers_that_do_not_answer() {
    let dns = DnsServer::start(Duration::ZERO).await;
    let phases = check("http://www.silent.test/", settings(&dns, &Authority::new()), ErrorStage::Dns).await;
    assert_eq!(phases, Phases::default());
}

#[tokio::test]
async fn a_host_that_does_not_take_the_connection() {
    // Linux drops what comes when the queue of connections is full, as a firewall would.
    let (socket, _) = refusing_socket();
    let listener = socket.listen(1).unwrap();
    let _queue = fill(listener.local_addr().unwrap()).await;
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let phases = check(&url, plain_settings(), ErrorStage::Tcp).await;
    assert_eq!(phases, Phases::default());
}

/// Connections until the queue of a listener, which takes none, is full and more.
pub(crate) async fn fill(address: SocketAddr) -> Vec<TcpStream> {
    let mut queue = Vec::new();
    for _ in 0..16 {
        // On loopback a connection stands at once or not at all.
        let connect = TcpStream::connect(address);
        queue.extend(timeout(Duration::from_millis(10), connect).await.ok().and_then(Result::ok));
    }
    queue
}

#[tokio::test]
async fn a_server_that_does_not_shake_hands() {
    let server = WebServer::start(vec![Step::Stall]).await;
    let phases = check(&server.url("https", "127.0.0.1", "/"), plain_settings(), ErrorStage::Tls).await;
    assert!(phases.tcp.is_some() && phases.tls.is_none());
}

#[tokio::test]
async fn a_server_that_does_not_answer() {
    let phases = check_script(vec![Step::ReadRequest, Step::Stall], ErrorStage::Http).await;
    assert!(phases.tcp.is_some() && phases.ttfb.is_none());
}

#[tokio::test]
async fn an_answer_that_stalls_in_its_head() {
    let script = vec![Step::ReadRequest, Step::send("HTTP/1.1 200 OK\r\nContent-"), Step::Stall];
    let phases = check_script(script, ErrorStage::Http).await;
    assert!(phases.ttfb.is_some() && phases.body.is_none());
}

#[tokio::test]
async fn a_body_that_stalls() {
    let head = "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nonly this";
    let phases = check_script(vec![Step::ReadRequest, Step::send(head), Step::Stall], ErrorStage::Throughput).await;
    assert!(phases.ttfb.is_some() && phases.body.is_none());
}

#[tokio::test]
async fn a_body_that_trickles() {
    let mut script = vec![Step::ReadRequest, Step::send("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")];
    script.extend(std::iter::repeat_n([Step::Wait(Duration::from_millis(100)), Step::send("x")], 1000).flatten());
    check_script(script, ErrorStage::Throughput).await;
}
