//! What is measured: a URL, parsed once, so that behind it only measurable ones exist.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use ::http::Uri;
use ::http::header::HeaderValue;
use ::http::uri::PathAndQuery;
use netqoe_model::MAX_TARGET_BYTES;
use rustls::pki_types::ServerName;

/// A URL that can be measured: `http` or `https`, a host, perhaps a port, path and query.
///
/// One URL is one target: `http://` and `https://` of the same host are measured apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    url: String,
    is_https: bool,
    /// As written, without the brackets of IPv6. A dot at its end keeps DNS from trying the search list.
    host: String,
    /// The host as certificates name it, without that dot.
    server_name: ServerName<'static>,
    port: u16,
    /// The `Host` of the request: the URL's own spelling of host and port.
    authority: HeaderValue,
    path_and_query: PathAndQuery,
}

/// Why a text is no [`Target`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidTarget {
    /// Longer than an event's `target` can be.
    #[error("the target is {bytes} bytes long; the longest is {MAX_TARGET_BYTES}")]
    TooLong {
        /// Its length.
        bytes: usize,
    },
    /// No URL.
    #[error(
        "target {url:?} is not a URL ({cause}); write it like https://example.com/path, international names as xn--…"
    )]
    NotAUrl {
        /// What was given.
        url: String,
        /// What is wrong with it.
        cause: String,
    },
    /// A URL of something else.
    #[error("target {url:?} must begin with http:// or https://")]
    Scheme {
        /// What was given.
        url: String,
    },
    /// Events carry the target: a password in it would be stored and shown.
    #[error("a target must not contain a user name or password; leave out what stands before the @")]
    Credentials,
    /// No name or address that can be looked up or connected to.
    #[error("target {url:?} has no valid host: a DNS name, an IPv4 address, or an IPv6 address in brackets")]
    Host {
        /// What was given.
        url: String,
    },
    /// No port that can be connected to.
    #[error("target {url:?} has no valid port: a number from 1 to 65535")]
    Port {
        /// What was given.
        url: String,
    },
}

impl Target {
    /// The URL as it was given.
    pub fn as_str(&self) -> &str {
        &self.url
    }

    /// Whether there is a TLS phase.
    pub fn is_https(&self) -> bool {
        self.is_https
    }

    /// The port of the URL, or its scheme's: 80 or 443.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The address, where the URL names one instead of a host: there is then no DNS phase.
    pub fn ip(&self) -> Option<IpAddr> {
        match self.server_name {
            ServerName::IpAddress(ip) => Some(ip.into()),
            _ => None,
        }
    }

    /// The host as DNS is to be asked for it.
    pub(crate) fn host(&self) -> &str {
        &self.host
    }

    /// The host as its certificate must name it.
    pub(crate) fn server_name(&self) -> &ServerName<'static> {
        &self.server_name
    }

    pub(crate) fn authority(&self) -> &HeaderValue {
        &self.authority
    }

    pub(crate) fn path_and_query(&self) -> &PathAndQuery {
        &self.path_and_query
    }
}

impl FromStr for Target {
    type Err = InvalidTarget;

    fn from_str(url: &str) -> Result<Self, InvalidTarget> {
        if url.len() > MAX_TARGET_BYTES {
            return Err(InvalidTarget::TooLong { bytes: url.len() });
        }
        let not_a_url = |cause: &str| InvalidTarget::NotAUrl { url: url.to_owned(), cause: cause.to_owned() };
        let uri: Uri = url.parse().map_err(|error: ::http::uri::InvalidUri| not_a_url(&error.to_string()))?;
        let is_https = match uri.scheme_str() {
            Some("http") => false,
            Some("https") => true,
            _ => return Err(InvalidTarget::Scheme { url: url.to_owned() }),
        };
        let authority = uri.authority().ok_or_else(|| not_a_url("no host"))?.as_str();
        if authority.contains('@') {
            return Err(InvalidTarget::Credentials);
        }
        let (host, port) = split_authority(authority);
        let (host, server_name) = parse_host(host).ok_or_else(|| InvalidTarget::Host { url: url.to_owned() })?;
        let port = match port {
            Some(port) => parse_port(port).ok_or_else(|| InvalidTarget::Port { url: url.to_owned() })?,
            None if is_https => 443,
            None => 80,
        };
        Ok(Self {
            url: url.to_owned(),
            is_https,
            host: host.to_owned(),
            server_name,
            port,
            authority: HeaderValue::from_str(authority).map_err(|error| not_a_url(&error.to_string()))?,
            path_and_query: uri.path_and_query().cloned().unwrap_or_else(|| PathAndQuery::from_static("/")),
        })
    }
}

/// Host and port as written. The colons within the brackets of an IPv6 address divide nothing.
fn split_authority(authority: &str) -> (&str, Option<&str>) {
    let host_end = authority.rfind(']').map_or(0, |bracket| bracket + 1);
    match authority[host_end..].find(':') {
        Some(colon) => (&authority[..host_end + colon], Some(&authority[host_end + colon + 1..])),
        None => (authority, None),
    }
}

/// The host without brackets, and as certificates name it.
fn parse_host(host: &str) -> Option<(&str, ServerName<'static>)> {
    match host.strip_prefix('[') {
        Some(bracketed) => {
            let host = bracketed.strip_suffix(']')?;
            let ip: IpAddr = host.parse().ok()?;
            ip.is_ipv6().then(|| (host, ServerName::from(ip)))
        }
        // An IPv6 address needs its brackets: its last group would read as a port.
        None => Some((host, ServerName::try_from(host.to_owned()).ok()?)),
    }
}

/// Digits only: `parse` alone would take a sign.
fn parse_port(port: &str) -> Option<u16> {
    let is_number = port.bytes().all(|byte| byte.is_ascii_digit());
    port.parse().ok().filter(|port| is_number && *port > 0)
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.url)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(url: &str, is_https: bool, host: &str, port: u16, path_and_query: &str) {
        let target: Target = url.parse().unwrap();
        assert_eq!(target.as_str(), url);
        assert_eq!(target.is_https(), is_https, "{url}");
        assert_eq!(target.host(), host, "{url}");
        assert_eq!(target.port(), port, "{url}");
        assert_eq!(target.path_and_query().to_string(), path_and_query, "{url}");
    }

    #[test]
    fn parses_what_can_be_measured() {
        check("http://example.com", false, "example.com", 80, "/");
        check("https://example.com/", true, "example.com", 443, "/");
        check("https://example.com:8443/a/b?c=d&e", true, "example.com", 8443, "/a/b?c=d&e");
        check("http://example.com?q=1#part", false, "example.com", 80, "/?q=1");
        check("HTTP://Example.COM/X", false, "Example.COM", 80, "/X");
        check("http://127.0.0.1:8081/health", false, "127.0.0.1", 8081, "/health");
        check("https://[2001:db8::1]:8443", true, "2001:db8::1", 8443, "/");
        check("https://[::1]/x", true, "::1", 443, "/x");
        check("http://my_host.internal.", false, "my_host.internal.", 80, "/");
    }

    #[test]
    fn a_final_dot_is_for_dns_and_not_for_certificates() {
        let target: Target = "https://example.com.".parse().unwrap();
        assert_eq!(target.host(), "example.com.");
        assert_eq!(target.server_name().to_str(), "example.com");
    }

    #[test]
    fn an_address_needs_no_lookup() {
        let ip = |url: &str| url.parse::<Target>().unwrap().ip();
        assert_eq!(ip("http://192.0.2.7"), Some("192.0.2.7".parse().unwrap()));
        assert_eq!(ip("http://[2001:db8::1]:80"), Some("2001:db8::1".parse().unwrap()));
        assert_eq!(ip("http://example.com"), None);
    }

    #[track_caller]
    fn check_refused(url: &str, message_part: &str) {
        let error = url.parse::<Target>().unwrap_err().to_string();
        assert!(error.contains(message_part), "{url:?}: {error}");
        assert!(!error.contains('\n'), "{url:?}: {error}");
    }

    #[test]
    fn refuses_what_can_not_be_measured() {
        check_refused("", "not a URL");
        check_refused("example.com", "must begin with http://");
        check_refused("/path", "must begin with http://");
        check_refused("ftp://example.com", "must begin with http://");
        check_refused("http://", "not a URL");
        check_refused("http:///path", "not a URL");
        check_refused("http://ex ample.com", "not a URL");
        check_refused("http://example.com/a\nb", "not a URL");
        check_refused("http://b\u{fc}cher.example", "xn--");
        check_refused("http://:80/", "no valid host");
        check_refused("http://-x.example", "no valid host");
        check_refused("http://256.256.256.256", "no valid host");
        check_refused("http://[192.0.2.1]/", "no valid host");
        check_refused("http://a..b/", "no valid host");
        check_refused("http://example.com:0", "no valid port");
        check_refused("http://example.com:", "no valid port");
        check_refused("http://example.com:65536", "no valid port");
        check_refused("http://user:secret@example.com", "leave out");
    }

    #[test]
    fn never_repeats_a_password() {
        let error = "http://user:secret@example.com".parse::<Target>().unwrap_err();
        assert!(!error.to_string().contains("secret"));
    }

    #[test]
    fn takes_the_longest_target_that_an_event_can_carry() {
        let url = |bytes: usize| format!("http://example.com/{}", "x".repeat(bytes - 19));
        assert_eq!(url(MAX_TARGET_BYTES).parse::<Target>().unwrap().as_str().len(), MAX_TARGET_BYTES);
        check_refused(&url(MAX_TARGET_BYTES + 1), "1025 bytes");
    }
}
