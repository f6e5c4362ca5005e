//! The TCP phase: one connection to one address.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};

use tokio::net::TcpStream;

use crate::Failure;
use crate::phases::{Clock, Span};

/// The first address that this machine has a route to, or else the first of all, whose failure then says why.
/// `None` where there are none.
pub(crate) fn choose(addresses: &[IpAddr]) -> Option<IpAddr> {
    addresses.iter().copied().find(|address| has_route(*address)).or_else(|| addresses.first().copied())
}

/// Connecting a UDP socket sends nothing; it only asks the routing table. So the IPv6 addresses of a host are passed
/// over on a machine that has no IPv6.
fn has_route(address: IpAddr) -> bool {
    let local: IpAddr = match address {
        IpAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        IpAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    // The discard port, as any would do.
    UdpSocket::bind((local, 0)).and_then(|socket| socket.connect((address, 9))).is_ok()
}

/// A new connection, and the time from the first packet until it stands: one round trip, with no lookup in it.
pub(crate) async fn connect(address: SocketAddr, clock: Clock) -> Result<(TcpStream, Span), Failure> {
    let failure = |cause| Failure::Connect { address, cause };
    let start = clock.now();
    let stream = TcpStream::connect(address).await.map_err(failure)?;
    let span = clock.since(start);
    // A request must not wait for the acknowledgement of what was sent before it.
    stream.set_nodelay(true).map_err(failure)?;
    Ok((stream, span))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passes_over_addresses_without_a_route() {
        // Linux has no route to a link-local address without the name of its link.
        let unroutable: IpAddr = "fe80::1".parse().unwrap();
        let routable: IpAddr = "127.0.0.1".parse().unwrap();
        assert_eq!(choose(&[unroutable, routable]), Some(routable));
        assert_eq!(choose(&[unroutable]), Some(unroutable));
        assert_eq!(choose(&[]), None);
    }
}
