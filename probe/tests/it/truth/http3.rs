//! The same over HTTP/3. Its handshake is one round trip, for transport and TLS together.

use std::process::Command;
use std::time::Duration;

use netqoe_model::Metric;
use netqoe_testbed::Conditions;

use crate::truth::far_side::{Server, THINKING};
use crate::truth::samples::Sample;
use crate::truth::{DELAY, Fault, RATE_MBPS, ROUND_TRIP_MS, Stage, check_all, is_skipped};

const THINKING_MS: f64 = THINKING.as_millis() as f64;
/// What is usual here: long enough a way that a slow line does not show in the handshake first, of which every datagram
/// is filled up to 1200 bytes.
const USUAL: Conditions = Conditions { delay: Duration::from_millis(15), rate_mbps: None, loss: 0.0 };
const USUAL_ROUND_TRIP_MS: f64 = 30.0;
/// Of a packet of 1480 bytes, 28 are heads of IP and UDP, and about 35 are QUIC's.
const GOODPUT_MBPS: f64 = RATE_MBPS * 1417.0 / 1480.0;

fn faults() -> Vec<Fault> {
    let none = || Fault { name: "none", conditions: USUAL, server: Server::Http3, ..Fault::none() };
    let figures = &[(Metric::Dns, ROUND_TRIP_MS), (Metric::Tls, ROUND_TRIP_MS), (Metric::Ttfb, ROUND_TRIP_MS)];
    let thinking = &[(Metric::Ttfb, USUAL_ROUND_TRIP_MS + THINKING_MS)];
    vec![
        none(),
        Fault {
            name: "40 ms each way",
            conditions: Conditions { delay: DELAY, ..USUAL },
            configured: figures,
            label: "handshake-bound",
            ..none()
        },
        Fault {
            name: "server gives an early hint and thinks 120 ms",
            server: Server::ThinkingHttp3,
            configured: thinking,
            label: "server-bound",
            ..none()
        },
        Fault {
            name: "10 Mbit/s",
            conditions: Conditions { rate_mbps: Some(RATE_MBPS), ..USUAL },
            configured: &[(Metric::Throughput, GOODPUT_MBPS)],
            label: "throughput-bound",
            ..none()
        },
    ]
}

/// Whether the curl of this machine can be held against the probe.
fn curl_speaks_http3() -> bool {
    let version = Command::new("curl").arg("--version").output();
    version.is_ok_and(|output| String::from_utf8_lossy(&output.stdout).contains("HTTP3"))
}

/// What curl measures, where it can.
pub(crate) fn curl(stage: &Stage, ca_file: &str, page: &str, object: &str) -> anyhow::Result<Option<Sample>> {
    if !curl_speaks_http3() {
        return Ok(None);
    }
    let curl = || {
        let mut curl = stage.link.near.command("curl");
        curl.arg("--http3-only");
        curl
    };
    Ok(Some(Sample::of_curl(curl, ca_file, page, Some(object))?.over_quic()))
}

#[test]
fn each_phase_is_what_was_configured() {
    if is_skipped() {
        return;
    }
    if !curl_speaks_http3() {
        eprintln!("curl is left out, for it does not speak HTTP/3 here");
    }
    check_all(&Stage::new().unwrap(), &faults());
}
