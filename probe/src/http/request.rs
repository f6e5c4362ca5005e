//! What is asked of a server.

use ::http::header::{
    ACCEPT, ACCEPT_ENCODING, AUTHORIZATION, CACHE_CONTROL, CONTENT_LENGTH, COOKIE, HOST, HeaderName, HeaderValue,
    USER_AGENT,
};
use ::http::{Method, Request, Uri};

use super::Ask;
use crate::Failure;

const AGENT: &str = concat!("netqoe-probe/", env!("CARGO_PKG_VERSION"));
/// What every request says, unless its settings say something else.
const USUAL: [(HeaderName, &str); 4] = [
    (USER_AGENT, AGENT),
    (ACCEPT, "*/*"),
    // The bytes that travel are to be those of the object itself, from the server itself.
    (ACCEPT_ENCODING, "identity"),
    (CACHE_CONTROL, "no-cache"),
];

/// A request of HTTP/1.1, as it is written.
pub(super) fn http1(ask: &Ask<'_>) -> Vec<u8> {
    let (question, settings) = (&ask.question, ask.question.request);
    let (url, mut request) = (question.url, Vec::new());
    let whole = question.is_whole_url.then(|| url.to_string());
    let asked_for = whole.as_deref().unwrap_or_else(|| url.path_and_query());
    let mut line = |parts: [&[u8]; 3]| {
        request.extend(parts.concat());
        request.extend(b"\r\n");
    };
    line([settings.method.as_str().as_bytes(), b" ", &[asked_for.as_bytes(), b" HTTP/1.1"].concat()]);
    line([b"Host", b": ", url.authority().as_bytes()]);
    each_header(ask, |name, value| line([written(&name).as_bytes(), b": ", value]));
    line([b"", b"", b""]);
    request.extend(settings.body.iter().flatten());
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
    *request.method_mut() = ask.question.request.method.clone();
    let mut bad = None;
    each_header(ask, |name, value| match HeaderValue::from_bytes(value) {
        Ok(value) => _ = request.headers_mut().append(name, value),
        Err(error) => bad = Some(unusable(&error)),
    });
    bad.map_or(Ok(request), Err)
}

/// All headers but the host, in order.
fn each_header(ask: &Ask<'_>, mut add: impl FnMut(HeaderName, &[u8])) {
    let settings = ask.question.request;
    for (name, value) in USUAL {
        if !settings.has(&name) {
            add(name, value.as_bytes());
        }
    }
    // A user name that a redirect has brought is for that page; what the settings say is for this origin.
    let of_url = ask.question.url.authorization().filter(|_| !settings.has(&AUTHORIZATION)).map(str::as_bytes);
    let of_settings = settings.authorization.as_ref().map(|authorization| authorization.value().as_bytes());
    if let Some(authorization) = of_settings.or(of_url) {
        add(AUTHORIZATION, authorization);
    }
    let own = settings.headers.iter();
    for header in own.clone().filter(|header| header.name != COOKIE) {
        add(header.name.clone(), header.value.as_bytes());
    }
    // There is one header with all cookies.
    let own_cookies = own.filter(|header| header.name == COOKIE).map(|header| header.value.as_bytes());
    let cookies: Vec<_> = own_cookies.chain(ask.question.cookies.map(str::as_bytes)).collect();
    if !cookies.is_empty() {
        add(COOKIE, &cookies.join(&b"; "[..]));
    }
    let sends_body = [Method::POST, Method::PUT, Method::PATCH].contains(&settings.method);
    if settings.body.is_some() || sends_body {
        add(CONTENT_LENGTH, settings.body.as_ref().map_or(0, bytes::Bytes::len).to_string().as_bytes());
    }
}

/// A name as servers that look at letters expect it: `User-Agent`.
fn written(name: &HeaderName) -> String {
    debug_assert!(*name != HOST, "it stands at the beginning");
    let mut written = String::with_capacity(name.as_str().len());
    let mut begins = true;
    for letter in name.as_str().chars() {
        written.push(if begins { letter.to_ascii_uppercase() } else { letter });
        begins = letter == '-';
    }
    written
}
