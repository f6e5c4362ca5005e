//! A stream of HTTP/2 that notes when a request has left and when its answer begins.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::frames::FrameScanner;
use crate::clock::Clock;
use crate::wire_events::WireEvents;

/// A connection that carries one request. Over TLS it lies above the encryption, so that what TLS itself sends
/// and receives is neither request nor answer.
#[derive(Debug)]
pub(super) struct Wire<S> {
    stream: S,
    clock: Clock,
    events: WireEvents,
    has_request: bool,
    /// When the latest write began.
    handed: Duration,
    /// Not every byte is part of an answer.
    frames: FrameScanner,
}

impl<S> Wire<S> {
    pub(super) fn new(stream: S, clock: Clock, events: WireEvents) -> Self {
        Self { stream, clock, events, has_request: false, handed: Duration::ZERO, frames: FrameScanner::default() }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Wire<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(cx, buf))?;
        for _ in 0..self.frames.push(&buf.filled()[before..]) {
            self.events.answered(self.clock);
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Wire<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.has_request |= self.events.is_asked();
        self.handed = self.clock.now();
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    /// A request has no body and is written whole before it is flushed, so the first flush ends it.
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(Pin::new(&mut self.stream).poll_flush(cx))?;
        if self.has_request {
            self.events.left(self.handed);
        }
        Poll::Ready(Ok(()))
    }

    /// A connection is closed with its socket: before, the kernel is asked how it fared.
    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    #[tokio::test]
    async fn notes_the_first_flush_of_the_request_and_the_first_byte_only() {
        let (near, mut far) = tokio::io::duplex(64);
        let clock = Clock::start();
        let events = WireEvents::default();
        let mut wire = Wire::new(near, clock, events.clone());

        wire.write_all(b"greeting").await.unwrap();
        wire.flush().await.unwrap();
        assert_eq!(events.request(), None, "that was not a request");
        events.ask(clock);
        wire.write_all(b"ask").await.unwrap();
        wire.flush().await.unwrap();
        assert_eq!(events.ttfb(), None, "nothing came back yet");
        let asked = clock.now();

        far.write_all(&[0, 0, 1, 1, 4, 0, 0, 0, 1, 0x88, 0, 0, 1]).await.unwrap();
        wire.read_exact(&mut [0; 12]).await.unwrap();
        let answered = clock.now();
        let (request, ttfb) = (events.request().unwrap(), events.ttfb().unwrap());
        assert!(request.start <= request.end && request.end == ttfb.start);
        assert!(ttfb.start <= asked && asked <= ttfb.end && ttfb.end <= answered);

        wire.write_all(b"more").await.unwrap();
        wire.flush().await.unwrap();
        wire.read_u8().await.unwrap();
        assert_eq!(events.ttfb(), Some(ttfb));
    }

    /// A network that notes when it was handed something.
    struct Noting(Clock, Vec<Duration>);

    impl AsyncWrite for Noting {
        fn poll_write(mut self: Pin<&mut Self>, _: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
            let now = self.0.now();
            self.1.push(now);
            Poll::Ready(Ok(buf.len()))
        }

        fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }

        fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }
    }

    /// However long a thread waits behind the call that sends.
    #[tokio::test]
    async fn a_request_has_left_before_the_network_has_it() {
        let (clock, events) = (Clock::start(), WireEvents::default());
        let mut wire = Wire::new(Noting(clock, Vec::new()), clock, events.clone());
        events.ask(clock);
        wire.write_all(b"half of it, ").await.unwrap();
        wire.write_all(b"and the rest").await.unwrap();
        let between = clock.now();
        wire.flush().await.unwrap();
        let (sent, noted) = (events.request().unwrap().end, &wire.stream.1);
        assert!(noted[0] <= sent && sent <= noted[1] && noted[1] <= between);
    }

    #[tokio::test]
    async fn a_server_that_speaks_first_has_no_time_to_first_byte() {
        let (near, mut far) = tokio::io::duplex(64);
        let clock = Clock::start();
        let events = WireEvents::default();
        let mut wire = Wire::new(near, clock, events.clone());
        far.write_all(&[0, 0, 1, 1, 4, 0, 0, 0, 1, 0x88]).await.unwrap();
        wire.read_exact(&mut [0; 10]).await.unwrap();
        events.ask(clock);
        wire.write_all(b"ask").await.unwrap();
        wire.flush().await.unwrap();
        assert_eq!(events.ttfb(), None);
    }

    #[tokio::test]
    async fn with_http2_an_answer_begins_with_its_headers() {
        let (near, mut far) = tokio::io::duplex(64);
        let clock = Clock::start();
        let events = WireEvents::default();
        let mut wire = Wire::new(near, clock, events.clone());
        events.ask(clock);
        wire.write_all(b"ask").await.unwrap();
        wire.flush().await.unwrap();
        far.write_all(&[0, 0, 0, 4, 0, 0, 0, 0, 0]).await.unwrap();
        wire.read_exact(&mut [0; 9]).await.unwrap();
        assert_eq!(events.ttfb(), None, "those were settings");
        far.write_all(&[0, 0, 1, 1, 4, 0, 0, 0, 1, 0x88]).await.unwrap();
        wire.read_exact(&mut [0; 10]).await.unwrap();
        assert!(events.ttfb().is_some());
    }
}
