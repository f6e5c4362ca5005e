//! What the kernel knows of a connection, asked over netlink: `tcp_info`.
//!
//! Decision: D-030.

use std::io;
use std::net::SocketAddr;

use netlink_packet_core::{NLM_F_REQUEST, NetlinkHeader, NetlinkMessage, NetlinkPayload};
use netlink_packet_sock_diag::SockDiagMessage;
use netlink_packet_sock_diag::constants::{AF_INET, AF_INET6, IPPROTO_TCP};
use netlink_packet_sock_diag::inet::nlas::{self, Nla};
use netlink_packet_sock_diag::inet::{ExtensionFlags, InetRequest, SocketId, StateFlags};
use netlink_sys::protocols::NETLINK_SOCK_DIAG;
use netlink_sys::{Socket, SocketAddr as NetlinkAddress};
use serde::Serialize;

/// No socket in particular that has this address: the kernel's own word for it.
const ANY_COOKIE: [u8; 8] = [0xff; 8];
/// One answer about one socket is a few hundred bytes.
const ANSWER_BYTES: usize = 8192;

/// How one connection fared.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct TcpInfo {
    /// The smallest round trip, in ms.
    pub min_rtt_ms: f64,
    /// The smoothed round trip, in ms.
    pub rtt_ms: f64,
    /// Segments that we sent more than once.
    pub retransmits: u32,
    /// Segments that came out of order: what the other side had to send again, as a rule.
    pub out_of_order: u32,
    /// Bytes that were received.
    pub received_bytes: u64,
    /// How fast what we sent was delivered, in Mbit/s.
    pub delivery_rate_mbps: f64,
}

/// Asks for the connection between two addresses, which must still stand. `None` if the kernel does not tell:
/// the evidence is then absent, and the measurement is what it was.
pub(crate) fn tcp_info(local: SocketAddr, peer: SocketAddr) -> Option<TcpInfo> {
    match ask(local, peer) {
        Ok(info) => info,
        Err(error) => {
            tracing::debug!(%peer, "the kernel tells nothing of the connection: {error}");
            None
        }
    }
}

fn ask(local: SocketAddr, peer: SocketAddr) -> io::Result<Option<TcpInfo>> {
    let mut socket = Socket::new(NETLINK_SOCK_DIAG)?;
    socket.bind_auto()?;
    socket.connect(&NetlinkAddress::new(0, 0))?;
    // An answer comes at once, within the call that asks; there is none if the kernel lacks the diagnosis.
    socket.set_non_blocking(true)?;
    socket.send(&question(local, peer), 0)?;
    let mut answer = Vec::with_capacity(ANSWER_BYTES);
    socket.recv(&mut answer, 0)?;
    let answer = NetlinkMessage::<SockDiagMessage>::deserialize(&answer).map_err(io::Error::other)?;
    match answer.payload {
        NetlinkPayload::InnerMessage(SockDiagMessage::InetResponse(socket)) => Ok(socket
            .nlas
            .iter()
            .find_map(|nla| if let Nla::TcpInfo(info) = nla { Some(TcpInfo::of(info)) } else { None })),
        NetlinkPayload::Error(error) => Err(error.to_io()),
        _ => Ok(None),
    }
}

fn question(local: SocketAddr, peer: SocketAddr) -> Vec<u8> {
    let id = if peer.is_ipv4() { SocketId::new_v4() } else { SocketId::new_v6() };
    let request = InetRequest {
        family: if peer.is_ipv4() { AF_INET } else { AF_INET6 },
        protocol: IPPROTO_TCP,
        extensions: ExtensionFlags::INFO,
        states: StateFlags::all(),
        socket_id: SocketId {
            source_port: local.port(),
            destination_port: peer.port(),
            source_address: local.ip(),
            destination_address: peer.ip(),
            cookie: ANY_COOKIE,
            ..id
        },
    };
    let mut header = NetlinkHeader::default();
    header.flags = NLM_F_REQUEST;
    let mut message = NetlinkMessage::new(header, SockDiagMessage::InetRequest(request).into());
    message.finalize();
    let mut bytes = vec![0; message.buffer_len()];
    message.serialize(&mut bytes);
    bytes
}

impl TcpInfo {
    fn of(info: &nlas::TcpInfo) -> Self {
        Self {
            min_rtt_ms: f64::from(info.min_rtt) / 1000.0,
            rtt_ms: f64::from(info.rtt) / 1000.0,
            retransmits: info.total_retrans,
            out_of_order: info.rcv_ooopack,
            received_bytes: info.bytes_received,
            // Bytes a second.
            delivery_rate_mbps: info.delivery_rate as f64 * 8.0 / 1e6,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::{TcpListener, TcpStream};

    use super::*;

    #[test]
    fn tells_of_a_connection_that_stands() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut near = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (mut far, _) = listener.accept().unwrap();
        far.write_all(&[7; 1000]).unwrap();
        near.read_exact(&mut [0; 1000]).unwrap();
        let info = ask(near.local_addr().unwrap(), near.peer_addr().unwrap()).unwrap().unwrap();
        assert_eq!(info.received_bytes, 1000);
        assert!(info.min_rtt_ms > 0.0 && info.min_rtt_ms <= info.rtt_ms, "{info:?}");
    }

    #[test]
    fn a_connection_that_is_not_there_is_an_error() {
        let nobody = "127.0.0.1:1".parse().unwrap();
        assert!(ask(nobody, nobody).is_err());
    }
}
