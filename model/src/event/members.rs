//! What an event's members hold, before anyone knows whether they are valid, and the rules by which they are.

use std::borrow::Cow;

use super::{
    ErrorStage, Event, Invalid, MAX_CLIENT_ID_BYTES, MAX_EVENT_ID_BYTES, MAX_MEASUREMENT, MAX_TARGET_BYTES, Samples,
};
use crate::tags::are_tags;
use crate::{EventTime, to_thousandths};

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
    schema_version: Scalar<'a>,
    event_id: Scalar<'a>,
    client_id: Scalar<'a>,
    ts_ms: Scalar<'a>,
    recv_ts_ms: Option<Scalar<'a>>,
    target: Scalar<'a>,
    error_stage: Scalar<'a>,
    /// `Some` where the member is there, even as null: it then hides `timings`.
    timing_measurements: Option<Timings<'a>>,
    timings: Option<Timings<'a>>,
    throughput_kbps: Scalar<'a>,
    /// The text of the value, whatever it is.
    network_context: Option<&'a str>,
    /// The same.
    client_labels: Option<&'a str>,
    target_labels: Option<&'a str>,
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
    dns_ms: Scalar<'a>,
    tcp_ms: Scalar<'a>,
    tls_ms: Scalar<'a>,
    ttfb_ms: Scalar<'a>,
    http_ttfb_ms: Scalar<'a>,
    throughput_mbps: Scalar<'a>,
}

/// Where the value of a member goes.
pub(super) enum Place<'raw, 'a> {
    Scalar(&'raw mut Scalar<'a>),
    /// As that one, but whether it is there tells something, too.
    Optional(&'raw mut Option<Scalar<'a>>),
    Timings(&'raw mut Option<Timings<'a>>),
    /// The text of the value.
    Text(&'raw mut Option<&'a str>),
    /// It is passed over.
    Nowhere,
}

impl<'a> Raw<'a> {
    /// The place of the member of this name.
    pub(super) fn place(&mut self, name: &[u8]) -> Place<'_, 'a> {
        match name {
            b"schema_version" => Place::Scalar(&mut self.schema_version),
            b"event_id" => Place::Scalar(&mut self.event_id),
            b"client_id" => Place::Scalar(&mut self.client_id),
            b"ts_ms" => Place::Scalar(&mut self.ts_ms),
            b"recv_ts_ms" => Place::Optional(&mut self.recv_ts_ms),
            b"target" => Place::Scalar(&mut self.target),
            b"error_stage" => Place::Scalar(&mut self.error_stage),
            b"timing_measurements" => Place::Timings(&mut self.timing_measurements),
            b"timings" => Place::Timings(&mut self.timings),
            b"throughput_kbps" => Place::Scalar(&mut self.throughput_kbps),
            b"network_context" => Place::Text(&mut self.network_context),
            b"client_labels" => Place::Text(&mut self.client_labels),
            b"target_labels" => Place::Text(&mut self.target_labels),
            _ => Place::Nowhere,
        }
    }

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
            labels: [labels(self.client_labels, "client_labels")?, labels(self.target_labels, "target_labels")?],
            has_recv: self.recv_ts_ms.is_some(),
        })
    }
}

/// The text of a member that may say labels.
fn labels<'a>(text: Option<&'a str>, name: &'static str) -> Result<Option<&'a str>, Invalid> {
    match text {
        None | Some("null" | "{}") => Ok(None),
        Some(text) if are_tags(text) => Ok(Some(text)),
        Some(_) => Err(Invalid::Labels(name)),
    }
}

impl<'a> RawTimings<'a> {
    /// Where the measurement of this name is stored; `None` if it is ignored.
    pub(super) fn place(&mut self, name: &[u8]) -> Option<&mut Scalar<'a>> {
        match name {
            b"dns_ms" => Some(&mut self.dns_ms),
            b"tcp_ms" => Some(&mut self.tcp_ms),
            b"tls_ms" => Some(&mut self.tls_ms),
            b"ttfb_ms" => Some(&mut self.ttfb_ms),
            b"http_ttfb_ms" => Some(&mut self.http_ttfb_ms),
            b"throughput_mbps" => Some(&mut self.throughput_mbps),
            _ => None,
        }
    }

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
            self.dns_ms.measurement("dns_ms")?.map(to_thousandths),
            self.tcp_ms.measurement("tcp_ms")?.map(to_thousandths),
            self.tls_ms.measurement("tls_ms")?.map(to_thousandths),
            ttfb.map(to_thousandths),
            throughput.map(to_thousandths),
        ])
    }
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
