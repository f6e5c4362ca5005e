//! Requests against routes, without a listener.

use axum::Router;
use axum::body::Body;
use http::{HeaderMap, Request, StatusCode};
use http_body_util::BodyExt;
use serde_json::Value;
use tower::ServiceExt;

/// An answer, with its body as JSON where it is JSON and as text elsewhere.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
}

/// What these routes answer to a request.
pub(crate) async fn send(
    router: &Router,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: impl Into<Body>,
) -> Answer {
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let response = router.clone().oneshot(request.body(body.into()).unwrap()).await.unwrap();
    let (head, body) = response.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    let body = serde_json::from_slice(&body).unwrap_or_else(|_| Value::String(String::from_utf8_lossy(&body).into()));
    Answer { status: head.status, headers: head.headers, body }
}

impl Answer {
    /// Its status, and its `error` where it has one.
    pub(crate) fn outcome(&self) -> (u16, Option<&str>) {
        (self.status.as_u16(), self.body["error"].as_str())
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    pub(crate) fn message(&self) -> &str {
        self.body["message"].as_str().unwrap()
    }

    /// Asserts an error as every error is documented.
    pub(crate) fn assert_refused(&self, status: u16, error: &str) {
        assert_eq!(self.outcome(), (status, Some(error)), "{:?}", self.body);
        assert!(self.message().len() > 20, "{:?}", self.body);
        assert_eq!(self.header("content-type"), Some("application/json"));
        assert_eq!(self.header("cache-control"), Some("no-store"));
        assert_eq!(self.header("x-content-type-options"), Some("nosniff"));
        assert_eq!(self.header("retry-after"), self.body["retry_after"].as_u64().map(|s| s.to_string()).as_deref());
    }
}
