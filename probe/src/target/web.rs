//! A web page as a target: an `http` or `https` URL.

use std::fmt;

use ::http::Uri;
use ::http::header::HeaderValue;
use ::http::uri::PathAndQuery;

use netqoe_model::MAX_TARGET_BYTES;
use url::Url;

use super::{Host, InvalidTarget};

/// A URL that a request can be made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebUrl {
    is_https: bool,
    host: Host,
    port: u16,
    /// The URL's own spelling of host and port, without a zone: the `Host` of a request.
    authority: HeaderValue,
    path_and_query: PathAndQuery,
}

impl WebUrl {
    pub(super) fn new(is_https: bool, host: Host, port: Option<u16>, authority: HeaderValue, uri: &Uri) -> Self {
        let path_and_query = uri.path_and_query().cloned().unwrap_or_else(|| PathAndQuery::from_static("/"));
        Self { is_https, host, port: port.unwrap_or(if is_https { 443 } else { 80 }), authority, path_and_query }
    }

    /// Another path on the same server.
    pub(crate) fn with_path(&self, path: &'static str) -> Self {
        Self { path_and_query: PathAndQuery::from_static(path), ..self.clone() }
    }

    /// What a reference of this page's answer leads to, in full or relative to it.
    pub(crate) fn join(&self, reference: &str) -> Result<Self, InvalidTarget> {
        let not_a_url = |cause: url::ParseError| InvalidTarget::NotAUrl {
            url: reference.chars().take(MAX_TARGET_BYTES).collect(),
            cause: cause.to_string(),
        };
        let base = Url::parse(&self.to_string()).map_err(not_a_url)?;
        let joined = base.join(reference).map_err(not_a_url)?;
        if joined.as_str().len() > MAX_TARGET_BYTES {
            return Err(InvalidTarget::TooLong { bytes: joined.as_str().len() });
        }
        let mut joined: Self = joined.as_str().parse()?;
        // The zone that leads to this address is no part of what the server says of itself.
        if self.host.has_zone() && joined.host.ip() == self.host.ip() {
            joined.host = self.host.clone();
        }
        Ok(joined)
    }

    /// Whether there is a TLS phase.
    pub fn is_https(&self) -> bool {
        self.is_https
    }

    /// Whom to connect to.
    pub fn host(&self) -> &Host {
        &self.host
    }

    /// The port of the URL, or its scheme's: 80 or 443.
    pub fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn scheme(&self) -> &'static str {
        if self.is_https { "https" } else { "http" }
    }

    pub(crate) fn authority(&self) -> &HeaderValue {
        &self.authority
    }

    pub(crate) fn path_and_query(&self) -> &PathAndQuery {
        &self.path_and_query
    }
}

impl fmt::Display for WebUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // It was parsed from text.
        let authority = self.authority.to_str().unwrap_or_default();
        write!(f, "{}://{authority}{}", self.scheme(), self.path_and_query)
    }
}
