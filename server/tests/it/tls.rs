//! A listener that speaks TLS.

use std::path::PathBuf;
use std::sync::Arc;

use hyper_util::rt::{TokioExecutor, TokioIo};
use netqoe_server::{ServerLimits, Tls, Tokens, listen, serve_over};
use rcgen::{CertificateParams, KeyPair};
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_util::sync::CancellationToken;

use crate::support::*;

struct Server {
    folder: TempDir,
    tls: Tls,
    listening: Listening,
}

impl Server {
    fn start(limits: ServerLimits) -> Self {
        let folder = tempfile::tempdir().unwrap();
        write_pair(&folder);
        let [certificate, key] = paths(&folder);
        let tls = Tls::open(&certificate, &key).unwrap();
        let listener = listen("127.0.0.1:0".parse().unwrap(), &Tokens::none_on_loopback()).unwrap();
        let (address, stop, router) = (listener.local_addr().unwrap(), CancellationToken::new(), Api::new().router);
        let (stopped, over) = (stop.clone(), tls.clone());
        let serving = tokio::spawn(async move { serve_over(Some(&over), listener, router, &limits, stopped).await });
        Self { folder, tls, listening: Listening { address, stop, serving } }
    }

    /// A connection of who trusts the certificate that is in the file now, and knows these protocols.
    async fn connect(&self, protocols: &[&[u8]]) -> std::io::Result<TlsStream<TcpStream>> {
        let [certificate, _] = paths(&self.folder);
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_file(certificate).unwrap()).unwrap();
        let config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()));
        let config = config.with_safe_default_protocol_versions().unwrap().with_root_certificates(roots);
        let mut config = config.with_no_client_auth();
        config.alpn_protocols = protocols.iter().map(|protocol| protocol.to_vec()).collect();
        let name = ServerName::try_from("localhost").unwrap();
        TlsConnector::from(Arc::new(config)).connect(name, self.listening.connect().await).await
    }
}

fn paths(folder: &TempDir) -> [PathBuf; 2] {
    ["server.pem", "server.key"].map(|name| folder.path().join(name))
}

/// A new certificate and its key.
fn write_pair(folder: &TempDir) {
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(["localhost".to_owned()]).unwrap().self_signed(&key).unwrap();
    let [certificate_path, key_path] = paths(folder);
    std::fs::write(certificate_path, certificate.pem()).unwrap();
    std::fs::write(key_path, key.serialize_pem()).unwrap();
}

#[tokio::test]
async fn the_client_chooses_the_protocol_and_nothing_is_spoken_without_tls() {
    let server = Server::start(ServerLimits::default());
    let mut first = server.connect(&[b"http/1.1"]).await.unwrap();
    assert_eq!(first.get_ref().1.alpn_protocol(), Some(&b"http/1.1"[..]));
    first.write_all(request_to(SENDING, "a body", "close").as_bytes()).await.unwrap();
    let mut answer = String::new();
    first.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");

    let second = server.connect(&[b"h2", b"http/1.1"]).await.unwrap();
    assert_eq!(second.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
    let (mut sender, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(second)).await.unwrap();
    let connected = tokio::spawn(connection);
    let uri = format!("https://localhost:{}/livez", server.listening.address.port());
    let request = http::Request::get(uri).body(http_body_util::Empty::<bytes::Bytes>::new()).unwrap();
    assert_eq!(sender.send_request(request).await.unwrap().status(), 200);
    connected.abort();

    let mut plain = server.listening.connect().await;
    plain.write_all(request_to(SENDING, "a body", "close").as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    tokio::time::timeout(PATIENCE, plain.read_to_end(&mut answer)).await.unwrap().unwrap_or_default();
    assert!(!answer.starts_with(b"HTTP"), "{answer:?}");
}

#[tokio::test]
async fn a_handshake_has_a_place_and_a_time() {
    let server = Server::start(ServerLimits { max_connections: 2, header_timeout: SHORT, ..ServerLimits::default() });
    let silent = server.listening.connect().await;
    rest_of(silent).await;

    // Handshakes that do not go on make room for those that do.
    let server = Server::start(ServerLimits { max_connections: 2, ..ServerLimits::default() });
    let silent = [server.listening.connect().await, server.listening.connect().await];
    let connected = tokio::time::timeout(PATIENCE, server.connect(&[b"http/1.1"])).await.unwrap();
    connected.unwrap().write_all(b"GET /livez HTTP/1.1\r\nhost: localhost\r\n\r\n").await.unwrap();
    let [oldest, _] = silent;
    rest_of(oldest).await;
}

#[tokio::test]
async fn a_new_certificate_is_for_new_connections_and_a_broken_one_for_none() {
    let server = Server::start(ServerLimits::default());
    let mut before = server.connect(&[b"http/1.1"]).await.unwrap();
    assert!(!server.tls.take(server.tls.read_again().unwrap()), "nothing has changed");

    // What is half written changes nothing.
    let [certificate, key] = paths(&server.folder);
    let whole = std::fs::read(&key).unwrap();
    std::fs::write(&key, &whole[..whole.len() / 2]).unwrap();
    let error = server.tls.read_again().err().unwrap().to_string();
    assert!(error.contains("server.key") && !error.contains("BEGIN"), "{error}");
    std::fs::write(&key, &whole).unwrap();
    server.connect(&[]).await.unwrap();

    write_pair(&server.folder);
    assert!(server.connect(&[]).await.is_err(), "the file's certificate is not used yet");
    assert!(server.tls.take(server.tls.read_again().unwrap()));
    let after = server.connect(&[]).await.unwrap();
    let shown = &after.get_ref().1.peer_certificates().unwrap()[0];
    assert_eq!(*shown, CertificateDer::from_pem_file(certificate).unwrap());
    before.write_all(b"GET /livez HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").await.unwrap();
    let mut answer = String::new();
    before.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK"), "a connection that is there goes on");
}
