//! What people look at, on the same listener as all else: the query API, the pipeline, and sessions for the page.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use netqoe_dashboard::{DeadLetters, PipelineApi, QueryApi};
use netqoe_ingest::{SignIn, SystemClock, Tokens};
use netqoe_model::Rules;
use netqoe_sinks::read::Reader;
use tokio_util::sync::CancellationToken;
use utoipa::openapi::OpenApi;

use super::pipeline_view::View;

/// What is shown, and to whom.
pub(super) struct Dashboard {
    pub(super) reader: Arc<dyn Reader>,
    pub(super) view: Arc<View>,
    pub(super) rules: Rules,
    pub(super) tokens: Tokens,
    pub(super) letters: Arc<dyn DeadLetters>,
    /// Where all of this is listened for.
    pub(super) address: SocketAddr,
}

impl Dashboard {
    /// Its routes and what they say of themselves; live streams end with `stop`.
    pub(super) fn routes(self, stop: &CancellationToken) -> [(Router, OpenApi); 3] {
        let Self { reader, view, rules, tokens, letters, address } = self;
        let (metrics, live) = (view.observed.metrics.clone(), view.observed.live.clone());
        let sign_in = SignIn::new(tokens, metrics, Arc::new(SystemClock::new()));
        let queries = QueryApi::new(reader, &rules, live.clone(), stop.clone()).router();
        let pipeline = PipelineApi::new(view, live, letters, address.ip().to_canonical().is_loopback()).router();
        let guarded = |(routes, document)| (sign_in.guard(routes), document);
        [sign_in.router(), guarded(queries), guarded(pipeline)]
    }
}
