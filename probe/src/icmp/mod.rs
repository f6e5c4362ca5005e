//! Echo requests: ten to one host, at a fixed pace.

mod echoes;
mod packet;
mod socket;

use std::time::Duration;

use rand::RngExt;
use tokio::time::{Instant, sleep_until, timeout_at};

use crate::clock::{Clock, Span};
use crate::route::local_address_toward;
use crate::{EchoEvidence, Failure, HostAddress};
use echoes::Echoes;
use socket::EchoSocket;

/// Enough to tell a loss of a tenth from none.
const ECHOES: u16 = 10;
/// From one request to the next.
const PACE: Duration = Duration::from_millis(100);
/// How long after the last request its reply is waited for.
const PATIENCE: Duration = Duration::from_secs(1);

/// The round trip in the middle, and what all say. It ends at `until` with what has come back by then.
pub(crate) async fn echo(address: HostAddress, clock: Clock, until: Instant) -> Result<(Span, EchoEvidence), Failure> {
    let socket = EchoSocket::open(address, rand::rng().random())?;
    let mut echoes = Echoes::default();
    let mut cause = None;
    let began = Instant::now();
    for number in 0..ECHOES {
        let next = (began + PACE * u32::from(number + 1)).min(until);
        echoes.sent(clock.now());
        cause = timeout_at(until, socket.send(number)).await.ok().and_then(Result::err).or(cause);
        let replies = async {
            loop {
                let number = socket.receive().await;
                echoes.received(number, clock.now());
                if number + 1 == ECHOES && echoes.are_all_back() {
                    return;
                }
            }
        };
        tokio::select! {
            () = replies => break,
            () = sleep_until(next) => {}
        }
        if Instant::now() >= until {
            break;
        }
    }
    let patience = until.min(Instant::now() + PATIENCE);
    while !echoes.are_all_back() {
        let Ok(number) = timeout_at(patience, socket.receive()).await else { break };
        echoes.received(number, clock.now());
    }
    echoes.summary().ok_or(Failure::NoEcho { address: address.ip, sent: echoes.count_sent(), cause })
}

/// The first address that this machine has a route to, or else the first of all, whose failure then says why.
/// `None` if there are none.
pub(crate) fn choose(addresses: &[HostAddress]) -> Option<HostAddress> {
    addresses
        .iter()
        .copied()
        .find(|address| local_address_toward(*address).is_some())
        .or_else(|| addresses.first().copied())
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::*;

    #[test]
    fn passes_over_addresses_without_a_route() {
        // Linux has no route to a link-local address without the name of its link.
        let [unroutable, routable] =
            ["fe80::1", "127.0.0.1"].map(|ip| HostAddress::from(ip.parse::<IpAddr>().unwrap()));
        assert_eq!(choose(&[unroutable, routable]), Some(routable));
        assert_eq!(choose(&[unroutable]), Some(unroutable));
        assert_eq!(choose(&[]), None);
    }
}
