//! A connection that stands, encrypted or not.

use std::net::{IpAddr, SocketAddr};

use netqoe_model::ErrorStage;
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

use crate::clock::{Clock, Span};
use crate::connect::{Attempt, TcpInfo, connect, tcp_info};
use crate::deadline::Deadline;
use crate::http::Exchange;
#[cfg(feature = "http3")]
use crate::quic::QuicConnection;
use crate::tls::{TlsEvidence, TlsSession, speaks_http2};
use crate::{Failure, QuicInfo, WebUrl};

/// What opening a connection has gone through, also where it failed.
#[derive(Debug, Default)]
pub(crate) struct Opening {
    pub(crate) attempts: Vec<Attempt>,
    pub(crate) tcp: Option<Span>,
    pub(crate) local: Option<SocketAddr>,
    pub(crate) peer: Option<SocketAddr>,
    pub(crate) tls: Option<Span>,
    pub(crate) tls_evidence: Option<TlsEvidence>,
}

pub(crate) enum Connection {
    Plain(TcpStream),
    Encrypted(Box<TlsStream<TcpStream>>),
    #[cfg(feature = "http3")]
    Quic(QuicConnection),
}

impl Connection {
    /// Connects to the server of `url` at one of `addresses`.
    pub(crate) async fn open(
        url: &WebUrl,
        addresses: &[IpAddr],
        session: &TlsSession,
        clock: Clock,
        deadline: Deadline,
        opening: &mut Opening,
    ) -> Result<Self, Failure> {
        #[cfg(feature = "http3")]
        if session.is_over_quic && url.is_https() {
            return QuicConnection::open(url, addresses, session, clock, deadline, opening).await.map(Self::Quic);
        }
        let connecting = connect(addresses, url.port(), clock, &mut opening.attempts);
        let (stream, span) = deadline.hold(ErrorStage::Tcp, connecting).await?;
        opening.tcp = Some(span);
        (opening.local, opening.peer) = (stream.local_addr().ok(), stream.peer_addr().ok());
        if !url.is_https() {
            return Ok(Self::Plain(stream));
        }
        let handshake = session.handshake(stream, url.server_name(), clock);
        let (stream, span, evidence) = deadline.hold(ErrorStage::Tls, handshake).await?;
        (opening.tls, opening.tls_evidence) = (Some(span), Some(evidence));
        Ok(Self::Encrypted(Box::new(stream)))
    }

    /// Asks for `url`.
    pub(crate) async fn exchange(
        &mut self,
        url: &WebUrl,
        clock: Clock,
        deadline: Deadline,
        exchange: &mut Exchange,
    ) -> Result<(), Failure> {
        let is_http2 = self.is_http2();
        match self {
            Self::Plain(stream) => exchange.run(stream, is_http2, url, clock, deadline).await,
            Self::Encrypted(stream) => exchange.run(stream, is_http2, url, clock, deadline).await,
            #[cfg(feature = "http3")]
            Self::Quic(quic) => exchange.run_http3(quic, url, clock, deadline).await,
        }
    }

    /// What is spoken over it. Without TLS nobody says that it is HTTP/2.
    pub(crate) fn protocol(&self) -> &'static str {
        match self {
            #[cfg(feature = "http3")]
            Self::Quic(_) => "HTTP/3",
            _ if self.is_http2() => "HTTP/2",
            _ => "HTTP/1.1",
        }
    }

    /// How it fared, where it is one of TCP.
    pub(crate) fn tcp_info(&self) -> Option<TcpInfo> {
        let stream = match self {
            Self::Plain(stream) => stream,
            Self::Encrypted(stream) => stream.get_ref().0,
            #[cfg(feature = "http3")]
            Self::Quic(_) => return None,
        };
        tcp_info(stream.local_addr().ok()?, stream.peer_addr().ok()?)
    }

    /// How it fared, where it is one of QUIC.
    pub(crate) fn quic_info(&self) -> Option<QuicInfo> {
        match self {
            #[cfg(feature = "http3")]
            Self::Quic(quic) => Some(quic.info()),
            _ => None,
        }
    }

    fn is_http2(&self) -> bool {
        matches!(self, Self::Encrypted(stream) if speaks_http2(stream))
    }
}
