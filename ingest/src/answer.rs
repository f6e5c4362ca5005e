//! What a client is told about its events.

use axum::Json;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use netqoe_model::Invalid;
use netqoe_server::{Code, Refusal};
use serde::Serialize;
use utoipa::ToSchema;

use crate::refusals::{Refusals, RefusedEvent};

/// Why a text is not an event.
pub(crate) fn not_an_event(invalid: &Invalid) -> Refusal {
    let code = match invalid {
        Invalid::SchemaVersion => Code::InvalidSchemaVersion,
        Invalid::EventId => Code::InvalidEventId,
        Invalid::Timestamp | Invalid::FutureTimestamp { .. } => Code::InvalidTimestamp,
        _ => Code::InvalidRequest,
    };
    Refusal::new(code, invalid.to_string())
}

/// What was stored.
#[derive(Debug, Serialize, ToSchema)]
#[serde(untagged)]
pub(crate) enum Outcome {
    One(Stored),
    Batch(BatchOutcome),
}

/// What was not, none of it.
#[derive(Debug, Serialize)]
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
