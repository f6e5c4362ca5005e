//! Passing on what comes over a connection, for proxies that look at it.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::thread;

/// Bytes that are passed on at a time.
const BUFFER_BYTES: usize = 16 << 10;

/// Passes on what a client asks and what its server answers, until either has nothing more to say: see [`copy`].
pub(crate) fn both_ways(
    client: &TcpStream,
    server: &TcpStream,
    see_question: impl FnMut(&mut [u8]) -> bool,
    see_answer: impl FnMut(&mut [u8]) -> bool + Send,
) -> io::Result<()> {
    thread::scope(|scope| {
        scope.spawn(|| {
            let passed = copy(server, client, see_answer);
            _ = client.shutdown(Shutdown::Both);
            passed
        });
        let passed = copy(client, server, see_question);
        _ = server.shutdown(Shutdown::Both);
        passed
    })
}

/// Passes bytes on. `see` is shown them first, may change them, and says whether they are passed on.
pub(crate) fn copy(mut from: impl Read, mut to: impl Write, mut see: impl FnMut(&mut [u8]) -> bool) -> io::Result<()> {
    let mut buffer = vec![0; BUFFER_BYTES];
    loop {
        let read = from.read(&mut buffer)?;
        if read == 0 {
            return Ok(());
        }
        if see(&mut buffer[..read]) {
            to.write_all(&buffer[..read])?;
        }
    }
}
