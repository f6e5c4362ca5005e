//! The form in which generated events are written: version 1, members in a fixed order.

use std::fmt;

use netqoe_model::ErrorStage;
use uuid::Uuid;

/// A line of a log, as yet without its line end.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Line {
    /// When ingest takes it, in Unix milliseconds.
    pub recv_ms: i64,
    /// One JSON event, or what stands in for one where the line is malformed.
    pub text: String,
}

/// One measurement.
#[derive(Clone, Debug)]
pub(crate) struct Timings {
    pub dns_ms: f64,
    pub tcp_ms: f64,
    pub tls_ms: f64,
    pub ttfb_ms: f64,
    pub throughput_mbps: f64,
}

/// An event as its client sends it or, with `recv_ts_ms`, as the log holds it. Its texts need no escapes.
#[derive(Clone, Debug)]
pub(crate) struct EventText<'a> {
    pub event_id: Uuid,
    pub client_id: &'a str,
    pub ts_ms: i64,
    pub target: &'a str,
    /// Last byte of an address set aside for documents.
    pub source_host: u8,
    pub network_type: &'static str,
    pub isp: &'static str,
    pub timings: Timings,
    pub error_stage: Option<ErrorStage>,
    pub recv_ts_ms: Option<i64>,
}

impl fmt::Display for EventText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { event_id, client_id, ts_ms, target, source_host, network_type, isp, .. } = self;
        let Timings { dns_ms, tcp_ms, tls_ms, ttfb_ms, throughput_mbps } = self.timings;
        // `{:?}` writes the shortest number that reads back as the same, and 12.0 where `{}` writes 12.
        write!(
            f,
            r#"{{"schema_version":1,"event_id":"{event_id}","client_id":"{client_id}","ts_ms":{ts_ms},"target":"{target}","#
        )?;
        write!(
            f,
            r#""network_context":{{"source_ip":"192.0.2.{source_host}","network_type":"{network_type}","isp":"{isp}"}},"#
        )?;
        write!(f, r#""timing_measurements":{{"dns_ms":{dns_ms:?},"tcp_ms":{tcp_ms:?},"tls_ms":{tls_ms:?},"#)?;
        write!(f, r#""ttfb_ms":{ttfb_ms:?},"throughput_mbps":{throughput_mbps:?}}},"error_stage":"#)?;
        match self.error_stage {
            Some(stage) => write!(f, r#""{}""#, stage.as_str())?,
            None => f.write_str("null")?,
        }
        if let Some(recv_ts_ms) = self.recv_ts_ms {
            write!(f, r#","recv_ts_ms":{recv_ts_ms}"#)?;
        }
        f.write_str("}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_an_event_as_documented() {
        let mut event = EventText {
            event_id: Uuid::from_u128(0x550e8400_e29b_41d4_a716_446655440000),
            client_id: "probe-001",
            ts_ms: 1_703_347_200_000,
            target: "https://api.example.com",
            source_host: 7,
            network_type: "wifi",
            isp: "isp-a",
            timings: Timings { dns_ms: 15.3, tcp_ms: 25.7, tls_ms: 45.0, ttfb_ms: 125.8, throughput_mbps: 95.4 },
            error_stage: Some(ErrorStage::Tls),
            recv_ts_ms: Some(1_703_347_200_500),
        };
        let stored = concat!(
            r#"{"schema_version":1,"event_id":"550e8400-e29b-41d4-a716-446655440000","client_id":"probe-001","#,
            r#""ts_ms":1703347200000,"target":"https://api.example.com","#,
            r#""network_context":{"source_ip":"192.0.2.7","network_type":"wifi","isp":"isp-a"},"#,
            r#""timing_measurements":{"dns_ms":15.3,"tcp_ms":25.7,"tls_ms":45.0,"ttfb_ms":125.8,"throughput_mbps":95.4},"#,
            r#""error_stage":"tls","recv_ts_ms":1703347200500}"#
        );
        assert_eq!(event.to_string(), stored);

        event.error_stage = None;
        event.recv_ts_ms = None;
        assert!(event.to_string().ends_with(r#""error_stage":null}"#), "{event}");
    }
}
