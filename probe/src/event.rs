//! A measurement as an event of version 1.
//!
//! What version 1 does not know stands under `evidence`, which readers that do not know it pass over.

use std::net::{IpAddr, SocketAddr};

use netqoe_model::{ErrorStage, EventTime, from_thousandths, to_thousandths};
use serde::Serialize;

use crate::clock_state::ClockState;
use crate::connect::{Attempt, TcpInfo};
use crate::dns::{DnsAnswer, DnsOutcome, Family, NameSource, SystemLookup};
use crate::tls::TlsEvidence;
use crate::{
    EchoEvidence, Evidence, HostAddress, InterimAnswer, Labels, Measurement, NetworkContext, Phases, ProxyEvidence,
    QuicInfo, Redirect, Span, ThroughputEvidence, ToldHeader, Transfer,
};

/// Addresses of one answer that an event holds; how many more there were, it says.
const MAX_ADDRESSES: usize = 16;
/// Answers of name servers that an event holds: three servers, twice each for both families, with a name of the search list
/// before. Of more, the first are left out: the last have decided.
const MAX_ANSWERS: usize = 24;

#[derive(Serialize)]
struct WireEvent<'a> {
    schema_version: u8,
    event_id: &'a str,
    client_id: &'a str,
    ts_ms: i64,
    target: &'a str,
    network_context: &'a NetworkContext,
    timing_measurements: WireTimings,
    error_stage: Option<ErrorStage>,
    #[serde(skip_serializing_if = "Labels::is_empty")]
    client_labels: &'a Labels,
    #[serde(skip_serializing_if = "Labels::is_empty")]
    target_labels: &'a Labels,
    evidence: WireEvidence<'a>,
}

/// What an event carries beside what was measured.
#[derive(Clone, Copy, Debug)]
pub struct Stamp<'a> {
    /// Which event it is.
    pub event_id: &'a str,
    /// Who has measured.
    pub client_id: &'a str,
    /// When the measurement began, by the probe's own clock.
    pub ts: EventTime,
    /// What the client is called.
    pub client_labels: &'a Labels,
    /// What the target is called.
    pub target_labels: &'a Labels,
}

/// Absent members are phases that were not reached.
#[serde_with::skip_serializing_none]
#[derive(Serialize)]
struct WireTimings {
    dns_ms: Option<f64>,
    tcp_ms: Option<f64>,
    tls_ms: Option<f64>,
    ttfb_ms: Option<f64>,
    throughput_mbps: Option<f64>,
}

#[serde_with::skip_serializing_none]
#[derive(Serialize)]
struct WireEvidence<'a> {
    probe_version: &'static str,
    error_message: Option<String>,
    total_ms: f64,
    residual_ms: f64,
    redirects_ms: Option<f64>,
    proxy_ms: Option<f64>,
    request_ms: Option<f64>,
    body_ms: Option<f64>,
    peer: Option<IpAddr>,
    port: Option<u16>,
    ip_version: Option<u8>,
    proxy: Option<&'a ProxyEvidence>,
    insecure: Option<bool>,
    certificate_problem: Option<&'a str>,
    protocol: Option<&'static str>,
    status: Option<u16>,
    body_bytes: Option<u64>,
    tls: Option<&'a TlsEvidence>,
    certificate_expires_s: Option<i64>,
    certificate_subject: Option<&'a str>,
    certificate_issuer: Option<&'a str>,
    tcp_info: Option<TcpInfo>,
    quic_info: Option<QuicInfo>,
    throughput: Option<&'a ThroughputEvidence>,
    echoes: Option<EchoEvidence>,
    skipped_turns: Option<u64>,
    dropped_cookies: Option<u64>,
    asked_again: Option<&'static str>,
    clock: Option<ClockState>,
    system_lookup: Option<WireSystemLookup<'a>>,
    name_source: Option<&'static str>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    redirects: &'a [Redirect],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    response_headers: &'a [ToldHeader],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    interim_answers: &'a [InterimAnswer],
    #[serde(skip_serializing_if = "Vec::is_empty")]
    connect_attempts: Vec<WireAttempt<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    name_servers: Vec<WireAnswer<'a>>,
    more_name_server_answers: Option<usize>,
}

#[serde_with::skip_serializing_none]
#[derive(Serialize)]
struct WireAttempt<'a> {
    address: SocketAddr,
    ms: Option<f64>,
    error: Option<&'a str>,
}

#[serde_with::skip_serializing_none]
#[derive(Serialize)]
struct WireAnswer<'a> {
    server: SocketAddr,
    /// If it is not the target's own but one of the search list.
    name: Option<&'a str>,
    record_type: &'static str,
    ms: Option<f64>,
    outcome: &'static str,
    alias: Option<&'a str>,
    addresses: Option<&'a [IpAddr]>,
    more_addresses: Option<usize>,
    error: Option<String>,
}

#[serde_with::skip_serializing_none]
#[derive(Serialize)]
struct WireSystemLookup<'a> {
    ms: f64,
    addresses: Option<Vec<IpAddr>>,
    more_addresses: Option<usize>,
    error: Option<&'a str>,
}

impl Measurement {
    /// One line of JSON, without labels.
    pub fn to_event(&self, event_id: &str, client_id: &str, ts: EventTime) -> String {
        let none = Labels::default();
        self.to_labelled_event(Stamp { event_id, client_id, ts, client_labels: &none, target_labels: &none })
    }

    /// One line of JSON.
    pub fn to_labelled_event(&self, stamp: Stamp<'_>) -> String {
        let event = WireEvent {
            schema_version: 1,
            event_id: stamp.event_id,
            client_id: stamp.client_id,
            ts_ms: stamp.ts.ms(),
            target: self.target.as_str(),
            network_context: &self.evidence.network,
            timing_measurements: WireTimings::of(&self.phases),
            error_stage: self.failure.as_ref().map(|failure| failure.stage()),
            client_labels: stamp.client_labels,
            target_labels: stamp.target_labels,
            evidence: WireEvidence::of(self),
        };
        // Texts and numbers under names that are texts: there is nothing in it that JSON can't hold.
        #[allow(clippy::expect_used)]
        serde_json::to_string(&event).expect("an event can be written as JSON")
    }
}

impl WireTimings {
    fn of(phases: &Phases) -> Self {
        Self {
            dns_ms: phases.dns.map(milliseconds),
            tcp_ms: phases.tcp.map(milliseconds),
            tls_ms: phases.tls.map(milliseconds),
            ttfb_ms: phases.ttfb.map(milliseconds),
            throughput_mbps: phases.throughput.and_then(Transfer::throughput_mbps).map(rounded),
        }
    }
}

impl<'a> WireEvidence<'a> {
    fn of(measurement: &'a Measurement) -> Self {
        let Measurement { phases, total, evidence, failure, .. } = measurement;
        let Evidence { dns, attempts, peer, tls, .. } = evidence;
        let names = evidence.certificate.as_ref();
        let left_out = dns.answers.len().saturating_sub(MAX_ANSWERS);
        Self {
            probe_version: env!("CARGO_PKG_VERSION"),
            error_message: failure.as_ref().map(ToString::to_string),
            total_ms: rounded(total.as_secs_f64() * 1000.0),
            residual_ms: rounded(phases.residual(*total).as_secs_f64() * 1000.0),
            redirects_ms: phases.redirects.map(milliseconds),
            proxy_ms: phases.proxy.map(milliseconds),
            request_ms: phases.request.map(milliseconds),
            body_ms: phases.body.map(milliseconds),
            peer: peer.map(|peer| peer.ip()),
            // That of an echo is 0, which is none.
            port: peer.map(|peer| peer.port()).filter(|port| *port > 0),
            ip_version: peer.map(|peer| if peer.is_ipv4() { 4 } else { 6 }),
            proxy: evidence.proxy.as_ref(),
            insecure: Some(true).filter(|_| evidence.insecure),
            certificate_problem: evidence.certificate_problem.as_deref(),
            protocol: evidence.protocol,
            status: evidence.status,
            body_bytes: evidence.body_bytes,
            tls: tls.as_ref(),
            certificate_expires_s: evidence.certificate_expires_s,
            certificate_subject: names.map(|names| names.subject.as_str()).filter(|subject| !subject.is_empty()),
            certificate_issuer: names.map(|names| names.issuer.as_str()),
            tcp_info: evidence.tcp_info,
            quic_info: evidence.quic_info,
            throughput: evidence.throughput.as_ref(),
            echoes: evidence.echoes,
            skipped_turns: Some(evidence.skipped_turns).filter(|skipped| *skipped > 0),
            clock: evidence.clock,
            system_lookup: dns.system.as_ref().map(WireSystemLookup::of),
            redirects: &evidence.redirects,
            response_headers: &evidence.headers,
            interim_answers: &evidence.interim_answers,
            asked_again: evidence.asked_again,
            dropped_cookies: Some(evidence.dropped_cookies).filter(|dropped| *dropped > 0),
            connect_attempts: attempts.iter().map(WireAttempt::of).collect(),
            name_source: dns.source.map(spelled),
            name_servers: dns.answers[left_out..].iter().map(WireAnswer::of).collect(),
            more_name_server_answers: Some(left_out).filter(|left_out| *left_out > 0),
        }
    }
}

impl<'a> WireAttempt<'a> {
    fn of(attempt: &'a Attempt) -> Self {
        Self { address: attempt.address, ms: attempt.span.map(milliseconds), error: attempt.failure.as_deref() }
    }
}

impl<'a> WireAnswer<'a> {
    fn of(answer: &'a DnsAnswer) -> Self {
        let (outcome, addresses) = match &answer.outcome {
            DnsOutcome::Addresses(addresses) => ("addresses", Some(addresses)),
            DnsOutcome::NoSuchName => ("nxdomain", None),
            DnsOutcome::NoRecords => ("no_records", None),
            DnsOutcome::Code(_) | DnsOutcome::Failed(_) => ("failed", None),
            DnsOutcome::Unanswered => ("unanswered", None),
        };
        Self {
            server: answer.server,
            name: answer.name.as_deref(),
            record_type: match answer.family {
                Family::V4 => "A",
                Family::V6 => "AAAA",
            },
            ms: answer.span.map(milliseconds),
            outcome,
            alias: answer.alias.as_deref(),
            addresses: addresses.map(|addresses| &addresses[..addresses.len().min(MAX_ADDRESSES)]),
            more_addresses: addresses.and_then(|addresses| more(addresses.len())),
            error: answer.outcome.failure().filter(|_| outcome == "failed"),
        }
    }
}

impl<'a> WireSystemLookup<'a> {
    fn of(lookup: &'a SystemLookup) -> Self {
        let addresses = lookup.outcome.as_ref().ok();
        let written =
            |addresses: &Vec<HostAddress>| addresses.iter().take(MAX_ADDRESSES).map(|known| known.ip).collect();
        Self {
            ms: milliseconds(lookup.span),
            addresses: addresses.map(written),
            more_addresses: addresses.and_then(|addresses| more(addresses.len())),
            error: lookup.outcome.as_ref().err().map(String::as_str),
        }
    }
}

/// How many addresses are not written.
fn more(addresses: usize) -> Option<usize> {
    addresses.checked_sub(MAX_ADDRESSES).filter(|more| *more > 0)
}

fn spelled(source: NameSource) -> &'static str {
    match source {
        NameSource::HostsFile => "hosts_file",
        NameSource::Localhost => "localhost",
        NameSource::NameServer => "name_server",
        NameSource::System => "system",
    }
}

/// In whole microseconds, which is what the pipeline keeps.
fn milliseconds(span: Span) -> f64 {
    rounded(span.duration().as_secs_f64() * 1000.0)
}

/// To three decimals: as exact as the pipeline keeps it.
fn rounded(value: f64) -> f64 {
    from_thousandths(to_thousandths(value))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use netqoe_model::{ClientContext, Event};

    use super::*;
    use crate::{Failure, Provider};

    fn span(start_us: u64, end_us: u64) -> Span {
        Span { start: Duration::from_micros(start_us), end: Duration::from_micros(end_us) }
    }

    fn measurement(url: &str, phases: Phases, failure: Option<Failure>) -> Measurement {
        let (target, total) = (url.parse().unwrap(), Duration::from_micros(250_000));
        Measurement { target, phases, total, evidence: Evidence::default(), failure }
    }

    #[test]
    fn is_read_back_as_what_was_measured() {
        let phases = Phases {
            dns: Some(span(100, 15_400)),
            tcp: Some(span(16_000, 41_700)),
            tls: Some(span(42_000, 87_200)),
            ttfb: Some(span(88_000, 213_800)),
            throughput: Some(Transfer { span: span(220_000, 1_220_000), bytes: 1_250_000 }),
            ..Phases::default()
        };
        let url = "https://example.com:8443/a?b=%22c%22";
        let json = measurement(url, phases, None).to_event("e1", "probe \"1\"", EventTime::from_ms(7));
        let event = Event::parse(json.as_bytes()).unwrap();
        assert_eq!(event.event_id, "e1");
        assert_eq!(event.client_id, "probe \"1\"");
        assert_eq!(event.target, url);
        assert_eq!(event.ts.ms(), 7);
        assert_eq!(event.error_stage, None);
        assert_eq!(event.samples, [Some(15_300), Some(25_700), Some(45_200), Some(125_800), Some(10_000)]);
        let value: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert_eq!(value["evidence"]["total_ms"], 250.0);
        assert_eq!(value["evidence"]["residual_ms"], 38.0);
    }

    #[test]
    fn what_was_not_reached_is_absent() {
        let phases = Phases { tcp: Some(span(0, 1500)), ..Phases::default() };
        let failed = measurement("https://192.0.2.1", phases, Some(Failure::Status(500)));
        let json = failed.to_event("e2", "c", EventTime::from_ms(1));
        let value: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert_eq!(value["timing_measurements"], serde_json::json!({"tcp_ms": 1.5}));
        assert_eq!(value["error_stage"], "http");
        assert_eq!(value["schema_version"], 1);
        assert_eq!(value["network_context"], serde_json::json!({}));
        let evidence = serde_json::json!({
            "probe_version": env!("CARGO_PKG_VERSION"), "error_message": "the server answered with status 500",
            "total_ms": 250.0, "residual_ms": 248.5,
        });
        assert_eq!(value["evidence"], evidence);
        assert!(!json.contains('\n'));
    }

    /// Readers of version 1 that know neither `evidence` nor what is new in `network_context` read the event as before.
    #[test]
    fn the_network_and_the_clock_are_evidence() {
        let mut measurement = measurement("http://example.com", Phases::default(), None);
        let plain = measurement.to_event("e4", "c", EventTime::from_ms(1));
        let provider = Some(Provider { isp: Some("Example ISP".to_owned()), asn: Some(64_500) });
        measurement.evidence.network =
            NetworkContext { network_type: Some("wifi"), provider, ..NetworkContext::default() };
        measurement.evidence.clock = Some(ClockState { synchronized: true, max_error_ms: Some(2.5) });
        let json = measurement.to_event("e4", "c", EventTime::from_ms(1));

        let (event, before) = (Event::parse(json.as_bytes()).unwrap(), Event::parse(plain.as_bytes()).unwrap());
        assert_eq!(Event { network_context: before.network_context, ..event.clone() }, before);
        let context = ClientContext::parse(event.network_context.unwrap());
        assert_eq!((context.network_type.as_deref(), context.isp.as_deref()), (Some("wifi"), Some("Example ISP")));
        let value: serde_json::Value = serde_json::from_str(&json).unwrap();
        let expected = serde_json::json!({"network_type": "wifi", "isp": "Example ISP", "asn": 64_500});
        assert_eq!(value["network_context"], expected);
        assert_eq!(value["evidence"]["clock"], serde_json::json!({"synchronized": true, "max_error_ms": 2.5}));
    }

    #[test]
    fn an_answer_of_hundreds_of_addresses_does_not_swell_the_event() {
        let mut measurement = measurement("http://example.com", Phases::default(), None);
        let outcome = DnsOutcome::Addresses((0..200).map(|last| [192, 0, 2, last].into()).collect());
        let server = "192.0.2.53:53".parse().unwrap();
        let answer = DnsAnswer { server, name: None, family: Family::V4, span: None, outcome, alias: None };
        measurement.evidence.dns.answers = vec![answer; 100];
        let json = measurement.to_event("e3", "c", EventTime::from_ms(1));
        let value: serde_json::Value = serde_json::from_str(&json).unwrap();
        let answers = value["evidence"]["name_servers"].as_array().unwrap();
        assert_eq!((answers.len(), &value["evidence"]["more_name_server_answers"]), (MAX_ANSWERS, &76.into()));
        let answer = &answers[0];
        assert_eq!((&answer["record_type"], &answer["outcome"]), (&"A".into(), &"addresses".into()));
        assert_eq!(answer["addresses"].as_array().unwrap().len(), MAX_ADDRESSES);
        assert_eq!(answer["more_addresses"], 200 - MAX_ADDRESSES);
    }
}
