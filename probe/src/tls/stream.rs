//! A connection that is encrypted by either stack, read as tolerantly as curl reads it.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use rustls::{AlertDescription, Error};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

use super::HTTP_2;
use super::second_stack::SecondStream;
use super::words;

/// What a server says that wants a client certificate, and has not got one. In TLS 1.3 it can do so only after the
/// handshake is over on our side: with the first bytes that are read.
const WANTS_CERTIFICATE: &str = "it requires a client certificate, and the probe has none";

pub(crate) struct EncryptedStream {
    stack: Stack,
    /// Whether the server has asked for a certificate.
    is_asked: bool,
    has_read: bool,
    refusal: Option<String>,
}

enum Stack {
    First(Box<TlsStream<TcpStream>>),
    Second(Box<SecondStream>),
}

impl EncryptedStream {
    pub(crate) fn first(stream: TlsStream<TcpStream>, is_asked: bool) -> Self {
        Self { stack: Stack::First(Box::new(stream)), is_asked, has_read: false, refusal: None }
    }

    pub(super) fn second(stream: SecondStream) -> Self {
        Self { stack: Stack::Second(Box::new(stream)), is_asked: false, has_read: false, refusal: None }
    }

    /// Whether HTTP/2 was agreed on.
    pub(crate) fn speaks_http2(&self) -> bool {
        let agreed = match &self.stack {
            Stack::First(stream) => stream.get_ref().1.alpn_protocol(),
            Stack::Second(stream) => stream.as_ref().as_ref().application_protocol(),
        };
        agreed == Some(HTTP_2)
    }

    /// What it runs over.
    pub(crate) fn tcp(&self) -> &TcpStream {
        match &self.stack {
            Stack::First(stream) => stream.get_ref().0,
            Stack::Second(stream) => stream.get_ref(),
        }
    }

    /// Why the server has taken the handshake back, if it has.
    pub(crate) fn refusal(&self) -> Option<&str> {
        self.refusal.as_deref()
    }

    /// Notes where the server takes the handshake back, and says in plain words what has happened.
    fn explain(&mut self, error: &io::Error) -> io::Error {
        let tls = error.get_ref().and_then(|error| error.downcast_ref::<Error>());
        let is_about_certificate = matches!(
            tls,
            Some(Error::AlertReceived(
                AlertDescription::CertificateRequired
                    | AlertDescription::NoCertificate
                    | AlertDescription::BadCertificate
                    | AlertDescription::HandshakeFailure
            ))
        );
        if self.is_asked && (is_about_certificate || !self.has_read) {
            self.refusal = Some(WANTS_CERTIFICATE.to_owned());
        } else if let Some(error @ Error::AlertReceived(_)) = tls
            && !self.has_read
        {
            self.refusal = Some(netqoe_tls::of_tls(error));
        }
        match error.kind() {
            io::ErrorKind::InvalidData | io::ErrorKind::Other => io::Error::new(error.kind(), words::of_io(error)),
            kind => io::Error::new(kind, error.to_string()),
        }
    }
}

/// What a handshake has failed with while the server wanted a certificate.
pub(super) fn refused_without_certificate() -> String {
    WANTS_CERTIFICATE.to_owned()
}

impl AsyncRead for EncryptedStream {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let read = match &mut self.stack {
            Stack::First(stream) => Pin::new(stream).poll_read(cx, buf),
            Stack::Second(stream) => Pin::new(stream).poll_read(cx, buf),
        };
        let Poll::Ready(read) = read else { return Poll::Pending };
        // Many servers close without saying so in TLS. Whether something is missing, HTTP knows.
        let read = match read {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(()),
            read => read,
        };
        let has_come = buf.filled().len() > before;
        if read.is_ok() && !has_come && !self.has_read && self.is_asked && buf.remaining() > 0 {
            self.refusal = Some(WANTS_CERTIFICATE.to_owned());
        }
        self.has_read |= has_come;
        Poll::Ready(read.map_err(|error| self.explain(&error)))
    }
}

impl AsyncWrite for EncryptedStream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = match &mut self.stack {
            Stack::First(stream) => Pin::new(stream).poll_write(cx, bytes),
            Stack::Second(stream) => Pin::new(stream).poll_write(cx, bytes),
        };
        written.map_err(|error| self.explain(&error))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = match &mut self.stack {
            Stack::First(stream) => Pin::new(stream).poll_flush(cx),
            Stack::Second(stream) => Pin::new(stream).poll_flush(cx),
        };
        flushed.map_err(|error| self.explain(&error))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.stack {
            Stack::First(stream) => Pin::new(stream).poll_shutdown(cx),
            Stack::Second(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}
