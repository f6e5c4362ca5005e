//! What the routing table says, without a packet.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};

use crate::HostAddress;

/// The discard port; any would do.
const ANY_PORT: u16 = 9;

/// The address of this machine that packets to `peer` would come from; `None` if there is no route.
pub(crate) fn local_address_toward(peer: HostAddress) -> Option<IpAddr> {
    Some(socket_toward(peer.at(ANY_PORT)).ok()?.local_addr().ok()?.ip())
}

/// A socket of a port of its own that is connected to `peer`; an error if there is no route.
///
/// Connecting a UDP socket sends nothing; it only asks the routing table.
pub(crate) fn socket_toward(peer: SocketAddr) -> io::Result<UdpSocket> {
    let any: IpAddr = match peer {
        SocketAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        SocketAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    let socket = UdpSocket::bind((any, 0))?;
    socket.connect(peer)?;
    Ok(socket)
}
