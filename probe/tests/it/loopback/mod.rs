//! Measurements of servers that the tests themselves run on loopback.
//!
//! Every time that is asserted is a lower bound, or a relation between times of one clock, so that a slow machine
//! makes no difference. Client and servers share one thread: no server can act before the probe has noted the event
//! that it reacts to.

mod agent;
mod expectations;
mod exporter;
mod failures;
mod http2;
#[cfg(feature = "http3")]
mod http3;
mod lookups;
mod odd_answers;
mod other_checks;
mod phases;
mod proxies;
mod redirects;
mod report;
mod requests;
mod throughput;
mod timeouts;
mod tls;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use netqoe_model::ErrorStage;
use netqoe_probe::{Measurement, NameServers, Settings, measure};
use tokio::net::TcpSocket;

use crate::support::dns_server::DnsServer;
use crate::support::web_server::Authority;

/// Longer than any machine is held up: what a test says of time limits, it says itself.
const NEVER: Duration = Duration::from_hours(1);

/// Settings in which nothing outside of the test takes part.
fn settings(dns: &DnsServer, authority: &Authority) -> Settings {
    Settings {
        timeout: NEVER,
        name_servers: NameServers::At(vec![dns.address]),
        roots: Arc::new(authority.roots()),
        throughput: None,
        ..Settings::default()
    }
}

/// Settings for targets that name an address and no TLS.
fn plain_settings() -> Settings {
    let nobody: SocketAddr = "127.0.0.1:9".parse().unwrap();
    let name_servers = NameServers::At(vec![nobody]);
    Settings { timeout: NEVER, name_servers, throughput: None, ..Settings::default() }
}

async fn measure_url(url: &str, settings: &Settings) -> Measurement {
    measure(&url.parse().unwrap(), settings).await
}

fn stage(measurement: &Measurement) -> Option<ErrorStage> {
    measurement.failure.as_ref().map(|failure| failure.stage())
}

/// A socket that holds a port on which nobody listens, as long as it is kept: connections are refused.
fn refusing_socket() -> (TcpSocket, SocketAddr) {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let address = socket.local_addr().unwrap();
    (socket, address)
}
