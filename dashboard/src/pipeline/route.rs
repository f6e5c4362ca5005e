//! `GET /api/v1/pipeline`.

use std::sync::Arc;

use axum::extract::State;
use axum::{Json, Router};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{PipelineState, PipelineView};
use crate::LiveFeed;
use crate::answer::Refusal;

/// What a process shows of its pipeline.
#[derive(Clone)]
pub struct PipelineApi {
    view: Arc<dyn PipelineView>,
    live: LiveFeed,
}

impl PipelineApi {
    /// Shows this pipeline, whose commits are told by `live`.
    pub fn new(view: Arc<dyn PipelineView>, live: LiveFeed) -> Self {
        Self { view, live }
    }

    /// The routes and what they say of themselves.
    pub fn router(self) -> (Router, utoipa::openapi::OpenApi) {
        OpenApiRouter::new().routes(routes!(pipeline)).with_state(self).split_for_parts()
    }
}

/// The pipeline, and who looks on.
#[derive(Serialize, ToSchema)]
struct PipelineAnswer {
    #[serde(flatten)]
    state: PipelineState,
    /// Lines that could not be counted and are kept; null where they can't be looked at now.
    dead_letters: Option<u64>,
    /// Readers of the live stream.
    live_readers: usize,
}

/// How log, store and pipeline are, and how far they have come.
#[utoipa::path(get, path = "/api/v1/pipeline",
    responses((status = 200, body = PipelineAnswer), (status = 401, body = Refusal)))]
async fn pipeline(State(api): State<PipelineApi>) -> Json<PipelineAnswer> {
    Json(PipelineAnswer { state: api.view.look(), dead_letters: None, live_readers: api.live.readers() })
}
