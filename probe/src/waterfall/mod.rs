//! One measurement for people: its phases as bars on one axis of time, and a summary in plain words.

mod verdict;

use std::fmt::Write;
use std::time::Duration;

use netqoe_model::{ErrorStage, escaped};

use crate::{Evidence, Failure, Measurement, Span, Transfer, Unmet};
pub use verdict::verdict;

/// Characters of the axis.
const WIDTH: usize = 48;
const RESET: &str = "\u{1b}[0m";
const BOLD: &str = "\u{1b}[1m";
const RED: &str = "\u{1b}[31m";

/// A phase as it is drawn.
struct Row {
    name: &'static str,
    span: Span,
    colour: &'static str,
    has_failed: bool,
}

/// Its phases in order. The one that failed is there too: from the end of the one before it, if it has no end of its own.
fn rows(measurement: &Measurement) -> Vec<Row> {
    let phases = &measurement.phases;
    let all = [
        ("redirects", phases.redirects, "\u{1b}[90m"),
        ("dns", phases.dns, "\u{1b}[36m"),
        ("proxy", phases.proxy, "\u{1b}[90m"),
        ("tcp", phases.tcp, "\u{1b}[33m"),
        ("tls", phases.tls, "\u{1b}[35m"),
        ("request", phases.request, "\u{1b}[90m"),
        ("first byte", phases.ttfb, "\u{1b}[32m"),
        ("body", phases.body, "\u{1b}[34m"),
    ];
    let failed = measurement.failure.as_ref().map(|failure| failed_row(failure, measurement));
    let mut before = Duration::ZERO;
    let rows = all.into_iter().filter_map(|(name, span, colour)| {
        let has_failed = failed == Some(name);
        let span = span.or_else(|| has_failed.then_some(Span { start: before, end: measurement.total.max(before) }))?;
        before = span.end;
        Some(Row { name, span, colour: if has_failed { RED } else { colour }, has_failed })
    });
    rows.collect()
}

/// The phase in which it failed.
fn failed_row(failure: &Failure, measurement: &Measurement) -> &'static str {
    match failure.stage() {
        ErrorStage::Dns => "dns",
        ErrorStage::Tcp if measurement.evidence.proxy.is_some() => "proxy",
        ErrorStage::Tcp => "tcp",
        ErrorStage::Tls => "tls",
        ErrorStage::Http if matches!(failure, Failure::Unmet(Unmet::Text { .. })) => "body",
        ErrorStage::Http => "first byte",
        ErrorStage::Throughput => "body",
    }
}

/// Several lines, with or without colours, under the target's name if it has one. `now_s` is the Unix time, for the days that the certificate
/// has left.
pub fn waterfall(measurement: &Measurement, name: Option<&str>, now_s: i64, is_coloured: bool) -> String {
    let paint = |colour: &str, text: &str| if is_coloured { format!("{colour}{text}{RESET}") } else { text.to_owned() };
    let title = name.map_or_else(|| measurement.target.to_string(), |name| format!("{name} ({})", measurement.target));
    let mut lines = paint(BOLD, &escaped(&title));
    lines.push('\n');
    for line in about(&measurement.evidence, now_s) {
        lines.push_str(&format!("  {}\n", escaped(&line)));
    }
    lines.push('\n');
    let rows = rows(measurement);
    for Row { name, span, colour, has_failed } in &rows {
        let (before, bar) = place(*span, measurement.total);
        let bar = paint(colour, &format!("{}{}", "█".repeat(bar), if *has_failed { " ✗" } else { "" }));
        // Writing to a string does not fail.
        let _ = writeln!(lines, "  {name:<11}{:>10} ms  {}{bar}", ms(span.duration()), " ".repeat(before));
    }
    let drawn: Duration = rows.iter().map(|row| row.span.duration()).sum();
    let _ = writeln!(lines, "  {:<11}{:>10} ms", "residual", ms(measurement.total.saturating_sub(drawn)));
    let _ = writeln!(lines, "  {:<11}{:>10} ms", "total", ms(measurement.total));
    if let Some(mbps) = measurement.phases.throughput.and_then(Transfer::throughput_mbps) {
        let _ = writeln!(lines, "  {:<11}{mbps:>10.2} Mbit/s", "throughput");
    }
    let colour = if measurement.failure.is_some() { RED } else { BOLD };
    let _ = writeln!(lines, "\n{}", paint(colour, &escaped(&verdict(measurement, now_s))));
    lines
}

/// The peer of the measurement, and the protocols.
fn about(evidence: &Evidence, now_s: i64) -> Vec<String> {
    let mut spoken = Vec::new();
    if let Some(peer) = evidence.peer {
        let version = if peer.is_ipv4() { "IPv4" } else { "IPv6" };
        let shown = if peer.port() == 0 { peer.ip().to_string() } else { peer.to_string() };
        spoken.push(format!("{shown} ({version})"));
    }
    if let Some(proxy) = &evidence.proxy {
        spoken.push(format!("by way of {}", proxy.url));
    }
    spoken.extend(evidence.tls.as_ref().map(|tls| tls.version.clone()));
    spoken.extend(evidence.protocol.map(str::to_owned));
    spoken.extend(evidence.status.map(|status| format!("status {status}")));
    spoken.extend(evidence.certificate_expires_s.map(|at| match verdict::days_left(at, now_s) {
        days if days < 0 => format!("certificate expired {} days ago", -days),
        days => format!("certificate good for {days} days"),
    }));
    if evidence.insecure {
        let problem = evidence.certificate_problem.as_deref();
        spoken.push(format!("not verified: {}", problem.unwrap_or("nothing is wrong with its certificate")));
    }
    let mut lines: Vec<_> = evidence.redirects.iter().map(|hop| format!("{} ({})", hop.url, hop.status)).collect();
    lines.extend((!spoken.is_empty()).then(|| spoken.join(" · ")));
    if let Some(echoes) = &evidence.echoes {
        let (received, sent) = (echoes.received, echoes.sent);
        let (min, max, jitter) = (echoes.min_ms, echoes.max_ms, echoes.jitter_ms);
        lines.push(format!("{received} of {sent} echoes, {min:.2} to {max:.2} ms, jitter {jitter:.2} ms"));
    }
    lines
}

/// Where a bar begins and how long it is, in characters. Whatever took time is seen.
fn place(span: Span, total: Duration) -> (usize, usize) {
    let scale = WIDTH as f64 / total.as_secs_f64().max(f64::MIN_POSITIVE);
    let at = |time: Duration| ((time.as_secs_f64() * scale).round() as usize).min(WIDTH);
    let start = at(span.start).min(WIDTH - 1);
    (start, at(span.end).saturating_sub(start).max(1))
}

fn ms(duration: Duration) -> String {
    format!("{:.2}", duration.as_secs_f64() * 1000.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Phases;

    fn span(start_ms: u64, end_ms: u64) -> Option<Span> {
        Some(Span { start: Duration::from_millis(start_ms), end: Duration::from_millis(end_ms) })
    }

    fn measurement(phases: Phases, failure: Option<Failure>) -> Measurement {
        let evidence = Evidence {
            peer: Some("192.0.2.7:443".parse().unwrap()),
            protocol: Some("HTTP/2"),
            status: Some(200),
            certificate_expires_s: Some(10 * 24 * 60 * 60),
            ..Evidence::default()
        };
        let target = "https://example.com/".parse().unwrap();
        Measurement { target, phases, total: Duration::from_millis(240), evidence, failure }
    }

    #[test]
    fn bars_stand_where_their_phases_are() {
        let phases = Phases { dns: span(0, 60), tcp: span(60, 120), ttfb: span(120, 240), ..Phases::default() };
        let text = waterfall(&measurement(phases, None), None, 0, false);
        let expected = "\
https://example.com/
  192.0.2.7:443 (IPv4) · HTTP/2 · status 200 · certificate good for 10 days

  dns             60.00 ms  ████████████
  tcp             60.00 ms              ████████████
  first byte     120.00 ms                          ████████████████████████
  residual         0.00 ms
  total          240.00 ms
";
        assert!(text.starts_with(expected), "{text}");
    }

    #[test]
    fn colours_are_only_where_they_are_wanted() {
        let phases = Phases { dns: span(0, 240), ..Phases::default() };
        let measurement = measurement(phases, Some(Failure::Status(500)));
        assert!(!waterfall(&measurement, None, 0, false).contains('\u{1b}'));
        assert!(waterfall(&measurement, None, 0, true).contains(RED));
    }

    #[test]
    fn the_phase_that_failed_is_drawn_as_failed() {
        let refused = Failure::Tls { host: "example.com".to_owned(), cause: "it reset the connection".to_owned() };
        let phases = Phases { dns: span(0, 60), tcp: span(60, 120), ..Phases::default() };
        let text = waterfall(&measurement(phases, Some(refused)), Some("Shop"), 0, false);
        let expected = "\
  dns             60.00 ms  ████████████
  tcp             60.00 ms              ████████████
  tls            120.00 ms                          ████████████████████████ ✗
  residual         0.00 ms
  total          240.00 ms
";
        assert!(text.starts_with("Shop (https://example.com/)\n") && text.contains(expected), "{text}");
        let phases = Phases { ttfb: span(120, 240), ..phases };
        let text = waterfall(&measurement(phases, Some(Failure::Status(500))), None, 0, false);
        assert!(
            text.contains("  first byte     120.00 ms                          ████████████████████████ ✗"),
            "{text}"
        );
    }

    #[test]
    fn what_a_server_has_sent_does_not_command_a_terminal() {
        let failure = Failure::Request("\u{1b}]0;owned\u{7}\r\n\u{9b}2J\u{202e}".to_owned());
        let text = waterfall(&measurement(Phases::default(), Some(failure)), None, 0, false);
        assert!(text.contains("\\u001b]0;owned\\u0007\\u000d\\u000a\\u009b2J\\u202e"), "{text}");
        assert!(!text.contains(['\u{1b}', '\u{7}', '\r', '\u{9b}', '\u{202e}']), "{text}");
    }

    #[test]
    fn a_bar_is_never_nothing_and_never_beyond_the_axis() {
        let total = Duration::from_millis(1000);
        let tiny = Span { start: total, end: total };
        assert_eq!(place(tiny, total), (WIDTH - 1, 1));
        assert_eq!(place(Span { start: Duration::ZERO, end: total }, total), (0, WIDTH));
        assert_eq!(place(tiny, Duration::ZERO).1, 1);
    }
}
