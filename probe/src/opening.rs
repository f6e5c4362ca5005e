//! How a connection comes to stand, over TCP or QUIC.

use std::net::SocketAddr;

use crate::clock::Span;
use crate::connect::Attempt;
use crate::tls::TlsEvidence;

/// What opening a connection has gone through, also where it failed.
#[derive(Debug, Default)]
pub(crate) struct Opening {
    pub(crate) attempts: Vec<Attempt>,
    pub(crate) tcp: Option<Span>,
    /// Until a proxy carried bytes, if one does.
    pub(crate) proxy: Option<Span>,
    pub(crate) proxy_address: Option<SocketAddr>,
    pub(crate) local: Option<SocketAddr>,
    pub(crate) peer: Option<SocketAddr>,
    pub(crate) tls: Option<Span>,
    pub(crate) tls_evidence: Option<TlsEvidence>,
}
