//! What is measured: a URL, parsed once, so that behind it only measurable ones exist.

mod host;
mod location;
#[cfg(test)]
mod tests;
mod web;

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use ::http::Uri;
use ::http::header::HeaderValue;
use netqoe_model::{MAX_TARGET_BYTES, normalised};
use percent_encoding::percent_decode_str;

use crate::DnsName;
pub use host::Host;
use host::with_brackets;
pub(crate) use host::{has_scheme, parse_port, split_authority};
pub use location::InvalidLocation;
pub use web::WebUrl;

/// The port of DNS.
const DNS_PORT: u16 = 53;

/// A URL that can be measured. One URL is one target: `http://` and `https://` of the same host are measured apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    url: String,
    check: Check,
}

/// How a target is measured, by the scheme of its URL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Check {
    /// `http://…` or `https://…`: a page, from the lookup to its last byte.
    Web(WebUrl),
    /// `tcp://host:port`: a connection.
    Tcp {
        /// The host to connect to.
        host: Host,
        /// Where.
        port: u16,
    },
    /// `icmp://host`: echoes.
    Icmp {
        /// The host to send them to.
        host: Host,
    },
    /// `dns://server/name`: a question to one name server.
    Dns {
        /// The server to ask.
        server: Host,
        /// At which port.
        port: u16,
        /// What to ask for.
        name: DnsName,
    },
}

/// Why a text is not a [`Target`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidTarget {
    /// Longer than an event's `target` can be.
    #[error("the target is {bytes} bytes long; the longest is {MAX_TARGET_BYTES}")]
    TooLong {
        /// Its length.
        bytes: usize,
    },
    /// Not a URL.
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
    #[error("target {url:?} must begin with http://, https://, tcp://, icmp:// or dns://")]
    Scheme {
        /// What was given.
        url: String,
    },
    /// A URL of something that can be measured, but not as a page.
    #[error("{url:?} is not a page; it must begin with http:// or https://")]
    NotWeb {
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
    /// More, or less, than the scheme can say.
    #[error("target {url:?} must read {form}")]
    Form {
        /// What was given.
        url: String,
        /// How it should look.
        form: &'static str,
    },
}

impl Target {
    /// The URL in its normal spelling.
    pub fn as_str(&self) -> &str {
        &self.url
    }

    /// How it is measured.
    pub fn check(&self) -> &Check {
        &self.check
    }

    /// The page that it is, if it is one.
    pub(crate) fn as_web(&self) -> Option<&WebUrl> {
        match &self.check {
            Check::Web(web) => Some(web),
            _ => None,
        }
    }

    /// The same page of the same server, asked for under the name of another host: in `Host`, and in the certificate. `None` if it is not a
    /// page, or that is not a valid name.
    pub(crate) fn asked_for_as(&self, hostname: &str) -> Option<Self> {
        let web = self.as_web()?.asked_for_as(hostname)?;
        Some(Self { url: self.url.clone(), check: Check::Web(web) })
    }
}

impl FromStr for Target {
    type Err = InvalidTarget;

    /// Without a scheme, it is a page of `https://`. An IPv6 address that stands without brackets and without a port gets them.
    fn from_str(url: &str) -> Result<Self, InvalidTarget> {
        let url = if has_scheme(url) { Cow::Borrowed(url) } else { Cow::Owned(format!("https://{url}")) };
        let url = with_brackets(&url);
        if url.len() > MAX_TARGET_BYTES {
            return Err(InvalidTarget::TooLong { bytes: url.len() });
        }
        let url = normalised(&url).into_owned();
        let check = parse(&url)?;
        Ok(Self { url, check })
    }
}

impl FromStr for WebUrl {
    type Err = InvalidTarget;

    fn from_str(url: &str) -> Result<Self, InvalidTarget> {
        match parse(url)? {
            Check::Web(web) => Ok(web),
            _ => Err(InvalidTarget::NotWeb { url: url.to_owned() }),
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.url)
    }
}

fn parse(url: &str) -> Result<Check, InvalidTarget> {
    let not_a_url = |cause: &str| InvalidTarget::NotAUrl { url: url.to_owned(), cause: cause.to_owned() };
    let uri: Uri = url.parse().map_err(|error: ::http::uri::InvalidUri| not_a_url(&error.to_string()))?;
    let scheme = uri.scheme_str().unwrap_or_default();
    if !["http", "https", "tcp", "icmp", "dns"].contains(&scheme) {
        return Err(InvalidTarget::Scheme { url: url.to_owned() });
    }
    let authority = uri.authority().ok_or_else(|| not_a_url("no host"))?.as_str();
    if authority.contains('@') {
        return Err(InvalidTarget::Credentials);
    }
    let (host, port) = split_authority(authority);
    let host = Host::parse(host).ok_or_else(|| InvalidTarget::Host { url: url.to_owned() })?;
    let port = match port {
        Some(port) => Some(parse_port(port).ok_or_else(|| InvalidTarget::Port { url: url.to_owned() })?),
        None => None,
    };
    let form = |form| InvalidTarget::Form { url: url.to_owned(), form };
    let has_path = uri.path_and_query().is_some_and(|path| path != "/");
    match scheme {
        "http" | "https" => {
            let known = known_to_server(authority, &host);
            let authority = HeaderValue::from_str(&known).map_err(|error| not_a_url(&error.to_string()))?;
            Ok(Check::Web(WebUrl::new(scheme == "https", host, port, authority, &uri)))
        }
        "tcp" => match port {
            Some(port) if !has_path => Ok(Check::Tcp { host, port }),
            _ => Err(form("tcp://host:port")),
        },
        "icmp" if port.is_none() && !has_path => Ok(Check::Icmp { host }),
        "icmp" => Err(form("icmp://host")),
        _ => match name_asked_for(uri.path().trim_start_matches('/')) {
            Some(name) if uri.query().is_none() => {
                Ok(Check::Dns { server: host, port: port.unwrap_or(DNS_PORT), name })
            }
            _ => Err(form("dns://server/name")),
        },
    }
}

/// Host and port as the server is told them: it knows no zones of this machine (RFC 6874, section 4).
fn known_to_server(authority: &str, host: &Host) -> String {
    match (host.has_zone(), authority.split_once('%'), authority.split_once(']')) {
        (true, Some((address, _)), Some((_, port))) => format!("{address}]{port}"),
        _ => authority.to_owned(),
    }
}

/// The name that a path of `dns://` is (RFC 4501): `%20` stands for a space, `\.` for a dot within a label. An address is
/// none, and a `/` is written as `%2F`, so that what was meant for another scheme is not asked for.
fn name_asked_for(path: &str) -> Option<DnsName> {
    let is_address = path.parse::<std::net::IpAddr>().is_ok();
    let text: Vec<u8> = percent_decode_str(path).collect();
    DnsName::from_escaped(&text).ok().filter(|_| !is_address && !path.contains('/'))
}
