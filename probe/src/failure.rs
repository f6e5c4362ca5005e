//! Why a measurement did not reach its end.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use netqoe_model::ErrorStage;

use crate::{Family, InvalidLocation, InvalidName, Unmet};

/// Addresses that one line tells of; the evidence has them all.
const MAX_CAUSES: usize = 8;

/// What went wrong, in one line. [`Failure::stage`] names where.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// Nothing that DNS could be asked for.
    #[error("{host:?} can't be looked up: {cause}")]
    NotAName {
        /// What was given.
        host: String,
        /// What is wrong with it.
        cause: InvalidName,
    },
    /// NXDOMAIN.
    #[error("{host}{} does not exist (NXDOMAIN), says {server}; check its spelling", of_alias(.alias.as_ref()))]
    NoSuchName {
        /// The name asked for.
        host: String,
        /// The name server that says so.
        server: SocketAddr,
        /// What the name is an alias of, if it is one: it is this that does not exist.
        alias: Option<String>,
    },
    /// The name exists without an address that is wanted.
    #[error("{host}{} has no {} record", of_alias(.alias.as_ref()), records(.families))]
    NoAddress {
        /// The name asked for.
        host: String,
        /// For which addresses.
        families: Vec<Family>,
        /// What the name is an alias of, if it is one: it is this that has no address.
        alias: Option<String>,
    },
    /// A link-local address in a zone that this machine does not have.
    #[error(
        "{address} can't be reached: this machine has no network interface {zone:?} ({cause}); check what stands behind the %"
    )]
    NoInterface {
        /// The address.
        address: IpAddr,
        /// The interface.
        zone: String,
        /// What the system says of it.
        cause: io::Error,
    },
    /// A name that no certificate can hold.
    #[error(
        "no TLS connection to {host}: certificates can't name it, so that it can't be verified; measure it with http:// or tcp://"
    )]
    NoServerName {
        /// The name.
        host: String,
    },
    /// The URL's own address is of the family that is not wanted.
    #[error("{address} is not an address of the only family that is to be measured")]
    OtherFamily {
        /// The address.
        address: IpAddr,
    },
    /// No answer, SERVFAIL, or an answer that can't be read, from every server.
    #[error("{host} could not be resolved: {}", each(.causes))]
    Lookup {
        /// The name asked for.
        host: String,
        /// What each name server said, if anything.
        causes: Vec<(SocketAddr, String)>,
    },
    /// Refused, unreachable, reset.
    #[error("no connection to {}", each(.failed))]
    Connect {
        /// The addresses that were tried, and what the operating system said of each.
        failed: Vec<(SocketAddr, io::Error)>,
    },
    /// No QUIC answer.
    #[cfg(feature = "http3")]
    #[error("{0}; it does not speak HTTP/3, or UDP is blocked on the way")]
    NoQuic(Box<Failure>),
    /// A proxy carries TCP.
    #[cfg(feature = "http3")]
    #[error("HTTP/3 does not go by way of a proxy; measure this target without --http3, or without the proxy")]
    NoQuicByProxy,
    /// A certificate that is not to be trusted, or no TLS at all.
    #[error("no TLS connection to {host}: {cause}")]
    Tls {
        /// The host that the certificate should name.
        host: String,
        /// What is wrong.
        cause: String,
    },
    /// There are no trusted authorities.
    #[error("TLS can't be used: {0}; check the certificate authorities that are trusted")]
    TlsSettings(String),
    /// No answer, or one that is not HTTP.
    #[error("no valid answer to the request: {0}")]
    Request(String),
    /// A status of 400 or more.
    #[error("the server answered with status {0}")]
    Status(u16),
    /// The page answers, and not as expected.
    #[error(transparent)]
    Unmet(#[from] Unmet),
    /// The proxy does not carry anything to the server.
    #[error("no connection by way of the proxy {proxy}: {cause}")]
    Proxy {
        /// The proxy.
        proxy: String,
        /// What is wrong.
        cause: String,
    },
    /// The answers lead in a circle, or on and on.
    #[error("redirect loop: {after} redirects, the last to {url:?}, and no page")]
    RedirectLoop {
        /// How many there were.
        after: usize,
        /// Where the last one leads.
        url: String,
    },
    /// A redirect to something that is not a page.
    #[error("the server redirects to {0}")]
    Redirect(InvalidLocation),
    /// A redirect that was not to be followed.
    #[error("the server redirects to {url:?}, which is another host; --stay-on-host forbids that")]
    OtherHost {
        /// Where it leads.
        url: String,
    },
    /// The body ended before its announced end.
    #[error("the body broke off after {bytes} bytes: {cause}")]
    Body {
        /// How much of it had come.
        bytes: u64,
        /// What ended it.
        cause: String,
    },
    /// An answer that is not the object for throughput. It fails no measurement.
    #[error("{0}")]
    NotTheObject(String),
    /// No echo came back.
    #[error("{address} answered none of {sent} echo requests{}", cause.as_ref().map(|cause| format!(": {cause}")).unwrap_or_default())]
    NoEcho {
        /// The address that was asked.
        address: IpAddr,
        /// How many were sent.
        sent: u32,
        /// Why the last could not be sent, if so.
        cause: Option<io::Error>,
    },
    /// Neither kind of ICMP socket is permitted.
    #[error(
        "no ICMP socket: {0}; allow the group of this process in sysctl net.ipv4.ping_group_range, or give it CAP_NET_RAW"
    )]
    IcmpSocket(io::Error),
    /// The time was over.
    #[error("{} within {timeout:?}", awaited(*.stage))]
    TimedOut {
        /// The stage at which it ended.
        stage: ErrorStage,
        /// The time that there was.
        timeout: Duration,
    },
}

impl Failure {
    /// Where the measurement failed.
    pub fn stage(&self) -> ErrorStage {
        match self {
            Self::NotAName { .. } | Self::NoSuchName { .. } | Self::NoAddress { .. } | Self::Lookup { .. } => {
                ErrorStage::Dns
            }
            Self::Unmet(unmet) => unmet.stage(),
            Self::Connect { .. }
            | Self::Proxy { .. }
            | Self::OtherFamily { .. }
            | Self::NoInterface { .. }
            | Self::NoEcho { .. }
            | Self::IcmpSocket(_) => ErrorStage::Tcp,
            #[cfg(feature = "http3")]
            Self::NoQuic(cause) => cause.stage(),
            #[cfg(feature = "http3")]
            Self::NoQuicByProxy => ErrorStage::Tcp,
            Self::Tls { .. } | Self::TlsSettings(_) | Self::NoServerName { .. } => ErrorStage::Tls,
            Self::Request(_)
            | Self::Status(_)
            | Self::RedirectLoop { .. }
            | Self::Redirect(_)
            | Self::OtherHost { .. } => ErrorStage::Http,
            Self::Body { .. } | Self::NotTheObject(_) => ErrorStage::Throughput,
            Self::TimedOut { stage, .. } => *stage,
        }
    }
}

/// What follows the name in a sentence that is true of its alias.
fn of_alias(alias: Option<&String>) -> String {
    alias.map(|alias| format!(" is an alias of {alias}, which")).unwrap_or_default()
}

fn records(families: &[Family]) -> &'static str {
    match families {
        [Family::V4] => "A",
        [Family::V6] => "AAAA",
        _ => "address: neither an A nor an AAAA",
    }
}

fn each<E: ToString>(causes: &[(SocketAddr, E)]) -> String {
    let told = causes.iter().take(MAX_CAUSES).map(|(address, cause)| format!("{address}: {}", cause.to_string()));
    let more = causes.len().saturating_sub(MAX_CAUSES);
    let more = (more > 0).then(|| format!("and {more} more"));
    told.chain(more).collect::<Vec<_>>().join("; ")
}

fn awaited(stage: ErrorStage) -> &'static str {
    match stage {
        ErrorStage::Dns => "the name was not resolved",
        ErrorStage::Tcp => "the connection was not established",
        ErrorStage::Tls => "the TLS handshake was not completed",
        ErrorStage::Http => "the request was not answered",
        ErrorStage::Throughput => "the body was not received in full",
    }
}
