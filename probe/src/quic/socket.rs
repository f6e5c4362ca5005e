//! The UDP socket of one QUIC connection, which notes when its first datagram left, when the first came back, and when
//! a request left.

use std::fmt;
use std::io::{self, IoSliceMut};
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use quinn::udp::{RecvMeta, Transmit, UdpSocketState};
use quinn::{AsyncUdpSocket, UdpPoller};
use tokio::io::Interest;
use tokio::net::UdpSocket;
use tokio::sync::Notify;

use crate::clock::{Clock, Span};
use crate::route::socket_toward;
use crate::wire_events::WireEvents;

#[derive(Debug)]
pub(super) struct NotingSocket {
    socket: UdpSocket,
    state: UdpSocketState,
    clock: Clock,
    events: WireEvents,
    first_sent: OnceLock<Duration>,
    first_received: OnceLock<Duration>,
    /// The latest error. It ends only the wait for the first answer: later on, anybody could forge the packet that causes one.
    error: Mutex<Option<io::Error>>,
    /// A datagram has come for the first time, or there is an error.
    news: Notify,
}

impl NotingSocket {
    /// It hears of `peer` only, and also what routers say of the way there.
    pub(super) fn toward(peer: SocketAddr, clock: Clock, events: WireEvents) -> io::Result<Self> {
        let socket = socket_toward(peer)?;
        socket.set_nonblocking(true)?;
        Ok(Self {
            state: UdpSocketState::new((&socket).into())?,
            socket: UdpSocket::from_std(socket)?,
            clock,
            events,
            first_sent: OnceLock::new(),
            first_received: OnceLock::new(),
            error: Mutex::default(),
            news: Notify::new(),
        })
    }

    /// When the first datagram left.
    pub(super) fn first_sent(&self) -> Option<Duration> {
        self.first_sent.get().copied()
    }

    /// Waits for the first datagram that comes back: from the first that left until then.
    pub(super) async fn answered(&self) -> io::Result<Span> {
        loop {
            if let (Some(start), Some(end)) = (self.first_sent(), self.first_received.get().copied()) {
                return Ok(Span { start, end });
            }
            if let Some(error) = self.error.lock().unwrap_or_else(PoisonError::into_inner).take() {
                return Err(error);
            }
            tokio::select! {
                () = self.news.notified() => {}
                // What a router says makes no socket readable.
                ready = self.socket.ready(Interest::ERROR) => {
                    ready?;
                    if let Some(error) = self.socket.take_error()? {
                        return Err(error);
                    }
                    self.news.notified().await;
                }
            }
        }
    }

    fn note(&self, error: io::Error) {
        *self.error.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
        self.news.notify_one();
    }
}

impl AsyncUdpSocket for NotingSocket {
    fn create_io_poller(self: Arc<Self>) -> Pin<Box<dyn UdpPoller>> {
        Box::pin(WhenWritable { socket: self, waiting: None })
    }

    fn try_send(&self, transmit: &Transmit<'_>) -> io::Result<()> {
        let handed = self.clock.now();
        let send = || self.state.try_send((&self.socket).into(), transmit);
        match self.socket.try_io(Interest::WRITABLE, send) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Err(error),
            // A datagram that did not leave is one that was lost.
            Err(error) => self.note(error),
            Ok(()) => {
                self.first_sent.get_or_init(|| handed);
                self.events.left(handed);
            }
        }
        Ok(())
    }

    fn poll_recv(
        &self,
        cx: &mut Context<'_>,
        bufs: &mut [IoSliceMut<'_>],
        meta: &mut [RecvMeta],
    ) -> Poll<io::Result<usize>> {
        loop {
            ready!(self.socket.poll_recv_ready(cx))?;
            let receive = || self.state.recv((&self.socket).into(), bufs, meta);
            match self.socket.try_io(Interest::READABLE, receive) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => self.note(error),
                Ok(count) => {
                    if self.first_received.set(self.clock.now()).is_ok() {
                        self.news.notify_one();
                    }
                    return Poll::Ready(Ok(count));
                }
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }

    fn max_transmit_segments(&self) -> usize {
        self.state.max_gso_segments()
    }

    fn max_receive_segments(&self) -> usize {
        self.state.gro_segments()
    }

    fn may_fragment(&self) -> bool {
        self.state.may_fragment()
    }
}

/// Wakes one task when the socket takes datagrams again. The socket itself would remember the last that asked.
struct WhenWritable {
    socket: Arc<NotingSocket>,
    waiting: Option<Pin<Box<dyn Future<Output = io::Result<()>> + Send + Sync>>>,
}

impl UdpPoller for WhenWritable {
    fn poll_writable(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let socket = Arc::clone(&self.socket);
        let waiting = self.waiting.get_or_insert_with(|| Box::pin(async move { socket.socket.writable().await }));
        let outcome = ready!(waiting.as_mut().poll(cx));
        self.waiting = None;
        Poll::Ready(outcome)
    }
}

impl fmt::Debug for WhenWritable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WhenWritable").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOME: &[u8] = b"anybody?";

    async fn send(socket: &NotingSocket, peer: SocketAddr) {
        let transmit = Transmit { destination: peer, ecn: None, contents: SOME, segment_size: None, src_ip: None };
        socket.socket.writable().await.unwrap();
        socket.try_send(&transmit).unwrap();
    }

    /// Nothing else is sent or read, so that the socket must see it by itself.
    #[tokio::test]
    async fn a_router_that_says_no_ends_the_wait() {
        // A socket that is connected elsewhere takes nothing from others.
        let peer = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
        peer.connect("127.0.0.1:9").unwrap();
        let peer_address = peer.local_addr().unwrap();
        let socket = NotingSocket::toward(peer_address, Clock::start(), WireEvents::default()).unwrap();
        send(&socket, peer_address).await;
        let answered = tokio::time::timeout(Duration::from_secs(60), socket.answered()).await.unwrap();
        assert_eq!(answered.unwrap_err().kind(), io::ErrorKind::ConnectionRefused);
    }

    #[tokio::test]
    async fn the_first_datagram_and_the_first_answer_are_noted_and_no_later_ones() {
        let peer = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let peer_address = peer.local_addr().unwrap();
        let clock = Clock::start();
        let socket = NotingSocket::toward(peer_address, clock, WireEvents::default()).unwrap();
        assert_eq!(socket.first_sent(), None);
        for _ in 0..2 {
            let (before, noted) = (clock.now(), socket.first_sent());
            send(&socket, peer_address).await;
            assert!(noted.is_some() || socket.first_sent() >= Some(before));
            assert!(noted.is_none() || socket.first_sent() == noted);
            let (_, asker) = peer.recv_from(&mut [0; 100]).await.unwrap();
            peer.send_to(SOME, asker).await.unwrap();
            let (mut buffer, mut meta) = ([0; 100], [RecvMeta::default()]);
            let receive = |cx: &mut Context<'_>| socket.poll_recv(cx, &mut [IoSliceMut::new(&mut buffer)], &mut meta);
            assert_eq!(std::future::poll_fn(receive).await.unwrap(), 1);
        }
        let answered = socket.answered().await.unwrap();
        assert!(Some(answered.start) == socket.first_sent() && answered.start <= answered.end);
    }
}
