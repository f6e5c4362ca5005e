//! QUIC, where transport and TLS shake hands in one: there is no TCP phase, and the TLS phase begins with the first
//! datagram.
//!
//! Decision: D-040.

mod socket;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use netqoe_model::ErrorStage;
use quinn::crypto::rustls::QuicClientConfig;
use quinn::{
    ClientConfig, Connecting, ConnectionError, Endpoint, EndpointConfig, TokioRuntime, TransportConfig,
    TransportErrorCode, VarInt,
};

use crate::clock::{Clock, Span};
use crate::connect::choose;
use crate::deadline::Deadline;
use crate::opening::Opening;
use crate::tls::{TlsEvidence, TlsSession};
use crate::wire_events::WireEvents;
use crate::{Failure, HostAddress, QuicInfo, WebUrl};
use socket::NotingSocket;

/// The protocol that is agreed on in the handshake.
const HTTP_3: &[u8] = b"h3";
/// What a connection is closed with that has served its purpose (RFC 9114, section 8.1).
const NO_ERROR: VarInt = VarInt::from_u32(0x100);
/// TLS's alert of a server that speaks none of the protocols.
const NO_APPLICATION_PROTOCOL: u8 = 120;
/// How far a server may send ahead, as with HTTP/2: the line limits a transfer, not the probe.
const WINDOW_BYTES: u32 = 4 * 1024 * 1024;
/// A server that thinks for long must not assume that the probe is gone; idle connections are given up after 30 s or so.
const KEEP_ALIVE: Duration = Duration::from_secs(5);

/// A connection that stands. It is closed when it is dropped.
pub(crate) struct QuicConnection {
    pub(crate) connection: quinn::Connection,
    pub(crate) events: WireEvents,
}

/// A connection that is coming about, at an address that has answered.
struct Answering {
    connecting: Connecting,
    events: WireEvents,
    local: Option<SocketAddr>,
    peer: SocketAddr,
}

impl QuicConnection {
    /// Connects to the server of `url` at the first of `addresses` that answers.
    pub(crate) async fn open(
        url: &WebUrl,
        addresses: &[HostAddress],
        session: &TlsSession,
        clock: Clock,
        deadline: Deadline,
        opening: &mut Opening,
    ) -> Result<Self, Failure> {
        let (config, host) = (client_config(session)?, url.server_name()?);
        let (name, shown) = (host.to_str(), session.shown());
        let begin = |address| begin(&config, &name, address, clock);
        let choosing = choose(addresses, url.port(), &mut opening.attempts, begin);
        let chosen = deadline.hold(ErrorStage::Tcp, choosing).await;
        let (answering, answered) = chosen.map_err(|cause| Failure::NoQuic(Box::new(cause)))?;
        (opening.local, opening.peer) = (answering.local, Some(answering.peer));

        let connecting =
            async { answering.connecting.await.map_err(|error| session.failure(host, || explain(&error))) };
        let connection = deadline.hold(ErrorStage::Tls, connecting).await?;
        opening.tls = Some(clock.since(answered.start));
        opening.tls_evidence = Some(TlsEvidence {
            // QUIC has no other.
            version: "TLSv1.3".to_owned(),
            cipher_suite: None,
            resumed: session.is_resumed(shown),
            weakness: None,
            refused_first: None,
        });
        Ok(Self { connection, events: answering.events })
    }

    /// How it fared.
    pub(crate) fn info(&self) -> QuicInfo {
        let stats = self.connection.stats();
        let ms = |time: Duration| time.as_micros() as f64 / 1000.0;
        QuicInfo {
            min_rtt_ms: ms(stats.path.min_rtt),
            rtt_ms: ms(stats.path.rtt),
            lost_packets: stats.path.lost_packets,
            congestion_events: stats.path.congestion_events,
            received_bytes: stats.udp_rx.bytes,
        }
    }
}

impl Drop for QuicConnection {
    fn drop(&mut self) {
        self.connection.close(NO_ERROR, b"");
    }
}

/// Sends the first datagram to `peer`, and waits for an answer, whatever it says.
async fn begin(config: &ClientConfig, name: &str, peer: SocketAddr, clock: Clock) -> (Span, io::Result<Answering>) {
    let start = clock.now();
    match try_begin(config, name, peer, clock).await {
        Ok((span, answering)) => (span, Ok(answering)),
        Err(error) => (clock.since(start), Err(error)),
    }
}

async fn try_begin(config: &ClientConfig, name: &str, peer: SocketAddr, clock: Clock) -> io::Result<(Span, Answering)> {
    let events = WireEvents::default();
    let socket = Arc::new(NotingSocket::toward(peer, clock, events.clone())?);
    let (shared, runtime) = (Arc::clone(&socket), Arc::new(TokioRuntime));
    let endpoint = Endpoint::new_with_abstract_socket(EndpointConfig::default(), None, shared, runtime)?;
    let connecting = endpoint.connect_with(config.clone(), peer, name).map_err(io::Error::other)?;
    let span = socket.answered().await?;
    Ok((span, Answering { connecting, events, local: endpoint.local_addr().ok(), peer }))
}

fn client_config(session: &TlsSession) -> Result<ClientConfig, Failure> {
    let tls = QuicClientConfig::try_from(session.config_for(HTTP_3)?);
    let tls = tls.map_err(|error| Failure::TlsSettings(error.to_string()))?;
    let mut transport = TransportConfig::default();
    // What ends a measurement is its own deadline.
    transport.max_idle_timeout(None).keep_alive_interval(Some(KEEP_ALIVE)).stream_receive_window(WINDOW_BYTES.into());
    let mut config = ClientConfig::new(Arc::new(tls));
    config.transport_config(Arc::new(transport));
    Ok(config)
}

fn explain(error: &ConnectionError) -> String {
    let no_application_protocol = TransportErrorCode::crypto(NO_APPLICATION_PROTOCOL);
    match error {
        ConnectionError::ConnectionClosed(close) if close.error_code == no_application_protocol => {
            "it speaks QUIC, but not HTTP/3".to_owned()
        }
        other => other.to_string(),
    }
}
