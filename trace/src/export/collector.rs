//! Where spans are delivered.

use std::fmt;
use std::str::FromStr;

use url::{Host, Url};

use super::Headers;

/// What follows the URL of a collector, as OTLP says it.
const PATH: &str = "v1/traces";

/// A collector, by the URL that all its signals have in common: `http://HOST:4318`.
#[derive(Clone, Debug)]
pub struct Collector {
    url: Url,
    pub(super) headers: Headers,
}

/// Why a URL is not a collector's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidCollector {
    /// It can't be read.
    #[error("it is no URL ({0}); give one such as http://collector:4318")]
    Url(#[from] url::ParseError),
    /// It is of another protocol.
    #[error("give http://HOST:PORT or https://HOST:PORT; OTLP over gRPC, usual on port 4317, is not spoken")]
    Scheme,
    /// It holds what others must not see.
    #[error(
        "a URL may be read by many, so it must hold no user and password; give an Authorization header in --otlp-headers-file"
    )]
    Password,
    /// It holds what would be in the way.
    #[error("leave out what follows ? or #; /v1/traces is appended to the URL")]
    Query,
}

impl Collector {
    /// The same, with these headers on each delivery.
    pub fn with_headers(self, headers: Headers) -> Self {
        Self { headers, ..self }
    }

    /// Whether others could read the headers on the way.
    pub fn shows_headers(&self) -> bool {
        let stays_here = match self.url.host() {
            Some(Host::Domain(name)) => name == "localhost",
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            None => false,
        };
        !self.is_tls() && !self.headers.is_empty() && !stays_here
    }

    pub(super) fn is_tls(&self) -> bool {
        self.url.scheme() == "https"
    }

    /// Where spans are posted.
    pub(super) fn traces(&self) -> String {
        format!("{}/{PATH}", self.to_string().trim_end_matches('/'))
    }
}

impl FromStr for Collector {
    type Err = InvalidCollector;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let url = Url::parse(text)?;
        if !matches!(url.scheme(), "http" | "https") || url.host().is_none() {
            return Err(InvalidCollector::Scheme);
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(InvalidCollector::Password);
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(InvalidCollector::Query);
        }
        Ok(Self { url, headers: Headers::default() })
    }
}

impl fmt::Display for Collector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.url.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_posted_below_its_url() {
        for (url, expected) in [
            ("http://collector:4318", "http://collector:4318/v1/traces"),
            ("https://example.com/otlp/", "https://example.com/otlp/v1/traces"),
            ("http://[::1]:4318/", "http://[::1]:4318/v1/traces"),
        ] {
            assert_eq!(url.parse::<Collector>().unwrap().traces(), expected);
        }
    }

    #[test]
    fn what_is_no_collector_is_refused_without_its_password() {
        for url in ["collector", "collector:4317", "grpc://c:4317", "http://u:s3cret@c", "http://c/?token=s3cret"] {
            let error = url.parse::<Collector>().unwrap_err().to_string();
            assert!(!error.contains("s3cret"), "{error}");
        }
    }

    #[test]
    fn headers_are_seen_on_the_way_without_tls_to_another_machine() {
        let shows = |url: &str, headers: &str| {
            url.parse::<Collector>().unwrap().with_headers(headers.parse().unwrap()).shows_headers()
        };
        assert!(shows("http://collector:4318", "A: b") && shows("http://192.0.2.7:4318", "A: b"));
        assert!(!shows("http://collector:4318", "") && !shows("https://collector", "A: b"));
        assert!(!shows("http://localhost:4318", "A: b") && !shows("http://127.0.0.1:4318", "A: b"));
        assert!(!shows("http://[::1]:4318", "A: b"));
    }
}
