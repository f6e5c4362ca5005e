//! A TCP proxy that holds answers back: from a request of the test's choice on, a client hears nothing until the test says so,
//! and then everything.

use std::net::{SocketAddr, TcpStream};
use std::sync::{Arc, Condvar, Mutex, PoisonError};

use crate::acceptor::Acceptor;
use crate::passing::both_ways;

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
        let acceptor = Acceptor::start(move |client| {
            let server = TcpStream::connect(server);
            _ = server.and_then(|server| both_ways(&client, &server, |bytes| shared.asked(bytes), |_| shared.wait()));
        })?;
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

    /// Sees what is asked, which always passes.
    fn asked(&self, bytes: &[u8]) -> bool {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if *state == State::Waiting && bytes.windows(self.request.len()).any(|window| window == self.request) {
            *state = State::Closed;
        }
        true
    }

    /// Waits until answers pass.
    fn wait(&self) -> bool {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        drop(self.opened.wait_while(state, |state| *state == State::Closed));
        true
    }
}
