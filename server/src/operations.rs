//! The routes that every netqoe server has beside its own: health, metrics, the OpenAPI document, and JSON for what
//! does not exist.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::{Json, Router};
use http::{HeaderMap, StatusCode, header};
use netqoe_model::metrics::Metrics;
use serde::Serialize;
use tower_http::compression::CompressionLayer;
use utoipa::openapi::OpenApi as OpenApiDocument;
use utoipa::{OpenApi, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::answer::{Code, Refusal, protect};
use crate::exposition::expose;
use crate::{SignIn, document, own_host};

/// How to find out whether a part of the process works.
pub struct ComponentCheck {
    /// Its name, as `/health` shows it.
    pub component: &'static str,
    /// Whether the server is of use to clients without it: `/readyz` answers 503 where it is not.
    pub needed_for_ready: bool,
    /// Says at once, without waiting for anything, what is wrong with it.
    pub check: Box<dyn Fn() -> Result<(), String> + Send + Sync>,
}

/// Who may ask for `/metrics` and `/health`, which tell how the server is used and what is wrong with it. `/livez` and `/readyz`
/// tell everybody whether, and not why.
#[derive(Clone)]
pub enum OperationsAccess {
    /// The server is reached from this machine alone: whoever asks for it as localhost or by its address, so that no site
    /// reads it through a browser; or who may read.
    ThisMachine(SignIn),
    /// Others reach it: who may read.
    Readers(SignIn),
}

impl OperationsAccess {
    /// For a server that listens there.
    pub fn at(address: SocketAddr, sign_in: SignIn) -> Self {
        match address.ip().to_canonical().is_loopback() {
            true => Self::ThisMachine(sign_in),
            false => Self::Readers(sign_in),
        }
    }

    async fn check(&self, request: Request, next: Next) -> Response {
        match self {
            // Without tokens, that looks at the host as well.
            Self::ThisMachine(_) if own_host::check(&request).is_ok() => next.run(request).await,
            Self::ThisMachine(sign_in) | Self::Readers(sign_in) => sign_in.check(request, next).await,
        }
    }
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
    access: OperationsAccess,
) -> Router {
    let (mut routes, mut document) = told_to_all().split_for_parts();
    let guard = middleware::from_fn(move |request: Request, next: Next| {
        let access = access.clone();
        async move { access.check(request, next).await }
    });
    let (to_readers, readers_document) = told_to_readers().split_for_parts();
    routes = routes.merge(to_readers.route_layer(CompressionLayer::new()).route_layer(guard));
    document::add(&mut document, document::for_readers_or_this_machine(readers_document));
    for (router, part) in parts {
        routes = routes.merge(router.with_state(()));
        document::add(&mut document, part);
    }
    let operations = Operations { metrics, checks: checks.into(), document: Arc::new(document::described(document)) };
    let routes = routes.with_state(operations).fallback(unknown_path).method_not_allowed_fallback(unknown_method);
    routes.layer(middleware::map_response(async |mut answer: Response| {
        protect(answer.headers_mut());
        answer
    }))
}

#[derive(Clone)]
struct Operations {
    metrics: Metrics,
    checks: Arc<[ComponentCheck]>,
    document: Arc<OpenApiDocument>,
}

#[derive(OpenApi)]
#[openapi(info(
    title = "netqoe",
    description = "Network quality of experience: events in, diagnoses out. Other paths are answered with 404, and other methods with 405 and Allow."
))]
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

fn told_to_readers() -> OpenApiRouter<Operations> {
    OpenApiRouter::new().routes(routes!(health)).routes(routes!(metrics_text))
}

fn told_to_all() -> OpenApiRouter<Operations> {
    OpenApiRouter::with_openapi(Document::openapi())
        .routes(routes!(livez))
        .routes(routes!(readyz))
        .routes(routes!(openapi))
}

impl Operations {
    fn health_of<'a>(&self, checks: impl Iterator<Item = &'a ComponentCheck>, says_why: bool) -> Response {
        let components: BTreeMap<_, _> =
            checks.map(|check| (check.component, ComponentHealth::of(check, says_why))).collect();
        let is_ok = components.values().all(|component| component.status == ComponentStatus::Ok);
        let (code, status) = match is_ok {
            true => (StatusCode::OK, ComponentStatus::Ok),
            false => (StatusCode::SERVICE_UNAVAILABLE, ComponentStatus::Failing),
        };
        (code, Json(Health { status, components })).into_response()
    }
}

impl ComponentHealth {
    fn of(component: &ComponentCheck, says_why: bool) -> Self {
        match (component.check)() {
            Ok(()) => Self { status: ComponentStatus::Ok, message: None },
            Err(message) => {
                let message = says_why.then(|| without_paths(&message));
                Self { status: ComponentStatus::Failing, message }
            }
        }
    }
}

/// The message with the last part of each path only: where things lie on the server is nobody's business who asks over the
/// network. The server's own log says it.
fn without_paths(message: &str) -> String {
    let words = message.split_inclusive(char::is_whitespace).map(|word| {
        let path = word.trim_start_matches(|c: char| !c.is_alphanumeric() && !matches!(c, '/' | '.' | '~' | '\\'));
        let is_path = path.contains(['/', '\\']) && !path.contains("://");
        let before = &word[..word.len() - path.len()];
        match path.trim_end_matches(|c: char| !c.is_alphanumeric()).rfind(['/', '\\']) {
            Some(last) if is_path => format!("{before}{}", &path[last + 1..]),
            _ => word.to_owned(),
        }
    });
    words.collect()
}

/// How each part of the process is.
#[utoipa::path(get, path = "/health", tag = "operations", responses(
    (status = 200, description = "Every part works", body = Health),
    (status = 401, description = "Others than this machine reach the server, and the request may not read", body = Refusal),
    (status = 403, description = "Asked for under a name that is not this machine's", body = Refusal),
    (status = 503, description = "A part is failing", body = Health),
))]
async fn health(State(operations): State<Operations>) -> Response {
    operations.health_of(operations.checks.iter(), true)
}

/// Whether the process runs at all.
#[utoipa::path(get, path = "/livez", tag = "operations", responses((status = 200, description = "It does", body = Health)))]
async fn livez(State(operations): State<Operations>) -> Response {
    operations.health_of(std::iter::empty(), false)
}

/// Whether requests should be sent here.
#[utoipa::path(get, path = "/readyz", tag = "operations", responses(
    (status = 200, description = "They should", body = Health),
    (status = 503, description = "A part that they need is failing", body = Health),
))]
async fn readyz(State(operations): State<Operations>) -> Response {
    operations.health_of(operations.checks.iter().filter(|check| check.needed_for_ready), false)
}

/// Metrics for Prometheus: in OpenMetrics, and compressed by gzip, where the request says that it takes these.
#[utoipa::path(get, path = "/metrics", tag = "operations", responses(
    (status = 200, description = "Prometheus text", body = String, content_type = "text/plain"),
    (status = 401, description = "Others than this machine reach the server, and the request may not read", body = Refusal),
    (status = 403, description = "Asked for under a name that is not this machine's", body = Refusal),
))]
async fn metrics_text(State(operations): State<Operations>, asked: HeaderMap) -> Response {
    match expose(&operations.metrics.gather(), &asked) {
        Ok((content_type, text)) => ([(header::CONTENT_TYPE, content_type)], text).into_response(),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_tells_no_paths() {
        for (message, expected) in [
            ("can't write to /var/lib/netqoe/netqoe.db: disk full", "can't write to netqoe.db: disk full"),
            ("the file \"/a b/c\" (/x/y.db-wal) is gone", "the file \"a c\" (y.db-wal) is gone"),
            ("data/netqoe.db, ../x/y.db; ./z.db.", "netqoe.db, y.db; z.db."),
            ("no server at nats://127.0.0.1:4222, 7 records/s", "no server at nats://127.0.0.1:4222, 7 s"),
            ("all is well", "all is well"),
        ] {
            assert_eq!(without_paths(message), expected);
        }
    }
}
