//! A TCP proxy that loses an answer: what was asked is done, and nobody hears of it.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use crate::acceptor::Acceptor;

/// Bytes that are passed on at a time.
const BUFFER_BYTES: usize = 16 << 10;

/// Passes connections on to a server. Told to, it cuts the next one whose client sends certain texts, once the server
/// has the last of them and before the client hears of it.
pub struct CuttingProxy {
    acceptor: Acceptor,
    plan: Arc<Mutex<Plan>>,
}

#[derive(Default)]
struct Plan {
    /// What to cut after: all of these on one connection, in this order. None where nothing is to be cut.
    markers: Vec<Vec<u8>>,
    /// How often it was told what to cut after.
    told: usize,
    cuts: usize,
}

impl CuttingProxy {
    /// In front of a server, on a free loopback port. It takes no more connections once this value is dropped.
    ///
    /// # Errors
    /// Where it can't listen.
    pub fn start(server: SocketAddr) -> anyhow::Result<Self> {
        let plan = Arc::<Mutex<Plan>>::default();
        let told = Arc::clone(&plan);
        // A connection that fails is closed on both sides, which is all that is wanted.
        let acceptor = Acceptor::start(move |client| _ = pass_on(&client, server, &told))?;
        Ok(Self { acceptor, plan })
    }

    /// Where clients connect.
    pub fn address(&self) -> SocketAddr {
        self.acceptor.address()
    }

    /// Cuts the next connection whose client sends these texts, in this order, from now on.
    pub fn cut_after(&self, markers: &[&str]) {
        let mut plan = lock(&self.plan);
        plan.markers = markers.iter().map(|marker| marker.as_bytes().to_vec()).collect();
        plan.told += 1;
    }

    /// How many connections were cut.
    pub fn cuts(&self) -> usize {
        lock(&self.plan).cuts
    }
}

fn lock(plan: &Mutex<Plan>) -> MutexGuard<'_, Plan> {
    // Nobody panics while it is locked.
    plan.lock().unwrap_or_else(PoisonError::into_inner)
}

fn pass_on(client: &TcpStream, server: SocketAddr, plan: &Mutex<Plan>) -> io::Result<()> {
    let server = TcpStream::connect(server)?;
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    let (to_client, from_server) = (client.try_clone()?, server.try_clone()?);
    let answers = thread::spawn(move || pass_answers(from_server, to_client));
    let passed = pass_questions(client, &server, plan);
    // Each may be closed already.
    drop((client.shutdown(Shutdown::Both), server.shutdown(Shutdown::Write)));
    // It ends once the server has said all that it had to say.
    drop(answers.join());
    passed
}

fn pass_answers(mut server: TcpStream, mut client: TcpStream) {
    if io::copy(&mut server, &mut client).is_err() {
        // The connection was cut. The server is heard out all the same, so that it does what it was asked to.
        drop(io::copy(&mut server, &mut io::sink()));
    }
    drop(client.shutdown(Shutdown::Both));
}

fn pass_questions(mut client: &TcpStream, mut server: &TcpStream, plan: &Mutex<Plan>) -> io::Result<()> {
    let mut buffer = vec![0; BUFFER_BYTES];
    let mut watch = Watch::default();
    loop {
        let bytes = client.read(&mut buffer)?;
        if bytes == 0 {
            return Ok(());
        }
        if watch.sees_the_last(&buffer[..bytes], plan) {
            // The client's side is closed first, so that no answer gets there.
            client.shutdown(Shutdown::Both)?;
            return server.write_all(&buffer[..bytes]);
        }
        server.write_all(&buffer[..bytes])?;
    }
}

/// How far a connection has come with the markers.
#[derive(Default)]
struct Watch {
    /// What was told last when this began.
    told: usize,
    /// Markers that were seen.
    seen: usize,
    /// The end of what came before: the next marker may begin there.
    tail: Vec<u8>,
}

impl Watch {
    /// Whether the last marker is among these bytes. It counts once.
    fn sees_the_last(&mut self, bytes: &[u8], plan: &Mutex<Plan>) -> bool {
        let mut plan = lock(plan);
        if self.told != plan.told {
            *self = Self { told: plan.told, ..Self::default() };
        }
        if plan.markers.is_empty() {
            return false;
        }
        self.tail.extend_from_slice(bytes);
        while let Some(marker) = plan.markers.get(self.seen) {
            let Some(at) = self.tail.windows(marker.len()).position(|window| window == marker) else {
                self.tail.drain(..(self.tail.len() + 1).saturating_sub(marker.len()));
                return false;
            };
            self.tail.drain(..at + marker.len());
            self.seen += 1;
        }
        plan.markers.clear();
        plan.cuts += 1;
        true
    }
}
