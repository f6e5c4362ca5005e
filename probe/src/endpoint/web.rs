//! A web page as a target: an `http` or `https` URL.

use std::fmt;

use ::http::Uri;
use ::http::header::HeaderValue;
use ::http::uri::Authority;
use rustls::pki_types::ServerName;

use super::host::{parse_port, split_authority};
use super::location::{encode, resolve, shown};
use super::{Host, InvalidLocation};
use crate::Failure;

/// A URL that a request can be made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebUrl {
    pub(super) is_https: bool,
    pub(super) host: Host,
    pub(super) port: u16,
    /// The URL's own spelling of host and port, without a zone: the `Host` of a request.
    pub(super) authority: HeaderValue,
    /// Printable ASCII, beginning with a slash.
    pub(super) path_and_query: String,
    /// What a user name in a redirect's URL becomes. Targets have none.
    pub(super) authorization: Option<String>,
    /// The host that the server is to answer for, if it is not the one connected to.
    pub(super) asked_for: Option<Box<AskedFor>>,
}

/// The name under which a page is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct AskedFor {
    authority: HeaderValue,
    server_name: ServerName<'static>,
}

impl WebUrl {
    pub(super) fn new(is_https: bool, host: Host, port: Option<u16>, authority: HeaderValue, uri: &Uri) -> Self {
        let written = uri.path_and_query().map_or("", |path| path.as_str());
        let slash = if written.starts_with('/') { "" } else { "/" };
        let path_and_query = format!("{slash}{}", encode(written.as_bytes()));
        let port = port.unwrap_or(if is_https { 443 } else { 80 });
        Self { is_https, host, port, authority, path_and_query, authorization: None, asked_for: None }
    }

    /// The same page, requested under the name of another host, which may have a port. `None` if that is not a valid name.
    pub(super) fn asked_for_as(&self, hostname: &str) -> Option<Self> {
        let authority: Authority = hostname.parse().ok()?;
        let (host, port) = split_authority(authority.as_str());
        if port.is_some_and(|port| parse_port(port).is_none()) {
            return None;
        }
        let server_name = Host::parse(host)?.server_name().ok()?.clone();
        let authority = HeaderValue::from_str(hostname).ok()?;
        Some(Self { asked_for: Some(Box::new(AskedFor { authority, server_name })), ..self.clone() })
    }

    /// Another path on the same server.
    pub(crate) fn with_path(&self, path: &str) -> Self {
        Self { path_and_query: path.to_owned(), ..self.clone() }
    }

    /// What the `Location` of this page's answer leads to, in full or relative to it.
    pub(crate) fn follow(&self, location: &[u8]) -> Result<Self, InvalidLocation> {
        let mut next = resolve(self, location)?;
        // The zone that leads to this address is not part of the server's own name.
        if self.host.has_zone() && next.host.ip() == self.host.ip() {
            next.host = self.host.clone();
        }
        // A redirect to another page of the same server keeps the name.
        if next.is_same_origin(self) {
            next.asked_for.clone_from(&self.asked_for);
        }
        Ok(next)
    }

    /// Scheme, host and port are the same.
    pub(crate) fn is_same_origin(&self, other: &Self) -> bool {
        self.is_https == other.is_https && self.port == other.port && self.is_same_host(other)
    }

    pub(crate) fn is_same_host(&self, other: &Self) -> bool {
        self.host.as_str().eq_ignore_ascii_case(other.host.as_str())
    }

    /// As a message or an event shows it.
    pub(crate) fn shown(&self) -> String {
        shown(&self.to_string())
    }

    /// Whether there is a TLS phase.
    pub fn is_https(&self) -> bool {
        self.is_https
    }

    /// The host to connect to.
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

    /// The name under which it is asked for, if that is not its own.
    pub(crate) fn asked_for(&self) -> Option<&str> {
        self.asked_for.as_ref()?.authority.to_str().ok()
    }

    /// The host that the certificate must name.
    pub(crate) fn server_name(&self) -> Result<&ServerName<'static>, Failure> {
        self.asked_for.as_ref().map_or_else(|| self.host.server_name(), |asked_for| Ok(&asked_for.server_name))
    }

    pub(crate) fn path_and_query(&self) -> &str {
        &self.path_and_query
    }

    /// The same, with those characters percent-encoded that HTTP/1.1 puts up with and HTTP/2's library does not.
    pub(crate) fn strict_path_and_query(&self) -> String {
        let mut strict = String::with_capacity(self.path_and_query.len());
        for character in self.path_and_query.chars() {
            match character {
                '"' => strict.push_str("%22"),
                '#' => strict.push_str("%23"),
                '<' => strict.push_str("%3C"),
                '>' => strict.push_str("%3E"),
                '`' => strict.push_str("%60"),
                '\\' => strict.push_str("%5C"),
                other => strict.push(other),
            }
        }
        strict
    }

    pub(crate) fn authorization(&self) -> Option<&str> {
        self.authorization.as_deref()
    }
}

impl fmt::Display for WebUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // It was parsed from text.
        let authority = self.authority.to_str().unwrap_or_default();
        write!(f, "{}://{authority}{}", self.scheme(), self.path_and_query)
    }
}
