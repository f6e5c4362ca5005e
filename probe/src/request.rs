//! What a page is asked with.

use std::fmt;
use std::str::FromStr;

use ::http::Method;
use ::http::header::{
    ACCEPT_ENCODING, AUTHORIZATION, CONNECTION, CONTENT_LENGTH, EXPECT, HOST, HeaderName, HeaderValue, TE,
    TRANSFER_ENCODING, UPGRADE,
};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;

/// Bytes of a request's body: one frame of HTTP/2, so that it leaves at once with its head.
pub const MAX_REQUEST_BODY_BYTES: usize = 16 * 1024;
/// Those that say how a message is sent, which the probe decides.
const OWN_HEADERS: [HeaderName; 8] =
    [HOST, CONNECTION, CONTENT_LENGTH, TRANSFER_ENCODING, TE, UPGRADE, EXPECT, ACCEPT_ENCODING];

/// What a page is asked with: by default a `GET` with no headers of its own.
#[derive(Clone, PartialEq, Eq)]
pub struct RequestSettings {
    /// `GET` or another.
    pub method: Method,
    /// Headers beside those of the probe, in whose place they stand if the name is the same.
    pub headers: Vec<RequestHeader>,
    /// What is sent with it.
    pub body: Option<Bytes>,
    /// The `Authorization`.
    pub authorization: Option<Authorization>,
}

/// A header of a request.
#[derive(Clone, PartialEq, Eq)]
pub struct RequestHeader {
    pub(crate) name: HeaderName,
    pub(crate) value: HeaderValue,
}

/// Who is asking: a secret.
#[derive(Clone, PartialEq, Eq)]
pub struct Authorization(HeaderValue);

/// Why something is no part of a request. It repeats no values: they may be secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidRequest {
    /// Not a header.
    #[error("a header is written as NAME: VALUE, in printable characters")]
    Header,
    /// A header that the probe itself decides on.
    #[error("header {0} says how the request is sent, which the probe decides itself")]
    OwnHeader(String),
    /// Not a method that can be used.
    #[error("{0:?} is no method for a page; use one such as GET, HEAD or POST")]
    Method(String),
    /// Too much to send.
    #[error("a body has at most {MAX_REQUEST_BODY_BYTES} bytes")]
    Body,
    /// A user name or password that HTTP can't carry.
    #[error("a user name has no colon, and neither it nor the password has control characters")]
    User,
    /// A token that HTTP can't carry.
    #[error("the token must be one line of printable ASCII without spaces")]
    Token,
}

impl Default for RequestSettings {
    fn default() -> Self {
        Self { method: Method::GET, headers: Vec::new(), body: None, authorization: None }
    }
}

impl RequestSettings {
    /// Whether it has a header of this name itself.
    pub(crate) fn has(&self, name: &HeaderName) -> bool {
        self.headers.iter().any(|header| header.name == *name)
    }

    /// What the next page is asked with after a redirect; `None` if nothing changes. As browsers and curl do: `POST` becomes `GET`
    /// unless the status says that it must not, and what is said to one origin is not repeated to another.
    pub(crate) fn after_redirect(&self, status: u16, is_same_origin: bool) -> Option<Self> {
        let becomes_get = match status {
            301 | 302 => self.method == Method::POST,
            303 => self.method != Method::HEAD && self.method != Method::GET,
            _ => false,
        };
        let drops_secrets = !is_same_origin && (!self.headers.is_empty() || self.authorization.is_some());
        if !becomes_get && !drops_secrets {
            return None;
        }
        let mut next = self.clone();
        if becomes_get {
            (next.method, next.body) = (Method::GET, None);
            next.headers.retain(|header| header.name != ::http::header::CONTENT_TYPE);
        }
        if drops_secrets {
            (next.headers, next.authorization) = (Vec::new(), None);
        }
        Some(next)
    }
}

impl fmt::Debug for RequestSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A body, too, may hold a secret.
        let body_bytes = self.body.as_ref().map(Bytes::len);
        f.debug_struct("RequestSettings")
            .field("method", &self.method)
            .field("headers", &self.headers)
            .field("body_bytes", &body_bytes)
            .field("is_authorized", &self.authorization.is_some())
            .finish()
    }
}

impl fmt::Debug for RequestHeader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("RequestHeader").field(&self.name).finish_non_exhaustive()
    }
}

impl FromStr for RequestHeader {
    type Err = InvalidRequest;

    fn from_str(text: &str) -> Result<Self, InvalidRequest> {
        let (name, value) = text.split_once(':').ok_or(InvalidRequest::Header)?;
        let name: HeaderName = name.trim().parse().map_err(|_| InvalidRequest::Header)?;
        if OWN_HEADERS.contains(&name) {
            return Err(InvalidRequest::OwnHeader(name.to_string()));
        }
        let mut value = HeaderValue::from_str(value.trim()).map_err(|_| InvalidRequest::Header)?;
        value.set_sensitive(true);
        Ok(Self { name, value })
    }
}

impl RequestHeader {
    /// Whether it is the `Authorization`.
    pub(crate) fn is_authorization(&self) -> bool {
        self.name == AUTHORIZATION
    }
}

impl Authorization {
    /// Basic (RFC 7617), in UTF-8.
    ///
    /// # Errors
    /// [`InvalidRequest::User`].
    pub fn basic(user: &str, password: &str) -> Result<Self, InvalidRequest> {
        if user.contains(':') || user.contains(char::is_control) || password.contains(char::is_control) {
            return Err(InvalidRequest::User);
        }
        Self::of(&format!("Basic {}", STANDARD.encode(format!("{user}:{password}")))).ok_or(InvalidRequest::User)
    }

    /// A bearer token (RFC 6750).
    ///
    /// # Errors
    /// [`InvalidRequest::Token`].
    pub fn bearer(token: &str) -> Result<Self, InvalidRequest> {
        let is_token = !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_graphic());
        let value = is_token.then(|| Self::of(&format!("Bearer {token}"))).flatten();
        value.ok_or(InvalidRequest::Token)
    }

    fn of(text: &str) -> Option<Self> {
        let mut value = HeaderValue::from_str(text).ok()?;
        value.set_sensitive(true);
        Some(Self(value))
    }

    pub(crate) fn value(&self) -> &HeaderValue {
        &self.0
    }
}

impl fmt::Debug for Authorization {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authorization").finish_non_exhaustive()
    }
}

/// A method that asks for a page.
///
/// # Errors
/// [`InvalidRequest::Method`].
pub fn parse_method(text: &str) -> Result<Method, InvalidRequest> {
    let refused = || InvalidRequest::Method(text.to_owned());
    let method: Method = text.parse().map_err(|_| refused())?;
    // The first makes a tunnel; the answer to the second repeats the secrets of the request.
    let is_page = ![Method::CONNECT, Method::TRACE].contains(&method) && text.bytes().all(|b| b.is_ascii_uppercase());
    is_page.then_some(method).ok_or_else(refused)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(text: &str) -> Result<RequestHeader, InvalidRequest> {
        text.parse()
    }

    #[test]
    fn a_header_is_a_name_and_a_value_and_says_nothing_about_the_connection() {
        let parsed = header("X-Key:  a: b ").unwrap();
        assert_eq!((parsed.name.as_str(), parsed.value.as_bytes()), ("x-key", &b"a: b"[..]));
        assert_eq!(header("host: a.test"), Err(InvalidRequest::OwnHeader("host".to_owned())));
        assert_eq!(header("Content-Length: 1"), Err(InvalidRequest::OwnHeader("content-length".to_owned())));
        for text in ["", "X-Key", ": a", "a b: c", "a: b\r\nc: d"] {
            assert_eq!(header(text), Err(InvalidRequest::Header), "{text:?}");
        }
    }

    #[test]
    fn nothing_shows_a_secret() {
        let settings = RequestSettings {
            headers: vec![header("X-Key: secret").unwrap()],
            body: Some(Bytes::from_static(b"secret")),
            authorization: Some(Authorization::basic("user", "secret").unwrap()),
            ..RequestSettings::default()
        };
        let shown = format!("{settings:?} {:?}", Authorization::bearer("secret").unwrap());
        assert!(!shown.contains("secret") && !shown.contains(&STANDARD.encode("user:secret")), "{shown}");
    }

    #[test]
    fn who_is_asking_is_said_as_the_rfcs_write_it() {
        let basic = Authorization::basic("Aladdin", "open sesame").unwrap();
        assert_eq!(basic.value(), "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
        assert_eq!(Authorization::bearer("a.b~c").unwrap().value(), "Bearer a.b~c");
        assert_eq!(Authorization::basic("a:b", "c"), Err(InvalidRequest::User));
        assert_eq!(Authorization::basic("a", "c\n"), Err(InvalidRequest::User));
        for token in ["", "a b", "a\n", "\u{e4}"] {
            assert_eq!(Authorization::bearer(token), Err(InvalidRequest::Token), "{token:?}");
        }
    }

    #[test]
    fn a_method_asks_for_a_page() {
        assert_eq!(parse_method("POST"), Ok(Method::POST));
        for text in ["", "post", "CONNECT", "TRACE", "G T"] {
            assert_eq!(parse_method(text), Err(InvalidRequest::Method(text.to_owned())));
        }
    }

    #[test]
    fn another_origin_is_told_no_secret_and_a_post_becomes_a_get() {
        let post = RequestSettings {
            method: Method::POST,
            headers: vec![header("X-Key: secret").unwrap(), header("Content-Type: text/plain").unwrap()],
            body: Some(Bytes::from_static(b"x")),
            authorization: Some(Authorization::bearer("secret").unwrap()),
        };
        let seen = post.after_redirect(302, true).unwrap();
        assert_eq!((seen.method, seen.body, seen.headers.len()), (Method::GET, None, 1));
        assert_eq!(post.after_redirect(307, true), None);
        let seen = post.after_redirect(308, false).unwrap();
        assert_eq!((seen.method, seen.headers.len(), seen.authorization), (Method::POST, 0, None));
        assert_eq!(RequestSettings::default().after_redirect(303, false), None);
    }
}
