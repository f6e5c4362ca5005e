//! A connection that holds one of a bounded number of places, and is given up when nothing moves on it.

use std::future::Future as _;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum_server::accept::Accept;
use futures::future::BoxFuture;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, Sleep};

use crate::config::ServerLimits;

/// What a client reads that finds no place.
const NO_PLACE: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\ncontent-type: application/json\r\ncontent-length: 113\r\n\
    retry-after: 1\r\nconnection: close\r\n\r\n\
    {\"error\":\"service_unavailable\",\"message\":\"all connections are in use; connect again in a moment\",\"retry_after\":1}";

/// Gives connections a place.
#[derive(Clone)]
pub(crate) struct PlaceKeeper {
    places: Arc<Semaphore>,
    idle_timeout: Duration,
    write_timeout: Duration,
}

impl PlaceKeeper {
    pub(crate) fn new(limits: &ServerLimits) -> Self {
        Self {
            places: Arc::new(Semaphore::new(limits.max_connections.min(Semaphore::MAX_PERMITS))),
            idle_timeout: limits.idle_timeout,
            write_timeout: limits.write_timeout,
        }
    }
}

impl<S: Send + 'static> Accept<TcpStream, S> for PlaceKeeper {
    type Stream = Connection;
    type Service = S;
    type Future = BoxFuture<'static, io::Result<(Connection, S)>>;

    fn accept(&self, mut stream: TcpStream, service: S) -> Self::Future {
        let place = Arc::clone(&self.places).try_acquire_owned();
        let (idle, unwritten) = (Stall::after(self.idle_timeout), Stall::after(self.write_timeout));
        Box::pin(async move {
            stream.set_nodelay(true)?;
            let Ok(place) = place else {
                // It fits into the empty buffer of a new connection, so that this waits for nobody.
                stream.write_all(NO_PLACE).await?;
                return Err(io::Error::other("all connections are in use"));
            };
            Ok((Connection { stream, idle, unwritten, _place: place }, service))
        })
    }
}

/// A connection with its place. Reading fails once nothing has moved in either direction for the idle timeout, writing
/// once the client has taken nothing for the write timeout.
pub(crate) struct Connection {
    stream: TcpStream,
    idle: Stall,
    unwritten: Stall,
    _place: OwnedSemaphorePermit,
}

impl AsyncRead for Connection {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let read = Pin::new(&mut this.stream).poll_read(cx, buffer);
        this.idle.watch(read, cx)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = Pin::new(&mut this.stream).poll_write(cx, bytes);
        this.on_written(written, cx)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = Pin::new(&mut this.stream).poll_write_vectored(cx, slices);
        this.on_written(written, cx)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
    }
}

impl Connection {
    fn on_written<T>(&mut self, written: Poll<io::Result<T>>, cx: &mut Context<'_>) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.idle.is_running = false;
        }
        self.unwritten.watch(written, cx)
    }
}

/// A timer that runs while nothing moves.
struct Stall {
    timeout: Duration,
    is_running: bool,
    timer: Option<Pin<Box<Sleep>>>,
}

impl Stall {
    fn after(timeout: Duration) -> Self {
        Self { timeout, is_running: false, timer: None }
    }

    /// The same, or an error where it has been pending for too long.
    fn watch<T>(&mut self, polled: Poll<io::Result<T>>, cx: &mut Context<'_>) -> Poll<io::Result<T>> {
        if polled.is_ready() {
            self.is_running = false;
            return polled;
        }
        let deadline = Instant::now() + self.timeout;
        let timer = self.timer.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(deadline)));
        if !self.is_running {
            timer.as_mut().reset(deadline);
            self.is_running = true;
        }
        timer.as_mut().poll(cx).map(|()| Err(io::Error::from(io::ErrorKind::TimedOut)))
    }
}
