//! What is asked of a server.

use ::http::header::{ACCEPT, ACCEPT_ENCODING, AUTHORIZATION, CACHE_CONTROL, COOKIE, HeaderValue, USER_AGENT};
use ::http::{Request, Uri};

use super::Ask;
use crate::Failure;

const AGENT: &str = concat!("netqoe-probe/", env!("CARGO_PKG_VERSION"));

/// A `GET` for HTTP/1.1, as it is written.
pub(super) fn http1(ask: &Ask<'_>) -> Vec<u8> {
    let (url, mut request) = (ask.question.url, Vec::new());
    let mut line = |parts: [&[u8]; 3]| {
        request.extend(parts.concat());
        request.extend(b"\r\n");
    };
    line([b"GET ", url.path_and_query().as_bytes(), b" HTTP/1.1"]);
    line([b"Host", b": ", url.authority().as_bytes()]);
    line([b"User-Agent", b": ", AGENT.as_bytes()]);
    line([b"Accept", b": ", b"*/*"]);
    // The bytes that travel are to be those of the object itself, from the server itself.
    line([b"Accept-Encoding", b": ", b"identity"]);
    line([b"Cache-Control", b": ", b"no-cache"]);
    if let Some(authorization) = url.authorization() {
        line([b"Authorization", b": ", authorization.as_bytes()]);
    }
    if let Some(cookies) = ask.question.cookies {
        line([b"Cookie", b": ", cookies.as_bytes()]);
    }
    line([b"", b"", b""]);
    request
}

/// The same for HTTP/2 and HTTP/3, whose request line is the whole URL.
pub(super) fn whole_url(ask: &Ask<'_>) -> Result<Request<()>, Failure> {
    let url = ask.question.url;
    let uri = Uri::builder().scheme(url.scheme()).authority(url.authority().as_bytes());
    let unusable = |error: &dyn std::error::Error| Failure::Request(format!("its URL can't be asked for: {error}"));
    let uri = uri.path_and_query(url.strict_path_and_query()).build().map_err(|error| unusable(&error))?;
    let mut request = Request::new(());
    *request.uri_mut() = uri;
    let headers = request.headers_mut();
    headers.insert(USER_AGENT, HeaderValue::from_static(AGENT));
    headers.insert(ACCEPT, HeaderValue::from_static("*/*"));
    headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    let secrets = [(AUTHORIZATION, url.authorization()), (COOKIE, ask.question.cookies)];
    for (name, value) in secrets {
        if let Some(value) = value {
            headers.insert(name, HeaderValue::from_str(value).map_err(|error| unusable(&error))?);
        }
    }
    Ok(request)
}
