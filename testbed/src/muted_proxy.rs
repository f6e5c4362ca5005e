//! A TCP proxy to a NATS server that keeps its clients and does nothing for them any more, as a server does that a network
//! parts from the others: it answers pings, takes connections and whatever is sent, and confirms nothing.

use std::io::{self, BufRead, BufReader, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use crate::acceptor::Acceptor;
use crate::passing::copy;

const PING: &[u8] = b"PING\r\n";
const PONG: &[u8] = b"PONG\r\n";

/// Passes connections on to a NATS server, until it is muted and after it is not any more.
pub struct MutedProxy {
    acceptor: Acceptor,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    muted: AtomicBool,
    connections: AtomicUsize,
    taken: AtomicUsize,
}

impl MutedProxy {
    /// In front of a server, on a free loopback port. It takes no more connections once this value is dropped.
    ///
    /// # Errors
    /// Where it can't listen.
    pub fn start(server: SocketAddr) -> anyhow::Result<Self> {
        let shared = Arc::<Shared>::default();
        let seen = Arc::clone(&shared);
        let acceptor = Acceptor::start(move |client| {
            seen.taken.fetch_add(1, Ordering::SeqCst);
            seen.connections.fetch_add(1, Ordering::SeqCst);
            // A connection that fails is closed on both sides, which is all that is wanted.
            _ = pass_on(&client, server, &seen);
            seen.connections.fetch_sub(1, Ordering::SeqCst);
        })?;
        Ok(Self { acceptor, shared })
    }

    /// Where clients connect.
    pub fn url(&self) -> String {
        format!("nats://{}", self.acceptor.address())
    }

    /// Whether it does nothing any more from now on. What was taken meanwhile is lost.
    pub fn mute(&self, muted: bool) {
        self.shared.muted.store(muted, Ordering::SeqCst);
    }

    /// Clients that are connected.
    pub fn connections(&self) -> usize {
        self.shared.connections.load(Ordering::SeqCst)
    }

    /// Clients that have ever connected.
    pub fn taken(&self) -> usize {
        self.shared.taken.load(Ordering::SeqCst)
    }
}

fn pass_on(client: &TcpStream, server: SocketAddr, shared: &Shared) -> io::Result<()> {
    let server = TcpStream::connect(server)?;
    // The greeting is passed on in any case, so that the client takes this for a server.
    let mut from_server = BufReader::new(server.try_clone()?);
    let mut greeting = Vec::new();
    from_server.read_until(b'\n', &mut greeting)?;
    (&*client).write_all(&greeting)?;
    thread::scope(|scope| {
        scope.spawn(|| {
            let passed = copy(&mut from_server, client, |_| !shared.muted.load(Ordering::SeqCst));
            _ = client.shutdown(Shutdown::Both);
            passed
        });
        let mut to_client = client.try_clone()?;
        let passed = copy(client, &server, |bytes| {
            if !shared.muted.load(Ordering::SeqCst) {
                return true;
            }
            if bytes.windows(PING.len()).any(|window| window == PING) {
                _ = to_client.write_all(PONG);
            }
            false
        });
        _ = server.shutdown(Shutdown::Both);
        passed
    })
}
