//! The TCP phase: one connection to the address that answers first (Happy Eyeballs, RFC 8305).
//!
//! QUIC chooses its address in the same way.

mod order;
mod tcp_info;

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use futures::StreamExt;
use futures::stream::FuturesUnordered;
use tokio::net::TcpStream;

use crate::clock::{Clock, Span};
use crate::{Failure, HostAddress};
pub(crate) use order::in_turn;
pub use tcp_info::TcpInfo;
pub(crate) use tcp_info::tcp_info;

/// How long an address is waited for before the next is tried beside it (RFC 8305, section 5).
const ATTEMPT_DELAY: Duration = Duration::from_millis(250);

/// One address that was tried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// Which.
    pub address: SocketAddr,
    /// From its first packet to its end, which is the first answer with QUIC; absent if it had none before another
    /// address was chosen, or time was over.
    pub span: Option<Span>,
    /// Why it failed; absent if it did not.
    pub failure: Option<String>,
}

/// A new connection to one of `addresses`, and the time that its own attempt took: one round trip, with no lookup and
/// no other address in it. Each attempt is noted in `attempts`.
pub(crate) async fn connect(
    addresses: &[HostAddress],
    port: u16,
    clock: Clock,
    attempts: &mut Vec<Attempt>,
) -> Result<(TcpStream, Span), Failure> {
    choose(addresses, port, attempts, |address| attempt(address, clock)).await
}

/// The first of `addresses` that an attempt succeeds with, what it has made, and how long that took. They are tried in
/// turn; one that does not answer in a quarter of a second gives way to the next, and may still be the first.
pub(crate) async fn choose<T, A: Future<Output = (Span, io::Result<T>)>>(
    addresses: &[HostAddress],
    port: u16,
    attempts: &mut Vec<Attempt>,
    attempt: impl Fn(SocketAddr) -> A,
) -> Result<(T, Span), Failure> {
    let mut left = in_turn(addresses).into_iter().map(|address| address.at(port));
    let mut pending = FuturesUnordered::new();
    let mut failed = Vec::new();
    loop {
        if let Some(address) = left.next() {
            let (index, trying) = (attempts.len(), attempt(address));
            pending.push(async move { (index, trying.await) });
            attempts.push(Attempt { address, span: None, failure: None });
        }
        // Until there is nothing to try beside it, an attempt is waited for a quarter of a second only.
        let next = match left.len() {
            0 => pending.next().await,
            _ => tokio::time::timeout(ATTEMPT_DELAY, pending.next()).await.unwrap_or_default(),
        };
        match next {
            Some((index, (span, Ok(made)))) => {
                attempts[index].span = Some(span);
                return Ok((made, span));
            }
            Some((index, (span, Err(cause)))) => {
                let attempt = &mut attempts[index];
                (attempt.span, attempt.failure) = (Some(span), Some(cause.to_string()));
                failed.push((attempt.address, cause));
            }
            None => {}
        }
        if pending.is_empty() && left.len() == 0 {
            return Err(Failure::Connect { failed });
        }
    }
}

async fn attempt(address: SocketAddr, clock: Clock) -> (Span, io::Result<TcpStream>) {
    let start = clock.now();
    let connected = TcpStream::connect(address).await;
    let span = clock.since(start);
    // A request must not wait for the acknowledgement of what was sent before it.
    let connected = connected.and_then(|stream| stream.set_nodelay(true).map(|()| stream));
    (span, connected)
}
