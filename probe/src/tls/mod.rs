//! The TLS phase: a full handshake, with the certificate verified.

mod certificate;
mod roots;

use std::io;
use std::sync::{Arc, OnceLock};

use rustls::client::{Resumption, WebPkiServerVerifier};
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, HandshakeKind, RootCertStore, crypto};
use serde::Serialize;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::Failure;
use crate::clock::{Clock, Span};
use certificate::{Expiry, NotingVerifier};
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
    /// As IANA names it.
    pub cipher_suite: String,
    /// Whether a session of an earlier connection was gone on with, which saves a round trip or the certificate.
    pub resumed: bool,
}

/// What the connections of one measurement share. It is new for each, so that nothing of an earlier measurement can
/// shorten a handshake; the second connection may go on with the session of the first.
pub(crate) struct TlsSession {
    roots: Arc<RootCertStore>,
    expiry: Expiry,
    /// Made for the first handshake: many a measurement has none.
    connector: OnceLock<TlsConnector>,
}

impl TlsSession {
    /// Trusts who is signed by `roots`.
    pub(crate) fn new(roots: &Arc<RootCertStore>) -> Self {
        Self { roots: Arc::clone(roots), expiry: Expiry::default(), connector: OnceLock::new() }
    }

    /// When the first of the certificates expires that the server has shown, in Unix seconds. It is known, too, where
    /// they were refused.
    pub(crate) fn certificate_expires_s(&self) -> Option<i64> {
        self.expiry.unix_s()
    }

    /// TLS 1.3 or 1.2 over `stream`, and the time that the handshake took.
    pub(crate) async fn handshake(
        &self,
        stream: TcpStream,
        host: &ServerName<'static>,
        clock: Clock,
    ) -> Result<(TlsStream<TcpStream>, Span, TlsEvidence), Failure> {
        let connector = self.connector()?;
        let start = clock.now();
        let shaken = connector.connect(host.clone(), stream).await;
        let span = clock.since(start);
        let stream =
            shaken.map_err(|error| Failure::Tls { host: host.to_str().into_owned(), cause: explain(&error) })?;
        let evidence = evidence(&stream);
        Ok((stream, span, evidence))
    }

    fn connector(&self) -> Result<&TlsConnector, Failure> {
        if let Some(connector) = self.connector.get() {
            return Ok(connector);
        }
        let config = client_config(&self.roots, self.expiry.clone());
        let config = config.map_err(|error| Failure::TlsSettings(error.to_string()))?;
        Ok(self.connector.get_or_init(|| TlsConnector::from(Arc::new(config))))
    }
}

/// Whether HTTP/2 was agreed on.
pub(crate) fn speaks_http2(stream: &TlsStream<TcpStream>) -> bool {
    stream.get_ref().1.alpn_protocol() == Some(HTTP_2)
}

fn evidence(stream: &TlsStream<TcpStream>) -> TlsEvidence {
    let connection = stream.get_ref().1;
    let version = connection.protocol_version().and_then(|version| version.as_str());
    let suite = connection.negotiated_cipher_suite().and_then(|suite| suite.suite().as_str());
    TlsEvidence {
        version: version.unwrap_or("unknown").replace('_', "."),
        cipher_suite: suite.unwrap_or("unknown").to_owned(),
        resumed: connection.handshake_kind() == Some(HandshakeKind::Resumed),
    }
}

fn explain(error: &io::Error) -> String {
    let cause = error.get_ref().and_then(|error| error.downcast_ref::<rustls::Error>());
    cause.and_then(certificate::complaint).unwrap_or_else(|| error.to_string())
}

fn client_config(roots: &Arc<RootCertStore>, expiry: Expiry) -> Result<ClientConfig, rustls::Error> {
    let provider = Arc::new(crypto::ring::default_provider());
    let judge = WebPkiServerVerifier::builder_with_provider(Arc::clone(roots), Arc::clone(&provider))
        .build()
        .map_err(|error| rustls::Error::General(error.to_string()))?;
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .dangerous()
        // Not dangerous: every decision is still webpki's.
        .with_custom_certificate_verifier(Arc::new(NotingVerifier { judge, expiry }))
        .with_no_client_auth();
    config.resumption = Resumption::in_memory_sessions(SESSIONS);
    config.alpn_protocols = PROTOCOLS.map(<[u8]>::to_vec).to_vec();
    Ok(config)
}
