//! What the headers say of a body: its media type and its compression.

use http::header::{self, HeaderMap, HeaderName};
use netqoe_server::{Code, Refusal};

/// What a body is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MediaType {
    /// One JSON value.
    Json,
    /// One JSON value a line.
    JsonLines,
}

impl MediaType {
    /// `application/json`, which is also assumed where nothing is said, `application/x-ndjson` or
    /// `application/jsonl`; in UTF-8.
    pub(crate) fn of(headers: &HeaderMap) -> Result<Self, Refusal> {
        let Some(value) = the_only(headers, &header::CONTENT_TYPE)? else { return Ok(Self::Json) };
        let mut parts = value.split(';').map(str::trim);
        let media_type = match parts.next().unwrap_or_default().to_ascii_lowercase().as_str() {
            "application/json" => Self::Json,
            "application/x-ndjson" | "application/jsonl" => Self::JsonLines,
            _ => {
                let message = "send events as Content-Type: application/json, or application/x-ndjson with one a line";
                return Err(Refusal::new(Code::UnsupportedMediaType, message));
            }
        };
        let is_utf8 = |charset: &str| ["utf-8", "utf8", "us-ascii"].contains(&charset.trim_matches('"'));
        let charset =
            parts.filter_map(|part| part.split_once('=')).find(|(name, _)| name.eq_ignore_ascii_case("charset"));
        if charset.is_some_and(|(_, charset)| !is_utf8(&charset.to_ascii_lowercase())) {
            return Err(Refusal::new(Code::UnsupportedMediaType, "events are read in UTF-8 only; send charset=utf-8"));
        }
        Ok(media_type)
    }
}

/// How a body is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Compression {
    None,
    Gzip,
    Zstd,
}

impl Compression {
    /// `gzip`, `zstd`, or `identity`, which is also assumed where nothing is said.
    pub(crate) fn of(headers: &HeaderMap) -> Result<Self, Refusal> {
        let Some(value) = the_only(headers, &header::CONTENT_ENCODING)? else { return Ok(Self::None) };
        match value.to_ascii_lowercase().as_str() {
            "identity" => Ok(Self::None),
            "gzip" | "x-gzip" => Ok(Self::Gzip),
            "zstd" => Ok(Self::Zstd),
            _ => {
                let message = "send the body with Content-Encoding: gzip or zstd, once, or without any";
                Err(Refusal::new(Code::UnsupportedMediaType, message))
            }
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::None => "uncompressed",
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
        }
    }
}

/// A header's value, where it is there; refused where it stands more than once or is not ASCII.
fn the_only<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<Option<&'a str>, Refusal> {
    let mut values = headers.get_all(name).iter();
    let Some(value) = values.next() else { return Ok(None) };
    match value.to_str() {
        Ok(value) if values.next().is_none() => Ok(Some(value.trim())),
        _ => Err(Refusal::new(Code::UnsupportedMediaType, format!("send one {name} header, in ASCII"))),
    }
}
