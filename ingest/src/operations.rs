//! The routes that every netqoe server has beside its own: health, metrics, the OpenAPI document, and JSON for what
//! does not exist.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use axum::{Json, Router};
use http::{StatusCode, header};
use netqoe_model::metrics::Metrics;
use prometheus::TextEncoder;
use serde::Serialize;
use utoipa::openapi::OpenApi as OpenApiDocument;
use utoipa::{OpenApi, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::answer::{Code, Refusal};

/// How to find out whether a part of the process works.
pub struct ComponentCheck {
    /// Its name, as `/health` shows it.
    pub component: &'static str,
    /// Whether the server is of use to clients without it: `/readyz` answers 503 where it is not.
    pub needed_for_ready: bool,
    /// Says at once, without waiting for anything, what is wrong with it.
    pub check: Box<dyn Fn() -> Result<(), String> + Send + Sync>,
}

/// Merges the routers of a server and what they say of themselves, and adds `/health`, `/livez`, `/readyz`, `/metrics`
/// and `/api/v1/openapi.json`, and a JSON answer for unknown paths and methods.
///
/// # Panics
/// As [`Router::merge`] does, where two of the routers share a path and method or set a fallback.
pub fn assemble(
    parts: impl IntoIterator<Item = (Router, OpenApiDocument)>,
    metrics: Metrics,
    checks: Vec<ComponentCheck>,
) -> Router {
    let (mut routes, mut document) = operations().split_for_parts();
    for (router, part) in parts {
        routes = routes.merge(router.with_state(()));
        document.merge(part);
    }
    let operations = Operations { metrics, checks: checks.into(), document: Arc::new(document) };
    routes.with_state(operations).fallback(unknown_path).method_not_allowed_fallback(unknown_method)
}

#[derive(Clone)]
struct Operations {
    metrics: Metrics,
    checks: Arc<[ComponentCheck]>,
    document: Arc<OpenApiDocument>,
}

#[derive(OpenApi)]
#[openapi(info(title = "netqoe", description = "Network quality of experience: events in, diagnoses out"))]
struct Document;

/// How the server and its parts are.
#[derive(Serialize, ToSchema)]
struct Health {
    status: ComponentStatus,
    /// By name.
    components: BTreeMap<&'static str, ComponentHealth>,
}

#[derive(Serialize, ToSchema)]
struct ComponentHealth {
    status: ComponentStatus,
    /// What is wrong with it.
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum ComponentStatus {
    Ok,
    Failing,
}

fn operations() -> OpenApiRouter<Operations> {
    OpenApiRouter::with_openapi(Document::openapi())
        .routes(routes!(health))
        .routes(routes!(livez))
        .routes(routes!(readyz))
        .routes(routes!(metrics_text))
        .routes(routes!(openapi))
}

impl Operations {
    fn health_of<'a>(&self, checks: impl Iterator<Item = &'a ComponentCheck>) -> Response {
        let components: BTreeMap<_, _> = checks.map(|check| (check.component, ComponentHealth::of(check))).collect();
        let is_ok = components.values().all(|component| component.status == ComponentStatus::Ok);
        let (code, status) = match is_ok {
            true => (StatusCode::OK, ComponentStatus::Ok),
            false => (StatusCode::SERVICE_UNAVAILABLE, ComponentStatus::Failing),
        };
        (code, Json(Health { status, components })).into_response()
    }
}

impl ComponentHealth {
    fn of(component: &ComponentCheck) -> Self {
        match (component.check)() {
            Ok(()) => Self { status: ComponentStatus::Ok, message: None },
            Err(message) => Self { status: ComponentStatus::Failing, message: Some(message) },
        }
    }
}

/// How each part of the process is.
#[utoipa::path(get, path = "/health", tag = "operations", responses(
    (status = 200, description = "Every part works", body = Health),
    (status = 503, description = "A part is failing", body = Health),
))]
async fn health(State(operations): State<Operations>) -> Response {
    operations.health_of(operations.checks.iter())
}

/// Whether the process runs at all.
#[utoipa::path(get, path = "/livez", tag = "operations", responses((status = 200, description = "It does", body = Health)))]
async fn livez(State(operations): State<Operations>) -> Response {
    operations.health_of(std::iter::empty())
}

/// Whether requests should be sent here.
#[utoipa::path(get, path = "/readyz", tag = "operations", responses(
    (status = 200, description = "They should", body = Health),
    (status = 503, description = "A part that they need is failing", body = Health),
))]
async fn readyz(State(operations): State<Operations>) -> Response {
    operations.health_of(operations.checks.iter().filter(|check| check.needed_for_ready))
}

/// Metrics for Prometheus.
#[utoipa::path(get, path = "/metrics", tag = "operations", responses(
    (status = 200, description = "Prometheus text", body = String, content_type = "text/plain"),
))]
async fn metrics_text(State(operations): State<Operations>) -> Response {
    match TextEncoder::new().encode_to_string(&operations.metrics.gather()) {
        Ok(text) => ([(header::CONTENT_TYPE, prometheus::TEXT_FORMAT)], text).into_response(),
        Err(error) => {
            tracing::error!(%error, "metrics can't be written");
            Refusal::new(Code::ServiceUnavailable, "the metrics can't be written; see the server's log").into_response()
        }
    }
}

/// This document.
#[utoipa::path(get, path = "/api/v1/openapi.json", tag = "operations", responses(
    (status = 200, description = "OpenAPI 3.1", body = Object),
))]
async fn openapi(State(operations): State<Operations>) -> Json<Arc<OpenApiDocument>> {
    Json(operations.document)
}

async fn unknown_path() -> Refusal {
    Refusal::new(Code::NotFound, "there is nothing here; GET /api/v1/openapi.json lists what there is")
}

async fn unknown_method(request: Request) -> Refusal {
    let message = format!("this path does not take {}; the Allow header says what it takes", request.method());
    Refusal::new(Code::MethodNotAllowed, message)
}
