//! A TCP proxy that replaces what a server says by something else of the same length: by what a server says that is not up
//! to date.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::Arc;
use std::thread;

use anyhow::ensure;

use crate::acceptor::Acceptor;

/// Bytes that are passed on at a time.
const BUFFER_BYTES: usize = 16 << 10;

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
        let altered = Arc::new(Altered { said: said.into(), heard: heard.into() });
        // A connection that fails is closed on both sides, which is all that is wanted.
        let acceptor = Acceptor::start(move |client| _ = pass_on(&client, server, &altered))?;
        Ok(Self(acceptor))
    }

    /// Where clients connect.
    pub fn address(&self) -> SocketAddr {
        self.0.address()
    }
}

fn pass_on(client: &TcpStream, server: SocketAddr, altered: &Altered) -> io::Result<()> {
    let server = TcpStream::connect(server)?;
    thread::scope(|scope| {
        scope.spawn(|| {
            let passed = altered.copy(&server, client);
            _ = client.shutdown(Shutdown::Both);
            passed
        });
        let passed = io::copy(&mut &*client, &mut &server);
        _ = server.shutdown(Shutdown::Both);
        passed.map(drop)
    })
}

impl Altered {
    fn copy(&self, mut from: &TcpStream, mut to: &TcpStream) -> io::Result<()> {
        let mut buffer = vec![0; BUFFER_BYTES];
        loop {
            let read = from.read(&mut buffer)?;
            if read == 0 {
                return Ok(());
            }
            let bytes = &mut buffer[..read];
            let places = bytes.windows(self.said.len()).enumerate().filter(|(_, window)| *window == self.said);
            for place in places.map(|(place, _)| place).collect::<Vec<_>>() {
                bytes[place..place + self.said.len()].copy_from_slice(&self.heard);
            }
            to.write_all(bytes)?;
        }
    }
}
