//! What clients are told.

use std::borrow::Cow;

use axum::Json;
use axum::response::{IntoResponse, Response};
use http::header::{self, HeaderValue};
use http::{HeaderMap, StatusCode};
use netqoe_model::Invalid;
use serde::Serialize;
use utoipa::ToSchema;

use crate::batch::Refusals;

/// What is wrong, for programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Code {
    InvalidRequest,
    InvalidSchemaVersion,
    InvalidEventId,
    InvalidTimestamp,
    Unauthorized,
    Forbidden,
    NotFound,
    MethodNotAllowed,
    RequestTimeout,
    PayloadTooLarge,
    UnsupportedMediaType,
    RateLimitExceeded,
    TooManyPairs,
    ServiceUnavailable,
    NotImplemented,
}

impl Code {
    pub(crate) fn status(self) -> StatusCode {
        match self {
            Self::InvalidRequest | Self::InvalidSchemaVersion | Self::InvalidEventId | Self::InvalidTimestamp => {
                StatusCode::BAD_REQUEST
            }
            Self::Unauthorized => StatusCode::UNAUTHORIZED,
            Self::Forbidden => StatusCode::FORBIDDEN,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::RequestTimeout => StatusCode::REQUEST_TIMEOUT,
            Self::PayloadTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::UnsupportedMediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::RateLimitExceeded | Self::TooManyPairs => StatusCode::TOO_MANY_REQUESTS,
            Self::ServiceUnavailable => StatusCode::SERVICE_UNAVAILABLE,
            Self::NotImplemented => StatusCode::NOT_IMPLEMENTED,
        }
    }
}

/// Why a request, or an event of it, was refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct Refusal {
    /// What is wrong, for programs.
    pub(crate) error: Code,
    /// What is wrong and what to do, for people.
    #[schema(value_type = String)]
    pub(crate) message: Cow<'static, str>,
    /// Seconds after which the same request may succeed.
    #[serde(rename = "retry_after", skip_serializing_if = "Option::is_none")]
    pub(crate) retry_after_s: Option<u64>,
}

impl Refusal {
    pub(crate) fn new(error: Code, message: impl Into<Cow<'static, str>>) -> Self {
        Self { error, message: message.into(), retry_after_s: None }
    }

    pub(crate) fn retry_after(self, seconds: u64) -> Self {
        Self { retry_after_s: Some(seconds), ..self }
    }

    /// What HTTP wants to see beside the body.
    fn headers(&self) -> HeaderMap {
        let mut headers = HeaderMap::new();
        if let Some(seconds) = self.retry_after_s {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if self.error == Code::Unauthorized {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        headers
    }
}

impl From<Invalid> for Refusal {
    fn from(invalid: Invalid) -> Self {
        let code = match invalid {
            Invalid::SchemaVersion => Code::InvalidSchemaVersion,
            Invalid::EventId => Code::InvalidEventId,
            Invalid::Timestamp | Invalid::FutureTimestamp { .. } => Code::InvalidTimestamp,
            _ => Code::InvalidRequest,
        };
        Self::new(code, invalid.to_string())
    }
}

/// Nobody on the way keeps an answer of the API, and no browser takes it for anything but what it says it is.
pub(crate) fn protect(headers: &mut HeaderMap) {
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        (self.error.status(), self.headers(), Json(self)).into_response()
    }
}

/// What was stored.
#[derive(Debug, Serialize, ToSchema)]
#[serde(untagged)]
pub(crate) enum Outcome {
    One(Stored),
    Batch(BatchOutcome),
}

/// What was not, none of it.
#[derive(Debug, Serialize, ToSchema)]
#[serde(untagged)]
pub(crate) enum Refused {
    One(Refusal),
    Batch(BatchRefusal),
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let refusal = match &self {
            Self::One(refusal) | Self::Batch(BatchRefusal { refusal, .. }) => refusal,
        };
        (refusal.error.status(), refusal.headers(), Json(self)).into_response()
    }
}

/// One event was stored.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Stored {
    /// Always `ok`.
    pub(crate) status: &'static str,
    /// The event's.
    pub(crate) event_id: String,
    /// When it was received, in Unix milliseconds.
    pub(crate) recv_ts_ms: i64,
}

/// What became of a batch.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct BatchOutcome {
    /// Events that were stored.
    accepted: u64,
    /// Events that were refused.
    rejected: u64,
    /// Why, for the first 100 of those that were refused, by index.
    errors: Vec<RefusedEvent>,
    /// When the batch was received, in Unix milliseconds.
    recv_ts_ms: i64,
}

impl BatchOutcome {
    pub(crate) fn new(accepted: u64, refused: Refusals, recv_ts_ms: i64) -> Self {
        Self { accepted, rejected: refused.count, errors: refused.first, recv_ts_ms }
    }
}

/// An event of a batch that was refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct RefusedEvent {
    /// Which event of the batch, from 0; blank lines are not counted.
    pub(crate) index: u64,
    /// Why.
    #[serde(flatten)]
    pub(crate) refusal: Refusal,
}

/// A batch of which nothing was stored.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct BatchRefusal {
    #[serde(flatten)]
    refusal: Refusal,
    #[serde(flatten)]
    outcome: BatchOutcome,
}

impl BatchRefusal {
    /// Of a batch in which at least one event was refused.
    pub(crate) fn new(refused: Refusals, recv_ts_ms: i64) -> Self {
        let refusal = refused.summary();
        Self { refusal, outcome: BatchOutcome::new(0, refused, recv_ts_ms) }
    }

    pub(crate) fn status(&self) -> StatusCode {
        self.refusal.error.status()
    }
}
