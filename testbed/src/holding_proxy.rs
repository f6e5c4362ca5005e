//! A TCP proxy that holds answers back: from a request of the test's choice on, a client hears nothing until the test says so,
//! and then everything.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;

use crate::acceptor::Acceptor;

/// Bytes that are passed on at a time.
const BUFFER_BYTES: usize = 16 << 10;

/// Passes connections on to a server.
pub struct HoldingProxy {
    acceptor: Acceptor,
    gate: Arc<Gate>,
}

/// What keeps answers from passing.
struct Gate {
    request: Vec<u8>,
    state: Mutex<State>,
    opened: Condvar,
}

#[derive(Clone, Copy, PartialEq)]
enum State {
    /// The request has not come yet.
    Waiting,
    Closed,
    /// For good.
    Open,
}

impl HoldingProxy {
    /// In front of a server, on a free loopback port. It takes no more connections once this value is dropped. `request` is a
    /// part of the request whose answer, and all that follows it, is held.
    ///
    /// # Errors
    /// Where it can't listen.
    pub fn start(server: SocketAddr, request: &str) -> anyhow::Result<Self> {
        let state = Mutex::new(State::Waiting);
        let gate = Arc::new(Gate { request: request.into(), state, opened: Condvar::new() });
        let shared = Arc::clone(&gate);
        // A connection that fails is closed on both sides, which is all that is wanted.
        let acceptor = Acceptor::start(move |client| _ = pass_on(&client, server, &shared))?;
        Ok(Self { acceptor, gate })
    }

    /// Where clients connect.
    pub fn address(&self) -> SocketAddr {
        self.acceptor.address()
    }

    /// Lets all answers pass, now and later.
    pub fn release(&self) {
        self.gate.set(State::Open);
    }
}

impl Drop for HoldingProxy {
    /// No thread waits for ever.
    fn drop(&mut self) {
        self.release();
    }
}

impl Gate {
    fn set(&self, state: State) {
        *self.state.lock().unwrap_or_else(PoisonError::into_inner) = state;
        self.opened.notify_all();
    }

    fn asked(&self, bytes: &[u8]) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if *state == State::Waiting && bytes.windows(self.request.len()).any(|window| window == self.request) {
            *state = State::Closed;
        }
    }

    fn wait(&self) {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        drop(self.opened.wait_while(state, |state| *state == State::Closed));
    }
}

fn pass_on(client: &TcpStream, server: SocketAddr, gate: &Gate) -> io::Result<()> {
    let server = TcpStream::connect(server)?;
    thread::scope(|scope| {
        scope.spawn(|| {
            let passed = copy(&server, client, |_| gate.wait());
            _ = client.shutdown(Shutdown::Both);
            passed
        });
        let passed = copy(client, &server, |bytes| gate.asked(bytes));
        _ = server.shutdown(Shutdown::Both);
        passed
    })
}

/// Passes everything on, and shows it first.
fn copy(mut from: &TcpStream, mut to: &TcpStream, show: impl Fn(&[u8])) -> io::Result<()> {
    let mut buffer = vec![0; BUFFER_BYTES];
    loop {
        let read = from.read(&mut buffer)?;
        if read == 0 {
            return Ok(());
        }
        show(&buffer[..read]);
        to.write_all(&buffer[..read])?;
    }
}
