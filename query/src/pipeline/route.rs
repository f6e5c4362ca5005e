//! `GET /api/v1/pipeline`, and the dead letters beside it.

use std::sync::Arc;

use axum::extract::State;
use axum::{Json, Router};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{PipelineState, PipelineView, UncountedEvents, uncounted};
use crate::LiveFeed;
use crate::dead_letters::{self, DeadLetters, DeadLettersError};

/// What a process shows of its pipeline.
#[derive(Clone)]
pub struct PipelineApi {
    view: Arc<dyn PipelineView>,
    live: LiveFeed,
    pub(crate) letters: Arc<dyn DeadLetters>,
    pub(crate) may_replay: bool,
    pub(super) uncounted: Option<UncountedEvents>,
}

impl PipelineApi {
    /// Shows this pipeline, whose commits are told by `live`, and what it could not count. Letters may be tried again only
    /// where nobody but this machine reaches the server.
    pub fn new(
        view: Arc<dyn PipelineView>,
        live: LiveFeed,
        letters: Arc<dyn DeadLetters>,
        only_from_this_machine: bool,
    ) -> Self {
        Self { view, live, letters, may_replay: only_from_this_machine, uncounted: None }
    }

    /// Shows what this process knows of events that are not counted.
    #[must_use]
    pub fn with_uncounted(self, uncounted: UncountedEvents) -> Self {
        Self { uncounted: Some(uncounted), ..self }
    }

    /// The routes and what they say of themselves.
    pub fn router(self) -> (Router, utoipa::openapi::OpenApi) {
        routes(self.may_replay).with_state(self).split_for_parts()
    }
}

pub(crate) fn routes(may_replay: bool) -> OpenApiRouter<PipelineApi> {
    let routes = OpenApiRouter::new()
        .routes(routes!(pipeline))
        .routes(routes!(uncounted::uncounted))
        .merge(dead_letters::routes());
    if may_replay { routes.merge(dead_letters::replay_route()) } else { routes }
}

/// The pipeline, and who looks on.
#[derive(Serialize, ToSchema)]
struct PipelineAnswer {
    #[serde(flatten)]
    state: PipelineState,
    /// Lines that could not be counted and are kept; null where they can't be looked at now.
    #[schema(required)]
    dead_letters: Option<u64>,
    /// Readers of the live stream.
    live_readers: usize,
}

/// How log, store and pipeline are, and how far they have come.
#[utoipa::path(get, path = "/api/v1/pipeline",
    responses((status = 200, body = PipelineAnswer)))]
async fn pipeline(State(api): State<PipelineApi>) -> Json<PipelineAnswer> {
    let dead_letters = api.letters.count().await.inspect_err(|error| {
        if !matches!(error, DeadLettersError::NotHere(_)) {
            tracing::warn!("dead letters aren't counted: {error}");
        }
    });
    Json(PipelineAnswer { state: api.view.look(), dead_letters: dead_letters.ok(), live_readers: api.live.readers() })
}
