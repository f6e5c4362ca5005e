//! The host of a target: a DNS name or an address.

use std::borrow::Cow;
use std::net::{IpAddr, Ipv6Addr};

use rustls::pki_types::ServerName;

/// A host that can be looked up or connected to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Host {
    /// As written, without the brackets of IPv6. A dot at its end keeps DNS from trying the search list.
    text: String,
    /// As certificates name it, without that dot.
    server_name: ServerName<'static>,
}

impl Host {
    /// The host that a URL writes so; an IPv6 address needs its brackets, since its last group would read as a port.
    pub(super) fn parse(written: &str) -> Option<Self> {
        let (text, server_name) = match written.strip_prefix('[') {
            Some(bracketed) => {
                let text = bracketed.strip_suffix(']')?;
                let ip: IpAddr = text.parse().ok()?;
                (text, ip.is_ipv6().then(|| ServerName::from(ip))?)
            }
            None => (written, ServerName::try_from(written.to_owned()).ok()?),
        };
        Some(Self { text: text.to_owned(), server_name })
    }

    /// The address, where the host is one: there is then nothing to look up.
    pub fn ip(&self) -> Option<IpAddr> {
        match self.server_name {
            ServerName::IpAddress(ip) => Some(ip.into()),
            _ => None,
        }
    }

    /// The host as DNS is to be asked for it.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The host as its certificate must name it.
    pub(crate) fn server_name(&self) -> &ServerName<'static> {
        &self.server_name
    }
}

/// Host and port as written. The colons within the brackets of an IPv6 address divide nothing.
pub(super) fn split_authority(authority: &str) -> (&str, Option<&str>) {
    let host_end = authority.rfind(']').map_or(0, |bracket| bracket + 1);
    match authority[host_end..].find(':') {
        Some(colon) => (&authority[..host_end + colon], Some(&authority[host_end + colon + 1..])),
        None => (authority, None),
    }
}

/// A URL whose host is an IPv6 address without brackets, with them: nothing else can be meant where all of it is an address.
pub(super) fn with_brackets(url: &str) -> Cow<'_, str> {
    let Some((scheme, rest)) = url.split_once("://") else { return Cow::Borrowed(url) };
    let (host, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    match host.parse::<Ipv6Addr>() {
        Ok(_) => Cow::Owned(format!("{scheme}://[{host}]{path}")),
        Err(_) => Cow::Borrowed(url),
    }
}

/// Digits only: `parse` alone would take a sign.
pub(super) fn parse_port(port: &str) -> Option<u16> {
    let is_number = port.bytes().all(|byte| byte.is_ascii_digit());
    port.parse().ok().filter(|port| is_number && *port > 0)
}
