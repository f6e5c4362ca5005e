//! What a measurement has seen besides its phases.

use std::net::SocketAddr;

use serde::Serialize;

use crate::clock_state::ClockState;
use crate::connect::{Attempt, TcpInfo};
use crate::dns::DnsEvidence;
use crate::tls::{CertificateNames, TlsEvidence};
use crate::{NetworkContext, ProxyEvidence};

/// What explains the figures. What was not reached is absent.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Evidence {
    /// The answers about the host's name.
    pub dns: DnsEvidence,
    /// The addresses that were tried, in this order.
    pub attempts: Vec<Attempt>,
    /// The address that was chosen.
    pub peer: Option<SocketAddr>,
    /// The network from which it was measured.
    pub network: NetworkContext,
    /// What the TLS handshake agreed on.
    pub tls: Option<TlsEvidence>,
    /// When the first certificate that the server has shown expires, in Unix seconds; also where it was refused.
    pub certificate_expires_s: Option<i64>,
    /// Whose the server's own certificate is, and who has signed it; also where it was refused.
    pub certificate: Option<CertificateNames>,
    /// The proxy by which the page was reached.
    pub proxy: Option<ProxyEvidence>,
    /// Whether any certificate would have done, where one was shown.
    pub insecure: bool,
    /// What was wrong with the certificate that was accepted nevertheless.
    pub certificate_problem: Option<String>,
    /// `HTTP/1.1`, `HTTP/2` or `HTTP/3`.
    pub protocol: Option<&'static str>,
    /// The status of the last answer.
    pub status: Option<u16>,
    /// Its headers that tell who has answered, and from where.
    pub headers: Vec<ToldHeader>,
    /// Bytes of its body, as far as it was read.
    pub body_bytes: Option<u64>,
    /// What the server said before its last answer (1xx).
    pub interim_answers: Vec<InterimAnswer>,
    /// Why the page was asked for again, on another connection; the phases are those of the last.
    pub asked_again: Option<&'static str>,
    /// Cookies that were not kept along redirects, since they were too many or too long.
    pub dropped_cookies: u64,
    /// The answers that led elsewhere, in order.
    pub redirects: Vec<Redirect>,
    /// How the page's connection fared.
    pub tcp_info: Option<TcpInfo>,
    /// The same with HTTP/3.
    pub quic_info: Option<QuicInfo>,
    /// How throughput was measured.
    pub throughput: Option<ThroughputEvidence>,
    /// The results of echo requests.
    pub echoes: Option<EchoEvidence>,
    /// Whether the clock can be trusted that dates the measurement.
    pub clock: Option<ClockState>,
    /// Turns of the target before this one that were passed over, because the measurement before them still ran.
    pub skipped_turns: u64,
}

/// A header of an answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ToldHeader {
    /// In lower case.
    pub name: &'static str,
    /// The beginning of a long one; what is no UTF-8 is replaced.
    pub value: String,
}

/// An interim answer.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct InterimAnswer {
    /// 100, 102, 103 or another under 200.
    pub status: u16,
    /// When it began, in ms after the request had left.
    pub ms: f64,
}

/// An answer that led elsewhere.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Redirect {
    /// What was asked for; the beginning of a long one.
    pub url: String,
    /// 301, 302, 303, 307, 308 or another under 400 that says where to go.
    pub status: u16,
}

/// How throughput was measured.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct ThroughputEvidence {
    /// The object.
    pub url: String,
    /// The status of the answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// Bytes of the body.
    pub bytes: u64,
    /// Why there is no figure, if there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// What the second handshake agreed on; the session of the first may have been gone on with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls: Option<TlsEvidence>,
    /// How the connection fared.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tcp_info: Option<TcpInfo>,
    /// The same with HTTP/3.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quic_info: Option<QuicInfo>,
}

/// How one QUIC connection fared, as its own end saw it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct QuicInfo {
    /// The smallest round trip, in ms.
    pub min_rtt_ms: f64,
    /// The smoothed round trip, in ms.
    pub rtt_ms: f64,
    /// Packets that we sent and that got lost.
    pub lost_packets: u64,
    /// How often that slowed our sending down.
    pub congestion_events: u64,
    /// Bytes of datagrams that were received.
    pub received_bytes: u64,
}

/// The results of echo requests.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct EchoEvidence {
    /// How many were sent.
    pub sent: u32,
    /// How many came back.
    pub received: u32,
    /// The share that did not, from 0 to 1.
    pub loss: f64,
    /// The shortest round trip, in ms.
    pub min_ms: f64,
    /// The longest, in ms.
    pub max_ms: f64,
    /// The mean difference between one round trip and the next, in ms.
    pub jitter_ms: f64,
}
