//! How a request is refused: a code for programs, a message for people, and the status and headers of HTTP.
//!
//! The codes of all APIs of netqoe stand in one list, so that a client finds them in one place of the OpenAPI document.

use std::borrow::Cow;
use std::time::Duration;

use axum::Json;
use axum::response::{IntoResponse, Response};
use http::header::{self, HeaderValue};
use http::{HeaderMap, StatusCode};
use serde::Serialize;
use utoipa::ToSchema;

/// What is wrong, for programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Code {
    /// The request, or an event of it, is not as it must be.
    InvalidRequest,
    /// An event is of another version.
    InvalidSchemaVersion,
    /// An event has no valid `event_id`.
    InvalidEventId,
    /// An event has no valid time, or one too far ahead.
    InvalidTimestamp,
    /// There is no token, a wrong one, or one that does not allow this.
    Unauthorized,
    /// Another site may have sent this.
    Forbidden,
    /// The path does not exist.
    NotFound,
    /// The path does not take this method.
    MethodNotAllowed,
    /// The body did not arrive in time.
    RequestTimeout,
    /// The body is too long.
    PayloadTooLarge,
    /// The body is of a type or compression that is not read here.
    UnsupportedMediaType,
    /// The client is above a rate.
    RateLimitExceeded,
    /// There is no room for another pair of client and target.
    TooManyPairs,
    /// The server has no memory for another pair of client and target.
    MemoryExceeded,
    /// The server can't do this at the moment.
    ServiceUnavailable,
    /// The request uses a part of HTTP that is not supported.
    NotImplemented,
}

impl Code {
    /// As it stands in an answer.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::InvalidRequest => "invalid_request",
            Self::InvalidSchemaVersion => "invalid_schema_version",
            Self::InvalidEventId => "invalid_event_id",
            Self::InvalidTimestamp => "invalid_timestamp",
            Self::Unauthorized => "unauthorized",
            Self::Forbidden => "forbidden",
            Self::NotFound => "not_found",
            Self::MethodNotAllowed => "method_not_allowed",
            Self::RequestTimeout => "request_timeout",
            Self::PayloadTooLarge => "payload_too_large",
            Self::UnsupportedMediaType => "unsupported_media_type",
            Self::RateLimitExceeded => "rate_limit_exceeded",
            Self::TooManyPairs => "too_many_pairs",
            Self::MemoryExceeded => "memory_exceeded",
            Self::ServiceUnavailable => "service_unavailable",
            Self::NotImplemented => "not_implemented",
        }
    }

    /// The status of an answer with this code.
    pub fn status(self) -> StatusCode {
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
            Self::RateLimitExceeded | Self::TooManyPairs | Self::MemoryExceeded => StatusCode::TOO_MANY_REQUESTS,
            Self::ServiceUnavailable => StatusCode::SERVICE_UNAVAILABLE,
            Self::NotImplemented => StatusCode::NOT_IMPLEMENTED,
        }
    }
}

/// Why a request, or an event of it, was refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Refusal {
    /// What is wrong, for programs.
    pub error: Code,
    /// What is wrong and what to do, for people.
    #[schema(value_type = String)]
    pub message: Cow<'static, str>,
    /// Seconds after which the same request may succeed.
    #[serde(rename = "retry_after", skip_serializing_if = "Option::is_none")]
    pub retry_after_s: Option<u64>,
}

impl Refusal {
    /// With this message, and no time after which to try again.
    pub fn new(error: Code, message: impl Into<Cow<'static, str>>) -> Self {
        Self { error, message: message.into(), retry_after_s: None }
    }

    /// The same, for a request that may succeed after this time.
    pub fn retry_after(self, seconds: u64) -> Self {
        Self { retry_after_s: Some(seconds), ..self }
    }

    /// The body of a request that did not arrive in time.
    pub fn body_too_slow(timeout: Duration) -> Self {
        let message = format!("the body did not arrive within {timeout:?}; send it faster, or in smaller batches");
        Self::new(Code::RequestTimeout, message)
    }

    /// The headers that HTTP requires beside the body.
    pub fn headers(&self) -> HeaderMap {
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
