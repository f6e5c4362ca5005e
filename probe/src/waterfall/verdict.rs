//! What a measurement says, in plain words.

use std::time::Duration;

use crate::{Measurement, NameSource, Span, Transfer};

const DAY_S: i64 = 24 * 60 * 60;
/// A certificate that has fewer days left is worth a word.
const FEW_DAYS: i64 = 14;
/// A phase with more of the time is what the time went by with.
const MOST: f64 = 0.5;

/// Whole days until a moment, both as Unix seconds; negative where it has passed.
pub(super) fn days_left(at_s: i64, now_s: i64) -> i64 {
    (at_s - now_s).div_euclid(DAY_S)
}

/// A sentence or two.
pub fn verdict(measurement: &Measurement, now_s: i64) -> String {
    let mut sentences = vec![match (&measurement.failure, &measurement.evidence.echoes) {
        (Some(failure), _) => format!("Failed at {}: {failure}.", failure.stage().as_str()),
        (None, Some(echoes)) => {
            format!(
                "Answers: {:.0} % of the echoes got lost; half of the others took {} ms or less.",
                echoes.loss * 100.0,
                tcp_ms(measurement)
            )
        }
        (None, None) => most_of_the_time(measurement),
    }];
    if let Some(mbps) = measurement.phases.throughput.and_then(Transfer::throughput_mbps) {
        sentences.push(format!("A fixed object came at {mbps:.1} Mbit/s."));
    }
    if let Some(reason) = measurement.evidence.throughput.as_ref().and_then(|throughput| throughput.reason.as_ref()) {
        sentences.push(format!("Throughput was not measured: {reason}."));
    }
    if measurement.evidence.dns.source == Some(NameSource::System) {
        sentences
            .push("Its name servers tell no address of it; the system's own lookup does (nsswitch.conf).".to_owned());
    }
    let unanswered = measurement.evidence.attempts.iter().filter(|attempt| attempt.span.is_none()).count();
    if unanswered > 0 && measurement.phases.tcp.or(measurement.phases.tls).is_some() {
        sentences.push(format!("{unanswered} of its addresses did not answer, which cost a quarter of a second each."));
    }
    let days = measurement.evidence.certificate_expires_s.map(|at| days_left(at, now_s));
    if let Some(days) = days.filter(|days| (0..FEW_DAYS).contains(days)) {
        sentences.push(format!("Its certificate expires in {days} days."));
    }
    sentences.join(" ")
}

fn tcp_ms(measurement: &Measurement) -> String {
    let took = measurement.phases.tcp.map(Span::duration).unwrap_or_default();
    format!("{:.2}", took.as_secs_f64() * 1000.0)
}

fn most_of_the_time(measurement: &Measurement) -> String {
    let (phases, total) = (&measurement.phases, measurement.total);
    let took = |spans: &[Option<Span>]| spans.iter().flatten().map(|span| span.duration()).sum::<Duration>();
    let parts = [
        (took(&[phases.redirects]), "redirects before it"),
        (took(&[phases.dns]), "finding its address"),
        (took(&[phases.proxy, phases.tcp, phases.tls]), "setting up the connection"),
        (took(&[phases.ttfb]), "waiting for the server's first byte"),
        (took(&[phases.body]), "receiving the body"),
    ];
    let share = |part: Duration| part.as_secs_f64() / total.as_secs_f64().max(f64::MIN_POSITIVE);
    let all_ms = total.as_secs_f64() * 1000.0;
    let greatest = parts.into_iter().max_by_key(|(part, _)| *part).filter(|(part, _)| share(*part) > MOST);
    match greatest {
        Some((part, what)) => {
            format!("Works, in {all_ms:.0} ms. {:.0} % of it went into {what}.", share(part) * 100.0)
        }
        None => format!("Works, in {all_ms:.0} ms. No phase stands out."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Attempt, EchoEvidence, Evidence, Failure, Phases};

    fn measurement(phases: Phases, failure: Option<Failure>) -> Measurement {
        let target = "https://example.com/".parse().unwrap();
        Measurement { target, phases, total: Duration::from_millis(100), evidence: Evidence::default(), failure }
    }

    fn ms(start: u64, end: u64) -> Option<Span> {
        Some(Span { start: Duration::from_millis(start), end: Duration::from_millis(end) })
    }

    #[test]
    fn names_what_the_time_went_into() {
        let slow_server = Phases { tcp: ms(0, 10), ttfb: ms(10, 90), ..Phases::default() };
        let text = verdict(&measurement(slow_server, None), 0);
        assert_eq!(text, "Works, in 100 ms. 80 % of it went into waiting for the server's first byte.");
        let even = Phases { dns: ms(0, 30), tcp: ms(30, 60), ttfb: ms(60, 100), ..Phases::default() };
        assert_eq!(verdict(&measurement(even, None), 0), "Works, in 100 ms. No phase stands out.");
    }

    #[test]
    fn a_failure_says_where_and_why() {
        let text = verdict(&measurement(Phases::default(), Some(Failure::Status(500))), 0);
        assert_eq!(text, "Failed at http: the server answered with status 500.");
    }

    #[test]
    fn echoes_are_told_by_loss_and_round_trip() {
        let mut measurement = measurement(Phases { tcp: ms(0, 7), ..Phases::default() }, None);
        let echoes = EchoEvidence { sent: 10, received: 9, loss: 0.1, min_ms: 6.0, max_ms: 9.0, jitter_ms: 1.0 };
        measurement.evidence.echoes = Some(echoes);
        let text = verdict(&measurement, 0);
        assert_eq!(text, "Answers: 10 % of the echoes got lost; half of the others took 7.00 ms or less.");
    }

    #[test]
    fn what_is_worth_a_word() {
        let mut measurement = measurement(Phases { tcp: ms(0, 90), ..Phases::default() }, None);
        measurement.evidence.certificate_expires_s = Some(3 * DAY_S + 5);
        let address = "192.0.2.1:443".parse().unwrap();
        measurement.evidence.attempts = vec![Attempt { address, span: None, failure: None }];
        measurement.evidence.dns.source = Some(NameSource::System);
        let text = verdict(&measurement, 0);
        assert!(text.contains("the system's own lookup does"), "{text}");
        assert!(text.contains("expires in 3 days") && text.contains("1 of its addresses did not answer"), "{text}");
        assert_eq!(days_left(0, 1), -1);
    }
}
