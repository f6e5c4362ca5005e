//! Whether a request that changes something comes from this server's own page, or from no page at all: a browser sends
//! what other sites make it send, with the user's cookies and to the user's own machine.
//!
//! Decision: D-041.

use axum::Router;
use axum::extract::Request;
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use http::Method;
use http::header::{self, HeaderName, HeaderValue};

use crate::answer::{Code, Refusal};
use crate::authentication::bearer_token;
use crate::own_host;

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Refuses what another site may have sent.
pub(crate) fn check(request: &Request) -> Result<(), Refusal> {
    if request.method().is_safe() || is_own(request) {
        return Ok(());
    }
    let message =
        "another site may have sent this; send it from netqoe's own page, or as Content-Type: application/json";
    Err(Refusal::new(Code::Forbidden, message))
}

/// Refuses what a page of another site has sent. For routes that programs use without a token: they say nothing of a site, and
/// may leave out the media type, which [`check`] would take for an old browser's.
pub(crate) fn check_page(request: &Request) -> Result<(), Refusal> {
    let is_own = || browsers_word(request).is_none_or(|is_own| is_own && own_host::check(request).is_ok());
    if request.method().is_safe() || is_own() {
        return Ok(());
    }
    let message =
        "a page of another site has sent this; send it from a program, or from netqoe's own page on this machine";
    Err(Refusal::new(Code::Forbidden, message))
}

/// The same routes, which answer 403 where a page of another site asks them to change something.
pub fn refuse_other_sites(router: Router) -> Router {
    router.route_layer(middleware::from_fn(async |request: Request, next: Next| -> Response {
        match check_page(&request) {
            Ok(()) => next.run(request).await,
            Err(refusal) => refusal.into_response(),
        }
    }))
}

fn is_own(request: &Request) -> bool {
    // No browser of today says nothing. An older one asks this server first before it sends another method, JSON, or a token
    // to another site. A password that it knows for this host (`Basic`) it sends unasked.
    let headers = request.headers();
    let is_no_simple_request = || {
        request.method() != Method::POST
            || bearer_token(headers).is_ok_and(|token| token.is_some())
            || headers.get(header::CONTENT_TYPE).is_some_and(is_json)
    };
    browsers_word(request).unwrap_or_else(is_no_simple_request)
}

/// Whether the browser that sends this says that its own page asks for it; none where no browser of today sends it.
fn browsers_word(request: &Request) -> Option<bool> {
    let headers = request.headers();
    if let Some(site) = headers.get(SEC_FETCH_SITE) {
        return Some(site == "same-origin" || site == "none");
    }
    let origin = headers.get(header::ORIGIN)?;
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    let host = host.or_else(|| request.uri().authority().map(http::uri::Authority::as_str));
    let origin = origin.to_str().ok().and_then(|origin| Some(origin.split_once("://")?.1));
    Some(origin.is_some_and(|origin| host.is_some_and(|host| host.eq_ignore_ascii_case(origin))))
}

fn is_json(content_type: &HeaderValue) -> bool {
    let media_type = content_type.to_str().ok().and_then(|value| value.split(';').next());
    media_type.is_some_and(|media_type| media_type.trim().eq_ignore_ascii_case("application/json"))
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;

    #[track_caller]
    fn check_post(headers: &[(&str, &str)], allowed: bool) {
        let mut request = Request::post("/");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        assert_eq!(check(&request.body(Body::empty()).unwrap()).is_ok(), allowed, "{headers:?}");
    }

    #[test]
    fn other_sites_can_not_post() {
        let (host, json) = (("host", "localhost:8081"), ("content-type", "application/json; charset=utf-8"));
        for (headers, allowed) in [
            (&[host, ("sec-fetch-site", "same-origin")][..], true),
            (&[host, ("sec-fetch-site", "none")], true),
            (&[host, ("sec-fetch-site", "same-site"), json], false),
            (&[host, ("sec-fetch-site", "cross-site"), json], false),
            (&[host, ("sec-fetch-site", "cross-site"), ("origin", "http://localhost:8081"), json], false),
            (&[host, ("origin", "http://localhost:8081")], true),
            (&[host, ("origin", "http://LOCALHOST:8081")], true),
            (&[host, ("origin", "http://localhost:8082"), json], false),
            (&[host, ("origin", "http://evil.example"), json], false),
            (&[host, ("origin", "null"), json], false),
            (&[("origin", "http://evil.example"), json], false),
            (&[host, json], true),
            (&[host, ("authorization", "Bearer token")], true),
            (&[host, ("authorization", "Basic bmV0cW9lOg==")], false),
            (&[host, ("authorization", "Bearer token"), ("sec-fetch-site", "cross-site")], false),
            (&[host, ("content-type", "application/jsonp")], false),
            (&[host, ("content-type", "text/plain")], false),
            (&[host], false),
        ] {
            check_post(headers, allowed);
        }
    }

    #[test]
    fn reading_is_for_the_browser_to_guard() {
        let request = Request::get("/").header("sec-fetch-site", "cross-site").body(Body::empty()).unwrap();
        assert!(check(&request).is_ok());
    }
}
