//! A web page as a target: an `http` or `https` URL.

use std::fmt;

use ::http::Uri;
use ::http::header::HeaderValue;
use ::http::uri::{Authority, PathAndQuery};

use netqoe_model::MAX_TARGET_BYTES;
use rustls::pki_types::ServerName;
use url::Url;

use super::host::{parse_port, split_authority};
use super::{Host, InvalidTarget};

/// A URL that a request can be made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebUrl {
    is_https: bool,
    host: Host,
    port: u16,
    /// The URL's own spelling of host and port: the `Host` of a request.
    authority: HeaderValue,
    path_and_query: PathAndQuery,
    /// As whom the server is to answer, where that is another than whom is connected to.
    asked_for: Option<Box<AskedFor>>,
}

/// The name under which a page is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
struct AskedFor {
    authority: HeaderValue,
    server_name: ServerName<'static>,
}

impl WebUrl {
    pub(super) fn new(is_https: bool, host: Host, port: Option<u16>, authority: HeaderValue, uri: &Uri) -> Self {
        let path_and_query = uri.path_and_query().cloned().unwrap_or_else(|| PathAndQuery::from_static("/"));
        Self {
            is_https,
            host,
            port: port.unwrap_or(if is_https { 443 } else { 80 }),
            authority,
            path_and_query,
            asked_for: None,
        }
    }

    /// The same page, asked for under the name of another host, which may have a port. `None` where that is none.
    pub(super) fn asked_for_as(&self, hostname: &str) -> Option<Self> {
        let authority: Authority = hostname.parse().ok()?;
        let (host, port) = split_authority(authority.as_str());
        if port.is_some_and(|port| parse_port(port).is_none()) {
            return None;
        }
        let server_name = Host::parse(host)?.server_name().clone();
        let authority = HeaderValue::from_str(hostname).ok()?;
        Some(Self { asked_for: Some(Box::new(AskedFor { authority, server_name })), ..self.clone() })
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
        // Who is led to another page of the same server still means the same name.
        if joined.is_https == self.is_https && joined.port == self.port && joined.host == self.host {
            joined.asked_for.clone_from(&self.asked_for);
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

    /// What `Host` says.
    pub(crate) fn authority(&self) -> &HeaderValue {
        self.asked_for.as_ref().map_or(&self.authority, |asked_for| &asked_for.authority)
    }

    /// The name under which it is asked for, where that is not its own.
    pub(crate) fn asked_for(&self) -> Option<&str> {
        self.asked_for.as_ref()?.authority.to_str().ok()
    }

    /// Whom the certificate must name.
    pub(crate) fn server_name(&self) -> &ServerName<'static> {
        self.asked_for.as_ref().map_or_else(|| self.host.server_name(), |asked_for| &asked_for.server_name)
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
