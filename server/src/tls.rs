//! TLS on a listener: certificates from files, which are read again while the server runs, and handshakes.
//!
//! Decision: D-097.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use netqoe_tls::{FileError, key_pair_in};
use parking_lot::RwLock;
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::CertificateDer;
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tokio_util::sync::CancellationToken;

/// How often the files are looked at. A new certificate is there days before the old one ends.
const EVERY: Duration = Duration::from_secs(10);
/// What is spoken over TLS, the first one that the client knows.
const PROTOCOLS: [&[u8]; 2] = [b"h2", b"http/1.1"];

/// Why there is no TLS.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TlsError {
    /// A file can't be used.
    #[error("can't use {} for TLS: {}; see --tls-cert and --tls-key", .0.path.display(), .0.reason)]
    File(FileError),
    /// The library refuses.
    #[error("can't speak TLS: {0}")]
    Library(String),
}

/// The certificate and the key of a listener. Clones are the same.
#[derive(Clone)]
pub struct Tls(Arc<Shared>);

struct Shared {
    certificate: PathBuf,
    key: PathBuf,
    present: RwLock<Present>,
}

struct Present {
    certificates: Vec<CertificateDer<'static>>,
    config: Arc<ServerConfig>,
}

/// Files that were read and can be used: see [`Tls::take`].
pub struct ReadTls(Present);

impl Tls {
    /// Reads a certificate, with those that it was signed by, and its key, each a PEM file.
    ///
    /// # Errors
    /// [`TlsError`], which names the file.
    pub fn open(certificate: &Path, key: &Path) -> Result<Self, TlsError> {
        let present = RwLock::new(read(certificate, key)?);
        Ok(Self(Arc::new(Shared { certificate: certificate.to_owned(), key: key.to_owned(), present })))
    }

    /// Reads the files again, and changes nothing yet.
    ///
    /// # Errors
    /// [`TlsError`], which names the file.
    pub fn read_again(&self) -> Result<ReadTls, TlsError> {
        read(&self.0.certificate, &self.0.key).map(ReadTls)
    }

    /// Uses what was read for new connections. Whether the certificate is another one.
    pub fn take(&self, read: ReadTls) -> bool {
        let mut present = self.0.present.write();
        let is_new = present.certificates != read.0.certificates;
        if is_new {
            *present = read.0;
        }
        is_new
    }

    /// Uses the files whenever they have changed, until `stop`.
    pub async fn follow(self, stop: CancellationToken) {
        let mut complaint = String::new();
        while stop.run_until_cancelled(tokio::time::sleep(EVERY)).await.is_some() {
            let tls = self.clone();
            let read = tokio::task::spawn_blocking(move || tls.read_again().map(|read| tls.take(read))).await;
            match read {
                Ok(Ok(is_new)) => {
                    complaint.clear();
                    if is_new {
                        tracing::info!(
                            "new connections get the certificate that is in {} now",
                            self.0.certificate.display()
                        );
                    }
                }
                Ok(Err(error)) => {
                    let message = error.to_string();
                    if message != complaint {
                        tracing::warn!("the certificate stays as it is: {message}");
                        complaint = message;
                    }
                }
                Err(_) => return,
            }
        }
    }

    /// A connection over TLS, once the client has shaken hands.
    pub(crate) async fn accept(&self, stream: TcpStream) -> io::Result<TlsStream<TcpStream>> {
        let config = Arc::clone(&self.0.present.read().config);
        TlsAcceptor::from(config).accept(stream).await
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls").field("certificate", &self.0.certificate).finish_non_exhaustive()
    }
}

fn read(certificate: &Path, key: &Path) -> Result<Present, TlsError> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let pair: CertifiedKey = key_pair_in(certificate, key, &provider).map_err(TlsError::File)?;
    let certificates = pair.cert.clone();
    let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let config = config.map_err(|error| TlsError::Library(error.to_string()))?.with_no_client_auth();
    let mut config = config.with_cert_resolver(Arc::new(SingleCertAndKey::from(pair)));
    config.alpn_protocols = PROTOCOLS.map(<[u8]>::to_vec).into();
    Ok(Present { certificates, config: Arc::new(config) })
}

/// What a connection goes over.
pub(crate) enum Transport {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

impl AsyncRead for Transport {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_read(cx, buffer),
            Self::Tls(stream) => Pin::new(stream).poll_read(cx, buffer),
        }
    }
}

impl AsyncWrite for Transport {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write(cx, bytes),
            Self::Tls(stream) => Pin::new(stream).poll_write(cx, bytes),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write_vectored(cx, slices),
            Self::Tls(stream) => Pin::new(stream).poll_write_vectored(cx, slices),
        }
    }

    fn is_write_vectored(&self) -> bool {
        match self {
            Self::Plain(stream) => stream.is_write_vectored(),
            Self::Tls(stream) => stream.is_write_vectored(),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_flush(cx),
            Self::Tls(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::Tls(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}
