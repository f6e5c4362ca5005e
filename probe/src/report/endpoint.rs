//! Where events are sent, and with which token.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use http::HeaderValue;
use http::uri::{PathAndQuery, Uri};
use rustls::pki_types::ServerName;
use url::{Host, Url};

/// Ingest's route for events.
const EVENTS: &str = "/api/v1/events";

/// Why a text is not an endpoint. It does not repeat the text, which may hold a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidEndpoint {
    /// Not an HTTP URL.
    #[error("an endpoint is http://HOST:PORT or https://HOST")]
    Url,
    /// A name or password in the URL.
    #[error("a URL with a password in it would be shown to everybody; give the endpoint alone, and a token in a file")]
    Credentials,
}

/// Where events are sent: `http://HOST:PORT` or `https://HOST`, and ingest's route for events where no path is given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    uri: Uri,
    path: PathAndQuery,
    authority: HeaderValue,
    is_tls: bool,
    host: String,
    port: u16,
    server_name: ServerName<'static>,
}

impl FromStr for Endpoint {
    type Err = InvalidEndpoint;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut url = Url::parse(text).map_err(|_| InvalidEndpoint::Url)?;
        let is_tls = match url.scheme() {
            "http" => false,
            "https" => true,
            _ => return Err(InvalidEndpoint::Url),
        };
        if !url.username().is_empty() || url.password().is_some() {
            return Err(InvalidEndpoint::Credentials);
        }
        url.set_fragment(None);
        if url.path() == "/" {
            url.set_path(EVENTS);
        }
        let host = match url.host().ok_or(InvalidEndpoint::Url)? {
            Host::Domain(name) => name.to_owned(),
            Host::Ipv4(address) => address.to_string(),
            Host::Ipv6(address) => address.to_string(),
        };
        let server_name = ServerName::try_from(host.clone()).map_err(|_| InvalidEndpoint::Url)?;
        let port = url.port_or_known_default().ok_or(InvalidEndpoint::Url)?;
        let uri: Uri = url.as_str().parse().map_err(|_| InvalidEndpoint::Url)?;
        let path = uri.path_and_query().cloned().ok_or(InvalidEndpoint::Url)?;
        let authority = HeaderValue::from_str(url.authority()).map_err(|_| InvalidEndpoint::Url)?;
        Ok(Self { uri, path, authority, is_tls, host, port, server_name })
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.uri.fmt(f)
    }
}

impl Endpoint {
    /// What a request of HTTP/2 names.
    pub(super) fn uri(&self) -> Uri {
        self.uri.clone()
    }

    /// What a request of HTTP/1.1 names.
    pub(super) fn path(&self) -> Uri {
        Uri::from(self.path.clone())
    }

    /// The `Host` of HTTP/1.1.
    pub(super) fn authority(&self) -> HeaderValue {
        self.authority.clone()
    }

    pub(super) fn is_tls(&self) -> bool {
        self.is_tls
    }

    /// Whether what is sent could be read on the way.
    pub(super) fn is_readable_on_the_way(&self) -> bool {
        !self.is_tls && !self.is_loopback()
    }

    /// Whether it is this machine, by an address or by the name that always means it (RFC 6761).
    fn is_loopback(&self) -> bool {
        match self.host.parse::<IpAddr>() {
            Ok(address) => address.to_canonical().is_loopback(),
            Err(_) => self.host == "localhost" || self.host.ends_with(".localhost"),
        }
    }

    /// As a resolver wants it: without the brackets of an IPv6 address.
    pub(super) fn address(&self) -> (&str, u16) {
        (&self.host, self.port)
    }

    pub(super) fn server_name(&self) -> &ServerName<'static> {
        &self.server_name
    }
}

/// The text is not a token. It is not repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a token is one line of visible ASCII characters")]
pub struct InvalidToken;

/// What the endpoint knows the probe by. It is never shown.
#[derive(Clone)]
pub struct Token(HeaderValue);

impl FromStr for Token {
    type Err = InvalidToken;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(InvalidToken);
        }
        let mut header = HeaderValue::try_from(format!("Bearer {text}")).map_err(|_| InvalidToken)?;
        header.set_sensitive(true);
        Ok(Self(header))
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

impl Token {
    pub(super) fn header(&self) -> HeaderValue {
        self.0.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Result<String, InvalidEndpoint> {
        text.parse::<Endpoint>().map(|endpoint| endpoint.to_string())
    }

    #[test]
    fn the_route_is_added_where_no_path_is_given() {
        assert_eq!(url("http://127.0.0.1:8081").unwrap(), "http://127.0.0.1:8081/api/v1/events");
        assert_eq!(url("https://example.com/#x").unwrap(), "https://example.com/api/v1/events");
        assert_eq!(url("https://example.com/netqoe/events").unwrap(), "https://example.com/netqoe/events");
    }

    #[test]
    fn an_address_is_named_as_resolver_and_server_want_it() {
        let endpoint: Endpoint = "https://[2001:db8::1]:8443".parse().unwrap();
        assert_eq!(
            (endpoint.address(), endpoint.authority()),
            (("2001:db8::1", 8443), HeaderValue::from_static("[2001:db8::1]:8443"))
        );
        let endpoint: Endpoint = "https://example.com:443".parse().unwrap();
        assert_eq!(
            (endpoint.address(), endpoint.authority()),
            (("example.com", 443), HeaderValue::from_static("example.com"))
        );
    }

    #[test]
    fn only_tls_and_this_machine_are_private() {
        for (url, expected) in [
            ("http://ingest.example.net", true),
            ("http://192.0.2.1:8081", true),
            ("http://[2001:db8::1]", true),
            ("http://localhost.example.net", true),
            ("https://ingest.example.net", false),
            ("http://localhost:8081", false),
            ("http://LOCALHOST", false),
            ("http://127.1.2.3", false),
            ("http://[::1]:8081", false),
            ("http://[::ffff:127.0.0.1]", false),
        ] {
            assert_eq!(url.parse::<Endpoint>().unwrap().is_readable_on_the_way(), expected, "{url}");
        }
    }

    #[test]
    fn what_is_no_endpoint_is_refused_and_not_repeated() {
        for text in ["", "example.com", "ftp://example.com", "tcp://example.com:1", "http://"] {
            assert_eq!(url(text), Err(InvalidEndpoint::Url), "{text}");
        }
        let error = url("https://me:secret@example.com").unwrap_err();
        assert_eq!(error, InvalidEndpoint::Credentials);
        assert!(!error.to_string().contains("secret"));
    }

    #[test]
    fn a_token_is_never_shown() {
        let token: Token = "top-secret".parse().unwrap();
        assert_eq!(token.header(), "Bearer top-secret");
        assert!(!format!("{token:?} {:?}", token.header()).contains("secret"));
        for text in ["", "two words", "two\nlines", "schlüssel"] {
            assert_eq!(text.parse::<Token>().unwrap_err(), InvalidToken);
        }
    }
}
