//! A connection that stands, encrypted or not.

use netqoe_model::ErrorStage;
use tokio::net::TcpStream;

use crate::clock::Clock;
use crate::connect::{TcpInfo, connect, tcp_info};
use crate::deadline::Deadline;
use crate::http::{Exchange, Question};
use crate::opening::Opening;
#[cfg(feature = "http3")]
use crate::quic::QuicConnection;
use crate::tls::{self, EncryptedStream, TlsSession};
use crate::{Failure, HostAddress, Proxy, QuicInfo, Settings, WebUrl};

pub(crate) enum Connection {
    Plain(TcpStream),
    Encrypted(Box<EncryptedStream>),
    #[cfg(feature = "http3")]
    Quic(QuicConnection),
}

/// How a server is reached.
#[derive(Clone, Copy)]
pub(crate) enum Way<'a> {
    /// At one of these addresses.
    Addresses(&'a [HostAddress]),
    /// By way of the proxy of these settings.
    Proxy(&'a Proxy, &'a Settings),
}

impl Connection {
    /// Connects to the server of `url`.
    pub(crate) async fn open(
        url: &WebUrl,
        way: Way<'_>,
        session: &TlsSession,
        clock: Clock,
        deadline: Deadline,
        opening: &mut Opening,
    ) -> Result<Self, Failure> {
        #[cfg(feature = "http3")]
        if session.is_over_quic && url.is_https() {
            let Way::Addresses(addresses) = way else { return Err(Failure::NoQuicByProxy) };
            return QuicConnection::open(url, addresses, session, clock, deadline, opening).await.map(Self::Quic);
        }
        if !url.is_https() {
            return Ok(Self::Plain(Self::connect(url, way, clock, deadline, opening).await?));
        }
        let host = url.server_name()?;
        let mut stack = session.stack_for(host);
        loop {
            let stream = Self::connect(url, way, clock, deadline, opening).await?;
            let handshake = async { Ok(session.handshake(stack, stream, host, clock).await) };
            let refusal = match deadline.hold(ErrorStage::Tls, handshake).await? {
                Ok((stream, span, evidence)) => {
                    (opening.tls, opening.tls_evidence) = (Some(span), Some(evidence));
                    return Ok(Self::Encrypted(Box::new(stream)));
                }
                Err(refusal) => refusal,
            };
            // A handshake that was refused has used its connection up.
            stack = refusal.next.ok_or(refusal.failure)?;
        }
    }

    async fn connect(
        url: &WebUrl,
        way: Way<'_>,
        clock: Clock,
        deadline: Deadline,
        opening: &mut Opening,
    ) -> Result<TcpStream, Failure> {
        let addresses = match way {
            Way::Addresses(addresses) => addresses,
            Way::Proxy(proxy, settings) => return proxy.open(url, settings, clock, deadline, opening).await,
        };
        let connecting = connect(addresses, url.port(), clock, &mut opening.attempts);
        let (stream, span) = deadline.hold(ErrorStage::Tcp, connecting).await?;
        opening.tcp = Some(span);
        (opening.local, opening.peer) = (stream.local_addr().ok(), stream.peer_addr().ok());
        Ok(stream)
    }

    /// Asks.
    pub(crate) async fn exchange(
        &mut self,
        question: Question<'_>,
        clock: Clock,
        deadline: Deadline,
        exchange: &mut Exchange,
    ) -> Result<(), Failure> {
        let is_http2 = self.is_http2();
        match self {
            Self::Plain(stream) => exchange.run(stream, is_http2, question, clock, deadline).await,
            Self::Encrypted(stream) => {
                let outcome = exchange.run(&mut **stream, is_http2, question, clock, deadline).await;
                // With TLS 1.3 a server can refuse a client only after the client's handshake is over.
                match stream.refusal() {
                    Some(cause) if outcome.is_err() => Err(tls::failure(question.url.server_name()?, cause.to_owned())),
                    _ => outcome,
                }
            }
            #[cfg(feature = "http3")]
            Self::Quic(quic) => exchange.run_http3(quic, question, clock, deadline).await,
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

    /// How it fared, if it is one of TCP.
    pub(crate) fn tcp_info(&self) -> Option<TcpInfo> {
        let stream = match self {
            Self::Plain(stream) => stream,
            Self::Encrypted(stream) => stream.tcp(),
            #[cfg(feature = "http3")]
            Self::Quic(_) => return None,
        };
        tcp_info(stream.local_addr().ok()?, stream.peer_addr().ok()?)
    }

    /// How it fared, if it is one of QUIC.
    pub(crate) fn quic_info(&self) -> Option<QuicInfo> {
        match self {
            #[cfg(feature = "http3")]
            Self::Quic(quic) => Some(quic.info()),
            _ => None,
        }
    }

    fn is_http2(&self) -> bool {
        matches!(self, Self::Encrypted(stream) if stream.speaks_http2())
    }
}
