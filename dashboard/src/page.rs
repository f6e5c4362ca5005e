//! The page, from within the program: made and compressed when netqoe was built.

use axum::Router;
use axum::extract::Request;
use axum::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use axum::http::{Response, StatusCode};
use axum::middleware::map_response;
use axum::response::IntoResponse;
use axum::routing::get;
use rust_embed::{Embed, EmbeddedFile};

/// What `build.rs` has left: each file, and beside it its compressed twins.
#[derive(Embed)]
#[folder = "$OUT_DIR/page"]
struct Files;

const INDEX: &str = "index.html";
/// Vite's folder of files whose names hold a hash of their content.
const HASHED: &str = "assets/";
/// A year: such a name never means anything else.
const FOR_EVER: &str = "public, max-age=31536000, immutable";
const ASK_EACH_TIME: &str = "no-cache";

/// What a file may be compressed with, best first, and its twin's ending.
const ENCODINGS: [(&str, &str); 2] = [("br", ".br"), ("gzip", ".gz")];

/// A browser runs and loads nothing but what comes from here, whatever text from events may say.
const PROTECTION: [(HeaderName, &str); 4] = [
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; \
         font-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    ),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
];

/// Why there is no page, and what to do first; none where there is one.
const NO_PAGE_SINCE: Option<&str> = option_env!("NETQOE_NO_PAGE_SINCE");

/// `/` and the files that the page consists of.
pub fn page() -> Router {
    let router = match NO_PAGE_SINCE {
        None => files(),
        Some(why) => Router::new().route("/", get(no_page(why))),
    };
    router.layer(map_response(protect))
}

fn files() -> Router {
    let is_twin = |path: &str| {
        let plain = ENCODINGS.iter().find_map(|(_, ending)| path.strip_suffix(ending));
        plain.is_some_and(|plain| Files::get(plain).is_some())
    };
    let served = Files::iter().filter(|path| !is_twin(path));
    served.fold(Router::new(), |router, path| {
        let route = if path == INDEX { "/".to_owned() } else { format!("/{path}") };
        router.route(&route, get(move |request: Request| async move { file(&path, request.headers()) }))
    })
}

/// What `/` says then.
fn no_page(why: &str) -> (StatusCode, String) {
    let what_to_do = "run `cargo clean -p netqoe-dashboard`, and build it again";
    let api = "the API is at /api/v1/openapi.json";
    (StatusCode::NOT_FOUND, format!("this netqoe was built without its page, since {why}, {what_to_do}; {api}\n"))
}

fn file(path: &str, asked: &HeaderMap) -> Response<axum::body::Body> {
    // Every route was made of a file.
    let Some(plain) = Files::get(path) else { return StatusCode::NOT_FOUND.into_response() };
    let caching = if path.starts_with(HASHED) { FOR_EVER } else { ASK_EACH_TIME };
    let tag = tag(&plain);
    let about = [
        (header::CACHE_CONTROL, HeaderValue::from_static(caching)),
        (header::VARY, HeaderValue::from_static("accept-encoding")),
        (header::ETAG, tag.clone()),
    ];
    if asked.get_all(header::IF_NONE_MATCH).iter().any(|known| names(known, &tag)) {
        return (StatusCode::NOT_MODIFIED, about).into_response();
    }
    let content_type = [(header::CONTENT_TYPE, content_type(&plain))];
    let twin = ENCODINGS.into_iter().filter(|(encoding, _)| accepts(asked, encoding));
    let twin = twin.filter_map(|(encoding, ending)| Some((encoding, Files::get(&format!("{path}{ending}"))?))).next();
    match twin {
        Some((encoding, twin)) => {
            (about, content_type, [(header::CONTENT_ENCODING, encoding)], twin.data).into_response()
        }
        None => (about, content_type, plain.data).into_response(),
    }
}

/// Weak, as the compressed twins share it.
fn tag(plain: &EmbeddedFile) -> HeaderValue {
    let hash: String = plain.metadata.sha256_hash()[..16].iter().map(|byte| format!("{byte:02x}")).collect();
    // Digits need no escapes.
    HeaderValue::try_from(format!("W/\"{hash}\"")).unwrap_or(HeaderValue::from_static("W/\"\""))
}

/// Whether an `If-None-Match` names this tag.
fn names(known: &HeaderValue, tag: &HeaderValue) -> bool {
    let (Ok(known), Ok(tag)) = (known.to_str(), tag.to_str()) else { return false };
    known.split(',').any(|known| known.trim() == tag || known.trim() == "*")
}

fn content_type(plain: &EmbeddedFile) -> HeaderValue {
    let name = plain.metadata.mimetype();
    let text = matches!(name.split_once('/'), Some(("text", _)));
    let name = if text { format!("{name}; charset=utf-8") } else { name.to_owned() };
    HeaderValue::try_from(name).unwrap_or(HeaderValue::from_static("application/octet-stream"))
}

/// Whether an `Accept-Encoding` takes this one. Which of several it likes best makes no difference to what comes out.
fn accepts(asked: &HeaderMap, encoding: &str) -> bool {
    let values = asked.get_all(header::ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|one| {
        let mut parts = one.split(';').map(str::trim);
        let is_it = parts.next().is_some_and(|name| name.eq_ignore_ascii_case(encoding));
        let is_refused = parts.filter_map(|part| part.strip_prefix("q=")).any(|q| q.parse() == Ok(0.0));
        is_it && !is_refused
    })
}

async fn protect(mut response: Response<axum::body::Body>) -> Response<axum::body::Body> {
    for (name, value) in PROTECTION {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_page_is_explained_in_one_line() {
        let (status, text) = no_page("Node.js 18.20.4 is too old; install Node.js >=20.19");
        assert_eq!(status, StatusCode::NOT_FOUND);
        let expected = "this netqoe was built without its page, since Node.js 18.20.4 is too old; install Node.js >=20.19, \
                        run `cargo clean -p netqoe-dashboard`, and build it again; the API is at /api/v1/openapi.json\n";
        assert_eq!(text, expected);
    }
}
