//! An event of version 1: parsed once, at the edge, so that behind it only valid events exist.
//!
//! The rules are those of the documented semantics. Where a member stands twice, the last one counts; what is
//! not known is passed over. Both dialects of version 1 are read (`timings`, `http_ttfb_ms`, `throughput_kbps`).

mod json;
mod members;
mod plain;
#[cfg(test)]
mod tests;

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::{EventTime, LogTime, MAX_TAG_KEY_BYTES, MAX_TAG_VALUE_BYTES, MAX_TAGS};

/// Longest `event_id`, in bytes.
pub const MAX_EVENT_ID_BYTES: usize = 128;
/// Longest `client_id`, in bytes.
pub const MAX_CLIENT_ID_BYTES: usize = 255;
/// Longest `target`, in bytes.
pub const MAX_TARGET_BYTES: usize = 1024;
/// Largest measurement, in the unit in which it is sent.
pub const MAX_MEASUREMENT: f64 = 1e12;

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
    /// The client that measured.
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
    /// The JSON texts of `client_labels` and of `target_labels`, checked and not taken apart; `None` where there are none.
    pub labels: [Option<&'a str>; 2],
    /// Whether the line has a member `recv_ts_ms`, valid or not.
    pub has_recv: bool,
}

/// Why a line is not an event. The message says what is wrong and what to send instead.
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
    #[error("timing_measurements must be an object; it may be absent only if error_stage is set")]
    Timings,
    /// Not labels, or more than there may be.
    #[error(
        "{0} must be null or an object of at most {MAX_TAGS} texts: names of letters, digits and _ that do not begin with a digit, up to \
         {MAX_TAG_KEY_BYTES} bytes, with values of up to {MAX_TAG_VALUE_BYTES} bytes without U+0000"
    )]
    Labels(&'static str),
    /// Not a number that can be measured.
    #[error("{0} must be null or a number from 0 to 10^12")]
    Measurement(&'static str),
}

impl<'a> Event<'a> {
    /// How far it moves the log of a file, whose lines have no log time but what they say: when it was received, or measured where it does
    /// not say that.
    pub fn time_in_file(&self) -> LogTime {
        LogTime::from_ms(self.recv.unwrap_or(self.ts).ms())
    }

    /// Reads one line.
    ///
    /// # Errors
    /// [`Invalid`], if it is not an event of version 1.
    pub fn parse(line: &'a [u8]) -> Result<Self, Invalid> {
        let text = std::str::from_utf8(line).map_err(|error| Invalid::Json(format!("invalid UTF-8: {error}")))?;
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        plain::read(text).map_or_else(|| json::read(text), Ok)?.validate()
    }
}
