//! The object that throughput is measured with, for probes whose target is this server.

use axum::Router;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::routing::get;
use bytes::Bytes;
use netqoe_probe::{FIXED_OBJECT_PATH, fixed_object};

/// Anybody may have it: it is noise.
pub(super) fn router() -> Router {
    let object = Bytes::from(fixed_object());
    let headers = [(CONTENT_TYPE, "application/octet-stream"), (CACHE_CONTROL, "no-store")];
    Router::new().route(FIXED_OBJECT_PATH, get(move || async move { (headers, object.clone()) }))
}
