//! The TLS phase: a full handshake, with the certificate verified.

use std::io;
use std::sync::Arc;

use rustls::client::Resumption;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore, crypto};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::Failure;
use crate::phases::{Clock, Span};

/// TLS 1.3 or 1.2 over `stream`, and the time that the handshake took.
pub(crate) async fn handshake(
    stream: TcpStream,
    host: &ServerName<'static>,
    roots: &Arc<RootCertStore>,
    clock: Clock,
) -> Result<(TlsStream<TcpStream>, Span), Failure> {
    let failure = |cause| Failure::Tls { host: host.to_str().into_owned(), cause };
    let config = client_config(roots).map_err(|error| failure(io::Error::other(error)))?;
    let connector = TlsConnector::from(Arc::new(config));
    let start = clock.now();
    let stream = connector.connect(host.clone(), stream).await.map_err(failure)?;
    Ok((stream, clock.since(start)))
}

/// Made for one handshake, so that nothing of an earlier session can shorten it.
fn client_config(roots: &Arc<RootCertStore>) -> Result<ClientConfig, rustls::Error> {
    let mut config = ClientConfig::builder_with_provider(Arc::new(crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(Arc::clone(roots))
        .with_no_client_auth();
    config.resumption = Resumption::disabled();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}
