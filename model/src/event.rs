//! An event of version 1: parsed once, at the edge, so that behind it only valid events exist.
//!
//! The rules are those of the documented semantics. Where a member stands twice, the last one counts; what is
//! not known is passed over. Both dialects of version 1 are read (`timings`, `http_ttfb_ms`, `throughput_kbps`).

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeSeed, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;

use crate::EventTime;

/// Longest `event_id`, in bytes.
pub const MAX_EVENT_ID_BYTES: usize = 128;
/// Longest `client_id`, in bytes.
pub const MAX_CLIENT_ID_BYTES: usize = 255;
/// Longest `target`, in bytes.
pub const MAX_TARGET_BYTES: usize = 1024;
/// Largest measurement, in the unit in which it is sent.
const MAX_MEASUREMENT: f64 = 1e12;

/// Where a measurement failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ErrorStage {
    /// Name resolution.
    Dns,
    /// Connecting.
    Tcp,
    /// The TLS handshake.
    Tls,
    /// Request, answer, or its status.
    Http,
    /// The transfer of the body.
    Throughput,
}

impl ErrorStage {
    /// All stages, in the order in which a measurement goes through them.
    pub const ALL: [Self; 5] = [Self::Dns, Self::Tcp, Self::Tls, Self::Http, Self::Throughput];

    /// As events and stores write it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Dns => "dns",
            Self::Tcp => "tcp",
            Self::Tls => "tls",
            Self::Http => "http",
            Self::Throughput => "throughput",
        }
    }

    /// The stage that is written so, in any case.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|stage| stage.as_str().eq_ignore_ascii_case(text))
    }
}

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Metric {
    /// Name resolution, ms.
    Dns,
    /// TCP connect, ms.
    Tcp,
    /// TLS handshake, ms.
    Tls,
    /// Time to first byte, ms.
    Ttfb,
    /// Transfer, Mbit/s.
    Throughput,
}

impl Metric {
    /// All metrics, in the order of the store's columns.
    pub const ALL: [Self; 5] = [Self::Dns, Self::Tcp, Self::Tls, Self::Ttfb, Self::Throughput];

    /// The stem of the store's columns.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Dns => "dns",
            Self::Tcp => "tcp",
            Self::Tls => "tls",
            Self::Ttfb => "ttfb",
            Self::Throughput => "throughput",
        }
    }
}

/// An event's samples by metric, in the order of [`Metric::ALL`]: whole microseconds, or whole kbit/s.
pub type Samples = [Option<u64>; 5];

/// A valid event. Texts are borrowed from the line wherever they hold no escapes.
#[derive(Clone, Debug, PartialEq)]
pub struct Event<'a> {
    /// What tells copies of the event from other events of its key.
    pub event_id: Cow<'a, str>,
    /// Who measured.
    pub client_id: Cow<'a, str>,
    /// What was measured.
    pub target: Cow<'a, str>,
    /// When, by the probe's clock.
    pub ts: EventTime,
    /// `recv_ts_ms` where it is a valid time: when ingest took the event.
    pub recv: Option<EventTime>,
    /// Where the measurement failed, if it did. A failed event gives no samples to its window.
    pub error_stage: Option<ErrorStage>,
    /// What it measured.
    pub samples: Samples,
    /// The text of `network_context`, not looked into.
    pub network_context: Option<&'a str>,
    /// Whether the line has a member `recv_ts_ms`, valid or not.
    pub has_recv: bool,
}

/// Why a line is no event. The message says what is wrong and what to send instead.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Invalid {
    /// Not JSON, or not in UTF-8.
    #[error("not valid JSON: {0}; send one JSON object in UTF-8 for each event")]
    Json(String),
    /// JSON, but no object.
    #[error("an event is a JSON object, with event_id, client_id, ts_ms, target and timing_measurements")]
    NotAnObject,
    /// Another version.
    #[error("schema_version must be 1 (\"1\" and \"1.0\" mean the same); this is netqoe's only version so far")]
    SchemaVersion,
    /// No event id, or none that can be one.
    #[error("event_id must be a text of 1 to {MAX_EVENT_ID_BYTES} bytes without U+0000, such as a UUID")]
    EventId,
    /// No client id, or none that can be one.
    #[error("client_id must be a text of 1 to {MAX_CLIENT_ID_BYTES} bytes without U+0000")]
    ClientId,
    /// No target, or none that can be one.
    #[error("target must be a text of 1 to {MAX_TARGET_BYTES} bytes without U+0000")]
    Target,
    /// No time, or none that can be one.
    #[error("ts_ms must be a positive whole number of Unix milliseconds before the year 10000")]
    Timestamp,
    /// Ahead of the log.
    #[error(
        "ts_ms lies {ahead_ms} ms ahead of the log's time, more than the {max_future_ms} ms allowed; check the probe's clock"
    )]
    FutureTimestamp {
        /// How far ahead.
        ahead_ms: i64,
        /// How far is allowed.
        max_future_ms: i64,
    },
    /// No such stage.
    #[error("error_stage must be null or one of dns, tcp, tls, http, throughput")]
    ErrorStage,
    /// Neither measured nor failed.
    #[error("timing_measurements must be an object; it may be absent only where error_stage is set")]
    Timings,
    /// Not a number that can be measured.
    #[error("{0} must be null or a number from 0 to 10^12")]
    Measurement(&'static str),
}

impl<'a> Event<'a> {
    /// Reads one line.
    ///
    /// # Errors
    /// [`Invalid`], where it is no event of version 1.
    pub fn parse(line: &'a [u8]) -> Result<Self, Invalid> {
        let text = std::str::from_utf8(line).map_err(|error| Invalid::Json(format!("invalid UTF-8: {error}")))?;
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let mut deserializer = serde_json::Deserializer::from_str(text);
        let raw = Raw::deserialize(&mut deserializer).and_then(|raw| deserializer.end().map(|()| raw));
        raw.map_err(|error| match error.to_string() {
            message if message.starts_with(NOT_AN_OBJECT) => Invalid::NotAnObject,
            message => Invalid::Json(message),
        })?
        .validate()
    }
}

/// How [`Raw`] names, within serde's error, that the line is JSON but no object.
const NOT_AN_OBJECT: &str = "not an object";

/// A member's value, before anyone knows whether it is valid. One that stands twice simply replaces the first.
#[derive(Clone, Default)]
enum Scalar<'a> {
    #[default]
    Null,
    Integer(i64),
    Float(f64),
    Text(Cow<'a, str>),
    /// A truth value, an array or an object: valid nowhere.
    Other,
}

#[derive(Default)]
struct Raw<'a> {
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
    network_context: Option<&'a RawValue>,
}

#[derive(Default)]
enum Timings<'a> {
    #[default]
    Null,
    Object(RawTimings<'a>),
    Other,
}

#[derive(Default)]
struct RawTimings<'a> {
    dns_ms: Scalar<'a>,
    tcp_ms: Scalar<'a>,
    tls_ms: Scalar<'a>,
    ttfb_ms: Scalar<'a>,
    http_ttfb_ms: Scalar<'a>,
    throughput_mbps: Scalar<'a>,
}

impl<'a> Raw<'a> {
    fn validate(self) -> Result<Event<'a>, Invalid> {
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
        let timings = match self.timing_measurements.or(self.timings).unwrap_or_default() {
            Timings::Object(timings) => timings,
            Timings::Null if error_stage.is_some() => RawTimings::default(),
            Timings::Null | Timings::Other => return Err(Invalid::Timings),
        };
        Ok(Event {
            samples: timings.samples(&self.throughput_kbps)?,
            event_id: self.event_id.text(MAX_EVENT_ID_BYTES).ok_or(Invalid::EventId)?,
            client_id: self.client_id.text(MAX_CLIENT_ID_BYTES).ok_or(Invalid::ClientId)?,
            target: self.target.text(MAX_TARGET_BYTES).ok_or(Invalid::Target)?,
            ts,
            recv: self.recv_ts_ms.as_ref().and_then(Scalar::time),
            error_stage,
            network_context: self.network_context.map(RawValue::get),
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

impl<'de> Deserialize<'de> for Scalar<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ScalarVisitor)
    }
}

struct ScalarVisitor;

impl<'de> Visitor<'de> for ScalarVisitor {
    type Value = Scalar<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON value")
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Scalar::Null)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
        Ok(Scalar::Other)
    }

    fn visit_i64<E>(self, value: i64) -> Result<Self::Value, E> {
        Ok(Scalar::Integer(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Self::Value, E> {
        Ok(i64::try_from(value).map_or(Scalar::Float(value as f64), Scalar::Integer))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Self::Value, E> {
        Ok(Scalar::Float(value))
    }

    fn visit_borrowed_str<E>(self, value: &'de str) -> Result<Self::Value, E> {
        Ok(Scalar::Text(Cow::Borrowed(value)))
    }

    fn visit_str<E>(self, value: &str) -> Result<Self::Value, E> {
        Ok(Scalar::Text(Cow::Owned(value.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Scalar::Other)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Self::Value, A::Error> {
        while members.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Scalar::Other)
    }
}

/// A member's name, as a key of `K`; compared as bytes, so that an unknown name may hold anything.
struct Name<K>(K);

impl<'de, K, T> DeserializeSeed<'de> for Name<K>
where
    K: Fn(&[u8]) -> T,
{
    type Value = T;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<T, D::Error> {
        deserializer.deserialize_bytes(self)
    }
}

impl<'de, K, T> Visitor<'de> for Name<K>
where
    K: Fn(&[u8]) -> T,
{
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a member name")
    }

    fn visit_bytes<E>(self, name: &[u8]) -> Result<T, E> {
        Ok((self.0)(name))
    }

    fn visit_str<E>(self, name: &str) -> Result<T, E> {
        Ok((self.0)(name.as_bytes()))
    }
}

impl<'de> Deserialize<'de> for Raw<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(RawVisitor)
    }
}

struct RawVisitor;

enum Member {
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
    fn of(name: &[u8]) -> Self {
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

impl<'de> Visitor<'de> for RawVisitor {
    type Value = Raw<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an event")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Self::Value, A::Error> {
        let mut raw = Raw::default();
        while let Some(member) = members.next_key_seed(Name(Member::of))? {
            match member {
                Member::SchemaVersion => raw.schema_version = members.next_value()?,
                Member::EventId => raw.event_id = members.next_value()?,
                Member::ClientId => raw.client_id = members.next_value()?,
                Member::TsMs => raw.ts_ms = members.next_value()?,
                Member::RecvTsMs => raw.recv_ts_ms = Some(members.next_value()?),
                Member::Target => raw.target = members.next_value()?,
                Member::ErrorStage => raw.error_stage = members.next_value()?,
                Member::TimingMeasurements => raw.timing_measurements = Some(members.next_value()?),
                Member::Timings => raw.timings = Some(members.next_value()?),
                Member::ThroughputKbps => raw.throughput_kbps = members.next_value()?,
                Member::NetworkContext => raw.network_context = Some(members.next_value()?),
                Member::Unknown => drop(members.next_value::<IgnoredAny>()?),
            }
        }
        Ok(raw)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Err(A::Error::custom(NOT_AN_OBJECT))
    }

    fn visit_unit<E: serde::de::Error>(self) -> Result<Self::Value, E> {
        Err(E::custom(NOT_AN_OBJECT))
    }

    fn visit_bool<E: serde::de::Error>(self, _: bool) -> Result<Self::Value, E> {
        Err(E::custom(NOT_AN_OBJECT))
    }

    fn visit_i64<E: serde::de::Error>(self, _: i64) -> Result<Self::Value, E> {
        Err(E::custom(NOT_AN_OBJECT))
    }

    fn visit_u64<E: serde::de::Error>(self, _: u64) -> Result<Self::Value, E> {
        Err(E::custom(NOT_AN_OBJECT))
    }

    fn visit_f64<E: serde::de::Error>(self, _: f64) -> Result<Self::Value, E> {
        Err(E::custom(NOT_AN_OBJECT))
    }

    fn visit_str<E: serde::de::Error>(self, _: &str) -> Result<Self::Value, E> {
        Err(E::custom(NOT_AN_OBJECT))
    }
}

impl<'de> Deserialize<'de> for Timings<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TimingsVisitor)
    }
}

struct TimingsVisitor;

enum Timing {
    Dns,
    Tcp,
    Tls,
    Ttfb,
    HttpTtfb,
    Throughput,
    Unknown,
}

impl Timing {
    fn of(name: &[u8]) -> Self {
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

impl<'de> Visitor<'de> for TimingsVisitor {
    type Value = Timings<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("measurements")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Self::Value, A::Error> {
        let mut raw = RawTimings::default();
        while let Some(member) = members.next_key_seed(Name(Timing::of))? {
            match member {
                Timing::Dns => raw.dns_ms = members.next_value()?,
                Timing::Tcp => raw.tcp_ms = members.next_value()?,
                Timing::Tls => raw.tls_ms = members.next_value()?,
                Timing::Ttfb => raw.ttfb_ms = members.next_value()?,
                Timing::HttpTtfb => raw.http_ttfb_ms = members.next_value()?,
                Timing::Throughput => raw.throughput_mbps = members.next_value()?,
                Timing::Unknown => drop(members.next_value::<IgnoredAny>()?),
            }
        }
        Ok(Timings::Object(raw))
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Timings::Null)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
        Ok(Timings::Other)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> {
        Ok(Timings::Other)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Self::Value, E> {
        Ok(Timings::Other)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
        Ok(Timings::Other)
    }

    fn visit_str<E>(self, _: &str) -> Result<Self::Value, E> {
        Ok(Timings::Other)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Timings::Other)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(members: &str) -> String {
        format!(r#"{{"event_id":"e","client_id":"c","ts_ms":1,"target":"t","timing_measurements":{{}}{members}}}"#)
    }

    #[track_caller]
    #[allow(clippy::needless_pass_by_value)] // so that calls read as a table
    fn check(members: &str, expected: Result<Samples, Invalid>) {
        let line = line(members);
        assert_eq!(Event::parse(line.as_bytes()).map(|event| event.samples), expected, "{line}");
    }

    #[test]
    fn reads_both_dialects() {
        check(
            r#","timing_measurements":{"dns_ms":15.3,"ttfb_ms":125.8}"#,
            Ok([Some(15_300), None, None, Some(125_800), None]),
        );
        let spoken = r#"{"event_id":"e","client_id":"c","ts_ms":1,"target":"t","timings":{"http_ttfb_ms":2},"throughput_kbps":1500}"#;
        assert_eq!(Event::parse(spoken.as_bytes()).unwrap().samples, [None, None, None, Some(2_000), Some(1_500)]);
        check(r#","timings":{"dns_ms":1}"#, Ok([None; 5])); // hidden by timing_measurements
        check(r#","timing_measurements":null,"timings":{"dns_ms":1}"#, Err(Invalid::Timings));
        check(r#","timing_measurements":null,"error_stage":"DNS""#, Ok([None; 5]));
    }

    #[test]
    fn the_last_of_equal_members_counts() {
        check(r#","ts_ms":"x","ts_ms":5"#, Ok([None; 5]));
        check(r#","ts_ms":5,"ts_ms":"x""#, Err(Invalid::Timestamp));
        check(
            r#","timing_measurements":{"dns_ms":"x"},"timing_measurements":{"dns_ms":1}"#,
            Ok([Some(1_000), None, None, None, None]),
        );
    }

    #[test]
    fn the_other_dialect_is_looked_at_only_where_it_is_needed() {
        check(r#","timing_measurements":{"ttfb_ms":1,"http_ttfb_ms":"x"}"#, Ok([None, None, None, Some(1_000), None]));
        check(
            r#","timing_measurements":{"ttfb_ms":null,"http_ttfb_ms":"x"}"#,
            Err(Invalid::Measurement("http_ttfb_ms")),
        );
        check(
            r#","timing_measurements":{"throughput_mbps":1},"throughput_kbps":-1"#,
            Ok([None, None, None, None, Some(1_000)]),
        );
    }

    #[test]
    fn measurements_are_numbers_that_can_be_measured() {
        for bad in ["-1", "-0.001", "1000000000001", "1e13", "true", "\"1\"", "[]", "{}", "18446744073709551616"] {
            check(&format!(r#","timing_measurements":{{"dns_ms":{bad}}}"#), Err(Invalid::Measurement("dns_ms")));
        }
        for (good, us) in [
            ("1000000000000", 1_000_000_000_000_000),
            ("1e12", 1_000_000_000_000_000),
            ("-0.0", 0),
            ("0.0005", 1),
            ("0.00049", 0),
        ] {
            check(&format!(r#","timing_measurements":{{"dns_ms":{good}}}"#), Ok([Some(us), None, None, None, None]));
        }
        for bad in ["NaN", "Infinity", "1e999", "01", "1.", ".5", "+1"] {
            let line = line(&format!(r#","timing_measurements":{{"dns_ms":{bad}}}"#));
            assert!(matches!(Event::parse(line.as_bytes()), Err(Invalid::Json(_))), "{bad}");
        }
    }

    #[test]
    fn versions_and_stages() {
        for good in ["1", "1.0", "\"1\"", "\"1.0\"", "null"] {
            check(&format!(r#","schema_version":{good}"#), Ok([None; 5]));
        }
        for bad in ["2", "0", "true", "\"2\"", "[]", "1.5"] {
            check(&format!(r#","schema_version":{bad}"#), Err(Invalid::SchemaVersion));
        }
        for bad in ["\"\"", "\"ip\"", "1", "false", "{}"] {
            check(&format!(r#","error_stage":{bad}"#), Err(Invalid::ErrorStage));
        }
    }

    #[test]
    fn texts_have_a_length_in_bytes_and_no_u0000() {
        for bad in ["\"\"", "null", "1", r#""a\u0000""#, "{}"] {
            check(&format!(r#","event_id":{bad}"#), Err(Invalid::EventId));
        }
        check(&format!(r#","client_id":"{}""#, "é".repeat(127)), Ok([None; 5]));
        check(&format!(r#","client_id":"{}""#, "é".repeat(128)), Err(Invalid::ClientId));
        check(&format!(r#","target":"{}""#, "x".repeat(1025)), Err(Invalid::Target));
        let line = line(r#","target":"\ud800""#);
        assert!(Event::parse(line.as_bytes()).is_err(), "a lone surrogate is no text");
    }

    #[test]
    fn what_is_not_known_is_passed_over_whatever_it_holds() {
        for unknown in [r#""\ud800":1"#, r#""x":"\ud800""#, r#""x":1e999"#, r#""x":[[{"y":[]}]]"#] {
            check(&format!(",{unknown}"), Ok([None; 5]));
        }
    }

    #[test]
    fn only_objects_are_events() {
        for other in ["1", "null", "true", "\"x\"", "[1,2]", "[]"] {
            assert_eq!(Event::parse(other.as_bytes()), Err(Invalid::NotAnObject), "{other}");
        }
        for broken in ["", "{", "{\"event_id\":", "{} {}", "\u{1}"] {
            assert!(matches!(Event::parse(broken.as_bytes()), Err(Invalid::Json(_))), "{broken}");
        }
        assert!(matches!(Event::parse(b"{\"a\":\"\xff\"}"), Err(Invalid::Json(_))), "invalid UTF-8");
        assert!(Event::parse(format!("\u{feff}{}", line("")).as_bytes()).is_ok(), "a byte order mark is passed over");
    }

    #[test]
    fn times_are_whole_and_in_range() {
        for bad in ["0", "-1", "1.0", "1e3", "253402300800000", "true", "\"1\"", "99999999999999999999"] {
            check(&format!(r#","ts_ms":{bad}"#), Err(Invalid::Timestamp));
            let line = line(&format!(r#","recv_ts_ms":{bad}"#));
            let event = Event::parse(line.as_bytes()).unwrap();
            assert_eq!((event.recv, event.has_recv), (None, true), "a bad recv_ts_ms counts as none");
        }
        check(r#","ts_ms":253402300799999"#, Ok([None; 5]));
    }
}
