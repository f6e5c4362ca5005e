//! What the routing table says, without a packet.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, UdpSocket};

/// The discard port; any would do.
const ANY_PORT: u16 = 9;

/// The address of this machine that packets to `peer` would come from; `None` where there is no route.
///
/// Connecting a UDP socket sends nothing; it only asks the routing table.
pub(crate) fn local_address_toward(peer: IpAddr) -> Option<IpAddr> {
    let any: IpAddr = match peer {
        IpAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        IpAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    let socket = UdpSocket::bind((any, 0)).ok()?;
    socket.connect((peer, ANY_PORT)).ok()?;
    Some(socket.local_addr().ok()?.ip())
}
