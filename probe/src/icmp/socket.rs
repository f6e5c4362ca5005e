//! A socket for echoes with one host.

use std::io::{self, ErrorKind};

use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::UdpSocket;

use super::packet::{self, Token};
use crate::{Failure, HostAddress};

/// Longer than any reply of ours with its IP head.
const PACKET_BYTES: usize = 256;

pub(super) struct EchoSocket {
    /// ICMP, in truth; sent and received alike.
    socket: UdpSocket,
    is_v4: bool,
    has_ip_head: bool,
    token: Token,
}

impl EchoSocket {
    /// An unprivileged socket where the system permits that, or else a raw one.
    pub(super) fn open(address: HostAddress, token: Token) -> Result<Self, Failure> {
        let (socket, is_raw) = match connected(address, Type::DGRAM) {
            Ok(socket) => (socket, false),
            Err(error) if is_forbidden(&error) => (connected(address, Type::RAW).map_err(Failure::IcmpSocket)?, true),
            Err(error) => return Err(Failure::IcmpSocket(error)),
        };
        let socket = UdpSocket::from_std(socket).map_err(Failure::IcmpSocket)?;
        Ok(Self { socket, is_v4: address.ip.is_ipv4(), has_ip_head: is_raw && address.ip.is_ipv4(), token })
    }

    pub(super) async fn send(&self, number: u16) -> io::Result<()> {
        self.socket.send(&packet::request(self.is_v4, number, self.token)).await.map(drop)
    }

    /// Waits for the next reply of ours; its number. Errors that the host's network sent back are passed over: the echo is
    /// then lost.
    pub(super) async fn receive(&self) -> u16 {
        let mut buffer = [0; PACKET_BYTES];
        loop {
            if let Ok(length) = self.socket.recv(&mut buffer).await
                && let Some(number) = packet::reply(self.is_v4, self.has_ip_head, &buffer[..length], self.token)
            {
                return number;
            }
        }
    }
}

fn connected(address: HostAddress, kind: Type) -> io::Result<std::net::UdpSocket> {
    let (domain, protocol) =
        if address.ip.is_ipv4() { (Domain::IPV4, Protocol::ICMPV4) } else { (Domain::IPV6, Protocol::ICMPV6) };
    let socket = Socket::new(domain, kind, Some(protocol))?;
    socket.set_nonblocking(true)?;
    socket.connect(&address.at(0).into())?;
    Ok(socket.into())
}

/// Linux says so for a group that is not in `ping_group_range`; other systems do not know such sockets.
fn is_forbidden(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::PermissionDenied | ErrorKind::Unsupported | ErrorKind::InvalidInput)
}
