//! What an event's members hold, before anyone knows whether they are valid, and the rules by which they are.

use std::borrow::Cow;

use super::{
    ErrorStage, Event, Invalid, MAX_CLIENT_ID_BYTES, MAX_EVENT_ID_BYTES, MAX_MEASUREMENT, MAX_TARGET_BYTES, Samples,
};
use crate::EventTime;

/// A member's value, before anyone knows whether it is valid. One that stands twice simply replaces the first.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) enum Scalar<'a> {
    #[default]
    Null,
    Integer(i64),
    Float(f64),
    Text(Cow<'a, str>),
    /// A truth value, an array or an object: valid nowhere.
    Other,
}

/// All members that are known.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Raw<'a> {
    pub(super) schema_version: Scalar<'a>,
    pub(super) event_id: Scalar<'a>,
    pub(super) client_id: Scalar<'a>,
    pub(super) ts_ms: Scalar<'a>,
    pub(super) recv_ts_ms: Option<Scalar<'a>>,
    pub(super) target: Scalar<'a>,
    pub(super) error_stage: Scalar<'a>,
    /// `Some` where the member is there, even as null: it then hides `timings`.
    pub(super) timing_measurements: Option<Timings<'a>>,
    pub(super) timings: Option<Timings<'a>>,
    pub(super) throughput_kbps: Scalar<'a>,
    /// The text of the value, whatever it is.
    pub(super) network_context: Option<&'a str>,
}

/// The value of `timing_measurements`, or of `timings`.
#[derive(Debug, Default, PartialEq)]
pub(super) enum Timings<'a> {
    #[default]
    Null,
    Object(RawTimings<'a>),
    Other,
}

/// The measurements in both dialects.
#[derive(Debug, Default, PartialEq)]
pub(super) struct RawTimings<'a> {
    pub(super) dns_ms: Scalar<'a>,
    pub(super) tcp_ms: Scalar<'a>,
    pub(super) tls_ms: Scalar<'a>,
    pub(super) ttfb_ms: Scalar<'a>,
    pub(super) http_ttfb_ms: Scalar<'a>,
    pub(super) throughput_mbps: Scalar<'a>,
}

impl<'a> Raw<'a> {
    pub(super) fn validate(self) -> Result<Event<'a>, Invalid> {
        let version_is_known = match &self.schema_version {
            Scalar::Null | Scalar::Integer(1) => true,
            Scalar::Float(version) => *version == 1.0,
            Scalar::Text(version) => version == "1" || version == "1.0",
            _ => false,
        };
        if !version_is_known {
            return Err(Invalid::SchemaVersion);
        }
        let ts = self.ts_ms.time().ok_or(Invalid::Timestamp)?;
        let error_stage = match &self.error_stage {
            Scalar::Null => None,
            Scalar::Text(stage) => Some(ErrorStage::parse(stage).ok_or(Invalid::ErrorStage)?),
            _ => return Err(Invalid::ErrorStage),
        };
        let samples = match self.timing_measurements.as_ref().or(self.timings.as_ref()) {
            Some(Timings::Object(timings)) => timings.samples(&self.throughput_kbps)?,
            None | Some(Timings::Null) if error_stage.is_some() => {
                RawTimings::default().samples(&self.throughput_kbps)?
            }
            None | Some(Timings::Null | Timings::Other) => return Err(Invalid::Timings),
        };
        Ok(Event {
            samples,
            event_id: self.event_id.text(MAX_EVENT_ID_BYTES).ok_or(Invalid::EventId)?,
            client_id: self.client_id.text(MAX_CLIENT_ID_BYTES).ok_or(Invalid::ClientId)?,
            target: self.target.text(MAX_TARGET_BYTES).ok_or(Invalid::Target)?,
            ts,
            recv: self.recv_ts_ms.as_ref().and_then(Scalar::time),
            error_stage,
            network_context: self.network_context,
            has_recv: self.recv_ts_ms.is_some(),
        })
    }
}

impl RawTimings<'_> {
    /// Each metric under its own name or, where that has no value, under the other dialect's.
    fn samples(&self, throughput_kbps: &Scalar<'_>) -> Result<Samples, Invalid> {
        let ttfb = match self.ttfb_ms.measurement("ttfb_ms")? {
            None => self.http_ttfb_ms.measurement("http_ttfb_ms")?,
            some => some,
        };
        let throughput = match self.throughput_mbps.measurement("throughput_mbps")? {
            None => throughput_kbps.measurement("throughput_kbps")?.map(|kbps| kbps / 1000.0),
            some => some,
        };
        Ok([
            self.dns_ms.measurement("dns_ms")?.map(thousandths),
            self.tcp_ms.measurement("tcp_ms")?.map(thousandths),
            self.tls_ms.measurement("tls_ms")?.map(thousandths),
            ttfb.map(thousandths),
            throughput.map(thousandths),
        ])
    }
}

/// Whole thousandths, rounded half up. At most 10¹⁵, which `f64` and `u64` both hold exactly.
fn thousandths(value: f64) -> u64 {
    (value * 1000.0 + 0.5).floor() as u64
}

impl<'a> Scalar<'a> {
    fn time(&self) -> Option<EventTime> {
        match self {
            Self::Integer(ms) => EventTime::checked(*ms),
            _ => None,
        }
    }

    fn measurement(&self, name: &'static str) -> Result<Option<f64>, Invalid> {
        let value = match self {
            Self::Null => return Ok(None),
            Self::Integer(value) => *value as f64,
            Self::Float(value) => *value,
            Self::Text(_) | Self::Other => return Err(Invalid::Measurement(name)),
        };
        if (0.0..=MAX_MEASUREMENT).contains(&value) { Ok(Some(value)) } else { Err(Invalid::Measurement(name)) }
    }

    fn text(self, max_bytes: usize) -> Option<Cow<'a, str>> {
        match self {
            Self::Text(text) if !text.is_empty() && text.len() <= max_bytes && !text.contains('\0') => Some(text),
            _ => None,
        }
    }
}

/// The members of an event.
pub(super) enum Member {
    SchemaVersion,
    EventId,
    ClientId,
    TsMs,
    RecvTsMs,
    Target,
    ErrorStage,
    TimingMeasurements,
    Timings,
    ThroughputKbps,
    NetworkContext,
    Unknown,
}

impl Member {
    /// The member of this name.
    pub(super) fn of(name: &[u8]) -> Self {
        match name {
            b"schema_version" => Self::SchemaVersion,
            b"event_id" => Self::EventId,
            b"client_id" => Self::ClientId,
            b"ts_ms" => Self::TsMs,
            b"recv_ts_ms" => Self::RecvTsMs,
            b"target" => Self::Target,
            b"error_stage" => Self::ErrorStage,
            b"timing_measurements" => Self::TimingMeasurements,
            b"timings" => Self::Timings,
            b"throughput_kbps" => Self::ThroughputKbps,
            b"network_context" => Self::NetworkContext,
            _ => Self::Unknown,
        }
    }
}

/// The members of its measurements.
pub(super) enum Timing {
    Dns,
    Tcp,
    Tls,
    Ttfb,
    HttpTtfb,
    Throughput,
    Unknown,
}

impl Timing {
    /// The member of this name.
    pub(super) fn of(name: &[u8]) -> Self {
        match name {
            b"dns_ms" => Self::Dns,
            b"tcp_ms" => Self::Tcp,
            b"tls_ms" => Self::Tls,
            b"ttfb_ms" => Self::Ttfb,
            b"http_ttfb_ms" => Self::HttpTtfb,
            b"throughput_mbps" => Self::Throughput,
            _ => Self::Unknown,
        }
    }
}
