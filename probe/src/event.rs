//! A measurement as an event of version 1.

use std::time::Duration;

use netqoe_model::{ErrorStage, EventTime};
use serde::Serialize;

use crate::{Measurement, Phases, Span, Transfer};

#[derive(Serialize)]
struct WireEvent<'a> {
    schema_version: u8,
    event_id: &'a str,
    client_id: &'a str,
    ts_ms: i64,
    target: &'a str,
    timing_measurements: WireTimings,
    error_stage: Option<ErrorStage>,
}

/// Absent members are phases that were not reached.
#[derive(Serialize)]
struct WireTimings {
    #[serde(skip_serializing_if = "Option::is_none")]
    dns_ms: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tcp_ms: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tls_ms: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ttfb_ms: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    throughput_mbps: Option<f64>,
}

impl Measurement {
    /// One line of JSON. `ts` is when the measurement began, by the probe's own clock.
    pub fn to_event(&self, event_id: &str, client_id: &str, ts: EventTime) -> String {
        let event = WireEvent {
            schema_version: 1,
            event_id,
            client_id,
            ts_ms: ts.ms(),
            target: self.target.as_str(),
            timing_measurements: WireTimings::of(&self.phases),
            error_stage: self.failure.as_ref().map(|failure| failure.stage()),
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
            throughput_mbps: phases.transfer.and_then(Transfer::throughput_mbps).map(to_thousandths),
        }
    }
}

/// In whole microseconds, which is what the pipeline keeps.
fn milliseconds(span: Span) -> f64 {
    let duration: Duration = span.duration();
    to_thousandths(duration.as_secs_f64() * 1000.0)
}

fn to_thousandths(value: f64) -> f64 {
    (value * 1000.0).round() / 1000.0
}

#[cfg(test)]
mod tests {
    use netqoe_model::Event;

    use super::*;
    use crate::Failure;

    fn span(start_us: u64, end_us: u64) -> Span {
        Span { start: Duration::from_micros(start_us), end: Duration::from_micros(end_us) }
    }

    fn measurement(url: &str, phases: Phases, failure: Option<Failure>) -> Measurement {
        Measurement { target: url.parse().unwrap(), phases, failure }
    }

    #[test]
    fn is_read_back_as_what_was_measured() {
        let phases = Phases {
            dns: Some(span(100, 15_400)),
            tcp: Some(span(16_000, 41_700)),
            tls: Some(span(42_000, 87_200)),
            ttfb: Some(span(88_000, 213_800)),
            transfer: Some(Transfer { span: span(220_000, 1_220_000), bytes: 1_250_000 }),
        };
        let url = "https://example.com:8443/a?b=\"c\"";
        let json =
            measurement(&url.replace('"', "%22"), phases, None).to_event("e1", "probe \"1\"", EventTime::from_ms(7));
        let event = Event::parse(json.as_bytes()).unwrap();
        assert_eq!(event.event_id, "e1");
        assert_eq!(event.client_id, "probe \"1\"");
        assert_eq!(event.target, "https://example.com:8443/a?b=%22c%22");
        assert_eq!(event.ts.ms(), 7);
        assert_eq!(event.error_stage, None);
        assert_eq!(event.samples, [Some(15_300), Some(25_700), Some(45_200), Some(125_800), Some(10_000)]);
    }

    #[test]
    fn what_was_not_reached_is_absent() {
        let phases = Phases { tcp: Some(span(0, 1500)), ..Phases::default() };
        let json = measurement("https://192.0.2.1", phases, Some(Failure::Status(500))).to_event(
            "e2",
            "c",
            EventTime::from_ms(1),
        );
        let value: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert_eq!(value["timing_measurements"], serde_json::json!({"tcp_ms": 1.5}));
        assert_eq!(value["error_stage"], "http");
        assert_eq!(value["schema_version"], 1);
        assert!(!json.contains('\n'));
    }
}
