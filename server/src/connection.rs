//! A connection that holds one of a bounded number of places, and is given up when nothing moves on it, when a head does not
//! come to its end, and when there is no memory for one.

use std::future::Future as _;
use std::io;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum_server::accept::Accept;
use futures::future::BoxFuture;
use parking_lot::Mutex;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep};

use crate::arriving::Arriving;
use crate::exchange::{Exchanges, Peer, Progress};
use crate::limits::ServerLimits;
use crate::memory::{Held, RequestMemory};
use crate::outage::Outage;
use crate::places::{Place, Places};
use crate::tls::Transport;
use crate::{Clock, SystemClock, Tls};

/// What a client reads that finds no place.
const NO_PLACE: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\ncontent-type: application/json\r\ncontent-length: 113\r\n\
    retry-after: 1\r\nconnection: close\r\ncache-control: no-store\r\nx-content-type-options: nosniff\r\n\r\n\
    {\"error\":\"service_unavailable\",\"message\":\"all connections are in use; connect again in a moment\",\"retry_after\":1}";

/// Gives connections a place.
#[derive(Clone)]
pub(crate) struct PlaceKeeper {
    places: Places,
    limits: ServerLimits,
    tls: Option<Tls>,
    scarcity: Arc<Scarcity>,
}

/// What the server's own log says while there is too little of something for connections.
pub(crate) struct Scarcity {
    clock: SystemClock,
    files: Outage,
    memory: Outage,
}

impl Scarcity {
    pub(crate) fn new() -> Self {
        Self { clock: SystemClock::new(), files: Outage::default(), memory: Outage::default() }
    }

    /// A connection that could not be taken from the system.
    pub(crate) fn not_taken(&self, error: &io::Error) {
        if is_out_of_files(error) {
            if let Some(times) = self.files.failed(self.clock.elapsed()) {
                tracing::error!(
                    "no new connection can be taken ({times} tries so far): {error}; raise the limit of open files (`ulimit -n`, LimitNOFILE), or lower --max-connections"
                );
            }
        } else {
            tracing::debug!(%error, "a connection was not taken");
        }
    }

    fn taken(&self) {
        if self.files.succeeded(self.clock.elapsed()).is_some() {
            tracing::info!("new connections are taken again");
        }
    }

    fn no_memory(&self) {
        if let Some(connections) = self.memory.failed(self.clock.elapsed()) {
            tracing::warn!(
                "there is no memory for more long heads of requests: {connections} connections are closed so far; see --max-in-flight-body-bytes and --max-header-bytes"
            );
        }
    }
}

/// The process, or the machine, has as many files open as it may.
fn is_out_of_files(error: &io::Error) -> bool {
    const ENFILE: i32 = 23;
    const EMFILE: i32 = 24;
    matches!(error.raw_os_error(), Some(ENFILE | EMFILE))
}

impl PlaceKeeper {
    pub(crate) fn new(limits: &ServerLimits, tls: Option<Tls>, scarcity: Arc<Scarcity>) -> Self {
        Self { places: Places::new(limits.max_connections), limits: limits.clone(), tls, scarcity }
    }

    /// The stream, once the client has shaken hands where there is TLS. That has the time of a request's head; and like any other
    /// connection that has shown no token, it goes where all places are taken.
    async fn transport(&self, stream: TcpStream, place: &Place) -> io::Result<Transport> {
        let Some(tls) = &self.tls else { return Ok(Transport::Plain(stream)) };
        let must_leave = std::future::poll_fn(|cx| match place.must_leave(cx.waker()) {
            true => Poll::Ready(()),
            false => Poll::Pending,
        });
        tokio::select! {
            shaken = tls.accept(stream) => Ok(Transport::Tls(Box::new(shaken?))),
            () = must_leave => Err(io::Error::from(io::ErrorKind::ConnectionAborted)),
            () = tokio::time::sleep(self.limits.header_timeout) => Err(io::Error::from(io::ErrorKind::TimedOut)),
        }
    }

    fn connection<S>(
        &self,
        address: Option<IpAddr>,
        stream: Transport,
        routes: S,
        place: Place,
    ) -> (Connection, Exchanges<S>) {
        let progress = Arc::new(Mutex::new(Progress { arriving: Arriving::default(), held: None }));
        let place = Arc::new(place);
        let is_tls = self.tls.is_some();
        let limits = &self.limits;
        let exchanges = Exchanges {
            routes,
            peer: Peer { address, place: Arc::clone(&place), is_tls },
            progress: Arc::clone(&progress),
            memory: limits.memory.clone(),
            read_timeout: limits.read_timeout,
        };
        let connection = Connection {
            stream,
            idle: Stall::after(limits.idle_timeout),
            unwritten: Stall::after(limits.write_timeout),
            head: Stall::after(limits.header_timeout),
            progress,
            memory: limits.memory.clone(),
            max_header_bytes: limits.max_header_bytes as usize,
            scarcity: Arc::clone(&self.scarcity),
            place,
        };
        (connection, exchanges)
    }
}

impl<S: Send + 'static> Accept<TcpStream, S> for PlaceKeeper {
    type Stream = Connection;
    type Service = Exchanges<S>;
    type Future = BoxFuture<'static, io::Result<(Connection, Exchanges<S>)>>;

    fn accept(&self, mut stream: TcpStream, routes: S) -> Self::Future {
        self.scarcity.taken();
        let keeper = self.clone();
        Box::pin(async move {
            stream.set_nodelay(true)?;
            let Some(place) = keeper.places.take().await else {
                if keeper.tls.is_none() {
                    // It fits into the empty buffer of a new connection, so that this waits for nobody.
                    stream.write_all(NO_PLACE).await?;
                }
                return Err(io::Error::other("all connections are in use"));
            };
            let address = stream.peer_addr().ok().map(|address| address.ip().to_canonical());
            let stream = keeper.transport(stream, &place).await?;
            Ok(keeper.connection(address, stream, routes, place))
        })
    }
}

/// A connection with its place. Reading fails once nothing has moved in either direction for the idle timeout, or a head
/// has not come to its end within its own; writing, once the client has taken nothing for the write timeout.
pub(crate) struct Connection {
    stream: Transport,
    idle: Stall,
    unwritten: Stall,
    head: Stall,
    progress: Arc<Mutex<Progress>>,
    memory: RequestMemory,
    max_header_bytes: usize,
    scarcity: Arc<Scarcity>,
    place: Arc<Place>,
}

impl AsyncRead for Connection {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        this.check_place(cx)?;
        let before = buffer.filled().len();
        let read = Pin::new(&mut this.stream).poll_read(cx, buffer);
        if let Poll::Ready(Ok(())) = &read {
            this.take_note(&buffer.filled()[before..])?;
        }
        if this.progress.lock().arriving.is_mid_head() {
            this.head.check(cx)?;
        } else {
            this.head.is_running = false;
        }
        this.idle.watch(read, cx)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        this.check_place(cx)?;
        let written = Pin::new(&mut this.stream).poll_write(cx, bytes);
        this.on_written(written, cx)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        this.check_place(cx)?;
        let written = Pin::new(&mut this.stream).poll_write_vectored(cx, slices);
        this.on_written(written, cx)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let flushed = Pin::new(&mut this.stream).poll_flush(cx);
        this.on_sent(flushed, cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let shut_down = Pin::new(&mut this.stream).poll_shutdown(cx);
        this.on_sent(shut_down, cx)
    }
}

impl Connection {
    /// Fails where the connection has to go, so that one with a token finds a place.
    fn check_place(&self, cx: &Context<'_>) -> io::Result<()> {
        match self.place.must_leave(cx.waker()) {
            true => Err(io::Error::from(io::ErrorKind::ConnectionAborted)),
            false => Ok(()),
        }
    }

    /// Holds memory for what has come. Fails where there is none.
    fn take_note(&self, read: &[u8]) -> io::Result<()> {
        let mut progress = self.progress.lock();
        progress.arriving.read(read);
        let Some(bytes) = progress.arriving.to_hold(self.max_header_bytes) else { return Ok(()) };
        let held_bytes = progress.held.as_ref().map_or(0, Held::bytes);
        if bytes <= held_bytes {
            progress.held.iter_mut().for_each(|held| held.shrink_to(bytes));
            return Ok(());
        }
        let Some(more) = self.memory.hold_for_head(bytes - held_bytes) else {
            self.scarcity.no_memory();
            return Err(io::Error::from(io::ErrorKind::OutOfMemory));
        };
        match &mut progress.held {
            Some(held) => held.add(more),
            None => progress.held = Some(more),
        }
        Ok(())
    }

    /// What TLS still holds must be taken by the client in time. Without TLS nothing is held, and this says nothing of what is written.
    fn on_sent(&mut self, sent: Poll<io::Result<()>>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.stream {
            Transport::Plain(_) => sent,
            Transport::Tls(_) => self.unwritten.watch(sent, cx),
        }
    }

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
        match self.check(cx) {
            Ok(()) => Poll::Pending,
            Err(error) => Poll::Ready(Err(error)),
        }
    }

    /// An error where this was asked for too long and nothing has moved.
    fn check(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        let deadline = Instant::now() + self.timeout;
        let timer = self.timer.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(deadline)));
        if !self.is_running {
            timer.as_mut().reset(deadline);
            self.is_running = true;
        }
        match timer.as_mut().poll(cx) {
            Poll::Pending => Ok(()),
            Poll::Ready(()) => Err(io::Error::from(io::ErrorKind::TimedOut)),
        }
    }
}
