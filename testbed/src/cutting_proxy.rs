//! A TCP proxy that loses an answer: what was asked is done, and nobody hears of it.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use anyhow::Context;

/// Bytes that are passed on at a time.
const BUFFER_BYTES: usize = 16 << 10;

/// Passes connections on to a server. Told to, it cuts the next one whose client sends a certain text, once the server
/// has answered and before the client hears of it.
pub struct CuttingProxy {
    address: SocketAddr,
    plan: Arc<Mutex<Plan>>,
}

#[derive(Default)]
struct Plan {
    /// What to cut after.
    marker: Option<Vec<u8>>,
    cuts: usize,
    closed: bool,
}

impl CuttingProxy {
    /// In front of a server, on a free loopback port. It takes no more connections once this value is dropped.
    ///
    /// # Errors
    /// Where it can't listen.
    pub fn start(server: SocketAddr) -> anyhow::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).context("the proxy can't listen")?;
        let address = listener.local_addr()?;
        let plan = Arc::<Mutex<Plan>>::default();
        let shared = Arc::clone(&plan);
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                if lock(&shared).closed {
                    return;
                }
                let plan = Arc::clone(&shared);
                // A connection that fails is closed on both sides, which is all that is wanted.
                thread::spawn(move || _ = pass_on(&client, server, &plan));
            }
        });
        Ok(Self { address, plan })
    }

    /// Where clients connect.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Cuts the next connection whose client sends this text.
    pub fn cut_after(&self, marker: &str) {
        lock(&self.plan).marker = Some(marker.as_bytes().to_vec());
    }

    /// How many connections were cut.
    pub fn cuts(&self) -> usize {
        lock(&self.plan).cuts
    }
}

impl Drop for CuttingProxy {
    fn drop(&mut self) {
        lock(&self.plan).closed = true;
        // Wakes the thread that listens.
        drop(TcpStream::connect(self.address));
    }
}

fn lock(plan: &Mutex<Plan>) -> MutexGuard<'_, Plan> {
    // Whoever panicked left it whole: each change is one assignment.
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
    // The end of what was passed on before: the marker may begin there.
    let mut seen = Vec::new();
    loop {
        let bytes = client.read(&mut buffer)?;
        if bytes == 0 {
            return Ok(());
        }
        seen.extend_from_slice(&buffer[..bytes]);
        if cuts(&seen, plan) {
            // The client's side is closed first, so that no answer gets there.
            client.shutdown(Shutdown::Both)?;
            return server.write_all(&buffer[..bytes]);
        }
        server.write_all(&buffer[..bytes])?;
        // Without a marker nothing is kept: one that is named later is not found in what was sent before.
        let kept = lock(plan).marker.as_ref().map_or(0, Vec::len);
        seen.drain(..seen.len().saturating_sub(kept));
    }
}

/// Whether the connection is cut here. The marker counts once.
fn cuts(seen: &[u8], plan: &Mutex<Plan>) -> bool {
    let mut plan = lock(plan);
    let found = plan.marker.as_ref().is_some_and(|marker| seen.windows(marker.len()).any(|window| window == marker));
    if found {
        plan.marker = None;
        plan.cuts += 1;
    }
    found
}
