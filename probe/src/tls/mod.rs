//! The TLS phase: a full handshake, with the certificate verified.

mod certificate;
mod roots;

use std::sync::{Arc, OnceLock};

use rustls::client::{Resumption, WebPkiServerVerifier};
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore, crypto};
use serde::Serialize;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::clock::{Clock, Span};
use crate::{Failure, Settings};
use certificate::{Notes, NotingVerifier};
pub use roots::trusted_roots;

/// Sessions that one measurement remembers: those of its two connections.
const SESSIONS: usize = 2;
/// What is spoken over TLS, the preferred first.
pub(crate) const PROTOCOLS: [&[u8]; 2] = [HTTP_2, b"http/1.1"];
const HTTP_2: &[u8] = b"h2";

/// What a handshake has agreed on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TlsEvidence {
    /// `TLSv1.3` or `TLSv1.2`.
    pub version: String,
    /// As IANA names it. Absent with HTTP/3: what shakes hands there does not tell.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cipher_suite: Option<String>,
    /// Whether a session of an earlier connection was gone on with, which saves a round trip or the certificate.
    pub resumed: bool,
}

/// What the connections of one measurement share. It is new for each, so that nothing of an earlier measurement can
/// shorten a handshake; the second connection may go on with the session of the first.
pub(crate) struct TlsSession {
    roots: Arc<RootCertStore>,
    notes: Notes,
    /// Made for the first handshake: many a measurement has none.
    connector: OnceLock<TlsConnector>,
    /// What is offered to speak.
    protocols: &'static [&'static [u8]],
    #[cfg(feature = "http3")]
    pub(crate) is_over_quic: bool,
}

impl TlsSession {
    /// Trusts who is signed by the roots of these settings.
    pub(crate) fn new(settings: &Settings) -> Self {
        Self {
            roots: Arc::clone(&settings.roots),
            notes: Notes::default(),
            connector: OnceLock::new(),
            protocols: &PROTOCOLS,
            #[cfg(feature = "http3")]
            is_over_quic: settings.http3,
        }
    }

    /// The same for a server that has refused HTTP/2.
    pub(crate) fn over_http1(settings: &Settings) -> Self {
        Self { protocols: &PROTOCOLS[1..], ..Self::new(settings) }
    }

    /// When the first of the certificates expires that the server has shown, in Unix seconds. It is known, too, where
    /// they were refused.
    pub(crate) fn certificate_expires_s(&self) -> Option<i64> {
        self.notes.earliest_expiry_s()
    }

    /// TLS 1.3 or 1.2 over `stream`, and the time that the handshake took.
    pub(crate) async fn handshake(
        &self,
        stream: TcpStream,
        host: &ServerName<'static>,
        clock: Clock,
    ) -> Result<(TlsStream<TcpStream>, Span, TlsEvidence), Failure> {
        let connector = self.connector()?;
        let (start, shown) = (clock.now(), self.shown());
        let shaken = connector.connect(host.clone(), stream).await;
        let span = clock.since(start);
        let stream = shaken.map_err(|error| self.failure(host, || error.to_string()))?;
        let evidence = evidence(&stream, self.is_resumed(shown));
        Ok((stream, span, evidence))
    }

    /// Why a handshake has failed: the certificate, or else what `cause` says.
    pub(crate) fn failure(&self, host: &ServerName<'static>, cause: impl FnOnce() -> String) -> Failure {
        Failure::Tls { host: host.to_str().into_owned(), cause: self.notes.complaint().unwrap_or_else(cause) }
    }

    /// How often the server has shown its certificates so far.
    pub(crate) fn shown(&self) -> usize {
        self.notes.shown()
    }

    /// Whether a handshake went on with an earlier session, since no certificate was shown after `shown_before`.
    pub(crate) fn is_resumed(&self, shown_before: usize) -> bool {
        self.shown() == shown_before
    }

    fn connector(&self) -> Result<&TlsConnector, Failure> {
        if let Some(connector) = self.connector.get() {
            return Ok(connector);
        }
        let config = client_config(&self.roots, self.notes.clone(), self.protocols);
        let config = config.map_err(|error| Failure::TlsSettings(error.to_string()))?;
        Ok(self.connector.get_or_init(|| TlsConnector::from(Arc::new(config))))
    }
}

#[cfg(feature = "http3")]
impl TlsSession {
    /// As it is, with another protocol to be spoken. Sessions are remembered in common.
    pub(crate) fn config_for(&self, protocol: &[u8]) -> Result<ClientConfig, Failure> {
        let mut config = ClientConfig::clone(self.connector()?.config());
        config.alpn_protocols = vec![protocol.to_vec()];
        Ok(config)
    }
}

/// Whether HTTP/2 was agreed on.
pub(crate) fn speaks_http2(stream: &TlsStream<TcpStream>) -> bool {
    stream.get_ref().1.alpn_protocol() == Some(HTTP_2)
}

fn evidence(stream: &TlsStream<TcpStream>, resumed: bool) -> TlsEvidence {
    let connection = stream.get_ref().1;
    let version = connection.protocol_version().and_then(|version| version.as_str());
    let suite = connection.negotiated_cipher_suite().and_then(|suite| suite.suite().as_str());
    TlsEvidence {
        version: version.unwrap_or("unknown").replace('_', "."),
        cipher_suite: suite.map(str::to_owned),
        resumed,
    }
}

fn client_config(roots: &Arc<RootCertStore>, notes: Notes, protocols: &[&[u8]]) -> Result<ClientConfig, rustls::Error> {
    let provider = Arc::new(crypto::ring::default_provider());
    let judge = WebPkiServerVerifier::builder_with_provider(Arc::clone(roots), Arc::clone(&provider))
        .build()
        .map_err(|error| rustls::Error::General(error.to_string()))?;
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .dangerous()
        // Not dangerous: every decision is still webpki's.
        .with_custom_certificate_verifier(Arc::new(NotingVerifier { judge, notes }))
        .with_no_client_auth();
    config.resumption = Resumption::in_memory_sessions(SESSIONS);
    config.alpn_protocols = protocols.iter().map(|protocol| protocol.to_vec()).collect();
    Ok(config)
}
