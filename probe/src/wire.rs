//! A stream that notes when a request has left and when its answer begins.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::phases::{Clock, Span};

/// What happened on a [`Wire`], and when. Shared with the code that hands the stream away.
#[derive(Clone, Debug, Default)]
pub(crate) struct WireEvents {
    request_sent: Arc<OnceLock<Duration>>,
    first_byte: Arc<OnceLock<Duration>>,
}

impl WireEvents {
    /// From the request handed to the network in full, to the first byte that came back. `None` until then, and
    /// where the server spoke before it was asked.
    pub(crate) fn ttfb(&self) -> Option<Span> {
        let (start, end) = (*self.request_sent.get()?, *self.first_byte.get()?);
        (start <= end).then_some(Span { start, end })
    }
}

/// A connection that carries one request. Over TLS it lies above the encryption, so that what TLS itself sends
/// and receives is neither request nor answer.
#[derive(Debug)]
pub(crate) struct Wire<S> {
    stream: S,
    clock: Clock,
    events: WireEvents,
    has_written: bool,
}

impl<S> Wire<S> {
    pub(crate) fn new(stream: S, clock: Clock) -> (Self, WireEvents) {
        let events = WireEvents::default();
        (Self { stream, clock, events: events.clone(), has_written: false }, events)
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Wire<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(cx, buf))?;
        if buf.filled().len() > before {
            self.events.first_byte.get_or_init(|| self.clock.now());
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Wire<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.has_written = true;
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    /// A request has no body and is written whole before it is flushed, so the first flush ends it.
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(Pin::new(&mut self.stream).poll_flush(cx))?;
        if self.has_written {
            self.events.request_sent.get_or_init(|| self.clock.now());
        }
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    #[tokio::test]
    async fn notes_the_first_flush_and_the_first_byte_only() {
        let (near, mut far) = tokio::io::duplex(64);
        let clock = Clock::start();
        let (mut wire, events) = Wire::new(near, clock);

        wire.flush().await.unwrap();
        assert_eq!(events.ttfb(), None, "nothing was written yet");
        wire.write_all(b"ask").await.unwrap();
        wire.flush().await.unwrap();
        assert_eq!(events.ttfb(), None, "nothing came back yet");
        let asked = clock.now();

        far.write_all(b"answer").await.unwrap();
        wire.read_u8().await.unwrap();
        let answered = clock.now();
        let span = events.ttfb().unwrap();
        assert!(span.start <= asked && asked <= span.end && span.end <= answered);

        wire.write_all(b"more").await.unwrap();
        wire.flush().await.unwrap();
        wire.read_u8().await.unwrap();
        assert_eq!(events.ttfb(), Some(span));
    }

    #[tokio::test]
    async fn a_server_that_speaks_first_has_no_time_to_first_byte() {
        let (near, mut far) = tokio::io::duplex(64);
        let (mut wire, events) = Wire::new(near, Clock::start());
        far.write_all(b"hello").await.unwrap();
        wire.read_u8().await.unwrap();
        wire.write_all(b"ask").await.unwrap();
        wire.flush().await.unwrap();
        assert_eq!(events.ttfb(), None);
    }
}
