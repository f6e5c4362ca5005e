//! Every figure of a measurement as a metric, declared in one place.
//!
//! What begins with `telemetry_` has no counterpart in blackbox_exporter, nor has `probe_tcp_duration_seconds`, which is
//! named as its others are.
//!
//! Decision: D-033.

use crate::{Check, Measurement, Span, Transfer};

/// A metric of one measurement.
pub(super) struct Gauge {
    pub(super) name: &'static str,
    pub(super) help: &'static str,
    pub(super) values: Values,
}

/// What a measurement says of it; nothing if it was not reached.
pub(super) enum Values {
    One(fn(&Measurement) -> Option<f64>),
    /// One for each value of a label.
    Each(&'static str, fn(&Measurement) -> Vec<(String, f64)>),
}

use Values::{Each, One};

const fn gauge(name: &'static str, values: Values, help: &'static str) -> Gauge {
    Gauge { name, help, values }
}

#[rustfmt::skip]
pub(super) const GAUGES: [Gauge; 22] = [
    gauge("probe_success", One(success), "Whether the measurement reached its end (1) or failed (0)."),
    gauge("probe_duration_seconds", One(duration), "Seconds from the beginning of the measurement to the end of its last phase except throughput, or to its failure."),
    gauge("probe_dns_lookup_time_seconds", One(lookup), "Seconds taken to look up the target's host. Absent if the target is an address."),
    gauge("probe_ip_protocol", One(ip_version), "Version of IP that was used: 4 or 6."),
    gauge("probe_http_duration_seconds", Each("phase", http_phases), "Seconds of each phase of the last page: resolve, connect, tls, processing (request and wait for the first byte), transfer."),
    gauge("probe_http_status_code", One(|m| m.evidence.status.map(f64::from)), "Status of the last answer."),
    gauge("probe_http_version", One(http_version), "Version of HTTP: 1.1 or 2."),
    gauge("probe_http_redirects", One(redirects), "Redirects that were followed."),
    gauge("probe_http_ssl", One(is_encrypted), "Whether the last page came over TLS (1) or not (0)."),
    gauge("probe_http_uncompressed_body_length", One(|m| m.evidence.body_bytes.map(|bytes| bytes as f64)), "Bytes of the last page's body, as far as it was read."),
    gauge("probe_ssl_earliest_cert_expiry", One(|m| m.evidence.certificate_expires_s.map(|s| s as f64)), "Unix time at which the first of the server's certificates expires, even if they were refused."),
    gauge("probe_tls_version_info", Each("version", tls_version), "Version of TLS, as a label."),
    gauge("probe_tcp_duration_seconds", Each("phase", tcp_phases), "Seconds of each phase of a TCP check: resolve, connect."),
    gauge("probe_icmp_duration_seconds", Each("phase", icmp_phases), "Seconds of each phase of an ICMP check: resolve, rtt (the median of the echoes)."),
    gauge("probe_dns_duration_seconds", Each("phase", dns_phases), "Seconds of the query of a DNS check: request."),
    gauge("telemetry_probe_failed_stage_info", Each("stage", failed_stage), "Stage at which the measurement failed, as a label."),
    gauge("telemetry_probe_residual_seconds", One(residual), "Seconds of probe_duration_seconds that are in no phase."),
    gauge("telemetry_probe_redirects_seconds", One(|m| seconds(m.phases.redirects)), "Seconds taken by redirects before the last page."),
    gauge("telemetry_probe_throughput_bytes_per_second", One(throughput), "Bytes a second while the fixed object was transferred."),
    gauge("telemetry_probe_echo_loss_ratio", One(|m| m.evidence.echoes.map(|echoes| echoes.loss)), "Share of the echo requests that were not answered, from 0 to 1."),
    gauge("telemetry_probe_echo_jitter_seconds", One(|m| m.evidence.echoes.map(|echoes| echoes.jitter_ms / 1000.0)), "Mean difference between one echo's round trip and the next, in seconds."),
    gauge("telemetry_probe_minimum_rtt_seconds", One(minimum_rtt), "Shortest round trip of the TCP connection, in seconds."),
];

fn success(measurement: &Measurement) -> Option<f64> {
    Some(truth(measurement.failure.is_none()))
}

fn duration(measurement: &Measurement) -> Option<f64> {
    Some(measurement.total.as_secs_f64())
}

fn residual(measurement: &Measurement) -> Option<f64> {
    Some(measurement.phases.residual(measurement.total).as_secs_f64())
}

fn lookup(measurement: &Measurement) -> Option<f64> {
    // A DNS check has no such phase: its only one is the question.
    let is_lookup = !matches!(measurement.target.check(), Check::Dns { .. });
    seconds(measurement.phases.dns.filter(|_| is_lookup))
}

fn ip_version(measurement: &Measurement) -> Option<f64> {
    measurement.evidence.peer.map(|peer| if peer.is_ipv4() { 4.0 } else { 6.0 })
}

fn http_phases(measurement: &Measurement) -> Vec<(String, f64)> {
    let phases = &measurement.phases;
    // As in blackbox_exporter: from the connection that stands to the first byte.
    let processing =
        phases.request.zip(phases.ttfb).map(|(request, ttfb)| Span { start: request.start, end: ttfb.end });
    let named = [
        ("resolve", phases.dns),
        ("connect", phases.tcp),
        ("tls", phases.tls),
        ("processing", processing),
        ("transfer", phases.body),
    ];
    if matches!(measurement.target.check(), Check::Web(_)) { reached(&named) } else { Vec::new() }
}

fn tcp_phases(measurement: &Measurement) -> Vec<(String, f64)> {
    let phases = &measurement.phases;
    let is_tcp = matches!(measurement.target.check(), Check::Tcp { .. });
    if is_tcp { reached(&[("resolve", phases.dns), ("connect", phases.tcp)]) } else { Vec::new() }
}

fn icmp_phases(measurement: &Measurement) -> Vec<(String, f64)> {
    let phases = &measurement.phases;
    let is_icmp = matches!(measurement.target.check(), Check::Icmp { .. });
    if is_icmp { reached(&[("resolve", phases.dns), ("rtt", phases.tcp)]) } else { Vec::new() }
}

fn dns_phases(measurement: &Measurement) -> Vec<(String, f64)> {
    let is_dns = matches!(measurement.target.check(), Check::Dns { .. });
    if is_dns { reached(&[("request", measurement.phases.dns)]) } else { Vec::new() }
}

fn http_version(measurement: &Measurement) -> Option<f64> {
    // Known from the handshake, but of an answer only once there is one.
    measurement.evidence.status?;
    measurement.evidence.protocol?.strip_prefix("HTTP/")?.parse().ok()
}

fn redirects(measurement: &Measurement) -> Option<f64> {
    measurement.evidence.status.map(|_| measurement.evidence.redirects.len() as f64)
}

fn is_encrypted(measurement: &Measurement) -> Option<f64> {
    measurement.evidence.status.map(|_| truth(measurement.evidence.tls.is_some()))
}

fn tls_version(measurement: &Measurement) -> Vec<(String, f64)> {
    let tls = measurement.evidence.tls.as_ref();
    tls.map(|tls| (tls.version.replace("TLSv", "TLS "), 1.0)).into_iter().collect()
}

fn failed_stage(measurement: &Measurement) -> Vec<(String, f64)> {
    let failure = measurement.failure.as_ref();
    failure.map(|failure| (failure.stage().as_str().to_owned(), 1.0)).into_iter().collect()
}

fn throughput(measurement: &Measurement) -> Option<f64> {
    Some(measurement.phases.throughput.and_then(Transfer::throughput_mbps)? * 1e6 / 8.0)
}

fn minimum_rtt(measurement: &Measurement) -> Option<f64> {
    Some(measurement.evidence.tcp_info?.min_rtt_ms / 1000.0)
}

fn reached(phases: &[(&str, Option<Span>)]) -> Vec<(String, f64)> {
    phases.iter().filter_map(|(name, span)| Some(((*name).to_owned(), seconds(*span)?))).collect()
}

fn seconds(span: Option<Span>) -> Option<f64> {
    span.map(|span| span.duration().as_secs_f64())
}

fn truth(is_so: bool) -> f64 {
    f64::from(u8::from(is_so))
}
