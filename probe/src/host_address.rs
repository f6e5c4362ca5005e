//! An address to connect to, with the zone that a link-local one needs.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, SocketAddrV6, UdpSocket};

use crate::Failure;

/// An address of a host. Link-local addresses are the same on every link: which link is meant, their zone says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HostAddress {
    /// The address itself.
    pub ip: IpAddr,
    /// The index of the interface that leads to it; 0 if any may.
    pub zone: u32,
}

impl HostAddress {
    /// The address in the zone of this name, an interface's or its number.
    ///
    /// # Errors
    /// [`Failure::NoInterface`], if this machine has no such interface.
    pub(crate) fn in_zone(ip: IpAddr, zone: Option<&str>) -> Result<Self, Failure> {
        let Some(name) = zone else { return Ok(ip.into()) };
        let index = interface_index(name).or_else(|error| name.parse().map_err(|_| error));
        let zone = index.map_err(|cause| Failure::NoInterface { address: ip, zone: name.to_owned(), cause })?;
        Ok(Self { ip, zone })
    }

    /// A port of it.
    pub(crate) fn at(self, port: u16) -> SocketAddr {
        match self.ip {
            IpAddr::V4(ip) => (ip, port).into(),
            IpAddr::V6(ip) => SocketAddrV6::new(ip, port, 0, self.zone).into(),
        }
    }
}

impl From<IpAddr> for HostAddress {
    fn from(ip: IpAddr) -> Self {
        Self { ip, zone: 0 }
    }
}

impl From<SocketAddr> for HostAddress {
    fn from(address: SocketAddr) -> Self {
        let zone = if let SocketAddr::V6(address) = address { address.scope_id() } else { 0 };
        Self { ip: address.ip(), zone }
    }
}

/// Asked of the kernel: a file system that tells it may be that of another network namespace.
fn interface_index(name: &str) -> io::Result<u32> {
    let any_socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0))?;
    Ok(rustix::net::netdevice::name_to_index(&any_socket, name)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_zone_is_an_interface_or_its_number() {
        let ip: IpAddr = "fe80::1".parse().unwrap();
        let index = interface_index("lo").unwrap();
        assert_eq!(HostAddress::in_zone(ip, Some("lo")).unwrap(), HostAddress { ip, zone: index });
        assert_eq!(HostAddress::in_zone(ip, Some("77")).unwrap().at(80).to_string(), "[fe80::1%77]:80");
        assert_eq!(HostAddress::in_zone(ip, None).unwrap().at(80).to_string(), "[fe80::1]:80");
        let message = HostAddress::in_zone(ip, Some("nosuch0")).unwrap_err().to_string();
        assert!(message.contains("no network interface \"nosuch0\""), "{message}");
    }

    #[test]
    fn the_zone_of_a_peer_is_kept() {
        let peer: SocketAddr = "[fe80::1%3]:443".parse().unwrap();
        assert_eq!(HostAddress::from(peer).at(80), "[fe80::1%3]:80".parse().unwrap());
    }
}
