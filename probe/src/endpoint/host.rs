//! The host of a target: a DNS name or an address.

use std::borrow::Cow;
use std::net::{IpAddr, Ipv6Addr};

use percent_encoding::percent_decode_str;
use rustls::pki_types::ServerName;

use crate::{DnsName, Failure, HostAddress};

/// A host that can be looked up or connected to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Host {
    /// As written, without the brackets of IPv6. A dot at its end keeps DNS from trying the search list.
    text: String,
    ip: Option<IpAddr>,
    /// The interface that a link-local address is reached through.
    zone: Option<String>,
    /// As certificates name it, without that dot; absent if none can.
    server_name: Option<ServerName<'static>>,
}

impl Host {
    /// The host, as a URL writes it; an IPv6 address needs its brackets, since its last group would read as a port.
    pub(crate) fn parse(written: &str) -> Option<Self> {
        if let Some(bracketed) = written.strip_prefix('[') {
            return Self::parse_ipv6(bracketed.strip_suffix(']')?);
        }
        let ip: Option<IpAddr> = written.parse().ok();
        let is_name = !ends_in_number(written) && DnsName::from_host(written).is_ok();
        let server_name = ServerName::try_from(written.to_owned()).ok();
        (ip.is_some() || is_name).then(|| Self { text: written.to_owned(), ip, zone: None, server_name })
    }

    /// Its zone stands behind `%25`, a `%` as URLs write it (RFC 6874), or behind the `%` itself.
    fn parse_ipv6(written: &str) -> Option<Self> {
        let (address, zone) = match written.split_once('%') {
            None => (written, None),
            Some((address, zone)) => {
                let zone = zone.strip_prefix("25").filter(|zone| !zone.is_empty()).unwrap_or(zone);
                (address, Some(percent_decode_str(zone).decode_utf8().ok()?.into_owned()))
            }
        };
        let ip: IpAddr = address.parse().ok()?;
        let is_zone = |zone: &String| !zone.is_empty() && zone.chars().all(|c| c.is_ascii_graphic());
        let is_right = ip.is_ipv6() && zone.iter().all(is_zone);
        let text = zone.as_ref().map_or_else(|| address.to_owned(), |zone| format!("{address}%{zone}"));
        is_right.then(|| Self { text, ip: Some(ip), zone, server_name: Some(ServerName::from(ip)) })
    }

    /// The address, where the host is one: there is then nothing to look up.
    pub fn ip(&self) -> Option<IpAddr> {
        self.ip
    }

    /// The same, with its zone as the machine numbers it now.
    pub(crate) fn address(&self) -> Result<Option<HostAddress>, Failure> {
        self.ip.map(|ip| HostAddress::in_zone(ip, self.zone.as_deref())).transpose()
    }

    /// Whether it is an address in a zone: nobody but this machine knows what that is.
    pub(super) fn has_zone(&self) -> bool {
        self.zone.is_some()
    }

    /// The host as DNS is to be asked for it.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The host as its certificate must name it.
    pub(crate) fn server_name(&self) -> Result<&ServerName<'static>, Failure> {
        self.server_name.as_ref().ok_or_else(|| Failure::NoServerName { host: self.text.clone() })
    }
}

/// Whether programs would take it for an IPv4 address, were it a right one: its last label is a number.
fn ends_in_number(name: &str) -> bool {
    let last = name.strip_suffix('.').unwrap_or(name).rsplit('.').next().unwrap_or_default();
    let is_hex = |digits: &str| digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    last.bytes().all(|byte| byte.is_ascii_digit())
        || last.strip_prefix("0x").or_else(|| last.strip_prefix("0X")).is_some_and(is_hex)
}

/// Host and port as written. The colons within the brackets of an IPv6 address divide nothing.
pub(crate) fn split_authority(authority: &str) -> (&str, Option<&str>) {
    let host_end = authority.rfind(']').map_or(0, |bracket| bracket + 1);
    match authority[host_end..].find(':') {
        Some(colon) => (&authority[..host_end + colon], Some(&authority[host_end + colon + 1..])),
        None => (authority, None),
    }
}

/// Another URL may stand within the query of a bare host.
pub(crate) fn has_scheme(written: &str) -> bool {
    let is_scheme = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte));
    written.split_once("://").is_some_and(|(before, _)| is_scheme(before))
}

/// A URL whose host is an IPv6 address without brackets, with them: nothing else can be meant if all of it is an address.
pub(super) fn with_brackets(url: &str) -> Cow<'_, str> {
    let Some((scheme, rest)) = url.split_once("://") else { return Cow::Borrowed(url) };
    let (host, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    match host.parse::<Ipv6Addr>() {
        Ok(_) => Cow::Owned(format!("{scheme}://[{host}]{path}")),
        Err(_) => Cow::Borrowed(url),
    }
}

/// Digits only: `parse` alone would take a sign.
pub(crate) fn parse_port(port: &str) -> Option<u16> {
    let is_number = port.bytes().all(|byte| byte.is_ascii_digit());
    port.parse().ok().filter(|port| is_number && *port > 0)
}
