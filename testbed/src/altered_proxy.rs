//! A TCP proxy that replaces what a server says by something else of the same length: by what a server says that is not up
//! to date.

use std::net::{SocketAddr, TcpStream};

use anyhow::ensure;

use crate::acceptor::Acceptor;
use crate::passing::both_ways;

/// Passes connections on to a server, and alters what comes back.
pub struct AlteredProxy(Acceptor);

/// What is said, and what the client hears instead.
struct Altered {
    said: Vec<u8>,
    heard: Vec<u8>,
}

impl AlteredProxy {
    /// In front of a server, on a free loopback port. Clients hear `heard` where the server says `said`. It takes no more
    /// connections once this value is dropped.
    ///
    /// # Errors
    /// Where it can't listen, or `heard` has another length than `said`, so that the protocol would not survive it.
    pub fn start(server: SocketAddr, said: &str, heard: &str) -> anyhow::Result<Self> {
        ensure!(!said.is_empty() && said.len() == heard.len(), "{said:?} and {heard:?} have different lengths");
        let altered = Altered { said: said.into(), heard: heard.into() };
        // A connection that fails is closed on both sides, which is all that is wanted.
        let acceptor = Acceptor::start(move |client| {
            let alter = |bytes: &mut [u8]| {
                altered.alter(bytes);
                true
            };
            _ = TcpStream::connect(server).and_then(|server| both_ways(&client, &server, |_| true, alter));
        })?;
        Ok(Self(acceptor))
    }

    /// Where clients connect.
    pub fn address(&self) -> SocketAddr {
        self.0.address()
    }
}

impl Altered {
    /// Puts what is heard in the place of what is said.
    fn alter(&self, bytes: &mut [u8]) {
        let places = bytes.windows(self.said.len()).enumerate().filter(|(_, window)| *window == self.said);
        for place in places.map(|(place, _)| place).collect::<Vec<_>>() {
            bytes[place..place + self.said.len()].copy_from_slice(&self.heard);
        }
    }
}
