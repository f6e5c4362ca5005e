//! What is asked of a server.

use ::http::header::{ACCEPT, ACCEPT_ENCODING, CACHE_CONTROL, HOST, HeaderValue, USER_AGENT};
use ::http::{Request, Uri};

use crate::{Failure, WebUrl};

/// A `GET` of `url` for HTTP/1.1.
pub(super) fn http1<B: Default>(url: &WebUrl) -> Request<B> {
    let mut request = get(Uri::from(url.path_and_query().clone()));
    request.headers_mut().insert(HOST, url.authority().clone());
    request
}

/// A `GET` of `url` for HTTP/2 and HTTP/3, whose request line is the whole URL.
pub(super) fn whole_url(url: &WebUrl) -> Result<Request<()>, Failure> {
    let uri = Uri::builder()
        .scheme(url.scheme())
        .authority(url.authority().as_bytes())
        .path_and_query(url.path_and_query().clone())
        .build();
    Ok(get(uri.map_err(|error| Failure::Request(error.to_string()))?))
}

fn get<B: Default>(uri: Uri) -> Request<B> {
    let mut request = Request::new(B::default());
    *request.uri_mut() = uri;
    let headers = request.headers_mut();
    headers.insert(USER_AGENT, HeaderValue::from_static(concat!("netqoe-probe/", env!("CARGO_PKG_VERSION"))));
    headers.insert(ACCEPT, HeaderValue::from_static("*/*"));
    // The bytes that travel are to be those of the object itself, from the server itself.
    headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    request
}
